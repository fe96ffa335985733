//! From a JSON Schema to what a connector makes of it: a reduced schema to check values by, and types to declare.
//!
//! Owns which part of JSON Schema connectors understand; what they do not understand is any value. Names no language:
//! the spelling of types comes from a stub.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::name::{self, Case};

/// The deepest level that is described; below it, any value.
const MAX_DEPTH: usize = 12;
/// The most schema nodes of one reduced schema; beyond them, any value.
const MAX_NODES: usize = 2_000;
/// The longest enumeration that is checked.
const MAX_ENUM: usize = 64;

/// How a language spells types (`types` in `stub.json`); `{item}` stands for the inner type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeMap {
    /// Any JSON value.
    pub any: String,
    /// A boolean.
    pub boolean: String,
    /// An integer.
    pub integer: String,
    /// A number.
    pub number: String,
    /// A string.
    pub string: String,
    /// A list of `{item}`.
    pub array: String,
    /// An object whose members are all `{item}`.
    pub map: String,
    /// `{item}` or null.
    pub nullable: String,
    /// `{item}`, or the member is absent.
    pub optional: String,
}

/// Reduces a schema to the keywords that connectors check: `type`, `properties`, `required`, `items`,
/// `additionalProperties` and `enum`. Local references are followed; recursion and what is not understood become `{}`.
/// `description`s stay, for comments; see [`without_descriptions`].
pub fn reduce(schema: &Value) -> Value {
    Reducer { root: schema, active: Vec::new(), n_nodes: 0 }.reduce(schema, 0)
}

/// Removes the descriptions that [`reduce`] leaves.
pub fn without_descriptions(shape: &Value) -> Value {
    let Value::Object(members) = shape else { return shape.clone() };
    let mut out = Map::new();
    for (key, value) in members {
        let kept = match key.as_str() {
            "description" => continue,
            "properties" => match value {
                Value::Object(inner) => Value::Object(
                    inner.iter().map(|(name, shape)| (name.clone(), without_descriptions(shape))).collect(),
                ),
                other => other.clone(),
            },
            "items" | "additionalProperties" => without_descriptions(value),
            _ => value.clone(),
        };
        out.insert(key.clone(), kept);
    }
    Value::Object(out)
}

struct Reducer<'a> {
    root: &'a Value,
    active: Vec<&'a str>,
    n_nodes: usize,
}

impl<'a> Reducer<'a> {
    fn reduce(&mut self, schema: &'a Value, depth: usize) -> Value {
        self.n_nodes += 1;
        let Value::Object(members) = schema else { return json!({}) };
        if depth > MAX_DEPTH || self.n_nodes > MAX_NODES {
            return json!({});
        }
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            return self.follow(reference, depth);
        }
        if let Some(inner) = nullable_alternative(members) {
            let mut shape = self.reduce(inner, depth + 1);
            if let Some(types) = shape.get("type").map(type_names).filter(|types| !types.is_empty()) {
                let mut types: Vec<Value> = types.into_iter().map(Value::from).collect();
                types.push("null".into());
                shape["type"] = Value::Array(types);
                // An enumeration would exclude the null that the alternative allows.
                if let Some(Value::Array(allowed)) = shape.get_mut("enum") {
                    allowed.push(Value::Null);
                }
                return shape;
            }
            return json!({});
        }
        let mut out = Map::new();
        if let Some(text) = members.get("description").filter(|text| text.is_string()) {
            out.insert("description".to_owned(), text.clone());
        }
        let types = members.get("type").map(type_names).unwrap_or_default();
        if !types.is_empty() {
            out.insert("type".to_owned(), if types.len() == 1 { json!(types[0]) } else { json!(types) });
        }
        if types.contains(&"object") {
            self.reduce_object(members, depth, &mut out);
        }
        if types.contains(&"array")
            && !members.contains_key("prefixItems")
            && let Some(items) = members.get("items").filter(|items| items.is_object())
        {
            let items = self.reduce(items, depth + 1);
            out.insert("items".to_owned(), items);
        }
        let constant = members.get("const").map(|value| vec![value.clone()]);
        let allowed = constant.or_else(|| members.get("enum").and_then(Value::as_array).cloned());
        if let Some(allowed) = allowed
            && (1..=MAX_ENUM).contains(&allowed.len())
            && allowed.iter().all(|value| value.is_string() || value.is_boolean() || value.is_null())
        {
            out.insert("enum".to_owned(), Value::Array(allowed));
        }
        Value::Object(out)
    }

    fn follow(&mut self, reference: &'a str, depth: usize) -> Value {
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        match target {
            Some(target) if !self.active.contains(&reference) => {
                self.active.push(reference);
                let shape = self.reduce(target, depth + 1);
                self.active.pop();
                shape
            }
            _ => json!({}),
        }
    }

    fn reduce_object(&mut self, members: &'a Map<String, Value>, depth: usize, out: &mut Map<String, Value>) {
        if let Some(Value::Object(properties)) = members.get("properties") {
            let mut reduced = Map::new();
            for (name, schema) in properties {
                let shape = self.reduce(schema, depth + 1);
                reduced.insert(name.clone(), shape);
            }
            out.insert("properties".to_owned(), Value::Object(reduced));
        }
        if let Some(Value::Array(required)) = members.get("required") {
            let required: Vec<Value> = required.iter().filter(|name| name.is_string()).cloned().collect();
            out.insert("required".to_owned(), Value::Array(required));
        }
        // Patterned members would be mistaken for additional ones.
        if members.contains_key("patternProperties") {
            return;
        }
        match members.get("additionalProperties") {
            Some(Value::Bool(false)) => {
                out.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            Some(schema @ Value::Object(_)) => {
                let shape = self.reduce(schema, depth + 1);
                out.insert("additionalProperties".to_owned(), shape);
            }
            _ => {}
        }
    }
}

