//! The write-ahead log, `.rtt/wal/<sequence>.wal.json` (`schemas/rtt.wal.schema.json`): one document a transaction,
//! replaced atomically at each transition. Each names the digest of the one before, so the history is a chain.

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::json;
use crate::plan::Plan;
use crate::schema::Schema;
use crate::workspace::state::{self, FORMAT_VERSION, StateError};
use crate::workspace::{Error, Workspace, durable, layout};

/// One transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Format version.
    pub version: String,
    /// Position in the history, from 1.
    pub sequence: u64,
    /// What participants know the transaction by.
    pub transaction: String,
    /// SHA-256 of the previous entry's final document; of nothing for the first.
    pub prev: Digest,
    /// What is to be done.
    pub begin: Begin,
    /// What happened since, in order.
    pub records: Vec<Record>,
}

/// What a transaction is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// When it began, RFC 3339 in UTC.
    pub at: String,
    /// What started it.
    pub kind: Kind,
    /// The plan that it makes active; none where a rollback leads to before the first plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Key ids of the plan's verified signers; empty where verification was skipped.
    pub signers: Vec<String>,
    /// Whether the signatures were verified (`--no-verify` skips it).
    pub verified: bool,
    /// What changes, one line a route.
    pub diff: Vec<String>,
    /// Who takes part, in the order in which they commit.
    pub participants: Vec<String>,
    /// The state before.
    pub before: Image,
    /// The state after.
    pub after: Image,
}

/// What started a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A plan was applied.
    Apply,
    /// Somebody asked to go back.
    Rollback,
    /// The check after a commit failed.
    Revert,
}

/// The files that a transaction switches, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `.rtt/routes.json`; none if it did not exist.
    pub routes: Option<String>,
    /// `plans/last_applied.json`; none if there is none.
    pub last_applied: Option<String>,
}

/// One transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// Every participant's vote.
    Votes {
        /// In the order of [`Begin::participants`].
        votes: Vec<Vote>,
    },
    /// The commit point.
    Decision {
        /// For all participants.
        decision: Decision,
        /// Why, if it is ABORT.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<String>,
    },
    /// A participant has done what was decided.
    Ack {
        /// Which.
        participant: String,
    },
    /// Nothing is left to do.
    End,
}

/// A vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// Who votes.
    pub participant: String,
    /// Why not; none is READY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<String>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// The new state is to be.
    Commit,
    /// The old state stays.
    Abort,
}

impl Entry {
    /// Begins a transaction after `previous`; it is not written yet.
    pub fn new(previous: Option<(&Entry, Digest)>, begin: Begin) -> Self {
        let sequence = previous.map_or(1, |(entry, _)| entry.sequence + 1);
        let prev = previous.map_or_else(|| Digest::of_bytes(""), |(_, digest)| digest);
        let identity =
            format!("{sequence}\n{prev}\n{}", begin.plan.as_ref().map_or("none".to_owned(), |p| p.plan_id.to_string()));
        let transaction = Digest::of_bytes(identity).hex()[..32].to_owned();
        Self { version: FORMAT_VERSION.to_owned(), sequence, transaction, prev, begin, records: Vec::new() }
    }

    /// Returns what was decided, if anything was.
    pub fn decision(&self) -> Option<Decision> {
        self.records.iter().find_map(|record| match &record.event {
            Event::Decision { decision, .. } => Some(*decision),
            _ => None,
        })
    }

    /// Tells whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        self.records.iter().any(|record| record.event == Event::End)
    }

    /// Tells whether a participant has done what was decided.
    pub fn is_acknowledged(&self, name: &str) -> bool {
        self.records.iter().any(|record| matches!(&record.event, Event::Ack { participant } if participant == name))
    }

    /// Writes the entry as it is; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; the previous transition is then still there.
    pub fn write(&self, workspace: &Workspace) -> Result<(), Error> {
        workspace.write(layout::wal_entry(self.sequence), json::pretty(self).as_bytes())
    }

    /// Adds a transition and writes it; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; the transition did then not happen.
    pub fn advance(&mut self, workspace: &Workspace, event: Event) -> Result<(), Error> {
        self.records.push(Record { at: clock::rfc3339_millis(clock::now()), event });
        let written = self.write(workspace);
        if written.is_err() {
            self.records.pop();
        }
        written
    }
}

/// The whole history, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Each entry with the digest of its document.
    pub entries: Vec<(Entry, Digest)>,
}

impl Log {
    /// Reads the log and checks the chain.
    ///
    /// # Errors
    /// An entry that is torn, edited, missing or no entry at all is named: [`StateError::Invalid`].
    pub fn read(workspace: &Workspace) -> Result<Self, StateError> {
        let mut log = Self::default();
        for name in file_names(workspace)? {
            let file = format!("{}/{name}", layout::WAL);
            let broken = |message: String| {
                let finding = Diagnostic::error("RTT-W001", message).at(Place::file(&file)).help(
                    "the log was changed by something else than rtt-50-apply: restore the file from a backup, or move \
                     the whole .rtt/wal folder away to begin a new history",
                );
                StateError::Invalid(vec![finding])
            };
            let bytes = workspace.read_optional(&file)?.unwrap_or_default();
            let entry = state::parse::<Entry>(&file, &bytes, Schema::Wal)?.value;
            let (sequence, prev) = log.next();
            if layout::wal_entry(entry.sequence) != file || entry.sequence != sequence {
                return Err(broken(format!(
                    "expected transaction {sequence}, found {}: one is missing",
                    entry.sequence
                )));
            }
            if entry.prev != prev {
                return Err(broken(format!(
                    "the transaction before this one is not the one that it names ({}, but there is {prev})",
                    entry.prev
                )));
            }
            log.entries.push((entry, Digest::of_bytes(&bytes)));
        }
        Ok(log)
    }

    /// Returns sequence and `prev` of the next entry.
    fn next(&self) -> (u64, Digest) {
        self.last().map_or_else(|| (1, Digest::of_bytes("")), |(entry, digest)| (entry.sequence + 1, digest))
    }

    /// Returns the newest entry and its digest.
    pub fn last(&self) -> Option<(&Entry, Digest)> {
        self.entries.last().map(|(entry, digest)| (entry, *digest))
    }

    /// Returns the newest transaction that changed the state.
    pub fn last_committed(&self) -> Option<&Entry> {
        self.entries.iter().rev().map(|(entry, _)| entry).find(|entry| entry.decision() == Some(Decision::Commit))
    }
}

/// Removes files that a kill left unfinished. Only the holder of the apply lock writes here, so nobody needs them.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_unfinished(workspace: &Workspace) -> Result<(), Error> {
    for folder in [layout::WAL, layout::STATE, layout::PLANS] {
        let path = workspace.path(folder);
        durable::remove_unfinished(&path).map_err(|source| Error::remove(&path, source))?;
    }
    Ok(())
}

fn file_names(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let folder = workspace.path(layout::WAL);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::read(&folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|source| Error::read(&folder, source))?.file_name();
        names.extend(name.into_string().ok().filter(|name| name.ends_with(".wal.json")));
    }
    names.sort();
    Ok(names)
}
