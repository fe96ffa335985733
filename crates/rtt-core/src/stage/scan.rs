//! Stage 10: manifests → `.rtt/cache/registry.json`.
//!
//! Owns which files are read and when the registry is made anew. What a manifest means is decided in
//! [`crate::manifest`], how manifests come together in [`crate::registry`].

mod assemble;
mod index;
mod pins;
mod record;
mod sources;
mod stat;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use self::assemble::Written;
use self::index::{About, Index};
use self::record::{FileRecord, Record};
use self::sources::{Found, Selector, SourceFile};
use self::stat::Stat;
use super::{Context, Error, Report, Stage, Verdict, places};
use crate::diagnostic::{self, Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::json;
use crate::manifest::{self, Reading};
use crate::registry::file::Head;
use crate::registry::{Registry, Selection, Summary, collect};
use crate::schema::Schema;
use crate::text::counted;
use crate::workspace::state::{FORMAT_VERSION, Fingerprint, StateFile};
use crate::workspace::{self, Workspace, durable, layout};

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
    let cache = workspace.path(layout::CACHE);
    durable::create_dir_all(&cache).map_err(|source| workspace::Error::create(&cache, source))?;
    let now = Stat::of_now(workspace).ok();
    let found = sources::find(workspace, &Selector::new(&selection)?)?;
    let index = if context.force { None } else { usable_index(workspace, &selection) };
    if let Some(index) = &index
        && index.about.is_quiet
        && found.findings.is_empty()
        && index.len() == found.files.len()
        && found.stored.iter().all(|(path, stored)| index.declares(path, &stored.agents))
        && (0..).zip(&found.files).all(|(position, file)| index.is_unchanged(position, &file.path, file.stat))
        && let Ok(head) = serde_json::from_str::<Head>(&index.about.head)
    {
        log::info!("Discovered {} symbols", head.summary.symbols);
        return Ok(report_of(Verdict::Unchanged, &head, found.files.len(), Vec::new()));
    }

    let mut files = read_files(workspace, &found, index.as_ref(), now, context);
    for file in &mut files {
        if let Some(stored) = found.stored.get(&*file.path) {
            file.check_stored(stored);
        }
    }
    let mut diagnostics = found.findings;
    let invalid =
        diagnostic::count(&diagnostics, Severity::Error) + files.iter().filter(|file| file.is_invalid()).count();
    for file in &mut files {
        if request.skip_invalid && file.is_invalid() {
            file.instances.clear();
        }
        diagnostics.extend(file.findings.iter().cloned());
    }
    if request.skip_invalid {
        soften(&mut diagnostics);
    }
    let assembly = assemble::assemble(workspace, &files)?;
    diagnostics.extend(assembly.findings.iter().cloned());
    let is_quiet = diagnostics.is_empty() && !files.is_empty();
    if files.is_empty() {
        diagnostics.push(nothing_found(&selection));
    }
    diagnostics.extend(pins::changed_tools(workspace, &files));
    places::resolve(workspace, &mut diagnostics);
    if request.deny_warnings {
        harden(&mut diagnostics);
    }
    diagnostic::sort(&mut diagnostics);

    let summary = Summary { invalid, ..assembly.summary.clone() };
    let fingerprint = fingerprint(files.iter().filter_map(|file| Some((&*file.path, file.digest?))), &selection);
    let head = Head { version: FORMAT_VERSION.to_owned(), fingerprint, selection, summary };
    if diagnostics.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok(refusal(&head, files.len(), diagnostics));
    }
    log::info!("Discovered {} symbols", head.summary.symbols);
    let written = assembly.write(workspace, &head, &files)?;
    remember(workspace, &head, &files, &written, is_quiet);
    let verdict = if written.is_same { Verdict::Unchanged } else { Verdict::Success };
    let mut report = report_of(verdict, &head, files.len(), diagnostics);
    if verdict == Verdict::Success {
        report.outputs.push(layout::REGISTRY.to_owned());
    }
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
    let now = digests_now(workspace, &registry.selection)?;
    let current = fingerprint(now.iter().map(|(path, digest)| (&**path, *digest)), &registry.selection);
    if current == registry.fingerprint {
        return Ok(());
    }
    let known: BTreeSet<(&str, &str)> = registry.sources.iter().map(|one| (&*one.path, &*one.sha256)).collect();
    let now: Vec<(&str, String)> = now.iter().map(|(path, digest)| (&**path, digest.hex())).collect();
    let there: BTreeSet<(&str, &str)> = now.iter().map(|(path, sha256)| (*path, sha256.as_str())).collect();
    let mut changed: BTreeSet<String> =
        known.symmetric_difference(&there).map(|(path, _)| (*path).to_owned()).collect();
    if changed.is_empty() {
        changed.extend(registry.fingerprint.changed(&current));
    }
    Err(Error::Stale { file: layout::REGISTRY, stage: Stage::Scan, changed: changed.into_iter().collect() })
}

