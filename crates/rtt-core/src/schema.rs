//! The JSON Schemas of everything that the pipeline reads and writes, embedded, and their violations in words.

use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::diagnostic::{Diagnostic, Place};
use crate::text;

macro_rules! schemas {
    ($($(#[$doc:meta])* $variant:ident = $file:literal, $title:literal;)*) => {
        /// One of the schemas in `schemas/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Schema { $($(#[$doc])* $variant),* }

        impl Schema {
            /// Every schema.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns the file's name in `schemas/`.
            pub fn file_name(self) -> &'static str {
                match self { $(Self::$variant => $file),* }
            }

            /// Returns what a document of this schema is called in messages.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// Returns the schema's text.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../../schemas/", $file))),* }
            }
        }
    };
}

schemas! {
    /// An agent manifest in the canonical form.
    Manifest = "rtt.symbol.schema.json", "agent manifest";
    /// `.rtt/cache/registry.json`.
    Registry = "rtt.registry.schema.json", "symbol registry";
    /// `.rtt/cache/dependencies.json`.
    Dependencies = "rtt.dependencies.schema.json", "dependency report";
    /// `.rtt/cache/connectors.json`.
    Connectors = "rtt.connectors.schema.json", "connector index";
    /// `.rtt/routes.json`.
    Routes = "rtt.routes.schema.json", "route list";
    /// `.rtt/policy.json`.
    Policy = "rtt.policy.schema.json", "policy";
    /// `.rtt/topology.json`.
    Topology = "rtt.topology.schema.json", "topology";
    /// `.rtt/tuned/lanes.json`.
    Lanes = "rtt.lanes.schema.json", "lane table";
    /// `plans/*.plan.json` and `plans/last_applied.json`.
    Plan = "rtt.plan.schema.json", "routing plan";
    /// `.rtt/wal/*.wal.json`.
    Wal = "rtt.wal.schema.json", "write-ahead log entry";
    /// `.rtt/registry/trust/keys/revoked.json`.
    Revoked = "rtt.revoked.schema.json", "list of revoked keys";
    /// `stubs/<language>/stub.json`.
    Stub = "rtt.stub.schema.json", "language stub";
    /// One line of `.rtt/telemetry/flight.ndjson`.
    Flight = "rtt.flight.schema.json", "flight record";
    /// The summary that `--format json` prints.
    Summary = "rtt.summary.schema.json", "run summary";
}

/// How messages about keys that a schema does not know begin; stages that tolerate them tell them apart by it.
pub const UNKNOWN_KEY: &str = "unknown key";

impl Schema {
    /// Returns the compiled validator.
    pub fn validator(self) -> &'static Validator {
        static VALIDATORS: [OnceLock<Validator>; Schema::ALL.len()] = [const { OnceLock::new() }; Schema::ALL.len()];
        VALIDATORS[self as usize].get_or_init(|| {
            let schema = serde_json::from_str(self.text()).expect("embedded schemas are JSON; a test reads each");
            jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .build(&schema)
                .expect("embedded schemas compile; a test compiles each")
        })
    }

    /// Checks a document and words every violation, with its line and column in `text`. Empty if it is valid.
    pub fn check(self, rule: &'static str, file: &str, text: &str, value: &Value) -> Vec<Diagnostic> {
        let validator = self.validator();
        if validator.is_valid(value) {
            return Vec::new();
        }
        let mut findings: Vec<Diagnostic> =
            validator.iter_errors(value).flat_map(|error| word(rule, file, text, &error)).collect();
        crate::diagnostic::sort(&mut findings);
        findings
    }
}

