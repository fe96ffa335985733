//! What one schema says of a value, with references, `allOf` and repeated keywords brought together.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::source::Source;
use crate::json::push_token;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    /// Returns its name in `type`.
    pub(super) fn name(self) -> &'static str {
        ["null", "boolean", "integer", "number", "string", "array", "object"][self as usize]
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

/// A schema of the document, by its pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    pointer: String,
    /// Which of `anyOf` and `oneOf` have been chosen from and say no more.
    chosen: [bool; 2],
}

const CHOICES: [&str; 2] = ["anyOf", "oneOf"];

/// Schemas of one document that a value must meet all of; none: any value. Equal ones are the same schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Schemas(Rc<[Part]>);

impl Schemas {
    /// Returns the name of the definition that this is, if it is one alone.
    pub(super) fn definition(&self) -> Option<String> {
        let [part] = &*self.0 else { return None };
        let (folder, name) = part.pointer.rsplit_once('/')?;
        (folder.ends_with("/$defs") || folder.ends_with("/definitions"))
            .then(|| name.replace("~1", "/").replace("~0", "~"))
    }
}

/// What the members of an object that no property names are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum More {
    /// Anything.
    Open,
    /// There are none.
    Closed,
    /// Values of this schema.
    Of(Schemas),
    /// It depends on their names.
    Patterns,
}

/// A string of a known format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `date-time`: RFC 3339.
    DateTime,
    /// `byte`, or `contentEncoding: base64`: RFC 4648.
    Bytes,
}

/// One schema, read.
#[derive(Debug)]
pub(super) struct Node {
    /// The kinds that it allows.
    pub(super) kinds: BTreeSet<Kind>,
    /// The values that it allows, if it lists them.
    pub(super) allowed: Option<Vec<Value>>,
    /// The format of strings.
    pub(super) format: Option<Format>,
    /// Named members, in the schema's order.
    pub(super) properties: Vec<(String, Schemas)>,
    /// Members that must be there.
    pub(super) required: BTreeSet<String>,
    /// Other members.
    pub(super) more: More,
    /// The first items, each with its own schema.
    pub(super) prefix: Vec<Schemas>,
    /// The items after these.
    pub(super) items: Option<Schemas>,
    /// An array has exactly the items of `prefix`.
    pub(super) has_fixed_length: bool,
    /// The value meets one of these, which hold the rest of the schema too; empty: there is no choice.
    pub(super) choice: Vec<Schemas>,
    /// The member that tells alternatives apart, and the values that stand for definitions (OpenAPI's `discriminator`).
    pub(super) discriminator: Option<(String, BTreeMap<String, String>)>,
    /// What it is, for a comment; raw.
    pub(super) description: String,
}

impl<'v> Source<'v> {
    /// Returns the whole document's schema.
    pub(super) fn whole(&self) -> Schemas {
        self.schemas([String::new()])
    }

    /// Brings the schemas at some pointers together.
    fn schemas(&self, pointers: impl IntoIterator<Item = String>) -> Schemas {
        self.canonical(pointers.into_iter().map(|pointer| Part { pointer, chosen: [false; 2] }))
    }

    /// Replaces what only refers by what it refers to, and drops what says nothing.
    fn canonical(&self, parts: impl IntoIterator<Item = Part>) -> Schemas {
        let mut out = BTreeSet::new();
        let mut silent = BTreeSet::new();
        for mut part in parts {
            let mut passed = BTreeSet::new();
            let mut is_circle = false;
            while let Some(target) = self.only_target(&part).filter(|_| !is_circle) {
                passed.insert(part.pointer);
                is_circle = passed.contains(&target);
                part = Part { pointer: target, chosen: [false; 2] };
            }
            // A circle of references says nothing.
            if !is_circle {
                if self.keywords(&part).next().is_some() { &mut out } else { &mut silent }.insert(part);
            }
        }
        // Of what says nothing more, it must be known that it has been chosen from, if another one may lead there again.
        let leads = |part: &Part| self.keywords(part).any(|(key, _)| matches!(key, "$ref" | "$dynamicRef" | "allOf"));
        if out.iter().any(leads) {
            out.extend(silent.into_iter().filter(|part| part.chosen.contains(&true)));
        }
        Schemas(out.into_iter().collect())
    }

