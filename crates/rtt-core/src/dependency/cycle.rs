//! Circles of requirements: strongly connected components, the shortest circles of each, and where to cut them.

use std::collections::BTreeSet;

use super::cut::{self, CircleFinder, Cut};
use super::finding::Finding;
use super::judge::{Judge, Resolved};
use super::network::{Component, Link, Network, circular_components, links};
use super::words;
use crate::diagnostic::Diagnostic;
use crate::stage::Verdict;
use crate::symbol::InstanceId;

/// How many links are looked at in search of small cuts: less than a second. Whoever has more circles than that repairs
/// the first ones first.
const CUT_STEPS: usize = 40_000_000;

/// How many links are looked at in search of short circles, beyond what each component is given anyway.
const CIRCLE_STEPS: usize = 10_000_000;

/// How many circles, and how many links to remove, a finding names.
const MAX_NAMED: usize = 5;

/// How many instances of one circle a finding names.
const MAX_PATH: usize = 20;

/// Reports every instance that requires itself, and every component: an error, or a warning if only optional
/// requirements close its circles.
///
/// Warnings are about what is left once the errors are repaired as they say.
pub(super) fn find(judge: &Judge, edges: &[Resolved]) -> Vec<Finding> {
    let n_instances = judge.registry.instances.len();
    let mut report = Reporter { judge, edges, cut_steps: CUT_STEPS, circle_steps: CIRCLE_STEPS };
    let itself = links(judge, edges).filter(|link| link.from == link.to);
    let mut findings: Vec<Finding> = itself.map(|link| report.itself(link)).collect();
    let suspects = circular_components(n_instances, links(judge, edges));
    let mut suspects: Vec<Link> = suspects.iter().flat_map(|one| one.links()).collect();
    suspects.sort_unstable_by_key(|link| link.edge);
    let mut removed = BTreeSet::new();
    let firm = suspects.iter().filter(|link| !link.optional).copied();
    for component in circular_components(n_instances, firm) {
        let cut = cut::smallest(&component.network, &mut report.cut_steps);
        removed.extend(cut.links.iter().map(|link| component.link(*link).edge));
        findings.push(report.circles(&component, &cut, false));
    }
    if suspects.iter().any(|link| link.optional) {
        let left = suspects.iter().filter(|link| !removed.contains(&link.edge)).copied();
        for component in circular_components(n_instances, left) {
            let cut = cut::smallest(&component.network, &mut report.cut_steps);
            findings.push(report.circles(&component, &cut, true));
        }
    }
    findings
}

/// Returns for every member a shortest circle through it, as links, the shortest circle first, each once, starting at
/// its least member. In large components only some members are asked; at least the first is.
fn shortest_circles(network: &Network, steps: &mut usize) -> Vec<Vec<usize>> {
    let mut finder = CircleFinder::new(network);
    let mut found = BTreeSet::new();
    for start in 0..network.n_nodes() {
        let granted = if start == 0 { network.links().len() + 1 } else { 0 } + *steps;
        let mut left = granted;
        let circle = finder.shortest_through(start, usize::MAX, |_| true, &mut left);
        *steps = steps.saturating_sub(granted - left);
        let Some(mut circle) = circle else { break };
        let least = (0..circle.len()).min_by_key(|index| network.links()[circle[*index]].from).unwrap_or(0);
        circle.rotate_left(least);
        found.insert((circle.len(), circle));
    }
    found.into_iter().map(|(_, circle)| circle).collect()
}

struct Reporter<'a> {
    judge: &'a Judge<'a>,
    edges: &'a [Resolved],
    cut_steps: usize,
    circle_steps: usize,
}

