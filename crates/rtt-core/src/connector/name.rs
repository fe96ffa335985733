//! Legal, idiomatic identifiers from the free names of manifests.
//!
//! Owns case conversion, reserved words and collisions. Names no language: the rules come from a stub.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToLowerCamelCase as _, ToPascalCase as _, ToShoutySnakeCase as _, ToSnakeCase as _};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The longest identifier before it is shortened by hash.
const MAX_IDENTIFIER: usize = 120;

/// How words are joined into an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    /// `two_words`.
    Snake,
    /// `twoWords`.
    Camel,
    /// `TwoWords`.
    Pascal,
    /// `TWO_WORDS`.
    Shouty,
}

impl Case {
    /// The usual case of constants.
    pub fn of_constants() -> Self {
        Self::Shouty
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Snake => text.to_snake_case(),
            Self::Camel => text.to_lower_camel_case(),
            Self::Pascal => text.to_pascal_case(),
            Self::Shouty => text.to_shouty_snake_case(),
        }
    }
}

/// Returns an identifier of ASCII letters, digits and underscores that does not begin with a digit.
///
/// A function of the name alone. Characters beyond the usual separators are lost; then six hex digits of the name's
/// hash tell names apart.
pub fn identifier(name: &str, case: Case) -> String {
    let is_separator = |c: char| matches!(c, '_' | '-' | '.' | '/' | ':' | ' ');
    let lossy = name.chars().any(|c| !c.is_ascii_alphanumeric() && !is_separator(c));
    let ascii: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut out = case.apply(&ascii);
    let too_long = out.len() > MAX_IDENTIFIER;
    out.truncate(MAX_IDENTIFIER);
    out.truncate(out.trim_end_matches('_').len());
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, if matches!(case, Case::Pascal | Case::Shouty) { 'N' } else { 'n' });
    }
    if lossy || too_long || !ascii.contains(|c: char| c.is_ascii_alphanumeric()) {
        out = marked(&out, name);
    }
    out
}

/// Gives each of the names an identifier of its own.
///
/// Reserved words get a trailing underscore, which no conversion leaves. Of names that would share an identifier, the
/// one that is spelt like it, or in snake case, keeps it and the others carry their hash; a name that collides with
/// none is never affected by the others.
pub fn allocate<'a>(
    names: impl IntoIterator<Item = &'a str>,
    case: Case,
    reserved: &BTreeSet<String>,
) -> BTreeMap<&'a str, String> {
    let mut groups: BTreeMap<String, BTreeSet<&'a str>> = BTreeMap::new();
    for name in names {
        groups.entry(identifier(name, case)).or_default().insert(name);
    }
    let mut out = BTreeMap::new();
    for (base, names) in groups {
        let owner = if names.len() == 1 {
            names.first().copied()
        } else {
            names.iter().find(|name| **name == base || **name == base.to_snake_case()).copied()
        };
        for name in names {
            let chosen = if Some(name) == owner { base.clone() } else { marked(&base, name) };
            out.insert(name, if reserved.contains(&chosen) { format!("{chosen}_") } else { chosen });
        }
    }
    out
}

/// Appends the hash by which colliding names differ.
pub fn marked(base: &str, name: &str) -> String {
    format!("{base}_{}", &Digest::of_bytes(name).hex()[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_legal_whatever_the_name() {
        for (name, case, expected) in [
            ("getUser", Case::Snake, "get_user"),
            ("agent.storage.tsdb", Case::Pascal, "AgentStorageTsdb"),
            ("2fast", Case::Snake, "n2fast"),
            ("list-tags", Case::Camel, "listTags"),
            ("max_size", Case::Shouty, "MAX_SIZE"),
        ] {
            assert_eq!(identifier(name, case), expected);
        }
        for name in ["", "___", "größe", "a\"b", "*/", "${x}", "\n", "\u{202e}", "数", &"x".repeat(500)] {
            for case in [Case::Snake, Case::Camel, Case::Pascal, Case::Shouty] {
                let found = identifier(name, case);
                assert!(found.starts_with(|c: char| c.is_ascii_alphabetic()), "{name:?}: {found}");
                assert!(found.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name:?}: {found}");
            }
        }
    }

    #[test]
    fn collisions_and_reserved_words_are_settled_stably() {
        let reserved = BTreeSet::from(["class".to_owned()]);
        let found = allocate(["getUser", "get_user", "get-user", "class", "query"], Case::Snake, &reserved);
        assert_eq!((found["get_user"].as_str(), found["class"].as_str()), ("get_user", "class_"));
        assert_eq!(found["getUser"], marked("get_user", "getUser"));
        assert_eq!(found.values().collect::<BTreeSet<_>>().len(), 5);
        let alone = allocate(["query"], Case::Snake, &reserved);
        assert_eq!(alone["query"], found["query"]);
    }
}
