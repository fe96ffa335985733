//! JSON Schemas whose validity is plain to see.
//!
//! Asking the meta-schema and building a validator takes longer than everything else about a manifest, and nearly
//! every schema uses a few keywords in their plainest way. What is not seen to be valid here is not invalid: it is
//! looked at again, by the library.

use crate::json::Tree;

/// Tells whether the meta-schema of JSON Schema 2020-12 certainly accepts a schema, and a validator certainly compiles:
/// no references, no patterns, no other dialect, and every keyword with a value of its kind.
pub(super) fn is_plain_schema(schema: &Tree) -> bool {
    match schema {
        Tree::Bool(_) => true,
        Tree::Object(members) => members.iter().all(|(keyword, value)| is_plain(keyword, value)),
        _ => false,
    }
}

fn is_plain(keyword: &str, value: &Tree) -> bool {
    match keyword {
        "type" => is_type(value),
        "properties" | "$defs" | "definitions" | "dependentSchemas" => value.as_object().is_some_and(|members| {
            members.iter().all(|(name, schema)| name.bytes().all(is_plain_byte) && is_plain_schema(schema))
        }),
        "items"
        | "additionalProperties"
        | "not"
        | "if"
        | "then"
        | "else"
        | "contains"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties" => is_plain_schema(value),
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
            value.as_array().is_some_and(|schemas| !schemas.is_empty() && schemas.iter().all(is_plain_schema))
        }
        "required" => value.as_array().is_some_and(|names| is_word_list(names)),
        "enum" | "examples" => value.as_array().is_some(),
        "const" | "default" => true,
        "title" | "description" | "format" | "$comment" => value.as_str().is_some(),
        "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => matches!(value, Tree::Bool(_)),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => matches!(value, Tree::Number(_)),
        "multipleOf" => matches!(value, Tree::Number(number) if number.as_f64().is_some_and(|number| number > 0.0)),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
        | "maxContains" => matches!(value, Tree::Number(number) if number.is_u64()),
        // Keywords with rules of their own; anything else is an annotation, which no meta-schema looks at.
        "pattern" | "patternProperties" | "dependencies" | "dependentRequired" | "additionalItems"
        | "contentEncoding" | "contentMediaType" | "contentSchema" | "id" | "extends" | "divisibleBy" | "disallow" => {
            false
        }
        other => !other.starts_with('$'),
    }
}

/// What shows itself on every terminal; other names are worth a look.
fn is_plain_byte(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

fn is_type(value: &Tree) -> bool {
    let is_name =
        |name: &str| matches!(name, "null" | "boolean" | "object" | "array" | "number" | "string" | "integer");
    match value {
        Tree::String(name) => is_name(name),
        Tree::Array(names) => {
            !names.is_empty() && is_word_list(names) && names.iter().all(|name| name.as_str().is_some_and(is_name))
        }
        _ => false,
    }
}

/// Strings, each once.
fn is_word_list(words: &[Tree]) -> bool {
    words.len() <= 64
        && words.iter().enumerate().all(|(index, word)| word.as_str().is_some() && !words[..index].contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::manifest::check::schema_problems;

    /// What is plainly valid must be valid.
    fn check(schema: &Value) -> bool {
        let is_plain = is_plain_schema(&Tree::of_value(schema));
        if is_plain {
            assert!(schema_problems(schema).is_empty(), "{schema}");
        }
        is_plain
    }

    #[test]
    fn sees_the_plain_ones_and_leaves_the_others_to_the_library() {
        for plain in [
            json!(true),
            json!({}),
            json!({"type": "object", "properties": {"a": {"type": ["string", "null"], "maxLength": 3}}, "required": ["a"]}),
            json!({"anyOf": [{"const": {"$ref": 1}}, {"enum": [1, "$x"]}], "x-note": {"pattern": "("}}),
            json!({"items": {"multipleOf": 0.5, "minimum": -9223372036854775808_i64}, "uniqueItems": true}),
        ] {
            assert!(check(&plain), "{plain}");
        }
        for other in [
            json!(1),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {}}}),
            json!({"pattern": "^a$"}),
            json!({"type": "text"}),
            json!({"type": []}),
            json!({"required": ["a", "a"]}),
            json!({"items": [{}]}),
            json!({"minLength": -1}),
            json!({"multipleOf": 0}),
            json!({"anyOf": []}),
            json!({"properties": {"a": {"type": 1}}}),
            json!({"properties": {"a\u{202e}": {}}}),
        ] {
            assert!(!check(&other), "{other}");
        }
    }

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (-2..3_i64).prop_map(Value::from),
            prop::sample::select(vec!["string", "object", "a", "("]).prop_map(Value::from),
            Just(json!(1.5)),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            let keyword = prop::sample::select(vec![
                "type",
                "properties",
                "items",
                "anyOf",
                "required",
                "enum",
                "minLength",
                "multipleOf",
                "not",
                "format",
                "$defs",
                "$ref",
                "pattern",
                "title",
                "uniqueItems",
                "unknown",
                "dependentSchemas",
                "prefixItems",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((keyword, inner), 0..4).prop_map(|members| {
                    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_plain_schema_is_valid(schema in schema()) {
            check(&schema);
        }
    }
}
