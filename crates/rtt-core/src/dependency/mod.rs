//! Dependencies between instances: resolution, conflicts, cycles, capabilities, suggestions.
//!
//! A deterministic function of the registry; reads no file.
//!
//! - A requirement is met by the instances of its symbol whose version lies in the range, whose protocol and methods
//!   match and which offer every capability. All of them are kept, the highest version first: it is the choice.
//! - Capabilities are names, compared letter by letter: `token` does not cover `token.verify`. A dotted name looks like
//!   a hierarchy, but nothing says that an agent which offers the whole implements each part, and a wrong guess would
//!   only show at run time.
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
