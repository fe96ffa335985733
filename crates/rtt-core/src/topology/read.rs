//! Reading and checking `.rtt/topology.json`, and asking the machine where there is none.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{DEFAULT_LINK_DISTANCE, DEFAULT_LINK_LATENCY_US, DEFAULT_NODE_DISTANCE, LOCAL_DISTANCE};
use super::{Host, Link, Node, Topology};
use crate::diagnostic::{Diagnostic, Place};
use crate::schema::Schema;
use crate::units;
use crate::workspace::state::{self, StateError};
use crate::workspace::{Workspace, layout};

const RULE: &str = "RTT-T001";

#[derive(Deserialize)]
struct File {
    hosts: Vec<FileHost>,
    #[serde(default)]
    links: Vec<FileLink>,
}

#[derive(Deserialize)]
struct FileHost {
    name: String,
    nodes: Vec<FileNode>,
    distance: Option<Vec<Vec<i64>>>,
}

#[derive(Deserialize)]
struct FileNode {
    id: u32,
    cpu: f64,
    memory_mb: f64,
}

#[derive(Deserialize)]
struct FileLink {
    a: String,
    b: String,
    latency_us: Option<i64>,
    distance: Option<i64>,
    bandwidth_mbps: Option<f64>,
}

/// The variables by which a user names another machine to libhwloc.
const OTHER_MACHINES: [&str; 2] = ["HWLOC_XMLFILE", "HWLOC_SYNTHETIC"];

/// Reads the topology file; without one, asks libhwloc (which honours `HWLOC_XMLFILE` and `HWLOC_SYNTHETIC`), else the
/// kernel.
///
/// # Errors
/// [`StateError::Invalid`] with every error of the file; or if a user names another machine and libhwloc cannot load it.
pub fn read(workspace: &Workspace) -> Result<Topology, StateError> {
    match workspace.read_optional(layout::TOPOLOGY)? {
        Some(bytes) => parse(&bytes),
        None => detect().map_err(|finding| StateError::Invalid(vec![*finding])),
    }
}

fn detect() -> Result<Topology, Box<Diagnostic>> {
    let is_set = |variable: &&str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let described = OTHER_MACHINES.into_iter().find(is_set);
    #[cfg(feature = "hwloc")]
    if let Some(found) = super::hwloc::detect(described.is_some()) {
        return Ok(found);
    }
    match described {
        // A plan for the machine at hand would be a plan for the wrong one.
        Some(variable) => Err(Box::new(unloadable(variable))),
        None => Ok(super::sysfs::detect()),
    }
}

fn unloadable(variable: &str) -> Diagnostic {
    let value = std::env::var_os(variable).unwrap_or_default().to_string_lossy().into_owned();
    let finding = Diagnostic::error(RULE, format!("libhwloc cannot load the machine that ${variable} names: {value}"));
    let written_by = std::fs::read_to_string(&value).ok().filter(|_| variable == OTHER_MACHINES[0]).and_then(|text| {
        let (_, rest) = text.split_once("<topology version=\"")?;
        rest.split_once('"').map(|(version, _)| version.to_owned())
    });
    let finding = match written_by {
        Some(version) => finding.help(format!(
            "the file has XML version {version}; libhwloc 2 reads versions 1 and 2: export it with lstopo --export-xml-flags v2"
        )),
        None => finding.help("lstopo, given the same variable, shows what is wrong with it"),
    };
    finding.help(format!("or describe the machine in {}, or unset the variable", layout::TOPOLOGY))
}

/// Reads the bytes of a topology file.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn parse(bytes: &[u8]) -> Result<Topology, StateError> {
    let file = state::parse::<File>(layout::TOPOLOGY, bytes, Schema::Topology)?;
    let mut checker = Checker { text: &file.text, errors: Vec::new() };
    let File { hosts, links } = &file.value;
    for (index, host) in hosts.iter().enumerate() {
        checker.host(&hosts[..index], index, host);
    }
    let links = checker.links(hosts, links);
    if !checker.errors.is_empty() {
        return Err(StateError::Invalid(checker.errors));
    }
    let hosts = hosts.iter().map(host).collect();
    Ok(Topology { hosts, links, digest: file.digest, supposed: BTreeMap::new(), text: Some(file.text) })
}

