//! Finishes what a kill, a crash or an unreachable participant left: before the decision back, after it on.

use super::image::{Content, Image};
use super::log::{self, Log};
use super::transaction::{self, Outcome, Proposal, Scene};
use super::wal::{Decision, Entry, Event, Kind};
use crate::diagnostic::{Diagnostic, Place};
use crate::plan::{self, Document, Plan, Verified};
use crate::workspace::layout;
use crate::workspace::state::StateError;

/// What recovery did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The transaction's place in the history.
    pub sequence: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// How the revert of it ended, if it was not in effect.
    pub revert: Option<Outcome>,
}

/// Finishes the last transaction if it is not finished, and reverts it if it was not in effect; `None` if there was
/// nothing to do. The caller holds the lock.
///
/// # Errors
/// [`StateError::Workspace`] if the log cannot be written, [`StateError::Invalid`] if the log contradicts the state; the
/// next run tries again.
pub fn run(scene: &Scene, log: &mut Log) -> Result<Option<Recovered>, StateError> {
    log::remove_unfinished(scene.workspace)?;
    let Some(mut entry) = log.last().cloned() else { return Ok(None) };
    let sequence = entry.sequence;
    if entry.is_finished() {
        log.write_head(scene.workspace)?;
        if !entry.wants_revert() {
            return Ok(None);
        }
        let outcome = Outcome::NotInEffect(entry.end().unwrap_or_default().to_vec());
        let revert = Some(revert(scene, log, &entry)?);
        return Ok(Some(Recovered { sequence, outcome, revert }));
    }
    ::log::warn!("Transaction {sequence} was interrupted; finishing it");
    if entry.decision() != Some(Decision::Commit) {
        check_untouched(scene, &entry)?;
    }
    if entry.decision().is_none() {
        // Nobody can have been told to commit: the decision is written before.
        let reasons = vec!["interrupted before the decision".to_owned()];
        entry.advance(scene.workspace, [Event::Decision { decision: Decision::Abort, reasons }])?;
    }
    let outcome = transaction::resume(scene, log, entry)?;
    let revert = match (&outcome, log.last().cloned()) {
        (Outcome::NotInEffect(_), Some(entry)) if entry.wants_revert() => Some(revert(scene, log, &entry)?),
        _ => None,
    };
    Ok(Some(Recovered { sequence, outcome, revert }))
}

/// Without the decision to commit the new state cannot be active; if it is, the entry is an old one that was put back.
fn check_untouched(scene: &Scene, entry: &Entry) -> Result<(), StateError> {
    let active = Image::active(scene.workspace)?;
    if active.routes == entry.begin.before.routes || active.routes != entry.begin.after.routes {
        return Ok(());
    }
    let message =
        "the state that the transaction was to make is active, but its log entry knows of no decision: it was \
                   put back or edited"
            .to_owned();
    let finding = Diagnostic::error("RTT-W001", message)
        .at(Place::file(layout::wal_entry(entry.sequence)))
        .help("restore the file from a backup, or move the whole .rtt/wal folder away to begin a new history");
    Err(StateError::Invalid(vec![finding]))
}

/// Goes back to the plan before a transaction whose new state is not in effect, by a transaction of its own.
///
/// # Errors
/// As [`run`].
pub fn revert(scene: &Scene, log: &mut Log, entry: &Entry) -> Result<Outcome, StateError> {
    let text = Content::fetch(scene.workspace, &entry.begin.before)?.last_applied;
    let plan = text.as_deref().map(recall).transpose()?;
    let proposal = Proposal {
        kind: Kind::Revert,
        plan: plan.as_ref().zip(text.as_deref()),
        // It was active before; nobody is asked again.
        is_verified: false,
    };
    scene.draft(log, &proposal)?.run(log)
}

/// Takes a plan that was active before; its id must still be its content's.
fn recall(text: &[u8]) -> Result<Verified<Plan>, StateError> {
    let failed = |message: String| {
        StateError::Invalid(vec![Diagnostic::error("RTT-S003", message).at(Place::file(layout::LAST_APPLIED))])
    };
    let document = Document::read(text.to_vec()).map_err(|unreadable| failed(unreadable.error.to_string()))?;
    let verified = plan::accept_unverified(document).map_err(|error| failed(error.to_string()))?;
    verified.typed(layout::LAST_APPLIED).map(|(plan, _)| plan)
}
