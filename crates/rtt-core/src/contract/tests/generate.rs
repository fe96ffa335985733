//! Random schemas and documents over one small vocabulary, so that they meet often.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Parts of a schema that stand beside each other; each draws from the values that documents are made of.
fn leaf() -> impl Strategy<Value = Value> {
    let kinds = vec!["null", "boolean", "integer", "number", "string", "array", "object"];
    let constants = || {
        vec![
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(2.0),
            json!(2.5),
            json!("a"),
            json!("ab"),
            json!([]),
            json!([1]),
            json!({}),
            json!({"a": 1}),
            json!({"a": "a", "b": 2}),
        ]
    };
    prop_oneof![
        4 => subsequence(kinds.clone(), 1..3).prop_map(|kinds| json!({"type": kinds})),
        4 => select(kinds).prop_map(|kind| json!({"type": kind})),
        2 => subsequence(constants(), 1..4).prop_map(|values| json!({"enum": values})),
        1 => select(constants()).prop_map(|value| json!({"const": value})),
        2 => (-2..4i64).prop_map(|at| json!({"minimum": at})),
        2 => (-2..4i64).prop_map(|at| json!({"maximum": at})),
        1 => select(vec![-1.5, 0.0, 2.5]).prop_map(|at| json!({"exclusiveMinimum": at})),
        1 => select(vec![0.5, 1.0, 3.0]).prop_map(|at| json!({"exclusiveMaximum": at})),
        1 => select(vec![0.5, 1.0, 1.5, 2.0, 3.0]).prop_map(|unit| json!({"multipleOf": unit})),
        2 => (0..3u8).prop_map(|least| json!({"minLength": least})),
        2 => (0..3u8).prop_map(|most| json!({"maxLength": most})),
        2 => select(vec!["^a", "b$", "^[ab]*$", "^a?b+$", "^(?=a)", "."]).prop_map(|text| json!({"pattern": text})),
        1 => (0..3u8).prop_map(|least| json!({"minItems": least})),
        1 => (0..3u8).prop_map(|most| json!({"maxItems": most})),
        1 => Just(json!({"uniqueItems": true})),
        2 => subsequence(vec!["a", "b", "c"], 1..3).prop_map(|names| json!({"required": names})),
        1 => (0..3u8).prop_map(|least| json!({"minProperties": least})),
        1 => (0..3u8).prop_map(|most| json!({"maxProperties": most})),
        1 => (select(vec!["a", "b"]), subsequence(vec!["a", "b", "c"], 1..3))
            .prop_map(|(name, others)| json!({"dependentRequired": {name: others}})),
        1 => Just(json!({"$ref": "#/$defs/d"})),
        1 => Just(json!({"format": "email"})),
        1 => Just(json!({"additionalProperties": false})),
    ]
}

/// Joins parts into one schema; of a keyword that occurs twice the last one stands.
fn join(parts: Vec<Value>) -> Value {
    let mut members = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            members.extend(part);
        }
    }
    Value::Object(members)
}

fn part() -> impl Strategy<Value = Value> {
    let start = prop_oneof![
        12 => proptest::collection::vec(leaf(), 1..3).prop_map(join),
        1 => any::<bool>().prop_map(Value::Bool),
    ];
    start.prop_recursive(3, 14, 3, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 1..3);
        let named = || proptest::collection::btree_map("[abc]", inner.clone(), 1..3);
        let around = prop_oneof![
            2 => list().prop_map(|parts| json!({"anyOf": parts})),
            2 => list().prop_map(|parts| json!({"oneOf": parts})),
            1 => list().prop_map(|parts| json!({"allOf": parts})),
            1 => inner.clone().prop_map(|part| json!({"not": part})),
            1 => (inner.clone(), inner.clone(), proptest::option::of(inner.clone())).prop_map(|(test, then, otherwise)| {
                match otherwise {
                    Some(otherwise) => json!({"if": test, "then": then, "else": otherwise}),
                    None => json!({"if": test, "then": then}),
                }
            }),
            2 => inner.clone().prop_map(|items| json!({"items": items})),
            1 => (list(), inner.clone()).prop_map(|(prefix, rest)| json!({"prefixItems": prefix, "items": rest})),
            1 => (inner.clone(), 0..3u8, proptest::option::of(0..3u8)).prop_map(|(part, least, most)| match most {
                Some(most) => json!({"contains": part, "minContains": least, "maxContains": most}),
                None => json!({"contains": part, "minContains": least}),
            }),
            4 => named().prop_map(|named| json!({"properties": named})),
            1 => inner.clone().prop_map(|rest| json!({"additionalProperties": rest})),
            1 => (select(vec!["^a", "b$", "^c?$", "^(?=a)"]), inner.clone())
                .prop_map(|(text, part)| json!({"patternProperties": {text: part}})),
            1 => inner.clone().prop_map(|names| json!({"propertyNames": names})),
            1 => (select(vec!["a", "b"]), inner.clone()).prop_map(|(name, part)| json!({"dependentSchemas": {name: part}})),
            1 => (list(), any::<bool>()).prop_map(|(parts, closed)| {
                json!({"allOf": parts, "unevaluatedProperties": !closed, "unevaluatedItems": closed})
            }),
        ];
        (proptest::collection::vec(leaf(), 0..3), around).prop_map(|(mut parts, around)| {
            parts.push(around);
            join(parts)
        })
    })
}

