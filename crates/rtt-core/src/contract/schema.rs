//! A JSON Schema as containment sees it: nodes that hold rules, each rule about values of certain kinds.
//!
//! References are followed, dialects are gone, defaults are filled in. Knows nothing of other schemas.

use std::sync::OnceLock;

use serde_json::Value;

use super::decimal::Decimal;
use super::pattern::Pattern;
use crate::json::push_token;

/// What a value is, so that no two kinds share one: whole numbers and others are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Fraction,
    String,
    Array,
    Object,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Fraction, Self::String, Self::Array, Self::Object];

    /// Returns the kind of a value; `1.0` is a whole number.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => Self::Fraction,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(0x7f);
    pub(super) const NUMBER: Self = Self::one(Kind::Integer).or(Self::one(Kind::Fraction));

    pub(super) const fn one(kind: Kind) -> Self {
        Self(1 << kind as u8)
    }

    /// Returns the kinds that a word of `type` stands for; `None` if it is no such word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "null" => Self::one(Kind::Null),
            "boolean" => Self::one(Kind::Boolean),
            "integer" => Self::one(Kind::Integer),
            "number" => Self::NUMBER,
            "string" => Self::one(Kind::String),
            "array" => Self::one(Kind::Array),
            "object" => Self::one(Kind::Object),
            _ => return None,
        })
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// Index of a node in its schema.
pub(super) type Id = u32;

/// One thing that a schema demands of values of some kinds; values of other kinds meet it. What `type` demands is no
/// rule: it is the node's [`Entry::kinds`].
#[derive(Debug)]
pub(super) enum Rule<'v> {
    /// `const` and `enum`.
    Values(&'v [Value]),
    /// `$ref` and `allOf`.
    All(Vec<Id>),
    Any(Vec<Id>),
    One(Vec<Id>),
    Not(Id),
    If {
        test: Id,
        then: Option<Id>,
        otherwise: Option<Id>,
    },
    /// `minimum` and `exclusiveMinimum`.
    Least {
        at: Decimal,
        open: bool,
    },
    /// `maximum` and `exclusiveMaximum`.
    Most {
        at: Decimal,
        open: bool,
    },
    Multiple(Decimal),
    /// `minLength`, `minItems`, `minProperties`.
    AtLeast(Kind, u64),
    /// `maxLength`, `maxItems`, `maxProperties`.
    AtMost(Kind, u64),
    /// `pattern`, as an index of [`Schema::patterns`].
    Pattern(usize),
    /// `prefixItems` and `items`.
    Items {
        prefix: Vec<Id>,
        rest: Option<Id>,
    },
    Unique,
    Contains {
        schema: Id,
        least: u64,
        most: Option<u64>,
    },
    /// `properties`, `patternProperties`, `additionalProperties`.
    Properties(Properties<'v>),
    Required(Vec<&'v str>),
    /// `propertyNames`.
    Names(Id),
    DependentRequired(&'v str, Vec<&'v str>),
    DependentSchema(&'v str, Id),
    /// A keyword that is not worked out, about values of one kind.
    Opaque(&'static str, Kind),
}

impl Rule<'_> {
    /// Returns the kinds of the values that the rule is about.
    pub(super) fn kinds(&self) -> Kinds {
        match self {
            Self::Values(_) | Self::All(_) | Self::Any(_) | Self::One(_) | Self::Not(_) | Self::If { .. } => Kinds::ALL,
            Self::Least { .. } | Self::Most { .. } | Self::Multiple(_) => Kinds::NUMBER,
            Self::AtLeast(kind, _) | Self::AtMost(kind, _) | Self::Opaque(_, kind) => Kinds::one(*kind),
            Self::Pattern(_) => Kinds::one(Kind::String),
            Self::Items { .. } | Self::Unique | Self::Contains { .. } => Kinds::one(Kind::Array),
            Self::Properties(_)
            | Self::Required(_)
            | Self::Names(_)
            | Self::DependentRequired(..)
            | Self::DependentSchema(..) => Kinds::one(Kind::Object),
        }
    }

    /// Returns the keyword, or the most telling one of those that the rule stands for.
    pub(super) fn keyword(&self) -> &'static str {
        match self {
            Self::Values(_) => "enum",
            Self::All(_) => "allOf",
            Self::Any(_) => "anyOf",
            Self::One(_) => "oneOf",
            Self::Not(_) => "not",
            Self::If { .. } => "if",
            Self::Least { .. } => "minimum",
            Self::Most { .. } => "maximum",
            Self::Multiple(_) => "multipleOf",
            Self::AtLeast(Kind::Array, _) => "minItems",
            Self::AtLeast(Kind::Object, _) => "minProperties",
            Self::AtLeast(..) => "minLength",
            Self::AtMost(Kind::Array, _) => "maxItems",
            Self::AtMost(Kind::Object, _) => "maxProperties",
            Self::AtMost(..) => "maxLength",
            Self::Pattern(_) => "pattern",
            Self::Items { .. } => "items",
            Self::Unique => "uniqueItems",
            Self::Contains { .. } => "contains",
            Self::Properties(properties) if !properties.patterns.is_empty() => "patternProperties",
            Self::Properties(_) => "properties",
            Self::Required(_) => "required",
            Self::Names(_) => "propertyNames",
            Self::DependentRequired(..) => "dependentRequired",
            Self::DependentSchema(..) => "dependentSchemas",
            Self::Opaque(keyword, _) => keyword,
        }
    }
}

/// What each property's value must satisfy: that of its name and of every pattern that the name matches, or else `rest`.
#[derive(Debug)]
pub(super) struct Properties<'v> {
    /// In the order of the names, each once.
    pub(super) named: Vec<(&'v str, Id)>,
    /// Patterns are indices of [`Schema::patterns`].
    pub(super) patterns: Vec<(usize, Id)>,
    pub(super) rest: Option<Id>,
}

impl Properties<'_> {
    /// Returns what is said of a name in so many words.
    pub(super) fn named(&self, name: &str) -> Option<Id> {
        let index = self.named.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
        Some(self.named[index].1)
    }
}

/// The dialects that are read, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    Draft6,
    Draft7,
    Draft2019,
    Draft2020,
}

