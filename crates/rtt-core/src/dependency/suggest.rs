//! What would repair a finding. Each suggestion is tried first: the requirement is changed in memory and judged again,
//! and it must not close a circle or leave the consumers of a singleton without a common version. What fails is not
//! suggested.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::judge::{Judge, Reason, Resolved};
use super::network::{Network, links};
use super::{near, range};
use crate::diagnostic::Severity;
use crate::json::push_token;
use crate::manifest::{Form, Requirement};
use crate::symbol::Symbol;
use crate::text;
use crate::version::Range;

/// How many links are followed in search of circles that suggestions would close; beyond it nothing is suggested.
const STEPS: usize = 20_000_000;

/// How many versions or other agents are tried for one finding, and how many of the latter are named.
const MAX_TRIED: usize = 10;
const MAX_NAMED: usize = 3;

/// A change of one string in a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The manifest's file, relative to the root.
    pub file: String,
    /// JSON pointer of the string in the file.
    pub pointer: String,
    /// What it says.
    pub from: String,
    /// What it is to say.
    pub to: String,
    /// Whose requirement it is, by its position in the registry.
    pub(super) consumer: usize,
    /// Which of its requirements.
    pub(super) requirement: usize,
    pub(super) change: Change,
}

/// What is changed in a requirement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Symbol(Symbol),
    Range(Range),
    Capability(usize, String),
}

impl Change {
    /// Changes a requirement.
    pub(super) fn apply(&self, requirement: &mut Requirement) {
        match self {
            Self::Symbol(symbol) => requirement.symbol = symbol.clone(),
            Self::Range(range) => requirement.version = range.clone(),
            Self::Capability(index, name) => requirement.capabilities[*index].clone_from(name),
        }
    }

    fn of(&self, requirement: &Requirement) -> Requirement {
        let mut changed = requirement.clone();
        self.apply(&mut changed);
        changed
    }
}

/// Adds to every finding about one requirement what would repair it, before what else can be done.
pub(super) fn add(judge: &Judge, edges: &[Resolved], findings: &mut [Finding]) {
    let is_repairable = |finding: &&mut Finding| {
        matches!(finding.diagnostic.rule, "RTT-D001" | "RTT-D002" | "RTT-D004" | "RTT-D005") && finding.edges.len() == 1
    };
    let mut repairable = findings.iter_mut().filter(is_repairable).peekable();
    if repairable.peek().is_none() {
        return;
    }
    let repairable: Vec<&mut Finding> = repairable.collect();
    let trial = Trial::new(judge, edges);
    let missing = repairable.iter().filter(|finding| finding.diagnostic.rule == "RTT-D001");
    let near = near::names(judge.registry, missing.map(|finding| &judge.requirement(&edges[finding.edges[0]]).symbol));
    let offerers = if repairable.iter().any(|finding| finding.diagnostic.rule == "RTT-D005") {
        offerers(judge)
    } else {
        BTreeMap::new()
    };
    for finding in repairable {
        let edge = &edges[finding.edges[0]];
        let mut repair =
            Repair { trial: &trial, edge, requirement: judge.requirement(edge), words: Vec::new(), edit: None };
        match finding.diagnostic.rule {
            "RTT-D001" => repair.other_name(near.get(&repair.requirement.symbol).map_or(&[][..], Vec::as_slice)),
            "RTT-D002" => {
                repair.other_version();
                repair.publication();
            }
            "RTT-D004" => repair.other_version(),
            _ => {
                let index = finding.part.strip_prefix("/capabilities/").and_then(|index| index.parse().ok());
                if let Some(index) = index.filter(|index| *index < repair.requirement.capabilities.len()) {
                    repair.other_capability(index);
                    repair.other_version();
                    repair.other_offerers(index, &offerers);
                }
            }
        }
        let Repair { words, edit, .. } = repair;
        finding.diagnostic.help.splice(0..0, words);
        if finding.diagnostic.severity == Severity::Error {
            let consumer = judge.instance(edge.consumer).id();
            let symbol = &judge.requirement(edge).symbol;
            let words = format!("if {consumer} can start without {symbol}, say \"optional\": true in the requirement");
            finding.diagnostic.help.push(words);
        }
        // What is only an information may well be meant.
        finding.edit = edit.filter(|_| finding.diagnostic.severity != Severity::Info);
    }
}

/// Under which name [`offerers`] lists those who offer some wildcard.
const WILDCARD: &str = "*";

