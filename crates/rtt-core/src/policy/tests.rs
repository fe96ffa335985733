//! Matching and precedence of rules, and the older forms.

use super::*;
use crate::diagnostic::Severity;
use crate::manifest::Qos;
use crate::symbol::{InstanceId, Symbol};

fn policy(text: &str) -> Policy {
    parse(text.as_bytes()).expect(text).0
}

fn id(text: &str) -> InstanceId {
    text.parse().expect(text)
}

#[test]
fn deny_beats_allow_on_its_lanes() {
    let policy = policy(
        r#"{"version": "1.0.0", "acl": {"default": "deny", "rules": [
            {"effect": "deny", "from": "a.x", "to": "b.*", "via": ["shm"]},
            {"effect": "allow", "from": "a.*", "to": "b.**"}]}}"#,
    );
    let access = |from: &str, to: &str, lane| match policy.index().access(&id(from), &id(to), lane) {
        Access::Allowed => "allowed".to_owned(),
        Access::Denied(pointer) => pointer.to_owned(),
    };
    assert_eq!(access("a.x@1.0.0", "b.y@1.0.0", Lane::Uds), "allowed");
    assert_eq!(access("a.x@1.0.0", "b.y@1.0.0", Lane::Shm), "/acl/rules/0");
    assert_eq!(access("a.z@1.0.0", "b.y@1.0.0", Lane::Shm), "allowed");
    assert_eq!(access("c.x@1.0.0", "b.y@1.0.0", Lane::Uds), "/acl/default");
    assert_eq!(policy.place("/acl/rules/0").at.expect("a place").line, 2);
}

#[test]
fn older_forms_become_the_canonical_one() {
    let policy = policy(
        r#"{"allow": ["rtt://core/*"], "deny": ["rtt://core/secret"],
            "qos": {"rtt://core/db": {"latency_budget_ms": 2}, "rtt://a/b -> rtt://core/**": {"throughput_mbps": 7}},
            "pin": ["rtt://a/b -> rtt://core/db@1.0.0"], "failover": ["rtt://core/db -> rtt://core/replica"]}"#,
    );
    let access = |from: &str, to: &str| policy.index().access(&id(from), &id(to), Lane::Tcp) == Access::Allowed;
    assert!(access("a.b@1.0.0", "core.db@1.0.0"));
    assert!(!access("a.b@1.0.0", "other.db@1.0.0"));
    assert!(!access("a.b@1.0.0", "core.secret@1.0.0") && !access("core.secret@1.0.0", "core.db@1.0.0"));
    let qos = |to: &str| policy.index().qos_of(&id("a.b@1.0.0"), &to.parse().expect(to)).map(|rule| rule.qos);
    assert_eq!(qos("core.db"), Some(Qos { latency_ms: Some(2.0), throughput_mbps: None }));
    assert_eq!(qos("core.x"), Some(Qos { latency_ms: None, throughput_mbps: Some(7.0) }));
    let [Pin::Route { to, target: Some(target), .. }] = &policy.pins[..] else { panic!("{:?}", policy.pins) };
    assert_eq!((to.to_string(), target.to_string()), ("core.db".to_owned(), "core.db@=1.0.0".to_owned()));
    let rule = policy.index().failover_of(&id("z.z@1.0.0"), &"core.db".parse().expect("a symbol")).expect("one");
    assert_eq!(rule.alternates[0].to_string(), "core.replica");
}

#[test]
fn errors_have_places() {
    let check = |text: &str, expected: &str| {
        let Err(crate::workspace::state::StateError::Invalid(findings)) = parse(text.as_bytes()) else {
            panic!("{text} is accepted")
        };
        assert!(findings.iter().any(|finding| finding.message.contains(expected)), "{findings:?}");
        let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
        assert!(errors.all(|error| error.place.as_ref().is_some_and(|place| place.at.is_some())), "{findings:?}");
    };
    check(r#"{"acl": {"default": "denny"}}"#, "denny");
    check(r#"{"acl": {"rulez": []}}"#, "unknown key 'rulez'");
    check(r#"{"acl": {"rules": [{"effect": "deny", "from": "a..b"}]}}"#, "'a..b' is not a pattern");
    check(r#"{"pins": [{"agent": "a.b"}]}"#, "needs 'host' or 'numa_node'");
    check(r#"{"pins": [{"from": "a.b", "to": "c.d"}]}"#, "a pin needs");
    check(r#"{"pin": ["a.b"]}"#, "expected 'from -> to'");
}

#[test]
fn looking_up_by_name_finds_what_trying_every_rule_finds() {
    let ends = ["a.b", "a.c", "a.b@^1", "a.*", "**", "x.y"];
    let pairs: Vec<(&str, &str)> = ends.iter().flat_map(|from| ends.iter().map(|to| (*from, *to))).collect();
    let list = |keep: usize, more: &str| {
        // Every third pair in another order each, so that wide and narrow rules come before and after one another.
        let rules = (0..pairs.len()).map(|at| at * 7 % pairs.len()).filter(|at| at % 3 == keep).map(|at| {
            let (from, to) = pairs[at];
            format!(r#"{{"from": "{from}", "to": "{to}"{more}}}"#)
        });
        rules.collect::<Vec<_>>().join(", ")
    };
    let policy = policy(&format!(
        r#"{{"version": "1.0.0", "qos": [{}], "pins": [{}], "failover": [{}]}}"#,
        list(0, r#", "latency_ms": 1"#),
        list(1, r#", "via": "tcp""#),
        list(2, r#", "alternates": ["x.y"]"#)
    ));
    let index = policy.index();
    for from in ["a.b@1.0.0", "a.b@2.0.0", "a.c@1.0.0", "a.d@1.0.0", "x.y@1.0.0", "z.z@1.0.0"].map(id) {
        for to in ["a.b", "a.c", "a.d", "x.y", "z.z"].map(|to| to.parse::<Symbol>().expect(to)) {
            let matches = |source: &Pattern, target: &Pattern| source.matches(&from) && target.matches_symbol(&to);
            let qos: Vec<_> = policy.qos.iter().filter(|rule| matches(&rule.from, &rule.to)).collect();
            let failover: Vec<_> = policy.failover.iter().filter(|rule| matches(&rule.from, &rule.to)).collect();
            let is_of_route = |pin: &&Pin| matches!(pin, Pin::Route { from, to, .. } if matches(from, to));
            let pins: Vec<_> = policy.pins.iter().filter(is_of_route).collect();
            assert_eq!(index.qos_of(&from, &to), qos.first().copied(), "{from} -> {to}");
            assert_eq!(index.failover_of(&from, &to), failover.first().copied(), "{from} -> {to}");
            assert_eq!(index.pins_of_route(&from, &to).collect::<Vec<_>>(), pins, "{from} -> {to}");
            assert_eq!(index.pointers_of_route(&from, &to).count(), qos.len() + failover.len() + pins.len());
        }
    }
}
