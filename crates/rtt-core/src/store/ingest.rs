//! Files become objects: agents under the names of the instances that they declare, anything else without a name or
//! under the one that was given.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Clash, Error, Object, Outcome, Role, Store};
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
/// How many files are read before what they gave is written.
const AT_ONCE: usize = 1024;

/// Stores files: all of them, or none if one cannot be.
///
/// # Errors
/// [`Error`]; problems of files are findings.
pub fn ingest(store: &Store, request: &Request, progress: &dyn Progress) -> Result<Ingested, Error> {
    let mut writer = store.write()?;
    let mut ingested = Ingested::default();
    progress.start("Reading files", request.files.len() as u64);
    for files in request.files.chunks(AT_ONCE) {
        let parsed: Vec<Parsed> = files
            .par_iter()
            .map(|file| {
                let parsed = read(file, request.name.as_ref());
                progress.advance(1);
                parsed
            })
            .collect();
        let mut objects = Vec::new();
        let mut about = Vec::new();
        for (file, parsed) in files.iter().zip(parsed) {
            ingested.findings.extend(parsed.findings);
            for (name, object) in parsed.objects {
                about.push((file.display().to_string(), name));
                objects.push(object);
            }
        }
        let outcomes = writer.put_all(&objects)?;
        for (((file, name), object), outcome) in about.into_iter().zip(&objects).zip(outcomes) {
            if let Some((role, name)) = &name {
                match writer.name(*role, name.clone(), object.digest(), request.clash) {
                    Ok(is_new) => ingested.names += usize::from(is_new),
                    Err(error @ Error::Clash { .. }) => ingested.findings.push(clash(&file, &error)),
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

fn clash(file: &str, error: &Error) -> Diagnostic {
    Diagnostic::error("RTT-O003", error.to_string())
        .at(Place::file(file))
        .help("raise the version of what changed, or let the name stand for this one with --force")
}

/// What one file gave.
#[derive(Default)]
struct Parsed {
    objects: Vec<(Option<(Role, InstanceId)>, Object)>,
    findings: Vec<Diagnostic>,
}

impl Parsed {
    fn refused(finding: Diagnostic) -> Self {
        Self { objects: Vec::new(), findings: vec![finding] }
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
    let reading = (name.is_none() && file.ends_with(".json")).then(|| manifest::read(&file, &bytes));
    let object = match Object::of_file(&file, bytes) {
        Ok(object) => object,
        Err(finding) => return Parsed::refused(finding),
    };
    if let Some(name) = name {
        let name = Some((Role::Document, name.clone()));
        return Parsed { objects: vec![(name, object)], findings: Vec::new() };
    }
    let Some(reading) = reading else { return Parsed { objects: vec![(None, object)], findings: Vec::new() } };
    let is_other_document =
        !file.ends_with(AGENT_SUFFIX) && reading.diagnostics.iter().any(|finding| finding.rule == NO_MANIFEST);
    if is_other_document {
        return Parsed { objects: vec![(None, object)], findings: Vec::new() };
    }
    let mut parsed = Parsed { objects: Vec::new(), findings: reading.diagnostics };
    for finding in &mut parsed.findings {
        // The text is at hand here, and for files outside of the workspace nowhere else.
        if let (Some(place), Ok(text)) = (&mut finding.place, std::fs::read_to_string(path)) {
            place.resolve(&text);
        }
    }
    let [only] = reading.manifests.as_slice() else {
        let agents = reading.manifests.iter().map(|one| (agent(&one.manifest), normalised(&one.manifest)));
        parsed.objects.extend(agents);
        return parsed;
    };
    // A manifest in the canonical form is stored as it was written.
    let as_written = only.form == Form::Canonical && only.pointer.is_empty();
    let stored = if as_written { object } else { normalised(&only.manifest) };
    parsed.objects.push((agent(&only.manifest), stored));
    parsed
}

/// How the names of files end that are agent manifests and nothing else.
const AGENT_SUFFIX: &str = ".agent.json";
/// The rule of documents that are no manifest in any form.
const NO_MANIFEST: &str = "RTT-M008";

fn agent(manifest: &Manifest) -> Option<(Role, InstanceId)> {
    Some((Role::Agent, manifest.id()))
}

/// The object of a manifest that was written in another form or among others. A foreign form can take its name from
/// that of its file, which the store does not keep.
fn normalised(manifest: &Manifest) -> Object {
    Object::json(&serde_json::to_value(manifest).expect("manifests have string keys and finite numbers"))
}
