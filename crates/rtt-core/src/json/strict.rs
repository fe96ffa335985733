//! A JSON reader that refuses ambiguity: duplicate keys, a byte-order mark, invalid UTF-8, depth and size without bound.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Position;

/// The largest document of people and other tools that is read, 8 MiB.
pub const MAX_BYTES: usize = 8 << 20;

/// The largest state file that is read, 1 GiB: a registry grows with the number of manifests.
pub const MAX_STATE_BYTES: usize = 1 << 30;

/// The deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 128;

/// Why a document was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (line {}, column {})", .at.line, .at.column)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Where it was noticed.
    pub at: Position,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// The document has more bytes than the limit, which comes second.
    #[error("the file has {0} bytes, more than the {1} that are read")]
    TooLarge(usize, usize),
    /// The document starts with U+FEFF.
    #[error("the file starts with a byte-order mark; save it as UTF-8 without one")]
    ByteOrderMark,
    /// A byte sequence is not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// An object has a key twice; readers disagree about which one counts.
    #[error("duplicate key '{0}'")]
    DuplicateKey(String),
    /// Arrays and objects are nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Syntax(String),
}

/// Reads one JSON document.
///
/// # Errors
/// The first problem found, with its position.
pub fn parse(bytes: &[u8]) -> Result<Value, ParseError> {
    parse_up_to(MAX_BYTES, bytes)
}

/// Reads one JSON document that a stage or a tool wrote, of at most [`MAX_STATE_BYTES`].
///
/// # Errors
/// The first problem found, with its position.
pub fn parse_state(bytes: &[u8]) -> Result<Value, ParseError> {
    parse_up_to(MAX_STATE_BYTES, bytes)
}

/// Reads one JSON document of at most `limit` bytes.
///
/// # Errors
/// The first problem found, with its position.
fn parse_up_to(limit: usize, bytes: &[u8]) -> Result<Value, ParseError> {
    let at_start = |kind| ParseError { kind, at: Position { line: 1, column: 1 } };
    if bytes.len() > limit {
        return Err(at_start(ParseErrorKind::TooLarge(bytes.len(), limit)));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(at_start(ParseErrorKind::ByteOrderMark));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to here");
        ParseError { kind: ParseErrorKind::InvalidUtf8, at: Position::at_offset(valid, valid.len()) }
    })?;
    let mut duplicate = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { duplicate: &mut duplicate, depth: 0 }.deserialize(&mut reader);
    value.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let message = error.to_string();
        // serde_json ends its message with " at line L column C", which the position already says.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head).to_owned();
        let kind = match duplicate {
            Some(key) => ParseErrorKind::DuplicateKey(key),
            None if message == TOO_DEEP || message.starts_with("recursion limit") => ParseErrorKind::TooDeep,
            None => ParseErrorKind::Syntax(message),
        };
        ParseError { kind, at: byte_column_to_position(text, error.line(), error.column()) }
    })
}

/// Reads one JSON object of at most [`MAX_STATE_BYTES`], and asks of each element of a list that is its member whether
/// it is to be kept, so that the others need never be there all at once; `None` if [`parse_state`] would refuse it, or
/// the member is no list.
pub fn sifted(bytes: &[u8], member: &str, keep: &mut dyn FnMut(Value) -> Option<Value>) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_STATE_BYTES)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Sifted { member, keep }).ok()?;
    reader.end().ok()?;
    Some(Value::Object(members))
}

/// The object of [`sifted`].
struct Sifted<'a> {
    member: &'a str,
    keep: &'a mut dyn FnMut(Value) -> Option<Value>,
}

impl<'de> Visitor<'de> for Sifted<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = if key == self.member {
                entries.next_value_seed(SiftedList(&mut *self.keep))?
            } else {
                entries.next_value_seed(Strict { duplicate: &mut None, depth: 1 })?
            };
            if members.insert(key, value).is_some() {
                return Err(de::Error::custom("duplicate key"));
            }
        }
        Ok(members)
    }
}

/// The list of [`sifted`].
struct SiftedList<'a>(&'a mut dyn FnMut(Value) -> Option<Value>);

impl<'de> DeserializeSeed<'de> for SiftedList<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for SiftedList<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(element) = elements.next_element_seed(Strict { duplicate: &mut None, depth: 2 })? {
            kept.extend((self.0)(element));
        }
        Ok(Value::Array(kept))
    }
}

const TOO_DEEP: &str = "too deep";

/// serde_json counts columns in bytes; people and editors count characters.
fn byte_column_to_position(text: &str, line: usize, byte_column: usize) -> Position {
    let line = line.max(1);
    let content = text.split('\n').nth(line - 1).unwrap_or("");
    let mut end = byte_column.saturating_sub(1).min(content.len());
    while !content.is_char_boundary(end) {
        end -= 1;
    }
    Position { line, column: content[..end].chars().count() + 1 }
}

struct Strict<'a> {
    duplicate: &'a mut Option<String>,
    depth: usize,
}

impl Strict<'_> {
    fn inner<E: de::Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Strict { duplicate: self.duplicate, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(self.inner()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if members.contains_key(&key) {
                *self.duplicate = Some(key);
                return Err(de::Error::custom("duplicate key"));
            }
            let member = entries.next_value_seed(self.inner()?)?;
            members.insert(key, member);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &str) {
        let found = match parse(input) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "for {:?}", String::from_utf8_lossy(&input[..input.len().min(80)]));
    }

    #[test]
    fn refuses_each_ambiguity_with_its_place() {
        check(b"{\"b\":1,\"a\":9223372036854775807}", "{\"b\":1,\"a\":9223372036854775807}");
        check(
            b"\xEF\xBB\xBF{}",
            "the file starts with a byte-order mark; save it as UTF-8 without one (line 1, column 1)",
        );
        check(b"{\n \"\xC3\xA9\": \"\xFF\"}", "invalid UTF-8 (line 2, column 8)");
        check("{\n \"é\": 1,\n \"é\": 2}".as_bytes(), "duplicate key 'é' (line 3, column 4)");
        check(b"{\"a\": 1,}", "not valid JSON: trailing comma (line 1, column 9)");
        check(b"{} x", "not valid JSON: trailing characters (line 1, column 4)");
        check(b"", "not valid JSON: EOF while parsing a value (line 1, column 1)");
        check(b"[1e999]", "not valid JSON: number out of range (line 1, column 6)");
    }

    #[test]
    fn bounds_depth_and_size() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        for depth in [MAX_DEPTH + 1, 100_000] {
            assert_eq!(parse(nested(depth).as_bytes()).expect_err("too deep").kind, ParseErrorKind::TooDeep);
        }
        let large = vec![b' '; MAX_BYTES + 1];
        assert_eq!(parse(&large).expect_err("too large").kind, ParseErrorKind::TooLarge(MAX_BYTES + 1, MAX_BYTES));
    }
}
