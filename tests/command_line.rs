//! What all six executables have in common: help, version, usage errors, roots, JSON output, CI output.

use rtt_core::schema::Schema;
use rtt_tests::{Run, STAGES, Scratch, executable};

#[test]
fn every_stage_answers_help_and_version_and_refuses_other_words() {
    for stage in STAGES {
        let run = |arguments: &[&str]| Run::of(std::process::Command::new(executable(stage)).args(arguments));
        run(&["--help"]).expect_code(0).expect_stdout(&format!("Usage: {stage}")).expect_stdout("Exit codes:");
        run(&["--version"]).expect_code(0).expect_stdout(&format!("{stage} {}", env!("CARGO_PKG_VERSION")));
        run(&["--no-such-option"]).expect_code(64).expect_stderr("--no-such-option");
        run(&["--completions", "bash"]).expect_code(0).expect_stdout("complete -F");
    }
}

#[test]
fn a_missing_root_is_a_missing_input() {
    let scratch = Scratch::empty("nothing");
    for stage in &STAGES[1..] {
        scratch.run(stage, &[]).expect_code(66).expect_stderr("run rtt-00-bootstrap");
    }
}

#[test]
fn a_stage_without_its_predecessor_names_it() {
    let scratch = Scratch::empty("fresh");
    scratch.run_all(&STAGES[..1]);
    for (stage, predecessor) in [(STAGES[2], STAGES[1]), (STAGES[3], STAGES[1]), (STAGES[4], STAGES[1])] {
        scratch.run(stage, &[]).expect_code(66).expect_stderr(&format!("run {predecessor}"));
    }
    scratch.run(STAGES[5], &[]).expect_code(66).expect_stderr("run rtt-40-solver");
}

/// Runs a stage while `.rtt` has the given mode, as a user whom permissions bind: the superuser passes every check.
fn run_with_state_mode(scratch: &Scratch, stage: &str, mode: &str) -> Run {
    let script = r#"
        mkdir -p "$1/.rtt"; chmod -R a+rX "$1" "$(dirname "$1")"; chmod "$3" "$1/.rtt"
        if [ "$(id -u)" -eq 0 ]; then run="setpriv --reuid=65534 --regid=65534 --clear-groups"; else run=env; fi
        $run "$2" --root "$1"; code=$?
        chmod 755 "$1/.rtt"; exit $code"#;
    // The executables may lie where another user cannot look.
    let bin = Scratch::empty("bin");
    let copy = bin.path(stage);
    std::fs::copy(executable(stage), &copy).expect("a writable scratch folder");
    let folders = [bin.root(), bin.root().parent().expect("has one").to_owned()];
    Run::of(std::process::Command::new("chmod").arg("a+rx").args(folders)).expect_code(0);
    let mut command = std::process::Command::new("sh");
    Run::of(command.args(["-c", script, "sh"]).arg(scratch.root()).arg(&copy).arg(mode))
}

#[test]
fn an_unreadable_state_folder_is_a_permission_error() {
    let scratch = Scratch::copy_of("quickstart", "closed");
    for stage in STAGES {
        run_with_state_mode(&scratch, stage, "000").expect_code(77).expect_stderr("Permission denied");
    }
}

#[test]
fn bootstrap_says_what_it_may_not_create() {
    let scratch = Scratch::empty("read-only");
    let run = run_with_state_mode(&scratch, STAGES[0], "555").expect_code(77);
    run.expect_stderr("Permission denied creating .rtt/cache/").expect_stderr("= help: ");
}

#[test]
fn json_output_is_one_document_that_fits_its_schema() {
    let scratch = Scratch::copy_of("quickstart", "json");
    for stage in STAGES {
        let run = scratch.run(stage, &["--format", "json", "--log-format", "json"]).expect_code(0);
        assert_eq!(Schema::Summary.check("RTT-S002", stage, &run.stdout, &run.summary()), []);
        for line in run.stderr.lines() {
            let record: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(record["ts"].is_string() && record["level"].is_string() && record["message"].is_string(), "{line}");
            assert_eq!(record["stage"], stage[4..6], "{line}");
        }
    }
}

#[test]
fn errors_are_json_too() {
    let scratch = Scratch::empty("nothing");
    let run = scratch.run(STAGES[1], &["--format", "json"]).expect_code(66);
    let summary = run.summary();
    assert_eq!(Schema::Summary.check("RTT-S002", "stdout", &run.stdout, &summary), []);
    assert_eq!((summary["exit_code"].as_i64(), summary["outcome"].as_str()), (Some(66), Some("error")));
}

#[test]
fn ci_systems_see_findings_at_their_lines() {
    let scratch = Scratch::copy_of("quickstart", "ci");
    scratch.run_all(&STAGES[..1]);
    scratch.write("agents/bad.agent.json", "{\n  \"symbol\": \"agent.bad\",\n  \"version\": \"one\"\n}\n");
    let table = scratch.path("table.md");
    let mut command = scratch.command(STAGES[1]);
    command.envs([("GITHUB_ACTIONS", "true"), ("GITLAB_CI", "true")]);
    command.env("GITHUB_WORKSPACE", scratch.root().parent().expect("has one")).env("CI_PROJECT_DIR", scratch.root());
    let run = Run::of(command.env("GITHUB_STEP_SUMMARY", &table)).expect_code(65);
    run.expect_stderr("::error file=ci/agents/bad.agent.json,line=3,col=14")
        .expect_stderr("Invalid agent manifest format");
    assert!(scratch.read("table.md").contains("### rtt-10-scan"));
    let report = scratch.json(".rtt/cache/codequality-10.json");
    assert_eq!(report[0]["location"]["path"], "agents/bad.agent.json");
    assert_eq!(report[0]["location"]["lines"]["begin"], 3);
}
