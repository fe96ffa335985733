//! Connectors: typed clients of a provider's interface in the language of the agent that requires it.
//!
//! The engine fills templates with data; no language is named here. Languages live in `stubs/`.

pub mod check;
pub mod escape;
pub mod index;
pub mod model;
pub mod name;
pub mod render;
pub mod shape;
pub mod stub;
#[cfg(test)]
mod tests;
