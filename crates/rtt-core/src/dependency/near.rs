//! The registered symbols whose names are nearest to ones that are not registered.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::registry::Registry;
use crate::symbol::Symbol;

/// How many pairs of names are compared; beyond it no names are suggested.
const MAX_PAIRS: usize = 50_000_000;

/// How many names are suggested for each.
const MAX_NAMES: usize = 3;

/// Returns for each wanted symbol the registered ones that are near enough to be what was meant, the nearest first.
pub(super) fn names<'a>(
    registry: &'a Registry,
    wanted: impl Iterator<Item = &'a Symbol>,
) -> BTreeMap<&'a Symbol, Vec<&'a Symbol>> {
    let mut known: Vec<(&Symbol, Letters)> = Vec::new();
    for instance in &registry.instances {
        let symbol = &instance.manifest.symbol;
        if known.last().is_none_or(|(last, _)| *last != symbol) {
            known.push((symbol, Letters::of(symbol.as_str())));
        }
    }
    let wanted: BTreeSet<&Symbol> = wanted.collect();
    let affordable = MAX_PAIRS / known.len().max(1);
    let wanted: Vec<&Symbol> = wanted.into_iter().take(affordable).collect();
    wanted.into_par_iter().map(|symbol| (symbol, nearest(symbol.as_str(), &known))).collect()
}

fn nearest<'a>(wanted: &str, known: &[(&'a Symbol, Letters)]) -> Vec<&'a Symbol> {
    let letters = Letters::of(wanted);
    // As in `text::nearest`.
    let limit = |name: &str| (name.len().max(wanted.len()) / 3).max(1);
    let mut candidates: Vec<(usize, &Symbol)> = known
        .iter()
        .map(|(symbol, its_letters)| (letters.least_distance(its_letters), *symbol))
        .filter(|(least, symbol)| *least <= limit(symbol.as_str()))
        .collect();
    // Stable: equally near ones stay in the order of their names.
    candidates.sort_by_key(|(least, _)| *least);
    let mut near: Vec<(usize, &Symbol)> = Vec::new();
    for (least, symbol) in candidates {
        // No later one can be nearer than this.
        if near.get(MAX_NAMES - 1).is_some_and(|(distance, _)| least > *distance) {
            break;
        }
        let distance = distance(wanted, symbol.as_str());
        if distance <= limit(symbol.as_str()) {
            let place = near.partition_point(|other| *other < (distance, symbol));
            near.insert(place, (distance, symbol));
            near.truncate(MAX_NAMES);
        }
    }
    near.into_iter().map(|(_, symbol)| symbol).collect()
}

/// Returns the edit distance of two names of ASCII letters; what both begin and end with has no part in it.
fn distance(one: &str, other: &str) -> usize {
    let begins = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[begins..], &other[begins..]);
    let ends = one.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count();
    strsim::damerau_levenshtein(&one[..one.len() - ends], &other[..other.len() - ends])
}

/// How often each letter occurs in a name; symbols have letters, digits, dots, hyphens and underscores.
struct Letters([u8; 40]);

impl Letters {
    fn of(name: &str) -> Self {
        let mut counts = [0_u8; 40];
        for byte in name.bytes() {
            let class = match byte {
                b'a'..=b'z' => byte - b'a',
                b'0'..=b'9' => byte - b'0' + 26,
                b'.' => 36,
                b'-' => 37,
                b'_' => 38,
                _ => 39,
            };
            let count = &mut counts[usize::from(class)];
            *count = count.saturating_add(1);
        }
        Self(counts)
    }

    /// Returns a lower bound of the edit distance: each edit adds and removes at most one letter.
    fn least_distance(&self, other: &Self) -> usize {
        let (mut more, mut fewer) = (0_usize, 0_usize);
        for (one, another) in self.0.iter().zip(&other.0) {
            more += usize::from(one.saturating_sub(*another));
            fewer += usize::from(another.saturating_sub(*one));
        }
        more.max(fewer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn letters_never_rule_out_what_is_near(one in "[a-c.0-1]{0,12}", other in "[a-c.0-1]{0,12}") {
            let bound = Letters::of(&one).least_distance(&Letters::of(&other));
            prop_assert!(bound <= strsim::damerau_levenshtein(&one, &other));
            prop_assert_eq!(distance(&one, &other), strsim::damerau_levenshtein(&one, &other));
        }
    }
}
