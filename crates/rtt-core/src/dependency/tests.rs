//! Verdicts, wordings and choices over small registries.

mod seeded;

use serde_json::{Value, json};

use super::report::Edge;
use super::{Finding, GraphFormat, Resolution, accepts, explain, fix, graph, resolve};
use crate::diagnostic::{Place, Severity};
use crate::manifest::{Form, Manifest, Sourced};
use crate::registry::{Instance, Registry, Selection, Summary};
use crate::stage::{Stage, Verdict};

/// Builds a registry from manifests, each as if in a file of its own named after its symbol.
pub(crate) fn registry(manifests: &[Value]) -> Registry {
    let mut instances: Vec<Instance> = manifests
        .iter()
        .map(|document| {
            let manifest: Manifest = serde_json::from_value(document.clone()).expect("a manifest");
            let place = Place::file(format!("agents/{}.agent.json", manifest.symbol));
            Instance::new(Sourced { manifest, form: Form::Canonical, pointer: String::new(), place })
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
pub(crate) fn agent(id: &str, requires: &[&str]) -> Value {
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

/// What came of a registry.
struct Checked {
    edges: Vec<Edge>,
    findings: Vec<Finding>,
    infos: Vec<String>,
    warnings: Vec<String>,
}

#[track_caller]
fn check(manifests: &[Value], verdict: Verdict, errors: &[&str]) -> Checked {
    let registry = registry(manifests);
    let resolution = resolve(&registry);
    assert_eq!(messages(&resolution, Severity::Error), errors);
    assert_eq!(resolution.verdict(), verdict);
    Checked {
        edges: resolution.edges().collect(),
        infos: messages(&resolution, Severity::Info),
        warnings: messages(&resolution, Severity::Warning),
        findings: resolution.findings,
    }
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
    assert_eq!(doubtful.warnings.len(), 1, "{:?}", doubtful.findings);
}

#[test]
fn the_smallest_verdict_wins_and_all_are_reported() {
    let registry = registry(&[
        agent("a.x@1.0.0", &["b.y", "c.z ^2", "no.where"]),
        agent("b.y@1.0.0", &["a.x"]),
        agent("c.z@1.0.0", &[]),
        json!({"symbol": "d.w", "version": "1.0.0", "requires": [{"symbol": "c.z", "capabilities": ["fly"], "protocol": {"name": "mcp"}}]}),
    ]);
    let resolution = resolve(&registry);
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
    let checked = check(&[agent("a.x@1.0.0", &["?no.where"])], Verdict::Success, &[]);
    assert_eq!(checked.infos.len(), 1);
    let checked = check(&[agent("a.x@1.0.0", &["?b.y ^2"]), agent("b.y@1.0.0", &["a.x"])], Verdict::Success, &[]);
    assert_eq!(checked.warnings.len(), 1);
    let checked = check(&[agent("a.x@1.0.0", &["?b.y"]), agent("b.y@1.0.0", &["a.x"])], Verdict::Success, &[]);
    assert_eq!(checked.warnings, ["Circular dependency with an optional part: a.x -> b.y -> a.x"]);
    assert_eq!(
        checked.findings[0].diagnostic.help,
        ["no circle is left without the requirement of a.x@1.0.0 on b.y (optional): remove it"]
    );
    let checked = check(&[agent("a.x@1.0.0", &["?a.x"])], Verdict::Success, &[]);
    assert_eq!(checked.warnings, ["Circular dependency: a.x -> a.x (optional: the agent runs without it)"]);
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
    let checked = check(
        &agents,
        Verdict::VersionConflict,
        &["Dependency 's.t' version mismatch: because a.x@1.0.0 requires ~1.3 and b.y@1.0.0 requires ~1.2 \
           and only one version of s.t may run, no registered version suits all"],
    );
    assert_eq!(checked.findings[0].diagnostic.help.len(), 3, "both requirements could be optional");
}

#[test]
fn optional_consumers_of_a_singleton_have_the_last_say() {
    let provider = |version: &str| json!({"symbol": "s.t", "version": version, "singleton": true});
    let agents =
        [agent("a.x@1.0.0", &["s.t ~1.2"]), agent("b.y@1.0.0", &["?s.t ~1.3"]), provider("1.2.0"), provider("1.3.0")];
    let checked = check(&agents, Verdict::Success, &[]);
    assert_eq!(
        checked.warnings,
        ["Dependency 's.t' version mismatch: b.y@1.0.0 requires ~1.3, but only one version of s.t may run, and the \
          others need s.t@1.2.0 (optional: the agent runs without it)"]
    );
    assert_eq!(checked.edges[1].accepted, []);
    let agents =
        [agent("a.x@1.0.0", &["?s.t ~1.2"]), agent("b.y@1.0.0", &["?s.t ~1.3"]), provider("1.2.0"), provider("1.3.0")];
    assert_eq!(check(&agents, Verdict::Success, &[]).warnings.len(), 1);
}

#[test]
fn ranges_that_no_version_could_suit_are_one_conflict() {
    let singleton = json!({"symbol": "s.t", "version": "1.2.0", "singleton": true});
    let agents = [
        agent("a.x@1.0.0", &["s.t ^1"]),
        agent("b.y@1.0.0", &["s.t ^2"]),
        agent("c.z@1.0.0", &["s.t >=1.0"]),
        singleton.clone(),
    ];
    let checked = check(
        &agents,
        Verdict::VersionConflict,
        &["Dependency 's.t' version mismatch: because a.x@1.0.0 requires ^1 and b.y@1.0.0 requires ^2 \
           and only one version of s.t may run, no version suits all"],
    );
    assert_eq!(checked.findings[0].edges, [0, 1]);
    // Without any one of the statements there is no such conflict.
    let plain = json!({"symbol": "s.t", "version": "1.2.0"});
    for (agents, rule) in
        [([&agents[1..3], &agents[3..]].concat(), "RTT-D002"), ([&agents[..3], &[plain]].concat(), "RTT-D002")]
    {
        let registry = registry(&agents);
        let findings = resolve(&registry).findings;
        assert_eq!(findings.iter().map(|finding| finding.diagnostic.rule).collect::<Vec<_>>(), [rule]);
    }
    check(&[agents[0].clone(), agents[2].clone(), singleton], Verdict::Success, &[]);
}

#[test]
fn circles_are_named_with_where_to_cut_them() {
    let checked = check(
        &[
            agent("a.x@1.0.0", &["b.y", "c.z"]),
            agent("b.y@1.0.0", &["a.x"]),
            agent("c.z@1.0.0", &["d.w"]),
            agent("d.w@1.0.0", &["a.x"]),
        ],
        Verdict::CircularDependency,
        &["Circular dependency: a.x -> b.y -> a.x"],
    );
    assert_eq!(
        checked.findings[0].diagnostic.help,
        [
            "no circle is left without 2 requirements, a smallest such set: a.x@1.0.0 on b.y, a.x@1.0.0 on c.z; \
             remove each, or make it \"optional\": true if the agent can start without",
            "4 instances lie on circles with each other; further circles, the shortest first: a.x -> c.z -> d.w -> a.x"
        ]
    );
    // What optional requirements close beyond the errors is told apart.
    let checked = check(
        &[agent("a.x@1.0.0", &["b.y", "?c.z"]), agent("b.y@1.0.0", &["a.x"]), agent("c.z@1.0.0", &["a.x"])],
        Verdict::CircularDependency,
        &["Circular dependency: a.x -> b.y -> a.x"],
    );
    assert_eq!(checked.warnings, ["Circular dependency with an optional part: a.x -> c.z -> a.x"]);
}

#[test]
fn suggestions_are_tried_before_they_are_made() {
    let help = |agents: &[Value]| {
        let registry = registry(agents);
        let mut findings = resolve(&registry).findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0).diagnostic.help
    };
    let optional = "if a.x@1.0.0 can start without b.y, say \"optional\": true in the requirement";
    assert_eq!(
        help(&[agent("a.x@1.0.0", &["b.y ^2"]), agent("b.y@1.4.0", &[]), agent("b.y@1.3.0", &[])]),
        [
            "ask for \"^1.4\": b.y@1.4.0 meets the requirement",
            "publish b.y 2.0.0, with the interface of b.y@1.4.0",
            optional
        ]
    );
    // The highest version would close a circle; so would a range that takes it in.
    let by_version = |version: &str| {
        help(&[agent("a.x@1.0.0", &["b.y ^2"]), agent("b.y@1.4.0", &["a.x"]), agent(&format!("b.y@{version}"), &[])])
    };
    assert_eq!(by_version("0.9.0")[0], "ask for \"^0.9.0\": b.y@0.9.0 meets the requirement");
    assert_eq!(by_version("1.3.0"), [optional]);
    // The nearest name has no version in the range, the next one has.
    assert_eq!(
        help(&[
            agent("a.x@1.0.0", &["b.agent-yyy ^2"]),
            agent("b.agent-yyz@1.0.0", &[]),
            agent("b.agent-yzz@2.0.0", &[])
        ])[0],
        "did you mean 'b.agent-yzz'?"
    );
    assert!(
        !help(&[agent("a.x@1.0.0", &["b.agent-yyy ^2"]), agent("b.agent-yyz@1.0.0", &[])])[0].contains("did you mean")
    );
    let wants = |capability: &str| json!({"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": "b.y", "capabilities": [capability]}]});
    let offers = |id: &str, capability: &str| {
        let mut agent = agent(id, &[]);
        agent["provides"] = json!({"capabilities": [capability]});
        agent
    };
    assert_eq!(
        help(&[wants("token.verfy"), offers("b.y@1.0.0", "token.verify")])[0],
        "require the capability \"token.verify\", which b.y@1.0.0 offers"
    );
    assert_eq!(
        help(&[wants("fly"), offers("b.y@1.0.0", "swim"), offers("c.z@1.0.0", "fly"), offers("d.w@1.0.0", "fly")])[0],
        "require another agent that offers 'fly' and fits: c.z@1.0.0, d.w@1.0.0"
    );
}

#[test]
fn warnings_can_be_denied() {
    let agents = [
        json!({"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": "b.y", "capabilities": ["fly"]}]}),
        json!({"symbol": "b.y", "version": "1.0.0", "provides": {"capabilities": ["fly"]}}),
        agent("b.y@1.1.0", &[]),
    ];
    let agents = registry(&agents);
    let mut resolution = resolve(&agents);
    assert_eq!(resolution.verdict(), Verdict::Success);
    assert_eq!(resolution.edges().next().expect("one").accepted[0].to_string(), "b.y@1.0.0");
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
    let registry = registry(&[
        agent("a.x@1.0.0", &["b.y ^1"]),
        agent("b.y@1.0.0", &["no.where"]),
        agent("b.y@2.0.0", &[]),
        agent("r.t@1.0.0", &["a.x"]),
    ]);
    let resolution = resolve(&registry);
    assert_eq!(
        explain(&resolution, &"b.y".parse().expect("a symbol")).expect("known"),
        "b.y is registered in 2 versions: 1.0.0, 2.0.0\nrequired by:\n  a.x@1.0.0 (^1)\n    \
         needed through: r.t@1.0.0 -> a.x@1.0.0\n    \
         chosen: b.y@1.0.0, the highest version that meets the requirement\n    refused: b.y@2.0.0: version 2.0.0 is outside ^1\n\
         requires:\n  b.y@1.0.0: no.where * -> nothing that meets it\n\
         findings:\n  RTT-D001: Missing dependency 'no.where', required by b.y@1.0.0\n"
    );
    assert_eq!(explain(&resolution, &"no.such".parse().expect("a symbol")), None);
}

