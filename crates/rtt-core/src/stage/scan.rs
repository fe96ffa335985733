//! Stage 10: manifests → `.rtt/cache/registry.json`.
//!
//! Owns which files are read and when the registry is made anew. What a manifest means is decided in
//! [`crate::manifest`], how manifests come together in [`crate::registry`].

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::json;

use self::sources::{Found, Selector};
use super::{Context, Error, Report, Stage, Verdict};
use crate::diagnostic::{self, Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::json;
use crate::manifest::{self, Reading};
use crate::registry::{Registry, Selection, Source, Summary, collect};
use crate::schema::Schema;
use crate::text::counted;
use crate::workspace::state::{FORMAT_VERSION, Fingerprint, StateFile};
use crate::workspace::{Workspace, layout, state};

/// What stage 10 is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Only files that match one of these globs, relative to the root; empty: all. A glob without `/` matches names at
    /// any depth, one that matches a folder all that is in it.
    pub include: Vec<String>,
    /// No file that matches one of these globs.
    pub exclude: Vec<String>,
    /// Leave invalid files out, with a warning, instead of failing.
    pub skip_invalid: bool,
    /// If not empty: only validate these files, wherever they are, and write nothing.
    pub check: Vec<PathBuf>,
    /// Fail if there is a warning.
    pub deny_warnings: bool,
}

/// The wording of the mission for any manifest that cannot be used.
const INVALID: &str = "Invalid agent manifest format";

/// Reads the manifests of the workspace and writes the registry.
///
/// The registry is written whole or not at all; [`Verdict::InvalidInput`] leaves the earlier one in place.
///
/// # Errors
/// [`Error::Usage`] for a glob that is none, [`Error::Missing`] for a file to check that does not exist,
/// [`Error::Workspace`] if a folder cannot be listed or the registry not be written.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    if !request.check.is_empty() {
        return check_files(workspace, request);
    }
    let selection = Selection {
        include: sorted(&request.include),
        exclude: sorted(&request.exclude),
        skip_invalid: request.skip_invalid,
    };
    let found = sources::find(workspace, &Selector::new(&selection)?)?;
    let loaded = load(&found, context);
    let sources: Vec<Source> = loaded.iter().filter_map(Loaded::source).collect();
    let fingerprint = fingerprint(&sources, &selection);

    let earlier = earlier(workspace);
    let unchanged = earlier.as_ref().filter(|file| !context.force && file.value.fingerprint == fingerprint);
    if let Some(earlier) = unchanged
        && earlier.value.summary.warnings == 0
        && found.findings.is_empty()
        && loaded.iter().all(|file| file.content.is_ok())
    {
        log::info!("Discovered {} symbols", earlier.value.summary.symbols);
        return Ok(report_of(Verdict::Unchanged, &earlier.value, Vec::new()));
    }

    let mut diagnostics = found.findings;
    let mut invalid = diagnostic::count(&diagnostics, Severity::Error);
    let mut manifests = Vec::new();
    for file in parse(&loaded) {
        let is_invalid = file.is_invalid();
        invalid += usize::from(is_invalid);
        if !(is_invalid && request.skip_invalid) {
            manifests.extend(file.manifests);
        }
        diagnostics.extend(file.diagnostics);
    }
    if request.skip_invalid {
        soften(&mut diagnostics);
    }
    let mut collected = collect(manifests);
    resolve(&mut collected.diagnostics, &loaded);
    diagnostics.extend(collected.diagnostics);
    if loaded.is_empty() {
        diagnostics.push(nothing_found(&selection));
    }
    if request.deny_warnings {
        harden(&mut diagnostics);
    }
    diagnostic::sort(&mut diagnostics);

    let symbols: BTreeSet<_> = collected.instances.iter().map(|instance| &instance.manifest.symbol).collect();
    let mut summary = Summary {
        symbols: symbols.len(),
        instances: collected.instances.len(),
        methods: collected.instances.iter().map(|instance| instance.methods.len()).sum(),
        requirements: collected.instances.iter().map(|instance| instance.manifest.requires.len()).sum(),
        collisions: collected.collisions,
        warnings: diagnostic::count(&diagnostics, Severity::Warning),
        invalid,
        ..Summary::default()
    };
    for instance in &collected.instances {
        *summary.by_form.entry(instance.origin.form).or_default() += 1;
    }
    let version = FORMAT_VERSION.to_owned();
    let registry = Registry { version, fingerprint, selection, sources, summary, instances: collected.instances };
    if diagnostics.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok(refusal(&registry, diagnostics));
    }

    log::info!("Discovered {} symbols", registry.summary.symbols);
    let text = json::pretty(&registry);
    if unchanged.is_some_and(|earlier| earlier.text == text) {
        return Ok(report_of(Verdict::Unchanged, &registry, diagnostics));
    }
    workspace.write(layout::REGISTRY, text.as_bytes())?;
    let mut report = report_of(Verdict::Success, &registry, diagnostics);
    report.outputs.push(layout::REGISTRY.to_owned());
    Ok(report)
}

