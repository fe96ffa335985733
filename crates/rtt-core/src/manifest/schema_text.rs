//! A method's JSON Schema, kept as text: most are never looked into, and a registry holds a great many.

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::schema_shape::is_plain_schema;
use crate::digest::Digest;
use crate::json::{Tree, canonical};

/// A JSON Schema in compact form, members in the order in which they were written.
#[derive(Debug, Clone)]
pub struct SchemaText {
    text: Box<RawValue>,
    look: OnceLock<Look>,
}

/// What is known of a schema once somebody has looked into it.
#[derive(Debug, Clone, Copy)]
struct Look {
    digest: Digest,
    is_plain: bool,
    accepts_objects: bool,
}

impl Look {
    fn at(tree: &Tree) -> Self {
        Self {
            digest: Digest::of_bytes(canonical::exact_tree(tree)),
            is_plain: is_plain_schema(tree),
            accepts_objects: accepts_objects(tree),
        }
    }
}

impl SchemaText {
    /// Takes a schema out of a document.
    pub fn of_tree(tree: &Tree) -> Self {
        Self { text: compact(tree), look: Look::at(tree).into() }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.text.get()
    }

    /// Returns the schema as a value. Text that somebody put into a state file by hand may hold a number beyond a
    /// double's range; it then says nothing.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.as_str()).unwrap_or(Value::Bool(true))
    }

    /// Returns the digest of the schema's canonical form, in which the order of members does not count.
    pub fn digest(&self) -> Digest {
        self.look().digest
    }

    /// Tells whether the schema holds nothing but keywords in their plainest use, so that it is certainly valid and there
    /// is nothing to say about it.
    pub(super) fn is_plain(&self) -> bool {
        self.look().is_plain
    }

    /// Tells whether the schema can accept an object at its top level, as far as its `type` says.
    pub(super) fn accepts_objects(&self) -> bool {
        self.look().accepts_objects
    }

    fn look(&self) -> &Look {
        self.look.get_or_init(|| Look::at(&Tree::of_value(&self.value())))
    }
}

/// Tells whether a schema can accept an object at its top level, as far as its `type` says.
pub(super) fn accepts_objects(schema: &Tree) -> bool {
    match schema.get("type") {
        None => *schema != Tree::Bool(false),
        Some(Tree::String(one)) => one == "object",
        Some(Tree::Array(many)) => many.iter().any(|one| one.as_str() == Some("object")),
        Some(_) => true,
    }
}

impl From<&Value> for SchemaText {
    fn from(value: &Value) -> Self {
        Self::of_tree(&Tree::of_value(value))
    }
}

impl PartialEq for SchemaText {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Serialize for SchemaText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SchemaText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let schema = Self { text, look: OnceLock::new() };
        // What this program wrote is on one line already.
        Ok(if schema.as_str().contains('\n') { Self::from(&schema.value()) } else { schema })
    }
}

fn compact(tree: &Tree) -> Box<RawValue> {
    to_raw_value(tree).expect("trees have string keys and finite numbers")
}
