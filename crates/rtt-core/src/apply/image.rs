//! The bytes that a transaction switches, kept once in `.rtt/wal/objects/` under their SHA-256: log entries name them, so
//! a transition rewrites a small document however large the routing table is, and equal states are stored once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::threads::both;
use crate::workspace::state::StateError;
use crate::workspace::{Error, Workspace, layout};

/// The files that a transaction switches, by the digests of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `.rtt/routes.json`; none if it did not exist.
    pub routes: Option<Digest>,
    /// `plans/last_applied.json`; none if there is none.
    pub last_applied: Option<Digest>,
}

impl Image {
    /// Takes the digests of what is active now.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn active(workspace: &Workspace) -> Result<Self, Error> {
        let (routes, last_applied) =
            both(|| workspace.digest(layout::ROUTES), || workspace.digest(layout::LAST_APPLIED));
        Ok(Self { routes: routes?, last_applied: last_applied? })
    }

    /// Keeps the bytes of what was active when its digests were taken; durable when it returns. The apply that made it
    /// active has kept most of it already.
    ///
    /// # Errors
    /// [`StateError::Invalid`] naming a file that was changed meanwhile.
    pub fn keep(&self, workspace: &Workspace) -> Result<(), StateError> {
        for (file, digest) in [(layout::ROUTES, self.routes), (layout::LAST_APPLIED, self.last_applied)] {
            let Some(digest) = digest else { continue };
            let object = layout::wal_object(&digest.hex());
            if workspace.digest(&object)? == Some(digest) {
                continue;
            }
            let bytes = workspace.read_optional(file)?.filter(|bytes| Digest::of_bytes(bytes) == digest);
            let bytes = bytes.ok_or_else(|| {
                let message = format!("{file} was changed while the plan was being applied");
                let finding = Diagnostic::error("RTT-W002", message).at(Place::file(file));
                StateError::Invalid(vec![finding.help("run rtt-50-apply again")])
            })?;
            workspace.write(&object, &bytes)?;
        }
        Ok(())
    }
}

/// The files that a transaction switches, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content<'a> {
    /// `.rtt/routes.json`; none if it does not exist.
    pub routes: Option<Vec<u8>>,
    /// `plans/last_applied.json`; none if it does not exist.
    pub last_applied: Option<Cow<'a, [u8]>>,
}

impl Content<'_> {
    /// Returns the digests of the bytes.
    pub fn image(&self) -> Image {
        let digest = |bytes: Option<&[u8]>| bytes.map(Digest::of_bytes);
        let (routes, last_applied) = both(|| digest(self.routes.as_deref()), || digest(self.last_applied.as_deref()));
        Image { routes, last_applied }
    }

    /// Keeps the bytes; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep(&self, workspace: &Workspace, image: &Image) -> Result<(), Error> {
        let keep = |bytes: Option<&[u8]>, digest: Option<Digest>| match bytes.zip(digest) {
            Some((bytes, digest)) => keep(workspace, bytes, digest),
            None => Ok(()),
        };
        let (routes, last_applied) = both(
            || keep(self.routes.as_deref(), image.routes),
            || keep(self.last_applied.as_deref(), image.last_applied),
        );
        routes.and(last_applied)
    }

    /// Fetches the bytes of an image.
    ///
    /// # Errors
    /// [`StateError::Invalid`] naming an object that is missing or was changed.
    pub fn fetch(workspace: &Workspace, image: &Image) -> Result<Self, StateError> {
        let bytes = |digest: Option<Digest>| digest.map(|digest| fetch(workspace, digest)).transpose();
        Ok(Self { routes: bytes(image.routes)?, last_applied: bytes(image.last_applied)?.map(Cow::Owned) })
    }
}

/// Keeps bytes under their digest; durable when it returns. What is there already and whole is not written again.
///
/// # Errors
/// [`Error::Io`].
pub fn keep(workspace: &Workspace, bytes: &[u8], digest: Digest) -> Result<(), Error> {
    let file = layout::wal_object(&digest.hex());
    if workspace.holds(&file, bytes)? { Ok(()) } else { workspace.write(&file, bytes) }
}

/// Fetches bytes by their digest.
///
/// # Errors
/// [`StateError::Invalid`] naming an object that is missing or was changed.
pub fn fetch(workspace: &Workspace, digest: Digest) -> Result<Vec<u8>, StateError> {
    let file = layout::wal_object(&digest.hex());
    let broken = |message: &str| {
        let finding = Diagnostic::error("RTT-W002", message.to_owned())
            .at(Place::file(&file))
            .help("restore the file from a backup: the log names it as part of a state that was or is to be active");
        StateError::Invalid(vec![finding])
    };
    match workspace.read_optional(&file)? {
        None => Err(broken("an object of the log is missing")),
        Some(bytes) if Digest::of_bytes(&bytes) != digest => Err(broken("an object of the log was changed")),
        Some(bytes) => Ok(bytes),
    }
}