/// Tells whether the manifests are still those that the registry was made from, by the selection that it records.
///
/// Every later stage asks this before it uses the registry.
///
/// # Errors
/// [`Error::Stale`] with the files that were added, removed or changed; `version` stands for another version of the
/// stage. [`Error::Workspace`] if the files cannot be read.
pub fn verify_fresh(workspace: &Workspace, registry: &StateFile<Registry>) -> Result<(), Error> {
    let registry = &registry.value;
    let found = sources::find(workspace, &Selector::new(&registry.selection)?)?;
    let now: Vec<Source> = load(&found, &Context { force: false, progress: &super::NoProgress })
        .iter()
        .filter_map(Loaded::source)
        .collect();
    let current = fingerprint(&now, &registry.selection);
    if current == registry.fingerprint {
        return Ok(());
    }
    let known: BTreeSet<(&str, &str)> = registry.sources.iter().map(Source::key).collect();
    let there: BTreeSet<(&str, &str)> = now.iter().map(Source::key).collect();
    let mut changed: BTreeSet<String> =
        known.symmetric_difference(&there).map(|(path, _)| (*path).to_owned()).collect();
    if changed.is_empty() {
        changed.extend(registry.fingerprint.changed(&current));
    }
    Err(Error::Stale { file: layout::REGISTRY, stage: Stage::Scan, changed: changed.into_iter().collect() })
}

/// A file as it was read.
struct Loaded {
    path: String,
    content: Result<Vec<u8>, String>,
    digest: Option<Digest>,
}

impl Loaded {
    fn open(path: String, absolute: &Path) -> Self {
        let content = std::fs::read(absolute).map_err(|error| error.to_string());
        let digest = content.as_ref().ok().map(Digest::of_bytes);
        Self { path, content, digest }
    }

    /// The registry's entry; none for a file that could not be read.
    fn source(&self) -> Option<Source> {
        self.digest.map(|digest| Source { path: self.path.clone(), sha256: digest.hex() })
    }
}

impl Source {
    fn key(&self) -> (&str, &str) {
        (&self.path, &self.sha256)
    }
}

/// Reads and hashes the files in parallel, in path order.
fn load(found: &Found, context: &Context) -> Vec<Loaded> {
    context.progress.start("Reading manifests", found.files.len() as u64);
    let loaded = found
        .files
        .par_iter()
        .map(|(path, absolute)| {
            let file = Loaded::open(path.clone(), absolute);
            context.progress.advance(1);
            file
        })
        .collect();
    context.progress.finish();
    loaded
}

fn parse(loaded: &[Loaded]) -> Vec<Reading> {
    loaded
        .par_iter()
        .map(|file| match &file.content {
            Ok(bytes) => manifest::read(&file.path, bytes),
            Err(error) => Reading { manifests: Vec::new(), diagnostics: vec![unreadable(&file.path, error)] },
        })
        .collect()
}

fn unreadable(path: &str, error: &str) -> Diagnostic {
    Diagnostic::error("RTT-M014", format!("cannot be read: {error}"))
        .at(Place::file(path))
        .help("expected a readable file: check its permissions, or leave it out with --exclude")
}

fn fingerprint(sources: &[Source], selection: &Selection) -> Fingerprint {
    let manifests: Vec<_> = sources.iter().map(Source::key).collect();
    Stage::Scan.fingerprint([
        ("manifests", Digest::of_json(&json!(manifests))),
        ("selection", Digest::of_json(&json!([selection.include, selection.exclude, selection.skip_invalid]))),
    ])
}

/// Finds line and column of places that have only a pointer.
fn resolve(diagnostics: &mut [Diagnostic], loaded: &[Loaded]) {
    let texts: BTreeMap<&str, &str> = loaded
        .iter()
        .filter_map(|file| Some((file.path.as_str(), std::str::from_utf8(file.content.as_deref().ok()?).ok()?)))
        .collect();
    let locate = |finding: &mut Diagnostic| {
        let others = finding.related.iter_mut().map(|related| &mut related.place);
        for place in finding.place.iter_mut().chain(others) {
            if let Some(text) = texts.get(place.file.as_str()) {
                place.resolve(text);
            }
        }
    };
    diagnostics.iter_mut().for_each(locate);
}

/// The registry of an earlier run; one that cannot be read counts as none, since it is about to be replaced.
fn earlier(workspace: &Workspace) -> Option<StateFile<Registry>> {
    match state::read(workspace, layout::REGISTRY, Schema::Registry) {
        Ok(file) => file,
        Err(error) => {
            log::warn!("The earlier registry is made anew: {error}");
            None
        }
    }
}

