//! What can be asked of ranges beyond "is this version in it": their lowest version, and a range to ask for a version.

use semver::{Comparator, Op, Version};

use crate::version::Range;

/// Returns the lowest release in a range, else the lowest pre-release that it names; `None` if it is empty.
pub(super) fn lowest(range: &Range) -> Option<Version> {
    lowest_in_all(&[range])
}

/// Returns the lowest release in every one of some ranges, else the lowest pre-release that one of them names.
///
/// Each comparator admits the releases of one interval, so if any release lies in all of them, the highest of their
/// lower ends does.
pub(super) fn lowest_in_all(ranges: &[&Range]) -> Option<Version> {
    let comparators = ranges.iter().flat_map(|range| range.comparators());
    let mut ends: Vec<Version> = comparators.flat_map(lower_ends).collect();
    ends.extend([Version::new(1, 0, 0), Version::new(0, 0, 0)]);
    let suits = |version: &&Version| ranges.iter().all(|range| range.contains(version));
    // "Lowest" would be 0.0.0 for an open range, which nobody publishes.
    let lowest =
        |of: &mut dyn Iterator<Item = &Version>| of.min_by_key(|end| (end.major == 0, (*end).clone())).cloned();
    lowest(&mut ends.iter().filter(|end| end.pre.is_empty()).filter(suits))
        .or_else(|| lowest(&mut ends.iter().filter(|end| !end.pre.is_empty()).filter(suits)))
}

/// The lowest release that a comparator admits as far as its lower end says, and the pre-release that it names.
fn lower_ends(comparator: &Comparator) -> Vec<Version> {
    let Comparator { op, major, minor, patch, pre } = comparator;
    let written = Version::new(*major, minor.unwrap_or(0), patch.unwrap_or(0));
    match op {
        Op::Less | Op::LessEq => Vec::new(),
        Op::Greater => match (minor, patch) {
            (Some(minor), Some(patch)) if pre.is_empty() => vec![Version::new(*major, *minor, patch.saturating_add(1))],
            (Some(_), Some(_)) => vec![written],
            (Some(minor), None) => vec![Version::new(*major, minor.saturating_add(1), 0)],
            (None, _) => vec![Version::new(major.saturating_add(1), 0, 0)],
        },
        _ if pre.is_empty() => vec![written],
        _ => {
            let named = Version { pre: pre.clone(), ..written.clone() };
            vec![written, named]
        }
    }
}

/// Returns a range that takes in a version and what is compatible with it.
pub(super) fn asking_for(version: &Version) -> Range {
    let Version { major, minor, .. } = version;
    let text = if *major > 0 && version.pre.is_empty() && version.patch == 0 {
        format!("^{major}.{minor}")
    } else {
        format!("^{major}.{minor}.{}{}{}", version.patch, if version.pre.is_empty() { "" } else { "-" }, version.pre)
    };
    text.parse().expect("a version after '^' is a range")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ranges: &[&str], expected: Option<&str>) {
        let ranges: Vec<Range> = ranges.iter().map(|range| range.parse().expect(range)).collect();
        let found = lowest_in_all(&ranges.iter().collect::<Vec<_>>());
        assert_eq!(found.map(|version| version.to_string()).as_deref(), expected, "{ranges:?}");
    }

    #[test]
    fn finds_a_version_in_all_ranges() {
        check(&["*"], Some("1.0.0"));
        check(&["<1"], Some("0.0.0"));
        check(&[">1.2.3"], Some("1.2.4"));
        check(&[">1"], Some("2.0.0"));
        check(&["^1.2", ">=1.4, <2"], Some("1.4.0"));
        check(&["~1.2", "~1.3"], None);
        check(&["^1", "^2"], None);
        check(&["=1.0.0-rc.1"], Some("1.0.0-rc.1"));
        check(&[">=2.0.0-rc.1"], Some("2.0.0"));
        check(&[">2, <1"], None);
    }

    #[test]
    fn asks_for_what_is_compatible() {
        for (version, expected) in
            [("1.4.0", "^1.4"), ("1.4.2", "^1.4.2"), ("0.3.0", "^0.3.0"), ("2.0.0-rc.1", "^2.0.0-rc.1")]
        {
            let version = version.parse().expect(version);
            let range = asking_for(&version);
            assert_eq!(range.as_str(), expected);
            assert!(range.contains(&version));
        }
    }
}
