//! Singletons: of such a symbol only one version runs, so all its consumers must agree on one.
//!
//! Where they cannot, the conflict is a derivation: a set of requirements that no version meets all of, each of which
//! is needed for that.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::judge::{Judge, Reason, Resolved};
use super::range;
use super::words;
use crate::diagnostic::Diagnostic;
use crate::manifest::Requirement;
use crate::stage::Verdict;
use crate::symbol::Symbol;
use crate::version::Range;

/// Narrows every requirement on a singleton to the version that all its consumers accept, the highest such; reports
/// where there is none.
pub(super) fn settle(judge: &Judge, edges: &mut [Resolved], findings: &mut Vec<Finding>) {
    let singletons: BTreeSet<&Symbol> = judge
        .registry
        .instances
        .iter()
        .filter(|instance| instance.manifest.singleton)
        .map(|instance| &instance.manifest.symbol)
        .collect();
    if singletons.is_empty() {
        return;
    }
    let mut consumers: BTreeMap<&Symbol, Vec<usize>> = BTreeMap::new();
    for (position, edge) in edges.iter().enumerate() {
        let symbol = &judge.requirement(edge).symbol;
        if singletons.contains(symbol) {
            consumers.entry(symbol).or_default().push(position);
        }
    }
    let mut explained: BTreeSet<usize> = BTreeSet::new();
    for (symbol, consumers) in consumers {
        match (Agreement { judge, edges, consumers: &consumers, versions: judge.versions(symbol) }).reach() {
            Ok(Some(common)) => {
                for position in consumers {
                    let edge = &mut edges[position];
                    if edge.accepted.is_empty() {
                        continue;
                    }
                    restrict(edge, common);
                    if edge.accepted.is_empty() {
                        findings.push(left_out(judge, position, edge, common));
                    }
                }
            }
            Ok(None) => {}
            Err(conflict) => {
                explained.extend(conflict.premises.iter().filter(|position| edges[**position].accepted.is_empty()));
                findings.push(conflict.finding(judge, edges, symbol));
            }
        }
    }
    // What a derivation explains is not reported once more as a range without a version.
    let is_explained = |finding: &Finding| finding.edges.iter().all(|position| explained.contains(position));
    findings.retain(|finding| finding.diagnostic.rule != "RTT-D002" || !is_explained(finding));
}

/// The consumers of one singleton in search of a version.
struct Agreement<'a> {
    judge: &'a Judge<'a>,
    edges: &'a [Resolved],
    /// By their edges.
    consumers: &'a [usize],
    /// Of the singleton, by their positions.
    versions: std::ops::Range<usize>,
}

/// No version suits all.
struct Conflict {
    /// Edges that no version suits all of; each is needed.
    premises: Vec<usize>,
    /// Those of them without which one registered version suits all the others.
    relieving: Vec<usize>,
    /// Not even a version that could be published would do.
    is_hopeless: bool,
}

impl Agreement<'_> {
    /// Returns the highest version that suits all; optional requirements have a say where there are no others. `None`
    /// if nobody is left to agree, or there is nothing to choose from.
    fn reach(&self) -> Result<Option<usize>, Conflict> {
        let (optional, firm): (Vec<usize>, Vec<usize>) =
            self.consumers.iter().partition(|position| self.judge.requirement(&self.edges[**position]).optional);
        let is_served = |position: &usize| !self.edges[*position].accepted.is_empty();
        let mut deciding: Vec<usize> = firm.iter().copied().filter(is_served).collect();
        if deciding.is_empty() {
            deciding = optional.into_iter().filter(is_served).collect();
        }
        if let Some(premises) = self.conflict_among(&deciding) {
            return Err(self.conflict(premises, &deciding, false));
        }
        // A range without a version can be served by publishing one, unless that would shut out others.
        let ranged: Vec<usize> =
            firm.iter().copied().filter(|position| is_served(position) || self.is_out_of_range(*position)).collect();
        if ranged.iter().any(|position| self.is_out_of_range(*position))
            && let Some(premises) = disjoint_ranges(self.judge, self.edges, &ranged)
        {
            return Err(self.conflict(premises, &ranged, true));
        }
        let suits_all = |version: &usize| deciding.iter().all(|one| self.edges[*one].accepted.contains(version));
        let has_choice = self.versions.len() > 1 && !deciding.is_empty();
        Ok(self.versions.clone().rev().find(suits_all).filter(|_| has_choice))
    }

    fn is_out_of_range(&self, position: usize) -> bool {
        let Resolved { accepted, refused, .. } = &self.edges[position];
        accepted.is_empty() && refused.iter().all(|(_, reason)| *reason == Reason::OutOfRange)
    }

    fn conflict_among(&self, positions: &[usize]) -> Option<Vec<usize>> {
        conflict_of(positions, self.versions.len(), |position, version| {
            self.edges[position].accepted.contains(&(self.versions.start + version))
        })
    }

    fn conflict(&self, premises: Vec<usize>, all: &[usize], is_hopeless: bool) -> Conflict {
        let is_relieving = |premise: &&usize| {
            let others: Vec<usize> = all.iter().filter(|position| position != premise).copied().collect();
            self.conflict_among(&others).is_none()
        };
        let relieving = premises.iter().filter(is_relieving).copied().collect();
        Conflict { premises, relieving, is_hopeless }
    }
}

