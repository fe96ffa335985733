//! Advisory file locks, held by the kernel: a dead holder's lock is free.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// An exclusive lock, released when dropped or when the process ends.
#[derive(Debug)]
pub struct ExclusiveLock {
    file: File,
}

impl ExclusiveLock {
    /// Takes the lock if it is free; `None` if somebody holds it. The file is created if absent and never removed:
    /// removing a lock file lets two holders lock two different files of one name.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        // Fully qualified: std's File has methods of these names with other return types.
        match fs2::FileExt::try_lock_exclusive(&file) {
            Ok(()) => Ok(Some(Self { file })),
            Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock, waiting for its holder.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn acquire(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        fs2::FileExt::lock_exclusive(&file)?;
        Ok(Self { file })
    }

    /// Returns the locked file.
    pub fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excludes_until_dropped() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("lock");
        let held = ExclusiveLock::try_acquire(&path).expect("lockable").expect("free");
        assert!(ExclusiveLock::try_acquire(&path).expect("lockable").is_none());
        drop(held);
        assert!(ExclusiveLock::try_acquire(&path).expect("lockable").is_some());
    }
}
