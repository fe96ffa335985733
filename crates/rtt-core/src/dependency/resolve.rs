//! Every requirement of the registry: what it resolves to, and what is wrong.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::finding::Finding;
use super::judge::{Judge, Reason, Resolved};
use super::report::{self, Edge, Refusal};
use super::terms::sentence;
use super::{cycle, singleton, suggest, words};
use crate::diagnostic::Severity;
use crate::registry::Registry;
use crate::stage::Verdict;
use crate::symbol::InstanceId;
use crate::workspace::state::Fingerprint;

/// All requirements, resolved.
pub struct Resolution<'a> {
    pub(super) judge: Judge<'a>,
    /// One edge a requirement, by consumer, then in the manifest's order.
    pub(super) edges: Vec<Resolved>,
    /// What was found, errors and others, in no particular order; places hold pointers, not yet lines.
    pub findings: Vec<Finding>,
    /// What was found and is not to be shown; see [`super::Settings::apply`].
    pub ignored: Vec<Finding>,
}

/// Resolves every requirement.
pub fn resolve(registry: &Registry) -> Resolution<'_> {
    let judge = Judge::new(registry);
    let judged: Vec<(Resolved, Vec<Finding>)> = (0..registry.instances.len())
        .into_par_iter()
        .flat_map_iter(|consumer| {
            let requires = &registry.instances[consumer].manifest.requires;
            let judge = &judge;
            requires.iter().enumerate().map(move |(index, requirement)| {
                let (resolved, in_range) = judge.judge(consumer, index, requirement);
                let findings = words::findings(judge, &resolved, &in_range);
                (resolved, findings)
            })
        })
        .collect();
    let mut edges = Vec::with_capacity(judged.len());
    let mut findings = Vec::new();
    for (position, (resolved, mut found)) in judged.into_iter().enumerate() {
        found.iter_mut().for_each(|finding| finding.edges.push(position));
        findings.append(&mut found);
        edges.push(resolved);
    }
    singleton::settle(&judge, &mut edges, &mut findings);
    findings.extend(cycle::find(&judge, &edges));
    findings.extend(words::collisions(registry));
    suggest::add(&judge, &edges, &mut findings);
    Resolution { judge, edges, findings, ignored: Vec::new() }
}

impl Resolution<'_> {
    /// Returns the registry that was resolved.
    pub fn registry(&self) -> &Registry {
        self.judge.registry
    }

    /// Returns the verdict: the smallest of the errors' classes, or success.
    pub fn verdict(&self) -> Verdict {
        let errors = self.findings.iter().filter(|finding| finding.diagnostic.severity == Severity::Error);
        errors.map(|finding| finding.class).min().unwrap_or(Verdict::Success)
    }

    /// Makes every warning an error.
    pub fn deny_warnings(&mut self) {
        for finding in &mut self.findings {
            if finding.diagnostic.severity == Severity::Warning {
                finding.diagnostic.severity = Severity::Error;
            }
        }
    }

    /// Returns the number of edges.
    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    /// Returns every edge in words, by consumer, then in the manifest's order.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.edges.iter().map(|edge| self.edge(edge))
    }

    pub(super) fn edge(&self, edge: &Resolved) -> Edge {
        let requirement = self.judge.requirement(edge);
        let refusal = |(position, reason): &(usize, Reason)| Refusal {
            instance: self.id(*position),
            reason: reason_words(&self.judge, edge, *position, reason),
        };
        Edge {
            from: self.id(edge.consumer),
            symbol: requirement.symbol.clone(),
            range: requirement.version.clone(),
            optional: requirement.optional,
            accepted: edge.accepted.iter().map(|position| self.id(*position)).collect(),
            refused: edge.refused.iter().map(refusal).collect(),
        }
    }

    pub(super) fn id(&self, position: usize) -> InstanceId {
        self.judge.instance(position).id()
    }

    /// Counts the edges, the errors by kind, the warnings, and what is ignored, by the names of the stage's figures.
    pub fn summary(&self) -> BTreeMap<&'static str, usize> {
        let errors = |class: Verdict| {
            let of_class = self.findings.iter().filter(|finding| finding.class == class);
            of_class.filter(|finding| finding.diagnostic.severity == Severity::Error).count()
        };
        let warnings = self.findings.iter().filter(|finding| finding.diagnostic.severity == Severity::Warning).count();
        BTreeMap::from([
            ("edges", self.edges.len()),
            ("missing", errors(Verdict::MissingDependency)),
            ("conflicts", errors(Verdict::VersionConflict)),
            ("cycles", errors(Verdict::CircularDependency)),
            ("mismatches", errors(Verdict::ProtocolMismatch)),
            ("capabilities", errors(Verdict::CapabilityMissing)),
            ("warnings", warnings),
            ("ignored", self.ignored.len()),
        ])
    }

    /// Returns the text of the document that stage 20 writes.
    pub fn report(&self, fingerprint: Fingerprint) -> Vec<u8> {
        report::text(self, fingerprint)
    }
}

/// Says in one sentence why an instance was refused.
pub(super) fn reason_words(judge: &Judge, edge: &Resolved, position: usize, reason: &Reason) -> String {
    match reason {
        Reason::OutOfRange => {
            let range = &judge.requirement(edge).version;
            format!("version {} is outside {range}", judge.instance(position).manifest.version)
        }
        Reason::Itself => "an agent is never its own dependency".to_owned(),
        Reason::Unfit(faults) => sentence(faults),
        Reason::Singleton(only) => {
            let only = judge.instance(*only).id();
            format!("only one version of a singleton runs, and {only} is the one that all its consumers accept")
        }
    }
}
