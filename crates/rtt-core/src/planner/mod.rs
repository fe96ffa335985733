//! The planner: from a routing problem to an optimal plan, with proof.
//!
//! A deterministic function of its arguments: it reads no file, no clock and no random seed.

mod assemble;
mod build;
mod components;
mod conflict;
mod cuts;
mod dolls;
mod evaluate;
mod explain;
mod large;
mod local;
mod marginal;
mod memory;
mod neighbourhood;
mod numbers;
mod pack;
mod partition;
pub mod problem;
mod relax;
mod search;
mod solve;
mod spectral;
mod symmetry;
mod unused;
mod warm;

pub use assemble::assemble;
pub use build::{Built, Rejection, RouteNotes, build};
pub use conflict::{Conflict, Constraint, Fix, Remedy, conflict};
pub use evaluate::Evaluation;
pub use explain::{Reason, Verdict, explain};
pub use marginal::{Resource, Worth, marginal};
pub use memory::{ENGINE, Memory, Remembered};
pub use solve::{Options, Outcome, Solution, solve};

#[cfg(test)]
mod tests;
