//! Schemas to types, in the words of a language made up for it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Body, Source, Speller, Types};
use crate::connector::stub::Stub;

fn stub() -> Stub {
    serde_json::from_value(json!({
        "version": "1.0.0", "title": "Types", "directory": "types", "extension": "types", "template": "types.hbs", "lanes": ["uds"],
        "names": {"file": "snake", "type": "pascal", "method": "snake", "field": "snake", "value": "snake"}, "reserved": [],
        "checks": ["anyOf", "$ref", "prefixItems", "format"], "declares": ["enumeration", "union", "tuple"],
        "types": {"any": "any", "boolean": "bool", "integer": "int", "number": "num", "string": "str", "date_time": "time", "bytes": "bytes",
            "array": "[{item}]", "map": "map<{item}>", "nullable": "{item}?", "optional": "opt<{item}>",
            "recursive": "box<{item}>", "holds_by_value": true},
        "strings": {"quote": "\"", "by_number": "{hex}"}
    }))
    .expect("a stub")
}

/// The type of a schema's values, and one line for each declared type.
fn types(stub: &Stub, schema: &Value) -> String {
    let mut types = Types::new(stub, "C", &|_| true);
    let whole = types.read(&Source::new(schema), "m params");
    let declarations = types.into_declarations();
    let speller = Speller::new(&stub.types, &declarations);
    let mut out = speller.spell(&whole, None);
    for (index, declaration) in declarations.iter().enumerate() {
        let joined = |parts: Vec<String>| parts.join(", ");
        let field = |field: &super::Field| {
            let inner = speller.spell_member(field, index);
            format!("{}: {}", field.name, if field.optional { speller.optional(&inner) } else { inner })
        };
        let body = match &declaration.body {
            Body::Object(fields) => format!("{{{}}}", joined(fields.iter().map(field).collect())),
            Body::Tuple(items) => format!("({})", joined(items.iter().map(field).collect())),
            Body::Enumeration(values) => values.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("|"),
            Body::Union(variants) => {
                let variant = |variant: &super::Variant| {
                    let tag =
                        variant.tag.as_ref().map_or(String::new(), |(member, value)| format!(" if {member}={value}"));
                    format!("{} {}{tag}", variant.name, speller.spell_held(&variant.r#type, index))
                };
                variants.iter().map(variant).collect::<Vec<_>>().join(" or ")
            }
            Body::Same(_) => continue,
        };
        write!(out, "; {} = {body}", declaration.name).expect("writing to a string");
    }
    out
}

#[test]
fn schemas_become_types() {
    for (schema, expected) in [
        (json!(true), "any"),
        (json!({"type": ["string", "null"]}), "str?"),
        (json!({"type": "string", "format": "date-time"}), "time"),
        (json!({"type": "string", "contentEncoding": "base64"}), "bytes"),
        (json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}), "num"),
        (json!({"anyOf": [{"enum": ["x"]}, {"type": "string"}, {"type": "string", "format": "date-time"}]}), "str"),
        (json!({"enum": [1, 2]}), "int"),
        (json!({"const": "x"}), "CMParams; CMParams = x"),
        (json!({"anyOf": [{"enum": ["a"]}, {"enum": ["b", "a"]}]}), "CMParams; CMParams = a|b"),
        (json!({"type": "object", "additionalProperties": {"type": "boolean"}}), "map<bool>"),
        (json!({"type": "object", "patternProperties": {".*": {"type": "integer"}}}), "map<int>"),
        (json!({"type": "object", "patternProperties": {"^a": {"type": "integer"}}}), "map<any>"),
        (json!({"properties": {"a": {}}, "required": ["b"]}), "CMParams; CMParams = {a: opt<any>, b: any}"),
        (
            json!({"prefixItems": [{"type": "string"}, {}], "minItems": 2, "maxItems": 2}),
            "CMParams; CMParams = (item_0: str, item_1: any)",
        ),
        (
            json!({"items": [{"type": "string"}], "additionalItems": false, "minItems": 1}),
            "CMParams; CMParams = (item_0: str)",
        ),
        (
            json!({"allOf": [{"properties": {"a": {"prefixItems": [{}]}}}, {"properties": {"a": {"minItems": 1, "maxItems": 1}}}]}),
            "CMParams; CMParams = {a: opt<CMParamsA>}; CMParamsA = (item_0: any)",
        ),
        (json!({"prefixItems": [{"type": "string"}]}), "[any]"),
        (
            json!({"allOf": [{"properties": {"a": {"type": ["string", "integer"]}}}, {"properties": {"a": {"type": "string"}}, "required": ["a"]}]}),
            "CMParams; CMParams = {a: str}",
        ),
        (json!({"type": ["string", "integer"]}), "CMParams; CMParams = Integer int or String str"),
        (
            json!({"allOf": [{"properties": {"a": {"type": "integer"}}}, {"oneOf": [{"properties": {"b": {"type": "integer"}}}, {"required": ["a"]}]}]}),
            "CMParams; CMParams = Object CMParamsObject or Object1 CMParamsObject1; CMParamsObject = {a: opt<int>, b: opt<int>}; CMParamsObject1 = {a: int}",
        ),
    ] {
        assert_eq!(types(&stub(), &schema), expected, "{schema}");
    }
}

