//! Identities: symbols, instances, and the older `rtt://` addresses.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::recent::Recent;
use crate::version::{InvalidRange, Range};

/// The longest symbol in bytes.
pub const MAX_SYMBOL_BYTES: usize = 200;

/// A dotted lower-case name of two or more segments, `agent.storage.tsdb`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the segments between the dots.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

/// The text is not a symbol, an instance or an address.
#[derive(Debug, thiserror::Error)]
pub enum InvalidName {
    /// Not a symbol.
    #[error("'{0}' is not a symbol: two or more lower-case segments joined by dots, such as agent.storage.tsdb")]
    Symbol(String),
    /// Not `symbol@version`.
    #[error("'{0}' is not an instance: a symbol, '@' and a version, such as agent.storage.tsdb@1.2.0")]
    Instance(String),
    /// The version range after `@` is invalid.
    #[error(transparent)]
    Range(#[from] InvalidRange),
}

thread_local! {
    static RECENT: Recent<Symbol> = const { Recent::new() };
}

impl FromStr for Symbol {
    type Err = InvalidName;

    /// The rule is the manifest schema's: `^[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+$`, at most 200 bytes.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let segment = |index: usize, segment: &str| {
            let mut bytes = segment.bytes();
            bytes.next().is_some_and(|first| first.is_ascii_lowercase() || (index > 0 && first.is_ascii_digit()))
                && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        let valid = || {
            text.len() <= MAX_SYMBOL_BYTES
                && text.contains('.')
                && text.split('.').enumerate().all(|(index, part)| segment(index, part))
        };
        let parse = || if valid() { Ok(Self(text.into())) } else { Err(InvalidName::Symbol(text.to_owned())) };
        RECENT.with(|recent| recent.get(text, Self::as_str, parse))
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One registered version of a symbol, `agent.storage.tsdb@1.2.0`; ordered by symbol, then by version precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId {
    /// The symbol.
    pub symbol: Symbol,
    /// The version.
    pub version: Version,
}

impl Hash for InstanceId {
    /// Leaves out what hardly ever tells two versions apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.symbol.hash(state);
        state.write_u64(self.version.major.rotate_left(32) ^ self.version.minor.rotate_left(16) ^ self.version.patch);
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.symbol, self.version)
    }
}

impl FromStr for InstanceId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName::Instance(text.to_owned());
        let (symbol, version) = text.split_once('@').ok_or_else(invalid)?;
        Ok(Self { symbol: symbol.parse()?, version: version.parse().map_err(|_| invalid())? })
    }
}

/// A symbol with the versions of it that are meant, `agent.storage.tsdb@^1.2`; without `@`, all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SymbolRange {
    /// The symbol.
    pub symbol: Symbol,
    /// Which versions; [`Range::any`] where none were written.
    pub range: Range,
}

impl SymbolRange {
    /// Tells whether the instance is one of those meant.
    pub fn contains(&self, instance: &InstanceId) -> bool {
        self.symbol == instance.symbol && self.range.contains(&instance.version)
    }
}

impl SymbolRange {
    /// Compares as the texts do.
    pub fn cmp_text(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        let range = match self.range.as_str() {
            "*" => ["", ""],
            range => ["@", range],
        };
        self.symbol.as_str().bytes().chain(range.into_iter().flat_map(str::bytes))
    }
}

impl fmt::Display for SymbolRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range.as_str() {
            "*" => write!(f, "{}", self.symbol),
            range => write!(f, "{}@{range}", self.symbol),
        }
    }
}

impl FromStr for SymbolRange {
    type Err = InvalidName;

    /// Reads `symbol`, `symbol@range` and `rtt://a/b/c@range#variant`.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let dotted;
        let text = match from_address(text) {
            Some(converted) => {
                dotted = converted;
                &dotted
            }
            None => text,
        };
        match text.split_once('@') {
            Some((symbol, range)) => Ok(Self { symbol: symbol.parse()?, range: range.parse()? }),
            None => Ok(Self { symbol: text.parse()?, range: Range::any() }),
        }
    }
}

/// Turns an older address `rtt://a/b/c@1.0.0#v` into `a.b.c.v@1.0.0`; `None` if the text is not such an address.
///
/// Wildcards (`rtt://a/*`, `rtt://a/**`) pass through, for patterns in policies.
pub fn from_address(text: &str) -> Option<String> {
    let rest = text.strip_prefix("rtt://")?;
    let (rest, variant) = rest.split_once('#').map_or((rest, None), |(head, tail)| (head, Some(tail)));
    let (path, version) = rest.split_once('@').map_or((rest, None), |(head, tail)| (head, Some(tail)));
    let mut out = path.trim_matches('/').replace('/', ".").to_ascii_lowercase();
    if let Some(variant) = variant.filter(|variant| !variant.is_empty()) {
        out.push('.');
        out.push_str(&variant.to_ascii_lowercase());
    }
    if let Some(version) = version.filter(|version| !version.is_empty()) {
        out.push('@');
        out.push_str(version);
    }
    Some(out)
}

/// Serialises a type by its `Display` and reads it by its `FromStr`.
macro_rules! string_in_json {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::json::parsed(deserializer)
            }
        }
    )*};
}
string_in_json!(Symbol, InstanceId, SymbolRange);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_follow_the_schema() {
        for good in ["a.b", "agent.storage.tsdb", "a1.2-b_c"] {
            assert!(good.parse::<Symbol>().is_ok(), "{good}");
        }
        let long = format!("a.{}", "b".repeat(MAX_SYMBOL_BYTES));
        for bad in ["", "a", "a.", ".a", "a..b", "A.b", "1a.b", "a.-b", "a.b/c", "a.b\n", "a.\u{e9}", &long] {
            assert!(bad.parse::<Symbol>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_become_symbols() {
        assert_eq!(from_address("rtt://core/api/metrics@1.0.0#fast").as_deref(), Some("core.api.metrics.fast@1.0.0"));
        assert_eq!(from_address("rtt://core/*").as_deref(), Some("core.*"));
        assert_eq!(from_address("core.api"), None);
        let route: SymbolRange = "rtt://a/b@^1.2".parse().expect("an address");
        assert_eq!(route.to_string(), "a.b@^1.2");
    }

    #[test]
    fn ranges_compare_as_their_texts_do() {
        let texts =
            ["a.b", "a.b@*", "a.b@^1", "a.b@=1.0.0", "a.b.c", "a.b-c", "a.b_c@1", "a.b9", "a.c", "a.b@^1.2", "a.b@1"];
        for one in texts {
            for other in texts {
                let [one, other]: [SymbolRange; 2] = [one, other].map(|text| text.parse().expect(text));
                assert_eq!(one.cmp_text(&other), one.to_string().cmp(&other.to_string()), "{one} and {other}");
                assert_eq!(one == other, one.to_string() == other.to_string(), "{one} and {other}");
            }
        }
    }

    #[test]
    fn instances_order_by_version_precedence() {
        let mut instances: Vec<InstanceId> =
            ["a.b@1.10.0", "a.b@1.9.0", "a.a@2.0.0"].iter().map(|text| text.parse().expect("an instance")).collect();
        instances.sort();
        assert_eq!(
            instances.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["a.a@2.0.0", "a.b@1.9.0", "a.b@1.10.0"]
        );
    }
}
