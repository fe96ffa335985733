//! A2A agent cards, before 1.0 (`url`, `preferredTransport`, `additionalInterfaces`) and from 1.0 (`supportedInterfaces`).

use serde_json::{Value, json};

use super::{UNVERSIONED, blank, host_port, keep, names, text, version};
use crate::json::push_token;
use crate::lane::Lane;
use crate::manifest::read::Sink;
use crate::manifest::{Form, Method, Protocol, ProtocolName, SchemaText};

pub(super) fn convert(sink: &mut Sink, pointer: &str, card: &Value) {
    let at = |key: &str| push_token(pointer, key);
    let Some(name) = text(card, "name") else {
        sink.error("RTT-M009", pointer, "an agent card without 'name', expected one to derive the symbol from")
            .help
            .push("add \"name\": \"Currency agent\"".to_owned());
        return;
    };
    let version = version(sink, &at("version"), text(card, "version")).unwrap_or(UNVERSIONED);
    let mut manifest = blank(names::symbol("a2a", name), version);
    manifest.description = text(card, "description").unwrap_or_default().to_owned();
    manifest.provides.capabilities = capabilities(card);

    // A card from 1.0 on lists all its interfaces, the preferred one first.
    let lists_interfaces = card.get("supportedInterfaces").is_some_and(Value::is_array);
    let send = if lists_interfaces { "SendMessage" } else { "message/send" };
    match json_rpc_url(card) {
        Some(url) => {
            manifest.provides.protocol = Some(Protocol { name: ProtocolName::Jsonrpc, version: None });
            manifest.provides.lanes = vec![Lane::Tcp];
            manifest.endpoint.tcp = host_port(url);
            if manifest.endpoint.tcp.is_none() {
                sink.warn(
                    "RTT-M010",
                    pointer,
                    format!("'{url}' is not an address that can be dialled; the endpoint is left out"),
                )
                .help
                .push("expected a URL such as http://localhost:10999".to_owned());
            }
            manifest.provides.methods.insert(send.to_owned(), send_message());
        }
        None => {
            sink.warn(
                "RTT-M010",
                pointer,
                format!("'{name}' offers no JSON-RPC interface; it is registered without endpoint"),
            )
            .help
            .push(
                r#"add "supportedInterfaces": [{"url": "http://localhost:10999", "protocolBinding": "JSONRPC"}]"#
                    .to_owned(),
            );
        }
    }
    keep(&mut manifest.metadata, card, &["protocolVersion", "url", "provider", "documentationUrl", "skills"]);
    sink.converted(manifest, Form::A2aCard, pointer);
}

/// Skills by their ids, then the protocol features that are switched on.
fn capabilities(card: &Value) -> Vec<String> {
    let skills = card.get("skills").and_then(Value::as_array).into_iter().flatten();
    let ids = skills.filter_map(|skill| text(skill, "id").or_else(|| text(skill, "name")));
    let features = card.get("capabilities").and_then(Value::as_object).into_iter().flatten();
    let enabled = features.filter(|(_, value)| value.as_bool() == Some(true)).map(|(feature, _)| feature.as_str());
    let mut all: Vec<String> = Vec::new();
    for word in ids.chain(enabled) {
        if !all.iter().any(|known| known == word) {
            all.push(word.to_owned());
        }
    }
    all
}

/// The URL of the first interface that speaks JSON-RPC.
fn json_rpc_url(card: &Value) -> Option<&str> {
    let is_json_rpc = |transport: Option<&str>| transport.is_none_or(|name| name.eq_ignore_ascii_case("JSONRPC"));
    let listed = |key: &str| {
        let interfaces = card.get(key).and_then(Value::as_array).into_iter().flatten();
        interfaces
            .filter(|interface| {
                is_json_rpc(text(interface, "protocolBinding").or_else(|| text(interface, "transport")))
            })
            .find_map(|interface| text(interface, "url"))
    };
    let preferred = text(card, "url").filter(|_| is_json_rpc(text(card, "preferredTransport")));
    listed("supportedInterfaces").or(preferred).or_else(|| listed("additionalInterfaces"))
}

fn send_message() -> Method {
    Method {
        description: "Sends a message to the agent, to start a task or to go on with one".to_owned(),
        params: Some(SchemaText::from(&json!({
            "type": "object",
            "properties": {"message": {"type": "object"}, "configuration": {"type": "object"}, "metadata": {"type": "object"}},
            "required": ["message"]
        }))),
        result: Some(SchemaText::from(&json!({"type": "object"}))),
        errors: Vec::new(),
    }
}
