//! From a JSON Schema to what a connector makes of it: a reduced schema to check values by, and types to declare.
//!
//! Owns which part of JSON Schema connectors understand; what they do not understand is any value. Names no language:
//! what it can check and how it spells types comes from a stub.

mod declare;
mod leaf;
mod node;
mod reduce;
mod source;
mod spell;
#[cfg(test)]
mod tests;

pub use declare::{Body, Declaration, Field, Types, Variant};
pub use reduce::{Keyword, reduce};
pub use source::Source;
pub use spell::{Construct, Speller, Type, TypeMap};
