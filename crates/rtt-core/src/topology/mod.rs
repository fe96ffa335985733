//! Hosts, NUMA nodes, distances and links: from `.rtt/topology.json`, else from the machine.

#[cfg(feature = "hwloc")]
mod hwloc;
mod read;
#[cfg_attr(feature = "hwloc", allow(dead_code, reason = "used where libhwloc finds nothing"))]
mod sysfs;

pub use read::{parse, read};

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diagnostic::Place;
use crate::digest::Digest;
use crate::workspace::layout;

/// The name of the machine's own host.
pub const LOCAL_HOST: &str = "local";
/// Distance of two nodes of a host where it is not said.
pub const DEFAULT_NODE_DISTANCE: i64 = 20;
/// Distance of two hosts where it is not said.
pub const DEFAULT_LINK_DISTANCE: i64 = 100;
/// Latency between two hosts where it is not said, in µs.
pub const DEFAULT_LINK_LATENCY_US: i64 = 200;
/// Distance of a node from itself on the ACPI SLIT scale.
pub const LOCAL_DISTANCE: i64 = 10;

/// What plans are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The hosts in file order, at least one.
    pub hosts: Vec<Host>,
    /// The links that are said, each pair of hosts at most once.
    pub links: Vec<Link>,
    /// SHA-256 of the file, or of the canonical form of what the machine says.
    pub digest: Digest,
    /// Options of the command line that suppose another capacity, by host and node id.
    pub supposed: BTreeMap<(usize, u32), String>,
    /// The file's text; `None` if the machine says it.
    text: Option<String>,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, unique.
    pub name: String,
    /// Its NUMA nodes by id, at least one.
    pub nodes: Vec<Node>,
    /// Distances in the order of `nodes`, each at least 10.
    pub distance: Vec<Vec<i64>>,
}

/// One NUMA node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id, unique on the host.
    pub id: u32,
    /// Processors in thousandths.
    pub millicores: i64,
    /// Memory in MiB.
    pub memory_mib: i64,
}

/// What lies between two hosts, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The host of the lower index.
    pub a: usize,
    /// The host of the higher index.
    pub b: usize,
    /// Latency in µs.
    pub latency_us: i64,
    /// Distance on the scale of the NUMA distances.
    pub distance: i64,
    /// Bandwidth in Mbit/s; `None`: unlimited.
    pub bandwidth_mbps: Option<i64>,
}

impl Topology {
    /// Tells whether `.rtt/topology.json` says it, not the machine.
    pub fn is_from_file(&self) -> bool {
        self.text.is_some()
    }

    /// Returns where the file says a figure of a node (`cpu`, `memory_mb`); `None` if the machine says it.
    pub fn node_place(&self, host: usize, id: u32, key: &str) -> Option<Place> {
        if let Some(option) = self.supposed.get(&(host, id)) {
            return Some(Place::file(option));
        }
        self.place(|document| {
            let nodes = document["hosts"][host]["nodes"].as_array()?;
            let node = nodes.iter().position(|node| node["id"] == id)?;
            Some(format!("/hosts/{host}/nodes/{node}/{key}"))
        })
    }

    /// Returns where the file says the bandwidth between two hosts; `None` if it does not.
    pub fn bandwidth_place(&self, a: usize, b: usize) -> Option<Place> {
        let ends = |link: &Value| [link["a"].as_str().map(str::to_owned), link["b"].as_str().map(str::to_owned)];
        let [a, b] = [a, b].map(|host| Some(self.hosts[host].name.clone()));
        self.place(|document| {
            let links = document["links"].as_array()?;
            let link = links
                .iter()
                .position(|link| ends(link) == [a.clone(), b.clone()] || ends(link) == [b.clone(), a.clone()])?;
            Some(format!("/links/{link}/bandwidth_mbps"))
        })
    }

    fn place(&self, pointer: impl FnOnce(&Value) -> Option<String>) -> Option<Place> {
        let text = self.text.as_ref()?;
        let pointer = pointer(&serde_json::from_str(text).ok()?)?;
        Some(Place::value(layout::TOPOLOGY, text, &pointer))
    }

    /// Returns the host of a name, by index.
    pub fn host(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == name)
    }

    /// Returns what lies between two different hosts, the defaults where nothing is said.
    pub fn link(&self, one: usize, other: usize) -> Link {
        let (a, b) = (one.min(other), one.max(other));
        self.links.iter().find(|link| (link.a, link.b) == (a, b)).cloned().unwrap_or(Link {
            a,
            b,
            latency_us: DEFAULT_LINK_LATENCY_US,
            distance: DEFAULT_LINK_DISTANCE,
            bandwidth_mbps: None,
        })
    }
}

/// What a machine says of one of its nodes, before it is normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RawNode {
    id: u32,
    processors: i64,
    memory_mib: i64,
}

/// Makes a one-host topology of what the machine says: nodes by id, distances such that the smallest diagonal is 10.
fn of_machine(nodes: Vec<RawNode>, distance: Option<Vec<Vec<u64>>>) -> Topology {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|&index| nodes[index].id);
    let smallest = distance.as_ref().and_then(|rows| (0..rows.len()).map(|index| rows[index][index]).min());
    let scaled = |a: usize, b: usize| match (&distance, smallest) {
        (Some(rows), Some(smallest)) if smallest > 0 => {
            let value = u128::from(rows[a][b]) * 10 / u128::from(smallest);
            i64::try_from(value).unwrap_or(i64::MAX).clamp(LOCAL_DISTANCE, 1_000_000)
        }
        _ if a == b => LOCAL_DISTANCE,
        _ => DEFAULT_NODE_DISTANCE,
    };
    let host = Host {
        name: LOCAL_HOST.to_owned(),
        distance: order.iter().map(|&a| order.iter().map(|&b| scaled(a, b)).collect()).collect(),
        nodes: order
            .iter()
            .map(|&index| &nodes[index])
            .map(|node| Node { id: node.id, millicores: node.processors * 1000, memory_mib: node.memory_mib })
            .collect(),
    };
    let nodes: Vec<_> = host.nodes.iter().map(|node| (node.id, node.millicores, node.memory_mib)).collect();
    let digest = Digest::of_json(&serde_json::json!({"nodes": nodes, "distance": host.distance}));
    Topology { hosts: vec![host], links: Vec::new(), digest, supposed: BTreeMap::new(), text: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_distances_are_normalised_in_the_order_of_ids() {
        let node = |id| RawNode { id, processors: 4, memory_mib: 1024 };
        let topology = of_machine(vec![node(1), node(0)], Some(vec![vec![25, 60], vec![50, 20]]));
        assert_eq!(topology.hosts[0].distance, [[10, 25], [30, 12]]);
        assert_eq!(topology.hosts[0].nodes[0].millicores, 4000);
        assert_eq!(of_machine(vec![node(0), node(1)], None).hosts[0].distance, [[10, 20], [20, 10]]);
        assert_eq!(of_machine(vec![node(0), node(1)], Some(vec![vec![0, 1], vec![1, 0]])).hosts[0].distance[0][1], 20);
    }
}
