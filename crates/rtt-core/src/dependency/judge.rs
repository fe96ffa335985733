//! One requirement against the registry.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use super::terms::{Fault, faults};
use crate::digest::Digest;
use crate::lookup::Lookup;
use crate::manifest::Requirement;
use crate::registry::{Instance, Registry};
use crate::symbol::Symbol;

/// One requirement and what it resolves to. Instances are named by their positions in the registry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    /// The instance that requires.
    pub(super) consumer: usize,
    /// Which of its requirements.
    pub(super) requirement: usize,
    /// Instances that meet it, the highest version first.
    pub(super) accepted: Vec<usize>,
    /// Instances of the symbol that do not, the highest version first.
    pub(super) refused: Vec<(usize, Reason)>,
    /// The instance that it leads to, or would lead to once that instance's faults are repaired.
    pub(super) toward: Option<usize>,
}

/// Why an instance does not meet a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its version is not in the range.
    OutOfRange,
    /// It is the consumer.
    Itself,
    /// Some terms are not met; all that are known not to be.
    Unfit(Vec<Fault>),
    /// Only one version of a singleton runs, and it is this one.
    Singleton(usize),
}

/// A version in the range, with the terms that it does not meet, or is not known to.
pub(super) type Candidate = (usize, Vec<Fault>);

/// Compares requirements with a registry.
pub(super) struct Judge<'a> {
    pub(super) registry: &'a Registry,
    versions: Lookup<&'a Symbol, Range<usize>>,
    answers: Answers,
}

impl<'a> Judge<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        let mut versions: Lookup<&Symbol, Range<usize>> = Lookup::default();
        versions.reserve(registry.instances.len());
        for (position, instance) in registry.instances.iter().enumerate() {
            let of_symbol = versions.entry(&instance.manifest.symbol).or_insert(position..position);
            of_symbol.end = position + 1;
        }
        Self { registry, versions, answers: Answers::default() }
    }

    pub(super) fn instance(&self, position: usize) -> &'a Instance {
        &self.registry.instances[position]
    }

    pub(super) fn requirement(&self, edge: &Resolved) -> &'a Requirement {
        &self.instance(edge.consumer).manifest.requires[edge.requirement]
    }

    /// Returns the positions of all versions of a symbol, the lowest first; empty if there is none.
    pub(super) fn versions(&self, symbol: &Symbol) -> Range<usize> {
        self.versions.get(symbol).cloned().unwrap_or(0..0)
    }

    /// Resolves a requirement as if it stood at a place of the registry. The versions in the range come with it, the
    /// highest first.
    pub(super) fn judge(&self, consumer: usize, index: usize, requirement: &Requirement) -> (Resolved, Vec<Candidate>) {
        let mut resolved =
            Resolved { consumer, requirement: index, accepted: Vec::new(), refused: Vec::new(), toward: None };
        let mut in_range: Vec<Candidate> = Vec::new();
        let mut is_itself = false;
        for position in self.versions(&requirement.symbol).rev() {
            let candidate = self.instance(position);
            if !requirement.version.contains(&candidate.manifest.version) {
                resolved.refused.push((position, Reason::OutOfRange));
            } else if position == consumer {
                is_itself = true;
                resolved.refused.push((position, Reason::Itself));
            } else {
                let faults = self.answers.faults(requirement, candidate);
                if faults.iter().any(|fault| fault.certain) {
                    let certain = faults.iter().filter(|fault| fault.certain).cloned().collect();
                    resolved.refused.push((position, Reason::Unfit(certain)));
                } else {
                    resolved.accepted.push(position);
                }
                in_range.push((position, faults));
            }
        }
        let nearest = in_range.first().map(|(position, _)| *position);
        resolved.toward = resolved.accepted.first().copied().or(nearest).or(is_itself.then_some(consumer));
        (resolved, in_range)
    }
}

/// Whether the protocol and the methods of requirements are met, each pair of contracts compared once.
#[derive(Default)]
struct Answers {
    /// Split, so that threads rarely wait for each other.
    shards: [Mutex<Known>; 32],
}

/// What is wrong, by the digests of what is required and of what is offered.
type Known = Lookup<(Digest, Digest), Vec<Fault>>;

impl Answers {
    fn faults(&self, requirement: &Requirement, provider: &Instance) -> Vec<Fault> {
        // Names and numbers are compared faster than they are looked up.
        if requirement.methods.is_empty() {
            return faults(requirement, provider);
        }
        let terms = serde_json::to_vec(&(&requirement.protocol, &requirement.methods)).expect("keys are strings");
        let key = (Digest::of_bytes(terms), provider.interface);
        let shard = &self.shards[usize::from(key.0.bytes()[0] ^ key.1.bytes()[0]) % self.shards.len()];
        let known = shard.lock().expect("no holder of this lock panics").get(&key).cloned();
        let mut found = known.unwrap_or_else(|| {
            let found = faults(&Requirement { capabilities: Vec::new(), ..requirement.clone() }, provider);
            shard.lock().expect("no holder of this lock panics").insert(key, found.clone());
            found
        });
        if !requirement.capabilities.is_empty() {
            let Requirement { symbol, version, capabilities, optional, .. } = requirement.clone();
            let methods = BTreeMap::new();
            found.extend(faults(
                &Requirement { symbol, version, protocol: None, capabilities, methods, optional },
                provider,
            ));
        }
        found
    }
}
