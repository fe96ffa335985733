//! Archives: the store, or a part of it, as one file for another machine or CI job.
//!
//! An archive is a tar file that begins with its own index, `index.json` (`schemas/rtt.archive.schema.json`): names, and
//! every object with its size, in the order in which they follow. The same objects and names give the same bytes.

mod pack;
mod tar;
mod unpack;

pub use pack::{Packed, pack};
pub use tar::Malformed;
pub use unpack::{Limits, Unpacked, unpack};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Entry;
use super::object;
use crate::digest::Digest;
use crate::symbol::InstanceId;

/// The name of the archive's index in the archive.
pub const INDEX: &str = "index.json";
/// The folder of the objects in the archive.
const FOLDER: &str = "sha256";

/// What an archive begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Format version.
    pub version: String,
    /// Agents, as in the store's index.
    pub agents: BTreeMap<InstanceId, Digest>,
    /// Other names, as in the store's index.
    pub documents: BTreeMap<InstanceId, Digest>,
    /// As in the store's index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub layouts: BTreeMap<Digest, Digest>,
    /// Every object, sorted by its path, each once.
    pub objects: Vec<Item>,
}

/// One object of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// `sha256/<64 hex digits>.json` or `.bin`.
    pub path: String,
    /// In bytes.
    pub size: u64,
}

fn path_of(entry: &Entry) -> String {
    format!("{FOLDER}/{}", object::file_name(entry.digest, entry.kind))
}

fn entry_of(path: &str) -> Option<Entry> {
    let (digest, kind) = object::parse_file_name(path.strip_prefix(FOLDER)?.strip_prefix('/')?)?;
    Some(Entry { digest, kind })
}
