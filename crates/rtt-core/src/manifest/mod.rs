//! The manifest in its canonical form: what an agent provides and requires.
//!
//! Foreign forms are turned into it in [`foreign`]; the rest of the code sees only this one.

mod accept;
mod check;
mod detect;
mod difference;
pub mod foreign;
mod read;
mod schema_shape;
mod schema_text;

pub use check::check;
pub use difference::differences;
pub use read::{Form, Reading, Sourced, read, too_large};
pub use schema_text::SchemaText;

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lane::Lane;
use crate::symbol::{InstanceId, Symbol};
use crate::units;
use crate::version::Range;

/// An agent manifest (`schemas/rtt.symbol.schema.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The agent's symbol.
    pub symbol: Symbol,
    /// Its version.
    pub version: Version,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The language that it is written in, and so the language of the connectors that it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Its interface.
    #[serde(default, skip_serializing_if = "Provides::is_empty")]
    pub provides: Provides,
    /// What it needs from others; each symbol at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Requirement>,
    /// The quality of service that it promises to callers and asks of providers.
    #[serde(default, skip_serializing_if = "Qos::is_empty")]
    pub qos: Qos,
    /// What it takes from the node it is placed on.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,
    /// Where it listens.
    #[serde(default, skip_serializing_if = "Endpoint::is_empty")]
    pub endpoint: Endpoint,
    /// Only one version may run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub singleton: bool,
    /// What the stages do not interpret.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, Value>,
}

impl Manifest {
    /// Returns `symbol@version`.
    pub fn id(&self) -> InstanceId {
        InstanceId { symbol: self.symbol.clone(), version: self.version.clone() }
    }

    /// Returns the lanes offered, the default ones where none are named.
    pub fn lanes(&self) -> &[Lane] {
        if self.provides.lanes.is_empty() { &Lane::DEFAULT } else { &self.provides.lanes }
    }
}

/// The interface that an agent offers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Provides {
    /// The protocol it speaks; `jsonrpc` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// The lanes it can be reached by; see [`Manifest::lanes`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    /// Capabilities offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Methods by name, sorted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub methods: BTreeMap<String, Method>,
}

impl Provides {
    /// Tells whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The name of a wire protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolName {
    /// JSON-RPC 2.0, one document a line.
    #[default]
    Jsonrpc,
    /// The Model Context Protocol; methods are tools.
    Mcp,
}

impl std::fmt::Display for ProtocolName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Jsonrpc => "jsonrpc",
            Self::Mcp => "mcp",
        })
    }
}

/// A protocol that is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// Which.
    pub name: ProtocolName,
    /// The interface's version under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// A protocol that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolRequest {
    /// Which.
    pub name: ProtocolName,
    /// Acceptable versions.
    #[serde(default)]
    pub version: Range,
}

/// One method.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// What it does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the parameters, by name; `None`: not described, so anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<SchemaText>,
    /// JSON Schema of the result; `None`: not described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<SchemaText>,
    /// Errors that callers should expect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<MethodError>,
}

/// An error that a method may answer with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MethodError {
    /// The JSON-RPC error code.
    pub code: i64,
    /// The message.
    #[serde(default)]
    pub message: String,
}

/// What an agent needs from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// From whom.
    pub symbol: Symbol,
    /// In which versions.
    #[serde(default)]
    pub version: Range,
    /// By which protocol; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<ProtocolRequest>,
    /// With which capabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The methods called, with the parameters that will be sent and the results that are understood.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub methods: BTreeMap<String, Method>,
    /// The agent also runs without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// Quality of service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Qos {
    /// Upper bound of a call's latency in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Throughput in Mbit/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_mbps: Option<f64>,
}

impl Qos {
    /// Tells whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the latency bound in µs, rounded down.
    pub fn latency_us(&self) -> Option<i64> {
        self.latency_ms.map(|ms| units::scale_down(ms, 3))
    }

    /// Returns the throughput in Mbit/s, rounded up, at least 1 and at most the schemas' 10^7.
    pub fn throughput(&self) -> Option<i64> {
        self.throughput_mbps.map(|mbps| units::scale_up(mbps, 0).clamp(1, 10_000_000))
    }
}

/// Demand on a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Memory in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<f64>,
}

impl Resources {
    /// Tells whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the demand in millicores, rounded up; 100 where it is not said.
    pub fn millicores(&self) -> i64 {
        self.cpu.map_or(100, |cpu| units::scale_up(cpu, 3))
    }

    /// Returns the demand in MiB, rounded up; 16 where it is not said.
    pub fn memory_mib(&self) -> i64 {
        self.memory_mb.map_or(16, |mib| units::scale_up(mib, 0))
    }
}

/// Where an agent listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// File name of its Unix socket inside `.rtt/sockets/`; see [`crate::registry::socket_name`] for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uds: Option<String>,
    /// `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<String>,
    /// Command and arguments of a child process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdio: Option<Vec<String>>,
    /// How the running agent takes part in applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

impl Endpoint {
    /// Tells whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a running agent takes part in applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Control {
    /// By JSON-RPC over `.rtt/sockets/<symbol>@<version>.ctl.sock`.
    Uds,
}
