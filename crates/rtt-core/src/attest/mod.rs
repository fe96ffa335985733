//! Signing and verifying JSON documents by their canonical form, and exporting signatures for other tools.
//!
//! A plan is signed as stage 40 signs it ([`crate::plan::signed_bytes`]); any other document in the same way under a domain
//! of its own, so that no signature is good for both. `schemas/SIGNATURES.md` describes the bytes.

mod detached;
mod document;
pub mod dsse;

pub use detached::Detached;
pub use document::{Added, DOMAIN, Document};

use crate::json::canonical::UnsafeInteger;
use crate::plan::VerifyError;
use crate::trust::Refusal;

/// Why a document cannot be signed, or is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A plan's signatures, id or age.
    #[error(transparent)]
    Plan(#[from] VerifyError),
    /// Another document's signatures.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Two documents would share one canonical form.
    #[error(transparent)]
    NoCanonicalForm(#[from] UnsafeInteger),
    /// A list or a single value has no member for a signature.
    #[error("only an object can hold its own signature")]
    NoObject,
    /// The detached signatures are another document's.
    #[error("the signatures are for {stated}, the document is {found}")]
    OtherDocument {
        /// What was signed.
        stated: crate::digest::Digest,
        /// The digest of the document's canonical form.
        found: crate::digest::Digest,
    },
    /// The envelope is not one, or not about this document.
    #[error("{0}")]
    Envelope(String),
}