/// `anyOf` or `oneOf` of one schema and null.
fn nullable_alternative(members: &Map<String, Value>) -> Option<&Value> {
    let alternatives = members.get("anyOf").or_else(|| members.get("oneOf"))?.as_array()?;
    let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
    let others: Vec<&Value> = alternatives.iter().filter(|schema| !is_null(schema)).collect();
    (alternatives.len() == 2 && others.len() == 1).then(|| others[0])
}

/// The known names in a `type` keyword, in order, each once.
fn type_names(value: &Value) -> Vec<&'static str> {
    const KNOWN: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let named = |value: &Value| value.as_str().and_then(|text| KNOWN.into_iter().find(|known| *known == text));
    match value {
        Value::Array(all) => {
            let mut out: Vec<&str> = Vec::new();
            for name in all.iter().filter_map(named) {
                if !out.contains(&name) {
                    out.push(name);
                }
            }
            out
        }
        one => named(one).into_iter().collect(),
    }
}

/// A declared object type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// What it is, for a comment; raw.
    pub description: String,
    /// Its members, in the schema's order.
    pub fields: Vec<Field>,
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its name in JSON; raw.
    pub wire: String,
    /// Its identifier.
    pub name: String,
    /// Its type, with the optional one's wrapping.
    pub r#type: String,
    /// Its type without that wrapping.
    pub inner: String,
    /// It may be absent.
    pub optional: bool,
    /// What it is, for a comment; raw.
    pub description: String,
}

/// Collects the types of one connector.
pub struct Types<'a> {
    map: &'a TypeMap,
    type_case: Case,
    field_case: Case,
    reserved: &'a BTreeSet<String>,
    used: BTreeSet<String>,
    is_declarable: &'a dyn Fn(&str) -> bool,
    declared: BTreeMap<String, Declaration>,
}

impl<'a> Types<'a> {
    /// Starts without types. `is_declarable` tells whether a member's JSON name can stand in a declared type.
    pub fn new(
        map: &'a TypeMap,
        type_case: Case,
        field_case: Case,
        reserved: &'a BTreeSet<String>,
        is_declarable: &'a dyn Fn(&str) -> bool,
    ) -> Self {
        let used = reserved.clone();
        Self { map, type_case, field_case, reserved, used, is_declarable, declared: BTreeMap::new() }
    }

    /// Returns the spelling of a reduced schema's type, declaring object types on the way. `path` are the words from
    /// which a declared type gets its name.
    pub fn spell(&mut self, shape: &Value, path: &str) -> String {
        let mut types = shape.get("type").map(type_names).unwrap_or_default();
        let n_types = types.len();
        types.retain(|name| *name != "null");
        let is_nullable = types.len() < n_types;
        let [single] = types[..] else { return self.map.any.clone() };
        let inner = match single {
            "boolean" => self.map.boolean.clone(),
            "integer" => self.map.integer.clone(),
            "number" => self.map.number.clone(),
            "string" => self.map.string.clone(),
            "array" => {
                let item = match shape.get("items") {
                    Some(items) => self.spell(items, &format!("{path} item")),
                    None => self.map.any.clone(),
                };
                self.map.array.replace("{item}", &item)
            }
            _ => self.object(shape, path),
        };
        if is_nullable { self.map.nullable.replace("{item}", &inner) } else { inner }
    }

