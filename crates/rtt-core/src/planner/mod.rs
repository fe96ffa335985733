//! The planner: from a routing problem to an optimal plan, with proof.
//!
//! A deterministic function of its arguments: it reads no file, no clock and no random seed.

mod build;
pub mod problem;

pub use build::{Built, Rejection, RouteNotes, build};
