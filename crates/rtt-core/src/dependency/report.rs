//! `.rtt/cache/dependencies.json`, stage 20's output (`schemas/rtt.dependencies.schema.json`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::symbol::{InstanceId, Symbol};
use crate::version::Range;
use crate::workspace::state::Fingerprint;

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
    pub edges: Vec<Edge>,
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
    /// The agent also runs without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Instances that meet the requirement, best first: the highest version first.
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
