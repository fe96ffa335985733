//! Rules of the policy that nothing in the workspace matches: most often a name is misspelt.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::plan::Inputs;
use crate::policy::{Pattern, Pin};
use crate::routes::Wanted;

/// Finds the rules that match no registered instance, or no route where they are about routes.
pub(super) fn rules<'a>(inputs: &Inputs, wanted: impl Iterator<Item = &'a Wanted>) -> Vec<Diagnostic> {
    let policy = &inputs.policy;
    let registry = &inputs.registry;
    let somebody = |pattern: &Pattern| match pattern.name().map(str::parse) {
        Some(Ok(symbol)) => registry.versions(&symbol).iter().any(|instance| pattern.matches(&instance.id())),
        _ => pattern.is_any() || registry.instances.iter().any(|instance| pattern.matches(&instance.id())),
    };
    let index = policy.index();
    let used: BTreeSet<&str> =
        wanted.flat_map(|route| index.pointers_of_route(&route.source, &route.to.symbol)).collect();
    let mut found = Vec::new();
    let mut report = |matched: bool, pointer: &str, message: String| {
        if !matched {
            found.push(Diagnostic::warning("RTT-P011", message).at(policy.place(pointer)));
        }
    };
    for rule in policy.acl.iter().flat_map(|acl| &acl.rules) {
        for (end, pattern) in [("from", &rule.from), ("to", &rule.to)] {
            report(somebody(pattern), &rule.pointer, format!("no instance matches '{pattern}', the rule's {end}"));
        }
    }
    let between = |from: &Pattern, to: &Pattern| format!("no route from '{from}' to '{to}': the rule matches nothing");
    for rule in &policy.qos {
        report(used.contains(rule.pointer.as_str()), &rule.pointer, between(&rule.from, &rule.to));
    }
    for rule in &policy.failover {
        report(used.contains(rule.pointer.as_str()), &rule.pointer, between(&rule.from, &rule.to));
    }
    for pin in &policy.pins {
        match pin {
            Pin::Agent { agent, pointer, .. } => {
                report(somebody(agent), pointer, format!("no instance matches '{agent}': the pin does nothing"));
            }
            Pin::Route { from, to, pointer, .. } => report(used.contains(pointer.as_str()), pointer, between(from, to)),
        }
    }
    found
}
