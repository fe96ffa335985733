//! The desired routes as values, and the routes that they and the dependencies together ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Document;
use crate::dependency::report::Dependencies;
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::json::push_token;
use crate::lane::Lane;
use crate::lookup::Seen;
use crate::manifest::Qos;
use crate::policy::qos_of;
use crate::registry::Registry;
use crate::symbol::{InstanceId, InvalidName, SymbolRange};
use crate::text;
use crate::version::Range;
use crate::workspace::state::StateError;
use crate::workspace::{Workspace, layout};

const RULE: &str = "RTT-R001";

/// What people want.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// Dependencies that no entry covers become routes, too.
    pub auto: bool,
    /// How many plans have been applied.
    pub generation: u64,
    /// The written entries, in their order; those that stage 50 added are not among them.
    pub entries: Vec<Entry>,
    /// Digest of the desired part.
    pub digest: Digest,
    /// The document as it is.
    pub document: Arc<Document>,
    text: String,
}

/// One written entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who calls.
    pub from: SymbolRange,
    /// Who is called.
    pub to: SymbolRange,
    /// Its bounds.
    pub qos: Qos,
    /// The only lane; `None`: any.
    pub via: Option<Lane>,
    /// JSON pointer of the entry.
    pub pointer: String,
}

/// A route that is to be planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Who calls, as the plan names it.
    pub from: SymbolRange,
    /// Who is called, as the plan names it.
    pub to: SymbolRange,
    /// The instance that calls.
    pub source: InstanceId,
    /// The written bounds.
    pub qos: Qos,
    /// The only lane; `None`: any.
    pub via: Option<Lane>,
    /// Pointer of the entry; `None` for one that `auto` added.
    pub pointer: Option<String>,
    /// `auto` added it for a dependency without which the agent runs.
    pub optional: bool,
}

/// Reads the routes; where there is no file, everything is routed automatically. The findings are warnings.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn read(workspace: &Workspace) -> Result<(Desired, Vec<Diagnostic>), StateError> {
    match workspace.read_optional(layout::ROUTES)? {
        Some(bytes) => parse(&bytes),
        None => parse(super::DEFAULT.as_bytes()),
    }
}

/// Reads the bytes of the routes; the findings are warnings.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn parse(bytes: &[u8]) -> Result<(Desired, Vec<Diagnostic>), StateError> {
    let document = Document::read(Some(bytes))?;
    let text = String::from_utf8(bytes.to_vec()).expect("only UTF-8 is read");
    of(Arc::new(document), text)
}

/// Understands a document that is as its schema says; the findings are warnings, with places in `text`.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn of(document: Arc<Document>, text: String) -> Result<(Desired, Vec<Diagnostic>), StateError> {
    let mut errors = Vec::new();
    let mut warnings = misspelt(&text, "", &document.written, &["$schema", "version", "auto", "generation", "routes"]);
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = BTreeMap::new();
    for (entry, index) in document.entries().iter().zip(&document.positions) {
        let pointer = format!("/routes/{index}");
        warnings.extend(misspelt(&text, &pointer, entry, &["from", "to", "qos", "via", "lane", "auto", "status"]));
        let end = |key: &str| {
            let range = entry[key].as_str().expect("the schema demands a string").parse::<SymbolRange>();
            range.map_err(|error: InvalidName| {
                let place = Place::value(layout::ROUTES, &text, &push_token(&pointer, key));
                Box::new(Diagnostic::error(RULE, error.to_string()).at(place))
            })
        };
        match (end("from"), end("to")) {
            (Ok(from), Ok(to)) => {
                let earlier = seen.insert((from.to_string(), to.to_string()), entries.len());
                if let Some(first) = earlier.map(|earlier| &entries[earlier]) {
                    let place = |pointer: &str| Place::value(layout::ROUTES, &text, pointer);
                    errors.push(
                        Diagnostic::error(RULE, format!("the route from '{from}' to '{to}' is written twice"))
                            .at(place(&pointer))
                            .related(place(&first.pointer), "the first one")
                            .help("remove one of them"),
                    );
                }
                let lane = ["via", "lane"].into_iter().find_map(|key| entry.get(key)).and_then(Value::as_str);
                let qos = entry.get("qos").map(qos_of).unwrap_or_default();
                let via = lane.and_then(|lane| lane.parse().ok());
                entries.push(Entry { from, to, qos, via, pointer });
            }
            (from, to) => errors.extend([from.err(), to.err()].into_iter().flatten().map(|error| *error)),
        }
    }
    if !errors.is_empty() {
        errors.extend(warnings);
        return Err(StateError::Invalid(errors));
    }
    let desired = Desired {
        auto: document.written["auto"].as_bool().unwrap_or(false),
        generation: document.generation(),
        entries,
        digest: document.desired_digest(),
        document,
        text,
    };
    Ok((desired, warnings))
}

