//! Verdicts, wordings and choices over small registries.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{GraphFormat, Resolution, accepts, explain, graph, resolve};
use crate::diagnostic::Severity;
use crate::digest::Digest;
use crate::manifest::{Form, Manifest};
use crate::registry::{Instance, Origin, Registry, Selection, Summary};
use crate::stage::{Stage, Verdict};

/// Builds a registry from manifests, each as if in a file of its own named after its symbol.
pub(crate) fn registry(manifests: &[Value]) -> Registry {
    let mut instances: Vec<Instance> = manifests
        .iter()
        .map(|document| {
            let manifest: Manifest = serde_json::from_value(document.clone()).expect("a manifest");
            let path = format!("agents/{}.agent.json", manifest.symbol);
            let origin = Origin { form: Form::Canonical, path, pointer: String::new(), also: Vec::new() };
            let digest = Digest::of_json(document);
            Instance { manifest, origin, digest, interface: digest, methods: BTreeMap::new() }
        })
        .collect();
    instances.sort_by_key(Instance::id);
    Registry {
        version: "1.0.0".to_owned(),
        fingerprint: Stage::Scan.fingerprint([]),
        selection: Selection::default(),
        sources: Vec::new(),
        summary: Summary { instances: instances.len(), ..Summary::default() },
        instances,
    }
}

/// `symbol@version`, requiring others by `symbol range`.
fn agent(id: &str, requires: &[&str]) -> Value {
    let (symbol, version) = id.split_once('@').expect("an instance");
    let requires: Vec<Value> = requires
        .iter()
        .map(|one| {
            let (symbol, range) = one.split_once(' ').unwrap_or((one, "*"));
            let optional = symbol.starts_with('?');
            json!({"symbol": symbol.trim_start_matches('?'), "version": range, "optional": optional})
        })
        .collect();
    json!({"symbol": symbol, "version": version, "requires": requires})
}

fn messages(resolution: &Resolution, severity: Severity) -> Vec<String> {
    let of_severity = resolution.findings.iter().filter(|finding| finding.diagnostic.severity == severity);
    of_severity.map(|finding| finding.diagnostic.message.clone()).collect()
}

#[track_caller]
fn check(manifests: &[Value], verdict: Verdict, errors: &[&str]) -> Resolution {
    let resolution = resolve(&registry(manifests));
    assert_eq!(messages(&resolution, Severity::Error), errors);
    assert_eq!(resolution.verdict(), verdict);
    resolution
}

