//! The plan document: its parts, its identity, its signature, and its independent check. Never calls the planner.

mod check;
mod document;
mod graph;
mod identity;
mod inputs;
mod signature;
pub mod source;

pub use check::{Kind, Violation, check};
pub use document::{Backup, Base, ObjectiveValue, Placement, Plan, PlanRoute, PlanStatus};
pub use graph::{GraphFormat, graph};
pub use identity::{SIGNATURE_DOMAIN, identity, signed_bytes};
pub use inputs::{Inputs, Written};
pub use signature::{
    Document, Unreadable, Verified, VerifyError, accept_unverified, check_age, identified_bytes, identify,
    read_verified, sign, signatures_of, signers, verify,
};
