//! Stage 20: the registry → `.rtt/cache/dependencies.json`.
//!
//! Reads the registry, `.rtt/depdoctor.json`, and the manifests only for the lines that findings point to. A run with
//! errors writes nothing but what it was asked to fix.

mod fix;

use std::path::Path;

use super::{Context, Error, Report, Stage, Verdict, places, upstream};
use crate::dependency::report::Head;
use crate::dependency::settings::{self, Settings};
use crate::dependency::{GraphFormat, Resolution, explain, graph, resolve, rules};
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::registry::Registry;
use crate::symbol::{InvalidName, SymbolRange};
use crate::text::{self, counted};
use crate::workspace::state::Fingerprint;
use crate::workspace::{Workspace, layout};

/// The options of stage 20.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A rule, or a symbol, `symbol@range` or older address, to explain in the report's body.
    pub explain: Option<String>,
    /// Draw the graph in the report's body; an explanation comes before it.
    pub graph: Option<GraphFormat>,
    /// Warnings fail the run.
    pub deny_warnings: bool,
    /// Record today's findings as known.
    pub write_baseline: bool,
    /// Repair what is a matter of a name or a range in a manifest.
    pub fix: Option<Fix>,
}

/// How findings are repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// Write the manifests.
    Write,
    /// Only show what would be written.
    Show,
}

/// Checks every dependency of the registry.
///
/// # Errors
/// [`Error::NotRun`] and [`Error::Stale`] about the registry, [`Error::Invalid`] about `.rtt/depdoctor.json`,
/// [`Error::Usage`] if what is to be explained is neither a rule nor a symbol that anybody knows, [`Error::Workspace`]
/// if something cannot be written.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    if let Some(name) = request.explain.as_deref().filter(|name| rules::is_identifier(name)) {
        return explain_rule(name);
    }
    let registry = upstream::registry(workspace)?;
    let mut settings = settings::read(workspace)?;
    let previous = previous(workspace)?;
    let fingerprint_with = |settings: &Settings| {
        Stage::DepDoctor.fingerprint([("registry", registry.digest), ("settings", settings.digest)])
    };
    let mut fingerprint = fingerprint_with(&settings);
    let is_current = |fingerprint: &Fingerprint| previous.as_ref().is_some_and(|head| head.fingerprint == *fingerprint);
    let only_checks =
        !request.write_baseline && request.fix.is_none() && request.explain.is_none() && request.graph.is_none();
    if let Some(head) = previous.as_ref().filter(|_| only_checks && !context.force && is_current(&fingerprint))
        // Warnings are shown again by every run, so only a clean report saves the work.
        && ["warnings", "ignored"].iter().all(|figure| head.summary.get(*figure) == Some(&0))
    {
        return Ok(nothing_changed(head, fingerprint));
    }

    let registry = &registry.value;
    context.progress.start("checking dependencies", registry.instances.len() as u64);
    let mut resolution = resolve(registry);
    context.progress.advance(registry.instances.len() as u64);
    context.progress.finish();
    let mut details = Vec::new();
    if request.write_baseline {
        let (count, text) = settings.with_baseline(&resolution);
        workspace.write(layout::DEPDOCTOR, text.as_bytes())?;
        settings = settings::parse(text.as_bytes())?;
        fingerprint = fingerprint_with(&settings);
        details.push(format!("  {} recorded in {}", counted(count, "known finding"), layout::DEPDOCTOR));
    }
    settle(&mut resolution, &settings, request);
    if let Some(how) = request.fix
        && let Some(report) = fix::run(workspace, &resolution, &settings, (request, how))?
    {
        return Ok(report);
    }
    log_mismatches(&resolution);

    let verdict = resolution.verdict();
    let mut report = Report::new(verdict, headline(&resolution, registry));
    report.body = body(&resolution, request)?;
    show(workspace, &mut report, &resolution);
    report.details = details;
    report.fingerprint = Some(fingerprint.clone());
    if request.write_baseline {
        report.outputs.push(layout::DEPDOCTOR.to_owned());
    }
    if verdict != Verdict::Success {
        return Ok(report);
    }
    if is_current(&fingerprint) && !context.force {
        report.verdict = Verdict::Unchanged;
        report.headline = format!("Nothing changed: {}", report.headline);
        return Ok(report);
    }
    workspace.write(layout::DEPENDENCIES, &resolution.report(fingerprint))?;
    report.outputs.push(layout::DEPENDENCIES.to_owned());
    log::info!("Validated {}", counted(resolution.n_edges(), "dependency edge"));
    Ok(report)
}