/// An optional requirement that the version which suits the others does not meet.
fn left_out(judge: &Judge, position: usize, edge: &Resolved, common: usize) -> Finding {
    let Requirement { symbol, version, .. } = judge.requirement(edge);
    let (consumer, common) = (judge.instance(edge.consumer), judge.instance(common));
    let message = format!(
        "Dependency '{symbol}' version mismatch: {} requires {version}, but only one version of {symbol} may run, and \
         the others need {} (optional: the agent runs without it)",
        consumer.id(),
        common.id()
    );
    let diagnostic = Diagnostic::warning("RTT-D008", message)
        .at(words::place(consumer, edge.requirement, "/version"))
        .help(format!("let the range take in {}", common.manifest.version))
        .related(words::provider_place(common), format!("{} is declared here", common.id()));
    let about = (Some(consumer.id()), Some(symbol.clone()));
    Finding { edges: vec![position], ..Finding::new(Verdict::VersionConflict, about, diagnostic) }
}

fn restrict(edge: &mut Resolved, only: usize) {
    let (kept, dropped): (Vec<usize>, Vec<usize>) = edge.accepted.drain(..).partition(|position| *position == only);
    edge.accepted = kept;
    edge.refused.extend(dropped.into_iter().map(|position| (position, Reason::Singleton(only))));
    edge.refused.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
    edge.toward = edge.accepted.first().copied();
}

/// Returns requirements whose ranges have no version in common, each of them needed for that; `None` if all have one.
fn disjoint_ranges(judge: &Judge, edges: &[Resolved], positions: &[usize]) -> Option<Vec<usize>> {
    // Whoever writes the same range wants the same: the first speaks for all.
    let mut ranges: BTreeMap<&str, (usize, &Range)> = BTreeMap::new();
    for position in positions {
        let range = &judge.requirement(&edges[*position]).version;
        ranges.entry(range.as_str()).or_insert((*position, range));
    }
    let has_common = |of: &[(usize, &Range)]| {
        range::lowest_in_all(&of.iter().map(|(_, range)| *range).collect::<Vec<_>>()).is_some()
    };
    // A range that is empty in itself is nobody else's fault.
    let mut ranges: Vec<(usize, &Range)> = ranges.into_values().filter(|range| has_common(&[*range])).collect();
    ranges.sort_by_key(|(position, _)| *position);
    if has_common(&ranges) {
        return None;
    }
    // Intervals without a common point have two that are disjoint already; only pre-releases can need more.
    for (index, one) in ranges.iter().enumerate() {
        if let Some(other) = ranges[index + 1..].iter().find(|other| !has_common(&[*one, **other])) {
            return Some(vec![one.0, other.0]);
        }
    }
    Some(without_the_needless(ranges, |left| !has_common(left)).into_iter().map(|(position, _)| position).collect())
}

