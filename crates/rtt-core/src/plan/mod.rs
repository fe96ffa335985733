//! The plan document: its parts, its identity, its signature, and its independent check. Never calls the planner.

mod document;
mod identity;
mod signature;

pub use document::{Backup, Base, ObjectiveValue, Placement, Plan, PlanRoute, PlanStatus};
pub use identity::{SIGNATURE_DOMAIN, identity, signed_bytes};
pub use signature::{Verified, VerifyError, accept_unverified, identify, sign, verify};
