//! Reading the store: by digest, by a prefix of it, by name. What is returned was checked against its digest.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::object::{self, Kind, Object};
use super::{Error, Index, Writer};
use crate::digest::Digest;
use crate::symbol::InstanceId;
use crate::workspace::{self, Workspace, layout};

/// The shortest prefix of a digest that names an object, in hex digits.
const MIN_PREFIX: usize = 4;

/// The store of a workspace. Reading takes no lock: objects never change, and the index is replaced whole.
#[derive(Debug, Clone, Copy)]
pub struct Store<'a> {
    workspace: &'a Workspace,
}

/// How an object is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By its digest.
    Digest(Digest),
    /// By the first hex digits of its digest.
    Prefix(String),
    /// By a name of the index.
    Name(InstanceId),
}

impl Reference {
    /// Reads `name@version`, `sha256:<hex>` or `<hex>`.
    ///
    /// # Errors
    /// [`Error::NotAReference`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::NotAReference(text.to_owned());
        if text.contains('@') {
            return text.parse().map(Self::Name).map_err(|_| invalid());
        }
        let hex = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
        if let Some(digest) = Digest::from_hex(&hex) {
            return Ok(Self::Digest(digest));
        }
        let is_prefix = (MIN_PREFIX..64).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_prefix { Ok(Self::Prefix(hex)) } else { Err(invalid()) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => write!(f, "{digest}"),
            Self::Prefix(hex) => write!(f, "object {hex}…"),
            Self::Name(name) => write!(f, "{name}"),
        }
    }
}

/// An object's file, as the folder lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// What the content should be.
    pub digest: Digest,
    /// What it holds.
    pub kind: Kind,
}

impl Entry {
    /// Returns the file, relative to the root.
    pub fn file(&self) -> String {
        format!("{}/{}", layout::OBJECTS, object::file_name(self.digest, self.kind))
    }
}

/// What lies in the folder of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects by their names, sorted; not yet looked into.
    pub objects: Vec<Entry>,
    /// Names that no object has, relative to the root, sorted.
    pub strangers: Vec<String>,
}

impl<'a> Store<'a> {
    /// The store of a workspace, whether or not anything is in it.
    pub fn of(workspace: &'a Workspace) -> Self {
        Self { workspace }
    }

    /// Returns the workspace.
    pub fn workspace(&self) -> &'a Workspace {
        self.workspace
    }

    /// Takes the lock, waiting for other writers.
    ///
    /// # Errors
    /// [`Error`] if the folders cannot be created or the index cannot be read.
    pub fn write(self) -> Result<Writer<'a>, Error> {
        Writer::new(self)
    }

    /// Reads the index.
    ///
    /// # Errors
    /// [`Error::State`].
    pub fn index(&self) -> Result<Index, Error> {
        Ok(Index::read(self.workspace)?)
    }

    /// Reads an object and checks it; `None` if it is not there.
    ///
    /// # Errors
    /// [`Error::Altered`], [`Error::NotAFile`], [`Error::Workspace`].
    pub fn get(&self, digest: Digest) -> Result<Option<Object>, Error> {
        for kind in Kind::ALL {
            if let Some(object) = self.read(&Entry { digest, kind })? {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// Returns the file that holds an object, or a link, folder or device in its place; not yet looked into.
    ///
    /// # Errors
    /// [`Error::NotAFile`] for something else than a regular file.
    pub fn locate(&self, digest: Digest) -> Result<Option<Entry>, Error> {
        for kind in Kind::ALL {
            let entry = Entry { digest, kind };
            match std::fs::symlink_metadata(self.path(&entry)) {
                Ok(metadata) if metadata.is_file() => return Ok(Some(entry)),
                Ok(_) => return Err(Error::NotAFile { file: entry.file() }),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Reads the object of a listed file and checks it; `None` if it is there no more.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn read(&self, entry: &Entry) -> Result<Option<Object>, Error> {
        let path = self.path(entry);
        let unreadable = |source| workspace::Error::read(&path, source);
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(Error::NotAFile { file: entry.file() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unreadable(source).into()),
        }
        let object = Object::new(entry.kind, std::fs::read(&path).map_err(unreadable)?);
        if object.digest() == entry.digest {
            Ok(Some(object))
        } else {
            Err(Error::Altered { file: entry.file(), found: object.digest() })
        }
    }

    /// Finds the object that a reference means; it may still be missing or altered.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Ambiguous`], [`Error::State`], [`Error::Workspace`].
    pub fn resolve(&self, reference: &Reference) -> Result<Digest, Error> {
        match reference {
            Reference::Digest(digest) => Ok(*digest),
            Reference::Name(name) => {
                let found = self.index()?.get(name).map(|(_, digest)| digest);
                found.ok_or_else(|| Error::Unknown(reference.clone()))
            }
            Reference::Prefix(prefix) => {
                let fits = |entry: &Entry| Some(entry.digest).filter(|digest| digest.hex().starts_with(prefix));
                let mut found: Vec<Digest> = self.list()?.objects.iter().filter_map(fits).collect();
                found.dedup();
                match found.as_slice() {
                    [] => Err(Error::Unknown(reference.clone())),
                    [digest] => Ok(*digest),
                    _ => Err(Error::Ambiguous { prefix: prefix.clone(), candidates: found }),
                }
            }
        }
    }

    /// Reads the object that a reference means.
    ///
    /// # Errors
    /// As [`Self::resolve`] and [`Self::get`].
    pub fn find(&self, reference: &Reference) -> Result<Object, Error> {
        let digest = self.resolve(reference)?;
        self.get(digest)?.ok_or(Error::Unknown(Reference::Digest(digest)))
    }

    /// Lists the folder of objects; a store without one is empty.
    ///
    /// # Errors
    /// [`Error::Workspace`].
    pub fn list(&self) -> Result<Listing, Error> {
        let folder = self.workspace.path(layout::OBJECTS);
        let unreadable = |source| workspace::Error::read(&folder, source);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
            Err(source) => return Err(unreadable(source).into()),
        };
        let mut listing = Listing::default();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            match name.to_str().and_then(object::parse_file_name) {
                Some((digest, kind)) => listing.objects.push(Entry { digest, kind }),
                None => listing.strangers.push(format!("{}/{}", layout::OBJECTS, name.to_string_lossy())),
            }
        }
        listing.objects.sort_unstable();
        listing.strangers.sort_unstable();
        Ok(listing)
    }

    pub(super) fn path(&self, entry: &Entry) -> PathBuf {
        self.workspace.path(entry.file())
    }
}