/// Returns requirements that no version suits all of, each of them needed for that, given which version suits which;
/// `None` if one suits all.
fn conflict_of(positions: &[usize], n_versions: usize, suits: impl Fn(usize, usize) -> bool) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = (0..n_versions).collect();
    let mut chosen = Vec::new();
    // Whoever refuses most of what is left comes next, so that few are needed.
    while !left.is_empty() {
        let refuses = |position: usize| left.iter().filter(|version| !suits(position, **version)).count();
        let best =
            positions.iter().copied().max_by_key(|position| (refuses(*position), std::cmp::Reverse(*position)))?;
        if refuses(best) == 0 {
            return None;
        }
        left.retain(|version| suits(best, *version));
        chosen.push(best);
    }
    chosen.sort_unstable();
    let conflicts =
        |some: &[usize]| (0..n_versions).all(|version| some.iter().any(|position| !suits(*position, version)));
    Some(without_the_needless(chosen, conflicts))
}

/// Drops whatever is not needed for the rest to conflict.
fn without_the_needless<T: Copy>(mut all: Vec<T>, conflicts: impl Fn(&[T]) -> bool) -> Vec<T> {
    for index in (0..all.len()).rev() {
        let mut rest = all.clone();
        rest.remove(index);
        if conflicts(&rest) {
            all = rest;
        }
    }
    all
}

impl Conflict {
    fn finding(&self, judge: &Judge, edges: &[Resolved], symbol: &Symbol) -> Finding {
        let premises: Vec<&Resolved> = self.premises.iter().map(|position| &edges[*position]).collect();
        let id = |position: usize| judge.instance(position).id();
        let wants: Vec<String> = premises
            .iter()
            .map(|edge| format!("{} requires {}", id(edge.consumer), judge.requirement(edge).version))
            .collect();
        let end = if self.is_hopeless { "no version suits all" } else { "no registered version suits all" };
        let message = format!(
            "Dependency '{symbol}' version mismatch: because {} and only one version of {symbol} may run, {end}",
            wants.join(" and "),
        );
        let is_optional = premises.iter().all(|edge| judge.requirement(edge).optional);
        let diagnostic = if is_optional {
            Diagnostic::warning("RTT-D008", format!("{message} (optional: the agents run without it)"))
        } else {
            Diagnostic::error("RTT-D008", message)
        };
        let mut diagnostic = diagnostic
            .help(format!("bring these ranges together, or drop \"singleton\" from {symbol} if two versions can run"));
        for position in self.relieving.iter().filter(|_| !is_optional) {
            let consumer = id(edges[*position].consumer);
            diagnostic = diagnostic.help(format!(
                "if {consumer} can start without {symbol}, say \"optional\": true: one version suits all the others"
            ));
        }
        for edge in &premises {
            let accepted: Vec<String> = edge.accepted.iter().map(|position| id(*position).to_string()).collect();
            let accepted = if accepted.is_empty() { "no registered version".to_owned() } else { accepted.join(", ") };
            let place = words::place(judge.instance(edge.consumer), edge.requirement, "/version");
            diagnostic = diagnostic.related(place, format!("{} accepts {accepted}", id(edge.consumer)));
        }
        let singleton = judge.registry.instances[judge.versions(symbol)].iter().find(|one| one.manifest.singleton);
        if let Some(singleton) = singleton {
            let says = format!("{} says that only one version may run", singleton.id());
            diagnostic = diagnostic.related(words::provider_place(singleton), says);
        }
        if let Some(first) = premises.first() {
            diagnostic = diagnostic.at(words::place(judge.instance(first.consumer), first.requirement, "/version"));
        }
        let finding = Finding::new(Verdict::VersionConflict, (None, Some(symbol.clone())), diagnostic);
        Finding { edges: self.premises.clone(), ..finding }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Which of six versions suit which of eight consumers, as bits.
        #[test]
        fn a_derivation_needs_each_of_its_statements(suited in proptest::collection::vec(0_u8..64, 1..8)) {
            let positions: Vec<usize> = (0..suited.len()).collect();
            let common = |of: &[usize]| of.iter().fold(63, |all, position| all & suited[*position]);
            let suits = |position: usize, version: usize| suited[position] >> version & 1 == 1;
            match conflict_of(&positions, 6, suits) {
                None => prop_assert_ne!(common(&positions), 0),
                Some(premises) => {
                    prop_assert_eq!(common(&premises), 0);
                    for dropped in &premises {
                        let rest: Vec<usize> = premises.iter().filter(|one| *one != dropped).copied().collect();
                        prop_assert_ne!(common(&rest), 0, "{:?} does not need {}", premises, dropped);
                    }
                }
            }
        }
    }
}
