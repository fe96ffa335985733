//! A plan's identity and the bytes that its signatures cover.

use serde_json::Value;

use crate::digest::Digest;
use crate::json::canonical::ExactMembers;

/// What the signed bytes begin with, so that a signature is good for nothing else.
pub const SIGNATURE_DOMAIN: &str = "rtt-plan-v1\n";

/// Returns a plan document's id: the SHA-256 of its RFC 8785 form without `plan_id`, `timestamp`, `signature` and
/// `cosignatures`, so the same inputs give the same id whenever and by whomever they are solved.
///
/// It is taken from the document, not from the typed plan, so members that this version does not know count as well.
pub fn identity(document: &Value) -> Digest {
    identity_of(&ExactMembers::of(document))
}

/// Returns the bytes that signatures cover: [`SIGNATURE_DOMAIN`], then the document's RFC 8785 form without `signature`
/// and `cosignatures`; so they cover id and timestamp.
pub fn signed_bytes(document: &Value) -> Vec<u8> {
    signed_bytes_of(&ExactMembers::of(document))
}

// Equal to the RFC 8785 form for every plan that stage 40 writes; unlike it, the exact form is also defined for the huge
// integers that a hostile plan may hold before its signature is checked.

pub(super) fn identity_of(document: &ExactMembers) -> Digest {
    Digest::of_parts(document.parts_without(&["plan_id", "timestamp", "signature", "cosignatures"]))
}

pub(super) fn signed_bytes_of(document: &ExactMembers) -> Vec<u8> {
    let members = document.parts_without(&["signature", "cosignatures"]);
    std::iter::once(SIGNATURE_DOMAIN.as_bytes()).chain(members).collect::<Vec<_>>().concat()
}
