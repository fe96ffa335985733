//! The flight recorder and the metrics file: what ran, when, how long, with which figures, in which trace.
//!
//! Telemetry never fails a stage; callers log its errors and go on. A record costs one append and two small files that are
//! not synced: what a power failure takes is made anew by the next run.

pub mod flight;
mod metrics;
pub mod trace;

pub use flight::Record;

use crate::workspace::{Error, Workspace};

/// Appends a record to the flight recorder and renews the metrics file.
///
/// # Errors
/// [`Error::Io`].
pub fn record(workspace: &Workspace, record: &Record) -> Result<(), Error> {
    let _lock = flight::append(workspace, record)?;
    metrics::renew(workspace, record)
}