impl Dialect {
    /// Returns the dialect that a schema names, the newest one by default; the name, if it is not read.
    pub(super) fn of(root: &Value) -> Result<Self, &str> {
        match root.get("$schema").and_then(Value::as_str) {
            None => Ok(Self::Draft2020),
            Some(name) if name.contains("2020-12") => Ok(Self::Draft2020),
            Some(name) if name.contains("2019-09") => Ok(Self::Draft2019),
            Some(name) if name.contains("draft-07") => Ok(Self::Draft7),
            Some(name) if name.contains("draft-06") => Ok(Self::Draft6),
            Some(name) => Err(name),
        }
    }
}

/// A schema, read once; the first node is the whole of it.
#[derive(Debug)]
pub(super) struct Schema<'v> {
    pub(super) source: &'v Value,
    pub(super) dialect: Dialect,
    pub(super) entries: Vec<Entry<'v>>,
    /// Each text once.
    pub(super) patterns: Vec<Pattern>,
    /// The most nodes that apply to one value, each because of the one before.
    pub(super) chain: usize,
}

/// One subschema.
#[derive(Debug)]
pub(super) struct Entry<'v> {
    /// Where it was read from.
    pub(super) value: &'v Value,
    /// Values of other kinds are refused.
    pub(super) kinds: Kinds,
    pub(super) rules: Vec<Rule<'v>>,
    /// Its text alone says what it means: no reference leads out of it, nothing was cut.
    pub(super) is_whole: bool,
    /// A digest of the text, once it was asked for.
    pub(super) digest: OnceLock<u64>,
}

