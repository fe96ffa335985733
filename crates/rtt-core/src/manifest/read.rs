//! From the bytes of one file to its manifests.
//!
//! Owns the order of the checks: JSON, form, schema, spelling of versions, meaning. Nothing leaves here that the
//! manifest schema would refuse, whatever form it was written in.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::accept::accept;
use super::detect::{self, Shape};
use super::{Manifest, check, foreign};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::json::{self, ParseError, ParseErrorKind, Position, Tree};
use crate::schema::{self, Schema};

/// The form in which a manifest was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `schemas/rtt.symbol.schema.json`.
    Canonical,
    /// `{"symbol": {"saddr": …}}`.
    RttSymbol,
    /// `{"id", "name", "io", "caps", "rtt_saddr", …}`.
    RttAgent,
    /// An A2A agent card.
    A2aCard,
    /// An MCP registry `server.json`.
    McpRegistry,
    /// An MCP client configuration, `{"mcpServers": …}`.
    McpConfig,
    /// An MCP `tools/list` result.
    McpTools,
}

/// A manifest and where in the file it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced {
    /// The manifest.
    pub manifest: Manifest,
    /// In which form it was written.
    pub form: Form,
    /// JSON pointer of it in the file; empty for the whole file.
    pub pointer: String,
    /// Where its identity stands, for findings about it as a whole; not yet resolved to a line, since finding the line
    /// of each of many manifests would read the file as many times.
    pub place: Place,
}

/// What one file gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The valid manifests, in the file's order.
    pub manifests: Vec<Sourced>,
    /// Problems and notes.
    pub diagnostics: Vec<Diagnostic>,
}

