//! Writes that survive a crash whole or leave no trace.
//!
//! A file is written beside its destination, synced, renamed, and then the folder is synced: after a kill at any
//! point the name holds the old or the new content. What a kill leaves behind is [`super::unfinished`] and means nothing.

use std::fs::{self, File, Permissions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use super::unfinished;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everybody may read, 0644.
    Public,
    /// Only the owner may read, 0600.
    Private,
    /// Everybody may read, nobody may write, 0444.
    ReadOnly,
}

impl Mode {
    pub(super) fn permissions(self) -> Permissions {
        Permissions::from_mode(match self {
            Self::Public => 0o644,
            Self::Private => 0o600,
            Self::ReadOnly => 0o444,
        })
    }
}

/// Replaces a file's content; durable when it returns.
///
/// # Errors
/// Any I/O error; the old content is then still under the name.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let prepared = prepare(path, bytes, mode)?;
    prepared.persist(path).map_err(|error| error.error)?;
    sync_folder_of(path)
}

/// Replaces a file's content at once, without waiting for the disk: after a kill the name holds the old or the new
/// content, after a power failure perhaps none. For what can be made anew.
///
/// # Errors
/// Any I/O error; the old content is then still under the name.
pub fn replace_unsynced(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut file = unfinished::file(folder_of(path), mode)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(mode.permissions())?;
    // Exchanged, and what the name held removed: ext4 writes out a new file that is renamed over another, which takes
    // milliseconds on a busy disk. Where names cannot be exchanged, or there is none yet, it is renamed.
    match rustix::fs::renameat_with(CWD, file.path(), CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => file.close(),
        Err(_) => file.persist(path).map(drop).map_err(|error| error.error),
    }
}

/// A file's new content, given bit by bit. As long as it is what the file holds already, nothing is written; from the
/// first difference on it is written beside the file. Dropping it leaves the file as it is.
pub struct Replacement {
    path: PathBuf,
    mode: Mode,
    state: Progress,
}

enum Progress {
    /// The content so far is that of the file up to here.
    Same { old: BufReader<File>, length: u64 },
    /// The content is written anew.
    Other(BufWriter<tempfile::NamedTempFile>),
}

/// How much is written or compared at once, in bytes.
const BUFFER: usize = 1 << 18;

impl Replacement {
    /// Begins with an empty content.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn of(path: &Path, mode: Mode) -> io::Result<Self> {
        let state = match File::open(path) {
            Ok(old) => Progress::Same { old: BufReader::with_capacity(BUFFER, old), length: 0 },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Progress::Other(scratch(path, mode)?),
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), mode, state })
    }

    /// Goes on with a part of the file as it is now, copied in the kernel where it can be.
    ///
    /// # Errors
    /// Any I/O error, also where the file is shorter.
    pub fn keep(&mut self, offset: u64, length: u64) -> io::Result<()> {
        match &mut self.state {
            Progress::Same { old, length: matched } if *matched == offset => {
                let distance = i64::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
                old.seek_relative(distance)?;
                *matched += length;
                Ok(())
            }
            Progress::Same { .. } => {
                self.diverge()?;
                self.keep(offset, length)
            }
            Progress::Other(new) => {
                new.flush()?;
                copy_range(&self.path, offset, length, new.get_mut().as_file_mut())
            }
        }
    }

    /// Puts the new content in place, durably; returns whether it is another than before.
    ///
    /// # Errors
    /// Any I/O error; the old content is then still under the name.
    pub fn commit(mut self) -> io::Result<bool> {
        if let Progress::Same { old, length } = &self.state {
            if old.get_ref().metadata()?.len() == *length {
                return Ok(false);
            }
            self.diverge()?;
        }
        let Progress::Other(new) = self.state else { unreachable!("it was made another just now") };
        let file = new.into_inner().map_err(io::IntoInnerError::into_error)?;
        finish(file, self.mode)?.persist(&self.path).map_err(|error| error.error)?;
        sync_folder_of(&self.path).map(|()| true)
    }

    /// From here on the content is another; what was the same is copied.
    fn diverge(&mut self) -> io::Result<()> {
        if let Progress::Same { length, .. } = self.state {
            let mut new = scratch(&self.path, self.mode)?;
            copy_range(&self.path, 0, length, new.get_mut().as_file_mut())?;
            self.state = Progress::Other(new);
        }
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Progress::Same { old, length } = &mut self.state {
            let there = old.fill_buf()?;
            let compared = there.len().min(bytes.len());
            if compared > 0 && there[..compared] == bytes[..compared] {
                old.consume(compared);
                *length += compared as u64;
                return Ok(compared);
            }
            if !bytes.is_empty() {
                self.diverge()?;
            }
        }
        match &mut self.state {
            Progress::Other(new) => new.write(bytes),
            Progress::Same { .. } => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            Progress::Other(new) => new.flush(),
            Progress::Same { .. } => Ok(()),
        }
    }
}

fn scratch(path: &Path, mode: Mode) -> io::Result<BufWriter<tempfile::NamedTempFile>> {
    let file = unfinished::file(folder_of(path), mode)?;
    Ok(BufWriter::with_capacity(BUFFER, file))
}

