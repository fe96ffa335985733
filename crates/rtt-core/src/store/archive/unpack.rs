//! Reading an archive into a store: everything in it, or nothing.

use std::collections::BTreeMap;
use std::io::Read;

use super::tar::{Malformed, Reader};
use super::{Contents, INDEX, Item, entry_of};
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::schema::Schema;
use crate::stage::Progress;
use crate::store::ingest::MAX_OBJECT_BYTES;
use crate::store::{Clash, Entry, Error, Object, Outcome, Role, Store};
use crate::symbol::InstanceId;
use crate::workspace::state::{self, StateError};

/// How much an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of all objects together.
    pub bytes: u64,
    /// The bytes of the archive's index.
    pub index_bytes: u64,
}

impl Default for Limits {
    /// 16 GiB of objects, 256 MiB of index: about two million objects.
    fn default() -> Self {
        Self { bytes: 16 << 30, index_bytes: 256 << 20 }
    }
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// How many objects the archive holds.
    pub objects: usize,
    /// How many of them were not there.
    pub added: usize,
    /// How many of them replaced an altered one.
    pub repaired: usize,
    /// How many names are new or stand for another object than before.
    pub names: usize,
}

/// How many bytes of objects are gathered before they are written.
const AT_ONCE: usize = 32 << 20;

/// Reads an archive. It is refused as a whole unless it is exactly what [`super::pack()`] could have written, but for the
/// metadata of tar headers.
///
/// # Errors
/// [`Error`] of the store; in it, findings about the archive, which is called `file`, and names that clash.
pub fn unpack(
    store: &Store,
    file: &str,
    input: impl Read,
    limits: Limits,
    clash: Clash,
    progress: &dyn Progress,
) -> Result<Result<Unpacked, Box<Diagnostic>>, Error> {
    let mut reader = Reader::new(input);
    let refuse = |at: u64, reason: String| {
        let finding = Diagnostic::error("RTT-O010", format!("byte {at}: {reason}")).at(Place::file(file));
        Box::new(finding.help("nothing of it was stored; make it again with rtt-cas pack"))
    };
    let contents = match read_contents(&mut reader, file, limits) {
        Ok(Ok(contents)) => contents,
        Ok(Err(reason)) => return Ok(Err(refuse(reader.position(), reason))),
        Err(error) => return Err(error.into()),
    };
    let expected = match check(&contents, limits) {
        Ok(expected) => expected,
        Err(reason) => return Ok(Err(refuse(reader.position(), reason))),
    };
    let mut writer = store.write()?;
    let mut unpacked = Unpacked { objects: expected.len(), ..Unpacked::default() };
    progress.start("Unpacking objects", expected.len() as u64);
    let mut written: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
    for (canonical, layout) in &contents.layouts {
        written.entry(*layout).or_default().push(*canonical);
    }
    let mut gathered = Vec::new();
    let mut bytes = 0;
    for (position, (entry, item)) in expected.iter().zip(&contents.objects).enumerate() {
        let at = reader.position();
        let object = match read_object(&mut reader, entry, item) {
            Ok(object) => object,
            Err(reason) => return Ok(Err(refuse(at, reason))),
        };
        let mut of = written.get(&object.digest()).into_iter().flatten();
        if let Some(canonical) = of.find(|canonical| !object.is_layout_of(**canonical)) {
            let reason = format!("'{}' is not the document {canonical} as the index says", item.path);
            return Ok(Err(refuse(at, reason)));
        }
        bytes += object.content().len();
        gathered.push(object);
        if bytes >= AT_ONCE || position + 1 == expected.len() {
            for outcome in writer.put_all(&gathered)? {
                unpacked.added += usize::from(outcome == Outcome::Added);
                unpacked.repaired += usize::from(outcome == Outcome::Repaired);
            }
            progress.advance(gathered.len() as u64);
            gathered.clear();
            bytes = 0;
        }
    }
    progress.finish();
    let at = reader.position();
    match reader.header() {
        Ok(None) => {}
        Ok(Some(header)) => {
            return Ok(Err(refuse(at, format!("'{}' is not in the archive's index", header.name))));
        }
        Err(error) => return Ok(Err(refuse(at, error.to_string()))),
    }
    let agents = contents.agents.into_iter().map(|(name, digest)| (Role::Agent, name, digest));
    for (role, name, digest) in agents.chain(contents.documents.into_iter().map(|(n, d)| (Role::Document, n, d))) {
        unpacked.names += usize::from(writer.name(role, name, digest, clash)?);
    }
    for (canonical, written) in contents.layouts {
        writer.set_layout(canonical, Some(written));
    }
    writer.commit()?;
    Ok(Ok(unpacked))
}

