//! What GitHub and GitLab show beside a job's log: annotations, a summary table, a Code Quality report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rtt_core::diagnostic::{Diagnostic, Severity};
use rtt_core::digest::Digest;
use rtt_core::json;
use rtt_core::stage::{Report, Stage};
use rtt_core::text::printable;
use rtt_core::workspace::{Workspace, layout};
use serde_json::{Value, json};

/// Writes what the CI system that we run under wants; a failure to do so is logged and changes nothing else.
/// Without a workspace only annotations are possible.
pub(crate) fn publish(stage: Stage, workspace: Option<&Workspace>, report: &Report, exit_code: u8) {
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| value == "true");
    if is_set("GITHUB_ACTIONS") {
        let prefix = prefix(workspace, "GITHUB_WORKSPACE");
        // The runner reads commands from both streams; stdout may have to be one JSON document.
        let text: String = report.diagnostics.iter().map(|finding| annotation(finding, &prefix)).collect();
        drop(std::io::stderr().write_all(text.as_bytes()));
        if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
            let table = step_summary(stage, report, exit_code);
            let appended = std::fs::OpenOptions::new().create(true).append(true).open(&path);
            if let Err(error) = appended.and_then(|mut file| file.write_all(table.as_bytes())) {
                log::warn!("cannot write the step summary {}: {error}", Path::new(&path).display());
            }
        }
    }
    if let (true, Some(workspace)) = (is_set("GITLAB_CI"), workspace) {
        let issues = code_quality(&report.diagnostics, &prefix(Some(workspace), "CI_PROJECT_DIR"));
        if let Err(error) = workspace.write(layout::code_quality(stage.number()), json::pretty(&issues).as_bytes()) {
            log::warn!("cannot write the Code Quality report: {error}");
        }
    }
}

/// Returns the workspace's path inside the checkout, so that CI finds the files; empty if the root is the checkout.
pub(crate) fn prefix(workspace: Option<&Workspace>, variable: &str) -> PathBuf {
    let inside = || {
        let checkout = std::fs::canonicalize(std::env::var_os(variable)?).ok()?;
        let root = std::fs::canonicalize(workspace?.root()).ok()?;
        root.strip_prefix(checkout).map(Path::to_owned).ok()
    };
    inside().unwrap_or_default()
}

/// Returns the digest by which CI systems recognise a finding: of what it is about, so that it stays when lines move and
/// words change; where that is not said, of its place and message.
pub(crate) fn fingerprint(finding: &Diagnostic, file: &str) -> String {
    let identity = match &finding.identity {
        Some(identity) => format!("{}\n{file}\n{identity}", finding.rule),
        None => {
            let pointer = finding.place.as_ref().map_or("", |place| place.pointer.as_str());
            format!("{}\n{file}\n{pointer}\n{}", finding.rule, finding.message)
        }
    };
    Digest::of_bytes(identity).hex()
}

fn file_of(finding: &Diagnostic, prefix: &Path) -> Option<String> {
    finding.place.as_ref().map(|place| prefix.join(&place.file).display().to_string())
}

/// `::error file=…,line=…,col=…::message`, escaped as the runner's toolkit does.
fn annotation(finding: &Diagnostic, prefix: &Path) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    if let Some(file) = file_of(finding, prefix) {
        properties.push(format!("file={}", property(&file)));
    }
    if let Some(at) = finding.place.as_ref().and_then(|place| place.at) {
        properties.push(format!("line={},col={}", at.line, at.column));
    }
    properties.push(format!("title={}", property(finding.rule)));
    let help: String = finding.help.iter().map(|help| format!("\nhelp: {help}")).collect();
    format!("::{command} {}::{}\n", properties.join(","), data(&format!("{}{help}", finding.message)))
}

fn step_summary(stage: Stage, report: &Report, exit_code: u8) -> String {
    let cell = |text: &str| {
        let mut out = String::new();
        for character in printable(text).chars() {
            match character {
                '|' | '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', character]),
                '<' => out.push_str("&lt;"),
                '&' => out.push_str("&amp;"),
                other => out.push(other),
            }
        }
        out
    };
    let mut text = format!("### {}\n\n{} (exit code {exit_code})\n\n", stage.executable(), cell(&report.headline));
    if !report.figures.is_empty() {
        text.push_str("| figure | value |\n|---|---|\n");
        for (name, value) in &report.figures {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            writeln!(text, "| {} | {} |", cell(name), cell(&value)).expect("writing to a string");
        }
        text.push('\n');
    }
    text
}

/// GitLab's Code Quality report: a list of issues with a stable fingerprint each.
fn code_quality(findings: &[Diagnostic], prefix: &Path) -> Vec<Value> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut issue = |finding: &Diagnostic| {
        let file = file_of(finding, prefix)?;
        let severity = match finding.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Info => "info",
        };
        let line = finding.place.as_ref().and_then(|place| place.at).map_or(1, |at| at.line);
        // GitLab shows one issue of each fingerprint: several findings about the same thing are numbered.
        let mut fingerprint = fingerprint(finding, &file);
        let count = seen.entry(fingerprint.clone()).or_default();
        *count += 1;
        if *count > 1 {
            fingerprint = Digest::of_bytes(format!("{fingerprint}\n{count}")).hex();
        }
        Some(json!({
            "description": finding.message,
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": severity,
            "location": {"path": file, "lines": {"begin": line}},
        }))
    };
    findings.iter().filter_map(&mut issue).collect()
}

#[cfg(test)]
mod tests {
    use rtt_core::diagnostic::Place;

    use super::*;

    #[test]
    fn findings_cannot_break_out_of_an_annotation() {
        let finding = Diagnostic::error("RTT-X001", "50%\n::warning::x").at(Place::value("a,b:c.json", "{}", ""));
        let text = annotation(&finding, Path::new("sub"));
        assert_eq!(text, "::error file=sub/a%2Cb%3Ac.json,line=1,col=1,title=RTT-X001::50%25%0A::warning::x\n");
    }

    #[test]
    fn headlines_cannot_break_out_of_a_table() {
        let report = Report::new(rtt_core::stage::Verdict::Success, "x").figure("key", "a|b<script>\n");
        assert!(step_summary(Stage::Scan, &report, 0).contains("| key | a\\|b&lt;script>\\\\n |"));
    }
}
