//! What a minimal conflict means in the words of who wrote the constraints, and what would resolve it.

use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Place};
use crate::plan::{Inputs, Written};
use crate::planner::{Built, Conflict, Constraint, Fix, Options, Remedy, conflict};
use crate::policy::Pin;
use crate::stage::{Report, Verdict};
use crate::text::counted;
use crate::workspace::layout;

const HEADLINE: &str = "No feasible solution found";

/// Finds why there is no plan and says so, every constraint of the conflict with its place and its remedy.
pub(super) fn report(inputs: &Inputs, built: &Built, options: &Options) -> Report {
    log::error!("{HEADLINE}");
    let Conflict { constraints, is_minimal } = conflict(&built.problem, options);
    let words = Words { inputs, built };
    let together = match (constraints.len(), is_minimal) {
        (1, _) => "this cannot be met".to_owned(),
        (count, true) => {
            format!("these {count} constraints cannot hold together, and without any one of them there is a plan")
        }
        (count, false) => {
            format!("among these {count} constraints is a conflict (a higher --effort may narrow it down)")
        }
    };
    let mut finding = Diagnostic::error("RTT-P002", format!("{HEADLINE}: {together}"));
    for (constraint, _) in &constraints {
        let (message, place) = words.constraint(*constraint);
        finding = match place {
            Some(place) if finding.place.is_none() => finding.at(place.clone()).related(place, message),
            Some(place) => finding.related(place, message),
            None => finding.help(format!("this machine's own figure: {message}")),
        };
        if let Constraint::Candidates { route } = constraint {
            finding = words.rejections(*route, finding);
        }
    }
    // What makes a plan possible first, and of that the gentlest: doing without a route is what nobody wants.
    let mut remedies: Vec<_> = constraints.iter().collect();
    let is_last_resort = |constraint: &Constraint| matches!(constraint, Constraint::Candidates { .. });
    remedies.sort_by_key(|(constraint, remedy)| (!remedy.suffices, is_last_resort(constraint)));
    for (position, (constraint, Remedy { fix, suffices })) in remedies.into_iter().enumerate() {
        let or = if position > 0 { "or " } else { "" };
        let rest = if *suffices { "" } else { ": this resolves this conflict, but not all" };
        finding = finding.help(format!("{or}{}{rest}", words.remedy(*constraint, *fix)));
    }
    let mut report = Report::new(Verdict::CheckFailed, HEADLINE);
    let members = constraints.iter().map(|(constraint, remedy)| words.value(*constraint, *remedy));
    report.answer = Some(json!({"minimal": is_minimal, "conflict": members.collect::<Vec<_>>()}));
    report.diagnostics.push(finding);
    report.details.push(format!(
        "  {} in conflict: relax one of them, or add resources",
        counted(constraints.len(), "constraint")
    ));
    report.figure("conflict", constraints.len())
}

struct Words<'a> {
    inputs: &'a Inputs,
    built: &'a Built,
}

