//! One apply at a time: a kernel lock on `.rtt/apply.lock`, with its holder's particulars beside it for people.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::json;
use crate::workspace::lock::ExclusiveLock;
use crate::workspace::{Error, Workspace, durable, layout};

/// Who holds the lock. It helps people to find the process; what counts is the kernel's lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// What it does.
    pub purpose: String,
}

/// How long to wait before the lock is tried again.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// How long to wait before saying again who holds it.
const BETWEEN_WORDS: Duration = Duration::from_secs(2);

/// The lock, released when dropped.
#[derive(Debug)]
pub struct ApplyLock {
    workspace: Workspace,
    _lock: ExclusiveLock,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("another apply holds the lock{}", .0.as_ref().map_or(String::new(), |h| format!(": process {} on {} ({})", h.pid, h.host, h.purpose)))]
    Held(Option<Holder>),
    /// The lock file cannot be used.
    #[error(transparent)]
    Workspace(#[from] Error),
}

impl ApplyLock {
    /// Takes the lock, waiting at most `timeout` for its holder.
    ///
    /// # Errors
    /// [`LockError::Held`] if it is not released in time.
    pub fn acquire(workspace: &Workspace, purpose: &str, timeout: Duration) -> Result<Self, LockError> {
        let path = workspace.path(layout::APPLY_LOCK);
        let started = clock::stopwatch();
        let mut next_word = Duration::ZERO;
        let lock = loop {
            match ExclusiveLock::try_acquire(&path).map_err(|source| Error::create(&path, source))? {
                Some(lock) => break lock,
                None if started.elapsed() >= timeout => return Err(LockError::Held(read_holder(workspace))),
                None => {
                    if started.elapsed() >= next_word {
                        let holder = LockError::Held(read_holder(workspace));
                        log::info!("Waiting for the lock, {} s: {holder}", started.elapsed().as_secs());
                        next_word += BETWEEN_WORDS;
                    }
                    std::thread::sleep(BETWEEN_TRIES);
                }
            }
        };
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let holder = Holder { pid: std::process::id(), host, purpose: purpose.to_owned() };
        workspace.write(layout::APPLY_HOLDER, json::pretty(&holder).as_bytes())?;
        Ok(Self { workspace: workspace.clone(), _lock: lock })
    }
}

impl Drop for ApplyLock {
    fn drop(&mut self) {
        let path = self.workspace.path(layout::APPLY_HOLDER);
        if let Err(error) = durable::remove_file(&path) {
            log::warn!("cannot remove {}: {error}", layout::APPLY_HOLDER);
        }
    }
}

fn read_holder(workspace: &Workspace) -> Option<Holder> {
    let bytes = workspace.read_optional(layout::APPLY_HOLDER).ok()??;
    serde_json::from_slice(&bytes).ok()
}
