//! Terminal manners of the six executables: options, logs, rendering, CI output, exit codes, flight records.
//!
//! A stage's `main.rs` describes its own options ([`StageOptions`]) and calls [`main`]. Decides nothing about agents,
//! routes or plans.

mod ci;
mod exit;
mod failure;
mod logging;
mod options;
mod progress;
mod render;
mod run;
mod sarif;
mod summary;

pub use run::{StageOptions, main};
