//! The symbol registry, stage 10's output: every valid instance, where it came from, and digests of its interface.
//!
//! Owns what happens when two places declare the same instance. Resolves no requirement and reads no file.

pub mod digests;
pub mod file;
mod line;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::manifest::{Form, Manifest, Sourced};
use crate::symbol::{InstanceId, Symbol, SymbolRange};
use crate::workspace::layout;
use crate::workspace::state::Fingerprint;

/// `.rtt/cache/registry.json` (`schemas/rtt.registry.schema.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    /// Format version.
    pub version: String,
    /// What it was made from.
    pub fingerprint: Fingerprint,
    /// The options that chose the sources, so that later stages can tell whether the same files are there.
    pub selection: Selection,
    /// Every file read, by path.
    pub sources: Vec<Source>,
    /// Counts.
    pub summary: Summary,
    /// The instances, sorted by symbol and version, each once.
    pub instances: Vec<Instance>,
}

/// Which files stage 10 reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only files that match one of these; empty: all.
    pub include: Vec<String>,
    /// No file that matches one of these.
    pub exclude: Vec<String>,
    /// Leave invalid manifests out instead of failing.
    pub skip_invalid: bool,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Relative to the root.
    pub path: String,
    /// Its content.
    pub sha256: String,
}

/// Counts over the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Distinct symbols.
    pub symbols: usize,
    /// Instances.
    pub instances: usize,
    /// Methods of all instances.
    pub methods: usize,
    /// Requirements of all instances.
    pub requirements: usize,
    /// Instances that two places declare differently.
    pub collisions: usize,
    /// Files that were left out as invalid.
    #[serde(default)]
    pub invalid: usize,
    /// Instances by the form in which they were written.
    pub by_form: BTreeMap<Form, usize>,
}

/// One registered version of a symbol; in the file, its members stand beside those of its manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "line::Line")]
pub struct Instance {
    /// Its manifest in the canonical form.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Where it came from.
    pub origin: Origin,
    /// Digest of the manifest, see [`digests`].
    pub digest: Digest,
    /// Digest of the interface: protocol and methods.
    pub interface: Digest,
    /// Digest of each method; those of MCP tools are pinned.
    pub methods: BTreeMap<String, Digest>,
}

/// Where an instance came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// In which form it was written.
    pub form: Form,
    /// The first file in path order that declares it.
    pub path: String,
    /// Where in that file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// Other places that declare the same, each a path, with `#` and a JSON pointer where it is a part of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl Instance {
    /// Returns `symbol@version`.
    pub fn id(&self) -> InstanceId {
        self.manifest.id()
    }
}

impl Registry {
    /// Returns the digest of what is registered, all but [`Instance::origin`]: so a plan does not change with the place of
    /// a manifest. Whatever is changed in a line of the file changes it.
    pub fn content(&self) -> Digest {
        let digest = |instance: &Instance| {
            let Instance { manifest, digest, interface, methods, origin: _ } = instance;
            Digest::of_bytes(
                serde_json::to_vec(&(manifest, digest, interface, methods)).expect("string keys and finite numbers"),
            )
        };
        let digests: Vec<Digest> = self.instances.par_iter().with_min_len(64).map(digest).collect();
        Digest::of_bytes(digests.iter().flat_map(|digest| *digest.bytes()).collect::<Vec<u8>>())
    }

    /// Returns an instance.
    pub fn get(&self, id: &InstanceId) -> Option<&Instance> {
        let position = self.instances.binary_search_by(|instance| {
            (&instance.manifest.symbol, &instance.manifest.version).cmp(&(&id.symbol, &id.version))
        });
        position.ok().map(|index| &self.instances[index])
    }

    /// Returns all versions of a symbol, lowest first; empty if there is none.
    pub fn versions(&self, symbol: &Symbol) -> &[Instance] {
        let start = self.instances.partition_point(|instance| instance.manifest.symbol < *symbol);
        let length = self.instances[start..].partition_point(|instance| instance.manifest.symbol == *symbol);
        &self.instances[start..start + length]
    }

    /// Returns the highest version in a range.
    pub fn highest(&self, wanted: &SymbolRange) -> Option<&Instance> {
        self.versions(&wanted.symbol).iter().rev().find(|instance| wanted.range.contains(&instance.manifest.version))
    }
}

/// What came of bringing manifests together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// The instances, sorted by symbol and version, each once.
    pub instances: Vec<Instance>,
    /// How many declarations differ from the one that was registered.
    pub collisions: usize,
    /// Duplicates, collisions, and singletons with several versions.
    pub diagnostics: Vec<Diagnostic>,
}

/// Tells whether a source is an object of the store: it stands for what files in folders may declare as well, and gives
/// way to them.
pub fn is_stored(path: &str) -> bool {
    path.strip_prefix(layout::OBJECTS).is_some_and(|rest| rest.starts_with('/'))
}

