//! Atomic application: two-phase commit over a write-ahead log.
//!
//! A transaction is written to the log ([`wal`], [`log`]) with everything that it will change, the bytes before and after
//! kept beside it ([`image`]); participants prepare and vote ([`participants`]); the decision in the log is the commit
//! point ([`transaction`]); [`recovery`] finishes what a kill interrupted. The active state is switched by one rename of
//! `.rtt/routes.json`.

pub mod base;
pub mod diff;
pub mod history;
pub mod image;
mod lock;
pub mod log;
pub mod participants;
pub mod recovery;
pub mod routing_table;
pub mod status;
pub mod transaction;
pub mod wal;

pub use lock::{ApplyLock, Holder, LockError};
