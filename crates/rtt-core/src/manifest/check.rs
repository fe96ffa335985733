//! Checks of a manifest that its schema cannot express.
//!
//! Two layers: [`spellings`] and [`schemas_of`] look at the document before it is typed, so that a bad version is
//! found together with everything else; [`check`] and [`converted`] look at the typed manifest.
//!
//! # Rules
//!
//! The stable identifiers of everything that stage 10 reports.
//!
//! | rule | what it finds | where |
//! |---|---|---|
//! | RTT-M001 | bytes that are not one JSON document | `read` |
//! | RTT-M002 | a violation of the manifest schema | `read` |
//! | RTT-M003 | an unknown key | `read` |
//! | RTT-M004 | a version, a range or an error code that is not spelt as one | here |
//! | RTT-M005 | a symbol required twice, or by itself | here |
//! | RTT-M006 | an endpoint that cannot be used, or that does not fit the lanes offered | `endpoint` |
//! | RTT-M007 | method parameters or results that are no JSON Schema | `method` |
//! | RTT-M008 | a document that is no manifest | `read` |
//! | RTT-M009 | a document of a foreign form that cannot become a manifest | `foreign` |
//! | RTT-M010 | what a foreign form leaves open or gets wrong, and what is made of it | `foreign` |
//! | RTT-M011 | one instance declared twice alike | [`crate::registry`] |
//! | RTT-M012 | one instance declared twice differently | [`crate::registry`] |
//! | RTT-M013 | several versions of a singleton | [`crate::registry`] |
//! | RTT-M014 | a file that cannot be read, or a link that is not followed | [`crate::stage::scan`] |
//! | RTT-M015 | a file name that is not Unicode | [`crate::stage::scan`] |
//! | RTT-M016 | no manifests at all | [`crate::stage::scan`] |
//! | RTT-M017 | a placeholder that nothing filled in | here, `endpoint`, `wording` |
//! | RTT-M018 | an endpoint on a host that is reserved for examples | `endpoint` |
//! | RTT-M019 | a name or a text with characters that nobody sees | `wording` |
//! | RTT-M020 | a tool that is defined otherwise than before under the same version | [`crate::stage::scan`] |
//!
//! # Placeholders
//!
//! `${NAME}`, `{{name}}`, `%NAME%` and `<your-name>` are what templates leave behind. An address, a socket's name, a
//! version or a command that holds one can never work: an error. In a description or a capability one may be meant: a
//! warning. No stage and no connector expands variables, but the arguments of a command belong to the program that gets
//! them (`sh -c 'exec tsdb --dir ${HOME}'`): there `${NAME}` and `%NAME%` pass, and the others are a warning.
//!
//! # Foreign forms
//!
//! Documents of foreign forms were not written for this pipeline, and their authors may be far away: RTT-M017, M018 and
//! M019 are never more than warnings there.

mod endpoint;
mod method;
mod wording;

pub(super) use endpoint::is_host_port;
pub(super) use method::{schema_problems, schemas_of};

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value;

use super::read::Sink;
use super::{Manifest, Requirement};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::json::push_token;
use crate::text;
use crate::version::Range;

/// Checks one manifest; `file`, `text` and `pointer` say where it stands.
pub fn check(file: &str, text: &str, pointer: &str, manifest: &Manifest) -> Vec<Diagnostic> {
    let mut findings = Findings { file, text, pointer, found: Vec::new() };
    meaning(&mut findings, manifest);
    endpoint::lanes(&mut findings, manifest);
    findings.found
}

/// Checks a manifest made from a foreign form; places are pointers into the manifest, since it stands in no file.
///
/// The lanes were chosen by the conversion, so what they lack is not the document's fault.
pub(super) fn converted(file: &str, manifest: &Manifest) -> Vec<Diagnostic> {
    let mut findings = Findings { file, text: "", pointer: "", found: Vec::new() };
    meaning(&mut findings, manifest);
    for finding in &mut findings.found {
        if matches!(finding.rule, "RTT-M017" | "RTT-M018" | "RTT-M019") {
            finding.severity = finding.severity.max(Severity::Warning);
        }
    }
    findings.found
}

/// What is found in one manifest, and how its places are found.
struct Findings<'a> {
    file: &'a str,
    text: &'a str,
    pointer: &'a str,
    found: Vec<Diagnostic>,
}

impl Findings<'_> {
    /// Reports something about the value of a member, given by its pointer in the manifest.
    fn value(&mut self, member: &str, finding: Diagnostic) {
        let place = self.place(member);
        self.found.push(finding.at(place));
    }

    /// Reports something about the key of a member.
    fn key(&mut self, member: &str, finding: Diagnostic) {
        let place = Place::key(self.file, self.text, &format!("{}{member}", self.pointer));
        self.found.push(finding.at(place));
    }

    fn place(&self, member: &str) -> Place {
        Place::value(self.file, self.text, &format!("{}{member}", self.pointer))
    }
}

