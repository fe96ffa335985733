//! By what a change of a file shows without reading it, as git's index has it.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use crate::workspace::{Workspace, layout};

/// Size, times, and identity of a file. The time of its last change of status cannot be set by hand, so a file whose
/// modification time was restored shows all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stat {
    /// In bytes.
    pub(super) size: u64,
    /// Last modification, in ns since 1970.
    pub(super) modified: i64,
    /// Last change of content or status, in ns since 1970.
    pub(super) changed: i64,
    /// Its number on the device.
    pub(super) inode: u64,
    /// The device that it is on.
    pub(super) device: u64,
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }

    /// Tells whether a later change of the file would show: its times tick coarsely, so a file that changed in the tick
    /// in which it was looked at could change once more and look the same.
    pub(super) fn is_settled(&self, now: Self) -> bool {
        self.changed < now.changed
    }

    /// Asks the file system for its time, by a file made just now.
    ///
    /// # Errors
    /// If none can be made.
    pub(super) fn of_now(workspace: &Workspace) -> io::Result<Self> {
        let file = tempfile::tempfile_in(workspace.path(layout::CACHE))?;
        file.metadata().map(|metadata| Self::of(&metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_settled_once_the_clock_has_ticked() {
        let at = |changed| Stat { size: 1, modified: 5, changed, inode: 1, device: 1 };
        assert!(at(9).is_settled(at(10)));
        assert!(!at(10).is_settled(at(10)) && !at(11).is_settled(at(10)));
    }
}
