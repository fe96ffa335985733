//! One entry of the write-ahead log, `.rtt/wal/<sequence>.wal.json` (`schemas/rtt.wal.schema.json`): a document a
//! transaction, replaced atomically at each transition.

use serde::{Deserialize, Serialize};

use super::image::Image;
use crate::clock;
use crate::digest::Digest;
use crate::json;
use crate::workspace::state::FORMAT_VERSION;
use crate::workspace::{Error, Workspace, layout};

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
    /// The generation that it makes, above every earlier one.
    pub generation: u64,
    /// The id of the plan that it makes active; none where a rollback leads to before the first plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// Key ids of the plan's verified signers; empty where verification was skipped.
    pub signers: Vec<String>,
    /// Whether the signatures were verified (`--no-verify` skips it).
    pub verified: bool,
    /// How many routes change.
    pub changes: Changes,
    /// The object that lists them, one line a route.
    pub diff: Digest,
    /// Who takes part, in the order in which they commit.
    pub participants: Vec<String>,
    /// The state before.
    pub before: Image,
    /// The state after.
    pub after: Image,
}

/// How many routes change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// New ones.
    pub added: usize,
    /// Served otherwise.
    pub changed: usize,
    /// Gone.
    pub removed: usize,
}

/// What started a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A plan was applied.
    Apply,
    /// The applied plan was applied again because the state had drifted.
    Repair,
    /// Somebody asked to go back.
    Rollback,
    /// The check after a commit failed.
    Revert,
}

impl Kind {
    /// Returns the word that the log and the history show.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Repair => "repair",
            Self::Rollback => "rollback",
            Self::Revert => "revert",
        }
    }
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
    End {
        /// What was found not to be in effect after a commit; a revert follows unless it is empty.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        differences: Vec<String>,
    },
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
    /// Makes the entry of a transaction at its place in the history; it is not written yet.
    pub fn new(sequence: u64, prev: Digest, begin: Begin) -> Self {
        let plan = begin.plan.map_or("none".to_owned(), |plan| plan.to_string());
        let identity = format!("{sequence}\n{prev}\n{plan}\n{}", begin.at);
        let transaction = Digest::of_bytes(identity).hex()[..32].to_owned();
        Self { version: FORMAT_VERSION.to_owned(), sequence, transaction, prev, begin, records: Vec::new() }
    }

    /// Returns what was decided, if anything was.
    pub fn decision(&self) -> Option<Decision> {
        self.records.iter().find_map(|record| match &record.event {
            Event::Decision { decision, .. } => Some(*decision),
            Event::Votes { .. } | Event::Ack { .. } | Event::End { .. } => None,
        })
    }

    /// Returns every participant's vote; empty if none is recorded.
    pub fn votes(&self) -> &[Vote] {
        let votes = self.records.iter().find_map(|record| match &record.event {
            Event::Votes { votes } => Some(votes.as_slice()),
            Event::Decision { .. } | Event::Ack { .. } | Event::End { .. } => None,
        });
        votes.unwrap_or_default()
    }

    /// Returns what was not in effect when the transaction ended; `None` if it has not ended.
    pub fn end(&self) -> Option<&[String]> {
        self.records.iter().find_map(|record| match &record.event {
            Event::End { differences } => Some(differences.as_slice()),
            Event::Votes { .. } | Event::Decision { .. } | Event::Ack { .. } => None,
        })
    }

    /// Tells whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        self.end().is_some()
    }

    /// Tells whether it ended with a commit that was not in effect and is to be reverted.
    pub fn wants_revert(&self) -> bool {
        self.begin.kind != Kind::Revert && self.end().is_some_and(|differences| !differences.is_empty())
    }

    /// Tells whether a participant has done what was decided.
    pub fn is_acknowledged(&self, name: &str) -> bool {
        self.records.iter().any(|record| matches!(&record.event, Event::Ack { participant } if participant == name))
    }

    /// Returns the digest of the entry as it is on disk.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(json::pretty(self))
    }

    /// Writes the entry as it is; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; whether the transition is on disk is then unknown until the next run reads it.
    pub fn write(&self, workspace: &Workspace) -> Result<(), Error> {
        workspace.write(layout::wal_entry(self.sequence), json::pretty(self).as_bytes())
    }

    /// Adds transitions and writes them at once; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; whether they are on disk is then unknown, so the caller must stop: the next run reads the log.
    pub fn advance(&mut self, workspace: &Workspace, events: impl IntoIterator<Item = Event>) -> Result<(), Error> {
        let at = clock::rfc3339_millis(clock::now());
        self.records.extend(events.into_iter().map(|event| Record { at: at.clone(), event }));
        self.write(workspace)
    }
}