/// Brings the manifests of all files together. `manifests` come in path order, those of the store last, those of one file
/// in its order; of several that declare one instance differently, the first is registered.
pub fn collect(manifests: impl IntoIterator<Item = Sourced>) -> Collected {
    let mut collected = Collected::default();
    let mut instances: BTreeMap<InstanceId, (Instance, Place)> = BTreeMap::new();
    for sourced in manifests {
        let place = sourced.place.clone();
        let instance = Instance::new(sourced);
        let id = instance.id();
        match instances.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert((instance, place));
            }
            Entry::Occupied(mut entry) => {
                let id = entry.key().clone();
                let (registered, first) = entry.get_mut();
                if registered.digest == instance.digest {
                    registered.origin.also.push(instance.origin.to_string());
                    if is_stored(&place.file) {
                        continue;
                    }
                    collected.diagnostics.push(
                        Diagnostic::info(
                            "RTT-M011",
                            format!("'{id}' is declared twice with the same content; it is one symbol"),
                        )
                        .at(place)
                        .related(first.clone(), "declared here first"),
                    );
                } else {
                    collected.collisions += 1;
                    let differing = differences(&registered.manifest, &instance.manifest).join(", ");
                    collected.diagnostics.push(
                        Diagnostic::warning(
                            "RTT-M012",
                            format!("symbol collision: '{id}' is declared again with other content ({differing}); {} is registered", registered.origin),
                        )
                        .at(place)
                        .related(first.clone(), "the declaration that is registered, first in path order")
                        .help("give one of the two another version, or remove it"),
                    );
                }
            }
        }
    }
    singletons(instances.values(), &mut collected.diagnostics);
    collected.instances = instances.into_values().map(|(instance, _)| instance).collect();
    collected
}

impl Instance {
    /// Registers a manifest.
    pub fn new(sourced: Sourced) -> Self {
        let Sourced { manifest, form, pointer, place } = sourced;
        let methods = digests::of_methods(&manifest.provides.methods);
        let interface = digests::of_interface(&manifest, &methods);
        let digest = digests::of_manifest(&manifest, interface);
        let origin = Origin { form, path: place.file, pointer, also: Vec::new() };
        Self { manifest, origin, digest, interface, methods }
    }
}

impl std::fmt::Display for Origin {
    /// The path, and `#` with the pointer where the declaration is a part of the file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if self.pointer.is_empty() { Ok(()) } else { write!(f, "#{}", self.pointer) }
    }
}

/// The top-level members in which two manifests differ.
fn differences(one: &Manifest, other: &Manifest) -> Vec<String> {
    let object = |manifest: &Manifest| match serde_json::to_value(manifest) {
        Ok(serde_json::Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (object(one), object(other));
    let mut names: Vec<String> =
        one.keys().chain(other.keys()).filter(|key| one.get(*key) != other.get(*key)).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// Reports symbols of which several versions are there although one of them wants to be alone.
fn singletons<'a>(instances: impl Iterator<Item = &'a (Instance, Place)>, diagnostics: &mut Vec<Diagnostic>) {
    let mut by_symbol: BTreeMap<&Symbol, Vec<&(Instance, Place)>> = BTreeMap::new();
    for entry in instances {
        by_symbol.entry(&entry.0.manifest.symbol).or_default().push(entry);
    }
    for (symbol, versions) in by_symbol {
        let Some((_, place)) = versions.iter().find(|(instance, _)| instance.manifest.singleton) else { continue };
        if versions.len() < 2 {
            continue;
        }
        let all: Vec<String> = versions.iter().map(|(instance, _)| instance.manifest.version.to_string()).collect();
        let mut finding = Diagnostic::error(
            "RTT-M013",
            format!(
                "'{symbol}' is a singleton, but {} versions are declared ({}), expected one",
                all.len(),
                all.join(", ")
            ),
        )
        .at(place.clone())
        .help("keep one version, or remove \"singleton\": true from each");
        for (instance, other) in versions.iter().filter(|(_, other)| other != place) {
            finding = finding.related(other.clone(), format!("version {} is declared here", instance.manifest.version));
        }
        diagnostics.push(finding);
    }
}

/// The longest path that fits a Unix socket address: `sun_path` has 108 bytes, one for the final NUL.
pub const MAX_SOCKET_PATH: usize = 107;

/// The longest socket file name; beyond it a name is shortened by hash. Connectors open sockets by a path relative to
/// the root where the absolute one does not fit, so this leaves room for `.rtt/sockets/` in front.
pub const MAX_SOCKET_NAME: usize = MAX_SOCKET_PATH - layout::SOCKETS.len() - 1;

/// Returns the file name of an instance's socket in `.rtt/sockets/`: as the manifest says, else `<symbol>@<version>.sock`.
pub fn socket_name(manifest: &Manifest) -> String {
    match &manifest.endpoint.uds {
        Some(name) => name.clone(),
        None => shortened(&manifest.id().to_string(), ".sock"),
    }
}

/// Returns the file name of an instance's control socket in `.rtt/sockets/`.
pub fn control_socket_name(id: &InstanceId) -> String {
    shortened(&id.to_string(), ".ctl.sock")
}

/// Joins a name and its suffix; a name that is too long becomes its head, `-` and 16 hex digits of its SHA-256.
pub fn shortened(name: &str, suffix: &str) -> String {
    if name.len() + suffix.len() <= MAX_SOCKET_NAME {
        return format!("{name}{suffix}");
    }
    let hash = &Digest::of_bytes(name).hex()[..16];
    let mut head = MAX_SOCKET_NAME - suffix.len() - hash.len() - 1;
    while !name.is_char_boundary(head) {
        head -= 1;
    }
    format!("{}-{hash}{suffix}", &name[..head])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_socket_names_are_shortened_without_clashes() {
        let long = |tail: &str| shortened(&format!("agent.{}.{tail}@1.0.0", "x".repeat(150)), ".sock");
        assert_eq!(shortened("a.b@1.0.0", ".sock"), "a.b@1.0.0.sock");
        assert_eq!(long("a").len(), MAX_SOCKET_NAME);
        assert_ne!(long("a"), long("b"));
    }
}
