//! Files and folders that are being made beside what they are to become. Their names begin with [`PREFIX`], and whoever
//! makes one holds a lock on it, so that what a killed writer left is told from what somebody is writing.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::durable::{self, Mode};

/// How the names begin.
pub const PREFIX: &str = ".rtt-tmp-";

/// Makes an empty file in a folder, locked as long as it is open; dropping the result removes it.
pub(super) fn file(folder: &Path, mode: Mode) -> io::Result<tempfile::NamedTempFile> {
    loop {
        let file = tempfile::Builder::new().prefix(PREFIX).permissions(mode.permissions()).tempfile_in(folder)?;
        if hold(file.as_file(), file.path())? {
            return Ok(file);
        }
    }
}

/// Makes an empty folder in another, locked as long as the second part of the result is open; dropping the first removes it.
pub(super) fn locked_folder(parent: &Path) -> io::Result<(tempfile::TempDir, File)> {
    loop {
        let folder = folder(parent)?;
        match File::open(folder.path()) {
            Ok(lock) if hold(&lock, folder.path())? => return Ok((folder, lock)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

/// Makes an empty folder in another, for those who hold the lock under which alone something is made there; dropping the
/// result removes it.
///
/// # Errors
/// Any I/O error.
pub fn folder(parent: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)
}

/// Locks what was just made; `false` if somebody removed it before. On file systems without locks it is not locked.
fn hold(file: &File, path: &Path) -> io::Result<bool> {
    // Only who is about to remove it can have it locked, so this is no long wait.
    while fs2::FileExt::lock_exclusive(file).is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {}
    match fs::symlink_metadata(path) {
        Ok(there) => file.metadata().map(|held| (held.dev(), held.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes what killed writers left in a folder. A folder that does not exist holds nothing.
///
/// # Errors
/// Any I/O error of a removal.
pub fn remove_all(folder: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.filter_map(Result::ok) {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        // What cannot be opened is nobody's who could be writing: a link to nowhere, another user's file.
        let no_wait = rustix::fs::OFlags::NONBLOCK.bits();
        let file = OpenOptions::new().read(true).custom_flags(no_wait.cast_signed()).open(&path).ok();
        let contended = fs2::lock_contended_error().raw_os_error();
        let locked = file.as_ref().map(fs2::FileExt::try_lock_exclusive);
        if locked.is_some_and(|locked| locked.is_err_and(|error| error.raw_os_error() == contended)) {
            continue;
        }
        let removed = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => durable::remove_file(&path).map(drop),
            Err(error) => Err(error),
        };
        // Whoever made it may have come to its end meanwhile.
        removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "what kills leave is no durable write")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn only_what_nobody_is_making_is_removed() {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let there = || {
            let entries = fs::read_dir(scratch.path()).expect("readable");
            entries.map(|entry| entry.expect("readable").path()).collect::<std::collections::BTreeSet<_>>()
        };
        let made = file(scratch.path(), Mode::Public).expect("writable");
        let (folder, lock) = locked_folder(scratch.path()).expect("writable");
        fs::write(folder.path().join("link"), "").expect("writable");
        let living = there();
        assert_eq!(living.len(), 2);
        let left = |name: &str| scratch.path().join(format!("{PREFIX}{name}"));
        fs::write(left("file"), "half").expect("writable");
        fs::create_dir(left("folder")).expect("writable");
        fs::write(left("folder").join("part"), "half").expect("writable");
        std::os::unix::fs::symlink("nowhere", left("link")).expect("writable");
        remove_all(scratch.path()).expect("removable");
        assert_eq!(there(), living);
        // As a kill would: the locks go, the names stay.
        let (_, path) = made.keep().expect("it is there");
        drop(lock);
        let folder = folder.keep();
        assert_eq!(there(), [path, folder].into());
        remove_all(scratch.path()).expect("removable");
        assert!(there().is_empty());
        remove_all(&left("never")).expect("nothing to do");
    }

    #[test]
    fn what_is_removed_while_it_is_being_made_is_made_again() {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        remove_all(scratch.path()).expect("removable");
                    }
                });
            }
            let path = scratch.path().join("state.json");
            let link = scratch.path().join("LATEST");
            let written = (0..300).try_for_each(|round| {
                durable::write_atomic(&path, round.to_string().as_bytes(), Mode::Public)?;
                durable::replace_symlink(&link, &round.to_string())
            });
            is_over.store(true, Ordering::Relaxed);
            written.expect("writable");
        });
    }
}
