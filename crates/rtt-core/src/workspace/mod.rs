//! The workspace on disk: its root, the layout of `.rtt/` and `plans/`, durable writes, locks, state files.
//!
//! Only this module and its children write into the root. They know no format.

pub mod durable;
pub mod layout;
pub mod lock;
pub mod state;
pub mod unfinished;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// The variable that names the root where `--root` does not.
pub const RTT_ROOT: &str = "RTT_ROOT";

/// How much of a large file is read at once, in bytes.
const READ_BYTES: usize = 1 << 18;

/// A folder that holds manifests, `.rtt/` and `plans/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// What [`Workspace::discover`] looks at, so that it needs no environment of its own.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// `--root`.
    pub root: Option<PathBuf>,
    /// `$RTT_ROOT`, unless empty.
    pub rtt_root: Option<PathBuf>,
    /// The current folder.
    pub current_dir: PathBuf,
}

impl Workspace {
    /// Takes a folder as the root, whatever is in it.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Finds the root: `--root`, else `$RTT_ROOT`, else the nearest parent that holds `.rtt/`.
    ///
    /// # Errors
    /// [`Error::NoRoot`] if there is none or the named one has no `.rtt/`; [`Error::Io`] if it cannot be looked into.
    pub fn discover(hints: &Hints) -> Result<Self, Error> {
        if let Some(named) = hints.root.as_ref().or(hints.rtt_root.as_ref()) {
            let root = hints.current_dir.join(named);
            return if holds_state(&root)? {
                Ok(Self::at(root))
            } else {
                Err(Error::NoRoot { searched: root, named: true })
            };
        }
        for parent in hints.current_dir.ancestors() {
            if holds_state(parent)? {
                return Ok(Self::at(parent));
            }
        }
        Err(Error::NoRoot { searched: hints.current_dir.clone(), named: false })
    }

    /// Finds the root that bootstrap creates: as [`Self::discover`], else the current folder; a named folder that does
    /// not exist is created.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn discover_or_create(hints: &Hints) -> Result<Self, Error> {
        match hints.root.as_ref().or(hints.rtt_root.as_ref()) {
            Some(named) => {
                let root = hints.current_dir.join(named);
                durable::create_dir_all(&root).map_err(|source| Error::create(&root, source))?;
                Ok(Self::at(root))
            }
            None => match Self::discover(hints) {
                Err(Error::NoRoot { .. }) => Ok(Self::at(&hints.current_dir)),
                found => found,
            },
        }
    }

    /// Returns the root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of a file or folder of [`layout`], or of any other path relative to the root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Returns a path as diagnostics and state files name it: relative to the root, with `/`.
    pub fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/")
            .replace("//", "/")
    }

    /// Reads a file of the workspace; `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read_optional(&self, relative: impl AsRef<Path>) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(relative);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::read(&path, source)),
        }
    }

    /// Returns the digest of a file of the workspace without holding its content; `None` if it does not exist.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn digest(&self, relative: impl AsRef<Path>) -> Result<Option<Digest>, Error> {
        let mut hasher = Sha256::new();
        let exists = self.read_parts(relative, |part| {
            hasher.update(part);
            true
        })?;
        Ok(exists.then(|| Digest::from_bytes(hasher.finalize().into())))
    }

    /// Tells whether a file of the workspace holds exactly these bytes, without holding its content.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn holds(&self, relative: impl AsRef<Path>, bytes: &[u8]) -> Result<bool, Error> {
        let mut expected = Some(bytes);
        let exists = self.read_parts(relative, |part| {
            expected = expected.and_then(|rest| rest.strip_prefix(part));
            expected.is_some()
        })?;
        Ok(exists && expected.is_some_and(<[u8]>::is_empty))
    }

    /// Gives the content of a file bit by bit, as long as `each` asks for more; tells whether the file exists.
    fn read_parts(&self, relative: impl AsRef<Path>, mut each: impl FnMut(&[u8]) -> bool) -> Result<bool, Error> {
        let path = self.path(relative);
        let mut read = || -> io::Result<()> {
            let mut file = BufReader::with_capacity(READ_BYTES, File::open(&path)?);
            loop {
                let part = file.fill_buf()?;
                let length = part.len();
                if length == 0 || !each(part) {
                    return Ok(());
                }
                file.consume(length);
            }
        };
        match read() {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(Error::read(&path, source)),
        }
    }

    /// Writes a file of the workspace whole or not at all, and durably; folders on the way are created.
    ///
    /// # Errors
    /// [`Error::Io`]; the previous content is then still there.
    pub fn write(&self, relative: impl AsRef<Path>, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(relative);
        if let Some(folder) = path.parent() {
            durable::create_dir_all(folder).map_err(|source| Error::create(folder, source))?;
        }
        durable::write_atomic(&path, bytes, durable::Mode::Public).map_err(|source| Error::create(&path, source))
    }
}

