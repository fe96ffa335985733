//! What is applied, by whom it was signed, and what differs from it.

use serde_json::Value;

use super::routing_table;
use super::wal::Log;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::routes;

/// Returns where `.rtt/routes.json` differs from what the applied plan makes of it; empty if it does not.
pub fn drift(document: &Value, applied: Option<&Plan>, registry: &Registry) -> Vec<String> {
    let expected = routing_table::render(document, applied, registry, routes::generation(document));
    if expected == *document {
        return Vec::new();
    }
    let entries = |document: &Value| document["routes"].as_array().cloned().unwrap_or_default();
    let (now, expected) = (entries(document), entries(&expected));
    let name = |entry: &Value| format!("{} -> {}", entry["from"], entry["to"]).replace('"', "");
    let mut differences: Vec<String> = expected
        .iter()
        .filter(|entry| !now.contains(entry))
        .map(|entry| format!("{}: its status is not what was applied", name(entry)))
        .collect();
    differences.extend(
        now.iter()
            .filter(|entry| !expected.iter().any(|other| name(other) == name(entry)))
            .map(|entry| format!("{}: it is not in the applied plan", name(entry))),
    );
    differences
}

/// Describes the applied state in lines for people.
pub fn describe(document: &Value, applied: Option<&Plan>, log: &Log, drift: &[String]) -> Vec<String> {
    let mut lines = vec![format!("generation   {}", routes::generation(document))];
    match applied {
        None => lines.push("plan         none".to_owned()),
        Some(plan) => {
            lines.push(format!("plan         {}", plan.plan_id));
            lines.push(format!("routes       {}", plan.routes.len()));
        }
    }
    if let Some(entry) = log.last_committed() {
        let signers = match (entry.begin.verified, entry.begin.signers.as_slice()) {
            (false, _) => "not verified (--no-verify)".to_owned(),
            (true, []) => "none".to_owned(),
            (true, signers) => signers.join(", "),
        };
        lines.push(format!("signers      {signers}"));
        lines.push(format!("applied at   {}", entry.begin.at));
    }
    lines.push(format!("transactions {}", log.entries.len()));
    match log.last() {
        Some((entry, _)) if !entry.is_finished() => {
            lines.push(format!("unfinished   transaction {}: run rtt-50-apply --recover", entry.sequence));
        }
        _ => {}
    }
    if drift.is_empty() {
        lines.push("drift        none".to_owned());
    }
    lines.extend(drift.iter().map(|line| format!("drift        {line}")));
    lines
}
