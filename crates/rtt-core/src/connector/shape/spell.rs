//! How a language spells types.

use std::collections::BTreeSet;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use serde::{Deserialize, Serialize};

use super::declare::{Body, Declaration, Field};

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
    /// A point in time, RFC 3339 in JSON; `None`: a string.
    #[serde(default)]
    pub date_time: Option<String>,
    /// Bytes, base64 in JSON; `None`: a string.
    #[serde(default)]
    pub bytes: Option<String>,
    /// A list of `{item}`.
    pub array: String,
    /// An object whose members are all `{item}`.
    pub map: String,
    /// A list of a fixed length with `{items}`, separated by commas; `None`: it is declared or, where it cannot be, a list.
    #[serde(default)]
    pub tuple: Option<String>,
    /// `{item}` or null.
    pub nullable: String,
    /// `{item}`, or the member is absent.
    pub optional: String,
    /// A use of the declared type `{item}` of a certain kind.
    #[serde(default = "itself")]
    pub enumeration: String,
    /// `{item}` where a type would otherwise contain itself; `None`: types are references.
    #[serde(default)]
    pub recursive: Option<String>,
    /// A nullable or optional value, and an alternative of a union, lies inside what holds it.
    #[serde(default)]
    pub holds_by_value: bool,
}

fn itself() -> String {
    "{item}".to_owned()
}

/// A construct for which a language has declared types (`declares` in `stub.json`); objects are always declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Construct {
    /// A choice of strings.
    Enumeration,
    /// One of several types.
    Union,
    /// A list of a fixed length, each item of its own type.
    Tuple,
}

/// A type, independent of any language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Any JSON value.
    Any,
    /// A boolean.
    Boolean,
    /// An integer.
    Integer,
    /// A number.
    Number,
    /// A string.
    String,
    /// A point in time.
    DateTime,
    /// Bytes.
    Bytes,
    /// A list of such items.
    Array(Box<Type>),
    /// An object whose members are such values.
    Map(Box<Type>),
    /// A list of exactly these items.
    Tuple(Vec<Type>),
    /// Such a value or null.
    Nullable(Box<Type>),
    /// Index of a declaration.
    Declared(usize),
}

/// Spells the types of one connector, all of whose declarations are known.
pub struct Speller<'a> {
    map: &'a TypeMap,
    declarations: &'a [Declaration],
    /// For each declaration, those that would contain it if it contained them.
    circles: Vec<BTreeSet<usize>>,
}

impl<'a> Speller<'a> {
    /// Finds the declarations that would contain themselves.
    pub fn new(map: &'a TypeMap, declarations: &'a [Declaration]) -> Self {
        let mut graph = DiGraphMap::<usize, ()>::new();
        for (index, declaration) in declarations.iter().enumerate() {
            graph.add_node(index);
            let mut held = Vec::new();
            match &declaration.body {
                Body::Object(fields) => fields
                    .iter()
                    .filter(|field| map.holds_by_value || !field.optional)
                    .for_each(|field| contained(map, &field.r#type, &mut held)),
                Body::Tuple(items) => items.iter().for_each(|item| contained(map, &item.r#type, &mut held)),
                Body::Union(variants) if map.holds_by_value => {
                    variants.iter().for_each(|variant| contained(map, &variant.r#type, &mut held));
                }
                Body::Same(same) => contained(map, same, &mut held),
                Body::Union(_) | Body::Enumeration(_) => {}
            }
            held.into_iter().for_each(|other| {
                graph.add_edge(index, other, ());
            });
        }
        let mut circles = vec![BTreeSet::new(); declarations.len()];
        for circle in tarjan_scc(&graph) {
            if circle.len() > 1 || graph.contains_edge(circle[0], circle[0]) {
                let members: BTreeSet<usize> = circle.iter().copied().collect();
                circle.iter().for_each(|index| circles[*index].clone_from(&members));
            }
        }
        Self { map, declarations, circles }
    }

    /// Returns the spelling of a member's type, if the member is there. `index` is that of the declaration it belongs to.
    pub fn spell_member(&self, field: &Field, index: usize) -> String {
        if field.optional { self.spell_held(&field.r#type, index) } else { self.spell(&field.r#type, Some(index)) }
    }

    /// Returns the spelling of a type behind something that the declaration with the index holds: by value, or not.
    pub fn spell_held(&self, r#type: &Type, index: usize) -> String {
        self.spell(r#type, self.map.holds_by_value.then_some(index))
    }

    /// Returns the spelling of a member that may be absent.
    pub fn optional(&self, inner: &str) -> String {
        self.map.optional.replace("{item}", inner)
    }

    /// Returns the spelling of a type that stands in the declaration with the index, if any.
    pub fn spell(&self, r#type: &Type, inside: Option<usize>) -> String {
        let map = self.map;
        let around = |pattern: &str, item: String| pattern.replace("{item}", &item);
        match r#type {
            Type::Any => map.any.clone(),
            Type::Boolean => map.boolean.clone(),
            Type::Integer => map.integer.clone(),
            Type::Number => map.number.clone(),
            Type::String => map.string.clone(),
            Type::DateTime => map.date_time.as_ref().unwrap_or(&map.string).clone(),
            Type::Bytes => map.bytes.as_ref().unwrap_or(&map.string).clone(),
            Type::Array(item) => around(&map.array, self.spell(item, None)),
            Type::Map(item) => around(&map.map, self.spell(item, None)),
            Type::Tuple(items) => {
                let items: Vec<String> = items.iter().map(|item| self.spell(item, inside)).collect();
                map.tuple.as_ref().map_or_else(|| map.any.clone(), |tuple| tuple.replace("{items}", &items.join(", ")))
            }
            Type::Nullable(item) if **item == Type::Any => map.any.clone(),
            Type::Nullable(item) => around(&map.nullable, self.spell(item, inside.filter(|_| map.holds_by_value))),
            Type::Declared(index) => {
                let declaration = &self.declarations[*index];
                match &declaration.body {
                    Body::Same(same) => return self.spell(same, inside),
                    Body::Enumeration(_) => return around(&map.enumeration, declaration.name.clone()),
                    _ => {}
                }
                match &map.recursive {
                    Some(pattern) if inside.is_some_and(|outer| self.circles[outer].contains(index)) => {
                        around(pattern, declaration.name.clone())
                    }
                    _ => declaration.name.clone(),
                }
            }
        }
    }
}

/// Collects the declarations that a type contains, not only refers to.
fn contained(map: &TypeMap, r#type: &Type, out: &mut Vec<usize>) {
    match r#type {
        Type::Declared(index) => out.push(*index),
        Type::Nullable(item) if map.holds_by_value => contained(map, item, out),
        Type::Tuple(items) => items.iter().for_each(|item| contained(map, item, out)),
        _ => {}
    }
}
