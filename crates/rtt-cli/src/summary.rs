//! The JSON summary of a run (`schemas/rtt.summary.schema.json`) and its flight record.

use rtt_core::stage::Report;
use rtt_core::workspace::state::FORMAT_VERSION;
use serde_json::{Map, Value, json};

use crate::program::Program;

/// Builds the one document that `--format json` prints.
pub(crate) fn document(program: Program, report: &Report, outcome: &str, exit_code: u8) -> Value {
    let figures = report.figures.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let lists = report.lists.iter().map(|(name, list)| ((*name).to_owned(), list.get()));
    let figures: Map<String, Value> = figures.chain(lists).collect();
    let mut document = json!({"version": FORMAT_VERSION});
    if let Program::Stage(stage) = program {
        document["stage"] = stage.number().into();
    }
    let rest = json!({
        "generator": program.generator(),
        "exit_code": exit_code,
        "outcome": outcome,
        "message": report.headline,
        "details": report.details,
        "figures": figures,
        "outputs": report.outputs,
        "diagnostics": report.diagnostics,
    });
    document.as_object_mut().expect("just made").extend(rest.as_object().cloned().expect("just made"));
    if !report.ignored.is_empty() {
        document["ignored"] = json!(report.ignored);
    }
    let content = report.content.as_deref().and_then(|content| std::str::from_utf8(content).ok());
    if let Some(body) = report.body.as_deref().or(content) {
        document["body"] = body.into();
    }
    if let Some(answer) = &report.answer {
        document["answer"] = answer.clone();
    }
    if let Some(fingerprint) = &report.fingerprint {
        document["inputs"] = fingerprint.digest().to_string().into();
    }
    document
}
