//! Verdicts on schemas made by hand, each about one thing.

use serde_json::{Value, json};

use super::{Answer, Short, check, contained, short};

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
        (r##"{"$ref":"#"}"##, r#"{"type":"string"}"#),
        (
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"properties":{"x":{"$ref":"#/$defs/a"}}}"##,
            r#"{"type":"string"}"#,
        ),
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
        (r#"{"type":"string","pattern":"^(?=a)b?a"}"#, r#"{"type":"string","pattern":"^a"}"#),
        (r#"{"enum":["\u0003"]}"#, r#"{"pattern":"^\\cC$"}"#),
        (r#"{"$ref":"http://example.com/x"}"#, r#"{"type":"string"}"#),
        (r##"{"not":{"$ref":"#"}}"##, r#"{"type":"string"}"#),
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

/// A refutation is found at the one property of many where the proof gets stuck, and in bounded work.
#[test]
fn finds_the_one_difference_among_many_properties() {
    for count in [10, 60] {
        let schema = |odd: &str| {
            let one =
                |at: usize| if at == count / 2 { json!({"type": odd}) } else { json!({"type": ["string", "null"]}) };
            let properties: serde_json::Map<String, Value> = (0..count).map(|at| (format!("p{at}"), one(at))).collect();
            json!({"type": "object", "required": [format!("p{}", count / 2), "p0"], "properties": properties})
        };
        let Answer::No { witness, .. } = contained(&schema("number"), &schema("integer")) else { panic!("{count}") };
        assert!(witness[format!("p{}", count / 2)].is_f64(), "{witness}");
    }
}
