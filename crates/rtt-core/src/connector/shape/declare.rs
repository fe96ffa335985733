//! The types that a connector declares.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::leaf::Leaf;
use super::node::{Format, Kind, More, Node, Schemas};
use super::reduce::{Keyword, MAX_ENUM};
use super::source::Source;
use super::spell::{Construct, Type};
use crate::connector::name::{self, Case};
use crate::connector::stub::Stub;

/// The deepest level whose types are declared; below it, any value.
const MAX_DEPTH: usize = 24;
/// The most schema nodes from which the types of one document are made; beyond them, any value.
const MAX_NODES: usize = 4_000;

/// A declared type.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// What it is, for a comment; raw.
    pub description: String,
    /// What it is.
    pub body: Body,
}

/// What a declared type is.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// An object with members, in the schema's order.
    Object(Vec<Field>),
    /// One of some strings: JSON's, and its identifier.
    Enumeration(Vec<(String, String)>),
    /// One of some types, in the order in which a value is tried.
    Union(Vec<Variant>),
    /// A list of a fixed length.
    Tuple(Vec<Field>),
    /// Nothing of its own: it turned out to be this type.
    Same(Type),
}

/// One member of an object or item of a tuple.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name in JSON; raw.
    pub wire: String,
    /// Its identifier.
    pub name: String,
    /// Its type if it is there.
    pub r#type: Type,
    /// It may be absent.
    pub optional: bool,
    /// What it is, for a comment; raw.
    pub description: String,
}

/// One alternative of a union.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its identifier.
    pub name: String,
    /// Its type.
    pub r#type: Type,
    /// The member, and its value, by which objects of this alternative are told apart; raw.
    pub tag: Option<(String, String)>,
}

/// Collects the types of one connector.
pub struct Types<'a> {
    prefix: &'a str,
    stub: &'a Stub,
    is_declarable: &'a dyn Fn(&str) -> bool,
    used: BTreeSet<String>,
    declarations: Vec<Declaration>,
}

impl<'a> Types<'a> {
    /// Starts without types. Their names begin with `prefix`, the client's; `is_declarable` tells whether a member's JSON
    /// name can stand in a declared type.
    pub fn new(stub: &'a Stub, prefix: &'a str, is_declarable: &'a dyn Fn(&str) -> bool) -> Self {
        Self { prefix, stub, is_declarable, used: stub.reserved.clone(), declarations: Vec::new() }
    }

    /// Returns the type of a document's values, declaring what it needs. `path` are the words from which declared types
    /// get their names.
    pub fn read(&mut self, source: &Source, path: &str) -> Type {
        let mut reader =
            Reader { types: self, source, base: path, known: BTreeMap::new(), active: Vec::new(), n_nodes: 0 };
        reader.r#type(&source.whole(), path, 0)
    }

    /// Returns the declarations in the order of their indices.
    pub fn into_declarations(self) -> Vec<Declaration> {
        self.declarations
    }

    fn new_name(&mut self, path: &str) -> String {
        let case = self.stub.names.r#type;
        let glue = if case == Case::Pascal { "" } else { "_" };
        let mut name = format!("{}{glue}{}", self.prefix, name::identifier(path, case));
        let mut attempt = path.to_owned();
        while !self.used.insert(name.clone()) {
            name = name::marked(&name, &attempt);
            attempt.push('\'');
        }
        name
    }
}

/// Reads the types of one document.
struct Reader<'t, 'a, 's, 'v> {
    types: &'t mut Types<'a>,
    source: &'s Source<'v>,
    base: &'s str,
    /// What has been declared, so that it is declared once and may refer to itself.
    known: BTreeMap<Vec<Leaf>, usize>,
    /// Lists and maps that are being read: they have no names by which they could refer to themselves.
    active: Vec<Leaf>,
    n_nodes: usize,
}

/// One of the types that a schema leaves.
enum Alternative {
    Simple(Type),
    /// One of some strings.
    Listed(Vec<Leaf>, Vec<String>),
    /// An object or a list.
    Compound(Leaf),
}

