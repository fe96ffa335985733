//! Stage 20 on small workspaces: every exit code, mixtures of them, the wordings, and what people and CI systems do
//! with findings.

use rtt_core::schema::Schema;
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::{Value, json};

const SCAN: &str = STAGES[1];
const DOCTOR: &str = STAGES[2];

/// A workspace of these manifests, scanned.
fn workspace(manifests: &[Value]) -> Scratch {
    let scratch = Scratch::empty("small");
    scratch.run_all(&STAGES[..1]);
    put(&scratch, manifests);
    scratch
}

fn put(scratch: &Scratch, manifests: &[Value]) {
    for manifest in manifests {
        let file = format!("agents/{}.agent.json", manifest["symbol"].as_str().expect("a symbol"));
        scratch.write(&file, serde_json::to_string_pretty(manifest).expect("JSON"));
    }
    scratch.run(SCAN, &[]).expect_code(0);
}

fn agent(symbol: &str, requires: Value) -> Value {
    json!({"symbol": symbol, "version": "1.2.0", "requires": requires})
}

fn provider() -> Value {
    let schema = json!({"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]});
    json!({"symbol": "agent.api.auth", "version": "1.2.0", "provides": {
        "protocol": {"name": "jsonrpc", "version": "1.0.0"}, "capabilities": ["token.verify"],
        "methods": {"verify": {"params": schema, "result": {"type": "boolean"}}}}})
}

fn missing() -> Value {
    agent("agent.one", json!([{"symbol": "agent.nowhere"}]))
}

fn conflict() -> Value {
    agent("agent.two", json!([{"symbol": "agent.api.auth", "version": "^2"}]))
}

fn circle() -> [Value; 2] {
    [agent("agent.three", json!([{"symbol": "agent.other"}])), agent("agent.other", json!([{"symbol": "agent.three"}]))]
}

fn mismatch() -> Value {
    agent("agent.four", json!([{"symbol": "agent.api.auth", "methods": {"verify": {"result": {"type": "string"}}}}]))
}

fn capability() -> Value {
    agent("agent.five", json!([{"symbol": "agent.api.auth", "capabilities": ["token.issue"]}]))
}

#[test]
fn each_kind_of_finding_has_its_exit_code_and_wording() {
    let fine =
        agent("agent.zero", json!([{"symbol": "agent.api.auth", "version": "^1", "capabilities": ["token.verify"]}]));
    workspace(&[fine, provider()])
        .run(DOCTOR, &[])
        .expect_code(0)
        .expect_stdout("[OK] 1 dependency edge of 2 instances valid");

    let broken = agent("agent.zero", json!([{"symbol": "agent.api.auth"}]));
    workspace(&[broken])
        .run(DOCTOR, &[])
        .expect_code(1)
        .expect_stderr("error[RTT-D001]: Missing dependency 'agent.api.auth', required by agent.zero@1.2.0")
        .expect_stderr("agents/agent.zero.agent.json:6:17")
        .expect_stdout("[FAIL] Dependencies are not valid: 1 missing dependency");
    workspace(&[conflict(), provider()])
        .run(DOCTOR, &[])
        .expect_code(2)
        .expect_stderr("[20] [WARN] Dependency 'agent.api.auth' version mismatch")
        .expect_stderr("error[RTT-D002]: Dependency 'agent.api.auth' version mismatch: agent.two@1.2.0 requires ^2, registered: 1.2.0");
    // Publishing what one asks for would shut out the other.
    let mut alone = provider();
    alone["singleton"] = true.into();
    let other = agent("agent.zero", json!([{"symbol": "agent.api.auth", "version": "^1"}]));
    workspace(&[conflict(), other, alone]).run(DOCTOR, &[]).expect_code(2).expect_stderr(
        "error[RTT-D008]: Dependency 'agent.api.auth' version mismatch: because agent.two@1.2.0 requires ^2 and \
         agent.zero@1.2.0 requires ^1 and only one version of agent.api.auth may run, no version suits all",
    );
    workspace(&circle())
        .run(DOCTOR, &[])
        .expect_code(3)
        .expect_stderr("error[RTT-D003]: Circular dependency: agent.other -> agent.three -> agent.other");
    for requirement in [
        mismatch(),
        agent("agent.four", json!([{"symbol": "agent.api.auth", "protocol": {"name": "mcp"}}])),
        agent("agent.four", json!([{"symbol": "agent.api.auth", "protocol": {"name": "jsonrpc", "version": "^2"}}])),
    ] {
        workspace(&[requirement, provider()])
            .run(DOCTOR, &[])
            .expect_code(4)
            .expect_stderr("error[RTT-D004]: Dependency 'agent.api.auth' protocol mismatch");
    }
    workspace(&[capability(), provider()])
        .run(DOCTOR, &[])
        .expect_code(5)
        .expect_stderr("error[RTT-D005]: Dependency 'agent.api.auth' capability mismatch")
        .expect_stderr("does not offer the capability 'token.issue'");
}

#[test]
fn of_several_kinds_the_smallest_code_wins_and_all_are_reported() {
    let kinds: [(i32, &str, Vec<Value>); 5] = [
        (1, "RTT-D001", vec![missing()]),
        (2, "RTT-D002", vec![conflict()]),
        (3, "RTT-D003", circle().to_vec()),
        (4, "RTT-D004", vec![mismatch()]),
        (5, "RTT-D005", vec![capability()]),
    ];
    for first in 0..kinds.len() {
        let mut manifests = vec![provider()];
        kinds[first..].iter().for_each(|(_, _, broken)| manifests.extend(broken.iter().cloned()));
        let run = workspace(&manifests).run(DOCTOR, &["--format", "json"]).expect_code(kinds[first].0);
        let summary = run.summary();
        assert_eq!(Schema::Summary.check("RTT-S002", "stdout", &run.stdout, &summary), []);
        let mut rules: Vec<&str> =
            summary["diagnostics"].as_array().expect("a list").iter().filter_map(|one| one["rule"].as_str()).collect();
        rules.sort_unstable();
        assert_eq!(rules, kinds[first..].iter().map(|(_, rule, _)| *rule).collect::<Vec<_>>());
    }
    // Optional requirements fail nothing, alone or beside an error.
    let optional = agent("agent.six", json!([{"symbol": "agent.api.auth", "version": "^2", "optional": true}]));
    workspace(&[optional.clone(), provider()]).run(DOCTOR, &[]).expect_code(0).expect_stderr("warning[RTT-D002]");
    workspace(&[optional, capability(), provider()]).run(DOCTOR, &[]).expect_code(5);
}

#[test]
fn later_stages_see_what_is_chosen_and_what_is_let_be() {
    let scratch = workspace(&[missing(), capability(), provider()]);
    scratch.run(DOCTOR, &[]).expect_code(1);
    scratch
        .run(DOCTOR, &["--write-baseline"])
        .expect_code(0)
        .expect_stdout("2 known findings recorded in .rtt/depdoctor.json");
    let settings = scratch.json(".rtt/depdoctor.json");
    assert_eq!(
        settings["baseline"],
        json!([
            {"rule": "RTT-D001", "instance": "agent.one@1.2.0", "symbol": "agent.nowhere"},
            {"rule": "RTT-D005", "instance": "agent.five@1.2.0", "symbol": "agent.api.auth"},
        ])
    );
    let text = scratch.read(".rtt/depdoctor.json");
    assert_eq!(Schema::DepDoctor.check("RTT-S002", "settings", &text, &settings), []);
    let report = scratch.json(".rtt/cache/dependencies.json");
    assert_eq!(report["summary"]["ignored"], 2);
    assert_eq!(report["edges"][0]["optional"], true, "{report:#}");
    scratch
        .run(DOCTOR, &[])
        .expect_code(0)
        .expect_stdout("Nothing changed: 2 dependency edges of 3 instances valid, 2 ignored");
    scratch.run(STAGES[3], &[]).expect_code(0);

    // Only new findings fail; known ones are shown where more is asked for.
    put(&scratch, &[conflict()]);
    let run = scratch
        .run(DOCTOR, &["-v"])
        .expect_code(2)
        .expect_stderr("error[RTT-D002]")
        .expect_stderr("ignored error[RTT-D001]");
    assert!(!run.stderr.contains("\nerror[RTT-D001]"), "{run:#?}");
    let run = scratch.run(DOCTOR, &[]).expect_code(2);
    assert!(!run.stderr.contains("RTT-D001"), "{run:#?}");
    // What is repaired must leave the baseline.
    put(&scratch, &[agent("agent.one", json!([])), agent("agent.two", json!([]))]);
    scratch
        .run(DOCTOR, &[])
        .expect_code(0)
        .expect_stderr("warning[RTT-D012]: this baseline entry matches no finding")
        .expect_stderr(".rtt/depdoctor.json:4:5");
    // Who changes what is ignored has to run the stage again.
    scratch.write(".rtt/depdoctor.json", "{}");
    scratch.run(STAGES[3], &[]).expect_code(66).expect_stderr("run rtt-20-depdoctor");
    scratch.write(".rtt/depdoctor.json", "{\"ignore\": [{\"rule\": \"RTT-D05\"}]}");
    scratch.run(DOCTOR, &[]).expect_code(65).expect_stderr(".rtt/depdoctor.json:1:22");
}

#[test]
fn fix_edits_names_and_ranges_and_nothing_else() {
    let misspelt = "{\n\t\"symbol\": \"agent.one\", \"version\": \"1.2.0\",\n\n\t\"requires\": [ {\"symbol\":\"agent.api.auht\"} ]\n}";
    let scratch = workspace(&[conflict(), missing(), provider()]);
    scratch.write("agents/agent.seven.agent.json", misspelt.replace("agent.one", "agent.seven"));
    scratch.run(SCAN, &[]).expect_code(0);
    let before = scratch.tree("agents");
    let diff = "--- a/agents/agent.seven.agent.json\n+++ b/agents/agent.seven.agent.json\n@@ -1,5 +1,5 @@\n {\n \t\"symbol\": \"agent.seven\", \
                \"version\": \"1.2.0\",\n \n-\t\"requires\": [ {\"symbol\":\"agent.api.auht\"} ]\n+\t\"requires\": [ {\"symbol\":\"agent.api.auth\"} ]\n }\n\
                \\ No newline at end of file\n";
    scratch
        .run(DOCTOR, &["--fix", "--dry-run"])
        .expect_code(1)
        .expect_stdout(diff)
        .expect_stdout("-      \"version\": \"^2\"\n+      \"version\": \"^1.2\"\n")
        .expect_stdout("--fix would change 2 requirements in 2 manifests");
    assert_eq!(before, scratch.tree("agents"));

    scratch
        .run(DOCTOR, &["--fix"])
        .expect_code(1)
        .expect_stdout(diff)
        .expect_stdout(
            "[FAIL] Fixed 2 requirements in 2 manifests\n  Dependencies are not valid: 1 missing dependency\n",
        )
        .expect_stdout("run rtt-10-scan, then rtt-20-depdoctor");
    let after = scratch.read("agents/agent.seven.agent.json");
    assert_eq!(after, misspelt.replace("agent.one", "agent.seven").replace("auht", "auth"));
    scratch.run(DOCTOR, &[]).expect_code(66).expect_stderr("run rtt-10-scan");
    put(&scratch, &[agent("agent.one", json!([]))]);
    scratch.run(DOCTOR, &["--fix"]).expect_code(0).expect_stdout("[OK] 2 dependency edges of 4 instances valid");

    // What lies behind a link, or is declared in two places, is left to people.
    scratch.write("shared/agent.nine.agent.json", misspelt.replace("agent.one", "agent.nine"));
    std::os::unix::fs::symlink("../shared", scratch.path("agents/linked")).expect("a writable scratch folder");
    let twice = misspelt.replace("agent.one", "agent.ten");
    scratch.write("agents/a/agent.ten.agent.json", &twice);
    scratch.write("agents/b/agent.ten.agent.json", &twice);
    scratch.run(SCAN, &[]).expect_code(0);
    let run = scratch.run(DOCTOR, &["--fix"]).expect_code(1).expect_stderr("did you mean 'agent.api.auth'?");
    assert!(!run.stdout.contains("+++"), "{run:#?}");
    assert_eq!(scratch.read("shared/agent.nine.agent.json"), misspelt.replace("agent.one", "agent.nine"));
}

#[test]
fn rules_and_symbols_are_explained() {
    let folder = Scratch::empty("nothing");
    let run = folder.run(DOCTOR, &["--explain", "RTT-D008"]).expect_code(0);
    for part in ["RTT-D008: no one version of a singleton", "what: ", "why: ", "example: ", "fix: "] {
        assert!(run.stdout.contains(part), "{run:#?}");
    }
    folder.run(DOCTOR, &["--explain", "RTT-D0O8"]).expect_code(64).expect_stderr("did you mean 'RTT-D008'?");
    let user = agent("agent.user", json!([{"symbol": "agent.five"}]));
    let scratch = workspace(&[user, capability(), provider()]);
    scratch
        .run(DOCTOR, &["--explain", "agent.api.auth"])
        .expect_code(5)
        .expect_stdout("required by:\n  agent.five@1.2.0 (*)\n    needed through: agent.user@1.2.0 -> agent.five@1.2.0\n    chosen: nothing\n")
        .expect_stdout("refused: agent.api.auth@1.2.0: does not offer the capability 'token.issue'");
    scratch.run(DOCTOR, &["--graph", "mermaid"]).expect_code(5).expect_stdout("linkStyle 0 stroke:#c00");
}

#[test]
fn ci_systems_recognise_findings_when_lines_move() {
    let scratch = workspace(&[missing(), capability(), provider()]);
    let fingerprints = |scratch: &Scratch| {
        let mut command = scratch.command(DOCTOR);
        command.envs([("GITLAB_CI", "true"), ("GITHUB_ACTIONS", "true")]).env_remove("GITHUB_STEP_SUMMARY");
        command.args(["--sarif"]).arg(scratch.path("found.sarif")).env_remove("GITHUB_WORKSPACE");
        Run::of(command.env("CI_PROJECT_DIR", scratch.root()))
            .expect_code(1)
            .expect_stderr("::error file=agents/agent.one.agent.json,line=")
            .expect_stderr("title=RTT-D001::Missing dependency 'agent.nowhere'");
        let issues = scratch.json(".rtt/cache/codequality-20.json");
        let issues = issues.as_array().expect("a list").clone();
        let of_issues = issues.iter().map(|issue| issue["fingerprint"].as_str().expect("a text").to_owned()).collect();
        let sarif = scratch.json("found.sarif");
        let results = sarif["runs"][0]["results"].as_array().expect("a list").clone();
        let print =
            |result: &Value| result["partialFingerprints"]["rttIdentity/v1"].as_str().expect("a text").to_owned();
        (of_issues, results.iter().map(print).collect())
    };
    let before: (Vec<String>, Vec<String>) = fingerprints(&scratch);
    assert_eq!((before.0.len(), before.1.len()), (2, 2));
    let moved = scratch.read("agents/agent.one.agent.json").replacen('{', "{\n\n", 1);
    scratch.write("agents/agent.one.agent.json", moved);
    put(&scratch, &[agent("agent.eight", json!([]))]);
    assert_eq!(before, fingerprints(&scratch));
}

#[test]
fn sarif_has_the_shape_of_its_standard() {
    let scratch = workspace(&[missing(), capability(), circle()[0].clone(), circle()[1].clone(), provider()]);
    scratch.write(".rtt/depdoctor.json", r#"{"ignore": [{"rule": "RTT-D005"}, {"rule": "RTT-D007"}]}"#);
    let file = scratch.path("found.sarif");
    scratch.run(DOCTOR, &["--sarif", file.to_str().expect("Unicode")]).expect_code(1);
    let sarif = scratch.json("found.sarif");
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["$schema"].as_str().is_some_and(|schema| schema.ends_with("sarif-schema-2.1.0.json")));
    let [run] = sarif["runs"].as_array().expect("a list").as_slice() else { panic!("one run") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "rtt-20-depdoctor");
    let rules = driver["rules"].as_array().expect("a list");
    for rule in rules {
        assert!(
            rule["id"].is_string() && rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string()
        );
    }
    let results = run["results"].as_array().expect("a list");
    let found: Vec<&str> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    assert_eq!(found, ["RTT-D012", "RTT-D001", "RTT-D003", "RTT-D005"]);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a text")));
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(result["partialFingerprints"].as_object().is_some_and(|prints| !prints.is_empty()));
        assert_eq!(result.get("suppressions").is_some(), result["ruleId"] == "RTT-D005");
        let related = result["relatedLocations"].as_array().into_iter().flatten();
        for location in result["locations"].as_array().expect("a list").iter().chain(related) {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("a text");
            assert!(scratch.path(uri).is_file(), "{uri}");
            assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line >= 1), "{location}");
        }
    }
    // What cannot be written is said, whatever was found.
    scratch.run(DOCTOR, &["--sarif", "/proc/none/found.sarif"]).expect_code(73).expect_stderr("creating /proc/none");
    // Also a run that comes to no verdict is a document.
    scratch.write("agents/new.agent.json", r#"{"symbol": "agent.new", "version": "1.0.0"}"#);
    scratch.run(DOCTOR, &["--sarif", file.to_str().expect("Unicode")]).expect_code(66);
    assert_eq!(scratch.json("found.sarif")["runs"][0]["results"][0]["ruleId"], "RTT-E004");
}
