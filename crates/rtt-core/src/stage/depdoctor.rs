//! Stage 20: the registry → `.rtt/cache/dependencies.json`.
//!
//! Reads the registry, and the manifests only for the lines that findings point to. A run with errors writes nothing.

use super::{Context, Error, Report, Stage, Verdict, places, upstream};
use crate::dependency::report::Dependencies;
use crate::dependency::{GraphFormat, Resolution, explain, graph, resolve};
use crate::diagnostic::{self, Severity};
use crate::json;
use crate::registry::Registry;
use crate::schema::Schema;
use crate::symbol::SymbolRange;
use crate::text::{self, counted};
use crate::workspace::state::{self, Fingerprint, StateError};
use crate::workspace::{Workspace, layout};

/// The options of stage 20.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A symbol, `symbol@range` or older address to explain in the report's body.
    pub explain: Option<String>,
    /// Draw the graph in the report's body; an explanation comes before it.
    pub graph: Option<GraphFormat>,
    /// Warnings fail the run.
    pub deny_warnings: bool,
}

/// Checks every dependency of the registry.
///
/// # Errors
/// [`Error::NotRun`] and [`Error::Stale`] about the registry, [`Error::Usage`] if the symbol to explain is none or
/// nobody knows it, [`Error::Workspace`] if the report cannot be written.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    let registry = upstream::registry(workspace)?;
    let fingerprint = Stage::DepDoctor.fingerprint([("registry", registry.digest)]);
    let previous = previous(workspace)?;
    let current = previous.as_ref().is_some_and(|report| report.fingerprint == fingerprint);
    let unchanged = current && !context.force;
    // Warnings are shown again by every run, so only a clean report saves the work.
    let clean = previous.as_ref().is_some_and(|report| report.summary.get("warnings") == Some(&0));
    if let Some(report) =
        previous.filter(|_| unchanged && clean && request.explain.is_none() && request.graph.is_none())
    {
        return Ok(nothing_changed(report, fingerprint));
    }

    let registry = &registry.value;
    context.progress.start("checking dependencies", registry.instances.len() as u64);
    let mut resolution = resolve(registry);
    context.progress.advance(registry.instances.len() as u64);
    context.progress.finish();
    if request.deny_warnings {
        resolution.deny_warnings();
    }
    log_mismatches(&resolution);

    let verdict = resolution.verdict();
    let mut report = Report::new(verdict, headline(&resolution, registry));
    report.body = body(registry, &resolution, request)?;
    report.diagnostics = resolution.findings.iter().map(|finding| finding.diagnostic.clone()).collect();
    places::resolve(workspace, &mut report.diagnostics);
    diagnostic::sort(&mut report.diagnostics);
    report.figures = resolution.summary().into_iter().map(|(name, count)| (name, count.into())).collect();
    report.fingerprint = Some(fingerprint.clone());
    if verdict != Verdict::Success {
        return Ok(report);
    }
    if unchanged {
        report.verdict = Verdict::Unchanged;
        report.headline = format!("Nothing changed: {}", report.headline);
        return Ok(report);
    }
    workspace.write(layout::DEPENDENCIES, json::pretty(&resolution.report(fingerprint)).as_bytes())?;
    report.outputs.push(layout::DEPENDENCIES.to_owned());
    log::info!("Validated {}", counted(resolution.edges.len(), "dependency edge"));
    Ok(report)
}

/// Reads the output of an earlier run; a corrupt one is made anew, like a missing one.
fn previous(workspace: &Workspace) -> Result<Option<Dependencies>, Error> {
    match state::read::<Dependencies>(workspace, layout::DEPENDENCIES, Schema::Dependencies) {
        Ok(file) => Ok(file.map(|file| file.value)),
        Err(StateError::Invalid(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn nothing_changed(previous: Dependencies, fingerprint: Fingerprint) -> Report {
    let edges = counted(previous.edges.len(), "dependency edge");
    let mut report = Report::new(Verdict::Unchanged, format!("Nothing changed: {edges} valid"));
    for name in ["edges", "missing", "conflicts", "cycles", "mismatches", "capabilities", "warnings"] {
        report = report.figure(name, previous.summary.get(name).copied().unwrap_or(0));
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
    ];
    let parts: Vec<String> = named
        .iter()
        .filter(|(figure, ..)| summary[figure] > 0)
        .map(|(figure, one, many)| format!("{} {}", summary[figure], if summary[figure] == 1 { one } else { many }))
        .collect();
    match (resolution.verdict(), parts.is_empty()) {
        (Verdict::Success, quiet) => {
            let edges = counted(resolution.edges.len(), "dependency edge");
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

fn body(registry: &Registry, resolution: &Resolution, request: &Request) -> Result<Option<String>, Error> {
    let mut parts = Vec::new();
    if let Some(name) = &request.explain {
        let wanted: SymbolRange = name.parse().map_err(|error: crate::symbol::InvalidName| Error::Usage {
            message: error.to_string(),
            help: Some("--explain takes a symbol such as agent.storage.tsdb".to_owned()),
        })?;
        parts.push(explain(registry, resolution, &wanted).ok_or_else(|| unknown(registry, &wanted))?);
    }
    if let Some(format) = request.graph {
        parts.push(graph(registry, resolution, format));
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

#[cfg(test)]
mod tests;
