//! Every requirement of the registry: what it resolves to, and what is wrong.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::cycle::{self, Link};
use super::report::{Dependencies, Edge, Refusal};
use super::terms::{Fault, faults, sentence};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::json::push_token;
use crate::manifest::{Form, Requirement};
use crate::registry::{Instance, Registry};
use crate::stage::Verdict;
use crate::symbol::{InstanceId, Symbol};
use crate::text::{self, counted};
use crate::workspace::state::{FORMAT_VERSION, Fingerprint};

/// One finding and the verdict that it leads to where it is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which of stage 20's verdicts.
    pub class: Verdict,
    /// The symbol in question; `None` where it is about the whole registry.
    pub symbol: Option<Symbol>,
    /// The finding.
    pub diagnostic: Diagnostic,
}

/// All requirements, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// One edge a requirement, by consumer, then in the manifest's order.
    pub edges: Vec<Edge>,
    /// What was found, errors and others, in no particular order; places hold pointers, not yet lines.
    pub findings: Vec<Finding>,
}

/// One requirement, judged.
pub(super) struct Judged {
    pub(super) edge: Edge,
    pub(super) findings: Vec<Finding>,
    /// The instance that it leads to, or would lead to once that instance's faults are repaired.
    pub(super) toward: Option<InstanceId>,
    pub(super) place: Place,
}

/// Resolves every requirement.
pub fn resolve(registry: &Registry) -> Resolution {
    let mut judged: Vec<Judged> = registry
        .instances
        .par_iter()
        .flat_map_iter(|consumer| (0..consumer.manifest.requires.len()).map(|index| judge(registry, consumer, index)))
        .collect();
    let mut findings: Vec<Finding> = judged.iter_mut().flat_map(|one| std::mem::take(&mut one.findings)).collect();
    findings.extend(settle_singletons(registry, &mut judged));
    let links: Vec<Link> = judged.iter().filter_map(Link::of).collect();
    findings.extend(cycle::find(&links));
    findings.extend(collisions(registry));
    Resolution { edges: judged.into_iter().map(|one| one.edge).collect(), findings }
}

impl Resolution {
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

    /// Counts the edges, the errors by kind and the warnings, by the names of the stage's figures.
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
        ])
    }

    /// Returns the document that stage 20 writes.
    pub fn report(&self, fingerprint: Fingerprint) -> Dependencies {
        Dependencies {
            version: FORMAT_VERSION.to_owned(),
            fingerprint,
            summary: self.summary().into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            edges: self.edges.clone(),
        }
    }
}

/// Returns the place of a requirement or of a part of it; a foreign form has none of its own, so its manifest's.
fn place(consumer: &Instance, index: usize, part: &str) -> Place {
    let origin = &consumer.origin;
    match origin.form {
        Form::Canonical => Place::pointer(&origin.path, format!("{}/requires/{index}{part}", origin.pointer)),
        _ => Place::pointer(&origin.path, &origin.pointer),
    }
}

fn provider_place(instance: &Instance) -> Place {
    let origin = &instance.origin;
    match origin.form {
        Form::Canonical => Place::pointer(&origin.path, push_token(&origin.pointer, "version")),
        _ => Place::pointer(&origin.path, &origin.pointer),
    }
}

