//! Writes that survive a crash whole or leave no trace.
//!
//! A file is written beside its destination, synced, renamed, and then the folder is synced: after a kill at any
//! point the name holds the old or the new content. A temporary file that a kill leaves behind begins with
//! [`TEMPORARY_PREFIX`] and means nothing.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Seek as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// How the names of unfinished files begin.
pub const TEMPORARY_PREFIX: &str = ".rtt-tmp-";

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everybody may read, 0644.
    Public,
    /// Only the owner may read, 0600.
    Private,
}

impl Mode {
    fn permissions(self) -> Permissions {
        Permissions::from_mode(match self {
            Self::Public => 0o644,
            Self::Private => 0o600,
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

/// A file's new content, written bit by bit beside it; dropping it leaves the file as it is.
pub struct Replacement {
    file: io::BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
    mode: Mode,
}

impl Replacement {
    /// Begins with an empty content.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn of(path: &Path, mode: Mode) -> io::Result<Self> {
        let file = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .permissions(mode.permissions())
            .tempfile_in(folder_of(path))?;
        Ok(Self { file: io::BufWriter::with_capacity(1 << 18, file), path: path.to_owned(), mode })
    }

    /// Copies a part of another file, in the kernel where it can.
    ///
    /// # Errors
    /// Any I/O error, also where the other file is shorter.
    pub fn copy(&mut self, from: &mut File, offset: u64, length: u64) -> io::Result<()> {
        self.file.flush()?;
        from.seek(io::SeekFrom::Start(offset))?;
        let copied = io::copy(&mut Read::by_ref(from).take(length), self.file.get_mut().as_file_mut())?;
        if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Tells whether the file has the same content already.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn is_same(&mut self) -> io::Result<bool> {
        self.file.flush()?;
        let new = self.file.get_mut().as_file_mut();
        let mut old = match File::open(&self.path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if old.metadata()?.len() != new.metadata()?.len() {
            return Ok(false);
        }
        new.seek(io::SeekFrom::Start(0))?;
        let mut buffers = [vec![0; 1 << 18], vec![0; 1 << 18]];
        let is_same = loop {
            let [a, b] = &mut buffers;
            let length = new.read(a)?;
            if length == 0 {
                break true;
            }
            old.read_exact(&mut b[..length])?;
            if a[..length] != b[..length] {
                break false;
            }
        };
        new.seek(io::SeekFrom::End(0))?;
        Ok(is_same)
    }

    /// Puts the new content in place; durable when it returns.
    ///
    /// # Errors
    /// Any I/O error; the old content is then still under the name.
    pub fn commit(self) -> io::Result<()> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        finish(file, self.mode)?.persist(&self.path).map_err(|error| error.error)?;
        sync_folder_of(&self.path)
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .permissions(mode.permissions())
        .tempfile_in(folder_of(path))?;
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
    let scratch = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempdir_in(folder)?;
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

/// Removes the unfinished files that killed writers left in a folder. The caller holds the lock under which alone files
/// are written there. A folder that does not exist holds none.
///
/// # Errors
/// Any I/O error of a removal.
pub fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            remove_file(&entry.path())?;
        }
    }
    Ok(())
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

        let link = folder.path().join("LATEST");
        replace_symlink(&link, "state.json").expect("writable");
        replace_symlink(&link, "signer.priv").expect("writable");
        assert_eq!(fs::read_link(&link).expect("a link"), Path::new("signer.priv"));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 3, "nothing temporary is left");
    }
}
