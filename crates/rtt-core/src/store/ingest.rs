//! Files become objects: agents under the names of the instances that they declare, anything else without a name or
//! under the one that was given.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use serde_json::Value;

use super::{Clash, Error, Object, Outcome, Role, Store, object};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::manifest::{self, Form, Manifest};
use crate::stage::Progress;
use crate::symbol::InstanceId;

/// What is to be stored, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The files.
    pub files: Vec<PathBuf>,
    /// The name of the one file; it is then a document, whatever it holds.
    pub name: Option<InstanceId>,
    /// What to do where a name stands for another object already.
    pub clash: Clash,
}

/// One object that a file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The file as it was named.
    pub file: String,
    /// The object.
    pub digest: Digest,
    /// Its name, if it has one.
    pub name: Option<InstanceId>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of the files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ingested {
    /// The objects, in the order of the files.
    pub stored: Vec<Stored>,
    /// How many names are new or stand for another object than before.
    pub names: usize,
    /// Problems, and what there is to say about manifests. With an error among them nothing was stored.
    pub findings: Vec<Diagnostic>,
}

/// The largest file that is stored, 1 GiB.
pub const MAX_OBJECT_BYTES: u64 = 1 << 30;
/// How many files are read before what they gave is written, and of how many bytes: memory does not grow with their number.
const FILES_AT_ONCE: usize = 1024;
const BYTES_AT_ONCE: u64 = 64 << 20;

/// Stores files: all of them, or none if one cannot be.
///
/// # Errors
/// [`Error`]; problems of files are findings.
pub fn ingest(store: &Store, request: &Request, progress: &dyn Progress) -> Result<Ingested, Error> {
    let mut writer = store.write()?;
    let mut ingested = Ingested::default();
    progress.start("Reading files", request.files.len() as u64);
    let mut rest = request.files.as_slice();
    while !rest.is_empty() {
        let (files, later) = rest.split_at(batch(rest));
        rest = later;
        let parsed: Vec<Parsed> = files
            .par_iter()
            .map(|file| {
                let parsed = read(file, request.name.as_ref());
                progress.advance(1);
                parsed
            })
            .collect();
        let mut objects = Vec::new();
        let mut layouts = Vec::new();
        let mut about = Vec::new();
        for (file, parsed) in files.iter().zip(parsed) {
            ingested.findings.extend(parsed.findings);
            for Draft { name, object, layout } in parsed.drafts {
                about.push((file.display().to_string(), name, layout.as_ref().map(Object::digest)));
                objects.push(object);
                layouts.extend(layout);
            }
        }
        let outcomes = writer.put_all(&objects)?;
        writer.put_all(&layouts)?;
        for (((file, name, layout), object), outcome) in about.into_iter().zip(&objects).zip(outcomes) {
            if let Some((role, name)) = &name {
                match writer.name(*role, name.clone(), object.digest(), request.clash) {
                    Ok(is_new) => {
                        let is_written_anew = *role == Role::Agent && writer.set_layout(object.digest(), layout);
                        ingested.names += usize::from(is_new || is_written_anew);
                    }
                    Err(error @ Error::Clash(_)) => ingested.findings.push(clash(&file, &error)),
                    Err(other) => return Err(other),
                }
            }
            let name = name.map(|(_, name)| name);
            ingested.stored.push(Stored { file, digest: object.digest(), name, outcome });
        }
    }
    progress.finish();
    if !ingested.findings.iter().any(|finding| finding.severity == Severity::Error) {
        writer.commit()?;
    }
    Ok(ingested)
}

/// How many of the next files are read at once: at least one.
fn batch(files: &[PathBuf]) -> usize {
    let mut bytes = 0;
    let fits = files.iter().take(FILES_AT_ONCE).take_while(|file| {
        bytes += std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        bytes <= BYTES_AT_ONCE
    });
    fits.count().max(1)
}

fn clash(file: &str, error: &Error) -> Diagnostic {
    Diagnostic::error("RTT-O003", error.to_string())
        .at(Place::file(file))
        .help("raise the version of what changed, or let the name stand for this one with --force")
}

/// What one file gave.
#[derive(Default)]
struct Parsed {
    drafts: Vec<Draft>,
    findings: Vec<Diagnostic>,
}

/// What is to be stored.
struct Draft {
    name: Option<(Role, InstanceId)>,
    object: Object,
    /// The same document as it was written, where its canonical form is another.
    layout: Option<Object>,
}

impl Parsed {
    fn refused(finding: Diagnostic) -> Self {
        Self { drafts: Vec::new(), findings: vec![finding] }
    }

    fn one(name: Option<(Role, InstanceId)>, object: Object) -> Self {
        Self { drafts: vec![Draft { name, object, layout: None }], findings: Vec::new() }
    }
}

fn read(path: &Path, name: Option<&InstanceId>) -> Parsed {
    let file = path.display().to_string();
    let refused = |message: String, help: &str| {
        Parsed::refused(Diagnostic::error("RTT-O007", message).at(Place::file(&file)).help(help.to_owned()))
    };
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            return refused("not a file".to_owned(), "name the files in it, or list them with --files-from");
        }
        Ok(metadata) if metadata.len() > MAX_OBJECT_BYTES => {
            let size = metadata.len();
            return refused(
                format!("the file has {size} bytes, more than the {MAX_OBJECT_BYTES} that are kept"),
                "split it into several files",
            );
        }
        _ => {}
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return refused(format!("cannot be read: {error}"), "name a file that exists and is readable"),
    };
    if name.is_some() || !file.ends_with(".json") {
        let name = name.map(|name| (Role::Document, name.clone()));
        return match Object::of_file(&file, bytes) {
            Ok(object) => Parsed::one(name, object),
            Err(finding) => Parsed::refused(*finding),
        };
    }
    let value = match object::parse(&file, &bytes) {
        Ok(value) => value,
        Err(finding) => return Parsed::refused(*finding),
    };
    let reading = manifest::read(&file, &bytes);
    let is_no_manifest = reading.diagnostics.iter().any(|finding| finding.rule == NO_MANIFEST);
    if is_no_manifest && !file.ends_with(AGENT_SUFFIX) {
        return Parsed::one(None, Object::json(&value));
    }
    let mut findings = reading.diagnostics;
    for place in findings.iter_mut().filter_map(|finding| finding.place.as_mut()) {
        // The text is at hand here, and for files outside of the workspace nowhere else.
        place.resolve(&String::from_utf8_lossy(&bytes));
    }
    let drafts = match reading.manifests.as_slice() {
        // A manifest in the canonical form is stored as it was written.
        [only] if only.form == Form::Canonical && only.pointer.is_empty() => vec![agent(&only.manifest, &value)],
        all => all.iter().map(|one| agent(&one.manifest, &normalised(&one.manifest))).collect(),
    };
    Parsed { drafts, findings }
}

/// How the names of files end that are agent manifests and nothing else.
const AGENT_SUFFIX: &str = ".agent.json";
/// The rule of documents that are no manifest in any form.
const NO_MANIFEST: &str = "RTT-M008";

fn agent(manifest: &Manifest, document: &Value) -> Draft {
    let name = Some((Role::Agent, manifest.id()));
    Draft { name, object: Object::json(document), layout: Object::written(document) }
}

/// A manifest that was written in another form or among others, alone. A foreign form can take its name from that of
/// its file, which the store does not keep.
fn normalised(manifest: &Manifest) -> Value {
    serde_json::to_value(manifest).expect("manifests have string keys and finite numbers")
}
