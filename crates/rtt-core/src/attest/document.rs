//! A document with its signatures inside, as a plan has them: `signature`, then `cosignatures`.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::Error;
use crate::digest::Digest;
use crate::json::canonical;
use crate::plan;
use crate::trust::signature::{self, Signature};
use crate::trust::{KeyId, PrivateKey, Refusal, Requirements, TrustStore};

/// What the signed bytes of a document that is no plan begin with.
pub const DOMAIN: &str = "rtt-document-v1\n";

/// A JSON document that is to be signed or verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    value: Value,
    is_plan: bool,
}

/// What became of a signature that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is the first.
    Signature,
    /// There were others.
    Cosignature,
    /// This key had signed already.
    Present,
}

impl Document {
    /// Takes a document; one with a `plan_id` is a plan.
    pub fn new(value: Value) -> Self {
        let is_plan = value.get("plan_id").is_some_and(Value::is_string);
        Self { value, is_plan }
    }

    /// Tells whether it is a plan.
    pub fn is_plan(&self) -> bool {
        self.is_plan
    }

    /// Returns the JSON value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the digest of the canonical form of the whole document.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&self.value)
    }

    /// Returns the bytes that its own signatures cover: the domain, then the canonical form without `signature` and
    /// `cosignatures`.
    ///
    /// # Errors
    /// [`Error::NoObject`], [`Error::NoCanonicalForm`], and [`plan::VerifyError::Identity`] for a plan that is not what
    /// its id says.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, Error> {
        let members = self.value.as_object().ok_or(Error::NoObject)?;
        if self.is_plan {
            // Whoever signs says that the id is right.
            return Ok(plan::identified_bytes(&self.value)?);
        }
        let kept: Map<String, Value> = members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "signature" | "cosignatures"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        with_domain(&Value::Object(kept))
    }

    /// Adds a key's signature: as `signature` if there is none, else to `cosignatures`. A signature by this key that does
    /// not fit is replaced; with `drops_misfits`, others that do not fit or whose signers were revoked are dropped.
    ///
    /// # Errors
    /// As [`Self::signed_bytes`], and [`Refusal`] for such a signature of another signer, whose keeping would make the
    /// document untrusted whoever else signs.
    pub fn sign(&mut self, key: &PrivateKey, trust: &TrustStore, drops_misfits: bool) -> Result<Added, Error> {
        let bytes = self.signed_bytes()?;
        let own = Signature::of(&bytes, key);
        let mut kept: Vec<String> = Vec::new();
        let mut added = Added::Signature;
        for text in self.texts() {
            let refusal = match text.parse::<Signature>() {
                Err(_) => Some(Refusal::Malformed),
                Ok(signature) if signature == own => {
                    added = Added::Present;
                    None
                }
                Ok(signature) if signature.key == own.key => continue,
                Ok(signature) => misfit(&bytes, &signature, trust),
            };
            match refusal {
                None => kept.push(text),
                Some(_) if drops_misfits => {}
                Some(refusal) => return Err(refusal.into()),
            }
        }
        if added != Added::Present {
            added = if kept.is_empty() { Added::Signature } else { Added::Cosignature };
            kept.push(own.to_string());
        }
        let members = self.value.as_object_mut().ok_or(Error::NoObject)?;
        let mut kept = kept.into_iter().map(Value::String);
        members.insert("signature".to_owned(), kept.next().expect("the own one is there"));
        let others: Vec<Value> = kept.collect();
        // A plan has the list always, other documents where there is something in it.
        if self.is_plan || !others.is_empty() || members.contains_key("cosignatures") {
            members.insert("cosignatures".to_owned(), Value::Array(others));
        }
        Ok(added)
    }

    /// Verifies the signatures inside the document. A plan is also held to the age that policy allows.
    ///
    /// # Errors
    /// [`Error::Plan`], [`Error::Refused`], [`Error::NoObject`], [`Error::NoCanonicalForm`].
    pub fn verify(
        &self,
        trust: &TrustStore,
        requirements: Requirements,
        now: SystemTime,
    ) -> Result<BTreeSet<KeyId>, Error> {
        if self.is_plan {
            let verified = plan::verify(plan::Document::of(&self.value), trust, requirements.threshold)?;
            let verified = match requirements.max_age {
                Some(max_age) => plan::check_age(verified, now, max_age)?,
                None => verified,
            };
            return Ok(verified.signers().iter().cloned().collect());
        }
        let bytes = self.signed_bytes()?;
        let signatures = plan::signatures_of(|name| self.value.get(name).cloned());
        Ok(signature::verify(&bytes, signatures, trust, requirements.threshold)?)
    }

    fn texts(&self) -> Vec<String> {
        let cosignatures = self.value.get("cosignatures").and_then(Value::as_array).into_iter().flatten();
        let all = self.value.get("signature").into_iter().chain(cosignatures);
        all.map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned)).collect()
    }
}

/// Why a signature cannot stay. Who is not known here may be known elsewhere.
fn misfit(bytes: &[u8], signature: &Signature, trust: &TrustStore) -> Option<Refusal> {
    let key = signature.key.clone();
    if let Some(reason) = trust.revocation(&key) {
        return Some(Refusal::Revoked { key, reason: reason.to_owned() });
    }
    let fits = trust.get(&key).is_none_or(|signer| signature.fits(bytes, signer));
    (!fits).then_some(Refusal::Mismatch { key })
}

/// Returns the domain and the RFC 8785 form of a document.
pub(super) fn with_domain(value: &Value) -> Result<Vec<u8>, Error> {
    let mut bytes = DOMAIN.as_bytes().to_vec();
    bytes.extend(canonical::rfc8785(value)?);
    Ok(bytes)
}