fn meaning(findings: &mut Findings, manifest: &Manifest) {
    for finding in wording::description(&manifest.description) {
        findings.value("/description", finding);
    }
    capabilities(findings, "/provides", &manifest.provides.capabilities);
    method::check(findings, "/provides", &manifest.provides.methods);
    requirements(findings, manifest);
    endpoint::check(findings, &manifest.endpoint);
}

fn capabilities(findings: &mut Findings, owner: &str, capabilities: &[String]) {
    for (index, capability) in capabilities.iter().enumerate() {
        for finding in wording::capability(capability) {
            findings.value(&format!("{owner}/capabilities/{index}"), finding);
        }
    }
}

fn requirements(findings: &mut Findings, manifest: &Manifest) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, Requirement { symbol, capabilities: needed, methods, .. }) in manifest.requires.iter().enumerate() {
        let owner = format!("/requires/{index}");
        if let Some(earlier) = first.get(symbol.as_str()) {
            let earlier = findings.place(&format!("/requires/{earlier}/symbol"));
            let finding =
                Diagnostic::error("RTT-M005", format!("'{symbol}' is required twice, expected each symbol once"))
                    .help("join the two requirements into one with a range that satisfies both")
                    .related(earlier, "required here first");
            findings.value(&format!("{owner}/symbol"), finding);
        } else {
            first.insert(symbol.as_str(), index);
        }
        if *symbol == manifest.symbol {
            let finding = Diagnostic::error("RTT-M005", format!("'{symbol}' requires itself, expected another symbol"));
            findings.value(&format!("{owner}/symbol"), finding.help("remove the requirement"));
        }
        capabilities(findings, &owner, needed);
        method::check(findings, &owner, methods);
    }
}

/// Checks that versions, ranges and error codes in a document are spelt as ones, as far as they are of the right type.
pub(super) fn spellings(sink: &mut Sink, pointer: &str, manifest: &Value) {
    for member in ["/version", "/provides/protocol/version"] {
        if let Some(text) = spelt(manifest, member) {
            version(sink, &format!("{pointer}{member}"), text);
        }
    }
    error_codes(sink, pointer, "/provides", manifest);
    for (index, requirement) in manifest.get("requires").and_then(Value::as_array).into_iter().flatten().enumerate() {
        for member in ["/version", "/protocol/version"] {
            if let Some(text) = spelt(requirement, member) {
                range(sink, &format!("{pointer}/requires/{index}{member}"), text);
            }
        }
        error_codes(sink, pointer, &format!("/requires/{index}"), manifest);
    }
}

/// The text of a member; an empty one is the schema's to report.
fn spelt<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.pointer(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn version(sink: &mut Sink, at: &str, text: &str) {
    let Err(error) = text.parse::<Version>() else { return };
    if unfilled(sink, at, text, "a version", "1.2.0") {
        return;
    }
    let message = format!("'{text}' is not a version ({error}), expected three numbers as in 1.2.0 (semver 2.0)");
    let meant = super::foreign::lenient_version(text).unwrap_or(Version::new(1, 0, 0));
    sink.error("RTT-M004", at, message).help.push(format!("write \"{meant}\""));
}

fn range(sink: &mut Sink, at: &str, text: &str) {
    let Err(error) = text.parse::<Range>() else { return };
    if !unfilled(sink, at, text, "a version range", "^1.2") {
        let help = "separate several comparators by commas; there is no 'or'".to_owned();
        sink.error("RTT-M004", at, error.to_string()).help.push(help);
    }
}

/// Reports a placeholder in the place of what is expected; tells whether there is one.
fn unfilled(sink: &mut Sink, at: &str, written: &str, expected: &str, example: &str) -> bool {
    let Some(placeholder) = text::placeholders(written).next() else { return false };
    let message = format!("'{written}' is not {expected}: nothing filled in the placeholder '{placeholder}'");
    sink.error("RTT-M017", at, message).help.push(format!("write what it stands for, for example \"{example}\""));
    true
}

/// JSON Schema takes `-32001.0` for an integer; not every reader does.
fn error_codes(sink: &mut Sink, pointer: &str, owner: &str, manifest: &Value) {
    let owner = format!("{owner}/methods");
    for (name, method) in manifest.pointer(&owner).and_then(Value::as_object).into_iter().flatten() {
        for (index, error) in method.get("errors").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let Some(code) = error.get("code").filter(|code| code.is_f64()) else { continue };
            // One with a fraction, or beyond what a double counts exactly, is the schema's to report.
            if let Some(whole) = code.as_f64().filter(|code| code.fract() == 0.0 && code.abs() < 9e15) {
                let at = format!("{pointer}{}/errors/{index}/code", push_token(&owner, name));
                let message = format!("the error code is {code}, expected an integer without a fraction");
                sink.error("RTT-M004", &at, message).help.push(format!("write {whole:.0}"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