#[test]
fn the_highest_version_in_range_is_chosen() {
    let agents =
        [agent("a.x@1.0.0", &["b.y ^1"]), agent("b.y@1.0.0", &[]), agent("b.y@1.4.0", &[]), agent("b.y@2.0.0", &[])];
    let resolution = check(&agents, Verdict::Success, &[]);
    let edge = &resolution.edges[0];
    assert_eq!(edge.accepted.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b.y@1.4.0", "b.y@1.0.0"]);
    assert_eq!(edge.refused[0].reason, "version 2.0.0 is outside ^1");
}

#[test]
fn each_fault_has_its_verdict_and_wording() {
    let resolution = check(
        &[agent("a.x@1.0.0", &["agent.api.auth"]), agent("agent.api.oauth@1.0.0", &[])],
        Verdict::MissingDependency,
        &["Missing dependency 'agent.api.auth', required by a.x@1.0.0"],
    );
    let diagnostic = &resolution.findings[0].diagnostic;
    assert_eq!(diagnostic.help[0], "did you mean 'agent.api.oauth'?");
    let place = diagnostic.place.as_ref().expect("a place");
    assert_eq!((place.file.as_str(), place.pointer.as_str()), ("agents/a.x.agent.json", "/requires/0/symbol"));

    check(
        &[agent("a.x@1.0.0", &["b.y ^2"]), agent("b.y@1.0.0", &[]), agent("b.y@1.1.0", &[])],
        Verdict::VersionConflict,
        &["Dependency 'b.y' version mismatch: a.x@1.0.0 requires ^2, registered: 1.0.0, 1.1.0"],
    );
    check(
        &[
            agent("a.x@1.0.0", &["b.y"]),
            agent("b.y@1.0.0", &["c.z"]),
            agent("c.z@1.0.0", &["a.x", "d.w"]),
            agent("d.w@1.0.0", &["b.y"]),
        ],
        Verdict::CircularDependency,
        &["Circular dependency: a.x -> b.y -> c.z -> a.x"],
    );
    check(&[agent("a.x@1.0.0", &["a.x"])], Verdict::CircularDependency, &["Circular dependency: a.x -> a.x"]);

    let consumer = |terms: Value| {
        let mut requirement = json!({"symbol": "b.y"});
        requirement.as_object_mut().expect("object").extend(terms.as_object().expect("object").clone());
        json!({"symbol": "a.x", "version": "1.0.0", "requires": [requirement]})
    };
    let provider = json!({"symbol": "b.y", "version": "1.0.0", "provides": {
        "protocol": {"name": "jsonrpc", "version": "1.3.0"}, "capabilities": ["token"],
        "methods": {"verify": {"params": {"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]},
                               "result": {"type": "boolean"}}}}});
    for (terms, verdict, error) in [
        (
            json!({"protocol": {"name": "mcp"}}),
            Verdict::ProtocolMismatch,
            "Dependency 'b.y' protocol mismatch: b.y@1.0.0, required by a.x@1.0.0, speaks the protocol jsonrpc, mcp is required",
        ),
        (
            json!({"protocol": {"name": "jsonrpc", "version": "^2"}}),
            Verdict::ProtocolMismatch,
            "Dependency 'b.y' protocol mismatch: b.y@1.0.0, required by a.x@1.0.0, speaks jsonrpc 1.3.0, ^2 is required",
        ),
        (
            json!({"methods": {"verfy": {}}}),
            Verdict::ProtocolMismatch,
            "Dependency 'b.y' protocol mismatch: b.y@1.0.0, required by a.x@1.0.0, has no method 'verfy'; did you mean 'verify'?",
        ),
        (
            json!({"methods": {"verify": {"params": {"type": "object"}}}}),
            Verdict::ProtocolMismatch,
            "Dependency 'b.y' protocol mismatch: b.y@1.0.0, required by a.x@1.0.0, does not fit: 'verify' does not accept the parameters {}, \
          which the consumer may send: \"token\" is a required property",
        ),
        (
            json!({"methods": {"verify": {"result": {"type": "string"}}}}),
            Verdict::ProtocolMismatch,
            "Dependency 'b.y' protocol mismatch: b.y@1.0.0, required by a.x@1.0.0, does not fit: 'verify' may return true, \
          which the consumer does not understand: true is not of type \"string\"",
        ),
        (
            json!({"capabilities": ["token.verify"]}),
            Verdict::CapabilityMissing,
            "Dependency 'b.y' capability mismatch: b.y@1.0.0, required by a.x@1.0.0, does not offer the capability 'token.verify'; it offers token",
        ),
    ] {
        check(&[consumer(terms.clone()), provider.clone()], verdict, &[error]);
        let registry = registry(&[consumer(terms), provider.clone()]);
        let refusal =
            accepts(&registry.instances[0].manifest.requires[0], &registry.instances[1]).expect_err("refused");
        assert!(error.ends_with(&refusal.reason), "{}", refusal.reason);
    }
    // What fits is accepted, and a further property that the provider also takes is only doubtful.
    let sent = |more: Value| {
        consumer(
            json!({"capabilities": ["token"], "protocol": {"name": "jsonrpc", "version": "^1"}, "methods": {"verify": {"params": {
            "type": "object", "properties": {"token": {"type": "string", "minLength": 1}}, "required": ["token"],
            "additionalProperties": more}}}}),
        )
    };
    let wider = {
        let mut wider = provider.clone();
        wider["provides"]["methods"]["verify"]["params"]["properties"]["realm"] = json!({"type": "string"});
        wider
    };
    assert_eq!(check(&[sent(json!(false)), wider.clone()], Verdict::Success, &[]).findings, []);
    let mut open = sent(json!(false));
    open["requires"][0]["methods"]["verify"]["params"].as_object_mut().expect("object").remove("additionalProperties");
    let doubtful = check(&[open, wider], Verdict::Success, &[]);
    assert_eq!(messages(&doubtful, Severity::Warning).len(), 1, "{:?}", doubtful.findings);
}

#[test]
fn the_smallest_verdict_wins_and_all_are_reported() {
    let agents = [
        agent("a.x@1.0.0", &["b.y", "c.z ^2", "no.where"]),
        agent("b.y@1.0.0", &["a.x"]),
        agent("c.z@1.0.0", &[]),
        json!({"symbol": "d.w", "version": "1.0.0", "requires": [{"symbol": "c.z", "capabilities": ["fly"], "protocol": {"name": "mcp"}}]}),
    ];
    let resolution = resolve(&registry(&agents));
    let mut classes: Vec<Verdict> = resolution.findings.iter().map(|finding| finding.class).collect();
    classes.sort();
    assert_eq!(
        classes,
        [
            Verdict::MissingDependency,
            Verdict::VersionConflict,
            Verdict::CircularDependency,
            Verdict::ProtocolMismatch,
            Verdict::CapabilityMissing
        ]
    );
    assert_eq!(resolution.verdict(), Verdict::MissingDependency);
}

#[test]
fn optional_requirements_fail_nothing() {
    let resolution = check(&[agent("a.x@1.0.0", &["?no.where"])], Verdict::Success, &[]);
    assert_eq!(messages(&resolution, Severity::Info).len(), 1);
    let resolution = check(&[agent("a.x@1.0.0", &["?b.y ^2"]), agent("b.y@1.0.0", &["a.x"])], Verdict::Success, &[]);
    assert_eq!(messages(&resolution, Severity::Warning).len(), 1);
    let resolution = check(&[agent("a.x@1.0.0", &["?b.y"]), agent("b.y@1.0.0", &["a.x"])], Verdict::Success, &[]);
    assert_eq!(messages(&resolution, Severity::Info), ["Circular dependency with an optional part: a.x -> b.y -> a.x"]);
}

#[test]
fn an_older_version_of_oneself_is_a_dependency_like_any_other() {
    let resolution = check(&[agent("a.x@2.0.0", &["a.x"]), agent("a.x@1.0.0", &[])], Verdict::Success, &[]);
    assert_eq!(resolution.edges[0].accepted[0].to_string(), "a.x@1.0.0");
}

#[test]
fn a_singleton_runs_in_the_version_that_all_accept() {
    let provider = |version: &str| json!({"symbol": "s.t", "version": version, "singleton": true});
    let agents =
        [agent("a.x@1.0.0", &["s.t"]), agent("b.y@1.0.0", &["s.t ~1.2"]), provider("1.2.0"), provider("1.3.0")];
    let resolution = check(&agents, Verdict::Success, &[]);
    assert!(
        resolution.edges.iter().all(|edge| edge.accepted.len() == 1 && edge.accepted[0].to_string() == "s.t@1.2.0")
    );
    let agents =
        [agent("a.x@1.0.0", &["s.t ~1.3"]), agent("b.y@1.0.0", &["s.t ~1.2"]), provider("1.2.0"), provider("1.3.0")];
    check(
        &agents,
        Verdict::VersionConflict,
        &["Dependency 's.t' version mismatch: only one version of it may run, and no registered one suits all: \
           a.x@1.0.0 requires ~1.3, b.y@1.0.0 requires ~1.2"],
    );
}

#[test]
fn warnings_can_be_denied() {
    let agents = [
        json!({"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": "b.y", "capabilities": ["fly"]}]}),
        json!({"symbol": "b.y", "version": "1.0.0", "provides": {"capabilities": ["fly"]}}),
        agent("b.y@1.1.0", &[]),
    ];
    let mut resolution = check(&agents, Verdict::Success, &[]);
    assert_eq!(resolution.edges[0].accepted[0].to_string(), "b.y@1.0.0");
    resolution.deny_warnings();
    assert_eq!(resolution.verdict(), Verdict::CapabilityMissing);

    let mut collided = registry(&[]);
    collided.summary.collisions = 2;
    let mut resolution = resolve(&collided);
    assert_eq!(resolution.verdict(), Verdict::Success);
    resolution.deny_warnings();
    assert_eq!(resolution.verdict(), Verdict::CheckFailed);
}

