//! `--what-if`: what the plan would be if nodes were gone, larger or smaller, or more were pinned. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::infeasible;
use crate::apply::diff::Diff;
use crate::lane::Lane;
use crate::plan::{Inputs, Plan};
use crate::planner::{self, Options, Outcome, problem::OBJECTIVES};
use crate::policy::{self, Pattern, Pin};
use crate::routes::Wanted;
use crate::stage::{Error, Report, Verdict};
use crate::{text, units};

/// What is supposed, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// Nodes that are gone, each `HOST/N`.
    pub without_nodes: Vec<String>,
    /// Further pins, each `AGENT=HOST`, `AGENT=HOST/N`, `FROM->TO=LANE` or `FROM->TO=TARGET`.
    pub pins: Vec<String>,
    /// Other capacities, each `HOST/N=CPU,MEM`: processors and MiB.
    pub capacities: Vec<String>,
}

/// Plans for the inputs as they are and as they are supposed to be, and compares.
///
/// # Errors
/// [`Error::Usage`] for a supposition that is none, or that names what there is not.
pub(super) fn report(inputs: &Inputs, what_if: &WhatIf, options: &Options) -> Result<Report, Error> {
    let mut supposed = inputs.clone();
    let changes = what_if.apply(&mut supposed)?;
    let (before, after) = (Answer::of(inputs, options)?, Answer::of(&supposed, options)?);
    let verdict = if matches!(after.outcome, Some(false) | None) { Verdict::CheckFailed } else { Verdict::Success };
    let headline = match after.outcome {
        Some(false) => "No feasible solution then".to_owned(),
        None => "No feasible solution found then, and none excluded, within the work limit".to_owned(),
        Some(true) => "There is a plan then".to_owned(),
    };
    let comparison = Comparison::new(&changes, &before, &after);
    let mut report = Report::new(verdict, headline);
    report.body = Some(comparison.text());
    report.answer = Some(comparison.json());
    if after.outcome == Some(false) {
        let reason = infeasible::report(&supposed, &after.built, options);
        if let (Some(answer), Some(Value::Object(conflict))) = (&mut report.answer, reason.answer) {
            conflict.into_iter().for_each(|(name, value)| answer[name] = value);
        }
        report.diagnostics = reason.diagnostics;
        report.details = reason.details;
    }
    Ok(report)
}

/// What planning comes to.
struct Answer {
    built: planner::Built,
    /// Whether there is a plan; `None`: that was not found out.
    outcome: Option<bool>,
    plan: Option<Plan>,
}

impl Answer {
    fn of(inputs: &Inputs, options: &Options) -> Result<Self, Error> {
        let invalid = |diagnostics| Error::Invalid { message: "the routes are not valid".to_owned(), diagnostics };
        let built = planner::build(inputs).map_err(invalid)?;
        let (outcome, plan) = match planner::solve(&built.problem, options) {
            Outcome::Solved(solution) => {
                let plan = planner::assemble(inputs, &built, &solution, String::new(), String::new());
                (Some(true), Some(plan))
            }
            Outcome::Infeasible => (Some(false), None),
            Outcome::Unknown => (None, None),
        };
        if let Some(plan) = &plan
            && let [first, ..] = &crate::plan::check(plan, inputs)[..]
        {
            return Err(Error::Internal(format!("the plan fails its own check: {first}")));
        }
        Ok(Self { built, outcome, plan })
    }

    fn feasible(&self) -> &'static str {
        match self.outcome {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        }
    }

    fn places(&self) -> BTreeMap<String, String> {
        let placement = self.plan.iter().flat_map(|plan| &plan.placement);
        placement.map(|placed| (placed.agent.to_string(), format!("{}/{}", placed.host, placed.numa_node))).collect()
    }

    /// Value and bound of an objective.
    fn level(&self, level: usize) -> Option<(i64, i64)> {
        self.plan.as_ref().map(|plan| (plan.objective[level].value, plan.objective[level].bound))
    }
}

/// Two plans side by side.
struct Comparison<'a> {
    changes: &'a [String],
    before: &'a Answer,
    after: &'a Answer,
    /// Instances whose node differs: where each is and would be.
    moves: Vec<(String, Option<String>, Option<String>)>,
    routes: Diff,
}

