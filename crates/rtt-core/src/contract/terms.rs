//! A requirement's terms against a provider's interface: protocol, version, methods.

use serde_json::Value;

use super::{Answer, contained};
use crate::json::push_token;
use crate::manifest::{Method, ProtocolName, Provides, Requirement, SchemaText};
use crate::text;

/// Which part of a requirement is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// The protocol's name or version.
    Protocol,
    /// A method, by name.
    Method(String),
}

/// A term that is not met, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which.
    pub term: Term,
    /// False: it could not be shown either way.
    pub certain: bool,
    /// JSON pointer into the requirement.
    pub pointer: String,
    /// A clause about the provider, such as "speaks mcp, jsonrpc is required".
    pub message: String,
}

/// Compares an interface with the protocol and the methods that a requirement names; empty: it meets them all.
///
/// A consumer's parameters must all be accepted by the provider, the provider's results all be understood by the
/// consumer. A side that does not describe parameters or a result makes no demand and no promise: a promise that the
/// other side counts on is then an uncertain mismatch. Where only properties that nobody names stand in the way, the
/// mismatch is uncertain too: schemas rarely say `additionalProperties: false` although nothing else is sent.
pub fn satisfies(offered: &Provides, requirement: &Requirement) -> Vec<Mismatch> {
    let mut found = Vec::new();
    protocol(offered, requirement, &mut found);
    for (name, wanted) in &requirement.methods {
        let pointer = push_token("/methods", name);
        let mut report = |certain: bool, part: &str, message: String| {
            found.push(Mismatch {
                term: Term::Method(name.clone()),
                certain,
                pointer: format!("{pointer}{part}"),
                message,
            });
        };
        match offered.methods.get(name) {
            Some(method) => compare(name, method, wanted, &mut report),
            None => {
                let near = text::nearest(name, offered.methods.keys().map(String::as_str));
                let hint = match (near, offered.methods.is_empty()) {
                    (Some(near), _) => format!("; did you mean '{near}'?"),
                    (None, true) => "; it names no methods".to_owned(),
                    (None, false) => {
                        let names: Vec<&str> = offered.methods.keys().map(String::as_str).collect();
                        format!("; it has {}", names.join(", "))
                    }
                };
                report(true, "", format!("has no method '{name}'{hint}"));
            }
        }
    }
    found
}

fn protocol(offered: &Provides, requirement: &Requirement, found: &mut Vec<Mismatch>) {
    let Some(wanted) = &requirement.protocol else { return };
    let mut report = |certain: bool, part: &str, message: String| {
        found.push(Mismatch { term: Term::Protocol, certain, pointer: format!("/protocol/{part}"), message });
    };
    let spoken = offered.protocol.as_ref().map_or(ProtocolName::default(), |protocol| protocol.name);
    if spoken != wanted.name {
        return report(true, "name", format!("speaks the protocol {spoken}, {} is required", wanted.name));
    }
    match offered.protocol.as_ref().and_then(|protocol| protocol.version.as_ref()) {
        Some(version) if !wanted.version.contains(version) => {
            report(true, "version", format!("speaks {spoken} {version}, {} is required", wanted.version));
        }
        None if wanted.version.as_str() != "*" => {
            report(
                false,
                "version",
                format!("does not say which version of {spoken} it speaks, {} is required", wanted.version),
            );
        }
        _ => {}
    }
}

fn compare(name: &str, offered: &Method, wanted: &Method, report: &mut impl FnMut(bool, &str, String)) {
    if let (Some(sent), Some(accepted)) = (&wanted.params, &offered.params) {
        match leniently_contained(&sent.value(), &accepted.value()) {
            Answer::Yes => {}
            Answer::No { reason, witness } => report(
                true,
                "/params",
                format!(
                    "'{name}' does not accept the parameters {}, which the consumer may send: {reason}",
                    excerpt(&witness)
                ),
            ),
            Answer::Unknown { reason } => {
                report(
                    false,
                    "/params",
                    format!("'{name}' may not accept all parameters that the consumer may send: {reason}"),
                );
            }
        }
    }
    if let Some(understood) =
        wanted.result.as_ref().map(SchemaText::value).filter(|understood| !accepts_all(understood))
    {
        match &offered.result {
            None => report(false, "/result", format!("'{name}' does not describe its result, which the consumer does")),
            Some(returned) => match leniently_contained(&returned.value(), &understood) {
                Answer::Yes => {}
                Answer::No { reason, witness } => report(
                    true,
                    "/result",
                    format!(
                        "'{name}' may return {}, which the consumer does not understand: {reason}",
                        excerpt(&witness)
                    ),
                ),
                Answer::Unknown { reason } => {
                    report(
                        false,
                        "/result",
                        format!("'{name}' may return what the consumer does not understand: {reason}"),
                    );
                }
            },
        }
    }
    if !wanted.errors.is_empty() {
        let expected = |code: i64| wanted.errors.iter().any(|error| error.code == code);
        for error in offered.errors.iter().filter(|error| !expected(error.code)) {
            report(
                false,
                "/errors",
                format!("'{name}' may answer with error {}, which the consumer does not list", error.code),
            );
        }
    }
}

/// As [`contained`]; a refusal that goes away once neither side sends properties that it does not name is unknown.
fn leniently_contained(given: &Value, wanted: &Value) -> Answer {
    match contained(given, wanted) {
        Answer::No { reason, witness } => match contained(&closed(given), wanted) {
            Answer::No { reason, witness } => Answer::No { reason, witness },
            Answer::Yes => Answer::Unknown {
                reason: format!(
                    "it fits only without properties that the sender does not name, such as in {} ({reason}); \
                     \"additionalProperties\": false in the sender's schema settles it",
                    excerpt(&witness)
                ),
            },
            Answer::Unknown { .. } => Answer::No { reason, witness },
        },
        answer => answer,
    }
}

/// Closes every object that names properties and does not say what else it may have.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut members: serde_json::Map<String, Value> = members
                .iter()
                .map(|(key, member)| match key.as_str() {
                    "const" | "enum" | "default" | "examples" | "not" | "if" => (key.clone(), member.clone()),
                    // Closing each part of a conjunction on its own would leave nothing.
                    "allOf" => (key.clone(), member.clone()),
                    "properties" | "$defs" | "definitions" => {
                        let each = |group: &serde_json::Map<String, Value>| {
                            group.iter().map(|(name, schema)| (name.clone(), closed(schema))).collect()
                        };
                        (
                            key.clone(),
                            member.as_object().map_or_else(|| member.clone(), |group| Value::Object(each(group))),
                        )
                    }
                    _ => (key.clone(), closed(member)),
                })
                .collect();
            let open = [
                "additionalProperties",
                "patternProperties",
                "unevaluatedProperties",
                "allOf",
                "anyOf",
                "oneOf",
                "$ref",
            ]
            .iter()
            .all(|key| !members.contains_key(*key));
            if open
                && members.get("properties").is_some_and(|group| group.as_object().is_some_and(|all| !all.is_empty()))
            {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            Value::Object(members)
        }
        Value::Array(items) => Value::Array(items.iter().map(closed).collect()),
        other => other.clone(),
    }
}

fn accepts_all(schema: &Value) -> bool {
    *schema == Value::Bool(true) || schema.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Shows a value in a message, shortened.
fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
