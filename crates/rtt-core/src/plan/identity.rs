//! A plan's identity and the bytes that its signatures cover.

use serde_json::Value;

use super::Plan;
use crate::digest::Digest;
use crate::json::canonical;

/// What the signed bytes begin with, so that a signature is good for nothing else.
pub const SIGNATURE_DOMAIN: &str = "rtt-plan-v1\n";

/// Returns the plan's id: the SHA-256 of the RFC 8785 form of the plan without `plan_id`, `timestamp`, `signature` and
/// `cosignatures`, so the same inputs give the same id whenever and by whomever they are solved.
pub fn identity(plan: &Plan) -> Digest {
    Digest::of_bytes(canonical_without(plan, &["plan_id", "timestamp", "signature", "cosignatures"]))
}

/// Returns the bytes that signatures cover: [`SIGNATURE_DOMAIN`], then the RFC 8785 form of the plan without
/// `signature` and `cosignatures`; so they cover id and timestamp.
pub fn signed_bytes(plan: &Plan) -> Vec<u8> {
    let mut bytes = SIGNATURE_DOMAIN.as_bytes().to_vec();
    bytes.extend(canonical_without(plan, &["signature", "cosignatures"]));
    bytes
}

fn canonical_without(plan: &Plan, left_out: &[&str]) -> Vec<u8> {
    let Ok(Value::Object(mut members)) = serde_json::to_value(plan) else { unreachable!("a plan is an object") };
    members.retain(|name, _| !left_out.contains(&name.as_str()));
    // Equal to the RFC 8785 form for every plan that stage 40 writes; unlike it, also defined for the huge integers
    // that a hostile plan may hold before its signature is checked.
    canonical::exact(&Value::Object(members))
}
