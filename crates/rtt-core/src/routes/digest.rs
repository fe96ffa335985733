//! What of `.rtt/routes.json` is desired: the part that a plan is made from and that an apply must find unchanged.

use serde_json::{Map, Value};

use super::Document;
use crate::digest::Digest;

impl Document {
    /// Returns the digest of the desired part: the document without its `generation`, without the `status` of entries, and
    /// without the entries that stage 50 added itself. So an apply, which writes only those, leaves it equal.
    pub fn desired_digest(&self) -> Digest {
        let members = self.written.as_object().into_iter().flatten().filter(|(name, _)| *name != "generation");
        let mut desired: Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
        let entries = desired.get_mut("routes").and_then(Value::as_array_mut).into_iter().flatten();
        for entry in entries.filter_map(Value::as_object_mut) {
            entry.remove("status");
        }
        Digest::of_json(&Value::Object(desired))
    }

    /// Returns how many plans have been applied to the document; 0 before the first.
    pub fn generation(&self) -> u64 {
        self.written.get("generation").and_then(Value::as_u64).unwrap_or(0)
    }
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
        let status = json!({"plan": "x", "target": "c.d@1.0.0", "via": "uds"});
        let before = json!({"version": "1.0.0", "auto": true, "routes": [{"from": "a.b", "to": "c.d", "note": 1}]});
        let after = json!({"version": "1.0.0", "auto": true, "generation": 3, "routes": [
            {"from": "a.b", "to": "c.d", "note": 1, "status": status},
            {"from": "a.b", "to": "e.f", "auto": true, "status": status}
        ]});
        let edited = json!({"version": "1.0.0", "auto": true, "routes": [{"from": "a.b", "to": "c.d", "note": 2}]});
        let [before, after, edited] = [before, after, edited]
            .map(|document| Document::read(Some(document.to_string().as_bytes())).expect("as its schema says"));
        assert_eq!(before.desired_digest(), after.desired_digest());
        assert_ne!(before.desired_digest(), edited.desired_digest());
        assert_eq!((before.generation(), after.generation()), (0, 3));
    }
}