#[test]
fn graphs_are_drawn_and_escaped() {
    let drawn = |agents: &[Value], format: GraphFormat| graph(&resolve(&registry(agents)), format);
    let agents = [agent("a.x@1.0.0", &["b.y >=1.0\n<2.0", "?no.where ^1"]), agent("b.y@1.0.0", &[])];
    assert_eq!(
        drawn(&agents, GraphFormat::Dot),
        "digraph dependencies {\n  rankdir=LR;\n  node [shape=box];\n  n0 [label=\"a.x@1.0.0\"];\n  n1 [label=\"b.y@1.0.0\"];\n  \
         n2 [label=\"no.where ^1\", style=dashed];\n  n0 -> n1 [label=\">=1.0 <2.0\"];\n  \
         n0 -> n2 [label=\"^1\", style=dashed];\n}\n"
    );
    let text = drawn(&agents, GraphFormat::Mermaid);
    assert!(text.contains("  n0 -->|\"#62;=1.0 #60;2.0\"| n1\n"), "{text}");
    let broken =
        [agent("a.x@1.0.0", &["b.y", "no.where", "?b.z ^2"]), agent("b.y@1.0.0", &["a.x"]), agent("b.z@1.0.0", &[])];
    let text = drawn(&broken, GraphFormat::Dot);
    for line in [
        "n0 [label=\"a.x@1.0.0\", color=red];",
        "n2 [label=\"b.z ^2\", style=dashed, color=orange];",
        "n1 -> n0 [label=\"*\", color=red];",
        "n0 -> n2 [label=\"^2\", style=dashed, color=orange];",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let text = drawn(&broken, GraphFormat::Mermaid);
    for line in ["n0[\"a.x@1.0.0\"]:::error", "linkStyle 0,1,3 stroke:#c00", "linkStyle 2 stroke:#e80"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