impl Reader<'_, '_, '_, '_> {
    fn r#type(&mut self, schemas: &Schemas, path: &str, depth: usize) -> Type {
        self.n_nodes += 1;
        if depth > MAX_DEPTH || self.n_nodes > MAX_NODES {
            return Type::Any;
        }
        let Some(leaves) = self.source.leaves(schemas) else { return Type::Any };
        let path = self.path(schemas, path);
        let mut alternatives = self.alternatives(&leaves.all);
        let found = match alternatives.len() {
            0 => return Type::Any,
            1 => self.alternative(alternatives.remove(0), &path, depth),
            _ if self.types.stub.declares.contains(&Construct::Union) => {
                self.union(leaves.all, alternatives, schemas, &path, depth)
            }
            _ => Type::Any,
        };
        if leaves.is_nullable && found != Type::Any { Type::Nullable(Box::new(found)) } else { found }
    }

    /// Brings together what one type can hold: any string takes in all strings, listed ones make one list.
    fn alternatives(&self, leaves: &[Leaf]) -> Vec<Alternative> {
        let mut simple: Vec<Type> = Vec::new();
        let mut out: Vec<Alternative> = Vec::new();
        for leaf in leaves {
            let r#type = match leaf.kind {
                Kind::Boolean => Type::Boolean,
                Kind::Integer => Type::Integer,
                Kind::Number => Type::Number,
                Kind::String => match self.listed(leaf) {
                    Some(values) => {
                        let earlier = out.iter_mut().find_map(|other| match other {
                            Alternative::Listed(leaves, all) => Some((leaves, all)),
                            _ => None,
                        });
                        match earlier {
                            Some((leaves, all)) => {
                                leaves.push(leaf.clone());
                                all.extend(values.into_iter().filter(|value| !all.contains(value)).collect::<Vec<_>>());
                            }
                            None => out.push(Alternative::Listed(vec![leaf.clone()], values)),
                        }
                        continue;
                    }
                    None => self.string(leaf),
                },
                _ => {
                    out.push(Alternative::Compound(leaf.clone()));
                    continue;
                }
            };
            if !simple.contains(&r#type) {
                simple.push(r#type.clone());
                out.push(Alternative::Simple(r#type));
            }
        }
        if simple.contains(&Type::String) {
            out.retain(|one| {
                !matches!(one, Alternative::Listed(..) | Alternative::Simple(Type::DateTime | Type::Bytes))
            });
        }
        out
    }

    /// The words of a type's name: a definition's own, or those of the place.
    fn path(&self, schemas: &Schemas, place: &str) -> String {
        match schemas.definition().filter(|_| self.shares()) {
            Some(name) => format!("{} {name}", self.base),
            None => place.to_owned(),
        }
    }

    /// A declared type may be used in several places, also inside itself. Where the checker of values cannot follow that,
    /// each place has its own type, and inside itself it is any value.
    fn shares(&self) -> bool {
        self.types.stub.checks.contains(&Keyword::Reference)
    }

    fn string(&self, leaf: &Leaf) -> Type {
        let map = &self.types.stub.types;
        match self.source.node(&leaf.schemas).format {
            Some(Format::DateTime) if map.date_time.is_some() => Type::DateTime,
            Some(Format::Bytes) if map.bytes.is_some() => Type::Bytes,
            _ => Type::String,
        }
    }

    /// The strings that a leaf lists, if they are to be declared.
    fn listed(&self, leaf: &Leaf) -> Option<Vec<String>> {
        let node = self.source.node(&leaf.schemas);
        let allowed = node.allowed.as_ref()?;
        let mut values: Vec<String> = Vec::new();
        for value in allowed.iter().filter_map(Value::as_str) {
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
        }
        let is_declared = self.types.stub.declares.contains(&Construct::Enumeration);
        (is_declared && (1..=MAX_ENUM).contains(&values.len())).then_some(values)
    }

    fn alternative(&mut self, alternative: Alternative, path: &str, depth: usize) -> Type {
        match alternative {
            Alternative::Simple(r#type) => r#type,
            Alternative::Listed(leaves, values) => self.enumeration(leaves, values, path),
            Alternative::Compound(leaf) => {
                let node = self.source.node(&leaf.schemas);
                if leaf.kind == Kind::Object {
                    self.object(leaf, &node, path, depth)
                } else {
                    self.list(leaf, &node, path, depth)
                }
            }
        }
    }

    fn enumeration(&mut self, leaves: Vec<Leaf>, values: Vec<String>, path: &str) -> Type {
        if let Some(found) = self.earlier(&leaves) {
            return found;
        }
        let description = self.source.node(&leaves[0].schemas).description.clone();
        let index = self.announce(leaves, description, path);
        let stub = self.types.stub;
        let names = name::allocate(values.iter().map(String::as_str), stub.names.value, &stub.reserved);
        let values = values.iter().map(|value| (value.clone(), names[value.as_str()].clone())).collect();
        self.types.declarations[index].body = Body::Enumeration(values);
        Type::Declared(index)
    }

    fn object(&mut self, leaf: Leaf, node: &Node, path: &str, depth: usize) -> Type {
        let is_declared = (1..=self.types.stub.max_members.unwrap_or(usize::MAX)).contains(&node.properties.len())
            && matches!(node.more, More::Open | More::Closed)
            && node.properties.iter().all(|(name, _)| (self.types.is_declarable)(name));
        if !is_declared {
            let item = match &node.more {
                More::Of(schemas) if node.properties.is_empty() => {
                    self.inner(&leaf, schemas, &format!("{path} value"), depth)
                }
                _ => Type::Any,
            };
            return Type::Map(Box::new(item));
        }
        let key = vec![leaf];
        if let Some(found) = self.earlier(&key) {
            return found;
        }
        let index = self.announce(key, node.description.clone(), path);
        let names: Vec<&str> = node.properties.iter().map(|(name, _)| name.as_str()).collect();
        let identifiers = self.field_names(index, &names);
        let fields = node.properties.iter().map(|(wire, schemas)| Field {
            wire: wire.clone(),
            name: identifiers[wire.as_str()].clone(),
            r#type: self.r#type(schemas, &format!("{path} {wire}"), depth + 1),
            optional: !node.required.contains(wire),
            description: self.source.node(schemas).description.clone(),
        });
        self.types.declarations[index].body = Body::Object(fields.collect());
        Type::Declared(index)
    }

    fn list(&mut self, leaf: Leaf, node: &Node, path: &str, depth: usize) -> Type {
        if node.prefix.is_empty() {
            let item = match &node.items {
                Some(schemas) => self.inner(&leaf, schemas, &format!("{path} item"), depth),
                None => Type::Any,
            };
            return Type::Array(Box::new(item));
        }
        let is_declared = self.types.stub.declares.contains(&Construct::Tuple);
        if !node.has_fixed_length || !(is_declared || self.types.stub.types.tuple.is_some()) {
            return Type::Array(Box::new(Type::Any));
        }
        let place = |at: usize| format!("item {at}");
        if !is_declared {
            let item = |(at, schemas)| self.inner(&leaf, schemas, &format!("{path} {}", place(at)), depth);
            return Type::Tuple(node.prefix.iter().enumerate().map(item).collect());
        }
        let key = vec![leaf];
        if let Some(found) = self.earlier(&key) {
            return found;
        }
        let index = self.announce(key, node.description.clone(), path);
        let places: Vec<String> = (0..node.prefix.len()).map(place).collect();
        let identifiers = self.field_names(index, &places.iter().map(String::as_str).collect::<Vec<_>>());
        let items = node.prefix.iter().zip(&places).map(|(schemas, place)| Field {
            wire: place.clone(),
            name: identifiers[place.as_str()].clone(),
            r#type: self.r#type(schemas, &format!("{path} {place}"), depth + 1),
            optional: false,
            description: self.source.node(schemas).description.clone(),
        });
        self.types.declarations[index].body = Body::Tuple(items.collect());
        Type::Declared(index)
    }

    /// The type of what a list or map holds; any value where it would hold itself.
    fn inner(&mut self, outer: &Leaf, schemas: &Schemas, path: &str, depth: usize) -> Type {
        if self.active.contains(outer) {
            return Type::Any;
        }
        self.active.push(outer.clone());
        let found = self.r#type(schemas, path, depth + 1);
        self.active.pop();
        found
    }

    fn union(
        &mut self,
        leaves: Vec<Leaf>,
        alternatives: Vec<Alternative>,
        schemas: &Schemas,
        path: &str,
        depth: usize,
    ) -> Type {
        if let Some(found) = self.earlier(&leaves) {
            return found;
        }
        let node = self.source.node(schemas);
        let tags = self.tags(&node, &leaves);
        let index = self.announce(leaves, node.description.clone(), path);
        // Each has its word for a name until all are known.
        let mut variants: Vec<Variant> = Vec::new();
        for alternative in alternatives {
            let leaf = if let Alternative::Compound(leaf) = &alternative { Some(leaf.clone()) } else { None };
            let tag = leaf.as_ref().and_then(|leaf| tags.get(leaf).cloned());
            let definition = leaf.as_ref().and_then(|leaf| leaf.schemas.definition());
            let mut word = match (&alternative, definition, &tag) {
                (_, Some(name), _) => name,
                (_, _, Some((_, value))) => value.clone(),
                (Alternative::Simple(r#type), ..) => simple_word(r#type).to_owned(),
                (Alternative::Listed(..), ..) => "enumeration".to_owned(),
                (Alternative::Compound(leaf), ..) if leaf.kind == Kind::Object => "object".to_owned(),
                (Alternative::Compound(_), ..) => "list".to_owned(),
            };
            if variants.iter().any(|other| other.name == word) {
                word = format!("{word} {}", variants.len());
            }
            let path = format!("{path} {word}");
            let path = leaf.map_or_else(|| path.clone(), |leaf| self.path(&leaf.schemas, &path));
            let r#type = self.alternative(alternative, &path, depth);
            if !variants.iter().any(|other| other.r#type == r#type) {
                variants.push(Variant { name: word, r#type, tag });
            }
        }
        let body = match &mut variants[..] {
            [only] => Body::Same(only.r#type.clone()),
            all => {
                let stub = self.types.stub;
                let words: Vec<String> = all.iter().map(|variant| variant.name.clone()).collect();
                let names = name::allocate(words.iter().map(String::as_str), stub.names.r#type, &stub.reserved);
                for (variant, word) in all.iter_mut().zip(&words) {
                    variant.name.clone_from(&names[word.as_str()]);
                }
                Body::Union(variants)
            }
        };
        self.types.declarations[index].body = body;
        Type::Declared(index)
    }

    /// The member and value by which objects among alternatives are told apart: OpenAPI's `discriminator`, or as
    /// [`Source::tags`] says.
    fn tags(&self, choice: &Node, leaves: &[Leaf]) -> BTreeMap<Leaf, (String, String)> {
        let objects: Vec<&Leaf> = leaves.iter().filter(|leaf| leaf.kind == Kind::Object).collect();
        if let Some((member, values)) = &choice.discriminator {
            let tag = |leaf: &&Leaf| {
                let name = leaf.schemas.definition()?;
                let value = values.get(&name).cloned().unwrap_or(name);
                Some(((*leaf).clone(), (member.clone(), value)))
            };
            return objects.iter().filter_map(tag).collect();
        }
        let Some((member, values)) = self.source.tags(&objects) else { return BTreeMap::new() };
        let tags = objects.iter().zip(values);
        tags.map(|(leaf, value)| ((*leaf).clone(), (member.clone(), value))).collect()
    }

    /// What has been declared before for the same part of the document.
    fn earlier(&self, key: &Vec<Leaf>) -> Option<Type> {
        let index = *self.known.get(key)?;
        let is_being_read = self.types.declarations[index].body == Body::Same(Type::Any);
        if self.shares() { Some(Type::Declared(index)) } else { is_being_read.then_some(Type::Any) }
    }

    /// Gives a declaration its name and its index, before what it holds is read.
    fn announce(&mut self, key: Vec<Leaf>, description: String, path: &str) -> usize {
        let index = self.types.declarations.len();
        let name = self.types.new_name(path);
        self.types.declarations.push(Declaration { name, description, body: Body::Same(Type::Any) });
        self.known.insert(key, index);
        index
    }

    /// The identifiers of a declaration's members; none is its own name, which some languages keep for constructors.
    fn field_names<'n>(&self, index: usize, names: &[&'n str]) -> BTreeMap<&'n str, String> {
        let stub = self.types.stub;
        let mut reserved = stub.reserved.clone();
        reserved.insert(self.types.declarations[index].name.clone());
        name::allocate(names.iter().copied(), stub.names.field, &reserved)
    }
}

fn simple_word(r#type: &Type) -> &'static str {
    match r#type {
        Type::Boolean => "boolean",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::DateTime => "date time",
        Type::Bytes => "bytes",
        _ => "string",
    }
}