/// Words one violation; an object with several unknown keys gives one finding each.
fn word(rule: &'static str, file: &str, text: &str, error: &ValidationError) -> Vec<Diagnostic> {
    let pointer = error.instance_path().to_string();
    let here = |message: String| Diagnostic::error(rule, message).at(Place::value(file, text, &pointer));
    let name = pointer.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("the document");
    let found = excerpt(error.instance());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .map(|key| {
                let place = Place::key(file, text, &crate::json::push_token(&pointer, key));
                let finding = Diagnostic::error(rule, format!("{UNKNOWN_KEY} '{key}'")).at(place);
                match text::nearest(key, known_keys(error)) {
                    Some(known) => finding.help(format!("did you mean '{known}'?")),
                    None => {
                        finding.help(format!("known keys here: {}", known_keys(error).collect::<Vec<_>>().join(", ")))
                    }
                }
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or("?");
            vec![here(format!("missing key '{property}'")).help(format!("add {}", example(property)))]
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
            };
            let actual = crate::json::type_name(error.instance());
            vec![here(format!("'{name}' is of type {actual}, expected {expected}"))]
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> =
                options.as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
            let finding = here(format!("'{name}' is {found}, expected one of {}", options.join(", ")));
            let near = error.instance().as_str().and_then(|word| text::nearest(word, options.iter().copied()));
            vec![match near {
                Some(near) => finding.help(format!("did you mean '{near}'?")),
                None => finding,
            }]
        }
        ValidationErrorKind::Pattern { pattern } => {
            vec![
                here(format!("'{name}' is {found}, which does not match {pattern}"))
                    .help(format!("for example {}", example(name))),
            ]
        }
        ValidationErrorKind::Constant { expected_value } => {
            vec![here(format!("'{name}' is {found}, expected {expected_value}"))]
        }
        ValidationErrorKind::PropertyNames { error } => {
            let key = error.instance().as_str().unwrap_or("?");
            let place = Place::key(file, text, &crate::json::push_token(&pointer, key));
            vec![Diagnostic::error(rule, format!("'{key}' is not a valid name here: {error}")).at(place)]
        }
        ValidationErrorKind::FalseSchema => vec![here(format!("'{name}' must not be here"))],
        _ => vec![here(format!("'{name}': {error}"))],
    }
}

/// The keys that the violated object schema knows.
fn known_keys<'a>(error: &'a ValidationError) -> impl Iterator<Item = &'static str> + use<'a> {
    let path = error.schema_path().to_string();
    let owner = path.rsplit_once('/').map_or("", |(owner, _)| owner).to_owned();
    Schema::ALL.iter().filter_map(move |schema| properties_at(*schema, &owner)).next().into_iter().flatten()
}

/// Follows an evaluation path, which steps through `$ref`, to the object schema it names.
fn properties_at(schema: Schema, path: &str) -> Option<Vec<&'static str>> {
    static TREES: [OnceLock<Value>; Schema::ALL.len()] = [const { OnceLock::new() }; Schema::ALL.len()];
    let tree =
        TREES[schema as usize].get_or_init(|| serde_json::from_str(schema.text()).expect("embedded schemas are JSON"));
    let mut node = tree;
    for token in path.split('/').skip(1) {
        node = match token {
            "$ref" => tree.pointer(node.get("$ref")?.as_str()?.strip_prefix('#')?)?,
            _ => match node {
                Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                _ => node.get(token.replace("~1", "/").replace("~0", "~"))?,
            },
        };
    }
    Some(node.get("properties")?.as_object()?.keys().map(String::as_str).collect())
}

/// Shows a value in a message, shortened.
fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// An example of a member, for messages about one that is missing or misspelt.
fn example(property: &str) -> String {
    let value = match property {
        "symbol" | "from" | "to" | "agent" => r#""agent.storage.tsdb""#,
        "version" => r#""1.0.0""#,
        "name" => r#""jsonrpc""#,
        "effect" => r#""allow""#,
        "code" => "-32001",
        "message" => r#""unknown series""#,
        _ => "…",
    };
    format!("\"{property}\": {value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_a_described_2020_12_schema() {
        for schema in Schema::ALL {
            let value: Value = serde_json::from_str(schema.text()).expect("JSON");
            assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", schema.file_name());
            let name = schema.file_name().trim_start_matches("rtt.").trim_end_matches(".schema.json");
            assert_eq!(value["$id"], format!("urn:rtt:schema:{name}:1"), "{}", schema.file_name());
            assert!(value["title"].is_string() && value["description"].is_string(), "{}", schema.file_name());
            assert!(jsonschema::meta::is_valid(&value), "{}", schema.file_name());
            schema.validator();
        }
    }

    #[test]
    fn no_schema_file_is_left_out() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        for entry in std::fs::read_dir(folder).expect("the schemas are here") {
            let name = entry.expect("readable").file_name().into_string().expect("UTF-8");
            assert!(
                !name.ends_with(".schema.json") || Schema::ALL.iter().any(|schema| schema.file_name() == name),
                "{name} is embedded nowhere"
            );
        }
    }
}
