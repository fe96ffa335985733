//! NUMA nodes from the kernel's own files, for builds without libhwloc and machines on which it finds nothing.

use std::fs;
use std::path::Path;

use super::{RawNode, Topology, of_machine};

/// Reads the machine's nodes; a machine that names none is one node.
pub(super) fn detect() -> Topology {
    let nodes = nodes(Path::new("/sys/devices/system/node"));
    if nodes.is_empty() {
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as i64);
        return of_machine(vec![RawNode { id: 0, processors, memory_mib: total_memory() }], None);
    }
    let rows: Vec<Vec<u64>> = nodes.iter().map(|(_, row)| row.clone()).collect();
    let complete = rows.iter().all(|row| row.len() == rows.len());
    of_machine(nodes.into_iter().map(|(node, _)| node).collect(), complete.then_some(rows))
}

/// Nodes by id, each with its row of distances.
fn nodes(folder: &Path) -> Vec<(RawNode, Vec<u64>)> {
    let names =
        fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids: Vec<u32> = names.filter_map(|name| name.strip_prefix("node")?.parse().ok()).collect();
    ids.sort_unstable();
    let node = |id: u32| {
        let file = |name: &str| fs::read_to_string(folder.join(format!("node{id}")).join(name)).ok();
        let processors = processors_in(file("cpulist")?.trim());
        let memory_mib = file("meminfo")?.lines().find_map(|line| kib(line, "MemTotal:")).unwrap_or(0) / 1024;
        let row = file("distance").unwrap_or_default();
        let row = row.split_whitespace().filter_map(|value| value.parse().ok()).collect();
        Some((RawNode { id, processors, memory_mib }, row))
    };
    ids.into_iter().filter_map(node).collect()
}

/// `0-3,8` → 5.
fn processors_in(list: &str) -> i64 {
    let count = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(last.parse::<i64>().ok()? - first.parse::<i64>().ok()? + 1)
    };
    list.split(',').filter_map(count).sum()
}

fn total_memory() -> i64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    text.lines().find_map(|line| kib(line, "MemTotal:")).unwrap_or(0) / 1024
}

/// The number after a label, in KiB.
fn kib(line: &str, label: &str) -> Option<i64> {
    line.split_once(label)?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_lists() {
        assert_eq!((processors_in("0-3,8"), processors_in("")), (5, 0));
        assert_eq!(kib("Node 0 MemTotal:       2048 kB", "MemTotal:"), Some(2048));
        assert!(detect().hosts[0].nodes.iter().any(|node| node.millicores > 0));
    }
}
