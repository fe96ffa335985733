//! `.rtt/routes.json`: the desired routes that people write, and the status that stage 50 writes.

mod desired;
mod digest;

pub use desired::{Desired, Entry, Wanted, parse, read};
pub use digest::{desired_digest, generation, is_automatic};