impl Entry<'_> {
    /// Returns a number that is the same for equal texts, whatever the order of members.
    fn digest(&self) -> u64 {
        *self.digest.get_or_init(|| digest(self.value))
    }
}

/// Which of the two schemas of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// What is sent.
    Given,
    /// What is accepted.
    Wanted,
}

/// A subschema of one of the two schemas of a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) schema: &'a Schema<'a>,
    pub(super) side: Side,
    pub(super) id: Id,
}

impl<'a> Node<'a> {
    /// Returns the whole schema.
    pub(super) fn top(schema: &'a Schema<'a>, side: Side) -> Self {
        Node { schema, side, id: 0 }
    }

    /// Returns another node of the same schema.
    pub(super) fn to(self, id: Id) -> Self {
        Node { id, ..self }
    }

    pub(super) fn entry(self) -> &'a Entry<'a> {
        &self.schema.entries[self.id as usize]
    }

    pub(super) fn kinds(self) -> Kinds {
        self.entry().kinds
    }

    pub(super) fn rules(self) -> &'a [Rule<'a>] {
        &self.entry().rules
    }

    pub(super) fn pattern(self, index: usize) -> &'a Pattern {
        &self.schema.patterns[index]
    }

    /// Tells whether two nodes certainly say the same: one node, or equal text that needs nothing else.
    pub(super) fn same_as(self, other: Self) -> bool {
        if std::ptr::eq(self.schema, other.schema) && self.id == other.id {
            return true;
        }
        let (one, two) = (self.entry(), other.entry());
        one.kinds == two.kinds
            && one.rules.len() == two.rules.len()
            && one.is_whole
            && two.is_whole
            && self.schema.dialect == other.schema.dialect
            && one.digest() == two.digest()
            && one.value == two.value
    }

    /// Says where the node stands, as in "at '/items' of the sender's schema".
    pub(super) fn place(self) -> String {
        let pointer = pointer_of(self.schema.source, self.entry().value).unwrap_or_default();
        let whose = match self.side {
            Side::Given => "the sender's",
            Side::Wanted => "the receiver's",
        };
        match pointer.as_str() {
            "" => format!("of {whose} schema"),
            pointer => format!("at '{pointer}' of {whose} schema"),
        }
    }
}

fn digest(value: &Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Bool(truth) => 2 + u64::from(*truth),
        Value::Number(number) => mix(4, number.as_f64().unwrap_or_default().to_bits()),
        Value::String(text) => mix_text(5, text),
        Value::Array(items) => items.iter().fold(6, |digest_of_all, item| mix(digest_of_all, digest(item))),
        Value::Object(members) => {
            let of_member = |(name, member): (&String, &Value)| mix_text(digest(member), name);
            mix(7, members.iter().map(of_member).fold(0, u64::wrapping_add))
        }
    }
}

/// FNV-1a, a word at a time: digests only spare comparisons, so nobody gains by a collision.
fn mix(digest: u64, word: u64) -> u64 {
    let mixed = (digest ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    mixed ^ (mixed >> 32)
}

fn mix_text(digest: u64, text: &str) -> u64 {
    text.as_bytes().chunks(8).fold(mix(digest, text.len() as u64), |digest, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(digest, u64::from_le_bytes(word))
    })
}

/// Returns the JSON pointer of a value inside another, by identity.
pub(super) fn pointer_of(root: &Value, wanted: &Value) -> Option<String> {
    let mut pending = vec![(root, String::new())];
    while let Some((value, pointer)) = pending.pop() {
        if std::ptr::eq(value, wanted) {
            return Some(pointer);
        }
        match value {
            Value::Object(members) => {
                pending.extend(members.iter().map(|(key, member)| (member, push_token(&pointer, key))));
            }
            Value::Array(items) => {
                pending.extend(items.iter().enumerate().map(|(index, item)| (item, format!("{pointer}/{index}"))));
            }
            _ => {}
        }
    }
    None
}
