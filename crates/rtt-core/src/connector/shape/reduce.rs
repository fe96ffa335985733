//! A schema reduced to the keywords by which a connector checks values.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::leaf::{Leaf, Leaves};
use super::node::{Format, Kind, More, Node, Schemas};
use super::source::Source;

/// The deepest level that is described; below it, any value.
const MAX_DEPTH: usize = 12;
/// The most schema nodes of one reduced schema; beyond them, any value.
const MAX_NODES: usize = 2_000;
/// The longest enumeration that is checked.
pub(super) const MAX_ENUM: usize = 64;

/// A keyword beyond `type`, `properties`, `required`, `items`, `additionalProperties` and `enum` that a language's
/// checker understands (`checks` in `stub.json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keyword {
    /// Alternatives.
    #[serde(rename = "anyOf")]
    AnyOf,
    /// `#/$defs/<name>` at the root of the reduced schema.
    #[serde(rename = "$ref")]
    Reference,
    /// The first items, each with its own schema.
    #[serde(rename = "prefixItems")]
    PrefixItems,
    /// `date-time` and `byte`.
    #[serde(rename = "format")]
    Format,
}

/// Reduces a document to what connectors check. Local references are followed and `allOf` is brought together; what is not
/// understood becomes `{}`, and so does recursion where the checker knows no references.
pub fn reduce(source: &Source, keywords: &BTreeSet<Keyword>) -> Value {
    let mut reducer =
        Reducer { source, keywords, active: Vec::new(), shared: BTreeMap::new(), definitions: Map::new(), n_nodes: 0 };
    let mut shape = reducer.reduce(&source.whole(), 0);
    if !reducer.definitions.is_empty() {
        shape["$defs"] = Value::Object(reducer.definitions);
    }
    shape
}

struct Reducer<'s, 'v> {
    source: &'s Source<'v>,
    keywords: &'s BTreeSet<Keyword>,
    active: Vec<Schemas>,
    /// The names of the definitions that something refers to.
    shared: BTreeMap<Schemas, String>,
    definitions: Map<String, Value>,
    n_nodes: usize,
}

impl Reducer<'_, '_> {
    fn reduce(&mut self, schemas: &Schemas, depth: usize) -> Value {
        self.n_nodes += 1;
        let refer = |name: &String| json!({"$ref": format!("#/$defs/{name}")});
        if let Some(name) = self.shared.get(schemas) {
            return refer(name);
        }
        if self.active.contains(schemas) {
            if !self.keywords.contains(&Keyword::Reference) {
                return json!({});
            }
            let name = format!("d{}", self.shared.len());
            self.shared.insert(schemas.clone(), name.clone());
            return refer(&name);
        }
        if depth > MAX_DEPTH || self.n_nodes > MAX_NODES {
            return json!({});
        }
        let Some(leaves) = self.source.leaves(schemas) else { return json!({}) };
        self.active.push(schemas.clone());
        let shape = self.alternatives(&leaves, depth);
        self.active.pop();
        match self.shared.get(schemas) {
            Some(name) => {
                self.definitions.insert(name.clone(), shape);
                refer(name)
            }
            None => shape,
        }
    }

    fn alternatives(&mut self, leaves: &Leaves, depth: usize) -> Value {
        let shapes: Vec<Map<String, Value>> = leaves.all.iter().map(|leaf| self.leaf(leaf, depth)).collect();
        let kinds: BTreeSet<Kind> = leaves.all.iter().map(|leaf| leaf.kind).collect();
        let n_listed = shapes.iter().filter(|shape| shape.contains_key("enum")).count();
        let is_one_shape = kinds.len() == shapes.len() && (n_listed == 0 || n_listed == shapes.len());
        if !is_one_shape && self.keywords.contains(&Keyword::AnyOf) {
            let mut all: Vec<Value> = shapes.into_iter().map(Value::Object).collect();
            all.extend(leaves.is_nullable.then(|| json!({"type": "null"})));
            all.dedup();
            return if all.len() == 1 { all.remove(0) } else { json!({"anyOf": all}) };
        }
        let mut names: Vec<Value> = kinds.into_iter().map(|kind| kind.name().into()).collect();
        names.extend(leaves.is_nullable.then(|| "null".into()));
        let mut out = Map::new();
        out.insert("type".to_owned(), if names.len() == 1 { names.remove(0) } else { Value::Array(names) });
        if !is_one_shape {
            return Value::Object(out);
        }
        let mut allowed = Vec::new();
        for shape in shapes {
            for (key, value) in shape {
                match (key.as_str(), value) {
                    ("type", _) => {}
                    ("enum", Value::Array(values)) => allowed.extend(values),
                    (_, value) => {
                        out.insert(key, value);
                    }
                }
            }
        }
        if !allowed.is_empty() {
            allowed.extend(leaves.is_nullable.then_some(Value::Null));
            out.insert("enum".to_owned(), Value::Array(allowed));
        }
        Value::Object(out)
    }

