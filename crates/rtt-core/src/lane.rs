//! Lanes: the ways in which a call can travel, and their figures (`design` table of the routing model).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::schema::Schema;
use crate::workspace::state::{self, StateError};
use crate::workspace::{Workspace, layout};

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

/// What `.rtt/tuned/lanes.json` says of a lane.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Tuned {
    base_us: Option<i64>,
    per10_us: Option<i64>,
    bandwidth_mbps: Option<i64>,
    cost: Option<i64>,
}

#[derive(Deserialize)]
struct TunedFile {
    lanes: BTreeMap<Lane, Tuned>,
}

/// Reads the lane table, figure by figure over the defaults, and the digest of the file (of nothing if there is none).
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn read(workspace: &Workspace) -> Result<(LaneTable, Digest), StateError> {
    match workspace.read_optional(layout::LANES)? {
        Some(bytes) => parse(&bytes),
        None => Ok((LaneTable::default(), Digest::of_bytes(""))),
    }
}

/// Reads the bytes of a lane table.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn parse(bytes: &[u8]) -> Result<(LaneTable, Digest), StateError> {
    let file = state::parse::<TunedFile>(layout::LANES, bytes, Schema::Lanes)?;
    let mut table = LaneTable::default();
    for (lane, tuned) in file.value.lanes {
        let figures = table.figures(lane);
        table.set(
            lane,
            LaneFigures {
                base_us: tuned.base_us.unwrap_or(figures.base_us),
                per10_us: tuned.per10_us.unwrap_or(figures.per10_us),
                bandwidth_mbps: tuned.bandwidth_mbps.unwrap_or(figures.bandwidth_mbps),
                cost: tuned.cost.unwrap_or(figures.cost),
            },
        );
    }
    Ok((table, file.digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_wins_figure_by_figure() {
        let text = br#"{"version": "1.0.0", "lanes": {"uds": {"base_us": 42}}}"#;
        let (table, _) = parse(text).expect("valid");
        assert_eq!(table.figures(Lane::Uds), LaneFigures { base_us: 42, ..LaneTable::default().figures(Lane::Uds) });
        assert_eq!(table.figures(Lane::Tcp), LaneTable::default().figures(Lane::Tcp));
        assert!(parse(br#"{"version": "1.0.0", "lanes": {"pigeon": {"base_us": 42}}}"#).is_err());
    }
}
