//! Which signers a workspace trusts, and where the key that signs comes from.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Error, KeyId, PrivateKey, PublicKey};
use crate::schema::Schema;
use crate::workspace::{self, Workspace, layout, state};

/// The variable that holds a signing key's PEM text, for CI jobs that get it from a secret.
pub const SIGNING_KEY_VARIABLE: &str = "RTT_SIGNING_KEY";

/// `revoked.json` (`schemas/rtt.revoked.schema.json`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Format version.
    pub version: String,
    /// The revoked keys.
    pub keys: Vec<RevokedKey>,
}

/// One revoked key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedKey {
    /// Its id.
    pub key: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The signers of a workspace: every `*.pub` in the key folder, except those that `revoked.json` lists.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    trusted: BTreeMap<KeyId, PublicKey>,
    revoked: BTreeMap<KeyId, String>,
}

impl TrustStore {
    /// Reads the key folder; without one nobody is trusted.
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else than a key. An unreadable list of revoked keys must not
    /// trust them again, so it is an error, too.
    pub fn read(workspace: &Workspace) -> Result<Self, Error> {
        let mut store = Self::default();
        if let Some(list) = state::read::<Revoked>(workspace, layout::REVOKED, Schema::Revoked)? {
            for entry in &list.value.keys {
                let id = KeyId::parse(&entry.key).expect("the schema asks for 16 hex digits");
                store.revoked.insert(id, entry.reason.clone());
            }
        }
        for name in public_key_files(workspace)? {
            let path = format!("{}/{name}", layout::KEYS);
            let bytes = workspace.read_optional(&path)?.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let key = PublicKey::from_pem(&text).map_err(|reason| Error::Key { origin: path, reason })?;
            store.trusted.insert(key.key_id(), key);
        }
        store.trusted.retain(|id, _| !store.revoked.contains_key(id));
        Ok(store)
    }

    /// Trusts these keys, revokes none.
    pub fn of(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { trusted: keys.into_iter().map(|key| (key.key_id(), key)).collect(), revoked: BTreeMap::new() }
    }

    /// Trusts one more key, unless it is revoked.
    #[must_use]
    pub fn and(mut self, key: PublicKey) -> Self {
        if !self.revoked.contains_key(&key.key_id()) {
            self.trusted.insert(key.key_id(), key);
        }
        self
    }

    /// Returns a trusted signer's key.
    pub fn get(&self, id: &KeyId) -> Option<&PublicKey> {
        self.trusted.get(id)
    }

    /// Returns why a key was revoked; `None` if it was not.
    pub fn revocation(&self, id: &KeyId) -> Option<&str> {
        self.revoked.get(id).map(String::as_str)
    }

    /// Returns the trusted signers, sorted.
    pub fn signers(&self) -> impl Iterator<Item = &KeyId> {
        self.trusted.keys()
    }
}

pub(super) fn public_key_files(workspace: &Workspace) -> Result<Vec<String>, workspace::Error> {
    let folder = workspace.path(layout::KEYS);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(workspace::Error::read(&folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|source| workspace::Error::read(&folder, source))?.file_name();
        names.extend(name.into_string().ok().filter(|name| name.ends_with(".pub")));
    }
    names.sort();
    Ok(names)
}

/// Finds the key that signs: the file that `--key` names, else `$RTT_SIGNING_KEY`, else the workspace's own.
/// `None` if there is none of them.
///
/// # Errors
/// A key that was named and does not exist, cannot be read, or is something else.
pub fn signing_key(workspace: &Workspace, key_file: Option<&Path>) -> Result<Option<PrivateKey>, Error> {
    let parse = |origin: String, text: &str| PrivateKey::from_pem(text).map_err(|reason| Error::Key { origin, reason });
    if let Some(path) = key_file {
        return match std::fs::read(path) {
            Ok(bytes) => parse(path.display().to_string(), &String::from_utf8_lossy(&bytes)).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::NoFile(path.display().to_string()))
            }
            Err(source) => Err(workspace::Error::read(path, source).into()),
        };
    }
    // CI systems set a variable to nothing where a secret is missing.
    if let Some(text) = std::env::var(SIGNING_KEY_VARIABLE).ok().filter(|text| !text.trim().is_empty()) {
        return parse(format!("${SIGNING_KEY_VARIABLE}"), &text).map(Some);
    }
    match workspace.read_optional(layout::PRIVATE_KEY)? {
        Some(bytes) => parse(layout::PRIVATE_KEY.to_owned(), &String::from_utf8_lossy(&bytes)).map(Some),
        None => Ok(None),
    }
}
