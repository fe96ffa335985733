//! Violations of the schemas in words: what was found, what was expected, what to write instead.

use std::sync::OnceLock;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::Schema;
use crate::diagnostic::{Diagnostic, Place};
use crate::json;
use crate::text::{self, counted};

/// How messages about keys that a schema does not know begin; stages that tolerate them tell them apart by it.
pub const UNKNOWN_KEY: &str = "unknown key";

const INVALID_KEY: &str = "invalid key";

/// Tells whether a violation is about a member's key, and so stands where the key does, not the value.
pub fn is_about_key(violation: &Diagnostic) -> bool {
    [UNKNOWN_KEY, INVALID_KEY].iter().any(|words| violation.message.starts_with(words))
}

/// Words one violation; an object with several unknown keys gives one finding each. Every finding has help.
pub(super) fn word(rule: &'static str, file: &str, text: &str, error: &ValidationError) -> Vec<Diagnostic> {
    let pointer = error.instance_path().to_string();
    let value = error.instance();
    let name = name_of(&pointer);
    let (found, example) = (excerpt(value), example(&name));
    let (message, help) = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let unknown = |key: &String| {
                let place = Place::key(file, text, &json::push_token(&pointer, key));
                Diagnostic::error(rule, format!("{UNKNOWN_KEY} '{key}'")).at(place).help(known_key(error, key))
            };
            return unexpected.iter().map(unknown).collect();
        }
        ValidationErrorKind::PropertyNames { error } => {
            let key = error.instance().as_str().unwrap_or_default();
            let place = Place::key(file, text, &json::push_token(&pointer, key));
            let finding = Diagnostic::error(rule, format!("{INVALID_KEY} '{key}': {}", key_rule(error)));
            return vec![finding.at(place).help("give it another name, or remove it")];
        }
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            (format!("missing key '{property}'"), format!("add {}", self::example(property)))
        }
        ValidationErrorKind::Type { kind } => {
            let expected = types(kind);
            let actual = json::type_name(value);
            (format!("'{name}' is of type {actual}, expected {}", expected.join(" or ")), retyped(value, &expected))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let near = value.as_str().and_then(|word| text::nearest(word, options.iter().copied()));
            let help = match (near, options.first()) {
                (Some(near), _) => format!("did you mean '{near}'?"),
                (None, Some(first)) => format!("write one of them, such as \"{first}\""),
                (None, None) => "remove it".to_owned(),
            };
            (format!("'{name}' is {found}, expected one of {}", options.join(", ")), help)
        }
        ValidationErrorKind::Constant { expected_value } => {
            (format!("'{name}' is {found}, expected {expected_value}"), format!("write {expected_value}"))
        }
        ValidationErrorKind::Pattern { pattern } => {
            let help = match value.as_str().and_then(|text| text::placeholders(text).next()) {
                Some(placeholder) => format!("fill in the placeholder '{placeholder}', for example {example}"),
                None => format!("for example {example}"),
            };
            (format!("'{name}' is {found}, {}", pattern_rule(pattern)), help)
        }
        ValidationErrorKind::Minimum { limit } => {
            (format!("'{name}' is {found}, expected {limit} or more"), format!("write {limit} or a larger number"))
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            let help = format!("write a larger number, or remove '{name}'");
            (format!("'{name}' is {found}, expected more than {limit}"), help)
        }
        ValidationErrorKind::Maximum { limit } => {
            (format!("'{name}' is {found}, expected {limit} or less"), format!("write {limit} or a smaller number"))
        }
        ValidationErrorKind::MinLength { .. } => {
            let help = if name.contains('/') { "remove it".to_owned() } else { format!("for example {example}") };
            (format!("'{name}' is an empty text, expected one that says something"), help)
        }
        ValidationErrorKind::MaxLength { limit } => {
            let length = value.as_str().map_or(0, |text| text.chars().count());
            let message = format!("'{name}' has {length} characters, expected at most {limit}");
            (message, "shorten it".to_owned())
        }
        ValidationErrorKind::MinItems { limit } => {
            let expected = counted(usize::try_from(*limit).unwrap_or(usize::MAX), "item");
            let items = counted(value.as_array().map_or(0, Vec::len), "item");
            let message = format!("'{name}' has {items}, expected {expected} or more");
            (message, format!("add what is missing, or remove '{name}'"))
        }
        ValidationErrorKind::UniqueItems => {
            let twice = repeated(value).map(excerpt).unwrap_or_default();
            (format!("'{name}' lists {twice} twice, expected each item once"), "remove one of the two".to_owned())
        }
        ValidationErrorKind::FalseSchema => (format!("'{name}' must not be here"), "remove it".to_owned()),
        _ => (format!("'{name}': {error}"), "correct it as the schema says".to_owned()),
    };
    vec![Diagnostic::error(rule, message).at(Place::value(file, text, &pointer)).help(help)]
}