/// Reads the head of an earlier run's output; a corrupt one is made anew, like a missing one.
fn previous(workspace: &Workspace) -> Result<Option<Head>, Error> {
    let bytes = workspace.read_optional(layout::DEPENDENCIES)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// What counts of the findings, and for how much.
fn settle(resolution: &mut Resolution, settings: &Settings, request: &Request) {
    settings.apply(resolution);
    if request.deny_warnings {
        resolution.deny_warnings();
    }
}

/// Puts the findings into the report, at their lines, with their figures.
fn show(workspace: &Workspace, report: &mut Report, resolution: &Resolution) {
    let mut shown: Vec<Diagnostic> = resolution.findings.iter().map(|finding| finding.diagnostic.clone()).collect();
    let mut ignored: Vec<Diagnostic> = resolution.ignored.iter().map(|finding| finding.diagnostic.clone()).collect();
    for diagnostics in [&mut shown, &mut ignored] {
        places::resolve(workspace, diagnostics);
        diagnostic::sort(diagnostics);
    }
    (report.diagnostics, report.ignored) = (shown, ignored);
    report.figures = resolution.summary().into_iter().map(|(name, count)| (name, count.into())).collect();
}

fn explain_rule(name: &str) -> Result<Report, Error> {
    let Some(rule) = rules::find(name) else {
        let near = text::nearest(name, rules::RULES.iter().map(|rule| rule.id));
        return Err(Error::Usage {
            message: format!("stage 20 has no rule '{name}'"),
            help: near.map(|near| format!("did you mean '{near}'?")),
        });
    };
    let mut report = Report::new(Verdict::Success, format!("{}: {}", rule.id, rule.title));
    report.body = Some(rule.explanation());
    Ok(report)
}

fn nothing_changed(previous: &Head, fingerprint: Fingerprint) -> Report {
    let figure = |name: &str| previous.summary.get(name).copied().unwrap_or(0);
    let edges = counted(figure("edges"), "dependency edge");
    let mut report = Report::new(Verdict::Unchanged, format!("Nothing changed: {edges} valid"));
    for name in ["edges", "missing", "conflicts", "cycles", "mismatches", "capabilities", "warnings", "ignored"] {
        report = report.figure(name, figure(name));
    }
    report.fingerprint = Some(fingerprint);
    report
}

fn headline(resolution: &Resolution, registry: &Registry) -> String {
    let summary = resolution.summary();
    let named = [
        ("missing", "missing dependency", "missing dependencies"),
        ("conflicts", "version conflict", "version conflicts"),
        ("cycles", "circular dependency", "circular dependencies"),
        ("mismatches", "protocol mismatch", "protocol mismatches"),
        ("capabilities", "missing capability", "missing capabilities"),
        ("warnings", "warning", "warnings"),
        ("ignored", "ignored", "ignored"),
    ];
    let parts: Vec<String> = named
        .iter()
        .filter(|(figure, ..)| summary[figure] > 0)
        .map(|(figure, one, many)| format!("{} {}", summary[figure], if summary[figure] == 1 { one } else { many }))
        .collect();
    match (resolution.verdict(), parts.is_empty()) {
        (Verdict::Success, quiet) => {
            let edges = counted(resolution.n_edges(), "dependency edge");
            let instances = counted(registry.instances.len(), "instance");
            let warnings = if quiet { String::new() } else { format!(", {}", parts.join(", ")) };
            format!("{edges} of {instances} valid{warnings}")
        }
        (_, true) => "Dependencies are not valid".to_owned(),
        (_, false) => format!("Dependencies are not valid: {}", parts.join(", ")),
    }
}

/// The mission's wording, once a symbol.
fn log_mismatches(resolution: &Resolution) {
    let mut symbols: Vec<_> = resolution
        .findings
        .iter()
        .filter(|finding| finding.class == Verdict::VersionConflict && finding.diagnostic.severity != Severity::Info)
        .filter_map(|finding| finding.symbol.as_ref())
        .collect();
    symbols.sort();
    symbols.dedup();
    for symbol in symbols {
        log::warn!("Dependency '{symbol}' version mismatch");
    }
}

fn body(resolution: &Resolution, request: &Request) -> Result<Option<String>, Error> {
    let mut parts = Vec::new();
    if let Some(name) = &request.explain {
        let wanted: SymbolRange = name.parse().map_err(|error: InvalidName| Error::Usage {
            message: error.to_string(),
            help: Some("--explain takes a symbol such as agent.storage.tsdb, or a rule such as RTT-D001".to_owned()),
        })?;
        parts.push(explain(resolution, &wanted).ok_or_else(|| unknown(resolution.registry(), &wanted))?);
    }
    if let Some(format) = request.graph {
        parts.push(graph(resolution, format));
    }
    Ok((!parts.is_empty()).then(|| parts.join("\n")))
}

fn unknown(registry: &Registry, wanted: &SymbolRange) -> Error {
    let known = registry.instances.iter().map(|instance| instance.manifest.symbol.as_str());
    let near = text::nearest(wanted.symbol.as_str(), known);
    Error::Usage {
        message: format!("nothing to explain: '{wanted}' is neither registered nor required"),
        help: near.map(|near| format!("did you mean '{near}'?")),
    }
}

/// Tells whether a file of the workspace is one that it holds itself: no link stands on the way to it.
fn is_plain_file(workspace: &Workspace, file: &str) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(workspace.root()).is_some_and(|root| real(&workspace.path(file)).is_some_and(|path| path == root.join(file)))
}

#[cfg(test)]
mod tests;
