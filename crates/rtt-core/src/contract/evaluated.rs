//! Which properties and items a schema's other keywords have looked at, for `unevaluatedProperties` and
//! `unevaluatedItems`. Known only where every keyword applies to every value: `anyOf`, `if` and their like depend on it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Keywords beside which it depends on the value what was looked at.
const CONDITIONAL: [&str; 7] =
    ["anyOf", "oneOf", "if", "dependentSchemas", "dependencies", "$dynamicRef", "$recursiveRef"];

/// The properties that were looked at.
#[derive(Default)]
pub(super) struct EvaluatedProperties<'v> {
    pub(super) names: BTreeSet<&'v str>,
    pub(super) patterns: BTreeSet<&'v str>,
    /// All of them.
    pub(super) all: bool,
}

/// The items that were looked at.
#[derive(Default)]
pub(super) struct EvaluatedItems {
    /// That many from the first one on.
    pub(super) prefix: usize,
    /// All of them.
    pub(super) all: bool,
}

/// Returns the properties that the other keywords beside `unevaluatedProperties` look at; `None` if it depends.
///
/// `target` follows a reference, `depth` limits how many.
pub(super) fn properties<'v>(
    members: &'v Map<String, Value>,
    target: &dyn Fn(&'v Value) -> Option<&'v Value>,
    depth: usize,
) -> Option<EvaluatedProperties<'v>> {
    let mut found = EvaluatedProperties::default();
    let names = |keyword: &str| members.get(keyword).and_then(Value::as_object).into_iter().flat_map(Map::keys);
    found.names.extend(names("properties").map(String::as_str));
    found.patterns.extend(names("patternProperties").map(String::as_str));
    found.all = members.contains_key("additionalProperties");
    for part in applied(members, target)? {
        let Value::Object(part) = part else { continue };
        let inner = properties(part, target, depth.checked_sub(1)?)?;
        found.names.extend(inner.names);
        found.patterns.extend(inner.patterns);
        found.all |= inner.all || part.contains_key("unevaluatedProperties");
    }
    Some(found)
}

/// Returns the items that the other keywords beside `unevaluatedItems` look at; `None` if it depends.
pub(super) fn items<'v>(
    members: &'v Map<String, Value>,
    target: &dyn Fn(&'v Value) -> Option<&'v Value>,
    depth: usize,
) -> Option<EvaluatedItems> {
    if members.contains_key("contains") {
        return None;
    }
    let prefix = members.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
    let mut found = EvaluatedItems { prefix, all: members.contains_key("items") };
    for part in applied(members, target)? {
        let Value::Object(part) = part else { continue };
        let inner = items(part, target, depth.checked_sub(1)?)?;
        found.prefix = found.prefix.max(inner.prefix);
        found.all |= inner.all || part.contains_key("unevaluatedItems");
    }
    Some(found)
}

/// Returns the schemas that apply to the same value in any case; `None` if there are others.
fn applied<'v>(
    members: &'v Map<String, Value>,
    target: &dyn Fn(&'v Value) -> Option<&'v Value>,
) -> Option<Vec<&'v Value>> {
    if CONDITIONAL.iter().any(|keyword| members.contains_key(*keyword)) {
        return None;
    }
    let mut all: Vec<&Value> = members.get("allOf").and_then(Value::as_array).into_iter().flatten().collect();
    if let Some(reference) = members.get("$ref") {
        all.push(target(reference)?);
    }
    Some(all)
}
