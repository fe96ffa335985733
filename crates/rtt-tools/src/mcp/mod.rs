//! A small client of the Model Context Protocol over standard input and output: enough to ask a server for its tools.
//!
//! It speaks the stateless revision 2026-07-28 and those with a handshake up to 2025-11-25. Whatever a server does, a line, the
//! list, the time and what is kept of its error output are bounded, and its processes are ended.

mod client;
mod process;

pub use client::{Failure, Listing, MAX_TOOLS, list_tools};
pub use process::{Interrupt, Launch};
