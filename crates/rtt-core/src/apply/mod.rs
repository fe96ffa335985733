//! Atomic application: two-phase commit over a write-ahead log.
//!
//! A transaction is written to the log with everything that it will change and the bytes before and after ([`wal`]);
//! participants prepare and vote ([`participants`]); the decision in the log is the commit point ([`transaction`]);
//! [`recovery`] finishes what a kill interrupted. The active state is switched by one rename of `.rtt/routes.json`.

pub mod base;
pub mod diff;
mod lock;
pub mod participants;
pub mod recovery;
pub mod routing_table;
pub mod status;
pub mod transaction;
pub mod wal;

pub use lock::{ApplyLock, Holder, LockError};