fn read_contents(
    reader: &mut Reader<impl Read>,
    file: &str,
    limits: Limits,
) -> Result<Result<Contents, String>, StateError> {
    let mut read = || -> Result<Vec<u8>, String> {
        let header = match reader.header() {
            Ok(Some(header)) if header.name == INDEX => header,
            Ok(_) => return Err(format!("expected {INDEX} first, the index of an archive of the store")),
            Err(error) => return Err(error.to_string()),
        };
        if header.size > limits.index_bytes {
            return Err(format!(
                "an index of {} bytes, more than the {} that are read",
                header.size, limits.index_bytes
            ));
        }
        reader.content(header.size).map_err(|error: Malformed| error.to_string())
    };
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(reason) => return Ok(Err(reason)),
    };
    let contents = serde_json::from_slice(&bytes).ok().filter(|contents: &Contents| contents.version.starts_with("1."));
    match contents {
        Some(contents) => Ok(Ok(contents)),
        None => state::parse(&format!("{file}#{INDEX}"), &bytes, Schema::Archive).map(|parsed| Ok(parsed.value)),
    }
}

/// Returns the objects that have to follow.
fn check(contents: &Contents, limits: Limits) -> Result<Vec<Entry>, String> {
    let mut expected: Vec<Entry> = Vec::with_capacity(contents.objects.len());
    let mut total: u64 = 0;
    for Item { path, size } in &contents.objects {
        let entry = entry_of(path).ok_or_else(|| format!("the index lists '{path}', which is no object's path"))?;
        if *size > MAX_OBJECT_BYTES {
            return Err(format!("'{path}' has {size} bytes, more than the {MAX_OBJECT_BYTES} that are kept"));
        }
        total = total.saturating_add(*size);
        if expected.last().is_some_and(|last| last.digest >= entry.digest) {
            return Err(format!("the index lists '{path}' twice or out of order"));
        }
        expected.push(entry);
    }
    if total > limits.bytes {
        return Err(format!(
            "objects of {total} bytes, more than the {} that are unpacked (--max-bytes)",
            limits.bytes
        ));
    }
    let holds = |digest: &Digest| expected.binary_search_by(|entry| entry.digest.cmp(digest)).is_ok();
    let names = contents.agents.iter().chain(&contents.documents);
    if let Some((name, digest)) = names.into_iter().find(|(_, digest)| !holds(digest)) {
        return Err(format!("'{name}' stands for {digest}, which is not in the archive"));
    }
    if let Some((digest, _)) = contents.layouts.iter().find(|(one, other)| !holds(one) || !holds(other)) {
        return Err(format!("the layout of {digest} is not in the archive"));
    }
    let twice: Option<&InstanceId> = contents.agents.keys().find(|name| contents.documents.contains_key(name));
    match twice {
        Some(name) => Err(format!("'{name}' stands in both lists, 'agents' and 'documents'")),
        None => Ok(expected),
    }
}

fn read_object(reader: &mut Reader<impl Read>, entry: &Entry, item: &Item) -> Result<Object, String> {
    let header = match reader.header().map_err(|error| error.to_string())? {
        Some(header) => header,
        None => return Err(format!("the archive ends before '{}', which its index lists", item.path)),
    };
    if header.name != item.path {
        return Err(format!("'{}' where the index lists '{}'", header.name, item.path));
    }
    if header.size != item.size {
        return Err(format!("'{}' has {} bytes, where the index says {}", item.path, header.size, item.size));
    }
    let object = Object::new(entry.kind, reader.content(header.size).map_err(|error| error.to_string())?);
    if object.digest() != entry.digest {
        return Err(format!("'{}' was altered: its content is {}", item.path, object.digest()));
    }
    if !object.is_canonical() {
        return Err(format!("'{}' is not JSON in its canonical form", item.path));
    }
    Ok(object)
}
