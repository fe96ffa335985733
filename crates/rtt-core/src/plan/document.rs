//! The plan as it is written (`schemas/rtt.plan.schema.json`), and as it is read: a member that is not known is refused.

use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Digest;
use crate::json;
use crate::json::canonical::MAX_SAFE_INTEGER;
use crate::lane::Lane;
use crate::manifest::Qos;
use crate::schema::Schema;
use crate::symbol::{InstanceId, SymbolRange};

/// `plans/<id>.plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Further signatures of the same form.
    pub cosignatures: Vec<String>,
}

/// The members of a document that is a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// For editors.
    #[serde(default, rename = "$schema")]
    _schema: String,
    version: String,
    plan_id: Digest,
    timestamp: String,
    #[serde(deserialize_with = "json::object")]
    base: Base,
    #[serde(deserialize_with = "json::objects")]
    placement: Vec<Placement>,
    #[serde(deserialize_with = "json::objects")]
    routes: Vec<PlanRoute>,
    #[serde(deserialize_with = "json::objects")]
    objective: Vec<ObjectiveValue>,
    status: PlanStatus,
    #[serde(default, deserialize_with = "not_null")]
    signature: Option<String>,
    #[serde(default)]
    cosignatures: Vec<String>,
}

impl From<Written> for Plan {
    fn from(written: Written) -> Self {
        let Written { _schema, version, plan_id, timestamp, base, placement, routes, .. } = written;
        let Written { objective, status, signature, cosignatures, .. } = written;
        Self { version, plan_id, timestamp, base, placement, routes, objective, status, signature, cosignatures }
    }
}

fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(member: D) -> Result<Option<T>, D::Error> {
    T::deserialize(member).map(Some)
}

fn bounds<'de, D: Deserializer<'de>>(member: D) -> Result<Qos, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Bounds {
        #[serde(default, deserialize_with = "not_null")]
        latency_ms: Option<f64>,
        #[serde(default, deserialize_with = "not_null")]
        throughput_mbps: Option<f64>,
    }
    let Bounds { latency_ms, throughput_mbps } = json::object(member)?;
    Ok(Qos { latency_ms, throughput_mbps })
}

impl Plan {
    /// Returns where the routes lead, backups included.
    pub fn targets(&self) -> impl Iterator<Item = (&InstanceId, Lane)> {
        self.routes.iter().flat_map(|route| {
            let backups = route.backups.iter().map(|backup| (&backup.target, backup.via));
            std::iter::once((&route.target, route.via)).chain(backups)
        })
    }

    /// Reads a document in one go, if it is a plan as the schema says; `None` for any other, and then
    /// [`crate::workspace::state::parse`] has the words.
    pub fn accept(text: &str) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let plan: Self = json::object(&mut reader).ok()?;
        reader.end().ok()?;
        let is_bounded = |route: &PlanRoute| {
            u64::try_from(route.latency_us).is_ok_and(|latency| latency <= MAX_SAFE_INTEGER)
                && [route.qos.latency_ms, route.qos.throughput_mbps].into_iter().flatten().all(|bound| bound >= 0.0)
        };
        // The types say the rest of what the schema says of routes and placements; these are many.
        let head = Self { placement: Vec::new(), routes: Vec::new(), ..plan };
        let is_head = Schema::Plan.validator().is_valid(&serde_json::to_value(&head).ok()?);
        let plan = Self { placement: plan.placement, routes: plan.routes, ..head };
        (is_head && plan.routes.iter().all(is_bounded)).then_some(plan)
    }
}

/// The inputs of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
    #[serde(default, deserialize_with = "bounds", skip_serializing_if = "Qos::is_empty")]
    pub qos: Qos,
    /// Other targets, best first.
    #[serde(default, deserialize_with = "json::objects")]
    pub backups: Vec<Backup>,
}

/// Another target of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::workspace::state;

    fn full() -> Value {
        let digest = Digest::of_bytes("").to_string();
        let signature = format!("ed25519:{}:{}==", "0".repeat(16), "A".repeat(86));
        json!({
            "$schema": "../schemas/rtt.plan.schema.json", "version": "1.0.0", "plan_id": digest,
            "timestamp": "2025-10-27T12:00:00.5Z",
            "base": {"generation": 3, "routes": digest, "policy": digest, "registry": digest, "connectors": digest,
                     "topology": digest, "lanes": digest, "solver": "rtt-40-solver 0.1.0 effort=3"},
            "placement": [{"agent": "a.b@1.0.0-rc.1+x", "host": "local", "numa_node": 4294967295_u32}],
            "routes": [
                {"from": "a.b", "to": "c.d@^1", "source": "a.b@1.0.0", "target": "c.d@1.2.0", "via": "uds", "host": "local",
                 "numa_node": 0, "latency_us": 9007199254740991_u64, "qos": {"latency_ms": 0, "throughput_mbps": 1.5},
                 "backups": [{"target": "c.d@1.1.0", "via": "tcp", "host": "other", "numa_node": 1}]},
                {"from": "a.b", "to": "e.f", "source": "a.b@1.0.0", "target": "e.f@1.0.0", "via": "shm", "host": "local",
                 "numa_node": 0, "latency_us": 0},
            ],
            "objective": [{"name": "qos_violations", "value": 1, "bound": 0}],
            "status": "feasible", "signature": signature, "cosignatures": [signature],
        })
    }

    /// Reads both ways; returns whether the quick one accepted.
    fn check(document: &Value) -> bool {
        let text = document.to_string();
        let Some(plan) = Plan::accept(&text) else { return false };
        let thorough = state::parse::<Plan>("x.plan.json", text.as_bytes(), Schema::Plan);
        assert_eq!(thorough.map(|file| file.value).map_err(|error| error.to_string()), Ok(plan), "{text}");
        true
    }

    /// Every value replaced by others in turn, every member misspelt or left out: whatever is still accepted must be right.
    #[test]
    fn accepts_nothing_that_the_schema_objects_to() {
        let document = full();
        assert!(check(&document));
        let others = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(9007199254740992_u64),
            json!(4294967296_u64),
            json!(""),
            json!("a.b"),
            json!("a.b@1.0.0"),
            json!("A.b@1.0.0"),
            json!("1.0.0"),
            json!("2.0.0"),
            json!("uds"),
            json!("optimal"),
            json!([]),
            json!([1]),
            json!({}),
            json!({"latency_ms": null}),
            json!({"latency_ms": -1}),
        ];
        let mut accepted = 0;
        for pointer in crate::json::pointers(&document) {
            for other in &others {
                let mut changed = document.clone();
                *changed.pointer_mut(&pointer).expect("collected") = other.clone();
                accepted += usize::from(check(&changed));
            }
            let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
            for name in [None, Some(format!("{key}x")), Some("$schema".to_owned())] {
                let mut changed = document.clone();
                let Some(Value::Object(members)) = changed.pointer_mut(parent) else { continue };
                let Some(value) = members.remove(key) else { continue };
                members.extend(name.map(|name| (name, value)));
                accepted += usize::from(check(&changed));
            }
        }
        assert!(accepted > 30, "{accepted}: the test is about what is accepted");
    }
}