impl Desired {
    /// Returns the place of a value with line and column.
    pub fn place(&self, pointer: &str) -> Place {
        Place::value(layout::ROUTES, &self.text, pointer)
    }

    /// Returns the routes to plan: each written entry, whose source is the highest registered version in its `from`,
    /// and with `auto` one for every dependency that no entry covers. Sorted by `from`, then `to`, as text.
    ///
    /// # Errors
    /// An entry whose `from` or `to` is not registered.
    pub fn expand(&self, registry: &Registry, dependencies: &Dependencies) -> Result<Vec<Wanted>, Vec<Diagnostic>> {
        let mut wanted = Vec::new();
        let mut errors = Vec::new();
        for entry in &self.entries {
            for (key, end) in [("from", &entry.from), ("to", &entry.to)] {
                if registry.highest(end).is_none() {
                    errors.push(self.unregistered(registry, &format!("{}/{key}", entry.pointer), end));
                }
            }
            wanted.extend(registry.highest(&entry.from).map(|source| Wanted {
                from: entry.from.clone(),
                to: entry.to.clone(),
                source: source.id(),
                qos: entry.qos,
                via: entry.via,
                pointer: Some(entry.pointer.clone()),
                optional: false,
            }));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if self.auto {
            let mut seen = Seen::default();
            // An agent's edges follow each other.
            let mut source: Option<(&InstanceId, SymbolRange)> = None;
            let mut by_ends: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
            for entry in &self.entries {
                by_ends.entry((&entry.from.symbol, &entry.to.symbol)).or_default().push(entry);
            }
            for edge in &dependencies.edges {
                let between = by_ends.get(&(&edge.from.symbol, &edge.symbol));
                let covered = between.is_some_and(|all| all.iter().any(|entry| entry.from.contains(&edge.from)));
                if !covered && seen.insert((&edge.from, &edge.symbol)) {
                    let any =
                        |symbol: &crate::symbol::Symbol| SymbolRange { symbol: symbol.clone(), range: Range::any() };
                    let from = match source.take().filter(|(of, _)| **of == edge.from) {
                        Some((_, from)) => from,
                        None => automatic_source(registry, &edge.from),
                    };
                    source = Some((&edge.from, from.clone()));
                    wanted.push(Wanted {
                        from,
                        to: any(&edge.symbol),
                        source: edge.from.clone(),
                        qos: Qos::default(),
                        via: None,
                        pointer: None,
                        optional: edge.optional,
                    });
                }
            }
        }
        wanted.sort_by(|one, other| one.from.cmp_text(&other.from).then_with(|| one.to.cmp_text(&other.to)));
        Ok(wanted)
    }

    fn unregistered(&self, registry: &Registry, pointer: &str, end: &SymbolRange) -> Diagnostic {
        let versions = registry.versions(&end.symbol);
        let finding = if versions.is_empty() {
            let known = registry.instances.iter().map(|instance| instance.manifest.symbol.as_str());
            let finding = Diagnostic::error(RULE, format!("no agent '{}' is registered", end.symbol));
            match text::nearest(end.symbol.as_str(), known) {
                Some(near) => finding.help(format!("did you mean '{near}'?")),
                None => finding.help("add its manifest and run rtt-10-scan, or remove the route"),
            }
        } else {
            let known: Vec<String> = versions.iter().map(|instance| instance.manifest.version.to_string()).collect();
            Diagnostic::error(RULE, format!("no registered version of '{}' is in {}", end.symbol, end.range))
                .help(format!("registered: {}", known.join(", ")))
        };
        finding.at(self.place(pointer))
    }
}

/// The highest version of a symbol is named by the symbol alone, another one exactly.
fn automatic_source(registry: &Registry, source: &InstanceId) -> SymbolRange {
    let symbol = source.symbol.clone();
    let is_highest = registry.versions(&symbol).last().is_none_or(|highest| highest.manifest.version == source.version);
    SymbolRange { symbol, range: if is_highest { Range::any() } else { Range::exactly(&source.version) } }
}

/// Unknown keys are kept as written, but one that is nearly a known one is probably misspelt.
fn misspelt(text: &str, pointer: &str, value: &Value, known: &[&str]) -> Vec<Diagnostic> {
    let keys = value.as_object().into_iter().flatten().map(|(key, _)| key);
    keys.filter(|key| !known.contains(&key.as_str()))
        .filter_map(|key| {
            let near = text::nearest(key, known.iter().copied())?;
            let place = Place::key(layout::ROUTES, text, &push_token(pointer, key));
            let finding = Diagnostic::warning(RULE, format!("unknown key '{key}' is ignored")).at(place);
            Some(finding.help(format!("did you mean '{near}'?")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dependency::report::Edge;

    fn registry(ids: &[&str]) -> Registry {
        let digest = Digest::of_bytes("");
        let instances: Vec<Value> = ids
            .iter()
            .map(|id| {
                let (symbol, version) = id.split_once('@').expect("an instance");
                json!({"symbol": symbol, "version": version, "origin": {"form": "canonical", "path": "a.json"},
                    "digest": digest, "interface": digest, "methods": {}})
            })
            .collect();
        let summary = json!(crate::registry::Summary::default());
        serde_json::from_value(json!({"version": "1.0.0", "fingerprint": {"generator": "", "inputs": {}},
            "selection": {"include": [], "exclude": [], "skip_invalid": false}, "sources": [],
            "summary": summary, "instances": instances}))
        .expect("a registry")
    }

    fn edges(pairs: &[(&str, &str)]) -> Dependencies {
        let edge = |(from, to): &(&str, &str)| Edge {
            from: from.parse().expect(from),
            symbol: to.parse().expect(to),
            range: Range::any(),
            optional: false,
            accepted: Vec::new(),
            refused: Vec::new(),
        };
        let fingerprint = crate::workspace::state::Fingerprint::new("test", []);
        let edges = pairs.iter().map(edge).collect();
        Dependencies { version: "1.0.0".to_owned(), fingerprint, summary: Default::default(), edges }
    }

    fn check(routes: &str, expected: &[&str]) {
        let registry = registry(&["a.x@1.0.0", "a.x@2.0.0", "b.y@1.0.0", "c.z@1.0.0"]);
        let edges = edges(&[("a.x@1.0.0", "b.y"), ("a.x@2.0.0", "b.y"), ("b.y@1.0.0", "c.z")]);
        let desired = parse(routes.as_bytes()).expect("valid").0;
        let found = match desired.expand(&registry, &edges) {
            Ok(wanted) => wanted.iter().map(|w| format!("{} > {} by {}", w.from, w.to, w.source)).collect(),
            Err(findings) => findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>(),
        };
        assert_eq!(found, expected, "{routes}");
    }

    #[test]
    fn dependencies_that_no_entry_covers_become_routes() {
        let all = ["a.x > b.y by a.x@2.0.0", "a.x@=1.0.0 > b.y by a.x@1.0.0", "b.y > c.z by b.y@1.0.0"];
        check(r#"{"auto": true, "routes": []}"#, &all);
        check(
            r#"{"auto": true, "routes": [{"from": "a.x", "to": "b.y", "auto": true, "status": {"plan": "x", "target": "b.y@1.0.0", "via": "uds"}}]}"#,
            &all,
        );
        check(r#"{"routes": []}"#, &[]);
        check(
            r#"{"auto": true, "routes": [{"from": "rtt://a/x", "to": "b.y@^1", "lane": "uds"}]}"#,
            &["a.x > b.y@^1 by a.x@2.0.0", "b.y > c.z by b.y@1.0.0"],
        );
        check(r#"{"routes": [{"from": "a.x", "to": "b.q"}]}"#, &["no agent 'b.q' is registered"]);
        check(r#"{"routes": [{"from": "a.x@^3", "to": "b.y"}]}"#, &["no registered version of 'a.x' is in ^3"]);
    }

    #[test]
    fn mistakes_are_found() {
        let messages = |text: &str| match parse(text.as_bytes()) {
            Ok((_, findings)) => findings,
            Err(StateError::Invalid(findings)) => findings,
            Err(error) => panic!("{error}"),
        };
        let first = |text: &str| messages(text)[0].message.clone();
        assert_eq!(first(r#"{"rotues": 1, "routes": []}"#), "unknown key 'rotues' is ignored");
        assert!(messages(r#"{"note": 1, "routes": []}"#).is_empty());
        assert!(first(r#"{"routes": [{"from": "a.x", "to": "B"}]}"#).contains("to"));
        let twice = r#"{"routes": [{"from": "a.x", "to": "b.y"}, {"from": "rtt://a/x", "to": "b.y"}]}"#;
        assert_eq!(first(twice), "the route from 'a.x' to 'b.y' is written twice");
    }
}
