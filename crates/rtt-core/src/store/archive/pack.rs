//! Writing an archive.

use std::collections::BTreeSet;
use std::io::{self, Write};

use rayon::prelude::*;

use super::{Contents, INDEX, Item, path_of, tar};
use crate::digest::Digest;
use crate::json;
use crate::stage::Progress;
use crate::store::{Entry, Error, Object, Reference, Store};
use crate::workspace::{self, state::FORMAT_VERSION};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// How many objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How many names.
    pub names: usize,
}

/// How many bytes of objects are read, in parallel, before they are written.
const AT_ONCE: u64 = 32 << 20;

/// Writes an archive of some objects and their names, or of the whole store. Every object is compared with its name
/// before it is written.
///
/// # Errors
/// [`Error::Unknown`], [`Error::Altered`], and [`Error::Workspace`] for what cannot be read; the writer's error comes
/// inside. What was written so far is of no use then.
pub fn pack(
    store: &Store,
    wanted: Option<&[Digest]>,
    out: &mut impl Write,
    progress: &dyn Progress,
) -> Result<io::Result<Packed>, Error> {
    let index = store.index()?;
    let mut objects = store.list()?.objects;
    // Of a document that somebody also put there as bytes, the document.
    objects.dedup_by_key(|entry| entry.digest);
    if let Some(wanted) = wanted {
        let layouts = wanted.iter().map(|digest| index.written(*digest));
        let wanted_all: BTreeSet<Digest> = wanted.iter().copied().chain(layouts).collect();
        objects.retain(|entry| wanted_all.contains(&entry.digest));
        let is_there = |digest: &&Digest| objects.iter().any(|entry| entry.digest == **digest);
        if let Some(missing) = wanted.iter().find(|digest| !is_there(digest)) {
            return Err(Error::Unknown(Reference::Digest(*missing)));
        }
    }
    let is_packed = |digest: &Digest| objects.binary_search_by(|entry| entry.digest.cmp(digest)).is_ok();
    if let Some((_, name, _)) = index.iter().find(|(_, _, digest)| wanted.is_none() && !is_packed(digest)) {
        return Err(Error::Unknown(Reference::Name(name.clone())));
    }
    let sizes = objects.par_iter().map(|entry| size(store, entry)).collect::<Result<Vec<u64>, Error>>()?;
    let contents = Contents {
        version: FORMAT_VERSION.to_owned(),
        agents: index.agents.into_iter().filter(|(_, digest)| is_packed(digest)).collect(),
        documents: index.documents.into_iter().filter(|(_, digest)| is_packed(digest)).collect(),
        layouts: index.layouts.into_iter().filter(|(one, other)| is_packed(one) && is_packed(other)).collect(),
        objects: objects.iter().zip(&sizes).map(|(entry, size)| Item { path: path_of(entry), size: *size }).collect(),
    };
    let packed = Packed {
        objects: objects.len(),
        bytes: sizes.iter().sum(),
        names: contents.agents.len() + contents.documents.len(),
    };
    let text = json::pretty(&contents);
    if let Err(error) = write_file(out, INDEX, text.as_bytes()) {
        return Ok(Err(error));
    }
    progress.start("Packing objects", objects.len() as u64);
    let mut rest = objects.as_slice();
    let mut sizes = sizes.as_slice();
    while !rest.is_empty() {
        let count = batch(sizes);
        let (now, later) = rest.split_at(count);
        let read = now.par_iter().map(|entry| whole(store, entry)).collect::<Result<Vec<Object>, Error>>()?;
        for (entry, object) in now.iter().zip(&read) {
            if let Err(error) = write_file(out, &path_of(entry), object.content()) {
                return Ok(Err(error));
            }
        }
        progress.advance(count as u64);
        (rest, sizes) = (later, &sizes[count..]);
    }
    progress.finish();
    Ok(tar::write_end(out).map(|()| packed))
}

/// How many of the next objects are read at once: at least one.
fn batch(sizes: &[u64]) -> usize {
    let mut bytes = 0;
    let fits = sizes.iter().take_while(|size| {
        bytes += **size;
        bytes <= AT_ONCE
    });
    fits.count().max(1)
}

fn size(store: &Store, entry: &Entry) -> Result<u64, Error> {
    let path = store.path(entry);
    match std::fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
        Ok(_) => Err(Error::NotAFile { file: entry.file() }),
        Err(source) => Err(workspace::Error::read(&path, source).into()),
    }
}

/// The object is as long as it was when its size was taken: its content is what its name says, or it is refused.
fn whole(store: &Store, entry: &Entry) -> Result<Object, Error> {
    store.read(entry)?.ok_or(Error::Unknown(Reference::Digest(entry.digest)))
}

fn write_file(out: &mut impl Write, name: &str, content: &[u8]) -> io::Result<()> {
    tar::write_header(out, name, content.len() as u64)?;
    out.write_all(content)?;
    tar::write_padding(out, content.len() as u64)
}
