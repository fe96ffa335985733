//! Dependencies between instances: resolution, conflicts, cycles, capabilities, suggestions.
//!
//! A deterministic function of the registry; reads no file but `.rtt/depdoctor.json`.
//!
//! - A requirement is met by the instances of its symbol whose version lies in the range, whose protocol and methods
//!   match and which offer every capability. All of them are kept, the highest version first: it is the choice.
//! - Capabilities are names with dots. `token` does not cover `token.verify`: nothing says that an agent which offers the
//!   whole implements each part, and a wrong guess would only show at run time. An agent that does says so with a last
//!   segment `*` (one or more segments) or `**` (any number, also none): `token.*` offers `token.verify`.
//! - A consumer is never its own target.
//! - Of a singleton one version runs, so its consumers must agree on one.
//! - Work grows with the number of requirements, and no faster. Where finding the best answer would take longer (small
//!   cuts of large components, names near to missing ones), a budget of steps bounds it; equal inputs spend it equally.

mod cut;
mod cycle;
mod explain;
mod finding;
pub mod fix;
mod graph;
mod judge;
mod near;
mod network;
mod range;
pub mod report;
mod resolve;
pub mod rules;
pub mod settings;
mod singleton;
mod suggest;
mod terms;
mod words;

pub use explain::explain;
pub use finding::{Finding, Identity};
pub use graph::{GraphFormat, graph};
pub use resolve::{Resolution, resolve};
pub use settings::Settings;
pub use suggest::Edit;
pub use terms::accepts;

#[cfg(test)]
pub(crate) mod tests;
