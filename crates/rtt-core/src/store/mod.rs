//! The content-addressed store: objects by their SHA-256 in `.rtt/registry/cas/sha256/`, and an index of names.
//!
//! An object's name is the digest of its bytes, so what a name stands for never changes, and an altered object betrays
//! itself. JSON documents are kept in their canonical form, so that layout and order of members make no second object.
//! [`Store`] reads without a lock; a [`Writer`] holds the lock, and nothing that it was given is in the store before it
//! commits: first whole objects, then the index that names them. `schemas/STORE.md` describes the files.

pub mod archive;
mod check;
pub mod garbage;
mod index;
pub mod ingest;
mod object;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use check::{Verification, verify};
pub use index::{Index, Role};
pub use object::{Kind, Object};
pub use reader::{Entry, Listing, Reference, Store};
pub use writer::{Clash, Outcome, Writer};

use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::stage;
use crate::symbol::InstanceId;
use crate::workspace::state::StateError;
use crate::workspace::{self, layout};

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of it cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// The index holds something else.
    #[error(transparent)]
    State(#[from] StateError),
    /// An object is not what its name says.
    #[error("{file} was altered: its content is {found}")]
    Altered {
        /// The object's file, relative to the root.
        file: String,
        /// What its content gives.
        found: Digest,
    },
    /// The name of an object is held by a link, a folder or a device.
    #[error("{file} is not a regular file")]
    NotAFile {
        /// Relative to the root.
        file: String,
    },
    /// There is no such object.
    #[error("the store has no {0}")]
    Unknown(Reference),
    /// The text names nothing that could be in a store.
    #[error("'{0}' is not a reference: expected name@version, sha256:<64 hex digits>, or at least 4 of the digits")]
    NotAReference(String),
    /// The prefix fits several objects.
    #[error("{prefix} fits {} objects", .candidates.len())]
    Ambiguous {
        /// The hex digits.
        prefix: String,
        /// What it fits, sorted.
        candidates: Vec<Digest>,
    },
    /// The name stands for another object already.
    #[error("{} stands for {} already, not for {}", .0.name, .0.before, .0.after)]
    Clash(Box<Conflict>),
}

/// A name that two objects want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The name.
    pub name: InstanceId,
    /// What it stands for.
    pub before: Digest,
    /// What it was to stand for.
    pub after: Digest,
}

impl From<Error> for stage::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let invalid = |rule, file: String, help: &str| Self::Invalid {
            message: message.clone(),
            diagnostics: vec![Diagnostic::error(rule, message.clone()).at(Place::file(file)).help(help)],
        };
        match error {
            Error::Workspace(error) => error.into(),
            Error::State(error) => error.into(),
            Error::Altered { file, .. } => invalid(ALTERED, file, RESTORE),
            Error::NotAFile { file } => invalid(ALTERED, file, RESTORE),
            Error::Unknown(reference) => Self::Missing {
                what: format!("{reference} in the store"),
                help: "rtt-cas ls lists what is there".to_owned(),
            },
            Error::NotAReference(_) => Self::Usage { message, help: Some("rtt-cas ls lists what is there".to_owned()) },
            Error::Ambiguous { candidates, .. } => {
                let listed: Vec<String> = candidates.iter().take(8).map(Digest::hex).collect();
                Self::Usage { message, help: Some(format!("give more digits: {}", listed.join(", "))) }
            }
            Error::Clash(_) => invalid(
                "RTT-O003",
                layout::STORE_INDEX.to_owned(),
                "raise the version of what changed, or point the name elsewhere with --force",
            ),
        }
    }
}

/// The rule of objects that are not what their names say.
pub const ALTERED: &str = "RTT-O001";
/// What helps against it.
pub const RESTORE: &str = "ingest or unpack the original again, which replaces it; or remove the file";