/// How a value is called in messages: by its key; an array's item by the array's key and its number.
fn name_of(pointer: &str) -> String {
    let mut tokens = pointer.rsplit('/').map(|token| token.replace("~1", "/").replace("~0", "~"));
    match (tokens.next().filter(|token| !token.is_empty()), tokens.next().filter(|token| !token.is_empty())) {
        (Some(last), Some(owner)) if last.bytes().all(|b| b.is_ascii_digit()) => format!("{owner}/{last}"),
        (Some(last), _) => last,
        (None, _) => "the document".to_owned(),
    }
}

fn types(kind: &TypeKind) -> Vec<String> {
    match kind {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
    }
}

/// Says how a value would be written in one of the expected types.
fn retyped(value: &Value, expected: &[String]) -> String {
    let expects = |name: &str| expected.iter().any(|one| one == name);
    let number = value.as_str().filter(|text| serde_json::from_str::<serde_json::Number>(text).is_ok());
    match value {
        Value::Null => "give it a value, or remove it".to_owned(),
        Value::String(_) if (expects("integer") || expects("number")) && number.is_some() => {
            format!("write it without quotation marks: {}", number.unwrap_or_default())
        }
        Value::Bool(_) | Value::Number(_) if expects("string") => format!("put it in quotation marks: \"{value}\""),
        _ if expects("boolean") && !expects("object") => "write true or false, without quotation marks".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) if expects("array") => {
            format!("put it in brackets: [{}]", excerpt(value))
        }
        _ if expects("array") => "write a list, […]".to_owned(),
        _ if expects("object") => "write an object, {…}".to_owned(),
        _ if expects("string") => "write a text, \"…\"".to_owned(),
        _ => "write a number".to_owned(),
    }
}

/// What a pattern of the schemas asks for.
fn pattern_rule(pattern: &str) -> String {
    match pattern {
        r"^[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+$" => {
            "expected two or more segments of lower-case letters, digits, '-' and '_', joined by dots".to_owned()
        }
        "^[a-z][a-z0-9_+#-]*$" => "expected a lower-case name of letters, digits and '_+#-'".to_owned(),
        other => format!("which does not match {other}"),
    }
}

/// What makes a key invalid.
fn key_rule(error: &ValidationError) -> String {
    match error.kind() {
        ValidationErrorKind::MinLength { .. } => "it is empty".to_owned(),
        ValidationErrorKind::MaxLength { limit } => format!("it has more than {limit} characters"),
        ValidationErrorKind::Pattern { pattern } if pattern.contains(r"\x00-\x1f") => {
            let key = error.instance().as_str().unwrap_or_default();
            let control = key.chars().find(|character| character.is_ascii_control()).unwrap_or_default();
            format!("it holds the control character U+{:04X}", u32::from(control))
        }
        _ => error.to_string(),
    }
}

/// The first item that an array holds twice.
fn repeated(array: &Value) -> Option<&Value> {
    let items = array.as_array()?;
    items.iter().enumerate().find(|(index, item)| items[..*index].contains(item)).map(|(_, item)| item)
}

/// Names the key that was meant, or all that there are.
fn known_key(error: &ValidationError, key: &str) -> String {
    match text::nearest(key, known_keys(error)) {
        Some(known) => format!("did you mean '{known}'?"),
        None => format!("known keys here: {}", known_keys(error).collect::<Vec<_>>().join(", ")),
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
        "language" => r#""python""#,
        "effect" => r#""allow""#,
        "code" => "-32001",
        "message" => r#""unknown series""#,
        _ => "…",
    };
    format!("\"{property}\": {value}")
}