fn check_files(workspace: &Workspace, request: &Request) -> Result<Report, Error> {
    let missing: Vec<String> =
        request.check.iter().filter(|path| !path.exists()).map(|path| path.display().to_string()).collect();
    if !missing.is_empty() {
        let help = "name files that exist, relative to the current folder".to_owned();
        return Err(Error::Missing { what: missing.join(", "), help });
    }
    let loaded: Vec<Loaded> = request.check.iter().map(|path| Loaded::open(workspace.relative(path), path)).collect();
    let mut diagnostics = Vec::new();
    let mut manifests = Vec::new();
    let mut invalid = 0;
    for reading in parse(&loaded) {
        invalid += usize::from(reading.is_invalid());
        manifests.extend(reading.manifests);
        diagnostics.extend(reading.diagnostics);
    }
    let mut collected = collect(manifests);
    resolve(&mut collected.diagnostics, &loaded);
    diagnostics.extend(collected.diagnostics);
    if request.deny_warnings {
        harden(&mut diagnostics);
    }
    diagnostic::sort(&mut diagnostics);
    let errors = diagnostic::count(&diagnostics, Severity::Error);
    let (verdict, headline) = if errors == 0 {
        let files = counted(request.check.len(), "file");
        (Verdict::Success, format!("Checked {} in {files}: valid", counted(collected.instances.len(), "manifest")))
    } else {
        (Verdict::InvalidInput, format!("{INVALID}: {}", problems(&diagnostics)))
    };
    let mut report = Report::new(verdict, headline)
        .figure("files", request.check.len())
        .figure("instances", collected.instances.len())
        .figure("collisions", collected.collisions)
        .figure("invalid", invalid);
    report.diagnostics = diagnostics;
    Ok(report)
}

/// The report of a run with errors; nothing was written.
fn refusal(registry: &Registry, diagnostics: Vec<Diagnostic>) -> Report {
    let mut files: Vec<&str> = Vec::new();
    for finding in diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
        if let Some(place) = &finding.place
            && !files.contains(&place.file.as_str())
        {
            files.push(&place.file);
        }
    }
    for file in &files {
        log::error!("{INVALID}: {file}");
    }
    let headline = format!("{INVALID}: {}", problems(&diagnostics));
    let mut report = report_of(Verdict::InvalidInput, registry, Vec::new());
    report.headline = headline;
    report.details.push(format!(
        "  Validate the manifest against schemas/{}: {} --check FILE",
        Schema::Manifest.file_name(),
        Stage::Scan.executable()
    ));
    report.details.push(format!("  {} was left as it was; --skip-invalid leaves invalid files out", layout::REGISTRY));
    report.diagnostics = diagnostics;
    report
}

fn report_of(verdict: Verdict, registry: &Registry, diagnostics: Vec<Diagnostic>) -> Report {
    let summary = &registry.summary;
    let files = counted(registry.sources.len(), "file");
    let counts =
        format!("{} ({}) in {files}", counted(summary.symbols, "symbol"), counted(summary.instances, "instance"));
    let headline = match verdict {
        Verdict::Unchanged => format!("Nothing changed: {counts}"),
        _ => format!("Discovered {counts}"),
    };
    let mut report = Report::new(verdict, headline)
        .figure("files", registry.sources.len())
        .figure("symbols", summary.symbols)
        .figure("instances", summary.instances)
        .figure("methods", summary.methods)
        .figure("collisions", summary.collisions)
        .figure("invalid", summary.invalid);
    report.diagnostics = diagnostics;
    report.fingerprint = Some(registry.fingerprint.clone());
    report
}

fn problems(diagnostics: &[Diagnostic]) -> String {
    let errors = || diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    let files: BTreeSet<&str> = errors().filter_map(|finding| Some(finding.place.as_ref()?.file.as_str())).collect();
    format!("{} in {}", counted(errors().count(), "problem"), counted(files.len(), "file"))
}

fn nothing_found(selection: &Selection) -> Diagnostic {
    let finding = Diagnostic::warning(
        "RTT-M016",
        format!(
            "no manifests found, expected {}/**/*.agent.json, {}/**/*.json or {}/*.json",
            layout::AGENTS,
            layout::PROVIDERS,
            layout::MANIFESTS
        ),
    );
    if selection.include.is_empty() && selection.exclude.is_empty() {
        finding.help("add a manifest, and look into .gitignore if there should be one")
    } else {
        finding.help("look at --include and --exclude, and into .gitignore")
    }
}

/// `--skip-invalid`: what would fail the run is left out instead.
fn soften(diagnostics: &mut [Diagnostic]) {
    for finding in diagnostics.iter_mut().filter(|finding| finding.severity == Severity::Error) {
        finding.severity = Severity::Warning;
        finding.message = format!("{}; the file is left out (--skip-invalid)", finding.message);
    }
}

/// `--deny-warnings`.
fn harden(diagnostics: &mut [Diagnostic]) {
    for finding in diagnostics.iter_mut().filter(|finding| finding.severity == Severity::Warning) {
        finding.severity = Severity::Error;
        finding.help.push("a warning, denied by --deny-warnings".to_owned());
    }
}

fn sorted(globs: &[String]) -> Vec<String> {
    globs.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
