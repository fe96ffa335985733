//! `.rtt/cache/solver.json`: spares searches, changes no byte of a plan, and is never trusted.

use super::*;

/// Adds pairs that nothing joins to the others, and runs stages 10 to 30.
fn add_pairs(workspace: &Workspace, names: std::ops::Range<u32>, mbps: u32) {
    for name in names {
        let agent =
            |symbol: String| json!({"symbol": symbol, "version": "1.0.0", "resources": {"cpu": 0.1, "memory_mb": 16}});
        let mut caller = agent(format!("c.caller{name}"));
        caller["requires"] = json!([{"symbol": format!("d.store{name}"), "version": "^1"}]);
        caller["qos"] = json!({"throughput_mbps": mbps});
        for (kind, manifest) in [("caller", caller), ("store", agent(format!("d.store{name}")))] {
            let file = format!("agents/{kind}{name}.agent.json");
            workspace.write(file, json::pretty(&manifest).as_bytes()).expect("writable");
        }
    }
    scan::run(workspace, &scan::Request::default(), &context(false)).expect("runs");
    depdoctor::run(workspace, &depdoctor::Request::default(), &context(false)).expect("runs");
    generate::run(workspace, &generate::Request::default(), &context(false)).expect("runs");
}

fn recalled(report: &Report) -> u64 {
    report.figures["recalled"].as_u64().expect("a count")
}

fn cache(workspace: &Workspace) -> String {
    let bytes = workspace.read_optional(layout::SOLVER_CACHE).expect("readable").expect("written");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(Schema::SolverCache.check("RTT-S002", "cache", &text, &json::parse(text.as_bytes()).expect("JSON")), []);
    text
}

/// Everything of a plan but its signature and time.
fn plan(workspace: &Workspace) -> Value {
    let (_, mut plan) = latest(workspace);
    for key in ["timestamp", "signature"] {
        plan.as_object_mut().expect("an object").remove(key);
    }
    plan
}

#[test]
fn a_change_in_one_component_searches_that_one_alone() {
    let (_folder, workspace) = workspace();
    add_pairs(&workspace, 0..6, 10);
    assert_eq!(recalled(&go(&workspace, &Request::default())), 0);
    let before = cache(&workspace);
    add_pairs(&workspace, 3..4, 20);
    // Each is searched alone, and again in the room that is left where it does not fit beside those before it: the first
    // component fills the first node. Of the one that changed both searches are done.
    let report = go(&workspace, &Request::default());
    assert_eq!((recalled(&report), cache(&workspace).matches("\"search\"").count()), (11, 13));
    let (warm, remembered) = (plan(&workspace), cache(&workspace));
    assert_ne!(before, remembered);

    let forced = run(&workspace, &Request::default(), &context(true)).expect("runs");
    assert_eq!(recalled(&forced), 0);
    assert_eq!((plan(&workspace), cache(&workspace)), (warm, remembered), "equal bytes with and without");
}

#[test]
fn a_cache_that_is_not_right_is_ignored_and_written_anew() {
    let (_folder, workspace) = workspace();
    go(&workspace, &Request::default());
    let (expected, right) = (plan(&workspace), cache(&workspace));
    let placement = |text: &str| text.replace("\"placement\":[0,0]", "\"placement\":[0,1]");
    assert_ne!(placement(&right), right);
    let wrong: [(&str, String); 9] = [
        ("empty", String::new()),
        ("cut", right[..right.len() / 2].to_owned()),
        ("no JSON", right.replace('{', "[")),
        ("another engine's", right.replace("rtt-40-solver ", "rtt-40-solver 9")),
        ("a changed placement", placement(&right)),
        ("a changed value", right.replace("\"values\":[0,0,3", "\"values\":[0,0,2")),
        ("a further member", right.replacen("\"version\"", "\"more\": 1, \"version\"", 1)),
        ("huge", format!("{right}{}", " ".repeat(65 << 20))),
        ("deep", "[".repeat(1 << 20)),
    ];
    for (what, text) in wrong {
        assert_ne!(text, right, "{what}");
        workspace.write(layout::SOLVER_CACHE, text.as_bytes()).expect("writable");
        // Without the newest plan there is something to do.
        durable::remove_file(&workspace.path(layout::LATEST)).expect("removable");
        let report = go(&workspace, &Request::default());
        assert_eq!(
            (recalled(&report), plan(&workspace), cache(&workspace)),
            (0, expected.clone(), right.clone()),
            "{what}"
        );
    }

    // One whose digest was made to fit: what it says is evaluated once more.
    let lines = |text: &str| text.lines().filter(|line| line.starts_with("{\"search\"")).collect::<Vec<_>>().join("\n");
    let old = crate::digest::Digest::of_bytes(lines(&right).replace(",\n", "\n"));
    assert!(right.contains(&old.to_string()));
    let forged =
        right.replace("\"values\":[0,0,3", "\"values\":[0,0,2").replace("\"bounds\":[0,0,3", "\"bounds\":[0,0,2");
    let new = crate::digest::Digest::of_bytes(lines(&forged).replace(",\n", "\n"));
    workspace
        .write(layout::SOLVER_CACHE, forged.replace(&old.to_string(), &new.to_string()).as_bytes())
        .expect("writable");
    durable::remove_file(&workspace.path(layout::LATEST)).expect("removable");
    let report = go(&workspace, &Request::default());
    assert_eq!((recalled(&report), plan(&workspace), cache(&workspace)), (0, expected, right));
}
