//! What an ingestion says: findings for every tool that came, went or changed, and the figures.

use rtt_core::diagnostic::{Diagnostic, Place, Severity};
use rtt_core::manifest::{Manifest, differences};
use rtt_core::stage::{Report, Verdict};
use rtt_core::text::counted;
use serde_json::Value;

use super::pins::Difference;
use super::server::{Server, definitions};

/// How many tools are named in one finding.
const NAMED: usize = 20;

/// What was done so far.
pub(super) struct Outcome {
    is_dry_run: bool,
    servers: usize,
    refused: usize,
    tools: usize,
    sum: [usize; 3],
    details: Vec<String>,
    pub(super) written: Vec<String>,
    pub(super) removed: Vec<String>,
}

impl Outcome {
    pub(super) fn new(is_dry_run: bool) -> Self {
        let (written, removed) = (Vec::new(), Vec::new());
        Self { is_dry_run, servers: 0, refused: 0, tools: 0, sum: [0; 3], details: Vec::new(), written, removed }
    }

    pub(super) fn count(&mut self, server: &Server, difference: &Difference, is_taken: bool, is_same: bool) {
        let tools = server.manifest.provides.methods.len();
        self.servers += 1;
        self.refused += usize::from(!is_taken);
        self.tools += tools;
        for (sum, names) in self.sum.iter_mut().zip([&difference.added, &difference.changed, &difference.removed]) {
            *sum += names.len();
        }
        let note = match (is_taken, is_same) {
            (false, _) => ", left as it was",
            (true, true) => ", unchanged",
            (true, false) => "",
        };
        let (id, tools) = (server.manifest.id(), counted(tools, "tool"));
        self.details.push(format!("  {id}: {tools} ({}){note}", super::counts(difference)));
        if is_taken && !is_same && !self.is_dry_run {
            self.written.push(server.path());
        }
    }

    pub(super) fn report(self, findings: Vec<Diagnostic>) -> Report {
        let errors = findings.iter().any(|finding| finding.severity == Severity::Error);
        let has_changed = !self.written.is_empty() || !self.removed.is_empty();
        let verdict = match (errors, self.refused, has_changed) {
            (_, 1.., _) => Verdict::CheckFailed,
            (true, _, _) if findings.iter().any(|finding| finding.rule == super::NOT_ASKED) => Verdict::CheckFailed,
            (true, _, _) => Verdict::InvalidInput,
            (false, 0, false) if !self.is_dry_run => Verdict::Unchanged,
            (false, ..) => Verdict::Success,
        };
        let what = format!("{} with {}", counted(self.servers, "server"), counted(self.tools, "tool"));
        let headline = match verdict {
            Verdict::CheckFailed if self.refused > 0 => format!(
                "{}: definitions of tools changed",
                counted(self.refused, "server")
                    + if self.refused == 1 { " was left as it was" } else { " were left as they were" }
            ),
            Verdict::CheckFailed | Verdict::InvalidInput => "Some servers could not be ingested".to_owned(),
            Verdict::Unchanged => format!("{what}: nothing changed"),
            _ if self.is_dry_run => format!("Would ingest {what}"),
            _ => format!("Ingested {what}"),
        };
        let mut report = Report::new(verdict, headline)
            .figure("servers", self.servers)
            .figure("tools", self.tools)
            .figure("added", self.sum[0])
            .figure("changed", self.sum[1])
            .figure("removed", self.sum[2]);
        report.details = self.details;
        report.details.extend(self.removed.iter().map(|path| format!("  {path} was removed")));
        report.outputs = self.written;
        report.outputs.sort();
        report.diagnostics = findings;
        report
    }
}

/// Says how a server's tools differ from what was taken before.
pub(super) fn findings(
    server: &Server,
    earlier: Option<&Manifest>,
    difference: &Difference,
    accept: bool,
) -> Vec<Diagnostic> {
    let (id, place) = (server.manifest.id(), Place::file(server.path()));
    let mut all = Vec::new();
    // Of a server that is new everything is.
    if earlier.is_some() && !difference.added.is_empty() {
        all.push(
            Diagnostic::info("RTT-I010", format!("new tools of {id}: {}", named(&difference.added))).at(place.clone()),
        );
    }
    if !difference.removed.is_empty() {
        let message = format!("{id} offers no more: {}", named(&difference.removed));
        all.push(
            Diagnostic::warning("RTT-I011", message)
                .at(place.clone())
                .help("stage 20 says who needs them: rtt-20-depdoctor"),
        );
    }
    let (now, before) = (server.definitions(), earlier.map(definitions).unwrap_or_default());
    for name in &difference.changed {
        let message = format!("tool '{name}' of {id} is defined otherwise than what was pinned");
        let mut finding =
            if accept { Diagnostic::warning("RTT-I012", message) } else { Diagnostic::error("RTT-I012", message) };
        finding = finding.at(place.clone());
        for line in differences(before.get(name).unwrap_or(&Value::Null), &now[name]) {
            finding = finding.help(line);
        }
        let help = if accept {
            "the new definition is pinned now"
        } else {
            "read the new definition before you trust it; --accept takes it"
        };
        all.push(finding.help(help));
    }
    all
}

fn named(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
