//! Patterns of symbols, precompiled: segments, `*` for one of them, `**` for any number, and a version range.

use std::fmt;
use std::str::FromStr;

use semver::Version;

use crate::symbol::{InstanceId, Symbol, from_address};
use crate::version::Range;

/// Which instances a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
    range: Range,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// Exactly this one.
    Name(String),
    /// `*`: any one.
    One,
    /// `**`: any number, also none.
    Any,
}

/// The text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a pattern such as agent.storage.tsdb, agent.api.* or agent.**")]
pub struct InvalidPattern(String);

impl Pattern {
    /// Matches everything.
    pub fn any() -> Self {
        Self { text: "**".to_owned(), segments: vec![Segment::Any], range: Range::any() }
    }

    /// Returns the only symbol that matches; `None` if the pattern has wildcards.
    pub fn name(&self) -> Option<&str> {
        let is_name = self.segments.iter().all(|segment| matches!(segment, Segment::Name(_)));
        is_name.then(|| self.text.split_once('@').map_or(self.text.as_str(), |(name, _)| name))
    }

    /// Tells whether the symbol matches, whatever its version.
    pub fn matches_symbol(&self, symbol: &Symbol) -> bool {
        if let Some(name) = self.name() {
            return name == symbol.as_str();
        }
        let segments: Vec<&str> = symbol.segments().collect();
        matches(&self.segments, &segments)
    }

    /// Tells whether symbol and version match.
    pub fn matches(&self, instance: &InstanceId) -> bool {
        self.range.contains(&instance.version) && self.matches_symbol(&instance.symbol)
    }

    /// Tells whether the pattern is `**`.
    pub fn is_any(&self) -> bool {
        self.segments == [Segment::Any] && self.range == Range::any()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    /// Reads `a.*.c`, `a.**`, `a.b@range`, and the same as an older address, `rtt://a/**`. A bare version after `@`
    /// means exactly that version.
    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = || InvalidPattern(text.to_owned());
        let dotted = from_address(text).unwrap_or_else(|| text.to_owned());
        let (name, range) = match dotted.split_once('@') {
            Some((name, range)) => (name, version_or_range(range).ok_or_else(invalid)?),
            None => (dotted.as_str(), Range::any()),
        };
        let segments = name
            .split('.')
            .map(|segment| match segment {
                "*" => Some(Segment::One),
                "**" => Some(Segment::Any),
                _ => {
                    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
                    let valid = !segment.is_empty() && segment.bytes().all(allowed);
                    valid.then(|| Segment::Name(segment.to_owned()))
                }
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(invalid)?;
        Ok(Self { text: dotted.clone(), segments, range })
    }
}

/// Reads what follows `@` in a policy: a version means exactly it, anything else is a range.
pub(super) fn version_or_range(text: &str) -> Option<Range> {
    match text.parse::<Version>() {
        Ok(version) => Some(Range::exactly(&version)),
        Err(_) => text.parse().ok(),
    }
}

/// Matches greedily with one point to come back to, so the time is bounded by the product of the lengths.
fn matches(pattern: &[Segment], segments: &[&str]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while position < segments.len() {
        match pattern.get(at) {
            Some(Segment::Any) => {
                retry = Some((at, position));
                at += 1;
                continue;
            }
            Some(Segment::One) => {}
            Some(Segment::Name(name)) if name == segments[position] => {}
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    (at, position) = (star + 1, from + 1);
                    continue;
                }
                None => return false,
            },
        }
        at += 1;
        position += 1;
    }
    pattern[at..].iter().all(|segment| *segment == Segment::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, instance: &str, expected: bool) {
        let found = pattern.parse::<Pattern>().expect(pattern).matches(&instance.parse().expect(instance));
        assert_eq!(found, expected, "{pattern} against {instance}");
    }

    #[test]
    fn matches_by_segments() {
        check("**", "a.b@1.0.0", true);
        check("agent.*", "agent.api@1.0.0", true);
        check("agent.*", "agent.api.x@1.0.0", false);
        check("agent.*", "agents.api@1.0.0", false);
        check("agent.storage.**", "agent.storage@1.0.0", true);
        check("agent.storage.**", "agent.storage.a.b@1.0.0", true);
        check("**.tsdb", "agent.storage.tsdb@1.0.0", true);
        check("**.tsdb", "agent.tsdb.x@1.0.0", false);
        check("a.**.b.*.c", "a.x.b.y.b.z.c@1.0.0", true);
        check("a.**.b.*.c", "a.x.b.y.c.z@1.0.0", false);
        check("rtt://core/*/x", "core.api.x@1.0.0", true);
        check("a.b@1.2.0", "a.b@1.2.1", false);
        check("a.b@^1.2", "a.b@1.2.1", true);
        for wrong in ["", "a..b", "a.b*", "A.b", "a b", "a.b@one"] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
    }
}
