//! Recognises the form of a document by the keys that it has.
//!
//! Looks at shapes only: whether the document is a valid one of its form is found when it is converted.

use serde_json::{Map, Value};

use super::{Form, foreign};
use crate::text;

/// What a document is.
pub(super) enum Shape<'a> {
    /// One manifest, or a document that describes several agents in one form.
    Manifest(Form),
    /// Several documents: the items, and the member that holds them, if any.
    List(Option<&'static str>, &'a [Value]),
    /// None of these: what it looks like instead.
    Other(String),
}

/// Tells what a document is.
pub(super) fn shape(value: &Value) -> Shape<'_> {
    match value {
        Value::Array(items) if is_tool_list(items) => Shape::Manifest(Form::McpTools),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => Shape::List(None, items),
        Value::Array(items) if items.is_empty() => Shape::Other("an empty array".to_owned()),
        Value::Array(_) => Shape::Other("an array of values that are not objects".to_owned()),
        Value::Object(object) => of_object(object),
        other => Shape::Other(format!("a bare {}", crate::json::type_name(other))),
    }
}

fn of_object(object: &Map<String, Value>) -> Shape<'_> {
    let has = |key: &str| object.contains_key(key);
    let is = |key: &str, test: fn(&Value) -> bool| object.get(key).is_some_and(test);
    if is("symbol", Value::is_object) {
        return Shape::Manifest(Form::RttSymbol);
    }
    // A later revision of the older agent form also has a "symbol"; what only a canonical manifest has decides.
    let canonical = has("symbol") && ["provides", "requires", "endpoint", "resources"].iter().any(|key| has(key));
    let older = ["rtt_saddr", "caps"].iter().any(|key| has(key))
        || (has("symbol") && ["capabilities", "desc", "io"].iter().any(|key| has(key)));
    if older && !canonical {
        return Shape::Manifest(Form::RttAgent);
    }
    if has("symbol") {
        return Shape::Manifest(Form::Canonical);
    }
    if is("mcpServers", Value::is_object) || is("servers", is_client_servers) {
        return Shape::Manifest(Form::McpConfig);
    }
    if is_registry_server(object)
        || is("server", |server| server.as_object().is_some_and(is_registry_server))
        || is("servers", is_registry_list)
    {
        return Shape::Manifest(Form::McpRegistry);
    }
    if is("tools", |tools| tools.as_array().is_some_and(|items| is_tool_list(items)))
        || is("result", |result| result.get("tools").is_some_and(Value::is_array))
    {
        return Shape::Manifest(Form::McpTools);
    }
    if is("skills", Value::is_array)
        || is("supportedInterfaces", Value::is_array)
        || is("additionalInterfaces", Value::is_array)
        || (has("protocolVersion") && has("url"))
    {
        return Shape::Manifest(Form::A2aCard);
    }
    if let Some(Value::Array(agents)) = object.get("agents") {
        return Shape::List(Some("agents"), agents);
    }
    if has("id") && (has("io") || has("capabilities") || has("qos") || has("desc")) {
        return Shape::Manifest(Form::RttAgent);
    }
    let other = looks_like(object);
    // A manifest with a misspelt or forgotten symbol is better served by the schema's words.
    let near = object.keys().any(|key| matches!(key.as_str(), "provides" | "requires" | "singleton" | "endpoint"))
        || object.keys().any(|key| text::nearest(key, ["symbol"]).is_some());
    if near && other.is_none() {
        Shape::Manifest(Form::Canonical)
    } else {
        Shape::Other(other.unwrap_or_else(|| keys_of(object)))
    }
}

/// A `tools/list` result's items: each has a name and describes its arguments in one of the known ways.
fn is_tool_list(items: &[Value]) -> bool {
    let tool = |item: &Value| {
        let Some(object) = foreign::definition(item).as_object() else { return false };
        let describes =
            ["inputSchema", "input_schema", "parameters", "arguments", "annotations", "description", "outputSchema"];
        let foreign = ["version", "symbol", "skills", "id", "rtt_saddr", "caps", "command", "provides", "url"];
        object.get("name").is_some_and(Value::is_string)
            && describes.iter().any(|key| object.contains_key(*key))
            && !foreign.iter().any(|key| object.contains_key(*key))
    };
    !items.is_empty() && items.iter().all(tool)
}

fn is_client_servers(value: &Value) -> bool {
    let starts = |server: &Value| server.get("command").is_some() || server.get("url").is_some();
    value.as_object().is_some_and(|servers| !servers.is_empty() && servers.values().all(starts))
}

fn is_registry_list(value: &Value) -> bool {
    let entry = |item: &Value| item.get("server").unwrap_or(item).as_object().is_some_and(is_registry_server);
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(entry))
}

fn is_registry_server(object: &Map<String, Value>) -> bool {
    let declared =
        object.get("$schema").and_then(Value::as_str).is_some_and(|schema| schema.contains("modelcontextprotocol"));
    let lists = ["packages", "remotes"].iter().any(|key| object.get(*key).is_some_and(Value::is_array));
    // One that declares its schema, but lacks its name, is better served by that form's words.
    (object.contains_key("name") && (declared || lists)) || (declared && lists)
}

/// Names well-known kinds of document that are no manifests.
fn looks_like(object: &Map<String, Value>) -> Option<String> {
    let has = |key: &str| object.contains_key(key);
    let all = |keys: &[&str]| keys.iter().all(|key| has(key));
    let schema = object.get("$schema").and_then(Value::as_str).unwrap_or("");
    let kind = if object.is_empty() {
        "an empty object"
    } else if schema.contains("json-schema.org") || all(&["type", "properties"]) {
        "a JSON Schema"
    } else if has("openapi") || has("swagger") {
        "an OpenAPI description"
    } else if has("compilerOptions") {
        "a TypeScript configuration (tsconfig.json)"
    } else if has("lockfileVersion") {
        "a package lock file"
    } else if has("name") && ["dependencies", "devDependencies", "scripts"].iter().any(|key| has(key)) {
        "a package.json"
    } else if all(&["plan_id", "routes"]) {
        "an RTT plan"
    } else if has("fingerprint") || has("connectors") {
        "an RTT state file"
    } else if has("routes") {
        "an RTT route list (.rtt/routes.json)"
    } else if has("acl") || has("pins") || all(&["allow", "deny"]) {
        "an RTT policy (.rtt/policy.json)"
    } else if all(&["jsonrpc", "method"]) {
        "a JSON-RPC request"
    } else if all(&["apiVersion", "kind"]) {
        "a Kubernetes object"
    } else {
        return None;
    };
    Some(kind.to_owned())
}

fn keys_of(object: &Map<String, Value>) -> String {
    let shown: Vec<&str> = object.keys().take(5).map(String::as_str).collect();
    let more = if object.len() > shown.len() { ", …" } else { "" };
    format!("an object with the keys {}{more}", shown.join(", "))
}