/// Who offers each capability, by positions in the registry.
fn offerers<'a>(judge: &Judge<'a>) -> BTreeMap<&'a str, Vec<usize>> {
    let mut offerers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, instance) in judge.registry.instances.iter().enumerate() {
        for capability in &instance.manifest.provides.capabilities {
            let name = if capability.contains('*') { WILDCARD } else { capability };
            offerers.entry(name).or_default().push(position);
        }
    }
    offerers
}

/// Tries changed requirements.
struct Trial<'a> {
    judge: &'a Judge<'a>,
    edges: &'a [Resolved],
    network: Network,
    /// Each instance's component; links lead to the same or to lower ones.
    component: Vec<usize>,
    /// Of symbols with singletons, the versions that suit all consumers that have any.
    agreed: BTreeMap<&'a Symbol, BTreeSet<usize>>,
    /// For each such symbol, the ranges of its firm consumers.
    ranges: BTreeMap<&'a Symbol, Vec<&'a Range>>,
    steps: Cell<usize>,
}

impl<'a> Trial<'a> {
    fn new(judge: &'a Judge<'a>, edges: &'a [Resolved]) -> Self {
        let network = Network::new(judge.registry.instances.len(), links(judge, edges).collect());
        let mut component = vec![0; network.n_nodes()];
        for (index, members) in network.components().iter().enumerate() {
            members.iter().for_each(|node| component[*node] = index);
        }
        let mut trial = Self {
            judge,
            edges,
            network,
            component,
            agreed: BTreeMap::new(),
            ranges: BTreeMap::new(),
            steps: Cell::new(STEPS),
        };
        trial.singletons();
        trial
    }

    fn singletons(&mut self) {
        for instance in self.judge.registry.instances.iter().filter(|instance| instance.manifest.singleton) {
            let symbol = &instance.manifest.symbol;
            self.agreed.insert(symbol, self.judge.versions(symbol).collect());
            self.ranges.insert(symbol, Vec::new());
        }
        if self.agreed.is_empty() {
            return;
        }
        for edge in self.edges {
            let requirement = self.judge.requirement(edge);
            if requirement.optional {
                continue;
            }
            if let Some(ranges) = self.ranges.get_mut(&requirement.symbol) {
                ranges.push(&requirement.version);
            }
            if let Some(agreed) = self.agreed.get_mut(&requirement.symbol).filter(|_| !edge.accepted.is_empty()) {
                agreed.retain(|position| edge.accepted.contains(position));
            }
        }
    }

    /// Returns whom the requirement would lead to if it were changed so; `None` if that repairs nothing.
    fn outcome(&self, edge: &Resolved, changed: &Requirement) -> Option<usize> {
        let consumer = &self.judge.instance(edge.consumer).manifest;
        let mut others = consumer.requires.iter().enumerate().filter(|(index, _)| *index != edge.requirement);
        // Stage 10 refuses both.
        if changed.symbol == consumer.symbol || others.any(|(_, other)| other.symbol == changed.symbol) {
            return None;
        }
        let (resolved, _) = self.judge.judge(edge.consumer, edge.requirement, changed);
        let agreed = self.agreed.get(&changed.symbol);
        let chosen = *resolved.accepted.iter().find(|one| agreed.is_none_or(|agreed| agreed.contains(one)))?;
        (!self.leads_to(chosen, edge.consumer)).then_some(chosen)
    }

    /// Tells whether requirements lead from one instance to another, or that it would take too long to find out.
    fn leads_to(&self, from: usize, to: usize) -> bool {
        let lowest = self.component[to];
        let mut seen = BTreeSet::from([from]);
        let mut pending = vec![from];
        while let Some(node) = pending.pop().filter(|_| self.steps.get() > 0) {
            if node == to {
                return true;
            }
            if self.component[node] < lowest {
                continue;
            }
            for (_, link) in self.network.out(node) {
                self.steps.set(self.steps.get().saturating_sub(1));
                if seen.insert(link.to) {
                    pending.push(link.to);
                }
            }
        }
        self.steps.get() == 0
    }
}

/// What would repair one finding.
struct Repair<'a> {
    trial: &'a Trial<'a>,
    edge: &'a Resolved,
    requirement: &'a Requirement,
    words: Vec<String>,
    /// The first change that is a matter of one string.
    edit: Option<Edit>,
}

