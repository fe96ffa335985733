//! The routing problem in integers: what is decided, what limits it, what is minimised.
//!
//! The model is that of the routing model page: latency in µs, throughput in Mbit/s, CPU in millicores, memory in MiB.
//! Indices are positions in the vectors of [`Problem`].

use crate::lane::{Lane, LaneTable};

/// A routing problem. Built from files by `crate::planner::build`, solved by `crate::planner::solve`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where instances can be placed, by host in file order, then by node id.
    pub nodes: Vec<Node>,
    /// Host names; [`Node::host`] points here.
    pub hosts: Vec<String>,
    /// Distance of each pair of nodes, row by row, on the ACPI SLIT scale (local 10); between hosts the link's.
    pub distance: Vec<Vec<i64>>,
    /// What lies between each pair of different hosts `a < b`, defaults filled in.
    pub links: Vec<Link>,
    /// Instances to place, sorted by name.
    pub agents: Vec<Agent>,
    /// Routes to decide, in the order of the plan.
    pub routes: Vec<Route>,
    /// Lane figures.
    pub lanes: LaneTable,
}

/// One NUMA node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Index of its host.
    pub host: usize,
    /// Its id on that host.
    pub id: u32,
    /// Capacity in millicores.
    pub millicores: i64,
    /// Capacity in MiB.
    pub memory_mib: i64,
}

/// The connection of two hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Lower host index.
    pub a: usize,
    /// Higher host index.
    pub b: usize,
    /// Latency in µs.
    pub latency_us: i64,
    /// Bandwidth in Mbit/s; `None`: unlimited.
    pub bandwidth_mbps: Option<i64>,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// `symbol@version`.
    pub name: String,
    /// Demand in millicores.
    pub millicores: i64,
    /// Demand in MiB.
    pub memory_mib: i64,
    /// Nodes that its pins allow, sorted; all nodes where it has none. Empty: infeasible.
    pub allowed: Vec<usize>,
    /// Whether the applied plan places it, and where: `None` if that plan does not know it, `Some(None)` if on a node
    /// that no longer exists.
    pub applied: Option<Option<usize>>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// As the plan names it.
    pub from: String,
    /// As the plan names it.
    pub to: String,
    /// The agent that calls.
    pub source: usize,
    /// Latency bound in µs; `None`: none.
    pub latency_us: Option<i64>,
    /// Throughput in Mbit/s, at least 1.
    pub throughput: i64,
    /// A violated bound makes the plan infeasible.
    pub strict: bool,
    /// Weight of a violation, at least 1.
    pub priority: i64,
    /// Primary candidates, sorted by target name and lane, each pair once. Empty: infeasible.
    pub candidates: Vec<Candidate>,
    /// Backup candidates: [`Self::candidates`] and those of the alternates, sorted by target name and lane, each pair once.
    pub backups: Vec<Candidate>,
    /// What policy asks of backups; `None` where it gives the route no alternates.
    pub failover: Option<Failover>,
    /// Target name and lane in the applied plan; `None` if that plan has no such route.
    pub applied: Option<(String, Lane)>,
}

/// A way to serve a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// The agent that is called.
    pub target: usize,
    /// By which lane.
    pub lane: Lane,
}

/// What policy asks of a route's backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failover {
    /// How far an independent backup is from the primary.
    pub spread: Spread,
    /// Without an independent backup the plan is infeasible.
    pub required: bool,
}

/// How far an independent backup's target is from the primary's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// On another NUMA node.
    Numa,
    /// On another host.
    Host,
}

/// The decisions, from which everything else follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Node of each agent.
    pub placement: Vec<usize>,
    /// Index into [`Route::candidates`] of each route.
    pub primaries: Vec<usize>,
}

/// The names of the five objectives, in their order.
pub const OBJECTIVES: [&str; 5] =
    ["qos_violations", "numa_distance", "communication_cost", "missing_redundancy", "churn"];

/// The five objective values O1…O5, compared lexicographically.
pub type Objective = [i64; 5];
