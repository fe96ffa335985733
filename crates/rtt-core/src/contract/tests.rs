//! Containment against tables, against published pairs, and against the validator on random schemas.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, contained};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Short {
    Yes,
    No,
    Unknown,
}

fn short(given: &Value, wanted: &Value) -> Short {
    match contained(given, wanted) {
        Answer::Yes => Short::Yes,
        Answer::No { .. } => Short::No,
        Answer::Unknown { .. } => Short::Unknown,
    }
}

fn check(given: &str, wanted: &str, expected: Short) {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect(text);
    let answer = contained(&read(given), &read(wanted));
    assert_eq!(short(&read(given), &read(wanted)), expected, "{given} within {wanted}: {answer:?}");
}

#[test]
fn proves_what_is_contained() {
    for (given, wanted) in [
        (r#"{"type":"integer"}"#, r#"{"type":"number"}"#),
        (r#"{"type":["integer","number"]}"#, r#"{"type":"number"}"#),
        (r#"{"type":"string"}"#, r#"{"type":["null","string"]}"#),
        (r#"{"type":["null","string"]}"#, r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#),
        (r#"{"enum":["a","b"]}"#, r#"{"type":"string","maxLength":1}"#),
        (r#"{"const":1}"#, r#"{"enum":[1.0,2]}"#),
        (r#"{"type":"boolean"}"#, r#"{"enum":[true,false,null]}"#),
        (r#"{"type":"integer","minimum":1}"#, r#"{"type":"integer","exclusiveMinimum":0}"#),
        (r#"{"type":"integer","multipleOf":6}"#, r#"{"type":"number","multipleOf":3}"#),
        (r#"{"type":"number","multipleOf":2}"#, r#"{"type":"integer"}"#),
        (r#"{"type":"string","minLength":2,"maxLength":3}"#, r#"{"minLength":1,"maxLength":4}"#),
        (r#"{"type":"string","pattern":"^a"}"#, r#"{"pattern":"^a"}"#),
        (
            r#"{"type":"object","properties":{"a":{"type":"integer"},"b":true},"required":["a"],"additionalProperties":false}"#,
            r#"{"type":"object","properties":{"a":{"type":"number"}},"additionalProperties":true}"#,
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}"#,
            r#"{"additionalProperties":{"type":"number"}}"#,
        ),
        (r#"{"type":"array","items":{"type":"integer"},"maxItems":2}"#, r#"{"items":{"type":"number"},"maxItems":3}"#),
        (r#"{"type":"array","prefixItems":[{"type":"string"}],"items":false}"#, r#"{"items":{"type":"string"}}"#),
        (r#"{"allOf":[{"type":"integer"},{"minimum":3}]}"#, r#"{"type":"integer","minimum":2}"#),
        (r#"{"type":"string"}"#, r#"{"not":{"type":"number"}}"#),
        (r#"{"type":"string"}"#, r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#),
        (
            r#"{"type":"object","properties":{"kind":{"const":"a"}},"required":["kind"]}"#,
            r#"{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"}},"required":["kind"]},{"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}]}"#,
        ),
        (
            r##"{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"},"v":{"type":"integer"}},"additionalProperties":false}}}"##,
            r##"{"$ref":"#/$defs/m","$defs":{"m":{"type":"object","properties":{"next":{"$ref":"#/$defs/m"},"v":{"type":"number"}}}}}"##,
        ),
        ("false", r#"{"type":"string"}"#),
        (r#"{"type":"string","minLength":5,"maxLength":1}"#, r#"{"type":"integer"}"#),
        (r#"{"if":{"minimum":3},"then":{"multipleOf":2}}"#, r#"{"if":{"minimum":3},"then":{"multipleOf":2}}"#),
        (r#"{"type":"string","format":"email"}"#, r#"{"type":"string","format":"uuid"}"#),
    ] {
        check(given, wanted, Short::Yes);
    }
}

#[test]
fn refutes_with_a_witness() {
    for (given, wanted) in [
        (r#"{"type":"number"}"#, r#"{"type":"integer"}"#),
        (r#"{}"#, r#"{"type":"object"}"#),
        (r#"{"type":"string"}"#, r#"{"type":"string","pattern":"^[a-z]+$"}"#),
        (r#"{"type":"string","maxLength":10}"#, r#"{"type":"string","maxLength":5}"#),
        (r#"{"enum":["a","c"]}"#, r#"{"enum":["a","b"]}"#),
        (
            r#"{"type":"object","properties":{"a":{"type":"string"}}}"#,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}"#,
        ),
        (r#"{"type":"object"}"#, r#"{"type":"object","additionalProperties":false}"#),
        (
            r#"{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":["integer","string"]}},"required":["b"]}},"required":["a"]}"#,
            r#"{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}"#,
        ),
        (
            r#"{"type":"array","items":{"type":"integer"}}"#,
            r#"{"type":"array","items":{"type":"integer"},"uniqueItems":true}"#,
        ),
        (r#"{"type":"array","items":{"type":["integer","null"]}}"#, r#"{"items":{"type":"integer"}}"#),
        (r#"{"type":"integer"}"#, r#"{"oneOf":[{"type":"integer"},{"type":"number","minimum":5}]}"#),
        (r#"{"type":"number","minimum":0}"#, r#"{"type":"number","exclusiveMinimum":0}"#),
        (r#"{"type":"string"}"#, "false"),
    ] {
        check(given, wanted, Short::No);
    }
    let Answer::No { reason, witness } = contained(
        &json!({"type": "object", "properties": {"series": {"type": "integer"}}, "required": ["series"]}),
        &json!({"type": "object", "properties": {"series": {"type": "string"}}}),
    ) else {
        panic!("an integer is no string");
    };
    assert_eq!(witness, json!({"series": 0}));
    assert_eq!(reason, "at /series: 0 is not of type \"string\"");
}

#[test]
fn admits_what_it_does_not_know() {
    for (given, wanted) in [
        (r#"{"type":"string","pattern":"^ab+$"}"#, r#"{"type":"string","pattern":"^a"}"#),
        (r#"{"$ref":"http://example.com/x"}"#, r#"{"type":"string"}"#),
        (r##"{"$ref":"#"}"##, r#"{"type":"string"}"#),
        (
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"properties":{"x":{"$ref":"#/$defs/a"}}}"##,
            r#"{"type":"string"}"#,
        ),
        (r#"{"type":"banana"}"#, r#"{"type":"string"}"#),
        (r#"{"$schema":"http://json-schema.org/draft-04/schema#"}"#, r#"{"type":"string"}"#),
        (r#"{"type":"string"}"#, r#"{"pattern":"("}"#),
    ] {
        check(given, wanted, Short::Unknown);
    }
}

/// Hostile depth and size end in an answer.
#[test]
fn ends_on_schemas_made_to_explode() {
    let mut definitions = serde_json::Map::new();
    for level in 0..60 {
        let next = format!("#/$defs/d{}", level + 1);
        definitions.insert(
            format!("d{level}"),
            json!({"allOf": [{"$ref": next}, {"anyOf": [{"$ref": next}, {"$ref": next}]}]}),
        );
    }
    definitions.insert("d60".to_owned(), json!({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}}));
    let wide = json!({"$ref": "#/$defs/d0", "$defs": definitions});
    assert_eq!(short(&wide, &json!({"type": "string"})), Short::Unknown);
    let chain: serde_json::Map<String, Value> = (0..5_000)
        .map(|at| (format!("c{at}"), json!({"$ref": format!("#/$defs/c{}", at + 1)})))
        .chain([("c5000".to_owned(), json!({}))])
        .collect();
    assert_eq!(short(&json!({"$ref": "#/$defs/c0", "$defs": chain}), &json!({"type": "string"})), Short::Unknown);
}

/// Published pairs of schemas with a verdict in both directions: no answer may contradict them.
#[test]
fn agrees_with_published_pairs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/contracts");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not here", folder.display());
        return;
    };
    let mut decided = 0;
    let mut undecided = Vec::new();
    for entry in entries {
        let pair = entry.expect("readable").path();
        let read = |name: &str| -> Value {
            serde_json::from_slice(&std::fs::read(pair.join(name)).expect("part of the pair")).expect("JSON")
        };
        let (old, new, expected) = (read("old.json"), read("new.json"), read("expect.json"));
        for (direction, given, wanted) in [("serializer", &new, &old), ("deserializer", &old, &new)] {
            let right = if expected[direction] == true { Short::Yes } else { Short::No };
            match short(given, wanted) {
                Short::Unknown => {
                    undecided.push(format!("{} {direction} ({right:?})", pair.file_name().unwrap().display()))
                }
                answer => {
                    assert_eq!(answer, right, "{} {direction}", pair.display());
                    decided += 1;
                }
            }
        }
    }
    println!("{decided} decided, undecided: {undecided:#?}");
    assert!(decided >= 55, "only {decided} decided, undecided: {undecided:#?}");
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        Just(json!(false)),
        prop::sample::subsequence(vec!["null", "boolean", "integer", "number", "string", "array", "object"], 1..4)
            .prop_map(|types| json!({"type": types})),
        (-3..3i64, 0..4i64, any::<bool>()).prop_map(|(low, width, whole)| {
            json!({"type": if whole { "integer" } else { "number" }, "minimum": low, "exclusiveMaximum": low + width})
        }),
        (1..4i64).prop_map(|unit| json!({"multipleOf": unit})),
        (0..3u8, 0..3u8).prop_map(|(low, more)| json!({"type": "string", "minLength": low, "maxLength": low + more})),
        prop::sample::subsequence(vec![json!(null), json!(1), json!(2.5), json!("a"), json!([]), json!({"a": 1})], 1..4)
            .prop_map(|values| json!({"enum": values})),
        Just(json!({"pattern": "^a"})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            list.clone().prop_map(|parts| json!({"anyOf": parts})),
            list.clone().prop_map(|parts| json!({"oneOf": parts})),
            list.clone().prop_map(|parts| json!({"allOf": parts})),
            inner.clone().prop_map(|part| json!({"not": part})),
            (inner.clone(), list, 0..3u8).prop_map(|(rest, prefix, most)| {
                json!({"type": "array", "prefixItems": prefix, "items": rest, "maxItems": most})
            }),
            (inner.clone(), any::<bool>()).prop_map(|(items, unique)| json!({"items": items, "uniqueItems": unique})),
            (
                prop::collection::btree_map("[abc]", inner.clone(), 0..3),
                prop::sample::subsequence(vec!["a", "b"], 0..2),
                inner.clone(),
                prop::option::of(0..3u8),
            )
                .prop_map(|(properties, required, rest, most)| {
                    let mut schema = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": rest});
                    if let Some(most) = most {
                        schema["maxProperties"] = json!(most);
                    }
                    schema
                }),
            (inner.clone(), inner).prop_map(|(part, rest)| {
                json!({"properties": {"a": {"$ref": "#/$defs/part"}}, "patternProperties": {"^b": rest}, "$defs": {"part": part}})
            }),
        ]
    })
    // Definitions stand at the top only, so that references stay resolvable.
    .prop_map(|schema| if schema.to_string().contains("\"$ref\"") && schema.get("$defs").is_none() { json!({"anyOf": [{"type": "null"}, {"type": "string"}]}) } else { schema })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        (-4..7i64).prop_map(|number| json!(number)),
        (-8..14i64).prop_map(|number| json!(number as f64 / 2.0)),
        "[ab]{0,4}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            prop::collection::btree_map("[abcd]", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// Drops bounds, which only widens a schema that has no negation.
fn strip(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let dropped = ["minimum", "maxLength", "required", "multipleOf"];
            let kept = members.iter().filter(|(key, _)| !dropped.contains(&key.as_str()));
            Value::Object(kept.map(|(key, member)| (key.clone(), strip(member))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(strip).collect()),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_yes_holds_for_every_value(
        one in schema(),
        other in schema(),
        weaken in 0..4u8,
        values in prop::collection::vec(value(), 40),
    ) {
        // Unrelated schemas are seldom contained, so most cases weaken one that is.
        let wanted = match weaken {
            0 => other,
            1 => json!({"anyOf": [other, strip(&one)]}),
            2 => json!({"oneOf": [strip(&one), other]}),
            _ => strip(&one),
        };
        let (given_validator, wanted_validator) = match (jsonschema::validator_for(&one), jsonschema::validator_for(&wanted)) {
            (Ok(given), Ok(wanted)) => (given, wanted),
            _ => return Ok(()),
        };
        match contained(&one, &wanted) {
            Answer::Yes => for value in &values {
                prop_assert!(
                    !given_validator.is_valid(value) || wanted_validator.is_valid(value),
                    "{value} is valid under {one} and not under {wanted}"
                );
            },
            Answer::No { witness, .. } => {
                prop_assert!(given_validator.is_valid(&witness) && !wanted_validator.is_valid(&witness), "{witness}: {one} within {wanted}");
            }
            Answer::Unknown { .. } => {}
        }
    }
}
