//! What a connector's template is given: identifiers, types, checked comments, and raw names for literals.
//!
//! A pure step from a provider's manifest and a language to data. Raw text stands only in members that templates put
//! through the literal helper: `wire`, `symbol`, `version`, `shape`, `agents`, `lanes`.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::escape::comment_lines;
use super::name::allocate;
use super::shape::{self, Declaration, Field, Types};
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
    /// The declared type of the parameters; empty without members.
    pub params_type: String,
    /// Reduced schema of the parameters, JSON.
    pub params_shape: String,
    /// The type of the result.
    pub result_type: String,
    /// Reduced schema of the result, JSON.
    pub result_shape: String,
}

/// One declared type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypeModel {
    /// Its name.
    pub name: String,
    /// Lines of its comment.
    pub doc: Vec<String>,
    /// Its members in the schema's order.
    pub fields: Vec<FieldModel>,
    /// The members that must be there.
    pub required: Vec<FieldModel>,
    /// The members that may be absent.
    pub optional: Vec<FieldModel>,
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
    let mut types = Types::new(&stub.types, client, stub.names.r#type, stub.names.field, &stub.reserved, &declarable);
    let method_words: BTreeSet<String> = stub.reserved.union(&stub.reserved_methods).cloned().collect();
    let methods = &provider.provides.methods;
    let names = allocate(methods.keys().map(String::as_str), stub.names.method, &method_words);
    let methods = methods
        .iter()
        .map(|(wire, method)| {
            // A declared type is named after the method's identifier, so that two methods never share one.
            let path = &names[wire.as_str()];
            method_model(&mut types, wire, &names[wire.as_str()], method, path, breaks)
        })
        .collect();
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
        types: types.into_declarations().into_iter().map(|declaration| type_model(declaration, breaks)).collect(),
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

fn method_model(
    types: &mut Types,
    wire: &str,
    identifier: &str,
    method: &Method,
    path: &str,
    breaks: &[String],
) -> MethodModel {
    let reduced =
        |schema: &Option<SchemaText>| shape::reduce(&schema.as_ref().map_or(Value::Bool(true), SchemaText::value));
    let (params, result) = (reduced(&method.params), reduced(&method.result));
    let params_path = format!("{path} params");
    let declared = types.declare(&params, &params_path);
    let fields = declared.as_deref().map(|name| types.fields_of(name).to_vec()).unwrap_or_default();
    let (required, optional): (Vec<Field>, Vec<Field>) = fields.into_iter().partition(|field| !field.optional);
    let has_required = !required.is_empty();
    let mut doc = comment_lines(&method.description, breaks);
    if !method.errors.is_empty() {
        doc.push("Errors:".to_owned());
        for error in &method.errors {
            doc.extend(comment_lines(&format!("{} {}", error.code, error.message.replace('\n', " ")), breaks));
        }
    }
    MethodModel {
        wire: wire.to_owned(),
        name: identifier.to_owned(),
        doc,
        has_fields: declared.is_some(),
        fields: required.into_iter().chain(optional).map(|field| field_model(field, breaks)).collect(),
        has_required,
        params_type: declared.unwrap_or_default(),
        params_shape: compact(&params),
        result_type: types.spell(&result, &format!("{path} result")),
        result_shape: compact(&result),
    }
}

fn type_model(declaration: Declaration, breaks: &[String]) -> TypeModel {
    let fields: Vec<FieldModel> = declaration.fields.into_iter().map(|field| field_model(field, breaks)).collect();
    let (optional, required) = fields.iter().cloned().partition(|field| field.optional);
    TypeModel {
        name: declaration.name,
        doc: comment_lines(&declaration.description, breaks),
        fields,
        required,
        optional,
    }
}

fn field_model(field: Field, breaks: &[String]) -> FieldModel {
    FieldModel {
        label: comment_lines(&field.wire, breaks).join(" "),
        wire: field.wire,
        name: field.name,
        r#type: field.r#type,
        inner: field.inner,
        optional: field.optional,
        doc: comment_lines(&field.description, breaks),
    }
}

fn compact(shape: &Value) -> String {
    shape::without_descriptions(shape).to_string()
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
