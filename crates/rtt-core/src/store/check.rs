//! Whether the store is what its names say.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::reader::{Entry, Store};
use super::{ALTERED, Error, RESTORE};
use crate::diagnostic::{self, Diagnostic, Place};
use crate::digest::Digest;
use crate::json;
use crate::stage::Progress;
use crate::workspace::layout;

/// What came of looking at every object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// How many objects there are.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How many are not what their names say.
    pub altered: usize,
    /// Altered objects, names without one, and files that are none.
    pub findings: Vec<Diagnostic>,
}

/// Compares every object with its name, in parallel, and every name of the index with what is there.
///
/// # Errors
/// [`Error::State`] for an index that cannot be used, [`Error::Workspace`] if the folder cannot be listed.
pub fn verify(store: &Store, progress: &dyn Progress) -> Result<Verification, Error> {
    let listing = store.list()?;
    progress.start("Verifying objects", listing.objects.len() as u64);
    let sizes: Vec<Result<u64, Box<Diagnostic>>> = listing
        .objects
        .par_iter()
        .with_min_len(64)
        .map_init(
            || vec![0; BUFFER],
            |buffer, entry| {
                let size = check(&store.path(entry), entry, buffer);
                progress.advance(1);
                size
            },
        )
        .collect();
    progress.finish();
    let mut verification = Verification { objects: listing.objects.len(), ..Verification::default() };
    for size in sizes {
        match size {
            Ok(size) => verification.bytes += size,
            Err(finding) => verification.findings.push(*finding),
        }
    }
    verification.altered = verification.findings.len();
    for file in listing.strangers {
        let finding = Diagnostic::warning("RTT-O005", "not an object: its name is no digest with .json or .bin")
            .at(Place::file(file))
            .help("move it elsewhere, or ingest it");
        verification.findings.push(finding);
    }
    let index = store.index()?;
    let is_there = |digest| listing.objects.binary_search_by(|entry| entry.digest.cmp(&digest)).is_ok();
    for (role, name, digest) in index.iter().filter(|(_, _, digest)| !is_there(*digest)) {
        let pointer = json::push_token(role.pointer(), &name.to_string());
        let finding = Diagnostic::error("RTT-O006", format!("'{name}' stands for {digest}, which is not there"))
            .at(Place::pointer(layout::STORE_INDEX, pointer))
            .help("ingest or unpack it again, or forget the name");
        verification.findings.push(finding);
    }
    for (canonical, written) in index.layouts.iter().filter(|(_, written)| !is_there(**written)) {
        let pointer = json::push_token("/layouts", &canonical.to_string());
        let finding =
            Diagnostic::error("RTT-O006", format!("{canonical} was written as {written}, which is not there"))
                .at(Place::pointer(layout::STORE_INDEX, pointer))
                .help("ingest or unpack it again");
        verification.findings.push(finding);
    }
    diagnostic::sort(&mut verification.findings);
    Ok(verification)
}

/// How much is read at once, in bytes.
const BUFFER: usize = 1 << 17;

/// Returns the object's size if it is what its name says.
fn check(path: &Path, entry: &Entry, buffer: &mut [u8]) -> Result<u64, Box<Diagnostic>> {
    let finding =
        |message: String| Box::new(Diagnostic::error(ALTERED, message).at(Place::file(entry.file())).help(RESTORE));
    if !std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Err(finding("an object that is not a regular file".to_owned()));
    }
    match digest(path, buffer) {
        Ok((found, size)) if found == entry.digest => Ok(size),
        Ok((found, _)) => Err(finding(format!("the object was altered: its content is {found}"))),
        Err(error) => Err(finding(format!("the object cannot be read: {error}"))),
    }
}

fn digest(path: &Path, buffer: &mut [u8]) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok((Digest::from_bytes(hasher.finalize().into()), size)),
            Ok(length) => {
                hasher.update(&buffer[..length]);
                size += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