impl Reporter<'_> {
    /// Names the instances where links start, and the first again; versions only tell where two of one symbol are
    /// there.
    fn path(&self, circle: &[Link]) -> String {
        let ids: Vec<_> = circle.iter().map(|link| self.judge.instance(link.from).id()).collect();
        let symbols: BTreeSet<&str> = ids.iter().map(|id| id.symbol.as_str()).collect();
        let is_plain = symbols.len() == ids.len();
        let name = |id: &InstanceId| if is_plain { id.symbol.to_string() } else { id.to_string() };
        let mut names: Vec<String> = ids.iter().take(MAX_PATH).map(name).collect();
        if ids.len() > MAX_PATH {
            names.push(format!("({} more)", ids.len() - MAX_PATH));
        }
        names.extend(ids.first().map(name));
        names.join(" -> ")
    }

    fn itself(&self, link: Link) -> Finding {
        let message = format!("Circular dependency: {}", self.path(&[link]));
        let diagnostic = if link.optional {
            Diagnostic::warning("RTT-D010", format!("{message} (optional: the agent runs without it)"))
        } else {
            Diagnostic::error("RTT-D010", message)
        };
        let diagnostic = diagnostic.help("an agent is never its own dependency: remove the requirement");
        self.finding(&[link], diagnostic)
    }

    fn circles(&mut self, component: &Component, cut: &Cut, is_optional: bool) -> Finding {
        let circles: Vec<Vec<Link>> = shortest_circles(&component.network, &mut self.circle_steps)
            .into_iter()
            .map(|circle| circle.into_iter().map(|link| component.link(link)).collect())
            .collect();
        let (shortest, others) = circles.split_first().expect("a component has a circle, and work for one is granted");
        let path = self.path(shortest);
        let mut diagnostic = if is_optional {
            Diagnostic::warning("RTT-D011", format!("Circular dependency with an optional part: {path}"))
        } else {
            Diagnostic::error("RTT-D003", format!("Circular dependency: {path}"))
        };
        if cut::breaks_all(&component.network, &cut.links) {
            let links: Vec<Link> = cut.links.iter().map(|link| component.link(*link)).collect();
            diagnostic = diagnostic.help(self.remedy(&links, cut.is_smallest, is_optional));
        }
        if !others.is_empty() {
            let mut named: Vec<String> = others.iter().take(MAX_NAMED).map(|circle| self.path(circle)).collect();
            if others.len() > MAX_NAMED {
                named.push(format!("{} more", others.len() - MAX_NAMED));
            }
            diagnostic = diagnostic.help(format!(
                "{} instances lie on circles with each other; further circles, the shortest first: {}",
                component.members.len(),
                named.join("; ")
            ));
        }
        self.finding(shortest, diagnostic)
    }

    /// Says which requirements to remove, given as links without which no circle is left.
    fn remedy(&self, links: &[Link], is_smallest: bool, is_optional: bool) -> String {
        let one = |link: &Link| {
            let optional = if link.optional { " (optional)" } else { "" };
            let to = &self.judge.instance(link.to).manifest.symbol;
            format!("{} on {to}{optional}", self.judge.instance(link.from).id())
        };
        let or = if is_optional { "" } else { ", or make it \"optional\": true if the agent can start without" };
        if let [link] = links {
            return format!("no circle is left without the requirement of {}: remove it{or}", one(link));
        }
        let mut named: Vec<String> = links.iter().take(MAX_NAMED).map(one).collect();
        if links.len() > MAX_NAMED {
            named.push(format!("{} more", links.len() - MAX_NAMED));
        }
        let smallest = if is_smallest { ", a smallest such set" } else { "" };
        let count = links.len();
        format!("no circle is left without {count} requirements{smallest}: {}; remove each{or}", named.join(", "))
    }

    /// Points to each requirement on the way.
    fn finding(&self, circle: &[Link], mut diagnostic: Diagnostic) -> Finding {
        for (index, link) in circle.iter().take(MAX_PATH).enumerate() {
            let (from, to) = (self.judge.instance(link.from), self.judge.instance(link.to));
            let place = words::place(from, self.edges[link.edge].requirement, "");
            if index == 0 {
                diagnostic = diagnostic.at(place.clone());
            }
            diagnostic = diagnostic.related(place, format!("{} requires {}", from.id(), to.id()));
        }
        let first = circle.first();
        let instance = first.map(|link| self.judge.instance(link.from).id());
        let symbol = first.map(|link| self.judge.instance(link.to).manifest.symbol.clone());
        let finding = Finding::new(Verdict::CircularDependency, (instance, symbol), diagnostic);
        let mut edges: Vec<usize> = circle.iter().map(|link| link.edge).collect();
        edges.sort_unstable();
        Finding { edges, ..finding }
    }
}
