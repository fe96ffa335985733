//! The same trust in the form that others read: a DSSE envelope (<https://github.com/secure-systems-lab/dsse>, v1.0.2)
//! around an in-toto statement (<https://in-toto.io/Statement/v1>).
//!
//! The statement has two subjects: the file as it lies there, which is what cosign compares, and what the document is
//! whoever signs it, a plan's id or the digest of the canonical form. It holds no time of its own, so that several
//! signers sign the same bytes.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Added, Document, Error};
use crate::digest::Digest;
use crate::json;
use crate::trust::signature::{self, Signature};
use crate::trust::{KeyId, PrivateKey, TrustStore};

/// What the payload is.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// A DSSE envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The payload in base64.
    pub payload: String,
    /// What the payload is.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The signatures of its pre-authentication encoding.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeSignature {
    /// The signer, a hint.
    #[serde(default)]
    pub keyid: String,
    /// 64 bytes in base64.
    pub sig: String,
}

impl Envelope {
    /// States what a document is. `name` is that of its file, `bytes` its content.
    pub fn about(document: &Document, name: &str, bytes: &[u8]) -> Self {
        let value = document.value();
        let (what, digest, predicate) = if document.is_plan() {
            let id = value["plan_id"].as_str().unwrap_or_default();
            let about = json!({"plan_id": id, "timestamp": value["timestamp"], "base": value["base"]});
            ("plan_id", id.strip_prefix("sha256:").unwrap_or_default().to_owned(), about)
        } else {
            ("canonical-form", document.digest().hex(), json!({}))
        };
        let statement = json!({
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": Digest::of_bytes(bytes).hex()}},
                {"name": what, "digest": {"sha256": digest}},
            ],
            "predicateType": if document.is_plan() { "urn:rtt:attestation:plan:1" } else { "urn:rtt:attestation:document:1" },
            "predicate": predicate,
        });
        let payload = STANDARD.encode(json::canonical::exact(&statement));
        Self { payload, payload_type: PAYLOAD_TYPE.to_owned(), signatures: Vec::new() }
    }

    /// Adds a key's signature.
    ///
    /// # Errors
    /// [`Error::Envelope`] if the payload cannot be read.
    pub fn sign(&mut self, key: &PrivateKey) -> Result<Added, Error> {
        let message = self.message()?;
        let Signature { key, bytes } = Signature::of(&message, key);
        let own = EnvelopeSignature { keyid: key.to_string(), sig: STANDARD.encode(bytes) };
        if self.signatures.contains(&own) {
            return Ok(Added::Present);
        }
        let added = if self.signatures.is_empty() { Added::Signature } else { Added::Cosignature };
        self.signatures.push(own);
        Ok(added)
    }

    /// Verifies the signatures, and that the statement is about a document; the file may have got further signatures
    /// since.
    ///
    /// # Errors
    /// [`Error::Envelope`], [`Error::Refused`].
    pub fn verify(&self, document: &Document, trust: &TrustStore, threshold: usize) -> Result<BTreeSet<KeyId>, Error> {
        let message = self.message()?;
        let parse = |one: &EnvelopeSignature| {
            Some(Signature { key: KeyId::parse(&one.keyid)?, bytes: STANDARD.decode(&one.sig).ok()?.try_into().ok()? })
        };
        let signers = signature::verify(&message, self.signatures.iter().map(parse), trust, threshold)?;
        // A plan that is not what it says of itself is not what was attested.
        if document.is_plan() {
            document.signed_bytes()?;
        }
        let expected = Self::about(document, "", b"").statement()?;
        let statement = self.statement()?;
        let is_about = statement["_type"] == expected["_type"]
            && statement["predicateType"] == expected["predicateType"]
            && statement["subject"].as_array().is_some_and(|subjects| subjects.contains(&expected["subject"][1]));
        if is_about { Ok(signers) } else { Err(Error::Envelope("the envelope is about another document".to_owned())) }
    }

    fn statement(&self) -> Result<Value, Error> {
        let bytes = self.payload()?;
        json::parse(&bytes).map_err(|error| Error::Envelope(format!("the envelope's payload: {error}")))
    }

    fn payload(&self) -> Result<Vec<u8>, Error> {
        if self.payload_type != PAYLOAD_TYPE {
            let found = &self.payload_type;
            return Err(Error::Envelope(format!("the envelope holds '{found}', not '{PAYLOAD_TYPE}'")));
        }
        let decoded = STANDARD.decode(&self.payload);
        decoded.map_err(|_| Error::Envelope("the envelope's payload is not base64".to_owned()))
    }

    /// The pre-authentication encoding, which signatures cover.
    fn message(&self) -> Result<Vec<u8>, Error> {
        let payload = self.payload()?;
        let head = format!("DSSEv1 {} {} {} ", self.payload_type.len(), self.payload_type, payload.len());
        Ok([head.as_bytes(), &payload].concat())
    }
}