fn judge(registry: &Registry, consumer: &Instance, index: usize) -> Judged {
    let requirement = &consumer.manifest.requires[index];
    let from = consumer.id();
    let candidates = registry.versions(&requirement.symbol);
    let mut judged = Judged {
        edge: Edge {
            from: from.clone(),
            symbol: requirement.symbol.clone(),
            range: requirement.version.clone(),
            optional: requirement.optional,
            accepted: Vec::new(),
            refused: Vec::new(),
        },
        findings: Vec::new(),
        toward: None,
        place: place(consumer, index, ""),
    };
    let mut in_range: Vec<(&Instance, Vec<Fault>)> = Vec::new();
    for candidate in candidates.iter().rev() {
        let id = candidate.id();
        let reason = if !requirement.version.contains(&id.version) {
            format!("version {} is outside {}", id.version, requirement.version)
        } else if id == from {
            "an agent is never its own dependency".to_owned()
        } else {
            let faults = faults(requirement, candidate);
            let certain: Vec<Fault> = faults.iter().filter(|fault| fault.certain).cloned().collect();
            in_range.push((candidate, faults));
            if certain.is_empty() {
                judged.edge.accepted.push(id);
                continue;
            }
            sentence(&certain)
        };
        judged.edge.refused.push(Refusal { instance: id, reason });
    }
    let chosen = in_range.iter().find(|(_, faults)| faults.iter().all(|fault| !fault.certain));
    let report = Reporter { consumer, index, requirement };
    judged.findings = match chosen {
        Some((instance, faults)) => {
            judged.toward = Some(instance.id());
            let above = in_range.iter().take_while(|(other, _)| other.id() != instance.id());
            let mut findings: Vec<Finding> =
                above.map(|(other, faults)| report.passed_over(other, faults, &instance.id())).collect();
            findings.extend(faults.iter().map(|fault| report.doubt(instance, fault)));
            findings
        }
        None if candidates.is_empty() => vec![report.missing(registry)],
        None => match in_range.as_slice() {
            [(nearest, faults), others @ ..] => {
                judged.toward = Some(nearest.id());
                report.unfit(nearest, faults, others)
            }
            [] if requirement.symbol == from.symbol && requirement.version.contains(&from.version) => {
                // The circle of length one, reported with the others.
                judged.toward = Some(from);
                Vec::new()
            }
            [] => vec![report.version(candidates)],
        },
    };
    judged
}

/// Words what is wrong with one requirement.
struct Reporter<'a> {
    consumer: &'a Instance,
    index: usize,
    requirement: &'a Requirement,
}