    /// Returns the members of an object schema that can be declared, their types declared; `None` if it cannot be.
    fn fields(&mut self, shape: &Value, path: &str) -> Option<Vec<Field>> {
        let properties = shape.get("properties")?.as_object().filter(|properties| !properties.is_empty())?;
        if shape.get("additionalProperties").is_some_and(Value::is_object)
            || !properties.keys().all(|name| (self.is_declarable)(name))
        {
            return None;
        }
        let required: BTreeSet<&str> =
            shape.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        // A required member without a schema cannot be declared, and an object without it cannot be sent.
        if required.iter().any(|name| !properties.contains_key(*name)) {
            return None;
        }
        let names = name::allocate(properties.keys().map(String::as_str), self.field_case, self.reserved);
        let mut fields = Vec::new();
        for (wire, member) in properties {
            let inner = self.spell(member, &format!("{path} {wire}"));
            let optional = !required.contains(wire.as_str());
            fields.push(Field {
                wire: wire.clone(),
                name: names[wire.as_str()].clone(),
                r#type: if optional { self.map.optional.replace("{item}", &inner) } else { inner.clone() },
                inner,
                optional,
                description: description(member),
            });
        }
        Some(fields)
    }

    /// Declares an object type and returns its name; `None` if it cannot be declared.
    pub fn declare(&mut self, shape: &Value, path: &str) -> Option<String> {
        let fields = self.fields(shape, path)?;
        let mut name = name::identifier(path, self.type_case);
        if self.used.contains(&name) {
            name = name::marked(&name, path);
        }
        self.used.insert(name.clone());
        let declaration = Declaration { name: name.clone(), description: description(shape), fields };
        self.declared.insert(name.clone(), declaration);
        Some(name)
    }

    /// Returns the members of a declared type; empty if there is no such type.
    pub fn fields_of(&self, name: &str) -> &[Field] {
        self.declared.get(name).map_or(&[], |declaration| &declaration.fields)
    }

    /// Returns all declared types, sorted by name.
    pub fn into_declarations(self) -> Vec<Declaration> {
        self.declared.into_values().collect()
    }

    fn object(&mut self, shape: &Value, path: &str) -> String {
        if let Some(name) = self.declare(shape, path) {
            return name;
        }
        let has_members = shape.get("properties").and_then(Value::as_object).is_some_and(|all| !all.is_empty());
        let item = match shape.get("additionalProperties").filter(|schema| schema.is_object() && !has_members) {
            Some(schema) => self.spell(schema, &format!("{path} value")),
            None => self.map.any.clone(),
        };
        self.map.map.replace("{item}", &item)
    }
}

fn description(shape: &Value) -> String {
    shape.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduces_to_what_is_checked() {
        let schema = json!({
            "type": "object", "title": "x", "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}},
            "properties": {
                "a": {"type": "string", "pattern": "x", "description": "d"}, "n": {"$ref": "#/$defs/n"},
                "m": {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "u": {"anyOf": [{"type": "integer"}, {"type": "string"}]}
            },
            "required": ["a"], "additionalProperties": false
        });
        assert_eq!(
            without_descriptions(&reduce(&schema)),
            json!({
                "type": "object",
                "properties": {
                    "a": {"type": "string"}, "n": {"type": "object", "properties": {"next": {}}},
                    "m": {"type": ["integer", "null"]}, "u": {}
                },
                "required": ["a"], "additionalProperties": false
            })
        );
    }

    #[test]
    fn bounds_schemas_that_multiply() {
        let mut definitions = Map::new();
        for level in 0..30 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            definitions.insert(
                format!("d{level}"),
                json!({"type": "object", "properties": {"a": next, "b": next, "c": next}}),
            );
        }
        let shape = reduce(&json!({"$ref": "#/$defs/d0", "$defs": definitions}));
        assert!(shape.to_string().len() < 200_000);
    }
}
