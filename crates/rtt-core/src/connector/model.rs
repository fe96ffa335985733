//! What a connector's template is given: identifiers, types, checked comments, and raw names for literals.
//!
//! A pure step from a provider's manifest and a language to data. Raw text stands only in members that templates put
//! through the literal helper: `wire`, `symbol`, `version`, `shape`, `agents`, `lanes`.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::escape::comment_lines;
use super::name::{Case, allocate, identifier, marked};
use super::shape::{self, Body, Declaration, Field, Source, Speller, Type, Types};
use super::stub::Language;
use crate::manifest::{Manifest, Method, SchemaText};

/// The least default timeout in milliseconds.
const MIN_TIMEOUT_MS: i64 = 1_000;
/// How many times the latency bound a call may take by default.
const TIMEOUT_FACTOR: i64 = 100;

/// The data of one connector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Provider's symbol.
    pub symbol: String,
    /// Provider's version that the interface is taken from.
    pub version: String,
    /// Its major version.
    pub major: u64,
    /// `jsonrpc` or `mcp`.
    pub protocol: String,
    /// The client type's name.
    pub client: String,
    /// The file's name without extension, also the module's name.
    pub module: String,
    /// Lines of the description.
    pub doc: Vec<String>,
    /// Symbols of the agents that use it, sorted.
    pub agents: Vec<String>,
    /// Lanes that it can open, by name.
    pub lanes: Vec<String>,
    /// Default timeout of a call in milliseconds, where the route gives no latency bound.
    pub timeout_ms: i64,
    /// Methods, sorted by their JSON name.
    pub methods: Vec<MethodModel>,
    /// Declared types, sorted by name.
    pub types: Vec<TypeModel>,
}

/// One method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodModel {
    /// Its JSON name.
    pub wire: String,
    /// Its identifier.
    pub name: String,
    /// Lines of its comment.
    pub doc: Vec<String>,
    /// It takes declared members; else any JSON value.
    pub has_fields: bool,
    /// The members, required ones first.
    pub fields: Vec<FieldModel>,
    /// A member must be given.
    pub has_required: bool,
    /// The type of the parameters.
    pub params_type: String,
    /// The parameters may be left out: they are any value, or an object of which nothing is known.
    pub takes_any: bool,
    /// Reduced schema of the parameters, JSON.
    pub params_shape: String,
    /// The type of the result.
    pub result_type: String,
    /// Reduced schema of the result, JSON.
    pub result_shape: String,
}

/// One declared type; one of the four `is_` tells which members it has.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TypeModel {
    /// Its name.
    pub name: String,
    /// Lines of its comment.
    pub doc: Vec<String>,
    /// It is an object.
    pub is_object: bool,
    /// It is one of some strings.
    pub is_enumeration: bool,
    /// It is one of some types.
    pub is_union: bool,
    /// It is a list of a fixed length.
    pub is_tuple: bool,
    /// The members of an object in the schema's order, or the items of a tuple.
    pub fields: Vec<FieldModel>,
    /// The members that must be there.
    pub required: Vec<FieldModel>,
    /// The members that may be absent.
    pub optional: Vec<FieldModel>,
    /// The values of an enumeration.
    pub values: Vec<ValueModel>,
    /// The alternatives of a union, in the order in which a value is tried.
    pub variants: Vec<VariantModel>,
}

/// One value of an enumeration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueModel {
    /// The string in JSON.
    pub wire: String,
    /// Its identifier.
    pub name: String,
}

/// One alternative of a union.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantModel {
    /// Its identifier.
    pub name: String,
    /// Its type.
    pub r#type: String,
    /// Objects of this alternative are told apart by a member.
    pub has_tag: bool,
    /// That member's JSON name.
    pub tag_wire: String,
    /// That member's value.
    pub tag_value: String,
    /// The JSON names of all members, if it is a declared object: an object with others rather is another alternative.
    pub members: Vec<String>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldModel {
    /// Its JSON name.
    pub wire: String,
    /// Its JSON name as a comment may show it.
    pub label: String,
    /// Its identifier.
    pub name: String,
    /// Its type.
    pub r#type: String,
    /// Its type if it is there.
    pub inner: String,
    /// It may be absent.
    pub optional: bool,
    /// Lines of its comment.
    pub doc: Vec<String>,
}