impl<'a> Comparison<'a> {
    fn new(changes: &'a [String], before: &'a Answer, after: &'a Answer) -> Self {
        let (old, new) = (before.places(), after.places());
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        // Where there is no plan nothing is placed, which is no difference of any instance.
        let both = before.plan.is_some() && after.plan.is_some();
        let moves = names
            .into_iter()
            .filter(|name| both && old.get(*name) != new.get(*name))
            .map(|name| (name.clone(), old.get(name).cloned(), new.get(name).cloned()))
            .collect();
        let routes = if both { Diff::between(before.plan.as_ref(), after.plan.as_ref()) } else { Diff::default() };
        Self { changes, before, after, moves, routes }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let mut say = |line: String| writeln!(out, "{line}").expect("writing to a string");
        say(format!("what if: {}", self.changes.join("; ")));
        say(format!("  a plan exists: {} now, {} then", self.before.feasible(), self.after.feasible()));
        for (level, name) in OBJECTIVES.iter().enumerate() {
            let shown = |level: Option<(i64, i64)>| match level {
                Some((value, bound)) if value == bound => format!("{value}"),
                Some((value, bound)) => format!("{value} (at least {bound})"),
                None => "none".to_owned(),
            };
            let (before, after) = (self.before.level(level), self.after.level(level));
            if before.is_some() || after.is_some() {
                let arrow = if before == after { "=" } else { "→" };
                say(format!("  {name:<20} {:>12} {arrow} {}", shown(before), shown(after)));
            }
        }
        if self.before.plan.is_some() && self.after.plan.is_some() {
            say(format!("  {} would move", text::counted(self.moves.len(), "instance")));
            for (agent, before, after) in &self.moves {
                let node = |node: &Option<String>| node.clone().unwrap_or_else(|| "nowhere".to_owned());
                say(format!("    ~ {agent}: {} → {}", node(before), node(after)));
            }
            say(format!("  {} would be served otherwise", text::counted(self.routes.changes.len(), "route")));
            self.routes.lines("    ").into_iter().for_each(&mut say);
        }
        out
    }

    fn json(&self) -> Value {
        let objective = OBJECTIVES.iter().enumerate().map(|(level, name)| {
            let figures = |level: Option<(i64, i64)>| level.map(|(value, bound)| json!({"value": value, "bound": bound}));
            json!({"name": name, "before": figures(self.before.level(level)), "after": figures(self.after.level(level))})
        });
        let moves =
            self.moves.iter().map(|(agent, before, after)| json!({"agent": agent, "before": before, "after": after}));
        json!({
            "changes": self.changes,
            "feasible": {"before": self.before.feasible(), "after": self.after.feasible()},
            "objective": objective.collect::<Vec<_>>(),
            "placement": moves.collect::<Vec<_>>(),
            "routes": self.routes.json(),
        })
    }
}

impl WhatIf {
    /// Makes the inputs what is supposed; returns each change in words.
    fn apply(&self, inputs: &mut Inputs) -> Result<Vec<String>, Error> {
        if self == &Self::default() {
            let message = "--what-if supposes nothing".to_owned();
            let help = Some("add --without-node HOST/N, --capacity HOST/N=CPU,MEM or --pin AGENT=HOST/N".to_owned());
            return Err(Error::Usage { message, help });
        }
        let mut changes = Vec::new();
        let mut touched = BTreeSet::new();
        let mut once = |node: (usize, usize), option: &str| match touched.insert(node) {
            true => Ok(()),
            false => Err(usage(option, "changes a node that another option changes", None)),
        };
        for option in &self.capacities {
            let (node, cpu, memory) = capacity(option)
                .ok_or_else(|| usage(&format!("--capacity {option}"), "is no HOST/N=CPU,MEM", Some(CAPACITY_HELP)))?;
            let (host, position) = find(inputs, node)?;
            once((host, position), &format!("--capacity {option}"))?;
            let node_now = &mut inputs.topology.hosts[host].nodes[position];
            (node_now.millicores, node_now.memory_mib) = (units::scale_down(cpu, 3), units::scale_down(memory, 0));
            let id = node_now.id;
            inputs.topology.supposed.insert((host, id), format!("--capacity {option}"));
            changes.push(format!("{node} has {cpu} CPU and {memory} MiB"));
        }
        let mut gone = Vec::new();
        for option in &self.without_nodes {
            let place = find(inputs, option)?;
            once(place, &format!("--without-node {option}"))?;
            gone.push(place);
            changes.push(format!("without node {option}"));
        }
        gone.sort_unstable();
        for (host, position) in gone.into_iter().rev() {
            let host = &mut inputs.topology.hosts[host];
            host.nodes.remove(position);
            host.distance.remove(position);
            for row in &mut host.distance {
                row.remove(position);
            }
        }
        if inputs.topology.hosts.iter().all(|host| host.nodes.is_empty()) {
            return Err(usage("--without-node", "leaves no node at all", None));
        }
        let wanted = inputs.routes.expand(&inputs.registry, &inputs.dependencies).unwrap_or_default();
        for option in &self.pins {
            let pin = pin(inputs, &wanted, option)?;
            inputs.policy.pins.push(pin);
            changes.push(format!("pin {option}"));
        }
        Ok(changes)
    }
}

const CAPACITY_HELP: &str = "such as --capacity local/0=8,16384 for 8 processors and 16384 MiB";
const PIN_HELP: &str = "such as --pin agent.api.metrics=local/0, --pin 'agent.api.*->agent.storage.tsdb=uds', or a target \
                        instead of the lane, agent.storage.tsdb@1.2.0";

