//! The planner: from a routing problem to an optimal plan, with proof.
//!
//! A deterministic function of its arguments: it reads no file, no clock and no random seed.

mod assemble;
mod build;
mod conflict;
mod cuts;
mod dolls;
mod evaluate;
mod explain;
mod large;
mod local;
mod numbers;
mod pack;
pub mod problem;
mod relax;
mod search;
mod solve;
mod spectral;
mod symmetry;
mod unused;

pub use assemble::assemble;
pub use build::{Built, Rejection, RouteNotes, build};
pub use conflict::{Conflict, Constraint, Fix, conflict};
pub use evaluate::Evaluation;
pub use explain::{Reason, Verdict, explain};
pub use solve::{Options, Outcome, Solution, solve};

#[cfg(test)]
mod tests;
