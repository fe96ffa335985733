//! SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>): the findings of a run for code
//! scanning services and editors.

use std::collections::BTreeSet;
use std::path::Path;

use rtt_core::diagnostic::{Diagnostic, Place, Severity};
use rtt_core::json;
use rtt_core::stage::Report;
use rtt_core::workspace::durable::{self, Mode};
use rtt_core::workspace::{self, Workspace};
use serde_json::{Value, json};

use crate::ci;
use crate::run::StageOptions;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the document, whole or not at all.
///
/// # Errors
/// [`workspace::Error::Io`].
pub(crate) fn write(file: &Path, document: &Value) -> Result<(), workspace::Error> {
    durable::write_atomic(file, json::pretty(document).as_bytes(), Mode::Public)
        .map_err(|source| workspace::Error::create(file, source))
}

/// Builds the document: one run, with the rules that findings name, and the ignored findings as suppressed ones.
pub(crate) fn document<O: StageOptions>(workspace: Option<&Workspace>, report: &Report) -> Value {
    let variable = if std::env::var_os("GITHUB_WORKSPACE").is_some() { "GITHUB_WORKSPACE" } else { "CI_PROJECT_DIR" };
    let prefix = ci::prefix(workspace, variable);
    let all = || report.diagnostics.iter().chain(&report.ignored);
    let names: BTreeSet<&'static str> = all().map(|finding| finding.rule).collect();
    let names: Vec<&'static str> = names.into_iter().collect();
    let rules: Vec<Value> = names.iter().map(|name| rule::<O>(name)).collect();
    let index = |finding: &Diagnostic| names.binary_search(&finding.rule).unwrap_or_default();
    let mut results: Vec<Value> =
        report.diagnostics.iter().map(|finding| result(finding, index(finding), &prefix)).collect();
    for finding in &report.ignored {
        let mut ignored = result(finding, index(finding), &prefix);
        ignored["suppressions"] = json!([{"kind": "external"}]);
        results.push(ignored);
    }
    let driver = json!({
        "name": O::STAGE.executable(),
        "version": rtt_core::VERSION,
        "semanticVersion": rtt_core::VERSION,
        "rules": rules,
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    })
}

fn rule<O: StageOptions>(name: &str) -> Value {
    match O::rule(name) {
        Some((title, explanation)) => json!({
            "id": name,
            "shortDescription": {"text": title},
            "help": {"text": explanation},
        }),
        None => json!({"id": name}),
    }
}

fn result(finding: &Diagnostic, rule_index: usize, prefix: &Path) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let help: String = finding.help.iter().map(|help| format!("\nhelp: {help}")).collect();
    let file = finding.place.as_ref().map(|place| uri(&place.file, prefix)).unwrap_or_default();
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|related| {
            let mut related_location = location(&related.place, prefix);
            related_location["message"] = json!({"text": related.message});
            related_location
        })
        .collect();
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": level,
        "message": {"text": format!("{}{help}", finding.message)},
        "locations": finding.place.iter().map(|place| location(place, prefix)).collect::<Vec<_>>(),
        "partialFingerprints": {"rttIdentity/v1": ci::fingerprint(finding, &file)},
    });
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

/// A place; where its line is not known, the file's first.
fn location(place: &Place, prefix: &Path) -> Value {
    let region = match place.at {
        Some(at) => json!({"startLine": at.line, "startColumn": at.column, "endColumn": at.column + place.width}),
        None => json!({"startLine": 1}),
    };
    let artifact = json!({"uri": uri(&place.file, prefix), "uriBaseId": "%SRCROOT%"});
    json!({"physicalLocation": {"artifactLocation": artifact, "region": region}})
}

/// Returns a path as a relative reference (RFC 3986).
fn uri(file: &str, prefix: &Path) -> String {
    let mut out = String::new();
    for byte in prefix.join(file).display().to_string().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("agents/a b:ü%.json", Path::new("sub")), "sub/agents/a%20b%3A%C3%BC%25.json");
    }
}
