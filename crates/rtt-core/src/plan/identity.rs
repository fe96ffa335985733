//! A plan's identity and the bytes that its signatures cover.

use serde_json::Value;

use crate::digest::Digest;
use crate::json::canonical;

/// What the signed bytes begin with, so that a signature is good for nothing else.
pub const SIGNATURE_DOMAIN: &str = "rtt-plan-v1\n";

/// Returns a plan document's id: the SHA-256 of its RFC 8785 form without `plan_id`, `timestamp`, `signature` and
/// `cosignatures`, so the same inputs give the same id whenever and by whomever they are solved.
///
/// It is taken from the document, not from the typed plan, so members that this version does not know count as well.
pub fn identity(document: &Value) -> Digest {
    CanonicalForm::of(document).identity()
}

/// Returns the bytes that signatures cover: [`SIGNATURE_DOMAIN`], then the document's RFC 8785 form without `signature`
/// and `cosignatures`; so they cover id and timestamp.
pub fn signed_bytes(document: &Value) -> Vec<u8> {
    CanonicalForm::of(document).signed_bytes()
}

/// A document's canonical form, member by member: its identity and its signatures leave out different ones.
///
/// Equal to the RFC 8785 form for every plan that stage 40 writes; unlike it, also defined for the huge integers that a
/// hostile plan may hold before its signature is checked.
pub(super) struct CanonicalForm<'a> {
    /// In canonical order, each with its name in front.
    members: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> CanonicalForm<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        let members = document.as_object().into_iter().flatten();
        Self { members: canonical::exact_members(members.map(|(name, value)| (name.as_str(), value))) }
    }

    pub(super) fn identity(&self) -> Digest {
        Digest::of_bytes(self.without("", &["plan_id", "timestamp", "signature", "cosignatures"]))
    }

    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        self.without(SIGNATURE_DOMAIN, &["signature", "cosignatures"])
    }

    fn without(&self, begin: &str, left_out: &[&str]) -> Vec<u8> {
        let kept: Vec<&[u8]> =
            self.members.iter().filter(|(name, _)| !left_out.contains(name)).map(|(_, bytes)| &**bytes).collect();
        [begin.as_bytes(), b"{", &kept.join(&b','), b"}"].concat()
    }
}