fn usage(option: &str, what: &str, help: Option<&str>) -> Error {
    Error::Usage { message: format!("{option} {what}"), help: help.map(str::to_owned) }
}

/// Reads `HOST/N=CPU,MEM`.
fn capacity(option: &str) -> Option<(&str, f64, f64)> {
    let (node, figures) = option.rsplit_once('=')?;
    let (cpu, memory) = figures.split_once(',')?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| (0.0..=1e12).contains(number));
    Some((node, number(cpu)?, number(memory)?))
}

/// Finds the node that `HOST/N` names: positions of the host and of the node on it.
fn find(inputs: &Inputs, name: &str) -> Result<(usize, usize), Error> {
    let topology = &inputs.topology;
    let known = || topology.hosts.iter().flat_map(|host| host.nodes.iter().map(move |node| (host, node.id)));
    let found = name.rsplit_once('/').and_then(|(host, id)| {
        let host = topology.host(host)?;
        let id: u32 = id.parse().ok()?;
        Some((host, topology.hosts[host].nodes.iter().position(|node| node.id == id)?))
    });
    found.ok_or_else(|| {
        let message = match name.rsplit_once('/').and_then(|(host, id)| Some((topology.host(host)?, id))) {
            Some((host, id)) => format!("host '{}' has no node {id}", topology.hosts[host].name),
            None => match name.rsplit_once('/') {
                Some((host, _)) => format!("there is no host '{host}'"),
                None => format!("'{name}' is no HOST/N"),
            },
        };
        let names: Vec<String> = known().map(|(host, id)| format!("{}/{id}", host.name)).collect();
        Error::Usage { message, help: suggestion(name, &names, "nodes") }
    })
}

/// The nearest name, else some of those that there are.
fn suggestion(name: &str, known: &[String], what: &str) -> Option<String> {
    match text::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => Some(format!("did you mean '{near}'?")),
        None if known.is_empty() => None,
        None => {
            let more = if known.len() > 8 { ", …" } else { "" };
            Some(format!("{what}: {}{more}", known[..known.len().min(8)].join(", ")))
        }
    }
}

/// Reads a pin and finds what it names.
fn pin(inputs: &Inputs, wanted: &[Wanted], option: &str) -> Result<Pin, Error> {
    let none = || usage(&format!("--pin {option}"), "is no pin", Some(PIN_HELP));
    // A place names the option, as it names a file elsewhere.
    let pointer = format!("--pin {option}");
    let pattern = |text: &str| text.trim().parse::<Pattern>().map_err(|_| none());
    let Some((from, to)) = option.split_once("->") else {
        let (subject, value) = option.rsplit_once('=').ok_or_else(none)?;
        let value = value.trim();
        let agent = pattern(subject)?;
        if !inputs.registry.instances.iter().any(|instance| agent.matches(&instance.id())) {
            return Err(unknown_agent(inputs, subject));
        }
        let host = |name: &str| inputs.topology.host(name).map(|_| name.to_owned());
        let (host, numa_node) = match host(value) {
            Some(host) => (host, None),
            None => {
                let (host, position) = find(inputs, value)?;
                let host = &inputs.topology.hosts[host];
                (host.name.clone(), Some(host.nodes[position].id))
            }
        };
        return Ok(Pin::Agent { agent, host: Some(host), numa_node, pointer });
    };
    let (to, value) = to.split_once('=').ok_or_else(none)?;
    let (from, to) = (pattern(from)?, pattern(to)?);
    if !wanted.iter().any(|route| from.matches(&route.source) && to.matches_symbol(&route.to.symbol)) {
        let routes: Vec<String> =
            wanted.iter().map(|route| format!("{}->{}", route.source.symbol, route.to.symbol)).collect();
        let message = format!("no route is wanted from '{from}' to '{to}'");
        return Err(Error::Usage { message, help: suggestion(&format!("{from}->{to}"), &routes, "routes") });
    }
    if let Ok(lane) = value.trim().parse::<Lane>() {
        return Ok(Pin::Route { from, to, via: Some(lane), target: None, pointer });
    }
    let target = policy::target(value.trim()).map_err(|_| none())?;
    if !inputs.registry.instances.iter().any(|instance| target.contains(&instance.id())) {
        return Err(unknown_agent(inputs, value));
    }
    Ok(Pin::Route { from, to, via: None, target: Some(target), pointer })
}

fn unknown_agent(inputs: &Inputs, name: &str) -> Error {
    let mut known: Vec<String> = Vec::new();
    for instance in &inputs.registry.instances {
        let id = instance.id();
        known.extend([id.symbol.to_string(), id.to_string()]);
    }
    known.dedup();
    Error::Usage {
        message: format!("no registered instance is '{}'", name.trim()),
        help: suggestion(name.trim(), &known, "instances"),
    }
}
