//! MCP client configurations: `{"mcpServers": {"name": {"command", "args"}}}`, and `servers` in the same shape.
//!
//! `env` and `headers` often hold secrets; they are never carried over.

use serde_json::Value;

use super::{UNVERSIONED, blank, host_port, lenient_version, names, text};
use crate::json::push_token;
use crate::lane::Lane;
use crate::manifest::read::Sink;
use crate::manifest::{Form, Protocol, ProtocolName};

pub(super) fn convert(sink: &mut Sink, pointer: &str, document: &Value) {
    let key = if document.get("mcpServers").is_some() { "mcpServers" } else { "servers" };
    let servers = document.get(key).and_then(Value::as_object);
    let at = push_token(pointer, key);
    if servers.is_none_or(serde_json::Map::is_empty) {
        sink.note("RTT-M010", &at, "the configuration names no server");
    }
    for (name, server) in servers.into_iter().flatten() {
        convert_server(sink, &push_token(&at, name), name, server);
    }
}

fn convert_server(sink: &mut Sink, at: &str, name: &str, server: &Value) {
    if server.get("disabled").and_then(Value::as_bool) == Some(true) {
        sink.note("RTT-M010", at, format!("server '{name}' is disabled and left out"));
        return;
    }
    let mut lane = Lane::Stdio;
    let mut command = None;
    let mut tcp = None;
    if let Some(program) = text(server, "command") {
        let args_at = push_token(at, "args");
        let mut words = vec![program.to_owned()];
        for (index, argument) in server.get("args").and_then(Value::as_array).into_iter().flatten().enumerate() {
            match argument.as_str() {
                Some(argument) => words.push(argument.to_owned()),
                None => {
                    let kind = crate::json::type_name(argument);
                    sink.error(
                        "RTT-M009",
                        &format!("{args_at}/{index}"),
                        format!("an argument of type {kind}, expected a string"),
                    )
                    .help
                    .push("put it in quotation marks".to_owned());
                    return;
                }
            }
        }
        command = Some(words);
    } else if let Some(url) = text(server, "url") {
        lane = Lane::Tcp;
        tcp = host_port(url);
        if tcp.is_none() {
            sink.warn(
                "RTT-M010",
                at,
                format!("'{url}' is not an address that can be dialled; the endpoint is left out"),
            )
            .help
            .push("expected a URL such as http://localhost:10999/mcp".to_owned());
        }
    } else {
        sink.error("RTT-M009", at, format!("server '{name}' has neither 'command' nor 'url', expected one of them"))
            .help
            .push(
                r#"add "command": "npx", "args": ["-y", "server"], or "url": "http://localhost:10999/mcp""#.to_owned(),
            );
        return;
    }
    let version = command.as_deref().and_then(pinned_version).unwrap_or(UNVERSIONED);
    let mut manifest = blank(names::symbol("mcp", name), version);
    manifest.description = text(server, "description").unwrap_or_default().to_owned();
    manifest.provides.protocol = Some(Protocol { name: ProtocolName::Mcp, version: None });
    manifest.provides.lanes = vec![lane];
    manifest.endpoint.stdio = command;
    manifest.endpoint.tcp = tcp;
    sink.converted(manifest, Form::McpConfig, at);
}

/// The version that a package runner is told to run, `npx -y @scope/server@1.2.0` or `uvx server==1.2.0`.
fn pinned_version(command: &[String]) -> Option<semver::Version> {
    command.iter().skip(1).find_map(|word| {
        let (package, version) = word.rsplit_once("==").or_else(|| word.rsplit_once('@'))?;
        (!package.is_empty() && !word.contains("://")).then(|| lenient_version(version)).flatten()
    })
}
