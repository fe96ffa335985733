//! The keys of a workspace: listed, made, revoked, and the signing key replaced.
//!
//! Every step leaves a state in which the public half of the signing key is trusted, and no private key is ever
//! overwritten but by [`rotate`], whose purpose that is.

use std::path::Path;

use super::store::{Revoked, RevokedKey, public_key_files};
use super::{Error, KeyId, PrivateKey, PublicKey};
use crate::json;
use crate::schema::Schema;
use crate::workspace::durable::{self, Mode};
use crate::workspace::lock::ExclusiveLock;
use crate::workspace::state::{self, FORMAT_VERSION};
use crate::workspace::unfinished;
use crate::workspace::{self, Workspace, layout};

/// A public key of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub key: KeyId,
    /// Its file, relative to the root; `None` for a revoked key without one.
    pub file: Option<String>,
    /// Why it was revoked, if it was.
    pub revoked: Option<String>,
    /// Whether the workspace's own signing key is its private half.
    pub is_signer: bool,
}

/// Lists the public keys and the revoked ones, by file, then by id.
///
/// # Errors
/// [`Error`] for a file that cannot be read or holds something else.
pub fn list(workspace: &Workspace) -> Result<Vec<Listed>, Error> {
    let revoked = revoked(workspace)?;
    let signer = own_key(workspace)?.map(|key| key.public().key_id());
    let mut listed = Vec::new();
    for name in public_key_files(workspace)? {
        let file = format!("{}/{name}", layout::KEYS);
        let key = public_key(workspace, &file)?.key_id();
        let reason = revoked.keys.iter().find(|entry| entry.key == key.as_str()).map(|entry| entry.reason.clone());
        listed.push(Listed { is_signer: signer.as_ref() == Some(&key), key, file: Some(file), revoked: reason });
    }
    for entry in revoked.keys {
        if !listed.iter().any(|one| one.key.as_str() == entry.key) {
            let key = KeyId::parse(&entry.key).expect("the schema asks for 16 hex digits");
            listed.push(Listed { key, file: None, revoked: Some(entry.reason), is_signer: false });
        }
    }
    Ok(listed)
}

/// Makes a key pair: the private half in a file of its own, which must not exist, the public half among the trusted ones
/// under a name, which must be free. Returns the public half and its file.
///
/// # Errors
/// [`Error::Taken`], [`Error::Workspace`].
pub fn create(workspace: &Workspace, name: &str, private: &Path) -> Result<(PublicKey, String), Error> {
    let _lock = lock(workspace)?;
    let file = format!("{}/{name}.pub", layout::KEYS);
    let path = workspace.path(&file);
    if path.symlink_metadata().is_ok() {
        return Err(Error::Taken(file));
    }
    let key = PrivateKey::generate().map_err(Error::Random)?;
    // Private key first: a public key whose private half is lost would be trusted for nothing.
    write_new(private, &key.to_pem(), Mode::Private)?;
    write_new(&path, &key.public().to_pem(), Mode::Public)?;
    Ok((key.public(), file))
}

/// Takes trust away from a key; returns whether it had any. What it signed is refused from then on.
///
/// # Errors
/// [`Error`] if the list cannot be read or written.
pub fn revoke(workspace: &Workspace, key: &KeyId, reason: &str) -> Result<bool, Error> {
    let _lock = lock(workspace)?;
    let mut revoked = revoked(workspace)?;
    if revoked.keys.iter().any(|entry| entry.key == key.as_str()) {
        return Ok(false);
    }
    revoked.keys.push(RevokedKey { key: key.as_str().to_owned(), reason: reason.to_owned() });
    revoked.keys.sort_by(|a, b| a.key.cmp(&b.key));
    workspace.write(layout::REVOKED, json::pretty(&revoked).as_bytes())?;
    Ok(true)
}

/// What became of the signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key that signed until now; its private half is gone.
    pub old: KeyId,
    /// Where its public half lies from now on.
    pub old_file: String,
    /// The key that signs from now on.
    pub new: KeyId,
}

/// Replaces the signing key. The old public key stays trusted under another name, so that what it signed still
/// verifies.
///
/// # Errors
/// [`Error::NoFile`] if there is no signing key to replace, [`Error::Workspace`].
pub fn rotate(workspace: &Workspace) -> Result<Rotated, Error> {
    let _lock = lock(workspace)?;
    // A rotation that was killed may have left a private key that nobody knows.
    let folder = workspace.path(layout::KEYS);
    unfinished::remove_all(&folder).map_err(|source| workspace::Error::remove(&folder, source))?;
    let old = own_key(workspace)?.ok_or_else(|| Error::NoFile(layout::PRIVATE_KEY.to_owned()))?.public();
    let new = PrivateKey::generate().map_err(Error::Random)?;
    let file_of = |key: &PublicKey| format!("{}/signer-{}.pub", layout::KEYS, key.key_id());
    let (old_file, new_file) = (file_of(&old), file_of(&new.public()));
    workspace.write(&old_file, old.to_pem().as_bytes())?;
    workspace.write(&new_file, new.public().to_pem().as_bytes())?;
    let private = workspace.path(layout::PRIVATE_KEY);
    let failed = |source| workspace::Error::create(&private, source);
    durable::write_atomic(&private, new.to_pem().as_bytes(), Mode::Private).map_err(failed)?;
    workspace.write(layout::PUBLIC_KEY, new.public().to_pem().as_bytes())?;
    let path = workspace.path(&new_file);
    durable::remove_file(&path).map_err(|source| workspace::Error::remove(&path, source))?;
    Ok(Rotated { old: old.key_id(), old_file, new: new.public().key_id() })
}

/// Serialises whoever changes keys or adds signatures.
///
/// # Errors
/// [`Error::Workspace`].
pub fn lock(workspace: &Workspace) -> Result<ExclusiveLock, Error> {
    let folder = workspace.path(layout::KEYS);
    durable::create_dir_all(&folder).map_err(|source| workspace::Error::create(&folder, source))?;
    let path = workspace.path(layout::TRUST_LOCK);
    ExclusiveLock::acquire(&path).map_err(|source| workspace::Error::create(&path, source).into())
}

fn write_new(path: &Path, text: &str, mode: Mode) -> Result<(), Error> {
    match durable::create_new(path, text.as_bytes(), mode) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Taken(path.display().to_string())),
        Err(source) => Err(workspace::Error::create(path, source).into()),
    }
}

fn revoked(workspace: &Workspace) -> Result<Revoked, Error> {
    let file = state::read::<Revoked>(workspace, layout::REVOKED, Schema::Revoked)?;
    Ok(file.map_or_else(|| Revoked { version: FORMAT_VERSION.to_owned(), keys: Vec::new() }, |file| file.value))
}

fn public_key(workspace: &Workspace, file: &str) -> Result<PublicKey, Error> {
    let bytes = workspace.read_optional(file)?.unwrap_or_default();
    PublicKey::from_pem(&String::from_utf8_lossy(&bytes))
        .map_err(|reason| Error::Key { origin: file.to_owned(), reason })
}

/// The key in the workspace's own file, whatever the environment says.
fn own_key(workspace: &Workspace) -> Result<Option<PrivateKey>, Error> {
    let Some(bytes) = workspace.read_optional(layout::PRIVATE_KEY)? else { return Ok(None) };
    let key = PrivateKey::from_pem(&String::from_utf8_lossy(&bytes));
    key.map(Some).map_err(|reason| Error::Key { origin: layout::PRIVATE_KEY.to_owned(), reason })
}
