//! The coordinator: begins a transaction, asks the participants, decides, and finishes what was decided.

use super::participants::{self, Participant, Work};
use super::wal::{Begin, Decision, Entry, Event, Log, Vote};
use crate::connector::index::Connectors;
use crate::digest::Digest;
use crate::registry::Registry;
use crate::workspace::{Error, Workspace};

/// How often a participant is asked to commit or abort before the transaction is left to the next run.
const ATTEMPTS: usize = 3;

/// What participants are asked about.
pub struct Scene<'a> {
    /// Where.
    pub workspace: &'a Workspace,
    /// Every instance.
    pub registry: &'a Registry,
    /// The connector index.
    pub connectors: &'a Connectors,
}

impl<'a> Scene<'a> {
    fn work(&self, begin: &'a Begin) -> Work<'a>
    where
        'a: 'a,
    {
        Work {
            workspace: self.workspace,
            plan: begin.plan.as_ref(),
            registry: self.registry,
            connectors: self.connectors,
            after: &begin.after,
        }
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The new state is active.
    Committed,
    /// The old state is active; why.
    Aborted(Vec<String>),
    /// Decided, but somebody could not be reached; the next run goes on.
    Pending(Decision, Vec<String>),
    /// Committed, but the new state is not in effect; why.
    NotInEffect(Vec<String>),
}

/// Asks every participant whether its preconditions hold; changes nothing.
///
/// # Errors
/// The reasons of those that would vote ABORT.
pub fn rehearse(scene: &Scene, begin: &Begin) -> Result<(), Vec<String>> {
    let work = scene.work(begin);
    let participants = participants::of(begin.plan.as_ref(), scene.registry);
    let refusals: Vec<String> = participants.iter().filter_map(|participant| participant.check(&work).err()).collect();
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

/// Runs a transaction from BEGIN to END.
///
/// # Errors
/// [`Error::Io`] if the log cannot be written; the next run recovers.
pub fn run(scene: &Scene, log: &Log, mut begin: Begin) -> Result<(Entry, Outcome), Error> {
    let participants = participants::of(begin.plan.as_ref(), scene.registry);
    begin.participants = participants.iter().map(|participant| participant.name()).collect();
    let mut entry = Entry::new(log.last(), begin);
    entry.write(scene.workspace)?;

    let votes = prepare(scene, &participants, &entry);
    let reasons: Vec<String> = votes.iter().filter_map(|vote| vote.abort.clone()).collect();
    entry.advance(scene.workspace, Event::Votes { votes })?;
    let decision = if reasons.is_empty() { Decision::Commit } else { Decision::Abort };
    entry.advance(scene.workspace, Event::Decision { decision, reasons: reasons.clone() })?;
    let outcome = finish(scene, &mut entry)?;
    Ok((entry, if outcome == Outcome::Aborted(Vec::new()) { Outcome::Aborted(reasons) } else { outcome }))
}

/// Asks all participants at once, for each may take its whole timeout; with `--jobs 1` one after the other.
fn prepare(scene: &Scene, participants: &[Box<dyn Participant>], entry: &Entry) -> Vec<Vote> {
    let work = scene.work(&entry.begin);
    let work = &work;
    let vote = |participant: &dyn Participant, result: Result<(), String>| Vote {
        participant: participant.name(),
        abort: result.err(),
    };
    if rayon::current_num_threads() == 1 {
        return participants.iter().map(|one| vote(one.as_ref(), one.prepare(work, entry))).collect();
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            participants.iter().map(|one| (one, scope.spawn(move || one.prepare(work, entry)))).collect();
        threads
            .into_iter()
            .map(|(one, thread)| {
                vote(one.as_ref(), thread.join().unwrap_or_else(|_| Err(format!("{} failed", one.name()))))
            })
            .collect()
    })
}

/// Does what an entry decided at every participant that has not acknowledged it, then ends the transaction.
///
/// # Errors
/// [`Error::Io`] if the log cannot be written; the next run recovers.
pub fn finish(scene: &Scene, entry: &mut Entry) -> Result<Outcome, Error> {
    let decision = entry.decision().unwrap_or(Decision::Abort);
    let participants = participants::of(entry.begin.plan.as_ref(), scene.registry);
    let mut pending = Vec::new();
    for participant in &participants {
        let name = participant.name();
        if entry.is_acknowledged(&name) {
            continue;
        }
        let done = {
            let work = scene.work(&entry.begin);
            let act = || match decision {
                Decision::Commit => participant.commit(&work, entry),
                Decision::Abort => participant.abort(&work, entry),
            };
            (1..ATTEMPTS).fold(act(), |result, _| result.or_else(|_| act()))
        };
        match done {
            Ok(()) => entry.advance(scene.workspace, Event::Ack { participant: name })?,
            Err(reason) => pending.push(reason),
        }
    }
    if !pending.is_empty() {
        return Ok(Outcome::Pending(decision, pending));
    }
    let differences: Vec<String> = {
        let work = scene.work(&entry.begin);
        let verified = participants.iter().filter_map(|participant| participant.verify(&work, entry).err());
        if decision == Decision::Commit { verified.collect() } else { Vec::new() }
    };
    entry.advance(scene.workspace, Event::End)?;
    Ok(match decision {
        Decision::Abort => Outcome::Aborted(Vec::new()),
        Decision::Commit if differences.is_empty() => Outcome::Committed,
        Decision::Commit => Outcome::NotInEffect(differences),
    })
}

/// Returns the digest of an entry as it is on disk.
pub fn digest(entry: &Entry) -> Digest {
    Digest::of_bytes(crate::json::pretty(entry))
}