impl Repair<'_> {
    /// The nearest registered name that would do.
    fn other_name(&mut self, near: &[&Symbol]) {
        for symbol in near {
            let change = Change::Symbol((*symbol).clone());
            if self.trial.outcome(self.edge, &change.of(self.requirement)).is_some() {
                self.words.push(format!("did you mean '{symbol}'?"));
                return self.offer("/symbol", self.requirement.symbol.to_string(), symbol.to_string(), change);
            }
        }
    }

    /// The highest registered version that would do, had it been asked for.
    fn other_version(&mut self) {
        let judge = self.trial.judge;
        let refused = self.edge.refused.iter().filter(|(_, reason)| *reason == Reason::OutOfRange);
        for (position, _) in refused.take(MAX_TRIED) {
            let range = range::asking_for(&judge.instance(*position).manifest.version);
            let change = Change::Range(range.clone());
            let Some(chosen) = self.trial.outcome(self.edge, &change.of(self.requirement)) else { continue };
            let chosen = judge.instance(chosen).id();
            self.words.push(format!("ask for \"{range}\": {chosen} meets the requirement"));
            let (from, to) = (self.requirement.version.to_string(), range.to_string());
            return self.offer("/version", from, to, change);
        }
    }

    /// A version that could be published with the interface of the highest one.
    fn publication(&mut self) {
        let judge = self.trial.judge;
        let Requirement { symbol, version, .. } = self.requirement;
        let mut ranges = vec![version];
        ranges.extend(self.trial.ranges.get(symbol).into_iter().flatten());
        let Some(published) = range::lowest_in_all(&ranges) else {
            if range::lowest(version).is_none() {
                self.words.push(format!("no version at all lies in {version}: correct the range"));
            }
            return;
        };
        let Some(highest) = judge.versions(symbol).next_back() else { return };
        let mut anyhow = self.requirement.clone();
        anyhow.version = Range::exactly(&judge.instance(highest).manifest.version);
        if self.trial.outcome(self.edge, &anyhow) == Some(highest) {
            let highest = judge.instance(highest).id();
            self.words.push(format!("publish {symbol} {published}, with the interface of {highest}"));
        }
    }

    /// The nearest capability that the provider offers.
    fn other_capability(&mut self, index: usize) {
        let Some(nearest) = self.edge.toward.map(|position| self.trial.judge.instance(position)) else { return };
        let wanted = &self.requirement.capabilities[index];
        let offered = nearest.manifest.provides.capabilities.iter().map(String::as_str);
        // Not a wildcard, which asks for all that it stands for.
        let is_other =
            |name: &&str| !name.contains('*') && !self.requirement.capabilities.iter().any(|one| one == name);
        let Some(near) = text::nearest(wanted, offered.filter(is_other)) else { return };
        let change = Change::Capability(index, near.to_owned());
        let part = format!("/capabilities/{index}");
        let (resolved, in_range) =
            self.trial.judge.judge(self.edge.consumer, self.edge.requirement, &change.of(self.requirement));
        let is_repaired = in_range.first().is_some_and(|(_, faults)| faults.iter().all(|fault| fault.pointer != part));
        if resolved.toward == self.edge.toward && is_repaired {
            self.words.push(format!("require the capability \"{near}\", which {} offers", nearest.id()));
            self.offer(&part, wanted.clone(), near.to_owned(), change);
        }
    }

    /// Other agents that offer the capability and meet the requirement otherwise.
    fn other_offerers(&mut self, index: usize, offerers: &BTreeMap<&str, Vec<usize>>) {
        let judge = self.trial.judge;
        let wanted = self.requirement.capabilities[index].as_str();
        let mut named: Vec<String> = Vec::new();
        let known = |name: &str| offerers.get(name).into_iter().flatten().take(MAX_TRIED);
        for position in known(wanted).chain(known(WILDCARD)) {
            let manifest = &judge.instance(*position).manifest;
            if manifest.symbol == self.requirement.symbol || named.len() == MAX_NAMED {
                continue;
            }
            let mut changed = self.requirement.clone();
            changed.symbol = manifest.symbol.clone();
            changed.version = range::asking_for(&manifest.version);
            if self.trial.outcome(self.edge, &changed) == Some(*position) {
                named.push(manifest.id().to_string());
            }
        }
        if !named.is_empty() {
            self.words.push(format!("require another agent that offers '{wanted}' and fits: {}", named.join(", ")));
        }
    }

    fn offer(&mut self, part: &str, from: String, to: String, change: Change) {
        let origin = &self.trial.judge.instance(self.edge.consumer).origin;
        // A manifest that two files declare alike would become a collision.
        if self.edit.is_some() || origin.form != Form::Canonical || !origin.also.is_empty() {
            return;
        }
        let Resolved { consumer, requirement, .. } = *self.edge;
        let requires = push_token(&push_token(&origin.pointer, "requires"), &requirement.to_string());
        let pointer = format!("{requires}{part}");
        self.edit = Some(Edit { file: origin.path.clone(), pointer, from, to, consumer, requirement, change });
    }
}
