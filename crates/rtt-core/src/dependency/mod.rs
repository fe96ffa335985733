//! Dependencies between instances: resolution, conflicts, cycles, capabilities, suggestions.
//!
//! A deterministic function of the registry; reads no file.
//!
//! - A requirement is met by the instances of its symbol whose version lies in the range, whose protocol and methods
//!   match and which offer every capability. All of them are kept, the highest version first: it is the choice.
//! - Capabilities are names with dots. `token` does not cover `token.verify`: nothing says that an agent which offers the
//!   whole implements each part, and a wrong guess would only show at run time. An agent that does says so with a last
//!   segment `*` (one or more segments) or `**` (any number, also none): `token.*` offers `token.verify`.
//! - A consumer is never its own target.

mod cycle;
mod explain;
mod graph;
pub mod report;
mod resolve;
mod terms;

pub use explain::explain;
pub use graph::{GraphFormat, graph};
pub use resolve::{Finding, Resolution, resolve};
pub use terms::accepts;

#[cfg(test)]
pub(crate) mod tests;
