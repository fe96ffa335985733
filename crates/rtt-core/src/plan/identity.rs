//! A plan's identity and the bytes that its signatures cover.

use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::json::canonical;

/// What the signed bytes begin with, so that a signature is good for nothing else.
pub const SIGNATURE_DOMAIN: &str = "rtt-plan-v1\n";

/// Returns a plan document's id: the SHA-256 of its RFC 8785 form without `plan_id`, `timestamp`, `signature` and
/// `cosignatures`, so the same inputs give the same id whenever and by whomever they are solved.
///
/// It is taken from the document, not from the typed plan, so members that this version does not know count as well.
pub fn identity(document: &Value) -> Digest {
    Digest::of_bytes(canonical_without(document, &["plan_id", "timestamp", "signature", "cosignatures"]))
}

/// Returns the bytes that signatures cover: [`SIGNATURE_DOMAIN`], then the document's RFC 8785 form without `signature`
/// and `cosignatures`; so they cover id and timestamp.
pub fn signed_bytes(document: &Value) -> Vec<u8> {
    let mut bytes = SIGNATURE_DOMAIN.as_bytes().to_vec();
    bytes.extend(canonical_without(document, &["signature", "cosignatures"]));
    bytes
}

fn canonical_without(document: &Value, left_out: &[&str]) -> Vec<u8> {
    let members = document.as_object().into_iter().flatten();
    let kept: Map<String, Value> = members
        .filter(|(name, _)| !left_out.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Equal to the RFC 8785 form for every plan that stage 40 writes; unlike it, also defined for the huge integers
    // that a hostile plan may hold before its signature is checked.
    canonical::exact(&Value::Object(kept))
}
