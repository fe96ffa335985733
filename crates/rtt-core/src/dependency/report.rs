//! `.rtt/cache/dependencies.json`, stage 20's output (`schemas/rtt.dependencies.schema.json`): one JSON document, in
//! which every edge has a line of its own.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::resolve::Resolution;
use crate::json;
use crate::symbol::{InstanceId, Symbol};
use crate::version::Range;
use crate::workspace::state::{FORMAT_VERSION, Fingerprint};

/// The dependency report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dependencies {
    /// Format version.
    pub version: String,
    /// What it was made from.
    pub fingerprint: Fingerprint,
    /// Counts by finding, and of edges.
    pub summary: BTreeMap<String, usize>,
    /// One entry a requirement, by consumer, then in the manifest's order.
    #[serde(deserialize_with = "json::compact")]
    pub edges: Vec<Edge>,
}

/// The dependency report without its edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Format version.
    pub version: String,
    /// As [`Dependencies::fingerprint`].
    pub fingerprint: Fingerprint,
    /// As [`Dependencies::summary`].
    pub summary: BTreeMap<String, usize>,
}

/// One requirement and what it resolves to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The instance that requires.
    pub from: InstanceId,
    /// The symbol required.
    pub symbol: Symbol,
    /// The versions accepted.
    pub range: Range,
    /// The agent also runs without it, or is let run: the finding that nothing meets the requirement is ignored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Instances that meet the requirement, best first: the highest version first.
    #[serde(deserialize_with = "json::compact")]
    pub accepted: Vec<InstanceId>,
    /// Instances of the symbol that do not, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
}

/// Why an instance does not meet a requirement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The instance.
    pub instance: InstanceId,
    /// In one sentence.
    pub reason: String,
}

/// How many edges a thread renders at once.
const CHUNK: usize = 4096;

/// Returns the text of the report.
pub(super) fn text(resolution: &Resolution, fingerprint: Fingerprint) -> Vec<u8> {
    let summary = resolution.summary().into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let head = Head { version: FORMAT_VERSION.to_owned(), fingerprint, summary };
    let lines: Vec<Vec<u8>> = resolution
        .edges
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut lines = Vec::new();
            for resolved in chunk {
                let mut edge = resolution.edge(resolved);
                edge.optional |= edge.accepted.is_empty();
                lines.extend_from_slice(b"\n    ");
                serde_json::to_writer(&mut lines, &edge).expect("edges have string keys, and memory takes everything");
                lines.push(b',');
            }
            lines
        })
        .collect();
    let mut text = json::pretty(&head).trim_end_matches("\n}\n").as_bytes().to_vec();
    text.extend_from_slice(b",\n  \"edges\": [");
    lines.iter().for_each(|chunk| text.extend_from_slice(chunk));
    if !resolution.edges.is_empty() {
        // The comma after the last one.
        text.pop();
        text.extend_from_slice(b"\n  ");
    }
    text.extend_from_slice(b"]\n}\n");
    text
}
