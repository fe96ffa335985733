//! Languages: `stubs/<language>/`, embedded, with the workspace's files in front.
//!
//! Owns the reading of stubs. A new language is a new folder; nothing here knows one by name.

use std::collections::{BTreeMap, BTreeSet};

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use super::escape::Strings;
use super::name::Case;
use super::shape::{Construct, Keyword, TypeMap};
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::lane::Lane;
use crate::schema::Schema;
use crate::workspace::state::{self, StateError};
use crate::workspace::{self, Workspace, layout};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../stubs");

/// The page with the languages that were seen at work, written by `scripts/connectors-live.sh`.
const VERIFIED: &str = "VERIFIED.md";

/// The file that describes a language.
pub const STUB_FILE: &str = "stub.json";

/// `stubs/<language>/stub.json` (`schemas/rtt.stub.schema.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stub {
    /// Format version.
    pub version: String,
    /// What the language is called, for people.
    pub title: String,
    /// Other names that manifests may use.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Folder inside `.rtt/drivers/`.
    pub directory: String,
    /// Extension of connector files, without the dot.
    pub extension: String,
    /// The template of a connector.
    pub template: String,
    /// The embedded grammar; `None`: the toolchain's check is the syntax check.
    #[serde(default)]
    pub grammar: Option<String>,
    /// The lanes that connectors can open.
    pub lanes: Vec<Lane>,
    /// How names are written.
    pub names: Names,
    /// Words that are no identifiers.
    pub reserved: BTreeSet<String>,
    /// Identifiers that methods must not take, because the connector has them already.
    #[serde(default)]
    pub reserved_methods: BTreeSet<String>,
    /// Only object schemas whose member names have these characters beyond letters, digits and `_` are declared;
    /// absent: any name will do.
    #[serde(default)]
    pub declarable_characters: Option<String>,
    /// Keywords that the language's checker of values understands beyond the common ones.
    #[serde(default)]
    pub checks: BTreeSet<Keyword>,
    /// Constructs for which it has declared types, beyond objects.
    #[serde(default)]
    pub declares: BTreeSet<Construct>,
    /// The most members of a declared object; one with more is a map.
    #[serde(default)]
    pub max_members: Option<usize>,
    /// Types.
    pub types: TypeMap,
    /// String literals.
    pub strings: Strings,
    /// Sequences that end a comment.
    #[serde(default)]
    pub comment_breaks: Vec<String>,
    /// Files that connectors need beside them.
    #[serde(default)]
    pub support: Vec<Support>,
    /// The language's own tools.
    #[serde(default)]
    pub toolchain: Toolchain,
    /// Packages beyond the standard library, by registry; for information.
    #[serde(default)]
    pub packages: BTreeMap<String, Vec<String>>,
}

/// How the names of a language are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Connector files, without extension.
    pub file: Case,
    /// Types.
    pub r#type: Case,
    /// Methods.
    pub method: Case,
    /// Members of types.
    pub field: Case,
    /// Values of enumerations.
    #[serde(default = "Case::of_constants")]
    pub value: Case,
}

/// A file that belongs to no single connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Support {
    /// The stub's file: a template if it ends in `.hbs`, else taken as it is.
    pub source: String,
    /// Its name in the output folder.
    pub file: String,
    /// Check its syntax as a connector's.
    #[serde(default)]
    pub is_code: bool,
}

/// The language's own tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// Command that accepts or refuses generated code, run in the output folder; an argument `{file}` makes it run once
    /// a code file. Empty: there is none.
    #[serde(default)]
    pub check: Vec<String>,
}

/// One language: its description and its files.
#[derive(Debug, Clone)]
pub struct Language {
    /// The folder's name, by which manifests name it.
    pub name: String,
    /// Its description.
    pub stub: Stub,
    /// Its other files by name.
    pub files: BTreeMap<String, String>,
    /// Digest of all of it.
    pub digest: Digest,
    /// The workspace has no files of its own for it.
    pub is_built_in: bool,
}

/// All languages.
#[derive(Debug, Clone)]
pub struct Stubs {
    languages: BTreeMap<String, Language>,
    aliases: BTreeMap<String, String>,
}

impl Stubs {
    /// Reads the embedded stubs and the workspace's, whose files win over the embedded ones of the same name.
    ///
    /// # Errors
    /// [`StateError::Invalid`] with every problem of every stub.
    pub fn load(workspace: &Workspace) -> Result<Self, StateError> {
        let mut sources: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for folder in EMBEDDED.dirs() {
            let files = sources.entry(file_name(folder.path())).or_default();
            for file in folder.files() {
                let text = file.contents_utf8().unwrap_or_default();
                files.insert(file_name(file.path()), text.to_owned());
            }
        }
        let changed = overlay(workspace, &mut sources)?;
        let mut languages = BTreeMap::new();
        let mut findings = Vec::new();
        for (name, files) in sources {
            match Language::read(&name, files) {
                Ok(mut language) => {
                    language.is_built_in = !changed.contains(&name);
                    languages.insert(name, language);
                }
                Err(problems) => findings.extend(problems),
            }
        }
        if !findings.is_empty() {
            return Err(StateError::Invalid(findings));
        }
        let mut aliases = BTreeMap::new();
        for language in languages.values() {
            for alias in &language.stub.aliases {
                aliases.entry(alias.clone()).or_insert_with(|| language.name.clone());
            }
        }
        Ok(Self { languages, aliases })
    }

