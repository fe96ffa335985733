//! The history: a chain of log entries, each naming the digest of the one before; its head; its checkpoint.
//!
//! `.rtt/wal/head.json` names the last finished entry, so that the end of the chain cannot be cut off or put back
//! unnoticed. It is written after an entry has ended; after a kill in between it is one entry behind.
//! `.rtt/wal/checkpoint.json` stands for the entries that were pruned, and is signed like a plan.

use serde::{Deserialize, Serialize};

use super::wal::{Begin, Decision, Entry};
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::json;
use crate::schema::Schema;
use crate::trust::{self, PrivateKey, Signature, TrustStore};
use crate::workspace::state::{self, FORMAT_VERSION, StateError};
use crate::workspace::{Error, Workspace, durable, layout, unfinished};

/// The whole history, oldest first.
#[derive(Debug, Clone)]
pub struct Log {
    /// What the first entry follows.
    base: Mark,
    /// Each entry with the digest of its document.
    entries: Vec<(Entry, Digest)>,
}

/// A place in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    version: String,
    /// Position; 0 is before the first.
    sequence: u64,
    /// SHA-256 of the entry's document, of nothing for position 0.
    entry: Digest,
    /// The generation that was active then.
    generation: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Checkpoint {
    #[serde(flatten)]
    mark: Mark,
    signature: String,
}

/// How often a log that others keep writing is read.
const MAX_READS: usize = 10;
/// What the bytes that a checkpoint's signature covers begin with.
const CHECKPOINT_DOMAIN: &str = "rtt-wal-checkpoint-v1\n";

impl Default for Log {
    fn default() -> Self {
        Self { base: Mark::origin(), entries: Vec::new() }
    }
}

impl Mark {
    fn origin() -> Self {
        Self { version: FORMAT_VERSION.to_owned(), sequence: 0, entry: Digest::of_bytes(""), generation: 0 }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let document = serde_json::to_value(self).expect("strings and numbers");
        let mut bytes = CHECKPOINT_DOMAIN.as_bytes().to_vec();
        bytes.extend(json::canonical::exact(&document));
        bytes
    }
}

fn broken(file: &str, message: String) -> StateError {
    let finding = Diagnostic::error("RTT-W001", message).at(Place::file(file)).help(
        "the log was changed by something else than rtt-50-apply: restore the file from a backup, or move the whole \
         .rtt/wal folder away to begin a new history",
    );
    StateError::Invalid(vec![finding])
}

impl Log {
    /// Reads the log and checks the chain from its checkpoint to its head.
    ///
    /// # Errors
    /// An entry that is torn, edited, missing, put back or no entry at all is named: [`StateError::Invalid`].
    pub fn read(workspace: &Workspace) -> Result<Self, StateError> {
        // Without the lock, an apply may write between two of our reads: what looks broken only then is read again.
        for _ in 1..MAX_READS {
            let before = written(workspace)?;
            let found = Self::read_once(workspace);
            if found.is_ok() || written(workspace)? == before {
                return found;
            }
        }
        Self::read_once(workspace)
    }

    fn read_once(workspace: &Workspace) -> Result<Self, StateError> {
        let mut log = Self { base: read_checkpoint(workspace)?.unwrap_or_else(Mark::origin), entries: Vec::new() };
        for name in file_names(workspace)? {
            let file = format!("{}/{name}", layout::WAL);
            let bytes = workspace.read_optional(&file)?.unwrap_or_default();
            let entry = state::parse::<Entry>(&file, &bytes, Schema::Wal)?.value;
            let sequence = entry.sequence;
            if layout::wal_entry(sequence) != file {
                return Err(broken(&file, format!("the file holds transaction {sequence}")));
            }
            // A kill while pruning leaves entries that the checkpoint stands for.
            if sequence <= log.base.sequence {
                continue;
            }
            let (expected, prev) = log.next();
            if sequence != expected {
                return Err(broken(
                    &file,
                    format!("expected transaction {expected}, found {sequence}: one is missing"),
                ));
            }
            if entry.prev != prev {
                let message = format!(
                    "the transaction before this one is not the one that it names ({}, but there is {prev})",
                    entry.prev
                );
                return Err(broken(&file, message));
            }
            if log.entries.last().is_some_and(|(last, _)| !last.is_finished()) {
                return Err(broken(&file, "the transaction before this one is not finished".to_owned()));
            }
            log.entries.push((entry, Digest::of_bytes(&bytes)));
        }
        log.check_head(workspace)?;
        Ok(log)
    }