/// Tells whether a registry was made from the manifests that are there, given its head.
///
/// # Errors
/// If a folder or a manifest cannot be read.
pub fn is_fresh(workspace: &Workspace, head: &Head) -> Result<bool, Error> {
    let now = digests_now(workspace, &head.selection)?;
    Ok(fingerprint(now.iter().map(|(path, digest)| (&**path, *digest)), &head.selection) == head.fingerprint)
}

/// The manifests that a selection finds, and their digests: by stage 10's index where that still holds.
fn digests_now(workspace: &Workspace, selection: &Selection) -> Result<Vec<(String, Digest)>, Error> {
    let found = sources::find(workspace, &Selector::new(selection)?)?;
    let index = usable_index(workspace, selection);
    let now = found.files.into_par_iter().filter_map(|file| {
        let known = index.as_ref().and_then(|index| index.digest(&file.path, file.stat));
        let digest = known.or_else(|| Content::read(&workspace.path(&file.path)).digest())?;
        Some((file.path, digest))
    });
    Ok(now.collect())
}

/// The index, if this version wrote it for this selection and the registry that is there.
fn usable_index(workspace: &Workspace, selection: &Selection) -> Option<Index> {
    let registry = std::fs::metadata(workspace.path(layout::REGISTRY)).ok()?;
    Index::read(workspace).filter(|index| {
        let About { generator, selection: then, registry: stat, .. } = &index.about;
        *generator == generator_now() && then == selection && *stat == Stat::of(&registry)
    })
}

fn generator_now() -> String {
    format!("{} {}", Stage::Scan.executable(), crate::VERSION)
}

/// Reads the files in parallel, in path order; those that did not change are taken from the index.
fn read_files(
    workspace: &Workspace,
    found: &Found,
    index: Option<&Index>,
    now: Option<Stat>,
    context: &Context,
) -> Vec<FileRecord> {
    context.progress.start("Reading manifests", found.files.len() as u64);
    let files = found
        .files
        .par_iter()
        .with_min_len(16)
        .map(|file| {
            let record = read_file(workspace, file, index, now);
            context.progress.advance(1);
            record
        })
        .collect();
    context.progress.finish();
    files
}

fn read_file(workspace: &Workspace, file: &SourceFile, index: Option<&Index>, now: Option<Stat>) -> FileRecord {
    let path: Arc<str> = file.path.as_str().into();
    let stat = file.stat.filter(|stat| now.is_some_and(|now| stat.is_settled(now)));
    let content = OnceCell::new();
    let read = || content.get_or_init(|| Content::read(&workspace.path(&file.path)));
    if let Some(known) = index.and_then(|index| index.record(&path, stat, || read().digest())) {
        return known;
    }
    let (digest, reading) = (read().digest(), read().manifests(&path));
    // Not collected, which would keep the much larger allocation of the manifests.
    let mut instances = Vec::with_capacity(reading.manifests.len());
    instances.extend(reading.manifests.into_iter().map(Record::new));
    FileRecord { path, stat, digest, instances, findings: reading.diagnostics, is_fresh: true }
}

/// Writes the index for the next run, which can do without it.
fn remember(workspace: &Workspace, head: &Head, files: &[FileRecord], written: &Written, is_quiet: bool) {
    let registry = match std::fs::metadata(workspace.path(layout::REGISTRY)) {
        Ok(metadata) => Stat::of(&metadata),
        Err(error) => return log::debug!("no index is written: {error}"),
    };
    let about = About {
        generator: generator_now(),
        selection: head.selection.clone(),
        head: serde_json::to_string(head).expect("string keys"),
        registry,
        is_quiet,
    };
    let place = |file: usize, instance: usize| written.places[file][instance];
    if let Err(error) = index::write(workspace, &about, files, place) {
        log::debug!("no index is written: {error}");
    }
}

/// How much of a file that is too large is read to show where it begins, in bytes.
const SHOWN_HEAD: u64 = 4096;

/// What is in a file, as far as it may be read.
enum Content {
    Bytes(Vec<u8>),
    /// More bytes than are read: how many, and the first of them.
    TooLarge(u64, Vec<u8>),
    Unreadable(std::io::Error),
}