/// Builds the data of one connector. `client` and `module` are its names, `agents` the symbols that use it.
pub fn build(language: &Language, provider: &Manifest, client: &str, module: &str, agents: &BTreeSet<String>) -> Model {
    let stub = &language.stub;
    let breaks = &stub.comment_breaks;
    let declarable = |wire: &str| match &stub.declarable_characters {
        None => true,
        Some(more) => {
            !wire.is_empty() && wire.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || more.contains(c))
        }
    };
    let mut types = Types::new(stub, client, &declarable);
    let method_words: BTreeSet<String> = stub.reserved.union(&stub.reserved_methods).cloned().collect();
    let methods = &provider.provides.methods;
    let names = allocate(methods.keys().map(String::as_str), stub.names.method, &method_words);
    let drafts: Vec<Draft> = methods
        .values()
        .zip(methods.keys().map(|wire| &names[wire.as_str()]))
        .map(|(method, name)| Draft::read(&mut types, method, name, &stub.checks))
        .collect();
    let declarations = types.into_declarations();
    let speller = Speller::new(&stub.types, &declarations);
    let methods = methods
        .iter()
        .zip(drafts)
        .map(|((wire, method), draft)| {
            method_model(&speller, &declarations, wire, &names[wire.as_str()], method, draft, breaks)
        })
        .collect();
    let mut types: Vec<TypeModel> = (0..declarations.len())
        .filter(|index| !matches!(declarations[*index].body, Body::Same(_)))
        .map(|index| type_model(&speller, index, &declarations, breaks))
        .collect();
    types.sort_by(|one, other| one.name.cmp(&other.name));
    let latency_ms = provider.qos.latency_us().map_or(0, |us| us.saturating_mul(TIMEOUT_FACTOR) / 1_000);
    let provider_lanes = provider.lanes();
    Model {
        symbol: provider.symbol.to_string(),
        version: provider.version.to_string(),
        major: provider.version.major,
        protocol: provider.provides.protocol.as_ref().map(|protocol| protocol.name).unwrap_or_default().to_string(),
        client: client.to_owned(),
        module: module.to_owned(),
        doc: comment_lines(&provider.description, breaks),
        agents: agents.iter().cloned().collect(),
        lanes: stub.lanes.iter().filter(|lane| provider_lanes.contains(lane)).map(ToString::to_string).collect(),
        timeout_ms: latency_ms.max(MIN_TIMEOUT_MS),
        methods,
        types,
    }
}