    fn check_head(&self, workspace: &Workspace) -> Result<(), StateError> {
        let Some(bytes) = workspace.read_optional(layout::WAL_HEAD)? else {
            // The head is written when the first transaction has ended, and a second one only begins after that.
            let finished = self.entries.iter().filter(|(entry, _)| entry.is_finished()).count();
            return if finished > 1 || (finished == 1 && self.entries.len() > 1) || self.base.sequence > 0 {
                Err(broken(layout::WAL_HEAD, "the file that names the last transaction is missing".to_owned()))
            } else {
                Ok(())
            };
        };
        let head: Mark = serde_json::from_slice(&bytes)
            .map_err(|error| broken(layout::WAL_HEAD, format!("the file is torn or was edited: {error}")))?;
        let at = |sequence: u64| {
            if sequence == self.base.sequence {
                return Some(self.base.entry);
            }
            let position = usize::try_from(sequence.checked_sub(self.base.sequence + 1)?).ok()?;
            self.entries.get(position).filter(|(entry, _)| entry.is_finished()).map(|(_, digest)| *digest)
        };
        let finished = match self.entries.last() {
            Some((entry, _)) if entry.is_finished() => entry.sequence,
            Some((entry, _)) => entry.sequence - 1,
            None => self.base.sequence,
        };
        let is_behind = head.sequence + 1 == finished;
        match at(head.sequence) {
            None if head.sequence < self.base.sequence => Ok(()),
            None => Err(broken(
                &layout::wal_entry(head.sequence),
                format!(
                    "transaction {} had ended, but the log does not say so: it was cut off or put back",
                    head.sequence
                ),
            )),
            Some(digest) if digest != head.entry => Err(broken(
                &layout::wal_entry(head.sequence),
                format!("the last transaction was edited: its digest is {digest}, not {}", head.entry),
            )),
            Some(_) if head.sequence == finished || is_behind => Ok(()),
            Some(_) => Err(broken(
                layout::WAL_HEAD,
                format!("the file names transaction {}, but {finished} have ended: it was put back", head.sequence),
            )),
        }
    }

    /// Records that the last entry has ended; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; the next run makes up for it.
    pub fn write_head(&self, workspace: &Workspace) -> Result<(), Error> {
        let Some((entry, digest)) = self.entries.last().filter(|(entry, _)| entry.is_finished()) else { return Ok(()) };
        let head = Mark {
            version: FORMAT_VERSION.to_owned(),
            sequence: entry.sequence,
            entry: *digest,
            generation: self.generation(),
        };
        let text = json::pretty(&head);
        if workspace.read_optional(layout::WAL_HEAD)?.is_some_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        workspace.write(layout::WAL_HEAD, text.as_bytes())
    }

    /// Returns sequence and `prev` of the next entry.
    pub fn next(&self) -> (u64, Digest) {
        match self.entries.last() {
            Some((entry, digest)) => (entry.sequence + 1, *digest),
            None => (self.base.sequence + 1, self.base.entry),
        }
    }

    /// Adds an entry that was written, or replaces the last one by what it has become.
    pub fn set_last(&mut self, entry: Entry) {
        let digest = entry.digest();
        match self.entries.last_mut() {
            Some(last) if last.0.sequence == entry.sequence => *last = (entry, digest),
            _ => self.entries.push((entry, digest)),
        }
    }

