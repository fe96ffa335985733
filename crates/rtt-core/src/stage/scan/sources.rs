//! Finds the files that stage 10 reads: a parallel walk of `agents/` and `providers/` that honours gitignore files, and
//! the plain listing of `.rtt/manifests/`, and the agents that the index of the store names.
//!
//! What is found depends on the workspace alone: the user's global ignore files and those above the root play no part.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::stat::Stat;
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::json;
use crate::registry::Selection;
use crate::stage::Error;
use crate::store::Store;
use crate::symbol::InstanceId;
use crate::workspace::{Action, Error as WorkspaceError, Workspace, layout};

/// The files to read, and what was passed over with a word.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In path order, each once.
    pub(super) files: Vec<SourceFile>,
    /// Names that cannot be used, and links that are not followed.
    pub(super) findings: Vec<Diagnostic>,
    /// Of files of the store: what they have to be.
    pub(super) stored: BTreeMap<String, Stored>,
}

/// What the index of the store says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its content.
    pub(super) digest: Digest,
    /// The agents that it declares.
    pub(super) agents: BTreeSet<InstanceId>,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SourceFile {
    /// Relative to the root.
    pub(super) path: String,
    /// By what a change of it shows; `None` if the file cannot be looked at.
    pub(super) stat: Option<Stat>,
}

/// Compiled `--include` and `--exclude`.
pub(super) struct Selector {
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Selector {
    /// Compiles a selection.
    ///
    /// # Errors
    /// [`Error::Usage`] for a glob that is none.
    pub(super) fn new(selection: &Selection) -> Result<Self, Error> {
        let include = if selection.include.is_empty() { None } else { Some(compile("--include", &selection.include)?) };
        Ok(Self { include, exclude: compile("--exclude", &selection.exclude)? })
    }

    fn selects(&self, path: &str) -> bool {
        if self.include.is_none() && self.exclude.is_empty() {
            return true;
        }
        // A glob that matches a folder speaks for all that is in it, as in a gitignore file.
        let matches = |globs: &GlobSet| Path::new(path).ancestors().any(|part| globs.is_match(part));
        self.include.as_ref().is_none_or(matches) && !matches(&self.exclude)
    }
}

fn compile(option: &str, globs: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let invalid = |error: globset::Error| Error::Usage {
            message: format!("'{glob}' is not a glob: {}", error.kind()),
            help: Some(format!("expected one such as {option} 'agents/legacy/**'")),
        };
        let trimmed = glob.trim_start_matches("./").trim_end_matches('/');
        let anywhere = if trimmed.contains('/') { trimmed.to_owned() } else { format!("**/{trimmed}") };
        let compiled = GlobBuilder::new(anywhere.trim_start_matches('/')).literal_separator(true).build();
        set.add(compiled.map_err(invalid)?);
    }
    set.build().map_err(|error| Error::Usage { message: error.to_string(), help: None })
}

/// Finds the files that a selection names.
///
/// # Errors
/// [`Error::Workspace`] if a folder cannot be listed.
pub(super) fn find(workspace: &Workspace, selector: &Selector) -> Result<Found, Error> {
    let root = workspace.root();
    let real_root = std::fs::canonicalize(root).map_err(|source| read_error(root, source))?;
    let mut found = Found::default();
    walk(workspace, &real_root, selector, &mut found)?;
    list_manifests(workspace, &real_root, selector, &mut found)?;
    list_store(workspace, selector, &mut found)?;
    found.files.sort_unstable();
    found.files.dedup_by(|a, b| a.path == b.path);
    found.findings.retain(|finding| finding.place.as_ref().is_none_or(|place| selector.selects(&place.file)));
    crate::diagnostic::sort(&mut found.findings);
    Ok(found)
}

