//! The older RTT form, `{"symbol": {"saddr": "rtt://core/api/metrics@1.0.0#prom", …}}`.
//!
//! Some writers put `qos`, `tags`, `provides` and `requires` beside `symbol` instead of inside; both are read.

use semver::Version;
use serde_json::Value;

use super::{blank, keep, names, older_qos, text, version, words};
use crate::json::push_token;
use crate::lane::Lane;
use crate::manifest::read::Sink;
use crate::manifest::{Form, Manifest, Requirement};
use crate::symbol::{Symbol, SymbolRange, from_address};
use crate::version::Range;

pub(super) fn convert(sink: &mut Sink, pointer: &str, document: &Value) {
    let inner = push_token(pointer, "symbol");
    let symbol = &document["symbol"];
    let member = |key: &str| symbol.get(key).or_else(|| document.get(key));
    let at = |key: &str| push_token(if symbol.get(key).is_some() { &inner } else { pointer }, key);

    let Some(address) = text(symbol, "saddr") else {
        sink.error("RTT-M009", &inner, "missing key 'saddr', expected the agent's address")
            .help
            .push("add \"saddr\": \"rtt://core/api/metrics@1.0.0\"".to_owned());
        return;
    };
    let written = member("version").and_then(Value::as_str);
    let Some(mut manifest) = identify(sink, &at("saddr"), address, &at("version"), written) else { return };
    manifest.description = ["description", "desc", "name"]
        .iter()
        .find_map(|key| member(key).and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned();
    let consumes_only = member("direction").and_then(Value::as_str) == Some("consumer");
    if !consumes_only {
        manifest.provides.capabilities = words(sink, &at("capabilities"), member("capabilities"));
        for offered in words(sink, &at("provides"), member("provides")) {
            if !manifest.provides.capabilities.contains(&offered) {
                manifest.provides.capabilities.push(offered);
            }
        }
    }
    requires(sink, &at("requires"), member("requires"), &mut manifest);
    older_qos(member("qos"), &mut manifest);
    if let Some(tags) = member("tags") {
        manifest.language = text(tags, "lang").map(str::to_ascii_lowercase);
        if !consumes_only && tags.get("supports_shm").and_then(Value::as_bool) == Some(true) {
            manifest.provides.lanes = vec![Lane::Shm, Lane::Uds, Lane::Tcp];
        }
        let amount = |key: &str| tags.get(key).and_then(Value::as_f64).filter(|amount| *amount >= 0.0);
        manifest.resources.cpu = amount("cpu_weight");
        manifest.resources.memory_mb = amount("mem_mb");
        keep(&mut manifest.metadata, document, &["tags"]);
    }
    let kept = ["type", "direction", "inputs", "outputs", "version_set", "auth", "tags"];
    keep(&mut manifest.metadata, symbol, &kept);
    sink.converted(manifest, Form::RttSymbol, pointer);
}

/// Starts a manifest from an `rtt://` address and a version beside it; `None` if that failed and was reported.
pub(super) fn identify(
    sink: &mut Sink,
    address_at: &str,
    address: &str,
    version_at: &str,
    written: Option<&str>,
) -> Option<Manifest> {
    let Some(dotted) = from_address(address) else {
        sink.error(
            "RTT-M009",
            address_at,
            format!("'{address}' is not an address, expected one that begins with rtt://"),
        )
        .help
        .push("for example rtt://core/api/metrics@1.0.0".to_owned());
        return None;
    };
    let (name, in_address) =
        dotted.split_once('@').map_or((dotted.as_str(), None), |(name, version)| (name, Some(version)));
    let symbol: Symbol = match name.parse() {
        Ok(symbol) => symbol,
        Err(_) => {
            let symbol = names::namespaced("agent", name);
            sink.warn("RTT-M010", address_at, format!("'{address}' has no legal symbol; '{symbol}' is used instead"))
                .help
                .push("expected two or more segments of lower-case letters, digits, '-' and '_'".to_owned());
            symbol
        }
    };
    let beside = version(sink, version_at, written);
    let in_address = version(sink, address_at, in_address);
    if let (Some(beside), Some(in_address)) = (&beside, &in_address)
        && beside != in_address
    {
        sink.warn(
            "RTT-M010",
            version_at,
            format!("version {beside} differs from {in_address} in the address, which is used"),
        )
        .help
        .push("give the version once".to_owned());
    }
    let version = in_address.or(beside).unwrap_or_else(|| {
        sink.note("RTT-M010", address_at, format!("'{address}' names no version; 1.0.0 is used"));
        Version::new(1, 0, 0)
    });
    Some(blank(symbol, version))
}

/// Reads requirements written as addresses or symbols, each with a range if they like.
fn requires(sink: &mut Sink, at: &str, value: Option<&Value>, manifest: &mut Manifest) {
    for (index, written) in words(sink, at, value).iter().enumerate() {
        // `@1.0.0` in an address means what `^1.0.0` means elsewhere: the older planner took any compatible version.
        match written.parse::<SymbolRange>() {
            Ok(SymbolRange { symbol, range }) => manifest.requires.push(requirement(symbol, range)),
            Err(error) => {
                sink.warn("RTT-M010", &format!("{at}/{index}"), format!("ignored: {error}"))
                    .help
                    .push("write the provider's symbol or its rtt:// address".to_owned());
            }
        }
    }
}

fn requirement(symbol: Symbol, version: Range) -> Requirement {
    Requirement {
        symbol,
        version,
        protocol: None,
        capabilities: Vec::new(),
        methods: Default::default(),
        optional: false,
    }
}