struct Checker<'a> {
    text: &'a str,
    errors: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn error(&mut self, pointer: &str, message: String, help: &str) {
        let place = Place::value(layout::TOPOLOGY, self.text, pointer);
        self.errors.push(Diagnostic::error(RULE, message).at(place).help(help));
    }

    fn host(&mut self, earlier: &[FileHost], index: usize, host: &FileHost) {
        let at = format!("/hosts/{index}");
        if earlier.iter().any(|other| other.name == host.name) {
            self.error(&format!("{at}/name"), format!("two hosts are named '{}'", host.name), "rename one of them");
        }
        for (position, node) in host.nodes.iter().enumerate() {
            if host.nodes[..position].iter().any(|other| other.id == node.id) {
                let pointer = format!("{at}/nodes/{position}/id");
                self.error(&pointer, format!("host '{}' has two nodes {}", host.name, node.id), "number them anew");
            }
        }
        let Some(distance) = &host.distance else { return };
        let size = host.nodes.len();
        if distance.len() != size {
            let message = format!("'distance' has {} rows for {size} nodes", distance.len());
            self.error(&format!("{at}/distance"), message, "write one row and one column a node, in their order");
        }
        for (position, row) in distance.iter().enumerate().filter(|(_, row)| row.len() != size) {
            let message = format!("this row has {} distances for {size} nodes", row.len());
            self.error(&format!("{at}/distance/{position}"), message, "write one distance a node");
        }
    }

    fn links(&mut self, hosts: &[FileHost], links: &[FileLink]) -> Vec<Link> {
        let mut found: Vec<Link> = Vec::new();
        for (index, link) in links.iter().enumerate() {
            let mut end = |key: &str, name: &str| {
                let position = hosts.iter().position(|host| host.name == name);
                if position.is_none() {
                    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
                    let help = format!("hosts: {}", names.join(", "));
                    self.error(&format!("/links/{index}/{key}"), format!("there is no host '{name}'"), &help);
                }
                position
            };
            let (Some(a), Some(b)) = (end("a", &link.a), end("b", &link.b)) else { continue };
            let at = format!("/links/{index}");
            let (a, b) = (a.min(b), a.max(b));
            if a == b {
                self.error(&at, format!("the link joins '{}' to itself", link.a), "name two hosts");
            } else if found.iter().any(|other| (other.a, other.b) == (a, b)) {
                self.error(&at, format!("'{}' and '{}' are linked twice", link.a, link.b), "remove one link");
            } else {
                found.push(Link {
                    a,
                    b,
                    latency_us: link.latency_us.unwrap_or(DEFAULT_LINK_LATENCY_US),
                    distance: link.distance.unwrap_or(DEFAULT_LINK_DISTANCE),
                    bandwidth_mbps: link.bandwidth_mbps.map(|mbps| units::scale_down(mbps, 0)),
                });
            }
        }
        found.sort_by_key(|link| (link.a, link.b));
        found
    }
}

/// Nodes go by id, whatever their order in the file; distances follow them.
fn host(host: &FileHost) -> Host {
    let mut order: Vec<usize> = (0..host.nodes.len()).collect();
    order.sort_by_key(|&index| host.nodes[index].id);
    let distance = |a: usize, b: usize| match &host.distance {
        Some(rows) => rows[a][b],
        None if a == b => LOCAL_DISTANCE,
        None => DEFAULT_NODE_DISTANCE,
    };
    Host {
        name: host.name.clone(),
        distance: order.iter().map(|&a| order.iter().map(|&b| distance(a, b)).collect()).collect(),
        nodes: order
            .iter()
            .map(|&index| &host.nodes[index])
            .map(|node| Node {
                id: node.id,
                millicores: units::scale_down(node.cpu, 3),
                memory_mib: units::scale_down(node.memory_mb, 0),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        match parse(text.as_bytes()) {
            Ok(topology) => assert_eq!(expected, "", "{topology:?}"),
            Err(StateError::Invalid(errors)) => {
                let found: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
                assert_eq!(found.join("; "), expected, "{text}");
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn refuses_what_contradicts_itself() {
        let file =
            |hosts: &str, links: &str| format!(r#"{{"version": "1.0.0", "hosts": [{hosts}], "links": [{links}]}}"#);
        let host = |name: &str| format!(r#"{{"name": "{name}", "nodes": [{{"id": 0, "cpu": 1, "memory_mb": 1}}]}}"#);
        let two = format!("{},{}", host("a"), host("b"));
        check(&file(&two, r#"{"a": "b", "b": "a"}"#), "");
        check(&file(&format!("{},{}", host("a"), host("a")), ""), "two hosts are named 'a'");
        check(&file(&two, r#"{"a": "a", "b": "c"}"#), "there is no host 'c'");
        check(&file(&two, r#"{"a": "a", "b": "a"}"#), "the link joins 'a' to itself");
        check(&file(&two, r#"{"a": "a", "b": "b"}, {"a": "b", "b": "a"}"#), "'b' and 'a' are linked twice");
        let nodes = r#"{"id": 0, "cpu": 1, "memory_mb": 1}, {"id": 0, "cpu": 1, "memory_mb": 1}"#;
        let broken = format!(r#"{{"name": "h", "nodes": [{nodes}], "distance": [[10, 20], [20]]}}"#);
        check(&file(&broken, ""), "host 'h' has two nodes 0; this row has 1 distances for 2 nodes");
    }

    #[test]
    fn nodes_go_by_id_and_links_have_defaults() {
        let text = r#"{"version": "1.0.0", "hosts": [
            {"name": "h", "nodes": [{"id": 3, "cpu": 1.5, "memory_mb": 10}, {"id": 1, "cpu": 2, "memory_mb": 20}],
             "distance": [[10, 31], [32, 11]]},
            {"name": "g", "nodes": [{"id": 0, "cpu": 1, "memory_mb": 1}]}]}"#;
        let topology = parse(text.as_bytes()).expect("valid");
        assert_eq!(topology.hosts[0].distance, [[11, 32], [31, 10]]);
        assert_eq!(topology.hosts[0].nodes[1], Node { id: 3, millicores: 1500, memory_mib: 10 });
        assert_eq!(topology.link(1, 0).latency_us, 200);
    }
}
