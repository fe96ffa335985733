//! Strict JSON: parsing that refuses what other parsers guess at, positions of values, and canonical forms.
//!
//! Knows no domain type.

pub mod canonical;
mod locate;
mod strict;
mod tree;

pub use locate::{Position, Span, locate};
pub use strict::{MAX_BYTES, MAX_DEPTH, MAX_STATE_BYTES, ParseError, ParseErrorKind, parse, parse_state};
pub use tree::Tree;

use serde::Serialize;
use serde_json::Value;

/// Appends one reference token to a JSON pointer (RFC 6901), escaping `~` and `/`.
pub fn push_token(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// Renders a value as state files are written: two-space indentation and a final newline.
pub fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("state types have string keys and finite numbers");
    text.push('\n');
    text
}

/// Returns the JSON type of a value in the words of JSON Schema.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
