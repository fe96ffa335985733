//! The older agent form, `{"id", "name", "desc", "io", "caps" or "capabilities", "rtt_saddr", "qos", "version"}`.

use serde_json::Value;

use super::{keep, names, older_qos, rtt_v1, text, words};
use crate::json::push_token;
use crate::manifest::Form;
use crate::manifest::read::Sink;

pub(super) fn convert(sink: &mut Sink, pointer: &str, agent: &Value) {
    let at = |key: &str| push_token(pointer, key);
    let written = text(agent, "version");
    let manifest = if let Some(address) = text(agent, "rtt_saddr") {
        rtt_v1::identify(sink, &at("rtt_saddr"), address, &at("version"), written)
    } else {
        let Some((key, id)) = ["id", "symbol", "name"].iter().find_map(|key| text(agent, key).map(|id| (*key, id)))
        else {
            sink.error("RTT-M009", pointer, "an agent without identity, expected 'rtt_saddr', 'id' or 'name'")
                .help
                .push("add \"rtt_saddr\": \"rtt://agent/api/name@1.0.0\"".to_owned());
            return;
        };
        // The older tools derived the address of an agent without one in this way.
        let symbol = id.parse().unwrap_or_else(|_| names::symbol("agent.api", id));
        let version = super::version(sink, &at("version"), written).unwrap_or_else(|| {
            sink.note("RTT-M010", &at(key), format!("'{id}' names no version; 1.0.0 is used"));
            semver::Version::new(1, 0, 0)
        });
        Some(super::blank(symbol, version))
    };
    let Some(mut manifest) = manifest else { return };
    manifest.description =
        ["desc", "description", "name"].iter().find_map(|key| text(agent, key)).unwrap_or_default().to_owned();
    let key = if agent.get("caps").is_some() { "caps" } else { "capabilities" };
    manifest.provides.capabilities = words(sink, &at(key), agent.get(key));
    older_qos(agent.get("qos"), &mut manifest);
    manifest.language = text(agent, "lang").or_else(|| text(agent, "language")).map(str::to_ascii_lowercase);
    keep(&mut manifest.metadata, agent, &["id", "name", "io"]);
    sink.converted(manifest, Form::RttAgent, pointer);
}