impl Content {
    fn read(path: &Path) -> Self {
        let read = || {
            let mut file = File::open(path)?;
            let size = file.metadata()?.len();
            let mut bytes = Vec::new();
            if size > json::MAX_BYTES as u64 {
                file.take(SHOWN_HEAD).read_to_end(&mut bytes)?;
                return Ok(Self::TooLarge(size, bytes));
            }
            bytes.reserve_exact(usize::try_from(size).unwrap_or_default());
            file.read_to_end(&mut bytes)?;
            Ok(Self::Bytes(bytes))
        };
        read().unwrap_or_else(Self::Unreadable)
    }

    /// `None` for what was not read; it is then no source of the registry.
    fn digest(&self) -> Option<Digest> {
        match self {
            Self::Bytes(bytes) => Some(Digest::of_bytes(bytes)),
            Self::TooLarge(..) | Self::Unreadable(_) => None,
        }
    }

    fn manifests(&self, path: &str) -> Reading {
        match self {
            Self::Bytes(bytes) => manifest::read(path, bytes),
            Self::TooLarge(size, head) => manifest::too_large(path, *size, head),
            Self::Unreadable(error) => {
                let finding = Diagnostic::error("RTT-M014", format!("cannot be read: {error}"))
                    .at(Place::file(path))
                    .help("expected a readable file: check its permissions, or leave it out with --exclude");
                Reading { manifests: Vec::new(), diagnostics: vec![finding] }
            }
        }
    }
}

/// The manifests count by one digest over the lines `<sha256>  <path>`, as sha256sum writes them.
fn fingerprint<'a>(files: impl Iterator<Item = (&'a str, Digest)>, selection: &Selection) -> Fingerprint {
    let mut lines = String::new();
    for (path, digest) in files {
        writeln!(lines, "{}  {path}", digest.hex()).expect("writing to a string");
    }
    Stage::Scan.fingerprint([
        ("manifests", Digest::of_bytes(lines)),
        ("selection", Digest::of_json(&json!([selection.include, selection.exclude, selection.skip_invalid]))),
    ])
}

fn check_files(workspace: &Workspace, request: &Request) -> Result<Report, Error> {
    let missing: Vec<String> =
        request.check.iter().filter(|path| !path.exists()).map(|path| path.display().to_string()).collect();
    if !missing.is_empty() {
        let help = "name files that exist, relative to the current folder".to_owned();
        return Err(Error::Missing { what: missing.join(", "), help });
    }
    let mut diagnostics = Vec::new();
    let mut manifests = Vec::new();
    let mut invalid = 0;
    for path in &request.check {
        let name = workspace.relative(path);
        let reading = Content::read(path).manifests(&name);
        invalid += usize::from(reading.is_invalid());
        manifests.extend(reading.manifests);
        diagnostics.extend(reading.diagnostics);
    }
    let mut collected = collect(manifests);
    places::resolve(workspace, &mut collected.diagnostics);
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
fn refusal(head: &Head, files: usize, diagnostics: Vec<Diagnostic>) -> Report {
    let mut broken: Vec<&str> = Vec::new();
    for finding in diagnostics.iter().filter(|finding| finding.severity == Severity::Error) {
        if let Some(place) = &finding.place
            && !broken.contains(&place.file.as_str())
        {
            broken.push(&place.file);
        }
    }
    for file in &broken {
        log::error!("{INVALID}: {file}");
    }
    let headline = format!("{INVALID}: {}", problems(&diagnostics));
    let mut report = report_of(Verdict::InvalidInput, head, files, Vec::new());
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

fn report_of(verdict: Verdict, head: &Head, files: usize, diagnostics: Vec<Diagnostic>) -> Report {
    let summary = &head.summary;
    let (symbols, instances) = (counted(summary.symbols, "symbol"), counted(summary.instances, "instance"));
    let counts = format!("{symbols} ({instances}) in {}", counted(files, "file"));
    let headline = match verdict {
        Verdict::Unchanged => format!("Nothing changed: {counts}"),
        _ => format!("Discovered {counts}"),
    };
    let mut report = Report::new(verdict, headline)
        .figure("files", files)
        .figure("symbols", summary.symbols)
        .figure("instances", summary.instances)
        .figure("methods", summary.methods)
        .figure("collisions", summary.collisions)
        .figure("invalid", summary.invalid);
    report.diagnostics = diagnostics;
    report.fingerprint = Some(head.fingerprint.clone());
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
