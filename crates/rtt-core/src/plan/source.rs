//! Where a plan comes from: the file that was named, or the one that `plans/LATEST` names.

use std::path::Path;

use crate::workspace::{Error, Workspace, layout};

/// A plan's bytes and the name under which messages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path for messages.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Reads the newest plan. `LATEST` is a symlink, or after a transport that knows none a regular file that holds the
/// plan's name or the plan itself. `None` if there is none.
///
/// # Errors
/// [`Error::Io`].
pub fn latest(workspace: &Workspace) -> Result<Option<Source>, Error> {
    let Some(bytes) = workspace.read_optional(layout::LATEST)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let named = text.trim().trim_start_matches("plans/");
    let is_name = named.ends_with(".plan.json") && !named.contains(['/', '\n', '\0']);
    if !is_name {
        let name = std::fs::read_link(workspace.path(layout::LATEST))
            .map_or_else(|_| layout::LATEST.to_owned(), |target| format!("{}/{}", layout::PLANS, target.display()));
        return Ok(Some(Source { name, bytes }));
    }
    let name = format!("{}/{named}", layout::PLANS);
    Ok(workspace.read_optional(&name)?.map(|bytes| Source { name, bytes }))
}

/// Reads a plan by the path that a person gave; `None` if it does not exist.
///
/// # Errors
/// [`Error::Io`].
pub fn named(path: &Path) -> Result<Option<Source>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(Source { name: path.display().to_string(), bytes })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::read(path, source)),
    }
}
