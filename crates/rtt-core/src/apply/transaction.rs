//! The coordinator: begins a transaction, asks the participants, decides, and finishes what was decided.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::diff::Diff;
use super::image::{self, Content, Image};
use super::log::Log;
use super::participants::{self, Participant, ROUTING_TABLE, Work};
use super::routing_table::Table;
use super::wal::{Begin, Decision, Entry, Event, Kind, Vote};
use crate::clock;
use crate::connector::index::Connectors;
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::json;
use crate::plan::{Plan, Verified};
use crate::registry::Registry;
use crate::routes::Document;
use crate::threads::both;
use crate::workspace::state::StateError;
use crate::workspace::{Error, Workspace, layout};

/// How often a participant in this process is asked before the transaction is left to the next run.
const ATTEMPTS: usize = 3;
/// How many participants are asked at once.
const MAX_THREADS: usize = 64;
/// How long to wait silently for participants.
const PATIENCE: Duration = Duration::from_secs(2);

/// What participants are asked about.
pub struct Scene<'a> {
    /// Where.
    pub workspace: &'a Workspace,
    /// Every instance.
    pub registry: &'a Registry,
    /// The connector index.
    pub connectors: &'a Connectors,
    /// How long an agent may take for one answer.
    pub timeout: Duration,
    /// What was active when this was read; what is active now is read again only where it is something else.
    pub active: Active<'a>,
}

/// An active state, understood.
pub struct Active<'a> {
    /// Its files' digests.
    pub image: Image,
    /// `.rtt/routes.json`.
    pub document: &'a Document,
    /// `plans/last_applied.json`.
    pub plan: Option<&'a Arc<Plan>>,
}

/// What is to become active. Only a verified plan can.
pub struct Proposal<'a> {
    /// What started it.
    pub kind: Kind,
    /// The plan and its document; none leaves nothing active.
    pub plan: Option<(&'a Verified<Plan>, &'a [u8])>,
    /// Whether the signatures were verified.
    pub is_verified: bool,
}

/// A transaction that was not begun.
pub struct Draft<'a> {
    begin: Begin,
    work: Work<'a>,
    participants: Vec<Box<dyn Participant>>,
    /// What it changes, and that in words.
    pub diff: Diff,
    words: String,
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

impl<'a> Scene<'a> {
    /// Works out a transaction; changes nothing.
    ///
    /// # Errors
    /// [`StateError`] if what is active cannot be read.
    pub fn draft(&self, log: &Log, proposal: &Proposal<'a>) -> Result<Draft<'a>, StateError> {
        let image = Image::active(self.workspace)?;
        let document = if image.routes == self.active.image.routes {
            Cow::Borrowed(self.active.document)
        } else {
            Cow::Owned(Document::read(self.workspace.read_optional(layout::ROUTES)?.as_deref())?)
        };
        let previous = if image.last_applied == self.active.image.last_applied {
            self.active.plan.cloned()
        } else {
            self.workspace.read_optional(layout::LAST_APPLIED)?.as_deref().and_then(plan_of)
        };
        let plan = proposal.plan.map(|(plan, _)| &**plan);
        let generation = log.generation().max(document.generation()) + 1;
        let table = Table::new(&document, plan, self.registry, generation);
        // A route's entry is about as long as the route.
        let length = proposal.plan.map_or(0, |(_, text)| text.len());
        let (routes, (diff, words)) = both(
            || json::pretty_bytes(&table, length * 2),
            || {
                let diff = Diff::new(&document, plan);
                let words = diff.text();
                (diff, words)
            },
        );
        let last_applied = proposal.plan.map(|(_, text)| Cow::Borrowed(text));
        let after = Content { routes: Some(routes), last_applied };
        let participants = participants::of(previous.as_deref(), plan, self.registry);
        let begin = Begin {
            at: clock::rfc3339_millis(clock::now()),
            kind: proposal.kind,
            generation,
            plan: plan.map(|plan| plan.plan_id),
            signers: proposal.plan.iter().flat_map(|(plan, _)| plan.signers()).map(ToString::to_string).collect(),
            verified: proposal.is_verified,
            changes: diff.counts(),
            diff: Digest::of_bytes(&words),
            participants: participants.iter().map(|participant| participant.name()).collect(),
            before: image,
            after: after.image(),
        };
        let work = self.work(plan.map(Cow::Borrowed), previous, begin.before.clone(), after);
        Ok(Draft { begin, work, participants, diff, words })
    }

    /// Loads what an entry is about from the log's objects.
    fn recall(&self, entry: &Entry) -> Result<Work<'a>, StateError> {
        let image = entry.begin.before.clone();
        if entry.decision() != Some(Decision::Commit) {
            return Ok(self.work(None, None, image, Content::default()));
        }
        let before = Content::fetch(self.workspace, &entry.begin.before)?;
        let after = Content::fetch(self.workspace, &entry.begin.after)?;
        let plan = after.last_applied.as_deref().and_then(plan_of);
        let previous = before.last_applied.as_deref().and_then(plan_of);
        Ok(self.work(plan.map(Arc::unwrap_or_clone).map(Cow::Owned), previous, image, after))
    }

