//! MCP registry entries: a `server.json`, its wrapper `{"server": …, "_meta": …}`, or a list `{"servers": […]}`.

use serde_json::Value;

use super::{UNVERSIONED, blank, host_port, keep, names, text, version};
use crate::json::push_token;
use crate::lane::Lane;
use crate::manifest::read::Sink;
use crate::manifest::{Form, Manifest, Protocol, ProtocolName};

pub(super) fn convert(sink: &mut Sink, pointer: &str, document: &Value) {
    if let Some(entries) = document.get("servers").and_then(Value::as_array) {
        let at = push_token(pointer, "servers");
        for (index, entry) in entries.iter().enumerate() {
            convert(sink, &format!("{at}/{index}"), entry);
        }
        return;
    }
    if let Some(server) = document.get("server").filter(|server| server.is_object()) {
        return convert(sink, &push_token(pointer, "server"), server);
    }
    let Some(name) = text(document, "name") else {
        sink.error("RTT-M009", pointer, "a server entry without 'name', expected one to derive the symbol from")
            .help
            .push("add \"name\": \"io.github.user/server\"".to_owned());
        return;
    };
    let written =
        text(document, "version").or_else(|| document.get("version_detail").and_then(|detail| text(detail, "version")));
    let version = version(sink, &push_token(pointer, "version"), written).unwrap_or(UNVERSIONED);
    let mut manifest = blank(names::namespaced("mcp", name), version);
    manifest.description = text(document, "description").unwrap_or_default().to_owned();
    manifest.provides.protocol = Some(Protocol { name: ProtocolName::Mcp, version: None });
    transports(document, &mut manifest);
    keep(&mut manifest.metadata, document, &["name", "title", "repository", "websiteUrl"]);
    sink.converted(manifest, Form::McpRegistry, pointer);
}

/// Takes the first package that is started as a child process, and the first remote that can be dialled.
fn transports(document: &Value, manifest: &mut Manifest) {
    let list = |key: &str| document.get(key).and_then(Value::as_array).into_iter().flatten();
    for package in list("packages") {
        let kind = package.get("transport").and_then(|transport| text(transport, "type")).unwrap_or("stdio");
        if kind == "stdio" && manifest.endpoint.stdio.is_none() {
            manifest.provides.lanes.push(Lane::Stdio);
            manifest.endpoint.stdio = command(package);
        }
    }
    for remote in list("remotes") {
        if let Some(address) = text(remote, "url").and_then(host_port)
            && manifest.endpoint.tcp.is_none()
        {
            manifest.provides.lanes.push(Lane::Tcp);
            manifest.endpoint.tcp = Some(address);
        }
    }
    manifest.provides.lanes.sort_unstable();
    manifest.provides.lanes.dedup();
}

/// The command line that starts a package; `None` if its kind has no known runner.
fn command(package: &Value) -> Option<Vec<String>> {
    let either = |new: &str, old: &str| text(package, new).or_else(|| text(package, old));
    let identifier = either("identifier", "name")?;
    let version = text(package, "version");
    let pinned = |separator: &str| {
        version.map_or_else(|| identifier.to_owned(), |version| format!("{identifier}{separator}{version}"))
    };
    let (runner, fixed, what) = match either("registryType", "registry_name")? {
        "npm" => ("npx", vec!["-y"], pinned("@")),
        "pypi" => ("uvx", vec![], pinned("==")),
        "nuget" => ("dnx", vec![], pinned("@")),
        "oci" | "docker" => (
            "docker",
            vec!["run", "-i", "--rm"],
            if identifier.contains(':') { identifier.to_owned() } else { pinned(":") },
        ),
        _ => return None,
    };
    let mut words = vec![either("runtimeHint", "runtime_hint").unwrap_or(runner).to_owned()];
    words.extend(fixed.into_iter().map(str::to_owned));
    let given = |new: &str, old: &str| package.get(new).or_else(|| package.get(old)).and_then(Value::as_array);
    for argument in given("runtimeArguments", "runtime_arguments").into_iter().flatten().flat_map(arguments) {
        // A hint such as -y that is written out as well would come twice.
        if !words.contains(&argument) {
            words.push(argument);
        }
    }
    words.push(what);
    words.extend(given("packageArguments", "package_arguments").into_iter().flatten().flat_map(arguments));
    Some(words)
}

/// The words of one argument whose value is fixed; one that the user must fill in gives none.
fn arguments(argument: &Value) -> Vec<String> {
    let value = text(argument, "value").or_else(|| text(argument, "default"));
    let name = text(argument, "name").filter(|_| text(argument, "type") == Some("named"));
    match (name, value) {
        (Some(name), Some(value)) => vec![name.to_owned(), value.to_owned()],
        (Some(name), None) if argument.get("isRequired").is_none() => vec![name.to_owned()],
        (None, Some(value)) => vec![value.to_owned()],
        _ => Vec::new(),
    }
}
