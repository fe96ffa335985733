//! MCP tool lists: a `tools/list` result, alone, in its JSON-RPC response, or as the bare array that catalogues keep.
//!
//! Tools describe their arguments by `inputSchema`, by `input_schema` or `parameters` where they were written for a model's
//! interface, or in catalogues by a flat list `arguments`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{UNVERSIONED, blank, names, text, version};
use crate::json::push_token;
use crate::lane::Lane;
use crate::manifest::check::schema_problems;
use crate::manifest::read::Sink;
use crate::manifest::{Form, Method, Protocol, ProtocolName, SchemaText};

/// A list of tools in a document, whatever stands around it.
#[derive(Debug, Clone, Copy)]
pub struct ToolList<'a> {
    /// What the document calls the server; without a name, as the file is called.
    pub server: &'a str,
    /// Whether the document names it.
    pub is_named: bool,
    /// The tools as they are.
    pub tools: &'a [Value],
}

/// Finds the list of tools in a document that [`super::super::read()`] found to be one.
pub fn tool_list<'a>(file: &'a str, document: &'a Value) -> ToolList<'a> {
    let result = document.get("result").unwrap_or(document);
    let list = result.get("tools").unwrap_or(result);
    let name = text(result.get("serverInfo").unwrap_or(result), "name");
    ToolList {
        server: name.unwrap_or_else(|| server_name(file)),
        is_named: name.is_some(),
        tools: list.as_array().map_or(&[], Vec::as_slice),
    }
}

/// Where tools describe their arguments by a schema, the protocol's own word first.
const SCHEMA_KEYS: [&str; 3] = ["inputSchema", "input_schema", "parameters"];

/// Returns the definition of a tool without the wrapper `{"type": "function", "function": …}` of some models' interfaces.
pub fn definition(tool: &Value) -> &Value {
    let wrapped = tool.get("function").filter(|inner| inner.is_object() && text(tool, "type") == Some("function"));
    wrapped.unwrap_or(tool)
}

pub(super) fn convert(sink: &mut Sink, pointer: &str, document: &Value) {
    let (at, result) = match document.get("result") {
        Some(result) => (push_token(pointer, "result"), result),
        None => (pointer.to_owned(), document),
    };
    let list_at = if result.is_array() { at.clone() } else { push_token(&at, "tools") };
    let about = result.get("serverInfo").unwrap_or(result);
    let ToolList { server, is_named, tools: list } = tool_list(sink.file, document);
    let symbol = if is_named { names::namespaced("mcp", server) } else { names::symbol("mcp", server) };
    let version = version(sink, &at, text(about, "version")).unwrap_or(UNVERSIONED);
    let mut manifest = blank(symbol, version);
    manifest.description = text(about, "description").unwrap_or_default().to_owned();
    manifest.provides.protocol = Some(Protocol { name: ProtocolName::Mcp, version: None });
    manifest.provides.lanes = vec![Lane::Stdio];
    manifest.provides.methods = methods(sink, &list_at, list);
    sink.converted(manifest, Form::McpTools, pointer);
}

/// Turns a list of tools into methods; a schema that cannot be used is reported and counts as not given.
fn methods(sink: &mut Sink, pointer: &str, tools: &[Value]) -> BTreeMap<String, Method> {
    let mut methods = BTreeMap::new();
    for (index, tool) in tools.iter().enumerate() {
        let wrapper = if std::ptr::eq(definition(tool), tool) { "" } else { "/function" };
        let (at, tool) = (format!("{pointer}/{index}{wrapper}"), definition(tool));
        let Some(name) = text(tool, "name") else {
            sink.error("RTT-M009", &at, "a tool without 'name', expected one to call it by")
                .help
                .push("add \"name\": \"query\"".to_owned());
            continue;
        };
        if methods.contains_key(name) {
            sink.warn("RTT-M010", &at, format!("tool '{name}' is listed twice; the first one counts"))
                .help
                .push("remove one of the two, or give it another name".to_owned());
            continue;
        }
        let described = SCHEMA_KEYS.iter().find_map(|key| Some((*key, tool.get(key)?)));
        let params = match described {
            Some((key, schema)) => usable(sink, &at, name, key, schema).filter(|schema| {
                let usable = schema.accepts_objects();
                if !usable {
                    sink.warn("RTT-M010", &at, format!("the {key} of tool '{name}' accepts no object; it is ignored"))
                        .help
                        .push("describe the arguments as the properties of an object".to_owned());
                }
                usable
            }),
            None => tool
                .get("arguments")
                .and_then(Value::as_array)
                .and_then(|list| from_arguments(list))
                .and_then(|schema| usable(sink, &at, name, "arguments", &schema)),
        };
        let result = tool.get("outputSchema").and_then(|schema| usable(sink, &at, name, "outputSchema", schema));
        let description = text(tool, "description").unwrap_or_default().to_owned();
        methods.insert(name.to_owned(), Method { description, params, result, errors: Vec::new() });
    }
    methods
}

fn usable(sink: &mut Sink, tool_at: &str, tool: &str, key: &str, schema: &Value) -> Option<SchemaText> {
    if schema.is_null() {
        return None;
    }
    let problems = schema_problems(schema);
    let verb = if ["arguments", "parameters"].contains(&key) { "are" } else { "is" };
    for problem in &problems {
        let message = format!(
            "the {key} of tool '{tool}' {verb} ignored, since that is no usable JSON Schema: {}",
            problem.message
        );
        let help = problem.help.clone();
        // A schema that was built from a flat list has places of its own, which are none of the file's.
        let inner = if key == "arguments" { "" } else { problem.pointer.as_str() };
        sink.warn("RTT-M010", &format!("{tool_at}/{key}{inner}"), message).help.push(help);
    }
    problems.is_empty().then(|| SchemaText::from(schema))
}

/// Builds a schema from a catalogue's flat list. An empty list says nothing: catalogues write it for servers whose tools
/// they could only list by name.
fn from_arguments(arguments: &[Value]) -> Option<Value> {
    if arguments.is_empty() {
        return None;
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in arguments {
        let Some(name) = text(argument, "name") else { continue };
        let mut property = Map::new();
        if let Some(kind) = text(argument, "type")
            && ["string", "integer", "number", "boolean", "array", "object", "null"].contains(&kind)
        {
            property.insert("type".to_owned(), json!(kind));
        }
        if let Some(description) = text(argument, "desc").or_else(|| text(argument, "description")) {
            property.insert("description".to_owned(), json!(description));
        }
        for key in ["items", "enum", "default"] {
            if let Some(value) = argument.get(key) {
                property.insert(key.to_owned(), value.clone());
            }
        }
        let flag = |key: &str| argument.get(key).and_then(Value::as_bool);
        if flag("required").unwrap_or(flag("optional") != Some(true)) && properties.get(name).is_none() {
            required.push(json!(name));
        }
        properties.insert(name.to_owned(), Value::Object(property));
    }
    Some(json!({"type": "object", "properties": properties, "required": required}))
}

/// The server's name as the file is called: `<name>.tools.json`, or `<name>/tools.json`.
fn server_name(file: &str) -> &str {
    let (folder, base) = file.rsplit_once('/').unwrap_or(("", file));
    let mut stem = base;
    for suffix in [".json", ".agent", ".tools", ".mcp"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    match stem {
        "tools" if !folder.is_empty() => folder.rsplit('/').next().unwrap_or(folder),
        _ => stem,
    }
}