impl Reading {
    /// Tells whether the file holds something that cannot be registered.
    pub fn is_invalid(&self) -> bool {
        self.diagnostics.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Reads the manifests of one file. `file` is its path relative to the root.
///
/// A file may hold one manifest of any [`Form`], an array of them, or `{"agents": […]}`. Every problem is reported;
/// a manifest with an error is left out of the result.
pub fn read(file: &str, bytes: &[u8]) -> Reading {
    read_at_a_glance(file, bytes).unwrap_or_else(|| read_thoroughly(file, bytes))
}

/// Reads a file that holds one manifest in the canonical form, about which there is nothing to say.
fn read_at_a_glance(file: &str, bytes: &[u8]) -> Option<Reading> {
    let manifest = accept(&Tree::parse(bytes)?)?;
    if !check::check(file, "", "", &manifest).is_empty() {
        return None;
    }
    let mut reading = Reading::default();
    Sink { file, text: "", reading: &mut reading }.register(manifest, Form::Canonical, "");
    Some(reading)
}

const EXPECTED: &str = "expected one JSON document in UTF-8 that holds an agent manifest";

/// What a file gives that is larger than what is read, so that nobody needs to read more than its `head`.
pub fn too_large(file: &str, size: u64, head: &[u8]) -> Reading {
    let kind = ParseErrorKind::TooLarge(usize::try_from(size).unwrap_or(usize::MAX), json::MAX_BYTES);
    let error = ParseError { kind, at: Position { line: 1, column: 1 } };
    let finding = Diagnostic::unreadable_json("RTT-M001", file, head, &error).help(EXPECTED);
    Reading { manifests: Vec::new(), diagnostics: vec![finding] }
}

/// As [`read`], with every problem in words.
pub(super) fn read_thoroughly(file: &str, bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    match json::parse(bytes) {
        Err(error) => {
            let finding = Diagnostic::unreadable_json("RTT-M001", file, bytes, &error);
            reading.diagnostics.push(finding.help(EXPECTED));
        }
        Ok(value) => {
            let text = std::str::from_utf8(bytes).expect("the strict parser accepts only UTF-8");
            read_at(&mut Sink { file, text, reading: &mut reading }, "", &value);
        }
    }
    crate::diagnostic::sort(&mut reading.diagnostics);
    reading
}

fn read_at(sink: &mut Sink, pointer: &str, value: &Value) {
    match detect::shape(value) {
        Shape::Manifest(Form::Canonical) => canonical(sink, pointer, value),
        Shape::Manifest(form) => foreign::convert(form, sink, pointer, value),
        Shape::List(token, items) => {
            let pointer = token.map_or_else(|| pointer.to_owned(), |token| json::push_token(pointer, token));
            if items.is_empty() {
                sink.note("RTT-M010", &pointer, "the list names no agent");
            }
            for (index, item) in items.iter().enumerate() {
                read_at(sink, &format!("{pointer}/{index}"), item);
            }
        }
        Shape::Other(looks_like) => {
            let path = sink.file;
            sink.error("RTT-M008", pointer, format!("not an agent manifest: this looks like {looks_like}"))
                .help.extend([
                    r#"expected a manifest, {"symbol": "agent.storage.tsdb", "version": "1.2.0", …}, or one of the accepted foreign forms (older RTT forms, an A2A agent card, an MCP server.json, mcpServers or tools list)"#.to_owned(),
                    format!("if it is no manifest, move it elsewhere or leave it out with --exclude '{path}'"),
                ]);
        }
    }
}

/// Checks and types a manifest that is already in the canonical form.
fn canonical(sink: &mut Sink, pointer: &str, value: &Value) {
    let before = sink.errors();
    // Checked without the text, since pointers are relative to the manifest, not to the file.
    for mut finding in Schema::Manifest.check("RTT-M002", sink.file, "", value) {
        let place = finding.place.take().map(|place| place.pointer).unwrap_or_default();
        let pointer = format!("{pointer}{place}");
        let about_key = schema::is_about_key(&finding);
        if finding.message.starts_with(schema::UNKNOWN_KEY) {
            (finding.rule, finding.severity) = ("RTT-M003", Severity::Warning);
        } else {
            finding.help.push(format!(
                "see {} in the manifest schema, schemas/{}",
                place_name(&place),
                Schema::Manifest.file_name()
            ));
        }
        finding.place = Some(if about_key {
            Place::key(sink.file, sink.text, &pointer)
        } else {
            Place::value(sink.file, sink.text, &pointer)
        });
        sink.reading.diagnostics.push(finding);
    }
    check::spellings(sink, pointer, value);
    if sink.errors() > before {
        // What can be said about the rest is said all the same.
        check::schemas_of(sink, pointer, value);
        return;
    }
    match serde_json::from_value::<Manifest>(value.clone()) {
        Ok(manifest) => {
            let findings = check::check(sink.file, sink.text, pointer, &manifest);
            let valid = !findings.iter().any(|finding| finding.severity == Severity::Error);
            sink.reading.diagnostics.extend(findings);
            if valid {
                sink.register(manifest, Form::Canonical, pointer);
            }
        }
        // The checks before it should have named it; a type that is stricter than they are must not hide it.
        Err(error) => {
            sink.error("RTT-M002", pointer, format!("not a valid manifest: {error}"));
        }
    }
}

fn place_name(pointer: &str) -> &str {
    if pointer.is_empty() { "the top level" } else { pointer }
}

/// Collects what one file gives.
pub(super) struct Sink<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    reading: &'a mut Reading,
}

impl Sink<'_> {
    /// Reports an error about the value at a pointer; help can be added to what is returned.
    pub(super) fn error(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic::error(rule, message), pointer)
    }

    /// Reports a warning about the value at a pointer.
    pub(super) fn warn(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic::warning(rule, message), pointer)
    }

    /// Notes something about the value at a pointer.
    pub(super) fn note(&mut self, rule: &'static str, pointer: &str, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic::info(rule, message), pointer)
    }

    fn push(&mut self, finding: Diagnostic, pointer: &str) -> &mut Diagnostic {
        let place = Place::value(self.file, self.text, pointer);
        self.reading.diagnostics.push(finding.at(place));
        self.reading.diagnostics.last_mut().expect("just pushed")
    }

    pub(super) fn errors(&self) -> usize {
        crate::diagnostic::count(&self.reading.diagnostics, Severity::Error)
    }

    /// Accepts a manifest made from a foreign form, after the same checks as one written in the canonical form.
    pub(super) fn converted(&mut self, manifest: Manifest, form: Form, pointer: &str) {
        let value = serde_json::to_value(&manifest).expect("manifests have string keys and finite numbers");
        let mut findings = Schema::Manifest.check("RTT-M009", self.file, "", &value);
        findings.extend(check::converted(self.file, &manifest));
        let valid = !findings.iter().any(|finding| finding.severity == Severity::Error);
        for finding in findings {
            let member = finding.place.as_ref().map(|place| place.pointer.clone()).unwrap_or_default();
            let finding = Diagnostic {
                message: format!("as a manifest, '{}' ({}): {}", manifest.symbol, place_name(&member), finding.message),
                ..finding
            };
            self.push(finding, pointer);
        }
        if valid {
            self.register(manifest, form, pointer);
        }
    }

    fn register(&mut self, manifest: Manifest, form: Form, pointer: &str) {
        let identity = if form == Form::Canonical { format!("{pointer}/symbol") } else { pointer.to_owned() };
        let place = Place::pointer(self.file, identity);
        self.reading.manifests.push(Sourced { manifest, form, pointer: pointer.to_owned(), place });
    }
}

#[cfg(test)]
mod tests;
