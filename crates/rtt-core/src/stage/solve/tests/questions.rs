//! What would be, and what more capacity is worth.

use super::*;

/// Everything in a folder but the flight records, which the command line writes.
fn tree(folder: &std::path::Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    files
}

fn what_if(without_nodes: &[&str], pins: &[&str], capacities: &[&str]) -> Request {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let what_if = WhatIf { without_nodes: list(without_nodes), pins: list(pins), capacities: list(capacities) };
    Request { what_if: Some(what_if), ..Request::default() }
}

#[test]
fn what_if_shows_the_difference_and_writes_nothing() {
    let (folder, workspace) = workspace();
    go(&workspace, &Request::default());
    let before = tree(folder.path());
    let report = go(&workspace, &what_if(&["local/1"], &["a.caller->b.store=tcp"], &["local/0=3,256"]));
    assert_eq!((report.verdict, report.outputs.len()), (Verdict::Success, 0));
    assert_eq!(
        report.body.as_deref(),
        Some(
            "what if: local/0 has 3 CPU and 256 MiB; without node local/1; pin a.caller->b.store=tcp\n  \
             a plan exists: yes now, yes then\n  \
             qos_violations                  0 = 0\n  \
             numa_distance                   0 = 0\n  \
             communication_cost              3 → 8\n  \
             missing_redundancy              0 = 0\n  \
             churn                           0 = 0\n  \
             0 instances would move\n  1 route would be served otherwise\n    a.caller\n      ~ b.store: lane uds → tcp\n"
        )
    );
    let answer = report.answer.expect("in parts");
    assert_eq!(
        answer["objective"][2],
        json!({"name": "communication_cost", "before": {"value": 3, "bound": 3}, "after": {"value": 8, "bound": 8}})
    );
    assert_eq!(answer["routes"][0]["new"]["via"], "tcp");

    // An instance that is torn from its peer, and one that moves.
    let report = go(&workspace, &what_if(&[], &["b.store=local/1", "a.caller@^1=local/0"], &[]));
    let answer = report.answer.expect("in parts");
    assert_eq!(answer["placement"], json!([{"agent": "b.store@1.0.0", "before": "local/0", "after": "local/1"}]));
    assert_eq!(answer["objective"][1]["after"], json!({"value": 10, "bound": 10}));
    assert!(tree(folder.path()) == before, "a question writes nothing");
}

#[test]
fn what_if_says_why_there_would_be_no_plan() {
    let (folder, workspace) = workspace();
    let before = tree(folder.path());
    let report = go(&workspace, &what_if(&["local/1"], &["b.*=local"], &["local/0=1.5,256"]));
    assert_eq!((report.verdict, report.headline.as_str()), (Verdict::CheckFailed, "No feasible solution then"));
    let answer = report.answer.expect("in parts");
    assert_eq!((&answer["feasible"], &answer["placement"]), (&json!({"before": "yes", "after": "no"}), &json!([])));
    let finding = &report.diagnostics[0];
    assert!(finding.help.iter().any(|help| help.contains("give local node 0 2000 millicores")), "{finding:#?}");

    assert_eq!(finding.place.as_ref().map(|place| place.file.as_str()), Some("--capacity local/0=1.5,256"));

    // A pin of the command line is named as it was typed.
    let report = go(&workspace, &what_if(&[], &["a.caller=local/0", "b.store=local/0"], &["local/0=1.5,640"]));
    let places: Vec<&str> = report.diagnostics[0].related.iter().map(|related| related.place.file.as_str()).collect();
    assert!(places.contains(&"--pin a.caller=local/0"), "{places:?}");
    assert!(tree(folder.path()) == before, "a question writes nothing");
}

