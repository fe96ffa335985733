//! What of `.rtt/routes.json` is desired: the part that a plan is made from and that an apply must find unchanged.

use serde_json::{Map, Value};

use crate::digest::Digest;

/// Returns the digest of the desired part: the document without its `generation`, without the `status` of entries, and
/// without the entries that stage 50 added itself ([`is_automatic`]). So an apply, which writes only those, leaves it equal.
pub fn desired_digest(document: &Value) -> Digest {
    let Value::Object(members) = document else { return Digest::of_json(document) };
    let kept = members.iter().filter(|(name, _)| *name != "generation");
    let desired: Map<String, Value> = kept
        .map(|(name, value)| match (name.as_str(), value) {
            ("routes", Value::Array(entries)) => (name.clone(), written(entries)),
            _ => (name.clone(), value.clone()),
        })
        .collect();
    Digest::of_json(&Value::Object(desired))
}

/// What people wrote of entries, without their status.
fn written(entries: &[Value]) -> Value {
    let mut written: Vec<Value> = entries.iter().filter(|entry| !is_automatic(entry)).cloned().collect();
    for entry in written.iter_mut().filter_map(Value::as_object_mut) {
        entry.remove("status");
    }
    Value::Array(written)
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