impl Reporter<'_> {
    fn finding(&self, class: Verdict, diagnostic: Diagnostic, part: &str) -> Finding {
        let diagnostic = diagnostic.at(place(self.consumer, self.index, part));
        Finding { class, symbol: Some(self.requirement.symbol.clone()), diagnostic }
    }

    /// An error, unless the agent also runs without the dependency.
    fn error(&self, rule: &'static str, message: String) -> Diagnostic {
        if self.requirement.optional {
            Diagnostic::warning(rule, format!("{message} (optional: the agent runs without it)"))
        } else {
            Diagnostic::error(rule, message)
        }
    }

    fn missing(&self, registry: &Registry) -> Finding {
        let symbol = &self.requirement.symbol;
        let message = format!("Missing dependency '{symbol}', required by {}", self.consumer.id());
        let known = registry.instances.iter().map(|instance| instance.manifest.symbol.as_str());
        let near = text::nearest(symbol.as_str(), known.filter(|name| *name != self.consumer.manifest.symbol.as_str()));
        let diagnostic = if self.requirement.optional {
            Diagnostic::info("RTT-D001", format!("{message} (optional: the agent runs without it)"))
        } else {
            let diagnostic = Diagnostic::error("RTT-D001", message);
            let diagnostic = match near {
                Some(near) => diagnostic.help(format!("did you mean '{near}'?")),
                None => diagnostic,
            };
            diagnostic.help(format!(
                "add a manifest of {symbol} in {} under agents/ or providers/, or remove the requirement from {}; then run rtt-10-scan",
                version_words(self.requirement),
                self.consumer.origin.path
            ))
        };
        self.finding(Verdict::MissingDependency, diagnostic, "/symbol")
    }

    fn version(&self, candidates: &[Instance]) -> Finding {
        let symbol = &self.requirement.symbol;
        let range = &self.requirement.version;
        let have: Vec<String> = candidates.iter().map(|instance| instance.manifest.version.to_string()).collect();
        let message = format!(
            "Dependency '{symbol}' version mismatch: {} requires {range}, registered: {}",
            self.consumer.id(),
            have.join(", ")
        );
        let mut diagnostic = self.error("RTT-D002", message);
        let near_miss = candidates.iter().rev().find(|instance| {
            let version = &instance.manifest.version;
            let released = semver::Version::new(version.major, version.minor, version.patch);
            !version.pre.is_empty() && range.contains(&released)
        });
        diagnostic = match near_miss {
            Some(instance) => {
                let version = &instance.manifest.version;
                diagnostic.help(format!(
                    "{version} is a pre-release, which only a range that names one takes in: \">={version}\""
                ))
            }
            None => diagnostic.help(format!(
                "register a version of {symbol} in {range}, or widen the range in {}",
                self.consumer.origin.path
            )),
        };
        for instance in candidates.iter().rev().take(5) {
            diagnostic = diagnostic.related(provider_place(instance), format!("{} is registered here", instance.id()));
        }
        self.finding(Verdict::VersionConflict, diagnostic, "/version")
    }

    /// No instance in the range fits: every fault of the highest one, and a note on each of the others.
    fn unfit(&self, nearest: &Instance, faults: &[Fault], others: &[(&Instance, Vec<Fault>)]) -> Vec<Finding> {
        faults
            .iter()
            .map(|fault| {
                let mut diagnostic = if fault.certain {
                    self.error(rule(fault.class), self.words(nearest, fault))
                } else {
                    Diagnostic::warning("RTT-D006", self.words(nearest, fault))
                };
                diagnostic = diagnostic
                    .help(help(fault.class, self.requirement, nearest))
                    .related(provider_place(nearest), format!("{} is declared here", nearest.id()));
                for (other, reasons) in others {
                    let certain: Vec<Fault> = reasons.iter().filter(|fault| fault.certain).cloned().collect();
                    let message = format!("{} does not fit either: it {}", other.id(), sentence(&certain));
                    diagnostic = diagnostic.related(provider_place(other), message);
                }
                self.finding(fault.class, diagnostic, &fault.pointer)
            })
            .collect()
    }

    fn doubt(&self, instance: &Instance, fault: &Fault) -> Finding {
        let diagnostic = Diagnostic::warning("RTT-D006", self.words(instance, fault))
            .help(help(fault.class, self.requirement, instance))
            .related(provider_place(instance), format!("{} is declared here", instance.id()));
        self.finding(fault.class, diagnostic, &fault.pointer)
    }

    fn passed_over(&self, higher: &Instance, faults: &[Fault], chosen: &InstanceId) -> Finding {
        let certain: Vec<Fault> = faults.iter().filter(|fault| fault.certain).cloned().collect();
        let message = format!(
            "{} uses {chosen} although {} lies in {}: that one {}",
            self.consumer.id(),
            higher.id(),
            self.requirement.version,
            sentence(&certain)
        );
        let class = certain.iter().map(|fault| fault.class).min().unwrap_or(Verdict::ProtocolMismatch);
        let diagnostic = Diagnostic::warning("RTT-D007", message)
            .help(format!("give {} a new major version, or narrow the range", higher.id()))
            .related(provider_place(higher), format!("{} is declared here", higher.id()));
        self.finding(class, diagnostic, "/version")
    }

    fn words(&self, instance: &Instance, fault: &Fault) -> String {
        let what = match fault.class {
            Verdict::CapabilityMissing => "capability",
            _ => "protocol",
        };
        let how = if fault.certain { "mismatch" } else { "is uncertain" };
        let (symbol, from) = (&self.requirement.symbol, self.consumer.id());
        format!("Dependency '{symbol}' {what} {how}: {}, required by {from}, {}", instance.id(), fault.message)
    }
}

fn rule(class: Verdict) -> &'static str {
    if class == Verdict::CapabilityMissing { "RTT-D005" } else { "RTT-D004" }
}

fn help(class: Verdict, requirement: &Requirement, instance: &Instance) -> String {
    match class {
        Verdict::CapabilityMissing => {
            format!("offer the capability in {}, or no longer require it", instance.origin.path)
        }
        _ => format!(
            "make the interface in {} and what is required of {} agree",
            instance.origin.path, requirement.symbol
        ),
    }
}

