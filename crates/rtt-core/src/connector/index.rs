//! `.rtt/cache/connectors.json`, stage 30's index (`schemas/rtt.connectors.schema.json`).

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::lane::Lane;
use crate::symbol::{InstanceId, Symbol};
use crate::workspace::state::Fingerprint;

/// The index of generated connectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connectors {
    /// Format version.
    pub version: String,
    /// What they were made from.
    pub fingerprint: Fingerprint,
    /// The connectors, sorted by path.
    pub connectors: Vec<Connector>,
    /// Files that connectors need beside them (`__init__.py`, `go.mod`, …), sorted by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub support: Vec<SupportFile>,
}

impl Connectors {
    /// Returns the digest of what was generated, whatever it was made from.
    pub fn content(&self) -> Digest {
        let covered = (&self.connectors, &self.support);
        Digest::of_bytes(serde_json::to_vec(&covered).expect("string keys and finite numbers"))
    }
}

/// One generated connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    /// Relative to the root.
    pub path: String,
    /// SHA-256 of the content, 64 hex digits.
    pub sha256: String,
    /// The language.
    pub language: String,
    /// The provider's symbol.
    pub symbol: Symbol,
    /// The provider's major version.
    pub major: u64,
    /// The dependency edges that it serves.
    pub serves: Vec<Served>,
    /// The lanes that it can open.
    pub lanes: Vec<Lane>,
    /// How far it was checked.
    pub verification: Verification,
}

/// One dependency edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Served {
    /// The consumer.
    pub from: InstanceId,
    /// The provider.
    pub to: InstanceId,
}

/// A file that belongs to no single connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportFile {
    /// Relative to the root.
    pub path: String,
    /// SHA-256 of the content, 64 hex digits.
    pub sha256: String,
}

/// How far a connector was checked: never claimed, always measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verification {
    /// It parses.
    Parsed,
    /// The language's own compiler or linter accepts it.
    Compiled,
}
