//! The stage over a workspace on disk.

mod questions;
mod remembering;

use serde_json::{Value, json};

use super::*;
use crate::schema::Schema;
use crate::stage::{NoProgress, bootstrap, depdoctor, generate, scan};
use crate::workspace::state;

const TOPOLOGY: &str = r#"{"version": "1.0.0", "hosts": [{"name": "local",
    "nodes": [{"id": 0, "cpu": 2, "memory_mb": 512}, {"id": 1, "cpu": 2, "memory_mb": 512}]}]}"#;

fn context(force: bool) -> Context<'static> {
    Context { force, progress: &NoProgress }
}

/// A caller, a store and its stand-in, after stages 00 to 30.
fn workspace() -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    bootstrap::run(&workspace, &bootstrap::Request, &context(false)).expect("runs");
    workspace.write(layout::TOPOLOGY, TOPOLOGY.as_bytes()).expect("writable");
    let agent = |symbol: &str| json!({"symbol": symbol, "version": "1.0.0", "resources": {"cpu": 1, "memory_mb": 64}});
    let mut caller = agent("a.caller");
    caller["requires"] = json!([{"symbol": "b.store", "version": "^1"}]);
    for (name, manifest) in [("caller", caller), ("store", agent("b.store")), ("replica", agent("b.replica"))] {
        workspace.write(format!("agents/{name}.agent.json"), json::pretty(&manifest).as_bytes()).expect("writable");
    }
    scan::run(&workspace, &scan::Request::default(), &context(false)).expect("runs");
    depdoctor::run(&workspace, &depdoctor::Request::default(), &context(false)).expect("runs");
    generate::run(&workspace, &generate::Request::default(), &context(false)).expect("runs");
    (folder, workspace)
}

fn set_policy(workspace: &Workspace, policy: &Value) {
    workspace.write(layout::POLICY, json::pretty(policy).as_bytes()).expect("writable");
}

fn go(workspace: &Workspace, request: &Request) -> Report {
    run(workspace, request, &context(false)).expect("runs")
}

fn latest(workspace: &Workspace) -> (String, Value) {
    let source = source::latest(workspace).expect("readable").expect("there is one");
    let text = String::from_utf8(source.bytes).expect("UTF-8");
    let document = json::parse(text.as_bytes()).expect("JSON");
    assert_eq!(Schema::Plan.check("RTT-S002", &source.name, &text, &document), []);
    (source.name, document)
}

#[test]
fn unchanged_inputs_keep_the_signed_file() {
    let (_folder, workspace) = workspace();
    let first = go(&workspace, &Request::default());
    assert_eq!(
        (first.verdict, first.headline.as_str()),
        (Verdict::Success, "An optimal plan of 1 route and 2 instances")
    );
    let (name, plan) = latest(&workspace);
    assert_eq!(first.outputs, [name.as_str(), layout::LATEST]);
    assert_eq!(go(&workspace, &Request::default()).verdict, Verdict::Unchanged);

    let forced = run(&workspace, &Request::default(), &context(true)).expect("runs");
    assert_eq!((forced.verdict, latest(&workspace)), (Verdict::Success, (name, plan.clone())));

    set_policy(&workspace, &json!({"version": "1.0.0", "pins": [{"agent": "a.caller", "numa_node": 1}]}));
    assert_eq!(go(&workspace, &Request::default()).verdict, Verdict::Success);
    let (_, other) = latest(&workspace);
    assert_ne!(other["plan_id"], plan["plan_id"]);
    assert_eq!(other["placement"][0]["numa_node"], 1);
    let effort = Request { effort: 3, ..Request::default() };
    assert_eq!(go(&workspace, &effort).verdict, Verdict::Success, "another limit may find another plan");
}