#[test]
fn explains_choices_and_refusals() {
    let registry = registry(&[agent("a.x@1.0.0", &["b.y ^1"]), agent("b.y@1.0.0", &[]), agent("b.y@2.0.0", &[])]);
    let resolution = resolve(&registry);
    assert_eq!(
        explain(&registry, &resolution, &"b.y".parse().expect("a symbol")).expect("known"),
        "b.y is registered in 2 versions: 1.0.0, 2.0.0\nrequired by:\n  a.x@1.0.0 (^1)\n    \
         chosen: b.y@1.0.0, the highest version that meets the requirement\n    refused: b.y@2.0.0: version 2.0.0 is outside ^1\n"
    );
    assert_eq!(explain(&registry, &resolution, &"no.where".parse().expect("a symbol")), None);
}

#[test]
fn graphs_are_drawn_and_escaped() {
    let registry = registry(&[agent("a.x@1.0.0", &["b.y >=1.0\n<2.0", "?no.where ^1"]), agent("b.y@1.0.0", &[])]);
    let resolution = resolve(&registry);
    assert_eq!(
        graph(&registry, &resolution, GraphFormat::Dot),
        "digraph dependencies {\n  rankdir=LR;\n  node [shape=box];\n  n0 [label=\"a.x@1.0.0\"];\n  n1 [label=\"b.y@1.0.0\"];\n  \
         n2 [label=\"no.where ^1\", style=dashed, color=red];\n  n0 -> n1 [label=\">=1.0 <2.0\"];\n  \
         n0 -> n2 [label=\"^1\", style=dashed, color=red];\n}\n"
    );
    let drawn = graph(&registry, &resolution, GraphFormat::Mermaid);
    assert!(drawn.contains("  n0 -->|\"#62;=1.0 #60;2.0\"| n1\n"), "{drawn}");
}
