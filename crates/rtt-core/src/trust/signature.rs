//! Signatures as documents carry them, and what makes enough of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyId, PrivateKey, PublicKey, TrustStore};

/// One signature, `ed25519:<key id>:<base64 of 64 bytes>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The signer.
    pub key: KeyId,
    /// The signature.
    pub bytes: [u8; 64],
}

impl Signature {
    /// Signs a message.
    pub fn of(message: &[u8], key: &PrivateKey) -> Self {
        Self { key: key.public().key_id(), bytes: key.sign(message) }
    }

    /// Tells whether it is this key's for a message.
    pub fn fits(&self, message: &[u8], key: &PublicKey) -> bool {
        self.key == key.key_id() && key.verify(message, &self.bytes)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}:{}", self.key, STANDARD.encode(self.bytes))
    }
}

/// The text is not a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected ed25519:<key id>:<base64 of 64 bytes>")]
pub struct InvalidSignature;

impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, InvalidSignature> {
        let parse = || {
            let (id, signature) = text.strip_prefix("ed25519:")?.split_once(':')?;
            Some(Self { key: KeyId::parse(id)?, bytes: STANDARD.decode(signature).ok()?.try_into().ok()? })
        };
        parse().ok_or(InvalidSignature)
    }
}

/// Why signatures do not make a message trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no signature.
    #[error("it is not signed")]
    Unsigned,
    /// A signature is not `ed25519:<key id>:<base64 of 64 bytes>`.
    #[error("a signature is malformed (expected ed25519:<key id>:<base64 of 64 bytes>)")]
    Malformed,
    /// Nobody trusts the signer.
    #[error("signed by {key}, which is not a trusted key")]
    Unknown {
        /// The signer.
        key: KeyId,
    },
    /// The signer was revoked.
    #[error("signed by {key}, which was revoked{}", if reason.is_empty() { String::new() } else { format!(": {reason}") })]
    Revoked {
        /// The signer.
        key: KeyId,
        /// Why.
        reason: String,
    },
    /// The signature is not the signer's for this message.
    #[error("the signature by {key} does not fit the plan or document: one of them was changed")]
    Mismatch {
        /// The signer.
        key: KeyId,
    },
    /// Fewer signers than asked for.
    #[error("signed by {found} of the {wanted} signers that are asked for")]
    TooFew {
        /// Different trusted signers.
        found: usize,
        /// The threshold.
        wanted: usize,
    },
}

/// Verifies signatures of a message: at least `threshold` (and never fewer than one) different trusted signers. `None`
/// stands for a signature that cannot be read. Returns the signers.
///
/// # Errors
/// [`Refusal`]; a signature that is wrong is an error even where enough others are right, because something changed
/// that should not have.
pub fn verify(
    message: &[u8],
    signatures: impl IntoIterator<Item = Option<Signature>>,
    trust: &TrustStore,
    threshold: usize,
) -> Result<BTreeSet<KeyId>, Refusal> {
    let mut signers = BTreeSet::new();
    for signature in signatures {
        let signature = signature.ok_or(Refusal::Malformed)?;
        let id = &signature.key;
        if let Some(reason) = trust.revocation(id) {
            return Err(Refusal::Revoked { key: id.clone(), reason: reason.to_owned() });
        }
        let key = trust.get(id).ok_or_else(|| Refusal::Unknown { key: id.clone() })?;
        if !signature.fits(message, key) {
            return Err(Refusal::Mismatch { key: id.clone() });
        }
        signers.insert(signature.key);
    }
    let wanted = threshold.max(1);
    match signers.len() {
        0 => Err(Refusal::Unsigned),
        found if found < wanted => Err(Refusal::TooFew { found, wanted }),
        _ => Ok(signers),
    }
}
