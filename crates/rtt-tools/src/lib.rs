//! What the tools around the pipeline do. Their executables, in `src/bin`, hold options and rendering.
//!
//! Decides nothing that a stage decides: what is written here, stage 10 reads like any other manifest.

pub mod flight;
pub mod ingest;
pub mod mcp;
