//! The plan as it is written (`schemas/rtt.plan.schema.json`).

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::lane::Lane;
use crate::manifest::Qos;
use crate::symbol::{InstanceId, SymbolRange};

/// `plans/<id>.plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Format version.
    pub version: String,
    /// Digest of the RFC 8785 form of the plan without `plan_id`, `timestamp`, `signature` and `cosignatures`.
    pub plan_id: Digest,
    /// When it was made, RFC 3339 in UTC.
    pub timestamp: String,
    /// What it was made from, and what an apply checks.
    pub base: Base,
    /// Node of each instance, by instance.
    pub placement: Vec<Placement>,
    /// The routes, sorted by `from`, then `to`.
    pub routes: Vec<PlanRoute>,
    /// The five objectives with value and proven bound, in their order.
    pub objective: Vec<ObjectiveValue>,
    /// Whether the values are proven.
    pub status: PlanStatus,
    /// `ed25519:<key id>:<base64>`; absent if unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Further signatures of the same form.
    #[serde(default)]
    pub cosignatures: Vec<String>,
}

/// The inputs of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Generation of `.rtt/routes.json` that the plan replaces.
    pub generation: u64,
    /// Digest of the desired routes (not their status, not the generation).
    pub routes: Digest,
    /// Digest of `.rtt/policy.json`'s bytes, of nothing if there is none.
    pub policy: Digest,
    /// Digest of what is registered, wherever it came from ([`crate::registry::Registry::content`]).
    pub registry: Digest,
    /// Digest of the generated connectors ([`crate::connector::index::Connectors::content`]).
    pub connectors: Digest,
    /// Digest of the topology that was planned for.
    pub topology: Digest,
    /// Digest of the lane figures.
    pub lanes: Digest,
    /// The solver's version and work limit, `rtt-40-solver 0.1.0 effort=3`.
    pub solver: String,
}

/// Where an instance runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The instance.
    pub agent: InstanceId,
    /// The host.
    pub host: String,
    /// The NUMA node's id on that host.
    pub numa_node: u32,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRoute {
    /// Who calls, as in the desired routes.
    pub from: SymbolRange,
    /// Whom, as in the desired routes.
    pub to: SymbolRange,
    /// The instance that calls.
    pub source: InstanceId,
    /// The instance that is called.
    pub target: InstanceId,
    /// By which lane.
    pub via: Lane,
    /// The target's host.
    pub host: String,
    /// The target's node.
    pub numa_node: u32,
    /// Latency of a call by the model, in µs.
    pub latency_us: i64,
    /// The effective bounds.
    #[serde(default, skip_serializing_if = "Qos::is_empty")]
    pub qos: Qos,
    /// Other targets, best first.
    #[serde(default)]
    pub backups: Vec<Backup>,
}

/// Another target of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The instance.
    pub target: InstanceId,
    /// By which lane.
    pub via: Lane,
    /// Its host.
    pub host: String,
    /// Its node.
    pub numa_node: u32,
}

/// One objective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectiveValue {
    /// Its name.
    pub name: String,
    /// The plan's value.
    pub value: i64,
    /// A value that no plan with these values at the levels before goes below.
    pub bound: i64,
}

/// How good the plan is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanStatus {
    /// Every bound equals its value by proof.
    Optimal,
    /// Feasible; the bounds say how far from optimal it can be.
    Feasible,
}
