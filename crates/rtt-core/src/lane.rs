//! Lanes: the ways in which a call can travel, and their figures (`design` table of the routing model).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A transport between two agents; the order is the order of preference where nothing else decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// A shared-memory ring.
    Shm,
    /// A Unix-domain stream socket.
    Uds,
    /// A TCP connection.
    Tcp,
    /// Standard input and output of a child process.
    Stdio,
}

impl Lane {
    /// Every lane, in order.
    pub const ALL: [Self; 4] = [Self::Shm, Self::Uds, Self::Tcp, Self::Stdio];
    /// What a manifest offers that names no lanes.
    pub const DEFAULT: [Self; 2] = [Self::Uds, Self::Tcp];

    /// Returns the name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shm => "shm",
            Self::Uds => "uds",
            Self::Tcp => "tcp",
            Self::Stdio => "stdio",
        }
    }

    /// Tells whether the lane reaches another host.
    pub fn crosses_hosts(self) -> bool {
        self == Self::Tcp
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Lane {
    type Err = UnknownLane;

    fn from_str(text: &str) -> Result<Self, UnknownLane> {
        Self::ALL.into_iter().find(|lane| lane.name() == text).ok_or_else(|| UnknownLane(text.to_owned()))
    }
}

/// The text names no lane.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a lane (shm, uds, tcp, stdio)")]
pub struct UnknownLane(String);

/// The figures of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneFigures {
    /// Latency of a call between neighbours on one node, in µs.
    pub base_us: i64,
    /// Latency added per 10 units of NUMA distance beyond the local 10, in µs.
    pub per10_us: i64,
    /// Bandwidth in Mbit/s.
    pub bandwidth_mbps: i64,
    /// Cost per Mbit/s, without unit.
    pub cost: i64,
}

/// The figures of all lanes: `.rtt/tuned/lanes.json` over the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneTable(BTreeMap<Lane, LaneFigures>);

impl LaneTable {
    /// Returns the figures of a lane.
    pub fn figures(&self, lane: Lane) -> LaneFigures {
        self.0[&lane]
    }

    /// Replaces the figures of a lane.
    pub fn set(&mut self, lane: Lane, figures: LaneFigures) {
        self.0.insert(lane, figures);
    }
}

impl Default for LaneTable {
    /// The table of the routing model.
    fn default() -> Self {
        let row = |base_us, bandwidth_mbps, cost| LaneFigures { base_us, per10_us: 400, bandwidth_mbps, cost };
        Self(BTreeMap::from([
            (Lane::Shm, row(100, 40_000, 1)),
            (Lane::Uds, row(500, 10_000, 3)),
            (Lane::Tcp, row(2_000, 5_000, 8)),
            (Lane::Stdio, row(1_000, 2_000, 4)),
        ]))
    }
}