fn copy_range(from: &Path, offset: u64, length: u64, to: &mut File) -> io::Result<()> {
    let mut from = File::open(from)?;
    from.seek(io::SeekFrom::Start(offset))?;
    let copied = io::copy(&mut from.take(length), to)?;
    if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Creates a file unless the name exists; returns whether it was created. Durable when it returns.
///
/// # Errors
/// Any I/O error; an existing file is never touched.
pub fn create_new(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<bool> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    let prepared = prepare(path, bytes, mode)?;
    match prepared.persist_noclobber(path) {
        Ok(_) => sync_folder_of(path).map(|()| true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// Writes and syncs the content beside its destination; dropping the result removes it.
fn prepare(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<tempfile::NamedTempFile> {
    let mut file = unfinished::file(folder_of(path), mode)?;
    file.write_all(bytes)?;
    finish(file, mode)
}

fn finish(file: tempfile::NamedTempFile, mode: Mode) -> io::Result<tempfile::NamedTempFile> {
    // The umask may have cleared bits that readers in other jobs need.
    file.as_file().set_permissions(mode.permissions())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Points a symlink at a target, replacing what the name held before; durable when it returns.
///
/// # Errors
/// Any I/O error; the old link is then still there.
pub fn replace_symlink(path: &Path, target: &str) -> io::Result<()> {
    let folder = folder_of(path);
    let (scratch, _lock) = unfinished::locked_folder(folder)?;
    let link = scratch.path().join("link");
    std::os::unix::fs::symlink(target, &link)?;
    rename(&link, path)?;
    sync_folder_of(path)
}

/// Renames without syncing the folder; for callers that sync once for several.
///
/// # Errors
/// Any I/O error.
#[expect(clippy::disallowed_methods, reason = "durable writes are made here")]
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Removes a file if it is there; returns whether it was. Durable when it returns.
///
/// # Errors
/// Any I/O error but "not found".
pub fn remove_file(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder_of(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a new file that is not durable before [`sync_files`]; for many files that count only together.
///
/// # Errors
/// Any I/O error, also where the name exists.
pub fn write_unsynced(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    // The umask may have cleared bits that readers in other jobs need.
    file.set_permissions(mode.permissions())
}

/// From how many files on the whole file system is synced instead of each.
#[cfg(target_os = "linux")]
const MANY: usize = 64;

/// Makes the content of files of one folder durable. Many are synced by one call for their file system, since each call
/// for one file waits for the journal.
///
/// # Errors
/// Any I/O error.
pub fn sync_files(folder: &Path, names: &[impl AsRef<Path>]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if names.len() >= MANY {
        return Ok(rustix::fs::syncfs(File::open(folder)?)?);
    }
    names.iter().try_for_each(|name| File::open(folder.join(name))?.sync_all())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Any I/O error.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Creates a folder and its parents; each new name is durable when it returns.
///
/// # Errors
/// Any I/O error, also where a name exists and is not a folder.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dir_all(parent)?;
    }
    match fs::create_dir(path) {
        Ok(()) => sync_folder_of(path),
        // Another process may have been faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in the folder that holds `path` durable.
///
/// # Errors
/// Any I/O error.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn replaces_whole_files_and_never_overwrites_keys() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let file = folder.path().join("state.json");
        write_atomic(&file, b"one", Mode::Public).expect("writable");
        write_atomic(&file, b"two", Mode::Public).expect("writable");
        assert_eq!(fs::read(&file).expect("readable"), b"two");
        assert_eq!(mode_of(&file), 0o644);

        let key = folder.path().join("signer.priv");
        assert!(create_new(&key, b"first", Mode::Private).expect("writable"));
        assert!(!create_new(&key, b"second", Mode::Private).expect("readable"));
        assert_eq!(fs::read(&key).expect("readable"), b"first");
        assert_eq!(mode_of(&key), 0o600);

        replacements_write_only_what_differs(&folder.path().join("state.json"));

        let link = folder.path().join("LATEST");
        replace_symlink(&link, "state.json").expect("writable");
        replace_symlink(&link, "signer.priv").expect("writable");
        assert_eq!(fs::read_link(&link).expect("a link"), Path::new("signer.priv"));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 3, "nothing temporary is left");
    }

    /// `path` holds "two".
    fn replacements_write_only_what_differs(path: &Path) {
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).expect("there"));
        let check = |parts: &[Result<&str, (u64, u64)>], expected: &str, is_other: bool| {
            let before = inode();
            let mut new = Replacement::of(path, Mode::Public).expect("readable");
            for part in parts {
                match part {
                    Ok(text) => new.write_all(text.as_bytes()).expect("writable"),
                    Err((offset, length)) => new.keep(*offset, *length).expect("there"),
                }
            }
            assert_eq!(new.commit().expect("writable"), is_other);
            assert_eq!(fs::read_to_string(path).expect("readable"), expected);
            assert_eq!(inode() != before, is_other);
        };
        check(&[Ok("t"), Ok("wo")], "two", false);
        check(&[Ok("two")], "two", false);
        check(&[Err((0, 2)), Ok("o")], "two", false);
        check(&[Ok("tw")], "tw", true);
        check(&[Ok("tw"), Ok("elve")], "twelve", true);
        check(&[Ok("twe"), Err((2, 3)), Ok("!"), Err((0, 2))], "tweelv!tw", true);
        check(&[Err((2, 4)), Ok("x")], "eelvx", true);
        check(&[], "", true);
        check(&[Ok("two")], "two", true);
    }
}
