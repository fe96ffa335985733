//! What is applied, by whom it was signed, and what differs from it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::log::Log;
use super::routing_table::Table;
use crate::digest::Digest;
use crate::json;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::routes::Document;
use crate::workspace::layout;

/// Returns where `.rtt/routes.json`, whose bytes have a digest, differs from what the applied plan makes of it; empty if it
/// does not. `whole` reads it as it is.
pub fn drift(
    document: &Document,
    bytes: Option<Digest>,
    whole: impl FnOnce() -> Value,
    applied: Option<&Plan>,
    registry: &Registry,
) -> Vec<String> {
    let table = Table::new(document, applied, registry, document.generation());
    // Values are only compared where somebody wrote into the file.
    if bytes == Some(Digest::of_bytes(json::pretty_bytes(&table, 0))) {
        return Vec::new();
    }
    let (document, expected) = (whole(), table.document());
    if expected == document {
        return Vec::new();
    }
    let entries = |document: &Value| document["routes"].as_array().cloned().unwrap_or_default();
    let (now, expected) = (entries(&document), entries(&expected));
    let name = |entry: &Value| format!("{} -> {}", entry["from"], entry["to"]).replace('"', "");
    let by_text = |entries: &[Value]| -> BTreeSet<String> { entries.iter().map(Value::to_string).collect() };
    let (texts, names) = (by_text(&now), expected.iter().map(name).collect::<BTreeSet<_>>());
    let mut differences: Vec<String> = expected
        .iter()
        .filter(|entry| !texts.contains(&entry.to_string()))
        .map(|entry| format!("{}: its status is not what was applied", name(entry)))
        .collect();
    let unknown = now.iter().map(name).filter(|name| !names.contains(name));
    differences.extend(unknown.map(|name| format!("{name}: it is not in the applied plan")));
    if differences.is_empty() {
        differences.push(format!("{}: its order or its members are not what was applied", layout::ROUTES));
    }
    differences
}

/// Describes the applied state in lines for people.
pub fn describe(document: &Document, applied: Option<&Plan>, log: &Log, drift: &[String]) -> Vec<String> {
    let mut lines = vec![format!("generation   {}", document.generation())];
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
    lines.push(format!("transactions {}", log.entries().count()));
    match log.last() {
        Some(entry) if !entry.is_finished() => {
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