    fn leaf(&mut self, leaf: &Leaf, depth: usize) -> Map<String, Value> {
        let node = self.source.node(&leaf.schemas);
        let mut out = Map::new();
        out.insert("type".to_owned(), leaf.kind.name().into());
        match leaf.kind {
            Kind::Object => self.object(&node, depth, &mut out),
            Kind::Array => self.array(&node, depth, &mut out),
            Kind::String => {
                if let Some(format) = node.format.filter(|_| self.keywords.contains(&Keyword::Format)) {
                    let name = if format == Format::DateTime { "date-time" } else { "byte" };
                    out.insert("format".to_owned(), name.into());
                }
            }
            _ => {}
        }
        if matches!(leaf.kind, Kind::String | Kind::Boolean)
            && let Some(allowed) = &node.allowed
        {
            let same_kind = |value: &Value| value.is_string() == (leaf.kind == Kind::String) && !value.is_null();
            let allowed: Vec<Value> = allowed.iter().filter(|value| same_kind(value)).cloned().collect();
            if allowed.len() <= MAX_ENUM && allowed.iter().all(|value| value.is_string() || value.is_boolean()) {
                out.insert("enum".to_owned(), Value::Array(allowed));
            }
        }
        out
    }

    fn object(&mut self, node: &Node, depth: usize, out: &mut Map<String, Value>) {
        if !node.properties.is_empty() {
            let members = node.properties.iter().map(|(name, schemas)| (name.clone(), self.reduce(schemas, depth + 1)));
            out.insert("properties".to_owned(), Value::Object(members.collect()));
        }
        if !node.required.is_empty() {
            out.insert("required".to_owned(), node.required.iter().cloned().collect());
        }
        match &node.more {
            More::Closed => {
                out.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            More::Of(schemas) => {
                let shape = self.reduce(schemas, depth + 1);
                out.insert("additionalProperties".to_owned(), shape);
            }
            More::Open | More::Patterns => {}
        }
    }

    fn array(&mut self, node: &Node, depth: usize, out: &mut Map<String, Value>) {
        if !node.prefix.is_empty() {
            // Without the first items, the others would be mistaken for all.
            if !self.keywords.contains(&Keyword::PrefixItems) {
                return;
            }
            let first = node.prefix.iter().map(|schemas| self.reduce(schemas, depth + 1)).collect();
            out.insert("prefixItems".to_owned(), Value::Array(first));
        }
        if let Some(schemas) = &node.items {
            let shape = self.reduce(schemas, depth + 1);
            out.insert("items".to_owned(), shape);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Keyword; 4] = [Keyword::AnyOf, Keyword::Reference, Keyword::PrefixItems, Keyword::Format];

    fn reduced(schema: Value, keywords: &[Keyword]) -> Value {
        reduce(&Source::new(&schema), &keywords.iter().copied().collect())
    }

    #[test]
    fn reduces_to_what_is_checked() {
        let schema = json!({
            "type": "object", "title": "x", "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}},
            "properties": {
                "a": {"type": "string", "pattern": "x", "description": "d"}, "n": {"$ref": "#/$defs/n"},
                "m": {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "u": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "e": {"enum": ["x", null]},
                "b": {"allOf": [{"properties": {"x": {"type": "string"}}}, {"properties": {"x": {"enum": ["y"]}}, "required": ["x"]}]}
            },
            "required": ["a"], "additionalProperties": false
        });
        assert_eq!(
            reduced(schema, &[]),
            json!({
                "type": "object",
                "properties": {
                    "a": {"type": "string"}, "n": {"type": "object", "properties": {"next": {}}},
                    "m": {"type": ["integer", "null"]}, "u": {"type": ["integer", "string"]},
                    "e": {"type": ["string", "null"], "enum": ["x", null]},
                    "b": {"type": "object", "properties": {"x": {"type": "string", "enum": ["y"]}}, "required": ["x"]}
                },
                "required": ["a"], "additionalProperties": false
            })
        );
    }

    #[test]
    fn keeps_more_where_the_checker_understands_it() {
        let schema = json!({
            "$defs": {"n": {"type": "object", "properties": {"next": {"$ref": "#/$defs/n"}}}},
            "properties": {
                "n": {"$ref": "#/$defs/n"}, "t": {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
                "u": {"oneOf": [{"type": "object", "required": ["x"]}, {"type": "object", "required": ["y"]}]},
                "d": {"type": "string", "format": "date-time"}
            }
        });
        assert_eq!(
            reduced(schema, &ALL),
            json!({
                "type": "object",
                "properties": {
                    "n": {"$ref": "#/$defs/d0"},
                    "t": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
                    "u": {"anyOf": [
                        {"type": "object", "properties": {"x": {}}, "required": ["x"]},
                        {"type": "object", "properties": {"y": {}}, "required": ["y"]}
                    ]},
                    "d": {"type": "string", "format": "date-time"}
                },
                "$defs": {"d0": {"type": "object", "properties": {"next": {"$ref": "#/$defs/d0"}}}}
            })
        );
    }

    #[test]
    fn alternatives_that_take_too_long_to_tell_apart_are_any_value() {
        let choice = |one: Value, other: Value| {
            let schema = json!({"$ref": "#/$defs/t", "$defs": {"t": {"anyOf": [one, other, {"type": "null"}]}}});
            reduced(schema, &ALL)
        };
        let object = |member: &str, schema: Value, required: &[&str]| {
            let properties = json!({"x": {"$ref": "#/$defs/t"}, (member): schema});
            json!({"type": "object", "properties": properties, "required": required})
        };
        let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
        let entangled = choice(object("a", text.clone(), &[]), object("b", number.clone(), &[]));
        assert_eq!(entangled, json!({}));
        let lists = choice(json!({"type": "array", "items": {"$ref": "#/$defs/t"}}), object("a", text.clone(), &[]));
        assert_eq!(lists["$defs"]["d0"]["type"], json!(["array", "object", "null"]), "{lists}");
        let in_a_list = json!({"type": "object", "additionalProperties": {"items": {"$ref": "#/$defs/t"}}});
        assert_eq!(choice(in_a_list, object("a", text.clone(), &[])), json!({}));
        // A member tells them apart, if both must have it.
        let tag = |name: &str| json!({"const": name});
        let tagged = choice(object("kind", tag("a"), &["kind"]), object("kind", tag("b"), &["kind"]));
        assert_eq!(tagged["$defs"]["d0"]["anyOf"].as_array().map(Vec::len), Some(3), "{tagged}");
        assert_eq!(choice(object("kind", tag("a"), &["kind"]), object("kind", tag("b"), &[])), json!({}));
        // Readers go by one string each.
        let listed = |values: Value| object("kind", json!({"enum": values}), &["kind"]);
        assert_eq!(choice(listed(json!(["a", "b"])), listed(json!(["c", "d"]))), json!({}));
        assert_eq!(choice(listed(json!([1])), listed(json!([2]))), json!({}));
        assert_eq!(choice(object("kind", tag("a"), &["kind"]), object("kind", tag("a"), &["kind"])), json!({}));
        // They lead back by different members.
        let by = |member: &str| json!({"type": "object", "properties": {(member): {"$ref": "#/$defs/t"}}, "required": [member]});
        let filters = choice(by("and"), by("not"));
        assert_eq!(filters["$defs"]["d0"]["anyOf"].as_array().map(Vec::len), Some(3), "{filters}");
    }

    #[test]
    fn circles_and_growth_end() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
            json!({"allOf": [{"$ref": "#"}], "oneOf": [{"$ref": "#"}, {"type": "string"}]}),
            json!({"anyOf": [{"anyOf": [{"$ref": "#"}, {"type": "integer"}]}, {"$ref": "#/anyOf/0"}]}),
            json!({"type": "array", "items": {"$ref": "#"}}),
        ] {
            for keywords in [&ALL[..], &[]] {
                assert!(reduced(schema.clone(), keywords).to_string().len() < 200, "{schema}");
            }
        }
        let mut definitions = Map::new();
        for level in 0..30 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            definitions.insert(
                format!("d{level}"),
                json!({"type": "object", "properties": {"a": next, "b": next, "c": next}}),
            );
        }
        let shape = reduced(json!({"$ref": "#/$defs/d0", "$defs": definitions}), &ALL);
        assert!(shape.to_string().len() < 200_000);
    }
}
