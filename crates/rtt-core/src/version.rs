//! Version ranges in cargo's grammar, with the older spelling that separates comparators by spaces.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use semver::{Version, VersionReq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json;
use crate::recent::Recent;

/// A set of versions; displayed as written, compared by meaning nowhere. Small, since there is one in every route and
/// most say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range(
    /// None: every version, written `*`.
    Option<Arc<Written>>,
);

#[derive(Debug, PartialEq, Eq)]
struct Written {
    text: String,
    request: VersionReq,
}

impl Hash for Range {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Range {
    /// Every version, pre-releases included.
    pub fn any() -> Self {
        Self(None)
    }

    /// Exactly one version.
    pub fn exactly(version: &Version) -> Self {
        format!("={version}").parse().expect("a version after '=' is a range")
    }

    /// Tells whether the version lies in the range. A pre-release lies only in a range that names a pre-release of the
    /// same version (semver 2.0, and cargo), and in `*`.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.as_ref().is_none_or(|range| range.request == VersionReq::STAR || range.request.matches(version))
    }

    /// Returns the range as written.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("*", |range| &range.text)
    }

    /// Returns the parsed comparators.
    pub fn comparators(&self) -> &[semver::Comparator] {
        self.0.as_ref().map_or(&[], |range| &range.request.comparators)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a version range.
#[derive(Debug, thiserror::Error)]
#[error("'{text}' is not a version range such as ^1.2, ~1.4.0, >=1.0, <2.0 or *")]
pub struct InvalidRange {
    text: String,
    #[source]
    source: semver::Error,
}

thread_local! {
    static RECENT: Recent<Range> = const { Recent::new() };
}

impl FromStr for Range {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        if text.trim() == "*" {
            return Ok(Self::any());
        }
        let parse = || {
            VersionReq::parse(&with_commas(text))
                .map(|request| Self(Some(Arc::new(Written { text: text.trim().to_owned(), request }))))
                .map_err(|source| InvalidRange { text: text.to_owned(), source })
        };
        RECENT.with(|recent| recent.get(text, Self::as_str, parse))
    }
}

/// `>=1.0 <2.0` → `>=1.0, <2.0`; a space after an operator belongs to its comparator.
fn with_commas(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() && !out.ends_with([',', '<', '>', '=', '^', '~']) {
            out.push(',');
        }
        out.push_str(word);
    }
    out
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::parsed(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings() {
        let contains = |range: &str, version: &str| {
            range.parse::<Range>().expect(range).contains(&version.parse().expect("a version"))
        };
        assert!(contains(">=1.0 <2.0", "1.9.9") && !contains(">=1.0 <2.0", "2.0.0"));
        assert!(contains(">= 1.0, < 2.0", "1.0.0"));
        assert!(contains("^1.2", "1.4.0") && !contains("^1.2", "1.1.9"));
        assert!(contains("*", "1.0.0-rc.1") && !contains("^1", "1.0.0-rc.1") && contains(">=1.0.0-rc.1", "1.0.0-rc.2"));
        for wrong in ["", "banana", ">=1.0 <", "1.0 || 2.0"] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
    }
}
