//! The domain of the RTT pipeline: everything that the six stages decide, and the few places that read and write.
//!
//! Data flows one way: files → parsed values → a pure step → values → files written once. Each stage is one function
//! in [`stage`]. Nothing here prints, exits the process or knows the command line; that is `rtt-cli`'s part.
//! `crates/ARCHITECTURE.md` shows where each concept lives.

pub mod apply;
pub mod attest;
pub mod clock;
pub mod connector;
pub mod contract;
pub mod dependency;
pub mod diagnostic;
pub mod digest;
pub mod drawing;
pub mod json;
pub mod lane;
mod lookup;
pub mod manifest;
pub mod plan;
pub mod planner;
pub mod policy;
mod recent;
pub mod registry;
pub mod routes;
pub mod schema;
pub mod stage;
pub mod store;
pub mod symbol;
pub mod telemetry;
pub mod text;
mod threads;
pub mod topology;
pub mod trust;
pub mod units;
pub mod version;
pub mod workspace;

/// The version that stamps every state file, `<name> <version>` being the generator's identity.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