    fn only_target(&self, part: &Part) -> Option<String> {
        let mut keywords = self.keywords(part);
        let (key, value) = keywords.next()?;
        if keywords.next().is_some() {
            return None;
        }
        match (key, value) {
            ("$ref" | "$dynamicRef", Value::String(reference)) => self.follow(&part.pointer, reference),
            ("allOf", Value::Array(all)) if all.len() == 1 => Some(format!("{}/allOf/0", part.pointer)),
            _ => None,
        }
    }

    /// The keywords of a schema from which shapes follow, with what they say.
    fn keywords(&self, part: &Part) -> impl Iterator<Item = (&'v str, &'v Value)> {
        const UNDERSTOOD: [&str; 19] = [
            "$ref",
            "$dynamicRef",
            "allOf",
            "anyOf",
            "oneOf",
            "type",
            "enum",
            "const",
            "format",
            "contentEncoding",
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "items",
            "prefixItems",
            "additionalItems",
            "minItems",
            "maxItems",
        ];
        let members = self.get(&part.pointer).and_then(Value::as_object);
        let chosen = part.chosen;
        members
            .into_iter()
            .flatten()
            .filter(move |(key, _)| UNDERSTOOD.contains(&key.as_str()))
            .filter(move |(key, value)| match CHOICES.iter().position(|choice| choice == key) {
                Some(index) => !chosen[index] && is_described(value),
                None => true,
            })
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Reads what some schemas say together.
    pub(super) fn node(&self, schemas: &Schemas) -> Rc<Node> {
        if let Some(node) = self.nodes.borrow().get(schemas) {
            return Rc::clone(node);
        }
        let node = Rc::new(self.read(schemas));
        self.nodes.borrow_mut().insert(schemas.clone(), Rc::clone(&node));
        node
    }

    fn read(&self, schemas: &Schemas) -> Node {
        let mut parts: Vec<Part> = schemas.0.to_vec();
        let mut next = 0;
        while let Some(part) = parts.get(next).cloned() {
            next += 1;
            for (key, value) in self.keywords(&part) {
                let further: Vec<String> = match (key, value) {
                    ("$ref" | "$dynamicRef", Value::String(reference)) => {
                        self.follow(&part.pointer, reference).into_iter().collect()
                    }
                    ("allOf", Value::Array(all)) => {
                        (0..all.len()).map(|at| format!("{}/allOf/{at}", part.pointer)).collect()
                    }
                    _ => continue,
                };
                for pointer in further {
                    // What has been chosen from before stays so.
                    if !parts.iter().any(|known| known.pointer == pointer) {
                        parts.push(Part { pointer, chosen: [false; 2] });
                    }
                }
            }
        }
        Gathering::new(self).gather(&parts)
    }
}

/// Tells whether one of the alternatives says what a value looks like, not only which members it must have.
fn is_described(alternatives: &Value) -> bool {
    const DESCRIBING: [&str; 10] =
        ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "type", "enum", "const", "properties", "items"];
    let all = alternatives.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().any(|schema| DESCRIBING.iter().any(|key| schema.get(key).is_some()))
}

/// Collects the keywords of several schemas.
struct Gathering<'s, 'v> {
    source: &'s Source<'v>,
    kinds: BTreeSet<Kind>,
    is_typed: bool,
    properties: Vec<(String, Vec<String>)>,
    additional: Vec<String>,
    patterns: Vec<String>,
    items: Vec<String>,
    prefix: Vec<Vec<String>>,
    least: u64,
    most: Option<u64>,
    node: Node,
}