fn version_words(requirement: &Requirement) -> String {
    match requirement.version.as_str() {
        "*" => "any version".to_owned(),
        range => format!("a version in {range}"),
    }
}

/// Of a singleton only one version may run: the highest that all its consumers accept.
fn settle_singletons(registry: &Registry, judged: &mut [Judged]) -> Vec<Finding> {
    let mut consumers: BTreeMap<Symbol, Vec<usize>> = BTreeMap::new();
    for (index, one) in judged.iter().enumerate() {
        let versions = registry.versions(&one.edge.symbol);
        if versions.len() > 1
            && versions.iter().any(|instance| instance.manifest.singleton)
            && !one.edge.accepted.is_empty()
        {
            consumers.entry(one.edge.symbol.clone()).or_default().push(index);
        }
    }
    let mut findings = Vec::new();
    for (symbol, edges) in consumers {
        let firm: Vec<usize> = edges.iter().copied().filter(|index| !judged[*index].edge.optional).collect();
        let deciding = if firm.is_empty() { &edges } else { &firm };
        let first = &judged[deciding[0]].edge.accepted;
        let common = first.iter().find(|id| deciding.iter().all(|index| judged[*index].edge.accepted.contains(id)));
        match common.cloned() {
            Some(common) => {
                for index in edges {
                    restrict(&mut judged[index], &common);
                }
            }
            None => findings.push(singleton_conflict(&symbol, deciding.iter().map(|index| &judged[*index]))),
        }
    }
    findings
}

fn restrict(judged: &mut Judged, only: &InstanceId) {
    let (kept, dropped): (Vec<_>, Vec<_>) = judged.edge.accepted.drain(..).partition(|id| id == only);
    judged.edge.accepted = kept;
    let reason = format!("only one version of a singleton runs, and {only} is the one that all its consumers accept");
    judged.edge.refused.extend(dropped.into_iter().map(|instance| Refusal { instance, reason: reason.clone() }));
    judged.edge.refused.sort_by(|a, b| b.instance.cmp(&a.instance));
    judged.toward = judged.edge.accepted.first().cloned();
}

fn singleton_conflict<'a>(symbol: &Symbol, consumers: impl Iterator<Item = &'a Judged>) -> Finding {
    let consumers: Vec<&Judged> = consumers.collect();
    let wants: Vec<String> =
        consumers.iter().map(|one| format!("{} requires {}", one.edge.from, one.edge.range)).collect();
    let message = format!(
        "Dependency '{symbol}' version mismatch: only one version of it may run, and no registered one suits all: {}",
        wants.join(", ")
    );
    let mut diagnostic = Diagnostic::error("RTT-D008", message)
        .help(format!("widen the ranges until one version of {symbol} lies in all of them, or drop \"singleton\""));
    for one in &consumers {
        let accepted: Vec<String> = one.edge.accepted.iter().map(InstanceId::to_string).collect();
        diagnostic =
            diagnostic.related(one.place.clone(), format!("{} accepts {}", one.edge.from, accepted.join(", ")));
    }
    if let Some(first) = consumers.first() {
        diagnostic = diagnostic.at(first.place.clone());
    }
    Finding { class: Verdict::VersionConflict, symbol: Some(symbol.clone()), diagnostic }
}

/// Stage 10 registered one of several declarations; here it can be made an error.
fn collisions(registry: &Registry) -> Option<Finding> {
    let count = registry.summary.collisions;
    (count > 0).then(|| Finding {
        class: Verdict::CheckFailed,
        symbol: None,
        diagnostic: Diagnostic::warning(
            "RTT-D009",
            format!(
                "{} declared differently by two files; the first in path order counts",
                match count {
                    1 => "1 instance is".to_owned(),
                    _ => format!("{} are", counted(count, "instance")),
                }
            ),
        )
        .help("run rtt-10-scan --force to see both places, and give one of them another version"),
    })
}
