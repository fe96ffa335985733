//! What is wrong with one requirement, in words.

use super::finding::Finding;
use super::judge::{Candidate, Judge, Resolved};
use super::terms::{Fault, sentence};
use crate::diagnostic::{Diagnostic, Place};
use crate::json::push_token;
use crate::manifest::{Form, Requirement};
use crate::registry::{Instance, Registry};
use crate::stage::Verdict;
use crate::symbol::InstanceId;
use crate::text::counted;
use crate::workspace::layout;

/// How many places of providers a finding shows.
const MAX_RELATED: usize = 5;

/// Returns the place of a requirement or of a part of it; a foreign form has none of its own, so its manifest's.
pub(super) fn place(consumer: &Instance, index: usize, part: &str) -> Place {
    let origin = &consumer.origin;
    match origin.form {
        Form::Canonical => Place::pointer(&origin.path, format!("{}/requires/{index}{part}", origin.pointer)),
        _ => Place::pointer(&origin.path, &origin.pointer),
    }
}

/// Returns the place of an instance's version.
pub(super) fn provider_place(instance: &Instance) -> Place {
    let origin = &instance.origin;
    match origin.form {
        Form::Canonical => Place::pointer(&origin.path, push_token(&origin.pointer, "version")),
        _ => Place::pointer(&origin.path, &origin.pointer),
    }
}

/// Words everything that is wrong with one requirement, given the versions in its range, the highest first.
pub(super) fn findings(judge: &Judge, resolved: &Resolved, in_range: &[Candidate]) -> Vec<Finding> {
    let consumer = judge.instance(resolved.consumer);
    let requirement = judge.requirement(resolved);
    let report = Reporter { consumer, index: resolved.requirement, requirement };
    if let Some(chosen) = resolved.accepted.first() {
        let Some(place) = in_range.iter().position(|(position, _)| position == chosen) else { return Vec::new() };
        let chosen = judge.instance(*chosen);
        let above = in_range[..place].iter();
        let mut findings: Vec<Finding> = above
            .map(|(position, faults)| report.passed_over(judge.instance(*position), faults, &chosen.id()))
            .collect();
        findings.extend(in_range[place].1.iter().map(|fault| report.doubt(chosen, fault)));
        return findings;
    }
    match in_range {
        [(nearest, faults), others @ ..] => {
            let others: Vec<(&Instance, &[Fault])> =
                others.iter().map(|(position, faults)| (judge.instance(*position), faults.as_slice())).collect();
            report.unfit(judge.instance(*nearest), faults, &others)
        }
        // The circle of length one, reported with the others.
        [] if resolved.toward.is_some() => Vec::new(),
        [] => {
            let candidates = &judge.registry.instances[judge.versions(&requirement.symbol)];
            vec![if candidates.is_empty() { report.missing() } else { report.version(candidates) }]
        }
    }
}

/// Stage 10 registered one of several declarations; here it can be made an error.
pub(super) fn collisions(registry: &Registry) -> Option<Finding> {
    let count = registry.summary.collisions;
    let are = match count {
        0 => return None,
        1 => "1 instance is".to_owned(),
        _ => format!("{} are", counted(count, "instance")),
    };
    let message = format!("{are} declared differently by two files; the first in path order counts");
    let diagnostic = Diagnostic::warning("RTT-D009", message)
        .at(Place::pointer(layout::REGISTRY, "/summary/collisions"))
        .help("run rtt-10-scan --force to see both places, and give one of them another version");
    Some(Finding::new(Verdict::CheckFailed, (None, None), diagnostic))
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
        let about = (Some(self.consumer.id()), Some(self.requirement.symbol.clone()));
        Finding { part: part.to_owned(), ..Finding::new(class, about, diagnostic) }
    }

    /// An error, unless the agent also runs without the dependency.
    fn error(&self, rule: &'static str, message: String) -> Diagnostic {
        if self.requirement.optional {
            Diagnostic::warning(rule, format!("{message} (optional: the agent runs without it)"))
        } else {
            Diagnostic::error(rule, message)
        }
    }

    fn missing(&self) -> Finding {
        let symbol = &self.requirement.symbol;
        let message = format!("Missing dependency '{symbol}', required by {}", self.consumer.id());
        let diagnostic = if self.requirement.optional {
            Diagnostic::info("RTT-D001", format!("{message} (optional: the agent runs without it)"))
        } else {
            Diagnostic::error("RTT-D001", message).help(format!(
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
        if let Some(instance) = near_miss {
            let version = &instance.manifest.version;
            diagnostic =
                diagnostic.help(format!("{version} is a pre-release, which only a range that names one takes in"));
        }
        for instance in candidates.iter().rev().take(MAX_RELATED) {
            diagnostic = diagnostic.related(provider_place(instance), format!("{} is registered here", instance.id()));
        }
        self.finding(Verdict::VersionConflict, diagnostic, "/version")
    }

    /// No instance in the range fits: every fault of the highest one, and a note on each of the others.
    fn unfit(&self, nearest: &Instance, faults: &[Fault], others: &[(&Instance, &[Fault])]) -> Vec<Finding> {
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
                for (other, faults) in others.iter().take(MAX_RELATED) {
                    let message = format!("{} does not fit either: it {}", other.id(), sentence(&certain(faults)));
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
        let certain = certain(faults);
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

fn certain(faults: &[Fault]) -> Vec<Fault> {
    faults.iter().filter(|fault| fault.certain).cloned().collect()
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
