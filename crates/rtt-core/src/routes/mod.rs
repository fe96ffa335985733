//! `.rtt/routes.json`: the desired routes that people write, and the status that stage 50 writes.

mod desired;
mod digest;
mod document;

pub use desired::{Desired, Entry, Wanted, of, parse, read};
pub use digest::is_automatic;
pub use document::{Active, Document, Served, ends};

/// What `.rtt/routes.json` says where there is none: everything is routed automatically.
pub const DEFAULT: &str = r#"{"version": "1.0.0", "auto": true, "routes": []}"#;
