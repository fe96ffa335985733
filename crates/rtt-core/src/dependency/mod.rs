//! Dependencies between instances: resolution, conflicts, cycles, capabilities, suggestions.
//!
//! A deterministic function of the registry; reads no file.

pub mod report;
