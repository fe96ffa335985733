//! Checks of methods: their names, and the JSON Schemas of their parameters and results.

use std::collections::BTreeMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ReferencingError, ValidationError};
use serde_json::Value;

use super::{Findings, wording};
use crate::diagnostic::Diagnostic;
use crate::json::{push_token, type_name};
use crate::manifest::Method;
use crate::manifest::read::Sink;
use crate::text;

/// Checks the method schemas of a document that could not be typed.
pub(in crate::manifest) fn schemas_of(sink: &mut Sink, pointer: &str, manifest: &Value) {
    let mut owners = vec!["/provides/methods".to_owned()];
    let requirements = manifest.get("requires").and_then(Value::as_array).map_or(0, Vec::len);
    owners.extend((0..requirements).map(|index| format!("/requires/{index}/methods")));
    for owner in owners {
        for (name, method) in manifest.pointer(&owner).and_then(Value::as_object).into_iter().flatten() {
            for part in ["params", "result"] {
                let Some(schema) = method.get(part).filter(|schema| schema.is_object()) else { continue };
                let at = format!("{pointer}{}/{part}", push_token(&owner, name));
                for problem in schema_problems(schema) {
                    let finding = problem.finding(part, name);
                    sink.error(finding.rule, &format!("{at}{}", problem.pointer), finding.message)
                        .help
                        .extend(finding.help);
                }
            }
        }
    }
}

/// Checks the methods of `owner`, which provides or requires them.
pub(super) fn check(findings: &mut Findings, owner: &str, methods: &BTreeMap<String, Method>) {
    for (name, method) in methods {
        let at = push_token(&format!("{owner}/methods"), name);
        if let Some(finding) = wording::name("the method's name", name) {
            findings.key(&at, finding);
        }
        if let Some(finding) = wording::prose("the method's description", &method.description) {
            findings.value(&format!("{at}/description"), finding);
        }
        for (index, error) in method.errors.iter().enumerate() {
            if let Some(finding) = wording::prose("the error's message", &error.message) {
                findings.value(&format!("{at}/errors/{index}/message"), finding);
            }
        }
        for (part, schema) in [("params", &method.params), ("result", &method.result)] {
            let Some(schema) = schema else { continue };
            let at = format!("{at}/{part}");
            let value = if schema.is_plain() { Value::Bool(true) } else { schema.value() };
            let problems = schema_problems(&value);
            if part == "params" && problems.is_empty() && !schema.accepts_objects() {
                let finding = Diagnostic::error(
                    "RTT-M007",
                    format!("the params of method '{name}' do not accept an object, expected \"type\": \"object\""),
                );
                findings.value(
                    &at,
                    finding.help("parameters are passed by name: describe them as the properties of an object"),
                );
            }
            for problem in problems {
                findings.value(&format!("{at}{}", problem.pointer), problem.finding(part, name));
            }
            property_names(findings, &at, &mut Vec::new(), &value);
        }
    }
}

/// Checks the names of properties, those of nested objects included; `path` leads to `schema` and is left as it was.
fn property_names<'a>(findings: &mut Findings, at: &str, path: &mut Vec<&'a str>, schema: &'a Value) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(name);
        if let Some(finding) = wording::prose("the property's name", name) {
            let inner: String = path.iter().map(|name| push_token("/properties", name)).collect();
            findings.key(&format!("{at}{inner}"), finding);
        }
        property_names(findings, at, path, property);
        path.pop();
    }
}

/// What makes a value no usable JSON Schema.
pub(in crate::manifest) struct SchemaProblem {
    /// Where in the value.
    pub(in crate::manifest) pointer: String,
    /// What is wrong.
    pub(in crate::manifest) message: String,
    /// What to do.
    pub(in crate::manifest) help: String,
}

impl SchemaProblem {
    fn finding(&self, part: &str, method: &str) -> Diagnostic {
        let verb = if part == "params" { "are" } else { "is" };
        let message = format!("the {part} of method '{method}' {verb} not a valid JSON Schema: {}", self.message);
        Diagnostic::error("RTT-M007", message).help(self.help.as_str())
    }

    fn new(error: &ValidationError) -> Self {
        let pointer = error.instance_path().to_string();
        let (message, help) = match error.kind() {
            ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, .. }) => (
                format!("it refers to '{uri}', which is not in the document"),
                "copy what is referred to into \"$defs\", and refer to it as \"#/$defs/name\"; nothing is fetched"
                    .to_owned(),
            ),
            ValidationErrorKind::Referencing(ReferencingError::PointerToNowhere { pointer }) => (
                format!("it refers to '#{pointer}', which is not in it"),
                "define it there, or correct the reference; '#' is the schema itself, not the manifest".to_owned(),
            ),
            ValidationErrorKind::AnyOf { .. } if pointer.ends_with("/type") => {
                let near = error.instance().as_str().and_then(|word| text::nearest(word, TYPES));
                let help = near.map_or_else(
                    || format!("write one of them, such as \"{}\"", TYPES[0]),
                    |near| format!("did you mean '{near}'?"),
                );
                (format!("'type' is {}, expected {}, or a list of them", error.instance(), TYPES.join(", ")), help)
            }
            _ => (error.to_string(), SCHEMA_HELP.to_owned()),
        };
        Self { pointer, message, help }
    }
}

const SCHEMA_HELP: &str =
    "expected a JSON Schema (2020-12 unless its $schema says otherwise) without remote references";

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/// Finds what makes a value no usable JSON Schema. Empty if it is one.
pub(in crate::manifest) fn schema_problems(schema: &Value) -> Vec<SchemaProblem> {
    let Some(object) = schema.as_object() else {
        return if schema.is_boolean() {
            Vec::new()
        } else {
            let message = format!("it is of type {}, expected an object or a boolean", type_name(schema));
            vec![SchemaProblem { pointer: String::new(), message, help: SCHEMA_HELP.to_owned() }]
        };
    };
    // An unknown dialect has no meta-schema here; its keywords are read as the current draft's.
    let dialect = object.get("$schema").and_then(Value::as_str).unwrap_or("");
    let stripped;
    let schema = if object.contains_key("$schema") && !dialect.contains("json-schema.org/") {
        let mut copy = object.clone();
        copy.remove("$schema");
        stripped = Value::Object(copy);
        &stripped
    } else {
        schema
    };
    let mut problems: Vec<SchemaProblem> = match jsonschema::meta::validator_for(schema) {
        Err(error) => return vec![SchemaProblem::new(&error)],
        Ok(meta_schema) => meta_schema.iter_errors(schema).map(|error| SchemaProblem::new(&error)).collect(),
    };
    if problems.is_empty() {
        // Building also finds references that lead nowhere and patterns that do not compile.
        problems.extend(jsonschema::options().build(schema).err().map(|error| SchemaProblem::new(&error)));
    }
    problems
}