fn walk(workspace: &Workspace, real_root: &Path, selector: &Selector, found: &mut Found) -> Result<(), Error> {
    let root = workspace.root().to_owned();
    let escaping: &'static str = "a link out of the workspace is not followed";
    let skipped = std::sync::Arc::new(Mutex::new(Vec::new()));
    let filter = {
        let (root, real_root, skipped) = (root.clone(), real_root.to_owned(), skipped.clone());
        move |entry: &DirEntry| {
            if entry.depth() == 0 {
                return true;
            }
            let top = entry.depth() == 1;
            if top && entry.file_name() != layout::AGENTS && entry.file_name() != layout::PROVIDERS {
                return false;
            }
            let stays = !entry.path_is_symlink() || leads_inside(entry.path(), &real_root);
            if !stays {
                let path = entry.path().strip_prefix(&root).unwrap_or(entry.path()).to_owned();
                skipped.lock().expect("no thread panics with the list").push(path);
            }
            stays
        }
    };
    // From the root, so that its own .gitignore counts; nothing above it and nothing of the user's.
    let walker = WalkBuilder::new(&root)
        .standard_filters(false)
        .hidden(true)
        .git_ignore(true)
        .require_git(false)
        .follow_links(true)
        .threads(rayon::current_num_threads())
        .filter_entry(filter)
        .build_parallel();
    let all: Mutex<(Vec<Found>, Vec<ignore::Error>)> = Mutex::default();
    let gathered = &all;
    walker.run(|| {
        // Each thread gathers alone, and hands over what it has at its end.
        let mut mine = HandOver { found: Found::default(), to: gathered };
        Box::new(move |entry| {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    let stat = || entry.metadata().ok().map(|metadata| Stat::of(&metadata));
                    add(workspace, entry.path(), stat, selector, &mut mine.found);
                }
                Ok(_) => {}
                Err(error) => gathered.lock().expect("no thread panics with the lists").1.push(error),
            }
            WalkState::Continue
        })
    });
    let (parts, errors) = all.into_inner().expect("no thread panicked with the lists");
    for part in parts {
        found.files.extend(part.files);
        found.findings.extend(part.findings);
    }
    for path in skipped.lock().expect("no thread panicked with the list").iter() {
        found.findings.push(passed_over(&workspace.relative(path), escaping));
    }
    for error in errors {
        walk_error(workspace, error, found)?;
    }
    Ok(())
}

/// What one thread of the walk found.
struct HandOver<'a> {
    found: Found,
    to: &'a Mutex<(Vec<Found>, Vec<ignore::Error>)>,
}

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        self.to.lock().expect("no thread panics with the lists").0.push(std::mem::take(&mut self.found));
    }
}

/// The folder that tools write to is no part of the repository: its files count whatever gitignore files say.
fn list_manifests(
    workspace: &Workspace,
    real_root: &Path,
    selector: &Selector,
    found: &mut Found,
) -> Result<(), Error> {
    let folder = workspace.path(layout::MANIFESTS);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(read_error(&folder, source)),
    };
    if !leads_inside(&folder, real_root) {
        found.findings.push(passed_over(layout::MANIFESTS, "a link out of the workspace is not followed"));
        return Ok(());
    }
    for entry in entries {
        let entry = entry.map_err(|source| read_error(&folder, source))?;
        let path = entry.path();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if is_link && !leads_inside(&path, real_root) {
            found.findings.push(passed_over(&workspace.relative(&path), "a link out of the workspace is not followed"));
        } else if path.is_file() {
            let stat = || std::fs::metadata(&path).ok().map(|metadata| Stat::of(&metadata));
            add(workspace, &path, stat, selector, found);
        }
    }
    Ok(())
}