/// Schemas two to three levels deep; references lead to one definition, which may refer to itself.
pub(super) fn schema() -> impl Strategy<Value = Value> {
    (part(), part()).prop_map(|(schema, definition)| {
        let text = schema.to_string();
        match schema {
            Value::Object(mut members) if text.contains("$ref") => {
                members.insert("$defs".to_owned(), json!({"d": definition}));
                Value::Object(members)
            }
            other => other,
        }
    })
}

/// Documents; whatever a schema names is among them.
pub(super) fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        (-3..6i64).prop_map(|number| json!(number)),
        (-6..10i64).prop_map(|number| json!(number as f64 / 2.0)),
        "[abc]{0,3}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            proptest::collection::btree_map("[abcd]|ab", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// What is done to a schema to make another one that is close to it.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Drops the n-th keyword.
    Drop(usize),
    /// Raises the n-th number by this.
    Raise(usize, i64),
    /// Puts another schema beside it.
    Allow(Value),
    /// The same, one of both only.
    AllowOne(Value),
    /// Demands another schema too.
    Demand(Value),
    /// Takes another schema instead.
    Replace(Value),
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..12usize).prop_map(Change::Drop),
        2 => (0..8usize, -1..3i64).prop_map(|(index, by)| Change::Raise(index, by)),
        1 => schema().prop_map(Change::Allow),
        1 => schema().prop_map(Change::AllowOne),
        1 => schema().prop_map(Change::Demand),
        3 => schema().prop_map(Change::Replace),
    ]
}

impl Change {
    /// Returns the changed schema.
    pub(super) fn apply(&self, schema: &Value) -> Value {
        match self {
            Self::Drop(index) => {
                let mut left = *index;
                edit(schema, &mut |members| {
                    if let Some(key) = members.keys().nth(left).cloned() {
                        return members.remove(&key).is_some();
                    }
                    left -= members.len();
                    false
                })
            }
            Self::Raise(index, by) => {
                let mut left = *index;
                edit(schema, &mut |members| {
                    for (key, member) in members.iter_mut() {
                        if let (Some(number), true) = (member.as_i64(), key.starts_with('m')) {
                            if left == 0 {
                                *member = json!((number + by).max(i64::from(key == "multipleOf")));
                                return true;
                            }
                            left -= 1;
                        }
                    }
                    false
                })
            }
            Self::Allow(other) => pair("anyOf", schema, other),
            Self::AllowOne(other) => pair("oneOf", schema, other),
            Self::Demand(other) => pair("allOf", schema, other),
            Self::Replace(other) => other.clone(),
        }
    }
}

/// Joins two schemas under a combinator, the second one with definitions of its own.
pub(super) fn pair(keyword: &str, one: &Value, other: &Value) -> Value {
    let part = |schema: &Value, name: &str| -> (Value, Option<Value>) {
        let mut schema = schema.clone();
        let definition = schema.as_object_mut().and_then(|members| members.remove("$defs"));
        let rename = |value: &Value| -> Value {
            let text = value.to_string().replace("#/$defs/d", &format!("#/$defs/{name}"));
            serde_json::from_str(&text).expect("still JSON")
        };
        (rename(&schema), definition.map(|definition| rename(&definition["d"])))
    };
    let ((one, first), (other, second)) = (part(one, "one"), part(other, "other"));
    let mut joined = json!({keyword: [one, other], "$defs": {}});
    for (name, definition) in [("one", first), ("other", second)] {
        if let Some(definition) = definition {
            joined["$defs"][name] = definition;
        }
    }
    joined
}

/// Applies a change to the first object of a document that takes it, outermost first.
fn edit(schema: &Value, change: &mut impl FnMut(&mut Map<String, Value>) -> bool) -> Value {
    fn walk(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>) -> bool) -> bool {
        match value {
            Value::Object(members) => change(members) || members.values_mut().any(|member| walk(member, change)),
            Value::Array(items) => items.iter_mut().any(|item| walk(item, change)),
            _ => false,
        }
    }
    let mut changed = schema.clone();
    walk(&mut changed, change);
    changed
}