/// Returns the client type's name and the module's name of each provider symbol and major version.
pub fn client_names(language: &Language, keys: &BTreeSet<(String, u64)>) -> Vec<(String, String)> {
    // The major version goes through the conversion, so that every case rule joins it in its own way.
    let full: Vec<String> = keys.iter().map(|(symbol, major)| format!("{symbol}.v{major}")).collect();
    let clients = allocate(full.iter().map(String::as_str), language.stub.names.r#type, &language.stub.reserved);
    let modules = allocate(full.iter().map(String::as_str), language.stub.names.file, &language.stub.reserved);
    full.iter().map(|name| (clients[name.as_str()].clone(), modules[name.as_str()].clone())).collect()
}

/// What is read of one method before all types are known.
struct Draft {
    params: Type,
    params_shape: String,
    result: Type,
    result_shape: String,
}

impl Draft {
    fn read(types: &mut Types, method: &Method, name: &str, checks: &BTreeSet<shape::Keyword>) -> Self {
        let words = type_words(name);
        let mut read = |schema: &Option<SchemaText>, what: &str| {
            let schema = schema.as_ref().map_or(Value::Bool(true), SchemaText::value);
            let source = Source::new(&schema);
            (types.read(&source, &format!("{words} {what}")), shape::reduce(&source, checks).to_string())
        };
        let (params, params_shape) = read(&method.params, "params");
        let (result, result_shape) = read(&method.result, "result");
        Self { params, params_shape, result, result_shape }
    }
}

/// The words with which the names of a method's types begin: such that no two methods' types can share a name, and a
/// function of this method's name alone, so that a further method renames none.
fn type_words(name: &str) -> String {
    let words = identifier(name, Case::Snake);
    let is_clear = !words.split('_').any(|word| matches!(word, "params" | "result"))
        && identifier(&identifier(name, Case::Pascal), Case::Snake) == words;
    if is_clear { name.to_owned() } else { marked(name, name) }
}

fn method_model(
    speller: &Speller,
    declarations: &[Declaration],
    wire: &str,
    name: &str,
    method: &Method,
    draft: Draft,
    breaks: &[String],
) -> MethodModel {
    let members = match draft.params {
        Type::Declared(index) => match &declarations[index].body {
            Body::Object(fields) => Some((index, fields)),
            _ => None,
        },
        _ => None,
    };
    let has_fields = members.is_some();
    let fields = members.map_or_else(Vec::new, |(index, fields)| field_models(speller, index, fields, breaks));
    let (required, optional): (Vec<_>, Vec<_>) = fields.into_iter().partition(|field| !field.optional);
    let mut doc = comment_lines(&method.description, breaks);
    if !method.errors.is_empty() {
        doc.push("Errors:".to_owned());
        for error in &method.errors {
            doc.extend(comment_lines(&format!("{} {}", error.code, error.message.replace('\n', " ")), breaks));
        }
    }
    MethodModel {
        wire: wire.to_owned(),
        name: name.to_owned(),
        doc,
        has_fields,
        has_required: !required.is_empty(),
        fields: required.into_iter().chain(optional).collect(),
        params_type: speller.spell(&draft.params, None),
        takes_any: draft.params == Type::Any || draft.params == Type::Map(Box::new(Type::Any)),
        params_shape: draft.params_shape,
        result_type: speller.spell(&draft.result, None),
        result_shape: draft.result_shape,
    }
}

fn type_model(speller: &Speller, index: usize, declarations: &[Declaration], breaks: &[String]) -> TypeModel {
    let declaration = &declarations[index];
    let mut model = TypeModel {
        name: declaration.name.clone(),
        doc: comment_lines(&declaration.description, breaks),
        ..TypeModel::default()
    };
    match &declaration.body {
        Body::Object(fields) => {
            model.is_object = true;
            model.fields = field_models(speller, index, fields, breaks);
            (model.optional, model.required) = model.fields.iter().cloned().partition(|field| field.optional);
        }
        Body::Tuple(items) => {
            model.is_tuple = true;
            model.fields = field_models(speller, index, items, breaks);
        }
        Body::Enumeration(values) => {
            model.is_enumeration = true;
            let value = |(wire, name): &(String, String)| ValueModel { wire: wire.clone(), name: name.clone() };
            model.values = values.iter().map(value).collect();
        }
        Body::Union(variants) => {
            model.is_union = true;
            model.variants = variants
                .iter()
                .map(|variant| {
                    let (tag_wire, tag_value) = variant.tag.clone().unwrap_or_default();
                    VariantModel {
                        name: variant.name.clone(),
                        r#type: speller.spell_held(&variant.r#type, index),
                        has_tag: variant.tag.is_some(),
                        tag_wire,
                        tag_value,
                        members: match variant.r#type {
                            Type::Declared(index) => members_of(&declarations[index]),
                            _ => Vec::new(),
                        },
                    }
                })
                .collect();
        }
        Body::Same(_) => {}
    }
    model
}

fn members_of(declaration: &Declaration) -> Vec<String> {
    match &declaration.body {
        Body::Object(fields) => fields.iter().map(|field| field.wire.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The members of the declaration with the index.
fn field_models(speller: &Speller, index: usize, fields: &[Field], breaks: &[String]) -> Vec<FieldModel> {
    fields
        .iter()
        .map(|field| {
            let inner = speller.spell_member(field, index);
            FieldModel {
                label: comment_lines(&field.wire, breaks).join(" "),
                wire: field.wire.clone(),
                name: field.name.clone(),
                r#type: if field.optional { speller.optional(&inner) } else { inner.clone() },
                inner,
                optional: field.optional,
                doc: comment_lines(&field.description, breaks),
            }
        })
        .collect()
}

/// The data of a language's support files: its connectors.
pub fn support(connectors: &[&Model]) -> Value {
    json!({
        "connectors": connectors
            .iter()
            .map(|model| json!({"module": model.module, "client": model.client, "symbol": model.symbol}))
            .collect::<Vec<_>>()
    })
}
