//! Hosts, NUMA nodes, distances and links.