    /// Returns the entries, oldest first, without those that were pruned.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().map(|(entry, _)| entry)
    }

    /// Returns the newest entry.
    pub fn last(&self) -> Option<&Entry> {
        self.entries.last().map(|(entry, _)| entry)
    }

    /// Returns the newest transaction that changed the state.
    pub fn last_committed(&self) -> Option<&Entry> {
        self.committed().next_back()
    }

    /// Returns the transactions that changed the state, oldest first.
    pub fn committed(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries().filter(|entry| entry.decision() == Some(Decision::Commit))
    }

    /// Returns the generation that the last commit made, whatever `.rtt/routes.json` says: plans of earlier ones stay
    /// refused even where an old file was put back.
    pub fn generation(&self) -> u64 {
        self.last_committed().map_or(self.base.generation, |entry| entry.begin.generation)
    }

    /// Forgets all but the newest `keep` entries, which must be finished: writes a checkpoint signed by `key`, then
    /// removes entries and objects that nothing names any more. Returns how many entries were removed.
    ///
    /// # Errors
    /// [`Error::Io`]; what is left over is removed by the next run.
    pub fn prune(&mut self, workspace: &Workspace, keep: usize, key: &PrivateKey) -> Result<usize, Error> {
        let pruned = self.entries.len().saturating_sub(keep.max(1));
        if pruned > 0 {
            let (entry, digest) = &self.entries[pruned - 1];
            let committed = self.entries[..pruned].iter().rev().find(|(e, _)| e.decision() == Some(Decision::Commit));
            let mark = Mark {
                version: FORMAT_VERSION.to_owned(),
                sequence: entry.sequence,
                entry: *digest,
                generation: committed.map_or(self.base.generation, |(entry, _)| entry.begin.generation),
            };
            let signature = Signature::of(&mark.signed_bytes(), key).to_string();
            let checkpoint = Checkpoint { mark: mark.clone(), signature };
            workspace.write(layout::WAL_CHECKPOINT, json::pretty(&checkpoint).as_bytes())?;
            self.entries.drain(..pruned);
            self.base = mark;
        }
        self.sweep(workspace)?;
        Ok(pruned)
    }

    /// Removes files of pruned entries and objects that no entry names.
    fn sweep(&self, workspace: &Workspace) -> Result<(), Error> {
        let remove = |file: &str| {
            let path = workspace.path(file);
            durable::remove_file(&path).map(|_| ()).map_err(|source| Error::remove(&path, source))
        };
        let first = layout::wal_entry(self.base.sequence + 1);
        for name in file_names(workspace)? {
            let file = format!("{}/{name}", layout::WAL);
            if file < first {
                remove(&file)?;
            }
        }
        let named: std::collections::BTreeSet<String> = self
            .entries()
            .flat_map(|entry| {
                let Begin { before, after, diff, .. } = &entry.begin;
                [before.routes, before.last_applied, after.routes, after.last_applied, Some(*diff)]
            })
            .flatten()
            .map(|digest| layout::wal_object(&digest.hex()))
            .collect();
        for name in names_in(workspace, layout::WAL_OBJECTS)? {
            let file = format!("{}/{name}", layout::WAL_OBJECTS);
            if !named.contains(&file) {
                remove(&file)?;
            }
        }
        Ok(())
    }
}

fn read_checkpoint(workspace: &Workspace) -> Result<Option<Mark>, StateError> {
    let Some(bytes) = workspace.read_optional(layout::WAL_CHECKPOINT)? else { return Ok(None) };
    let file = layout::WAL_CHECKPOINT;
    let checkpoint: Checkpoint = serde_json::from_slice(&bytes)
        .map_err(|error| broken(file, format!("the checkpoint is torn or was edited: {error}")))?;
    let signature: Signature = (checkpoint.signature.parse())
        .map_err(|_| broken(file, "the checkpoint's signature is malformed".to_owned()))?;
    let id = &signature.key;
    let trust = TrustStore::read(workspace).map_err(|error| match error {
        trust::Error::Workspace(error) => error.into(),
        trust::Error::State(error) => error,
        error => broken(layout::KEYS, error.to_string()),
    })?;
    let is_signed = trust.revocation(id).is_none()
        && trust.get(id).is_some_and(|key| signature.fits(&checkpoint.mark.signed_bytes(), key));
    if is_signed {
        Ok(Some(checkpoint.mark))
    } else {
        Err(broken(file, format!("the checkpoint is not signed by a trusted key (it names {id})")))
    }
}

/// Removes files that a kill left unfinished.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_unfinished(workspace: &Workspace) -> Result<(), Error> {
    for folder in [layout::WAL, layout::WAL_OBJECTS, layout::STATE, layout::PLANS] {
        let path = workspace.path(folder);
        unfinished::remove_all(&path).map_err(|source| Error::remove(&path, source))?;
    }
    Ok(())
}

/// What an apply writes last: the digests of the head, the checkpoint and the newest entry.
fn written(workspace: &Workspace) -> Result<[Option<Digest>; 3], StateError> {
    let newest = file_names(workspace)?.pop().map(|name| format!("{}/{name}", layout::WAL));
    let digest = |path: &str| Ok::<_, StateError>(workspace.read_optional(path)?.map(Digest::of_bytes));
    Ok([digest(layout::WAL_HEAD)?, digest(layout::WAL_CHECKPOINT)?, newest.map_or(Ok(None), |path| digest(&path))?])
}

fn file_names(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let mut names = names_in(workspace, layout::WAL)?;
    names.retain(|name| name.ends_with(".wal.json"));
    Ok(names)
}

/// Returns the names in a folder, sorted; a folder that does not exist holds none.
fn names_in(workspace: &Workspace, folder: &str) -> Result<Vec<String>, Error> {
    let folder = workspace.path(folder);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::read(&folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|source| Error::read(&folder, source))?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort();
    Ok(names)
}
