//! The JSON summary of a run (`schemas/rtt.summary.schema.json`) and its flight record.

use rtt_core::stage::{Report, Stage};
use rtt_core::workspace::state::FORMAT_VERSION;
use serde_json::{Map, Value, json};

/// Builds the one document that `--format json` prints.
pub(crate) fn document(stage: Stage, report: &Report, outcome: &str, exit_code: u8) -> Value {
    let members = report.figures.iter().chain(&report.lists);
    let figures: Map<String, Value> = members.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut document = json!({
        "version": FORMAT_VERSION,
        "stage": stage.number(),
        "generator": generator(stage),
        "exit_code": exit_code,
        "outcome": outcome,
        "message": report.headline,
        "details": report.details,
        "figures": figures,
        "outputs": report.outputs,
        "diagnostics": report.diagnostics,
    });
    if !report.ignored.is_empty() {
        document["ignored"] = json!(report.ignored);
    }
    if let Some(body) = &report.body {
        document["body"] = body.as_str().into();
    }
    if let Some(fingerprint) = &report.fingerprint {
        document["inputs"] = fingerprint.digest().to_string().into();
    }
    document
}

/// Returns executable and version, as state files name it.
pub(crate) fn generator(stage: Stage) -> String {
    format!("{} {}", stage.executable(), rtt_core::VERSION)
}
