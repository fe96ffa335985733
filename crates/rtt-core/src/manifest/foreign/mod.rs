//! Foreign forms of manifests, one module each, each mapping into the canonical manifest.
//!
//! No foreign shape leaves this module: what the canonical form cannot say is kept in `metadata`, uninterpreted, or
//! dropped with a word about it. What comes out passes the same checks as a manifest in the canonical form.

mod a2a;
mod mcp_config;
mod mcp_registry;
mod mcp_tools;
mod names;
mod rtt_agent;
mod rtt_v1;

pub use mcp_tools::{ToolList, definition, tool_list};
pub(super) use names::lenient_version;

use semver::Version;
use serde_json::{Map, Value};

use super::read::Sink;
use super::{Endpoint, Form, Manifest, Provides, Qos, Resources};
use crate::symbol::Symbol;

/// Converts the document at a pointer, which [`super::detect`] found to be of this form.
pub(super) fn convert(form: Form, sink: &mut Sink, pointer: &str, value: &Value) {
    match form {
        // Never foreign; the reader handles it.
        Form::Canonical => {}
        Form::RttSymbol => rtt_v1::convert(sink, pointer, value),
        Form::RttAgent => rtt_agent::convert(sink, pointer, value),
        Form::A2aCard => a2a::convert(sink, pointer, value),
        Form::McpRegistry => mcp_registry::convert(sink, pointer, value),
        Form::McpConfig => mcp_config::convert(sink, pointer, value),
        Form::McpTools => mcp_tools::convert(sink, pointer, value),
    }
}

/// The version of what names none: lower than any other, so that no range but `*` and `0.0.0` itself means it.
const UNVERSIONED: Version = Version::new(0, 0, 0);

/// A manifest that says nothing yet.
fn blank(symbol: Symbol, version: Version) -> Manifest {
    Manifest {
        symbol,
        version,
        description: String::new(),
        language: None,
        provides: Provides::default(),
        requires: Vec::new(),
        qos: Qos::default(),
        resources: Resources::default(),
        endpoint: Endpoint::default(),
        singleton: false,
        metadata: Map::new(),
    }
}

/// Returns a member that is a string and not empty.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Reads a foreign version leniently; one that cannot be read is reported and counts as none.
fn version(sink: &mut Sink, pointer: &str, written: Option<&str>) -> Option<Version> {
    let written = written?;
    let version = lenient_version(written);
    if version.is_none() {
        sink.warn(
            "RTT-M010",
            pointer,
            format!("'{written}' is not a version, expected one such as 1.2.0; it is ignored"),
        )
        .help
        .push("give a version of three numbers, so that others can require a range of it".to_owned());
    }
    version
}

/// Collects the strings of an array, each once, in order; other items are reported.
fn words(sink: &mut Sink, pointer: &str, value: Option<&Value>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (index, item) in value.and_then(Value::as_array).into_iter().flatten().enumerate() {
        match item.as_str() {
            Some("") => {}
            Some(word) if words.iter().any(|known| known == word) => {}
            Some(word) => words.push(word.to_owned()),
            None => {
                sink.warn(
                    "RTT-M010",
                    &format!("{pointer}/{index}"),
                    format!("ignored: of type {}, expected a string", crate::json::type_name(item)),
                )
                .help
                .push("put it in quotation marks".to_owned());
            }
        }
    }
    words
}

/// Keeps members for `metadata`, as they are.
fn keep(metadata: &mut Map<String, Value>, value: &Value, keys: &[&str]) {
    for key in keys {
        if let Some(member) = value.get(key).filter(|member| !member.is_null()) {
            metadata.insert((*key).to_owned(), member.clone());
        }
    }
}

/// Reads the older names of service quality. A throughput in calls per second has no size, so it stays metadata.
fn older_qos(value: Option<&Value>, manifest: &mut Manifest) {
    let Some(qos) = value else { return };
    let positive = |key: &str| qos.get(key).and_then(Value::as_f64).filter(|number| *number > 0.0);
    manifest.qos.latency_ms = positive("latency_budget_ms").or_else(|| positive("latency_ms"));
    manifest.qos.throughput_mbps = positive("throughput_mbps");
    keep(&mut manifest.metadata, qos, &["throughput_qps"]);
}

/// Turns a URL into `host:port`, with the scheme's port where it names none; `None` if it is no such URL.
fn host_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let default = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => 80,
        "https" | "wss" => 443,
        "grpc" | "tcp" => 0,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let with_port = match authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => authority.to_owned(),
        _ => format!("{authority}:{default}"),
    };
    super::check::is_host_port(&with_port).then_some(with_port)
}
