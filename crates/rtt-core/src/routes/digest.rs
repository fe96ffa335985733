//! What of `.rtt/routes.json` is desired: the part that a plan is made from and that an apply must find unchanged.

use serde_json::{Map, Value};

use crate::digest::Digest;

/// Returns the digest of the desired part: the document without its `generation`, without the `status` of entries, and
/// without the entries that stage 50 added itself ([`is_automatic`]). So an apply, which writes only those, leaves it equal.
pub fn desired_digest(document: &Value) -> Digest {
    let Value::Object(members) = document else { return Digest::of_json(document) };
    let mut desired: Map<String, Value> =
        members.iter().filter(|(name, _)| *name != "generation").map(|(k, v)| (k.clone(), v.clone())).collect();
    if let Some(Value::Array(entries)) = desired.get_mut("routes") {
        entries.retain(|entry| !is_automatic(entry));
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            entry.remove("status");
        }
    }
    Digest::of_json(&Value::Object(desired))
}

/// Returns how many plans have been applied to the document; 0 before the first.
pub fn generation(document: &Value) -> u64 {
    document.get("generation").and_then(Value::as_u64).unwrap_or(0)
}

/// Tells whether an entry of `routes` was added by stage 50 for a dependency that no written entry covers.
pub fn is_automatic(entry: &Value) -> bool {
    entry.get("auto").and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_apply_writes_leaves_the_digest_equal() {
        let before = json!({"version": "1.0.0", "auto": true, "routes": [{"from": "a.b", "to": "c.d", "note": 1}]});
        let after = json!({"version": "1.0.0", "auto": true, "generation": 3, "routes": [
            {"from": "a.b", "to": "c.d", "note": 1, "status": {"plan": "x"}},
            {"from": "a.b", "to": "e.f", "auto": true, "status": {"plan": "x"}}
        ]});
        let edited = json!({"version": "1.0.0", "auto": true, "routes": [{"from": "a.b", "to": "c.d", "note": 2}]});
        assert_eq!(desired_digest(&before), desired_digest(&after));
        assert_ne!(desired_digest(&before), desired_digest(&edited));
        assert_eq!((generation(&before), generation(&after)), (0, 3));
    }
}