/// The objects in which the agents of the store stand as they were written.
fn list_store(workspace: &Workspace, selector: &Selector, found: &mut Found) -> Result<(), Error> {
    let store = Store::of(workspace);
    let index = store.index()?;
    for (name, canonical) in &index.agents {
        let digest = index.written(*canonical);
        let Some(entry) = store.locate(digest)? else {
            let pointer = json::push_token("/agents", &name.to_string());
            let message = format!("'{name}' stands for {digest}, which is not in the store");
            let finding = Diagnostic::error("RTT-O006", message).at(Place::pointer(layout::STORE_INDEX, pointer));
            found.findings.push(finding.help("ingest or unpack it again, or forget the name with rtt-cas forget"));
            continue;
        };
        let path = entry.file();
        if !selector.selects(&path) {
            continue;
        }
        let stored = found.stored.entry(path.clone()).or_insert_with(|| Stored { digest, agents: BTreeSet::new() });
        stored.agents.insert(name.clone());
        if stored.agents.len() == 1 {
            let stat = std::fs::metadata(workspace.path(&path)).ok().map(|metadata| Stat::of(&metadata));
            found.files.push(SourceFile { path, stat });
        }
    }
    Ok(())
}

/// Takes a file if it is one that stage 10 reads.
fn add(
    workspace: &Workspace,
    path: &Path,
    stat: impl FnOnce() -> Option<Stat>,
    selector: &Selector,
    found: &mut Found,
) {
    let inside = path.strip_prefix(workspace.root()).unwrap_or(path);
    let relative = inside.to_string_lossy();
    let is_agent = inside.starts_with(layout::AGENTS);
    let wanted = relative.ends_with(if is_agent { ".agent.json" } else { ".json" });
    if !wanted || !selector.selects(&relative) {
        return;
    }
    // State files name their sources, and JSON can name only Unicode.
    if inside.to_str().is_none() {
        let relative = workspace.relative(path);
        found.findings.push(
            Diagnostic::error("RTT-M015", "the file's name is not UTF-8, expected one that state files can hold")
                .at(Place::file(relative))
                .help("rename the file, or leave it out with --exclude"),
        );
    } else {
        found.files.push(SourceFile { path: relative.into_owned(), stat: stat() });
    }
}

/// A loop of links is passed over, a link to nothing is an unreadable file, and anything else stops the run.
fn walk_error(workspace: &Workspace, error: ignore::Error, found: &mut Found) -> Result<(), Error> {
    match error {
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            walk_error(workspace, *err, found)
        }
        ignore::Error::Partial(errors) => errors.into_iter().try_for_each(|error| walk_error(workspace, error, found)),
        ignore::Error::Loop { child, .. } => {
            let path = workspace.relative(&child);
            found.findings.push(passed_over(&path, "a link to a folder that contains it is not followed"));
            Ok(())
        }
        ignore::Error::WithPath { path, err } => match err.io_error().map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => {
                if path.symlink_metadata().is_ok() {
                    let relative = workspace.relative(&path);
                    let top = relative.split('/').next().unwrap_or_default().to_owned();
                    if [layout::AGENTS, layout::PROVIDERS].contains(&top.as_str()) {
                        found
                            .findings
                            .push(passed_over(&relative, "a link to a file that does not exist is not followed"));
                    }
                }
                // Else it vanished during the walk, which is as good as never having been there.
                Ok(())
            }
            Some(_) => {
                let source = err.into_io_error().unwrap_or_else(|| io::Error::other("cannot be listed"));
                Err(read_error(&path, source))
            }
            None => walk_error(workspace, *err, found),
        },
        ignore::Error::Io(source) => Err(read_error(workspace.root(), source)),
        // A line of a gitignore file that is no glob: git passes over it as well.
        other => {
            log::warn!("{other}");
            Ok(())
        }
    }
}

fn leads_inside(path: &Path, real_root: &Path) -> bool {
    // A link to nothing leads nowhere; the walk reports it.
    std::fs::canonicalize(path).map_or(true, |target| target.starts_with(real_root))
}

fn passed_over(path: &str, why: &str) -> Diagnostic {
    Diagnostic::warning("RTT-M014", why)
        .at(Place::file(path))
        .help("put the file itself there, or leave it out with --exclude")
}

fn read_error(path: &Path, source: io::Error) -> Error {
    WorkspaceError::Io { action: Action::Read, path: path.to_owned(), source }.into()
}