#[test]
fn a_plan_is_signed_as_asked() {
    let (_folder, workspace) = workspace();
    let unsigned = Request { no_sign: true, ..Request::default() };
    go(&workspace, &unsigned);
    let (_, plan) = latest(&workspace);
    assert_eq!(plan.get("signature"), None);
    assert_eq!(go(&workspace, &unsigned).verdict, Verdict::Unchanged);
    assert_eq!(go(&workspace, &Request::default()).verdict, Verdict::Success, "now a signature is wanted");
    let (_, signed) = latest(&workspace);
    assert_eq!(signed["plan_id"], plan["plan_id"]);
    assert!(signed["signature"].is_string());

    // Another key signs anew, and says that nobody trusts it here.
    let key = PrivateKey::generate().expect("random numbers");
    let file = workspace.path("other.pem");
    workspace.write("other.pem", key.to_pem().as_bytes()).expect("writable");
    let report = go(&workspace, &Request { key: Some(file), ..Request::default() });
    assert_eq!((report.verdict, report.diagnostics[0].rule), (Verdict::Success, "RTT-K005"));

    // Without a key what is signed by somebody trusted is enough, and nothing new can be made.
    go(&workspace, &Request::default());
    durable::remove_file(&workspace.path(layout::PRIVATE_KEY)).expect("removable");
    assert_eq!(go(&workspace, &Request::default()).verdict, Verdict::Unchanged);
    let refused = run(&workspace, &Request { effort: 1, ..Request::default() }, &context(false));
    assert!(matches!(refused, Err(Error::Missing { .. })));
}

#[test]
fn an_infeasible_model_is_explained_and_keeps_the_previous_plan() {
    let (_folder, workspace) = workspace();
    go(&workspace, &Request::default());
    let before = latest(&workspace);
    set_policy(
        &workspace,
        &json!({"version": "1.0.0", "qos": [{"to": "b.store", "latency_ms": 0.7, "strict": true}],
                "pins": [{"agent": "a.caller", "numa_node": 0}, {"agent": "b.store", "numa_node": 1}]}),
    );
    let report = go(&workspace, &Request::default());
    assert_eq!((report.verdict, report.headline.as_str()), (Verdict::CheckFailed, "No feasible solution found"));
    assert_eq!(latest(&workspace), before);
    let finding = &report.diagnostics[0];
    assert!(finding.message.contains("these 4 constraints cannot hold together"), "{}", finding.message);
    assert!(finding.related.iter().all(|related| related.place.at.is_some()), "{finding:#?}");
    let notes: Vec<&str> = finding.related.iter().map(|related| related.message.as_str()).collect();
    assert!(notes.contains(&"a.caller -> b.store must stay within 0.7 ms (strict)"), "{notes:?}");
    assert!(notes.contains(&"b.store@1.0.0 is pinned"), "{notes:?}");
    let relax = "relax latency_ms of a.caller -> b.store to 0.9";
    assert!(finding.help.iter().any(|help| help.ends_with(relax)), "{:?}", finding.help);
    assert_eq!(finding.help.last().map(String::as_str), Some("or do without a.caller -> b.store"));

    // The remedy works.
    set_policy(
        &workspace,
        &json!({"version": "1.0.0", "qos": [{"to": "b.store", "latency_ms": 0.9, "strict": true}],
                "pins": [{"agent": "a.caller", "numa_node": 0}, {"agent": "b.store", "numa_node": 1}]}),
    );
    let why = Request { why_infeasible: true, ..Request::default() };
    assert_eq!(go(&workspace, &why).verdict, Verdict::Success);
    assert_eq!(latest(&workspace), before, "a question writes nothing");
}

#[test]
fn a_route_that_nothing_may_serve_names_who_forbids_it() {
    let (_folder, workspace) = workspace();
    set_policy(
        &workspace,
        &json!({"version": "1.0.0", "acl": {"default": "allow", "rules": [{"effect": "deny", "from": "a.*", "to": "b.store"}]}}),
    );
    let finding = &go(&workspace, &Request::default()).diagnostics[0];
    let denied = finding.related.iter().find(|related| related.message.contains("via uds: not possible: denied"));
    assert_eq!(denied.expect("named").place.file, layout::POLICY);
}

