//! A JSON value that borrows from its text: the quick way through documents that are in order.
//!
//! Reading stops at the first thing that strict JSON refuses, without a word; [`super::parse`] then finds the words.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::strict::{MAX_BYTES, MAX_DEPTH};

/// A value; members keep the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: an integer of up to 64 bits, or a double.
    Number(Number),
    /// A string, borrowed where it holds no escape.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Tree<'a>>),
    /// An object, each key once.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

/// Objects of more members than this look for duplicates in sorted order instead of pair by pair.
const FEW_MEMBERS: usize = 16;

impl<'a> Tree<'a> {
    /// Reads one document; `None` exactly where [`super::parse`] refuses it.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > MAX_BYTES || bytes.starts_with(b"\xEF\xBB\xBF") {
            return None;
        }
        Self::parse_text(std::str::from_utf8(bytes).ok()?)
    }

    /// Reads one document of any size.
    pub fn parse_text(text: &'a str) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let tree = Builder { depth: 0 }.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        Some(tree)
    }

    /// Borrows a value.
    pub fn of_value(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(Cow::Borrowed(text)),
            Value::Array(items) => Self::Array(items.iter().map(Self::of_value).collect()),
            Value::Object(members) => {
                let member =
                    |(key, member): (&'a String, &'a Value)| (Cow::Borrowed(key.as_str()), Self::of_value(member));
                Self::Object(members.iter().map(member).collect())
            }
        }
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items of an array.
    pub fn as_array(&self) -> Option<&[Tree<'a>]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the members of an object.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Tree<'a>)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns a member of an object.
    pub fn get(&self, key: &str) -> Option<&Tree<'a>> {
        self.as_object()?.iter().find(|(name, _)| name == key).map(|(_, member)| member)
    }

    /// Returns the same as a value that owns its parts.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.to_string()),
            Self::Array(items) => Value::Array(items.iter().map(Tree::to_value).collect()),
            Self::Object(members) => Value::Object(
                members.iter().map(|(key, member)| (key.to_string(), member.to_value())).collect::<Map<_, _>>(),
            ),
        }
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(key, member)| (key, member))),
        }
    }
}

impl<'de> Deserializer<'de> for &'de Tree<'_> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(flag) => visitor.visit_bool(*flag),
            Tree::Number(number) => number.deserialize_any(visitor),
            Tree::String(text) => visitor.visit_borrowed_str(text),
            Tree::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            Tree::Object(members) => {
                let members = members.iter().map(|(key, member)| (BorrowedStrDeserializer::new(key), member));
                visitor.visit_map(MapDeserializer::new(members))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for &'de Tree<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

struct Builder {
    depth: usize,
}

impl Builder {
    fn inner<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH { Err(E::custom("too deep")) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

impl<'de> DeserializeSeed<'de> for Builder {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = elements.next_element_seed(self.inner()?)? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Tree<'de>)> = Vec::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let member = entries.next_value_seed(self.inner()?)?;
            members.push((key, member));
        }
        if has_duplicates(&members) { Err(de::Error::custom("duplicate key")) } else { Ok(Tree::Object(members)) }
    }
}

/// Reads a key, borrowed where it holds no escape.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

fn has_duplicates(members: &[(Cow<str>, Tree)]) -> bool {
    if members.len() <= FEW_MEMBERS {
        return (1..members.len()).any(|index| members[..index].iter().any(|(key, _)| *key == members[index].0));
    }
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn agrees(bytes: &[u8]) {
        match (Tree::parse(bytes), json::parse(bytes)) {
            (Some(tree), Ok(value)) => {
                assert_eq!(tree.to_value(), value);
                assert_eq!(serde_json::to_string(&tree).ok(), serde_json::to_string(&value).ok());
            }
            (None, Err(_)) => {}
            (tree, strict) => panic!("{:?}: {tree:?} and {strict:?}", String::from_utf8_lossy(bytes)),
        }
    }

    #[test]
    fn reads_and_refuses_what_the_strict_reader_does() {
        let many = |last: &str| {
            let members: Vec<String> = (0..40).map(|index| format!("\"k{index}\": {index}")).collect();
            format!("{{{}, \"{last}\": 0}}", members.join(","))
        };
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            r#"{"b": [1, -2, 1.5, 9223372036854775807, 18446744073709551615, 1e400], "a": {"é\n": "\ud83d\ude00"}}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"a": 1e300, "b": [true, false, null, "", {}, []]}"#,
            &many("k7"),
            &many("k40"),
            &nested(127),
            &nested(128),
            &nested(129),
            "[1,]",
            "{} x",
            "",
            "\u{feff}{}",
        ] {
            agrees(text.as_bytes());
        }
        agrees(b"\"\xff\"");
    }

    proptest! {
        #[test]
        fn agrees_with_the_strict_reader_on_anything(text in r#"[\[\]{}:,"a-c0-3\\u. eE+-]{0,24}"#) {
            agrees(text.as_bytes());
        }
    }
}