    /// Returns a language by its name or an alias.
    pub fn get(&self, name: &str) -> Option<&Language> {
        self.languages.get(name).or_else(|| self.languages.get(self.aliases.get(name)?))
    }

    /// Returns all languages, sorted by name.
    pub fn languages(&self) -> impl Iterator<Item = &Language> {
        self.languages.values()
    }

    /// Returns one digest over all stubs.
    pub fn digest(&self) -> Digest {
        let parts: Vec<String> =
            self.languages.values().map(|language| format!("{} {}\n", language.name, language.digest)).collect();
        Digest::of_bytes(parts.concat())
    }
}

impl Language {
    /// Returns how far its connectors were seen at work (`live`: they made calls in the test matrix), by
    /// `stubs/VERIFIED.md`; `None` for a language that was not, or is the workspace's own.
    pub fn seen_at_work(&self) -> Option<&'static str> {
        let page = EMBEDDED.get_file(VERIFIED)?.contents_utf8()?;
        let mut rows = page.lines().map(|line| line.split('|').map(str::trim).skip(1));
        let level = rows.find_map(|mut cells| (cells.next()? == self.name).then(|| cells.next())?);
        level.filter(|_| self.is_built_in)
    }

    fn read(name: &str, mut files: BTreeMap<String, String>) -> Result<Self, Vec<Diagnostic>> {
        let folder = format!("{}/{name}", layout::STUBS);
        let path = format!("{folder}/{STUB_FILE}");
        let problem = |message: String| Diagnostic::error("RTT-C001", message).at(Place::file(path.clone()));
        let listing: Vec<String> =
            files.iter().map(|(file, text)| format!("{file} {}\n", Digest::of_bytes(text))).collect();
        let Some(text) = files.remove(STUB_FILE) else {
            return Err(vec![
                problem(format!("the folder has no {STUB_FILE}"))
                    .help(format!("add {STUB_FILE} (schemas/{}), or remove {folder}/", Schema::Stub.file_name())),
            ]);
        };
        let stub: Stub = match state::parse(&path, text.as_bytes(), Schema::Stub) {
            Ok(file) => file.value,
            Err(StateError::Invalid(findings)) => return Err(findings),
            Err(StateError::Workspace(error)) => return Err(vec![problem(error.to_string())]),
        };
        let mut problems = Vec::new();
        let needed = std::iter::once(&stub.template).chain(stub.support.iter().map(|support| &support.source));
        for file in needed.filter(|file| !files.contains_key(*file)) {
            problems.push(problem(format!("the file '{file}' is missing")).help(format!("add {folder}/{file}")));
        }
        match &stub.grammar {
            Some(grammar) if !rtt_syntax::knows(grammar) => {
                problems.push(problem(format!("there is no embedded grammar '{grammar}'")).help(format!(
                    "grammars: {}; leave it out to use the toolchain's check",
                    rtt_syntax::GRAMMARS.join(", ")
                )))
            }
            None if stub.toolchain.check.is_empty() => problems.push(
                problem("neither a grammar nor a toolchain check is named".to_owned())
                    .help("generated code is never written unchecked: name one of them"),
            ),
            _ => {}
        }
        if problems.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                stub,
                files,
                digest: Digest::of_bytes(listing.concat()),
                is_built_in: false,
            })
        } else {
            Err(problems)
        }
    }
}

/// Adds the files of the workspace's `stubs/` and returns the languages that they change. Files that are not UTF-8 and
/// nested folders are left out.
fn overlay(
    workspace: &Workspace,
    sources: &mut BTreeMap<String, BTreeMap<String, String>>,
) -> Result<BTreeSet<String>, workspace::Error> {
    let mut changed = BTreeSet::new();
    for folder in list(workspace, layout::STUBS)? {
        let relative = format!("{}/{folder}", layout::STUBS);
        if !workspace.path(&relative).is_dir() {
            continue;
        }
        for file in list(workspace, &relative)? {
            let path = format!("{relative}/{file}");
            if !workspace.path(&path).is_file() {
                continue;
            }
            if let Some(text) = workspace.read_optional(&path)?.and_then(|bytes| String::from_utf8(bytes).ok()) {
                let files = sources.entry(folder.clone()).or_default();
                if files.get(&file) != Some(&text) {
                    changed.insert(folder.clone());
                    files.insert(file, text);
                }
            }
        }
    }
    Ok(changed)
}

/// The visible names in a folder of the workspace, sorted; empty if it does not exist.
fn list(workspace: &Workspace, relative: &str) -> Result<Vec<String>, workspace::Error> {
    let path = workspace.path(relative);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(workspace::Error::read(&path, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| workspace::Error::read(&path, source))?;
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