impl Words<'_> {
    fn route(&self, route: usize) -> String {
        let route = &self.built.problem.routes[route];
        format!("{} -> {}", route.from, route.to)
    }

    fn node(&self, node: usize) -> String {
        let node = &self.built.problem.nodes[node];
        format!("{} node {}", self.built.problem.hosts[node.host], node.id)
    }

    fn written(&self, written: Option<&Written>) -> Option<Place> {
        written.map(|written| self.inputs.place(written))
    }

    /// What the constraint demands, and where that was written; `None` if the machine itself says it.
    fn constraint(&self, constraint: Constraint) -> (String, Option<Place>) {
        let problem = &self.built.problem;
        match constraint {
            Constraint::Candidates { route } => {
                (format!("{} must be served", self.route(route)), Some(self.route_place(route)))
            }
            Constraint::Pins { agent } => {
                let id = &self.built.instances[agent];
                let pointer = self.inputs.policy.pins.iter().find_map(|pin| match pin {
                    Pin::Agent { agent, pointer, .. } if agent.matches(id) => Some(pointer),
                    _ => None,
                });
                (format!("{id} is pinned"), pointer.map(|pointer| self.inputs.policy.place(pointer)))
            }
            Constraint::Cpu { node } => {
                let message = format!("{} has {} millicores", self.node(node), problem.nodes[node].millicores);
                (message, self.node_place(node, "cpu"))
            }
            Constraint::Memory { node } => {
                let message = format!("{} has {} MiB", self.node(node), problem.nodes[node].memory_mib);
                (message, self.node_place(node, "memory_mb"))
            }
            Constraint::StrictQos { route } => {
                let notes = &self.built.routes[route];
                let bound = match problem.routes[route].latency_us {
                    Some(bound) => format!("within {} ms", milliseconds(bound)),
                    None => "within its throughput".to_owned(),
                };
                let place = self.written(notes.qos_rule.as_ref());
                (format!("{} must stay {bound} (strict)", self.route(route)), place)
            }
            Constraint::Bandwidth { link } => {
                let link = &problem.links[link];
                let ends = format!("{} and {}", problem.hosts[link.a], problem.hosts[link.b]);
                let bandwidth = link.bandwidth_mbps.unwrap_or(i64::MAX);
                let place = self.inputs.topology.bandwidth_place(link.a, link.b);
                (format!("{bandwidth} Mbit/s lie between {ends}"), place)
            }
            Constraint::Redundancy { route } => {
                let message = format!("{} must have an independent backup (required)", self.route(route));
                (message, self.written(self.built.routes[route].failover_rule.as_ref()))
            }
        }
    }

    /// The same for programs.
    fn value(&self, constraint: Constraint, remedy: Remedy) -> Value {
        let problem = &self.built.problem;
        let node = |node: usize| format!("{}/{}", problem.hosts[problem.nodes[node].host], problem.nodes[node].id);
        let (kind, about) = match constraint {
            Constraint::Candidates { route } => ("candidates", self.route(route)),
            Constraint::Pins { agent } => ("pins", problem.agents[agent].name.clone()),
            Constraint::Cpu { node: index } => ("cpu", node(index)),
            Constraint::Memory { node: index } => ("memory", node(index)),
            Constraint::StrictQos { route } => ("strict_qos", self.route(route)),
            Constraint::Bandwidth { link } => {
                let link = &problem.links[link];
                ("bandwidth", format!("{} - {}", problem.hosts[link.a], problem.hosts[link.b]))
            }
            Constraint::Redundancy { route } => ("redundancy", self.route(route)),
        };
        let fix = match remedy.fix {
            Fix::Drop => json!({"kind": "drop"}),
            Fix::Raise { from, to } => json!({"kind": "raise", "from": from, "to": to}),
            Fix::Place { node: index } => json!({"kind": "place", "node": node(index)}),
        };
        json!({"constraint": kind, "about": about, "remedy": fix, "suffices": remedy.suffices})
    }

    fn node_place(&self, node: usize, key: &str) -> Option<Place> {
        let node = &self.built.problem.nodes[node];
        self.inputs.topology.node_place(node.host, node.id, key)
    }

    /// The entry that asks for a route, or the requirement that does.
    fn route_place(&self, route: usize) -> Place {
        let wanted = &self.built.routes[route].wanted;
        if let Some(pointer) = &wanted.pointer {
            return self.inputs.routes.place(pointer);
        }
        let Some(source) = self.inputs.registry.get(&wanted.source) else { return Place::file(layout::ROUTES) };
        let position = source.manifest.requires.iter().position(|needed| needed.symbol == wanted.to.symbol);
        let pointer = position.map_or(String::new(), |index| format!("/requires/{index}"));
        Place::pointer(&source.origin.path, format!("{}{pointer}", source.origin.pointer))
    }

    /// A route without any candidate is explained by what rejected each of them.
    fn rejections(&self, route: usize, mut finding: Diagnostic) -> Diagnostic {
        if !self.built.problem.routes[route].candidates.is_empty() {
            return finding;
        }
        let notes = &self.built.routes[route];
        for rejection in &notes.rejected {
            let (text, place) = super::explanation::rejection(self.inputs, rejection);
            finding = match place {
                Some(place) => finding.related(place, text),
                None => finding.help(text),
            };
        }
        if notes.rejected.is_empty() {
            finding = finding.help(format!("no other instance of '{}' is registered", notes.wanted.to.symbol));
        }
        finding
    }

    fn remedy(&self, constraint: Constraint, fix: Fix) -> String {
        match (constraint, fix) {
            (Constraint::Cpu { node }, Fix::Raise { from, to }) => {
                format!("give {} {to} millicores ({} more)", self.node(node), to - from)
            }
            (Constraint::Memory { node }, Fix::Raise { from, to }) => {
                format!("give {} {to} MiB ({} more)", self.node(node), to - from)
            }
            (Constraint::StrictQos { route }, Fix::Raise { to, .. }) => {
                format!("relax latency_ms of {} to {}", self.route(route), milliseconds(to))
            }
            (Constraint::Bandwidth { link }, Fix::Raise { to, .. }) => {
                let link = &self.built.problem.links[link];
                let hosts = &self.built.problem.hosts;
                format!("raise bandwidth_mbps between {} and {} to {to}", hosts[link.a], hosts[link.b])
            }
            (Constraint::Pins { agent }, Fix::Place { node }) => {
                format!("pin {} to {} instead", self.built.instances[agent], self.node(node))
            }
            (Constraint::Pins { agent }, _) => format!("remove the pin of {}", self.built.instances[agent]),
            (Constraint::StrictQos { route }, _) => format!("make the bounds of {} not strict", self.route(route)),
            (Constraint::Redundancy { route }, _) => {
                format!("make the failover of {} not required, or add an alternate elsewhere", self.route(route))
            }
            (Constraint::Cpu { node } | Constraint::Memory { node }, _) => {
                format!("add a node beside {}", self.node(node))
            }
            (Constraint::Bandwidth { .. }, _) => "raise the link's bandwidth".to_owned(),
            (Constraint::Candidates { route }, _) => format!("do without {}", self.route(route)),
        }
    }
}

/// `900` µs as `0.9`.
fn milliseconds(us: i64) -> String {
    let text = format!("{}.{:03}", us / 1000, us % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
