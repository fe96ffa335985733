//! Terminal manners of the executables: options, logs, rendering, CI output, exit codes, flight records.
//!
//! A stage's `main.rs` describes its own options ([`StageOptions`]) and calls [`main`]; a tool around the pipeline does so
//! with [`ToolOptions`] and [`tool_main`]. Decides nothing about agents, routes or plans.

mod allocator;
mod ci;
mod exit;
mod failure;
mod logging;
mod options;
mod program;
mod progress;
mod render;
mod run;
mod sarif;
mod summary;
mod tool;

pub use allocator::release_early;
pub use run::{StageOptions, main};
pub use tool::{ToolOptions, tool_main};