impl<'s, 'v> Gathering<'s, 'v> {
    fn new(source: &'s Source<'v>) -> Self {
        Self {
            source,
            kinds: Kind::ALL.into(),
            is_typed: false,
            properties: Vec::new(),
            additional: Vec::new(),
            patterns: Vec::new(),
            items: Vec::new(),
            prefix: Vec::new(),
            least: 0,
            most: None,
            node: Node {
                kinds: BTreeSet::new(),
                allowed: None,
                format: None,
                properties: Vec::new(),
                required: BTreeSet::new(),
                more: More::Open,
                prefix: Vec::new(),
                items: None,
                has_fixed_length: false,
                choice: Vec::new(),
                discriminator: None,
                description: String::new(),
            },
        }
    }

    fn gather(mut self, parts: &[Part]) -> Node {
        for part in parts {
            if let Some(members) = self.source.get(&part.pointer).and_then(Value::as_object) {
                self.read(&part.pointer, members);
            }
        }
        self.node.choice = self.choice(parts);
        self.infer();
        let source = self.source;
        let together = |pointers: Vec<String>| source.schemas(pointers);
        let mut node = self.node;
        node.more = match (node.more, self.patterns.len(), self.additional.is_empty()) {
            (More::Closed, 0, _) => More::Closed,
            // All members meet the one pattern, or there are none.
            (More::Closed, 1, _) if self.properties.is_empty() => More::Of(together(self.patterns)),
            (_, 0, true) => More::Open,
            (_, 0, false) => More::Of(together(self.additional)),
            (_, 1, true) if self.properties.is_empty() && meets_all(&self.patterns[0]) => {
                More::Of(together(self.patterns))
            }
            _ => More::Patterns,
        };
        for name in &node.required {
            if !self.properties.iter().any(|(known, _)| known == name) {
                let described = match &node.more {
                    More::Of(schemas) => schemas.clone(),
                    _ => Schemas([].into()),
                };
                node.properties.push((name.clone(), described));
            }
        }
        let named = self.properties.into_iter().map(|(name, pointers)| (name, source.schemas(pointers)));
        node.properties.splice(0..0, named);
        node.has_fixed_length = !self.prefix.is_empty()
            && self.least >= self.prefix.len() as u64
            && self.most == Some(self.prefix.len() as u64);
        node.prefix = self.prefix.into_iter().map(|pointers| source.schemas(pointers)).collect();
        node.items = (!self.items.is_empty()).then(|| source.schemas(self.items));
        node.kinds = self.kinds;
        node
    }

