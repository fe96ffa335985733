//! One server as an agent: its manifest, and the definitions of its tools as they are pinned.

use std::collections::BTreeMap;

use rtt_core::diagnostic::{Diagnostic, Place, Severity};
use rtt_core::digest::Digest;
use rtt_core::json;
use rtt_core::manifest::{self, Form, Manifest, foreign};
use rtt_core::symbol::Symbol;
use rtt_core::workspace::layout;
use serde_json::{Map, Value, json};

use super::names;

/// What a tool list may say of a tool besides what a method holds.
const KEPT: [&str; 2] = ["title", "annotations"];

/// A server that was found.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Whose it is, as it was given.
    pub(super) provider: String,
    /// Its name as it was found.
    pub(super) name: String,
    /// It as an agent.
    pub(super) manifest: Manifest,
}

/// How a server is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) provider: &'a str,
    pub(super) name: &'a str,
}

impl Identity<'_> {
    /// Returns the symbol `mcp.<provider>.<server>`.
    pub(super) fn symbol(self) -> Result<Symbol, Box<Diagnostic>> {
        let segments = names::to_segment(self.provider).zip(names::to_segment(self.name));
        let symbol = segments.and_then(|(provider, name)| format!("mcp.{provider}.{name}").parse().ok());
        symbol.ok_or_else(|| {
            let (provider, name) = (self.provider, self.name);
            let message = format!("no symbol can be made of the provider '{provider}' and the server '{name}'");
            let help =
                "give names that are not empty and together no longer than about 150 characters: PROVIDER and --server";
            Box::new(Diagnostic::error("RTT-I001", message).help(help))
        })
    }
}

impl Server {
    /// Takes a manifest that was read of a server; its own symbol gives way to that of its identity.
    pub(super) fn new(
        identity: Identity,
        mut manifest: Manifest,
        about: Map<String, Value>,
    ) -> Result<Self, Box<Diagnostic>> {
        manifest.symbol = identity.symbol()?;
        let mut mcp = json!({"provider": identity.provider, "server": identity.name});
        mcp.as_object_mut().expect("just made").extend(about);
        manifest.metadata = [("mcp".to_owned(), mcp)].into_iter().collect();
        Ok(Self { provider: identity.provider.to_owned(), name: identity.name.to_owned(), manifest })
    }

    /// Returns where its manifest is kept.
    pub(super) fn path(&self) -> String {
        path_of(&self.manifest.symbol)
    }

    /// Returns its manifest as it is written.
    pub(super) fn text(&self) -> String {
        json::pretty(&self.manifest)
    }

    /// Returns the definition of each tool.
    pub(super) fn definitions(&self) -> BTreeMap<String, Value> {
        definitions(&self.manifest)
    }

    /// Reads the manifest as stage 10 will; what that says is said here already.
    pub(super) fn check(&self) -> Vec<Diagnostic> {
        let text = self.text();
        let mut reading = manifest::read(&self.path(), text.as_bytes());
        for finding in &mut reading.diagnostics {
            if let Some(place) = &mut finding.place {
                place.resolve(&text);
            }
        }
        reading.diagnostics
    }
}

/// Returns where the manifest of a server is kept.
pub(super) fn path_of(symbol: &Symbol) -> String {
    format!("{}/{symbol}.json", layout::MANIFESTS)
}

/// Returns what is pinned of each tool in a manifest of ours: method, title and annotations.
pub(super) fn definitions(manifest: &Manifest) -> BTreeMap<String, Value> {
    let kept = manifest.metadata.get("mcp").and_then(|mcp| mcp.get("tools"));
    let of = |(name, method): (&String, &manifest::Method)| {
        let mut definition = serde_json::to_value(method).expect("methods have string keys and finite numbers");
        if let Some(Value::Object(more)) = kept.and_then(|kept| kept.get(name)) {
            definition.as_object_mut().expect("a method is an object").extend(more.clone());
        }
        (name.clone(), definition)
    };
    manifest.provides.methods.iter().map(of).collect()
}

/// Returns the digest of a definition.
pub(super) fn digest(definition: &Value) -> Digest {
    Digest::of_json(definition)
}

/// A list of tools that was read.
pub(super) struct Listed {
    /// What the document calls the server.
    pub(super) name: String,
    pub(super) manifest: Manifest,
    /// What goes into the manifest's `metadata.mcp`.
    pub(super) about: Map<String, Value>,
}

/// Reads the lists of tools in a document; what is of another form is refused.
pub(super) fn read_lists(file: &str, bytes: &[u8], findings: &mut Vec<Diagnostic>) -> Vec<Listed> {
    let mut reading = manifest::read(file, bytes);
    let text = String::from_utf8_lossy(bytes);
    for finding in &mut reading.diagnostics {
        if let Some(place) = &mut finding.place {
            place.resolve(&text);
        }
    }
    let has_errors = reading.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    findings.extend(reading.diagnostics);
    if has_errors {
        return Vec::new();
    }
    let document = json::parse(bytes).expect("it was just read");
    let mut lists = Vec::new();
    for sourced in reading.manifests {
        if sourced.form != Form::McpTools {
            let help = match sourced.form {
                Form::McpConfig => format!("ask its servers: rtt-mcp-ingest PROVIDER --config '{file}'"),
                _ => "stage 10 reads manifests of other forms by itself: put it into providers/".to_owned(),
            };
            findings.push(
                Diagnostic::error("RTT-I002", "not a list of tools, expected the answer to tools/list or its 'tools'")
                    .at(Place::value(file, &text, &sourced.pointer))
                    .help(help),
            );
            continue;
        }
        let list = foreign::tool_list(file, document.pointer(&sourced.pointer).expect("the manifest was read there"));
        let about = about_tools(list.tools);
        lists.push(Listed { name: list.server.to_owned(), manifest: sourced.manifest, about });
    }
    lists
}

/// Keeps what methods have no place for.
fn about_tools(tools: &[Value]) -> Map<String, Value> {
    let mut kept = Map::new();
    for tool in tools.iter().map(foreign::definition) {
        let Some(name) = tool.get("name").and_then(Value::as_str) else { continue };
        let said: Map<String, Value> = KEPT
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), tool.get(*key).filter(|value| !value.is_null())?.clone())))
            .collect();
        if !said.is_empty() && !kept.contains_key(name) {
            kept.insert(name.to_owned(), Value::Object(said));
        }
    }
    if kept.is_empty() { kept } else { [("tools".to_owned(), Value::Object(kept))].into_iter().collect() }
}