    /// Asks every participant of the last commit whether it is in effect; changes nothing.
    ///
    /// # Errors
    /// As [`resume`].
    pub fn differences(&self, log: &Log) -> Result<Vec<String>, StateError> {
        let Some(entry) = log.last_committed().filter(|entry| entry.is_finished()) else { return Ok(Vec::new()) };
        let work = self.recall(entry)?;
        let participants = known(entry)?;
        let remote: Vec<&dyn Participant> =
            participants.iter().map(AsRef::as_ref).filter(|participant| participant.name() != ROUTING_TABLE).collect();
        Ok(ask("for their state", &remote, |participant| participant.verify(&work, entry))
            .into_iter()
            .filter_map(Result::err)
            .collect())
    }

    fn work(
        &self,
        plan: Option<Cow<'a, Plan>>,
        previous: Option<Arc<Plan>>,
        before: Image,
        after: Content<'a>,
    ) -> Work<'a> {
        let Self { workspace, registry, connectors, timeout, .. } = *self;
        Work { workspace, registry, connectors, timeout, plan, previous, before, after }
    }
}

/// Understands a plan that was active; none if it cannot be.
fn plan_of(text: &[u8]) -> Option<Arc<Plan>> {
    serde_json::from_slice(text).ok().map(Arc::new)
}

impl Draft<'_> {
    /// The same transaction, started by something else.
    #[must_use]
    pub fn started_by(mut self, kind: Kind) -> Self {
        self.begin.kind = kind;
        self
    }

    /// Asks every participant whether its preconditions hold; changes nothing.
    ///
    /// # Errors
    /// The reasons of those that would vote ABORT.
    pub fn rehearse(&self) -> Result<(), Vec<String>> {
        let refusals: Vec<String> =
            self.participants.iter().filter_map(|participant| participant.check(&self.work).err()).collect();
        if refusals.is_empty() { Ok(()) } else { Err(refusals) }
    }

    /// Runs the transaction from BEGIN to END; the log then holds it.
    ///
    /// # Errors
    /// [`StateError::Workspace`] if the log cannot be written; the next run recovers.
    pub fn run(self, log: &mut Log) -> Result<Outcome, StateError> {
        let Self { begin, work, participants, words, .. } = self;
        let workspace = work.workspace;
        let old = || begin.before.keep(workspace);
        let changes = || Ok(image::keep(workspace, words.as_bytes(), begin.diff)?);
        let (after, rest) = both(|| work.after.keep(workspace, &begin.after), || old().and_then(|()| changes()));
        after?;
        rest?;
        drop(words);
        let (sequence, prev) = log.next();
        let mut entry = Entry::new(sequence, prev, begin);
        entry.write(workspace)?;
        log.set_last(entry.clone());

        let everybody: Vec<&dyn Participant> = participants.iter().map(AsRef::as_ref).collect();
        let answers = ask("to vote", &everybody, |participant| participant.prepare(&work, &entry));
        let vote = |(participant, answer): (&&dyn Participant, Result<(), String>)| Vote {
            participant: participant.name(),
            abort: answer.err(),
        };
        let votes: Vec<Vote> = everybody.iter().zip(answers).map(vote).collect();
        // A revert leads back to a state that everybody had agreed to, so nobody outside can stand in its way.
        let counts = |participant: &dyn Participant| participant.is_local() || entry.begin.kind != Kind::Revert;
        let reasons: Vec<String> = everybody
            .iter()
            .zip(&votes)
            .filter(|(participant, _)| counts(**participant))
            .filter_map(|(_, vote)| vote.abort.clone())
            .collect();
        let decision = if reasons.is_empty() { Decision::Commit } else { Decision::Abort };
        entry.advance(workspace, [Event::Votes { votes }])?;
        entry.advance(workspace, [Event::Decision { decision, reasons }])?;
        finish(log, entry, &work, &everybody)
    }
}

/// Goes on with an entry that has a decision; the log then holds it.
///
/// # Errors
/// [`StateError::Workspace`] if the log cannot be written, [`StateError::Invalid`] if what is to be made active was
/// changed or names a participant that is not known; the next run tries again.
pub fn resume(scene: &Scene, log: &mut Log, entry: Entry) -> Result<Outcome, StateError> {
    let work = scene.recall(&entry)?;
    let participants = known(&entry)?;
    let everybody: Vec<&dyn Participant> = participants.iter().map(AsRef::as_ref).collect();
    finish(log, entry, &work, &everybody)
}

fn known(entry: &Entry) -> Result<Vec<Box<dyn Participant>>, StateError> {
    participants::named(&entry.begin.participants).map_err(|message| {
        let file = layout::wal_entry(entry.sequence);
        StateError::Invalid(vec![Diagnostic::error("RTT-W001", message).at(Place::file(file))])
    })
}