    fn read(&mut self, at: &str, members: &'v Map<String, Value>) {
        let below = |keyword: &str| format!("{at}/{keyword}");
        for (key, value) in members {
            match (key.as_str(), value) {
                ("description", Value::String(text)) if self.node.description.is_empty() => {
                    self.node.description.clone_from(text);
                }
                ("type", value) => self.read_type(value),
                ("nullable", Value::Bool(true)) if members.contains_key("type") => {
                    self.kinds.insert(Kind::Null);
                }
                ("enum", Value::Array(values)) => self.restrict(values),
                ("const", value) => self.restrict(std::slice::from_ref(value)),
                ("format", Value::String(name)) => match name.as_str() {
                    "date-time" => self.node.format = Some(Format::DateTime),
                    "byte" => self.node.format = Some(Format::Bytes),
                    _ => {}
                },
                ("contentEncoding", Value::String(name)) if name == "base64" => self.node.format = Some(Format::Bytes),
                ("properties", Value::Object(properties)) => {
                    for name in properties.keys() {
                        let pointer = push_token(&below(key), name);
                        match self.properties.iter_mut().find(|(known, _)| known == name) {
                            Some((_, pointers)) => pointers.push(pointer),
                            None => self.properties.push((name.clone(), vec![pointer])),
                        }
                    }
                }
                ("required", Value::Array(names)) => {
                    self.node.required.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                ("additionalProperties", Value::Bool(false)) => self.node.more = More::Closed,
                ("additionalProperties", Value::Object(_)) => self.additional.push(below(key)),
                ("patternProperties", Value::Object(patterns)) => {
                    self.patterns.extend(patterns.keys().map(|pattern| push_token(&below(key), pattern)));
                }
                ("items", Value::Object(_)) => self.items.push(below(key)),
                ("items" | "additionalItems", Value::Bool(false)) => self.limit(self.prefix_of(members)),
                ("prefixItems" | "items", Value::Array(items)) => {
                    for index in 0..items.len() {
                        if self.prefix.len() == index {
                            self.prefix.push(Vec::new());
                        }
                        self.prefix[index].push(format!("{at}/{key}/{index}"));
                    }
                }
                ("minItems", Value::Number(number)) => self.least = self.least.max(number.as_u64().unwrap_or(0)),
                ("maxItems", Value::Number(number)) => self.limit(number.as_u64()),
                ("discriminator", Value::Object(discriminator)) => {
                    if let Some(name) = discriminator.get("propertyName").and_then(Value::as_str) {
                        let mapping = discriminator.get("mapping").and_then(Value::as_object);
                        let definitions = mapping.into_iter().flatten().filter_map(|(value, target)| {
                            let target = target.as_str()?;
                            Some((target.rsplit('/').next().unwrap_or(target).to_owned(), value.clone()))
                        });
                        self.node.discriminator = Some((name.to_owned(), definitions.collect()));
                    }
                }
                _ => {}
            }
        }
    }

    fn prefix_of(&self, members: &Map<String, Value>) -> Option<u64> {
        let listed = members.get("prefixItems").or_else(|| members.get("items").filter(|items| items.is_array()));
        Some(listed.and_then(Value::as_array).map_or(0, Vec::len) as u64)
    }

    fn limit(&mut self, most: Option<u64>) {
        self.most = match (self.most, most) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    fn read_type(&mut self, value: &Value) {
        let names = match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect::<Vec<_>>(),
        };
        let mut named: BTreeSet<Kind> = names.into_iter().filter_map(Kind::of_name).collect();
        if named.is_empty() {
            return;
        }
        if named.contains(&Kind::Number) {
            named.insert(Kind::Integer);
        }
        self.is_typed = true;
        self.kinds.retain(|kind| named.contains(kind));
    }

    fn restrict(&mut self, values: &[Value]) {
        match &mut self.node.allowed {
            Some(allowed) => allowed.retain(|value| values.contains(value)),
            None => self.node.allowed = Some(values.to_vec()),
        }
    }

    /// A schema that describes members means objects, even where it does not say so, and likewise for items.
    fn infer(&mut self) {
        if let Some(allowed) = &mut self.node.allowed {
            let kinds = &self.kinds;
            allowed.retain(|value| kinds.contains(&Kind::of_value(value)));
            self.kinds = allowed.iter().map(Kind::of_value).collect();
            return;
        }
        if self.is_typed || !self.node.choice.is_empty() {
            return;
        }
        if !self.properties.is_empty() {
            self.kinds = [Kind::Object].into();
        } else if !self.items.is_empty() || !self.prefix.is_empty() {
            self.kinds = [Kind::Array].into();
        }
    }

    /// The alternatives of the first choice, each together with everything else.
    fn choice(&self, parts: &[Part]) -> Vec<Schemas> {
        for (index, part) in parts.iter().enumerate() {
            for (which, keyword) in CHOICES.into_iter().enumerate() {
                let alternatives = self.source.keywords(part).find(|(key, _)| *key == keyword);
                let Some(alternatives) = alternatives.and_then(|(_, value)| value.as_array()) else { continue };
                let mut rest = parts.to_vec();
                rest[index].chosen[which] = true;
                return (0..alternatives.len())
                    .map(|at| Part { pointer: format!("{}/{keyword}/{at}", part.pointer), chosen: [false; 2] })
                    .map(|alternative| self.source.canonical(rest.iter().cloned().chain([alternative])))
                    .collect();
            }
        }
        Vec::new()
    }
}

/// Tells whether a pointer into `patternProperties` ends in a pattern that every name meets.
fn meets_all(pointer: &str) -> bool {
    matches!(pointer.rsplit('/').next(), Some("" | ".*" | "^.*$" | "^.*" | ".*$"))
}
