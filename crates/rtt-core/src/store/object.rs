//! An object: bytes, and the digest that names them.

use std::fmt;

use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::json::{self, canonical};

/// What an object holds, told by the extension of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A JSON document in its canonical form.
    Json,
    /// Bytes of whatever meaning.
    Bytes,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Json, Self::Bytes];

    /// Returns the extension of files of this kind.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Bytes => "bin",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "json",
            Self::Bytes => "bytes",
        })
    }
}

/// Content that can be stored. Its digest is always that of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    digest: Digest,
    kind: Kind,
    bytes: Vec<u8>,
}

impl Object {
    /// Takes a JSON document by its exact canonical form ([`canonical::exact`]).
    pub fn json(value: &Value) -> Self {
        Self::new(Kind::Json, canonical::exact(value))
    }

    /// Takes bytes as they are.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Kind::Bytes, bytes.into())
    }

    /// Takes a file's content: one that is called `*.json` as JSON, any other as bytes.
    ///
    /// # Errors
    /// A finding about a JSON file that is none.
    pub fn of_file(file: &str, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        if !file.ends_with(".json") {
            return Ok(Self::bytes(bytes));
        }
        parse(file, &bytes).map(|value| Self::json(&value))
    }

    /// Takes a JSON document in the order in which its members were written; `None` if that is the canonical order.
    pub fn written(value: &Value) -> Option<Self> {
        let text = serde_json::to_vec(value).expect("JSON values have string keys and finite numbers");
        (text != canonical::exact(value)).then(|| Self::bytes(text))
    }

    /// Tells whether this is a JSON document that has the given canonical form.
    pub fn is_layout_of(&self, canonical: Digest) -> bool {
        json::parse_state(&self.bytes).is_ok_and(|value| Digest::of_json(&value) == canonical)
    }

    pub(super) fn new(kind: Kind, bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of_bytes(&bytes), kind, bytes }
    }

    /// Returns the name.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns what it holds.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the content.
    pub fn content(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the content.
    pub fn into_content(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the name of its file.
    pub fn file_name(&self) -> String {
        file_name(self.digest, self.kind)
    }

    /// Tells whether a JSON object is in its canonical form, without which one document could be two objects. Bytes are
    /// always as they should be.
    pub fn is_canonical(&self) -> bool {
        match self.kind {
            Kind::Bytes => true,
            Kind::Json => json::parse_state(&self.bytes).is_ok_and(|value| canonical::exact(&value) == self.bytes),
        }
    }
}

/// Reads a JSON file.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Value, Box<Diagnostic>> {
    json::parse_state(bytes).map_err(|error| Box::new(Diagnostic::unreadable_json("RTT-O002", file, bytes, &error)))
}

/// Returns the name of an object's file, `<64 hex digits>.json` or `.bin`.
pub(super) fn file_name(digest: Digest, kind: Kind) -> String {
    format!("{}.{}", digest.hex(), kind.extension())
}

/// Reads the name of an object's file; `None` for any other name.
pub(super) fn parse_file_name(name: &str) -> Option<(Digest, Kind)> {
    let (hex, extension) = name.split_once('.')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
    Some((Digest::from_hex(hex)?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_is_one_object_whatever_its_layout() {
        let of = |text: &str| Object::of_file("a.json", text.into()).expect("JSON");
        let object = of(r#"{"b": [1.0, 9223372036854775807], "a": "é"}"#);
        assert_eq!(object.content(), r#"{"a":"é","b":[1,9223372036854775807]}"#.as_bytes());
        assert_eq!(object, of("{\"a\":\"\\u00e9\",\n\"b\":[1,9223372036854775807]}"));
        assert!(object.is_canonical());
        assert_ne!(object, of(r#"{"b": [1, 9223372036854775806], "a": "é"}"#));
        // As bytes, the layout counts.
        assert_ne!(Object::bytes(" 1").digest(), Object::bytes("1").digest());
        assert!(!Object::new(Kind::Json, b" 1".to_vec()).is_canonical());
    }

    #[test]
    fn a_json_file_that_is_none_is_refused_with_its_place() {
        let finding = Object::of_file("a.json", b"{\n  \"a\": 1,\n  \"a\": 2}".to_vec()).expect_err("twice");
        assert_eq!(finding.message, "duplicate key 'a'");
        assert_eq!(finding.place.and_then(|place| place.at).map(|at| at.line), Some(3));
    }

    #[test]
    fn file_names_are_read_as_they_are_written_and_no_others() {
        let object = Object::bytes("x");
        assert_eq!(parse_file_name(&object.file_name()), Some((object.digest(), Kind::Bytes)));
        let hex = object.digest().hex();
        for other in [hex.clone(), format!("{hex}.txt"), format!("{}.bin", hex.to_uppercase()), format!(".{hex}.bin")] {
            assert_eq!(parse_file_name(&other), None, "{other}");
        }
    }
}