#[test]
fn explains_routes_and_draws_plans() {
    let (_folder, workspace) = workspace();
    set_policy(&workspace, &json!({"version": "1.0.0", "failover": [{"to": "b.store", "alternates": ["b.replica"]}]}));
    let explain =
        |from: &str, to: &str| Request { explain: Some((from.to_owned(), to.to_owned())), ..Request::default() };
    let body = go(&workspace, &explain("a.caller", "b.store")).body.expect("asked for");
    assert_eq!(
        body,
        "a.caller -> b.store\n  bounds: none\n  b.store@1.0.0 via uds: chosen, 500 µs, on local node 0\n  \
         b.store@1.0.0 via tcp: worse: communication_cost would be 8, not 3\n  b.replica@1.0.0 via uds: backup\n  \
         b.store@1.0.0 via shm: not possible: a.caller@1.0.0 does not offer the lane (agents/caller.agent.json:1:1)\n  \
         b.store@1.0.0 via stdio: not possible: a.caller@1.0.0 does not offer the lane (agents/caller.agent.json:1:1)\n  \
         b.replica@1.0.0 via shm: not possible: a.caller@1.0.0 does not offer the lane (agents/caller.agent.json:1:1)\n  \
         b.replica@1.0.0 via stdio: not possible: a.caller@1.0.0 does not offer the lane (agents/caller.agent.json:1:1)\n"
    );
    let Err(Error::Usage { help, .. }) = run(&workspace, &explain("a.caler", "b.store"), &context(false)) else {
        panic!("there is no such route")
    };
    assert_eq!(help.as_deref(), Some("did you mean 'a.caller'?"));
    assert_eq!(source::latest(&workspace).expect("readable"), None, "a question writes nothing");

    for (format, expected) in [
        (GraphFormat::Dot, "  n0 -> n2 [label=\"uds\"];\n  n0 -> n1 [label=\"uds\", style=dashed];\n"),
        (GraphFormat::Mermaid, "  n0 -->|uds| n2\n  n0 -.->|uds| n1\n"),
        (GraphFormat::Svg, "<title>a.caller -&gt; b.store via uds, 500 µs</title>"),
    ] {
        let body = go(&workspace, &Request { graph: Some(format), ..Request::default() }).body.expect("asked for");
        assert!(body.contains(expected), "{body}");
    }
}

#[test]
fn routes_without_a_file_are_those_of_the_dependencies() {
    let (_folder, workspace) = workspace();
    go(&workspace, &Request::default());
    let (_, with) = latest(&workspace);
    durable::remove_file(&workspace.path(layout::ROUTES)).expect("removable");
    go(&workspace, &Request::default());
    let (_, without) = latest(&workspace);
    assert_eq!(with["routes"], without["routes"]);
}

#[test]
fn wrong_routes_are_invalid_input() {
    let (_folder, workspace) = workspace();
    let routes = r#"{"version": "1.0.0", "routes": [{"from": "a.caler", "to": "b.store"}]}"#;
    workspace.write(layout::ROUTES, routes.as_bytes()).expect("writable");
    let Err(Error::Invalid { diagnostics, .. }) = run(&workspace, &Request::default(), &context(false)) else {
        panic!("nobody is called a.caler")
    };
    assert_eq!(diagnostics[0].help, ["did you mean 'a.caller'?"]);
    let place = diagnostics[0].place.as_ref().and_then(|place| place.at).expect("a place");
    assert_eq!((place.line, place.column), (1, 42));
    assert!(state::parse_value(layout::ROUTES, routes.as_bytes(), Schema::Routes).is_ok(), "its form is right");
}

#[test]
fn a_rule_that_matches_nothing_is_named() {
    let (_folder, workspace) = workspace();
    set_policy(
        &workspace,
        &json!({"version": "1.0.0",
            "acl": {"default": "allow", "rules": [{"effect": "deny", "from": "a.caler"}, {"effect": "allow", "to": "b.*"}]},
            "qos": [{"from": "b.store", "to": "a.caller", "latency_ms": 1}, {"to": "b.store", "priority": 2}],
            "failover": [{"to": "b.stroe", "alternates": ["b.replica"]}],
            "pins": [{"agent": "a.x", "numa_node": 0}, {"agent": "a.*", "numa_node": 0}, {"to": "b.x", "via": "uds"}]}),
    );
    let report = go(&workspace, &Request::default());
    let found: Vec<&str> =
        report.diagnostics.iter().filter(|d| d.rule == "RTT-P011").map(|d| d.message.as_str()).collect();
    assert_eq!(
        found,
        [
            "no instance matches 'a.caler', the rule's from",
            "no route from 'b.store' to 'a.caller': the rule matches nothing",
            "no route from '**' to 'b.stroe': the rule matches nothing",
            "no instance matches 'a.x': the pin does nothing",
            "no route from '**' to 'b.x': the rule matches nothing",
        ]
    );
}