/// Does what an entry decided at every participant that has not acknowledged it, then ends the transaction.
fn finish(
    log: &mut Log,
    mut entry: Entry,
    work: &Work,
    participants: &[&dyn Participant],
) -> Result<Outcome, StateError> {
    let decision = entry.decision().unwrap_or(Decision::Abort);
    let (local, remote): (Vec<&dyn Participant>, Vec<&dyn Participant>) = participants
        .iter()
        .copied()
        .filter(|participant| !entry.is_acknowledged(&participant.name()))
        .partition(|participant| participant.is_local());
    let mut pending = Vec::new();
    // Agents hear of a state only after it is active.
    for group in [local, remote] {
        if !pending.is_empty() && decision == Decision::Commit {
            pending.extend(group.iter().map(|participant| format!("{}: not asked yet", participant.name())));
            continue;
        }
        let act = |participant: &dyn Participant| match decision {
            Decision::Commit => participant.commit(work, &entry),
            Decision::Abort => participant.abort(work, &entry),
        };
        let attempt = |participant: &dyn Participant| {
            let attempts = if participant.is_local() { ATTEMPTS } else { 1 };
            (1..attempts).fold(act(participant), |result, _| result.or_else(|_| act(participant)))
        };
        let is_local = group.first().is_some_and(|participant| participant.is_local());
        // The switch of the active state comes after what it needs, so these go one after the other.
        let answers = if is_local {
            group.iter().map(|participant| attempt(*participant)).collect()
        } else {
            ask("to finish", &group, attempt)
        };
        let mut acknowledged = Vec::new();
        for (participant, answer) in group.iter().zip(answers) {
            match answer {
                Ok(()) => acknowledged.push(Event::Ack { participant: participant.name() }),
                Err(reason) => pending.push(reason),
            }
        }
        if !acknowledged.is_empty() {
            if let Err(error) = entry.advance(work.workspace, acknowledged) {
                return Ok(unfinished(log, entry, decision, &error));
            }
            log.set_last(entry.clone());
        }
    }
    if !pending.is_empty() {
        log.set_last(entry);
        return Ok(Outcome::Pending(decision, pending));
    }
    let differences: Vec<String> = match decision {
        Decision::Abort => Vec::new(),
        Decision::Commit => ask("for their state", participants, |participant| participant.verify(work, &entry))
            .into_iter()
            .filter_map(Result::err)
            .collect(),
    };
    if let Err(error) = entry.advance(work.workspace, [Event::End { differences: differences.clone() }]) {
        return Ok(unfinished(log, entry, decision, &error));
    }
    let reasons = reasons(&entry);
    log.set_last(entry);
    if let Err(error) = log.write_head(work.workspace) {
        // The next run makes up for it before it begins anything.
        log::warn!("{}", with_source(&error));
    }
    Ok(match decision {
        Decision::Abort => Outcome::Aborted(reasons),
        Decision::Commit if differences.is_empty() => Outcome::Committed,
        Decision::Commit => Outcome::NotInEffect(differences),
    })
}

/// The log cannot be written after the decision: what was decided stands, and the next run finishes it.
fn unfinished(log: &mut Log, entry: Entry, decision: Decision, error: &Error) -> Outcome {
    log.set_last(entry);
    Outcome::Pending(decision, vec![with_source(error)])
}

fn with_source(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn reasons(entry: &Entry) -> Vec<String> {
    let reasons = entry.records.iter().find_map(|record| match &record.event {
        Event::Decision { reasons, .. } => Some(reasons.clone()),
        Event::Votes { .. } | Event::Ack { .. } | Event::End { .. } => None,
    });
    reasons.unwrap_or_default()
}

/// Asks participants all at once, for each may take its whole timeout, and says for whom it is waiting; with `--jobs 1`
/// one after the other. Returns the answers in the order of the participants.
fn ask(
    what: &str,
    participants: &[&dyn Participant],
    question: impl Fn(&dyn Participant) -> Result<(), String> + Sync,
) -> Vec<Result<(), String>> {
    if rayon::current_num_threads() == 1 || participants.len() < 2 {
        return participants.iter().map(|participant| question(*participant)).collect();
    }
    let mut answers: Vec<Option<Result<(), String>>> = vec![None; participants.len()];
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..participants.len().min(MAX_THREADS) {
            let (sender, next, question) = (sender.clone(), &next, &question);
            scope.spawn(move || {
                while let Some((index, participant)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    participants.get(index).map(|participant| (index, participant))
                } {
                    // Nobody listens any more only if the run is over.
                    let _ = sender.send((index, question(*participant)));
                }
            });
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok((index, answer)) => answers[index] = Some(answer),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let missing = answers.iter().zip(participants).filter(|(answer, _)| answer.is_none());
                    let names: Vec<String> = missing.map(|(_, participant)| participant.name()).collect();
                    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                    log::info!("Waiting for {} of {} {what}: {shown}", names.len(), participants.len());
                }
            }
        }
    });
    let failed = |participant: &&dyn Participant| Err(format!("{}: it failed", participant.name()));
    answers.into_iter().zip(participants).map(|(answer, one)| answer.unwrap_or_else(|| failed(one))).collect()
}
