//! Finishes what a kill, a crash or an unreachable participant left: before the decision back, after it on.

use super::transaction::{self, Outcome, Scene};
use super::wal::{self, Decision, Entry, Event, Log};
use crate::workspace::Error;

/// What recovery did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The transaction's place in the history.
    pub sequence: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// Finishes the last transaction if it is not finished; `None` if there was nothing to do. The caller holds the lock.
///
/// # Errors
/// [`Error::Io`] if the log cannot be written; the next run goes on.
pub fn run(scene: &Scene, log: &mut Log) -> Result<Option<Recovered>, Error> {
    wal::remove_unfinished(scene.workspace)?;
    let Some((entry, digest)) = log.entries.last_mut() else { return Ok(None) };
    if entry.is_finished() {
        return Ok(None);
    }
    log::warn!("Transaction {} was interrupted; finishing it", entry.sequence);
    let outcome = finish(scene, entry)?;
    *digest = transaction::digest(entry);
    Ok(Some(Recovered { sequence: entry.sequence, outcome }))
}

fn finish(scene: &Scene, entry: &mut Entry) -> Result<Outcome, Error> {
    if entry.decision().is_none() {
        // Nobody can have been told to commit: the decision is written before.
        let reasons = vec!["interrupted before the decision".to_owned()];
        entry.advance(scene.workspace, Event::Decision { decision: Decision::Abort, reasons })?;
    }
    transaction::finish(scene, entry)
}
