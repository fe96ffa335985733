//! The plan document: its parts, its identity, its signature, and its independent check. Never calls the planner.

mod document;

pub use document::{Backup, Base, ObjectiveValue, Placement, Plan, PlanRoute, PlanStatus};
