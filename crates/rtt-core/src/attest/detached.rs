//! Signatures in a file of their own (`schemas/rtt.signatures.schema.json`), for documents that are not to be changed or
//! have no room for one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::with_domain;
use super::{Added, Error};
use crate::digest::Digest;
use crate::trust::signature::{self, Signature};
use crate::trust::{KeyId, PrivateKey, TrustStore};
use crate::workspace::state::FORMAT_VERSION;

/// Signatures of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detached {
    /// Format version.
    pub version: String,
    /// The digest of the document's canonical form, so that signatures of another document are told from wrong ones.
    pub document: Digest,
    /// The signatures, in the order in which they were made.
    pub signatures: Vec<String>,
}

impl Detached {
    /// No signature of a document yet.
    pub fn of(document: &Value) -> Self {
        Self { version: FORMAT_VERSION.to_owned(), document: Digest::of_json(document), signatures: Vec::new() }
    }

    /// Adds a key's signature of the whole document, its own signatures included.
    ///
    /// # Errors
    /// [`Error::OtherDocument`], [`Error::NoCanonicalForm`].
    pub fn sign(&mut self, document: &Value, key: &PrivateKey) -> Result<Added, Error> {
        self.check(document)?;
        let own = Signature::of(&with_domain(document)?, key).to_string();
        if self.signatures.contains(&own) {
            return Ok(Added::Present);
        }
        let added = if self.signatures.is_empty() { Added::Signature } else { Added::Cosignature };
        self.signatures.push(own);
        Ok(added)
    }

    /// Verifies the signatures.
    ///
    /// # Errors
    /// [`Error::OtherDocument`], [`Error::Refused`], [`Error::NoCanonicalForm`].
    pub fn verify(&self, document: &Value, trust: &TrustStore, threshold: usize) -> Result<BTreeSet<KeyId>, Error> {
        self.check(document)?;
        let signatures = self.signatures.iter().map(|text| text.parse().ok());
        Ok(signature::verify(&with_domain(document)?, signatures, trust, threshold)?)
    }

    fn check(&self, document: &Value) -> Result<(), Error> {
        let found = Digest::of_json(document);
        if self.document == found { Ok(()) } else { Err(Error::OtherDocument { stated: self.document, found }) }
    }
}