#[test]
fn what_if_is_what_a_run_with_the_change_comes_to() {
    let (_folder, workspace) = workspace();
    set_policy(&workspace, &json!({"version": "1.0.0", "failover": [{"to": "b.store", "alternates": ["b.replica"]}]}));
    let asked = go(&workspace, &what_if(&[], &["b.store=local/1", "b.replica=local/0"], &["local/1=1,512"]));
    let answer = asked.answer.expect("in parts");
    workspace
        .write(layout::TOPOLOGY, TOPOLOGY.replace(r#""id": 1, "cpu": 2"#, r#""id": 1, "cpu": 1"#).as_bytes())
        .expect("writable");
    set_policy(
        &workspace,
        &json!({"version": "1.0.0", "failover": [{"to": "b.store", "alternates": ["b.replica"]}],
                "pins": [{"agent": "b.store", "host": "local", "numa_node": 1}, {"agent": "b.replica", "numa_node": 0}]}),
    );
    go(&workspace, &Request::default());
    let (_, plan) = latest(&workspace);
    let then: Vec<&Value> =
        answer["objective"].as_array().expect("a list").iter().map(|level| &level["after"]).collect();
    for (level, then) in plan["objective"].as_array().expect("a list").iter().zip(then) {
        assert_eq!((&level["value"], &level["bound"]), (&then["value"], &then["bound"]));
    }
}

#[test]
fn what_is_supposed_must_exist() {
    let (_folder, workspace) = workspace();
    let check = |request: Request, expected: &str, hint: &str| {
        let Err(Error::Usage { message, help }) = run(&workspace, &request, &context(false)) else {
            panic!("{expected}")
        };
        assert_eq!((message.as_str(), help.as_deref().unwrap_or_default()), (expected, hint));
    };
    check(what_if(&["locla/0"], &[], &[]), "there is no host 'locla'", "did you mean 'local/0'?");
    check(what_if(&["local/7"], &[], &[]), "host 'local' has no node 7", "did you mean 'local/0'?");
    check(what_if(&["nowhere"], &[], &[]), "'nowhere' is no HOST/N", "nodes: local/0, local/1");
    check(what_if(&[], &[], &["local/5=1,1"]), "host 'local' has no node 5", "did you mean 'local/0'?");
    check(what_if(&[], &["a.caler=local/0"], &[]), "no registered instance is 'a.caler'", "did you mean 'a.caller'?");
    check(what_if(&[], &["a.caller=lokal/0"], &[]), "there is no host 'lokal'", "did you mean 'local/0'?");
    check(
        what_if(&[], &["a.caller->b.stor=uds"], &[]),
        "no route is wanted from 'a.caller' to 'b.stor'",
        "did you mean 'a.caller->b.store'?",
    );
    check(
        what_if(&[], &["a.caller->b.store=b.store@9"], &[]),
        "no registered instance is 'b.store@9'",
        "did you mean 'b.store'?",
    );
    check(what_if(&["local/0", "local/1"], &[], &[]), "--without-node leaves no node at all", "");
    check(
        what_if(&["local/0"], &[], &["local/0=1,1"]),
        "--without-node local/0 changes a node that another option changes",
        "",
    );
    for wrong in ["local/0", "local/0=1", "local/0=-1,5", "local/0=x,5", "local/0=1,nan"] {
        let Err(Error::Usage { message, .. }) = run(&workspace, &what_if(&[], &[], &[wrong]), &context(false)) else {
            panic!("{wrong}")
        };
        assert_eq!(message, format!("--capacity {wrong} is no HOST/N=CPU,MEM"));
    }
    for wrong in ["a.caller", "=local/0", "a.caller->b.store", "a b=local/0", "a.caller->b.store=b..c"] {
        let Err(Error::Usage { message, .. }) = run(&workspace, &what_if(&[], &[wrong], &[]), &context(false)) else {
            panic!("{wrong}")
        };
        assert_eq!(message, format!("--pin {wrong} is no pin"));
    }
}

#[test]
fn says_what_a_node_more_would_be_worth() {
    let (folder, workspace) = workspace();
    let small = TOPOLOGY.replace("\"cpu\": 2", "\"cpu\": 1");
    workspace.write(layout::TOPOLOGY, small.as_bytes()).expect("writable");
    let before = tree(folder.path());
    let report = go(&workspace, &Request { marginal: true, ..Request::default() });
    let line = |node: u32| {
        format!(
            "local node {node}: 1000 of 1000 millicores and 64 of 512 MiB are used\n  1 CPU more:    numa_distance 10 → 0\n  \
             1024 MiB more: nothing\n"
        )
    };
    assert_eq!(report.body, Some(line(0) + &line(1)));
    assert_eq!(
        report.answer.expect("in parts")["nodes"][1]["cpu"],
        json!({"used": 1000, "capacity": 1000, "step": 1000,
               "worth": {"kind": "improves", "objective": "numa_distance", "from": 10, "to": 0, "proven": true}})
    );
    assert!(tree(folder.path()) == before, "a question writes nothing");
}

#[test]
fn a_remedy_that_is_not_enough_is_named_so() {
    let (_folder, workspace) = workspace();
    // Two conflicts: neither instance fits anywhere, whatever happens to the other.
    let tiny = TOPOLOGY.replace("\"cpu\": 2", "\"cpu\": 0.5");
    workspace.write(layout::TOPOLOGY, tiny.as_bytes()).expect("writable");
    set_policy(
        &workspace,
        &json!({"version": "1.0.0", "pins": [{"agent": "a.caller", "numa_node": 0}, {"agent": "b.store", "numa_node": 1}]}),
    );
    let finding = &go(&workspace, &Request { why_infeasible: true, ..Request::default() }).diagnostics[0];
    assert!(
        finding.help.iter().all(|help| help.ends_with(": this resolves this conflict, but not all")),
        "{:#?}",
        finding.help
    );
    assert!(finding.help.iter().any(|help| help.contains("give local node 1 1000 millicores (500 more)")));
}
