//! Strict JSON: parsing that refuses what other parsers guess at, positions of values, and canonical forms.
//!
//! Knows no domain type.

pub mod canonical;
mod locate;
mod strict;
mod tree;

pub use locate::{Position, Span, locate};
pub use strict::{MAX_BYTES, MAX_DEPTH, MAX_STATE_BYTES, ParseError, ParseErrorKind, parse, parse_state, sifted};
pub use tree::Tree;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Serialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// Appends one reference token to a JSON pointer (RFC 6901), escaping `~` and `/`.
pub fn push_token(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// Renders a value as state files are written: two-space indentation and a final newline.
pub fn pretty(value: &impl Serialize) -> String {
    String::from_utf8(pretty_bytes(value, 128)).expect("JSON is UTF-8")
}

/// As [`pretty`], for large values: about how many bytes it will be is known, so that it is not moved as it grows.
pub fn pretty_bytes(value: &impl Serialize, expected: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(expected);
    serde_json::to_writer_pretty(&mut bytes, value).expect("state types have string keys and finite numbers");
    bytes.push(b'\n');
    bytes
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

/// Reads a string as what it stands for, without a copy in between.
pub fn parsed<'de, T: FromStr<Err: fmt::Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Text<T>(PhantomData<T>);
    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text(PhantomData))
}

/// Reads a struct from an object alone; serde would also take the array of its members.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }
    deserializer.deserialize_map(Object(PhantomData))
}

/// As [`object`], of each in a list.
pub fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Element<T>(T);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Element<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            object(deserializer).map(Self)
        }
    }
    let elements: Vec<Element<T>> = compact(deserializer)?;
    Ok(elements.into_iter().map(|Element(element)| element).collect())
}

/// Reads a list without room for more, of which there are many or which is long.
pub fn compact<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let mut elements: Vec<T> = Vec::deserialize(deserializer)?;
    elements.shrink_to_fit();
    Ok(elements)
}

/// Returns the JSON pointers of a value and of everything in it, parts first; for tests that change each in turn.
#[cfg(test)]
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    fn collect(value: &Value, at: String, pointers: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(key, member)| collect(member, push_token(&at, key), pointers));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| collect(item, format!("{at}/{index}"), pointers));
            }
            _ => {}
        }
        pointers.push(at);
    }
    let mut pointers = Vec::new();
    collect(value, String::new(), &mut pointers);
    pointers
}