#[test]
fn types_may_contain_themselves() {
    for (schema, expected) in [
        (
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "all": {"items": {"$ref": "#/$defs/n"}}}}}}),
            "CMParamsN; CMParamsN = {next: opt<box<CMParamsN>>, all: opt<[CMParamsN]>}",
        ),
        (
            json!({"properties": {"a": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["a"]}),
            "CMParams; CMParams = {a: box<CMParams>?}",
        ),
        (json!({"type": "array", "items": {"$ref": "#"}}), "[[any]]"),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#"}}]}),
            "CMParams; CMParams = Integer int or List [CMParams]",
        ),
        (json!({"oneOf": [{"$ref": "#"}, {"type": "string"}]}), "str"),
    ] {
        assert_eq!(types(&stub(), &schema), expected, "{schema}");
    }
}

#[test]
fn alternatives_are_told_apart_by_a_member() {
    let kind = |name: &str| json!({"properties": {"kind": {"const": name}}, "required": ["kind"]});
    assert_eq!(
        types(&stub(), &json!({"oneOf": [kind("a"), kind("b")]})),
        "CMParams; CMParams = A CMParamsA if kind=a or B CMParamsB if kind=b; \
         CMParamsA = {kind: CMParamsAKind}; CMParamsAKind = a; CMParamsB = {kind: CMParamsBKind}; CMParamsBKind = b"
    );
    let pet = json!({"properties": {"type": {"type": "string"}}, "required": ["type"]});
    let schema = json!({
        "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}], "$defs": {"Cat": pet, "Dog": pet},
        "discriminator": {"propertyName": "type", "mapping": {"meow": "#/$defs/Cat"}}
    });
    assert_eq!(
        types(&stub(), &schema),
        "CMParams; CMParams = Cat CMParamsCat if type=meow or Dog CMParamsDog if type=Dog; \
         CMParamsCat = {type: str}; CMParamsDog = {type: str}"
    );
}

#[test]
fn languages_with_less_get_less() {
    let mut stub = stub();
    stub.checks.clear();
    stub.declares.clear();
    stub.types.date_time = None;
    let node = json!({"properties": {"at": {"type": "string", "format": "date-time"}, "next": {"$ref": "#/$defs/n"}}});
    let schema = json!({"properties": {
        "n": {"$ref": "#/$defs/n"}, "m": {"$ref": "#/$defs/n"}, "u": {"type": ["string", "integer"]}, "e": {"enum": ["a"]}
    }, "$defs": {"n": node}});
    assert_eq!(
        types(&stub, &schema),
        "CMParams; CMParams = {n: opt<CMParamsN>, m: opt<CMParamsM>, u: opt<any>, e: opt<str>}; \
         CMParamsN = {at: opt<str>, next: opt<any>}; CMParamsM = {at: opt<str>, next: opt<any>}"
    );
}
