//! Which objects nothing refers to.
//!
//! A reference is a digest's 64 hex digits, wherever they stand: in the index, a plan, the log of applies, or an object
//! that is itself referred to. Reading them as text errs on the side of keeping, also in a file that is damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::reader::Entry;
use super::{Error, Writer};
use crate::digest::Digest;
use crate::workspace::{self, Workspace, layout};

/// The folders whose files refer to objects; what is in their folders is not looked at.
const REFERRING: [&str; 3] = [layout::PLANS, layout::WAL, layout::WAL_OBJECTS];

/// What nothing refers to, and what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Unreferenced objects, sorted.
    pub objects: Vec<Entry>,
    /// Their bytes.
    pub bytes: u64,
    /// How many objects something refers to.
    pub kept: usize,
}

/// Finds the garbage of a store that nobody else writes to.
///
/// # Errors
/// [`Error::Workspace`] if something that may hold references cannot be read: nothing is garbage then.
pub fn find(writer: &Writer) -> Result<Garbage, Error> {
    let store = writer.store();
    let objects = store.list()?.objects;
    let mut stored: BTreeMap<Digest, Vec<&Entry>> = BTreeMap::new();
    for entry in &objects {
        stored.entry(entry.digest).or_default().push(entry);
    }
    let mut kept: BTreeSet<Digest> = BTreeSet::new();
    let mut open: Vec<Digest> = writer.index().iter().map(|(_, _, digest)| digest).collect();
    let named: BTreeSet<Digest> = open.iter().copied().collect();
    open.extend(writer.index().layouts.iter().filter(|(one, _)| named.contains(one)).map(|(_, other)| *other));
    for text in referring_files(store.workspace())? {
        open.extend(mentioned(&text));
    }
    while let Some(digest) = open.pop() {
        let Some(entries) = stored.get(&digest) else { continue };
        if !kept.insert(digest) {
            continue;
        }
        for entry in entries {
            let path = store.path(entry);
            match std::fs::read(&path) {
                Ok(content) => open.extend(mentioned(&content)),
                // A link to nothing, say; `verify` names it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(workspace::Error::read(&path, source).into()),
            }
        }
    }
    let mut garbage = Garbage::default();
    for entry in &objects {
        if kept.contains(&entry.digest) {
            garbage.kept += 1;
        } else {
            garbage.bytes += std::fs::symlink_metadata(store.path(entry)).map_or(0, |metadata| metadata.len());
            garbage.objects.push(entry.clone());
        }
    }
    Ok(garbage)
}

fn referring_files(workspace: &Workspace) -> Result<Vec<Vec<u8>>, Error> {
    let mut contents = Vec::new();
    for folder in REFERRING {
        let folder = workspace.path(folder);
        let unreadable = |path: &std::path::Path, source| workspace::Error::read(path, source);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(unreadable(&folder, source).into()),
        };
        for entry in entries {
            let path = entry.map_err(|source| unreadable(&folder, source))?.path();
            if path.is_file() {
                contents.push(std::fs::read(&path).map_err(|source| unreadable(&path, source))?);
            }
        }
    }
    Ok(contents)
}

/// Every 64 hex digits in a row.
fn mentioned(content: &[u8]) -> impl Iterator<Item = Digest> {
    let runs = content.split(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')).filter(|run| run.len() >= 64);
    runs.flat_map(|run| run.windows(64)).filter_map(|digits| Digest::from_hex(std::str::from_utf8(digits).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_wherever_they_stand() {
        let hex = Digest::of_bytes("x").hex();
        let count = |text: String| mentioned(text.as_bytes()).filter(|digest| digest.hex() == hex).count();
        assert_eq!(count(format!("{{\"a\":\"sha256:{hex}\"")), 1);
        assert_eq!(count(format!("00{hex}ff{hex}")), 2);
        assert_eq!(count(hex[1..].to_owned()), 0);
    }
}
