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
fn compares_numbers_exactly() {
    for (given, wanted, expected) in [
        (r#"{"const":9007199254740993}"#, r#"{"const":9007199254740992}"#, Short::No),
        (r#"{"const":9007199254740993}"#, r#"{"minimum":9007199254740993}"#, Short::Yes),
        (r#"{"type":"integer","minimum":9007199254740993}"#, r#"{"exclusiveMinimum":9007199254740992}"#, Short::Yes),
        (r#"{"type":"integer","minimum":9007199254740992}"#, r#"{"exclusiveMinimum":9007199254740992}"#, Short::No),
        (r#"{"type":"integer","maximum":18446744073709551615}"#, r#"{"maximum":18446744073709551614}"#, Short::No),
        (r#"{"enum":[1.0,2]}"#, r#"{"type":"integer"}"#, Short::Yes),
        (r#"{"type":"integer","multipleOf":1.5}"#, r#"{"multipleOf":3}"#, Short::Yes),
        (r#"{"multipleOf":0.3}"#, r#"{"multipleOf":0.1}"#, Short::Yes),
        (r#"{"multipleOf":0.1}"#, r#"{"multipleOf":0.3}"#, Short::No),
        (r#"{"multipleOf":6}"#, r#"{"allOf":[{"multipleOf":2},{"multipleOf":3}]}"#, Short::Yes),
        (r#"{"allOf":[{"multipleOf":4},{"multipleOf":6}],"type":"number"}"#, r#"{"multipleOf":12}"#, Short::Yes),
        (r#"{"type":"integer","minimum":1,"maximum":3}"#, r#"{"enum":[1,2,3]}"#, Short::Yes),
        (r#"{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":1}"#, "false", Short::Yes),
        (r#"{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}"#, "false", Short::No),
        (r#"{"type":"number","minimum":0,"maximum":10}"#, r#"{"maximum":1.7976931348623157e308}"#, Short::Yes),
        (r#"{"type":"number"}"#, r#"{"maximum":1.7976931348623157e308}"#, Short::Unknown),
        (r#"{"type":"number"}"#, r#"{"maximum":1e20}"#, Short::No),
    ] {
        check(given, wanted, expected);
    }
}

#[test]
fn compares_texts() {
    for (given, wanted, expected) in [
        (r#"{"type":"string","pattern":"^[a-f]+$"}"#, r#"{"pattern":"^[a-z]*$"}"#, Short::Yes),
        (r#"{"type":"string","pattern":"^[a-z]*$"}"#, r#"{"pattern":"^[a-f]+$"}"#, Short::No),
        (r#"{"type":"string","pattern":"^[a-z]{2,4}$"}"#, r#"{"minLength":2,"maxLength":4}"#, Short::Yes),
        (r#"{"type":"string","pattern":"^(a|b)$"}"#, r#"{"enum":["a","b","c"]}"#, Short::Yes),
        (r#"{"type":"string","pattern":"^\\d{3}$"}"#, r#"{"pattern":"^[0-9]+$"}"#, Short::Yes),
        (r#"{"type":"string","pattern":"^a"}"#, r#"{"not":{"pattern":"^b"}}"#, Short::Yes),
        (r#"{"type":"string","maxLength":0}"#, r#"{"const":""}"#, Short::Yes),
        (r#"{"type":"string","pattern":"^é$"}"#, r#"{"maxLength":1}"#, Short::Yes),
        // Not regular, but the same on both sides, or listed.
        (r#"{"type":"string","pattern":"^(?=a)b?a","maxLength":3}"#, r#"{"pattern":"^(?=a)b?a"}"#, Short::Yes),
        (r#"{"enum":["abc"]}"#, r#"{"pattern":"^(?=a)ab"}"#, Short::Yes),
    ] {
        check(given, wanted, expected);
    }
}

#[test]
fn compares_arrays() {
    for (given, wanted, expected) in [
        (
            r#"{"type":"array","items":{"type":"integer"},"minItems":1}"#,
            r#"{"contains":{"type":"number"}}"#,
            Short::Yes,
        ),
        (r#"{"type":"array","items":{"type":"integer"}}"#, r#"{"contains":{"type":"number"}}"#, Short::No),
        (
            r#"{"type":"array","contains":{"const":1},"minContains":3}"#,
            r#"{"contains":{"type":"integer"},"minContains":2}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"array","contains":{"type":"integer"},"maxContains":1}"#,
            r#"{"contains":{"const":1},"minContains":0,"maxContains":1}"#,
            Short::Yes,
        ),
        (r#"{"type":"array","items":{"type":"boolean"},"uniqueItems":true}"#, r#"{"maxItems":2}"#, Short::Yes),
        (r#"{"type":"array","items":{"type":"boolean"},"minItems":3}"#, r#"{"not":{"uniqueItems":true}}"#, Short::Yes),
        (r#"{"type":"array","maxItems":1}"#, r#"{"uniqueItems":true}"#, Short::Yes),
        (
            r#"{"type":"array","prefixItems":[{"const":1},{"const":2}],"items":false}"#,
            r#"{"uniqueItems":true}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"array","prefixItems":[{"const":1},{"const":1}],"minItems":2}"#,
            r#"{"not":{"uniqueItems":true}}"#,
            Short::Yes,
        ),
        // The element 1 is counted by the prefix already, so no other place may hold it.
        (
            r#"{"type":"array","prefixItems":[{"const":1}],"contains":{"const":1},"maxContains":1,"minItems":2}"#,
            r#"{"not":{"prefixItems":[true,{"const":1}],"minItems":2}}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"array","items":{"type":"object","required":["x"],"properties":{"x":false}}}"#,
            r#"{"maxItems":0}"#,
            Short::Yes,
        ),
        (r#"{"type":"array","unevaluatedItems":{"type":"string"}}"#, r#"{"items":{"type":"string"}}"#, Short::Yes),
    ] {
        check(given, wanted, expected);
    }
}

#[test]
fn compares_objects() {
    for (given, wanted, expected) in [
        (
            r#"{"type":"object","properties":{"a":true,"b":true},"additionalProperties":false}"#,
            r#"{"maxProperties":2}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","properties":{"a":true,"b":true},"additionalProperties":false,"minProperties":2}"#,
            r#"{"required":["a","b"]}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}"#,
            r#"{"propertyNames":{"pattern":"^x"},"additionalProperties":{"type":"number"}}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","propertyNames":{"enum":["a","b"]}}"#,
            r#"{"properties":{"a":true,"b":true},"additionalProperties":false}"#,
            Short::Yes,
        ),
        (r#"{"type":"object","propertyNames":{"maxLength":0}}"#, r#"{"maxProperties":1}"#, Short::Yes),
        (
            r#"{"type":"object","patternProperties":{"^a":{"type":"string"},"b$":{"type":"integer"}}}"#,
            r#"{"properties":{"ab":false}}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","patternProperties":{"^a":{"type":"string"}}}"#,
            r#"{"properties":{"ab":{"type":"string"}}}"#,
            Short::Yes,
        ),
        (r#"{"type":"object","required":["a","b"]}"#, r#"{"dependentRequired":{"a":["b"]}}"#, Short::Yes),
        (
            r#"{"type":"object","properties":{"a":false}}"#,
            r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","dependentRequired":{"a":["b"],"b":["c"]}}"#,
            r#"{"dependentRequired":{"a":["c"]}}"#,
            Short::Yes,
        ),
        (r#"{"type":"object","dependentRequired":{"a":["b"]}}"#, r#"{"dependentRequired":{"b":["a"]}}"#, Short::No),
        (
            r#"{"allOf":[{"properties":{"a":true}},{"properties":{"b":true}}],"type":"object","unevaluatedProperties":false}"#,
            r#"{"maxProperties":2,"propertyNames":{"enum":["a","b"]}}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false}"#,
            r#"{"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}"#,
            Short::Yes,
        ),
    ] {
        check(given, wanted, expected);
    }
}

#[test]
fn compares_what_is_combined() {
    for (given, wanted, expected) in [
        (
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            r#"{"anyOf":[{"type":"string"},{"type":"number"}]}"#,
            Short::Yes,
        ),
        (r#"{"type":"integer"}"#, r#"{"anyOf":[{"minimum":0},{"maximum":0}]}"#, Short::Yes),
        (r#"{"type":"integer"}"#, r#"{"oneOf":[{"minimum":1},{"maximum":0}]}"#, Short::Yes),
        (r#"{"type":"integer"}"#, r#"{"oneOf":[{"minimum":0},{"maximum":0}]}"#, Short::No),
        (r#"{"not":{"not":{"type":"string"}}}"#, r#"{"type":"string"}"#, Short::Yes),
        (r#"{"not":{"anyOf":[{"type":"string"},{"type":"null"}]}}"#, r#"{"not":{"type":"null"}}"#, Short::Yes),
        (
            r#"{"type":"object","required":["k"],"properties":{"k":{"enum":["a","b"]},"v":{"type":"integer"}}}"#,
            r#"{"oneOf":[{"properties":{"k":{"const":"a"}}},{"properties":{"k":{"const":"b"}}}]}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"object","oneOf":[{"required":["a"],"properties":{"b":false}},{"required":["b"],"properties":{"a":false}}]}"#,
            r#"{"oneOf":[{"required":["a"]},{"required":["b"]}]}"#,
            Short::Yes,
        ),
        (
            r#"{"if":{"type":"integer"},"then":{"minimum":3},"else":{"type":"string"}}"#,
            r#"{"anyOf":[{"type":"integer","minimum":1},{"type":"string"}]}"#,
            Short::Yes,
        ),
        (
            r#"{"type":"integer","minimum":3}"#,
            r#"{"if":{"type":"integer"},"then":{"minimum":3},"else":false}"#,
            Short::Yes,
        ),
        (r#"{"type":"object"}"#, r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, Short::No),
        // A list and a tree of the same values, written in two ways.
        (
            r##"{"type":"array","items":{"$ref":"#"}}"##,
            r##"{"anyOf":[{"type":"array","maxItems":0},{"type":"array","minItems":1,"items":{"$ref":"#"}}]}"##,
            Short::Yes,
        ),
        // No value is both finite and endless.
        (r##"{"type":"object","required":["next"],"properties":{"next":{"$ref":"#"}}}"##, "false", Short::Yes),
        (
            r##"{"type":"object","properties":{"next":{"$ref":"#"}}}"##,
            r#"{"properties":{"next":{"maxProperties":0}}}"#,
            Short::No,
        ),
        (r##"{"$ref":"#here","$defs":{"x":{"$anchor":"here","type":"integer"}}}"##, r#"{"type":"number"}"#, Short::Yes),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","items":[{"type":"integer"}],"additionalItems":false}"#,
            r#"{"prefixItems":[{"type":"number"}],"maxItems":1}"#,
            Short::Yes,
        ),
        // Draft 6 knows no conditions.
        (
            r#"{"$schema":"http://json-schema.org/draft-06/schema#","if":true,"then":false}"#,
            r#"{"if":true,"then":false}"#,
            Short::No,
        ),
    ] {
        check(given, wanted, expected);
    }
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
    // The automaton must remember the last forty characters.
    let long = |letter: char| json!({"type": "string", "pattern": format!("^(a|b)*{letter}(a|b){{40}}$")});
    assert_eq!(short(&long('a'), &long('b')), Short::Unknown);
    let chain: serde_json::Map<String, Value> = (0..5_000)
        .map(|at| (format!("c{at}"), json!({"$ref": format!("#/$defs/c{}", at + 1)})))
        .chain([("c5000".to_owned(), json!({}))])
        .collect();
    assert_eq!(short(&json!({"$ref": "#/$defs/c0", "$defs": chain}), &json!({"type": "string"})), Short::Unknown);
}

/// Depth on one value and into it at once stays within a thread's stack.
#[test]
fn ends_on_deep_values_under_long_chains() {
    let mut tail = json!({"items": {"$ref": "#"}});
    for _ in 0..45 {
        tail = json!({"allOf": [tail]});
    }
    let value = |leaf: Value| (0..100).fold(leaf, |inner, _| json!([inner]));
    let given = json!({"enum": [value(json!(1)), value(json!([]))]});
    assert_eq!(short(&given, &tail), Short::Unknown);
    assert_eq!(short(&json!({"enum": [[[1]], [[], []]]}), &tail), Short::Yes);
    let linked = |kind: &str| {
        let link = |index: usize| {
            let next = json!({"$ref": format!("#/$defs/d{}", index + 1)});
            let object = json!({"type": "object", "required": ["a"], "properties": {"a": next}, "minProperties": 2});
            (format!("d{index}"), json!({"anyOf": [object, {"type": "null"}]}))
        };
        let last = [("d300".to_owned(), json!({"type": kind}))];
        let definitions: serde_json::Map<String, Value> = (0..300).map(link).chain(last).collect();
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    assert_eq!(short(&linked("integer"), &linked("number")), Short::Unknown);
    let nested = |leaf: Value| (0..100).fold(leaf, |inner, _| json!({"type": "array", "items": inner, "minItems": 1}));
    assert_eq!(short(&nested(json!({"type": "integer"})), &nested(json!({"type": "number"}))), Short::Yes);
    assert_eq!(short(&nested(json!({"type": "number"})), &nested(json!({"type": "integer"}))), Short::No);
}

/// Unions with many alternatives cost about the square of their number.
#[test]
fn compares_large_discriminated_unions() {
    let union = |keyword: &str, kind: &str| {
        let part = |index: usize| json!({"type": "object", "required": ["k"], "properties": {"k": {"const": format!("k{index}")}, "v": {"type": kind}}});
        json!({keyword: (0..40).map(part).collect::<Vec<_>>()})
    };
    assert_eq!(short(&union("oneOf", "integer"), &union("oneOf", "number")), Short::Yes);
    assert_eq!(short(&union("anyOf", "integer"), &union("oneOf", "integer")), Short::Yes);
    assert_eq!(short(&union("oneOf", "number"), &union("oneOf", "integer")), Short::No);
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
