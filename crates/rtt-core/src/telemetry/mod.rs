//! The flight recorder and the metrics file: what ran, when, how long, with which figures.
//!
//! Telemetry never fails a stage; callers log its errors and go on.

pub mod flight;
mod metrics;

pub use flight::Record;

use crate::workspace::{Error, Workspace};

/// Appends a record to the flight recorder and renews the metrics file.
///
/// # Errors
/// [`Error::Io`].
pub fn record(workspace: &Workspace, record: &Record) -> Result<(), Error> {
    let _lock = flight::append(workspace, record)?;
    metrics::write(workspace, &flight::read(workspace)?)
}