fn holds_state(folder: &Path) -> Result<bool, Error> {
    let state = folder.join(layout::STATE);
    match std::fs::metadata(&state) {
        // A folder that cannot be listed is found, but of no use: say so here rather than "no such file" later.
        Ok(metadata) if metadata.is_dir() => {
            std::fs::read_dir(&state).map(|_| true).map_err(|source| Error::read(&state, source))
        }
        Ok(_) => Ok(false),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(source) => Err(Error::read(&state, source)),
    }
}

/// Why the workspace could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No folder with `.rtt/`.
    #[error("{}", no_root_message(.searched, *.named))]
    NoRoot {
        /// Where the search began, or the folder that was named.
        searched: PathBuf,
        /// Whether `--root` or `$RTT_ROOT` named it.
        named: bool,
    },
    /// An operation on a file or folder failed.
    #[error("{action} {}", .path.display())]
    Io {
        /// What was tried.
        action: Action,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// What was tried on a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reading or listing.
    Read,
    /// Creating or replacing.
    Create,
    /// Removing.
    Remove,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "reading",
            Self::Create => "creating",
            Self::Remove => "removing",
        })
    }
}

impl Error {
    /// Reading `path` failed.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Io { action: Action::Read, path: path.to_owned(), source }
    }

    /// Creating or replacing `path` failed.
    pub fn create(path: &Path, source: io::Error) -> Self {
        Self::Io { action: Action::Create, path: path.to_owned(), source }
    }

    /// Removing `path` failed.
    pub fn remove(path: &Path, source: io::Error) -> Self {
        Self::Io { action: Action::Remove, path: path.to_owned(), source }
    }
}

fn no_root_message(searched: &Path, named: bool) -> String {
    if named {
        format!("{} is not an RTT workspace: it has no .rtt/ folder", searched.display())
    } else {
        format!("no RTT workspace here: neither {} nor a parent of it has a .rtt/ folder", searched.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_are_compared_and_digested_in_parts() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let workspace = Workspace::at(folder.path());
        let bytes: Vec<u8> = (0..READ_BYTES * 2 + 7).map(|index| (index % 251) as u8).collect();
        workspace.write("large", &bytes).expect("writable");
        assert_eq!(workspace.digest("large").expect("readable"), Some(Digest::of_bytes(&bytes)));
        assert_eq!(workspace.digest("none").expect("readable"), None);
        let holds = |file: &str, bytes: &[u8]| workspace.holds(file, bytes).expect("readable");
        assert!(holds("large", &bytes));
        assert!(!holds("large", &bytes[1..]) && !holds("large", &bytes[..bytes.len() - 1]) && !holds("large", b""));
        assert!(!holds("large", &[&bytes[..], b"x"].concat()));
        assert!(!holds("none", b""));
        workspace.write("empty", b"").expect("writable");
        assert!(holds("empty", b"") && !holds("empty", b"x"));
    }

    #[test]
    fn finds_the_root_in_the_documented_order() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let root = folder.path();
        std::fs::create_dir_all(root.join("outer/.rtt")).expect("writable");
        std::fs::create_dir_all(root.join("outer/inner/deep")).expect("writable");
        std::fs::create_dir_all(root.join("other/.rtt")).expect("writable");
        let hints = |named: Option<&str>, variable: Option<&str>| Hints {
            root: named.map(PathBuf::from),
            rtt_root: variable.map(|path| root.join(path)),
            current_dir: root.join("outer/inner/deep"),
        };
        let found = |hints: Hints| Workspace::discover(&hints).expect("there is one").root().to_owned();
        assert_eq!(found(hints(None, None)), root.join("outer"));
        assert_eq!(found(hints(None, Some("other"))), root.join("other"));
        assert_eq!(found(hints(Some("../.."), Some("other"))), root.join("outer/inner/deep/../.."));
        assert!(matches!(Workspace::discover(&hints(Some("."), None)), Err(Error::NoRoot { named: true, .. })));
    }
}
