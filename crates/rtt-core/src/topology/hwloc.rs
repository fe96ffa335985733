//! NUMA nodes and distances from libhwloc: the only module that may call C.
//!
//! The `hwloc2` crate links the library and gives the shape of its objects; it has no distances and keeps its handle
//! private, so the handle is opened here. Only names of version 2's interface are used.
#![allow(unsafe_code, reason = "calls a C library")]

use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::ptr;

use hwloc2::TopologyObject;

use super::{RawNode, Topology, of_machine};

/// `HWLOC_OBJ_NUMANODE` and `HWLOC_TYPE_DEPTH_NUMANODE` of version 2.
const NUMA_NODE: c_int = 13;
const NUMA_NODE_DEPTH: c_int = -3;
/// `HWLOC_DISTANCES_KIND_MEANS_LATENCY`.
const MEANS_LATENCY: c_ulong = 1 << 2;

/// `struct hwloc_distances_s`.
#[repr(C)]
struct Distances {
    count: c_uint,
    objects: *mut *mut TopologyObject,
    kind: c_ulong,
    values: *mut u64,
}

#[link(name = "hwloc")]
unsafe extern "C" {
    fn hwloc_get_api_version() -> c_uint;
    fn hwloc_topology_init(topology: *mut *mut c_void) -> c_int;
    fn hwloc_topology_load(topology: *mut c_void) -> c_int;
    fn hwloc_topology_is_thissystem(topology: *mut c_void) -> c_int;
    fn hwloc_topology_destroy(topology: *mut c_void);
    fn hwloc_get_nbobjs_by_depth(topology: *mut c_void, depth: c_int) -> c_uint;
    fn hwloc_get_obj_by_depth(topology: *mut c_void, depth: c_int, index: c_uint) -> *mut TopologyObject;
    fn hwloc_distances_get_by_type(
        topology: *mut c_void,
        object_type: c_int,
        count: *mut c_uint,
        distances: *mut *mut Distances,
        kind: c_ulong,
        flags: c_ulong,
    ) -> c_int;
    fn hwloc_distances_release(topology: *mut c_void, distances: *mut Distances);
}

/// An open topology, closed when dropped.
struct Handle(*mut c_void);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle was initialised and is destroyed once.
        unsafe { hwloc_topology_destroy(self.0) }
    }
}

impl Handle {
    fn open() -> Option<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: `init` writes the pointer on success; the handle is dropped on every later path.
        unsafe {
            if hwloc_get_api_version() >> 16 != 2 || hwloc_topology_init(&mut raw) != 0 {
                return None;
            }
            let handle = Self(raw);
            (hwloc_topology_load(raw) == 0).then_some(handle)
        }
    }

    /// Tells whether the library looked at this machine, and not at one that was described to it.
    fn is_this_machine(&self) -> bool {
        // SAFETY: the handle is loaded.
        unsafe { hwloc_topology_is_thissystem(self.0) != 0 }
    }

    fn nodes(&self) -> Vec<&TopologyObject> {
        // SAFETY: the handle is loaded; objects live as long as it does, and null ones are left out.
        unsafe {
            let count = hwloc_get_nbobjs_by_depth(self.0, NUMA_NODE_DEPTH);
            (0..count).filter_map(|index| hwloc_get_obj_by_depth(self.0, NUMA_NODE_DEPTH, index).as_ref()).collect()
        }
    }

    /// The latency matrix that covers all the given nodes, in their order.
    fn latencies(&self, ids: &[u32]) -> Option<Vec<Vec<u64>>> {
        let mut found = [ptr::null_mut(); 16];
        let mut count = found.len() as c_uint;
        // SAFETY: `count` says how many pointers fit, and the library says how many there are.
        let result =
            unsafe { hwloc_distances_get_by_type(self.0, NUMA_NODE, &mut count, found.as_mut_ptr(), MEANS_LATENCY, 0) };
        if result != 0 {
            return None;
        }
        let mut matrix = None;
        for &distances in found.iter().take(count as usize) {
            // SAFETY: the library filled this many pointers; each is valid until it is released, once, here.
            unsafe {
                matrix = matrix.or_else(|| ordered(&*distances, ids));
                hwloc_distances_release(self.0, distances);
            }
        }
        matrix
    }
}

/// # Safety
/// `distances` is one that the library returned and that was not released.
unsafe fn ordered(distances: &Distances, ids: &[u32]) -> Option<Vec<Vec<u64>>> {
    let size = distances.count as usize;
    // SAFETY: the library promises `count` objects, some of them null, and `count` × `count` values.
    let (objects, values) = unsafe {
        (std::slice::from_raw_parts(distances.objects, size), std::slice::from_raw_parts(distances.values, size * size))
    };
    let position = |id: u32| {
        // SAFETY: objects that are not null live as long as the topology.
        objects.iter().position(|object| unsafe { object.as_ref() }.is_some_and(|object| object.os_index() == id))
    };
    let positions = ids.iter().map(|&id| position(id)).collect::<Option<Vec<_>>>()?;
    Some(positions.iter().map(|&a| positions.iter().map(|&b| values[a * size + b]).collect()).collect())
}

/// Asks the library for this machine, or for the one that `HWLOC_XMLFILE` or `HWLOC_SYNTHETIC` describe, if one is
/// `described`; `None` if it knows no node, or cannot load the description: it would then go on with this machine.
pub(super) fn detect(described: bool) -> Option<Topology> {
    let handle = Handle::open().filter(|handle| !(described && handle.is_this_machine()))?;
    let nodes: Vec<RawNode> = handle
        .nodes()
        .into_iter()
        .map(|object| RawNode {
            id: object.os_index(),
            processors: object.cpuset().map_or(0, |set| i64::from(set.weight()).max(0)),
            memory_mib: i64::try_from(object.total_memory() / (1024 * 1024)).unwrap_or(i64::MAX),
        })
        .collect();
    if nodes.is_empty() {
        return None;
    }
    let ids: Vec<u32> = nodes.iter().map(|node| node.id).collect();
    let distance = handle.latencies(&ids);
    Some(of_machine(nodes, distance))
}
