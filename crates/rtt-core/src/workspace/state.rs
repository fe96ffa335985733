//! State files: JSON documents with a `version`, a fingerprint of their inputs, and a schema.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Workspace};
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::json;
use crate::schema::Schema;

/// The format version of every state file; a reader refuses another major version.
pub const FORMAT_VERSION: &str = "1.0.0";

/// What a state file was made from, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Executable and version, `rtt-10-scan 0.1.0`.
    pub generator: String,
    /// The digest of each input, by its name.
    pub inputs: BTreeMap<String, Digest>,
}

impl Fingerprint {
    /// Builds the fingerprint of this version of an executable.
    pub fn new<'a>(executable: &str, inputs: impl IntoIterator<Item = (&'a str, Digest)>) -> Self {
        Self {
            generator: format!("{executable} {}", crate::VERSION),
            inputs: inputs.into_iter().map(|(name, digest)| (name.to_owned(), digest)).collect(),
        }
    }

    /// Returns one digest over all of it.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&serde_json::to_value(self).expect("strings only"))
    }

    /// Returns the names of inputs that differ between the two, sorted; `version` stands for another generator.
    pub fn changed(&self, now: &Self) -> Vec<String> {
        let names = self.inputs.keys().chain(now.inputs.keys());
        let mut changed: Vec<String> =
            names.filter(|name| self.inputs.get(*name) != now.inputs.get(*name)).cloned().collect();
        if self.generator != now.generator {
            changed.push("version".to_owned());
        }
        changed.sort();
        changed.dedup();
        changed
    }
}

/// A state file as read: the value, the digest of its bytes, and its text for diagnostics.
#[derive(Debug, Clone)]
pub struct StateFile<T> {
    /// The typed content.
    pub value: T,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The text.
    pub text: String,
}

/// Why a state file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error(transparent)]
    Workspace(#[from] Error),
    /// It does not hold what its schema says.
    #[error("{} is not valid", .0.first().and_then(|d| d.place.as_ref()).map_or("a state file", |place| place.file.as_str()))]
    Invalid(Vec<Diagnostic>),
}

/// Reads and checks a state file; `None` if it does not exist.
///
/// # Errors
/// [`StateError::Invalid`] with line and column of every violation.
pub fn read<T: DeserializeOwned>(
    workspace: &Workspace,
    file: &str,
    schema: Schema,
) -> Result<Option<StateFile<T>>, StateError> {
    let Some(bytes) = workspace.read_optional(file)? else { return Ok(None) };
    parse(file, &bytes, schema).map(Some)
}

/// Reads a state file that a stage wrote and that can be large: `quick` types it, and only what that refuses is checked
/// against the schema, which has words. `None` if it does not exist.
///
/// # Errors
/// [`StateError::Invalid`] with line and column of every violation.
pub fn read_large<T: DeserializeOwned>(
    workspace: &Workspace,
    file: &str,
    schema: Schema,
    quick: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<StateFile<T>>, StateError> {
    let Some(bytes) = workspace.read_optional(file)? else { return Ok(None) };
    match std::str::from_utf8(&bytes).ok().and_then(quick) {
        Some(value) => {
            let digest = Digest::of_bytes(&bytes);
            let text = String::from_utf8(bytes).expect("it was just read as UTF-8");
            Ok(Some(StateFile { value, digest, text }))
        }
        None => parse(file, &bytes, schema).map(Some),
    }
}

/// Checks the bytes of a state file against its schema and types it.
///
/// # Errors
/// [`StateError::Invalid`] with line and column of every violation.
pub fn parse<T: DeserializeOwned>(file: &str, bytes: &[u8], schema: Schema) -> Result<StateFile<T>, StateError> {
    let (value, text) = parse_value(file, bytes, schema)?;
    match serde_json::from_value(value) {
        Ok(value) => Ok(StateFile { value, digest: Digest::of_bytes(bytes), text }),
        Err(error) => Err(StateError::Invalid(vec![
            Diagnostic::error("RTT-S003", format!("not a valid {}: {error}", schema.title()))
                .at(crate::diagnostic::Place::file(file)),
        ])),
    }
}

/// As [`parse`], without typing the value.
///
/// # Errors
/// [`StateError::Invalid`] with line and column of every violation.
pub fn parse_value(file: &str, bytes: &[u8], schema: Schema) -> Result<(Value, String), StateError> {
    let value = json::parse_state(bytes)
        .map_err(|error| StateError::Invalid(vec![Diagnostic::unreadable_json("RTT-S001", file, bytes, &error)]))?;
    let text = String::from_utf8(bytes.to_vec()).expect("the strict parser accepts only UTF-8");
    let violations = schema.check("RTT-S002", file, &text, &value);
    if violations.is_empty() { Ok((value, text)) } else { Err(StateError::Invalid(violations)) }
}
