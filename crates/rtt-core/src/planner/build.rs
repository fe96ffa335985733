//! From the inputs as read to the routing problem in integers.
//!
//! Keeps, beside the problem, the names and places by which a person knows its parts, and why each way to serve a
//! route is not a candidate.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::{Agent, Candidate, Failover, Link, Node, Problem, Route, Spread};
use super::unused;
use crate::connector::index::Connectors;
use crate::dependency::report::Edge;
use crate::diagnostic::Diagnostic;
use crate::lane::Lane;
use crate::manifest::{Qos, Requirement};
use crate::plan::{Inputs, Written};
use crate::policy::{self, Access, Pin, QosRule};
use crate::registry::Instance;
use crate::routes::Wanted;
use crate::symbol::{InstanceId, Symbol};

/// A routing problem and what its parts are called.
#[derive(Debug, Clone)]
pub struct Built {
    /// The problem.
    pub problem: Problem,
    /// The instance of each agent.
    pub instances: Vec<InstanceId>,
    /// What is known of each route, in the problem's order.
    pub routes: Vec<RouteNotes>,
    /// What should be looked at; no errors.
    pub warnings: Vec<Diagnostic>,
}

/// What is known of a route besides its integers.
#[derive(Debug, Clone)]
pub struct RouteNotes {
    /// What was asked for.
    pub wanted: Wanted,
    /// The effective bounds.
    pub qos: Qos,
    /// Where the latency bound was written.
    pub latency_from: Option<Written>,
    /// The policy's rule for the route, if one matches.
    pub qos_rule: Option<Written>,
    /// The policy's failover rule for the route, if one matches.
    pub failover_rule: Option<Written>,
    /// What is not a candidate, and why.
    pub rejected: Vec<Rejection>,
}

/// Why a way to serve a route is not a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The target.
    pub target: InstanceId,
    /// The lane; `None`: any lane.
    pub lane: Option<Lane>,
    /// In one clause.
    pub reason: String,
    /// Where that was written, if somebody wrote it.
    pub written: Option<Written>,
}

/// Builds the problem.
///
/// # Errors
/// Routes whose ends are not registered. A route without a candidate, or an agent without an allowed node, is part of
/// the problem, which then has no solution.
pub fn build(inputs: &Inputs) -> Result<Built, Vec<Diagnostic>> {
    let wanted = inputs.routes.expand(&inputs.registry, &inputs.dependencies)?;
    let builder = Builder::new(inputs);
    let mut drafts = Vec::new();
    let mut warnings = unused::rules(inputs, wanted.iter());
    for wanted in wanted {
        let draft = builder.route(wanted);
        if draft.primaries.is_empty() && draft.notes.wanted.optional {
            warnings.push(left_out(inputs, &draft));
        } else {
            drafts.push(draft);
        }
    }
    let mut names = BTreeMap::new();
    for draft in &drafts {
        names.insert(draft.notes.wanted.source.to_string(), draft.notes.wanted.source.clone());
        for (target, _) in draft.backups() {
            names.insert(target.to_string(), target.clone());
        }
    }
    let instances: Vec<InstanceId> = names.values().cloned().collect();
    let index: BTreeMap<&InstanceId, usize> = instances.iter().enumerate().map(|(index, id)| (id, index)).collect();
    let (nodes, distance) = nodes(inputs);
    let agents = instances.iter().map(|id| builder.agent(id, &nodes)).collect();
    let routes = drafts.iter().map(|draft| builder.finish(draft, &index)).collect();
    let problem = Problem {
        hosts: inputs.topology.hosts.iter().map(|host| host.name.clone()).collect(),
        nodes,
        distance,
        links: links(inputs),
        agents,
        routes,
        lanes: inputs.lanes.clone(),
    };
    Ok(Built { problem, instances, routes: drafts.into_iter().map(|draft| draft.notes).collect(), warnings })
}

/// Tells whether stage 20 accepts an instance for a requirement, whatever its symbol and version.
fn accepts(requirement: &Requirement, instance: &Instance) -> Result<(), String> {
    crate::dependency::accepts(requirement, instance).map_err(|refusal| refusal.reason)
}

/// A route before instances have indices.
struct Draft<'a> {
    notes: RouteNotes,
    primaries: Vec<(InstanceId, Lane)>,
    alternates: Vec<(InstanceId, Lane)>,
    rule: Option<&'a QosRule>,
    failover: Option<Failover>,
}

impl Draft<'_> {
    /// Every pair that may be a backup, by target name and lane, each once.
    fn backups(&self) -> Vec<&(InstanceId, Lane)> {
        let mut all: Vec<_> = self.primaries.iter().chain(&self.alternates).collect();
        all.sort_by_cached_key(|(target, lane)| (target.to_string(), *lane));
        all.dedup();
        all
    }
}

struct Builder<'a> {
    inputs: &'a Inputs,
    policy: policy::Index<'a>,
    edges: BTreeMap<(&'a InstanceId, &'a Symbol), &'a Edge>,
    connectors: Served<'a>,
    applied_nodes: BTreeMap<&'a InstanceId, (&'a str, u32)>,
    applied_routes: BTreeMap<(String, String), (String, Lane)>,
}

impl<'a> Builder<'a> {
    fn new(inputs: &'a Inputs) -> Self {
        let edges = inputs.dependencies.edges.iter().map(|edge| ((&edge.from, &edge.symbol), edge)).collect();
        let applied = inputs.applied.as_ref();
        Self {
            inputs,
            policy: inputs.policy.index(),
            edges,
            connectors: Served::new(&inputs.connectors),
            applied_nodes: applied
                .into_iter()
                .flat_map(|plan| &plan.placement)
                .map(|placed| (&placed.agent, (placed.host.as_str(), placed.numa_node)))
                .collect(),
            applied_routes: applied
                .into_iter()
                .flat_map(|plan| &plan.routes)
                .map(|r| ((r.from.to_string(), r.to.to_string()), (r.target.to_string(), r.via)))
                .collect(),
        }
    }

    fn route(&self, wanted: Wanted) -> Draft<'a> {
        let registry = &self.inputs.registry;
        let source = registry.get(&wanted.source).expect("expansion names registered instances");
        let requirement = source.manifest.requires.iter().find(|needed| needed.symbol == wanted.to.symbol);
        let edge = self.edges.get(&(&wanted.source, &wanted.to.symbol));
        let mut rejected = Vec::new();
        let mut primaries = Vec::new();
        for target in registry.versions(&wanted.to.symbol) {
            let id = target.id();
            let refusal = if id == wanted.source {
                Some(("an agent does not call itself".to_owned(), None))
            } else if !wanted.to.range.contains(&id.version) {
                let written = wanted.pointer.as_ref().map(|pointer| Written::Routes(format!("{pointer}/to")));
                Some((format!("its version is not in the route's range {}", wanted.to.range), written))
            } else {
                edge.filter(|edge| !edge.accepted.contains(&id)).map(|edge| {
                    let reason = edge.refused.iter().find(|refusal| refusal.instance == id);
                    let reason = reason.map_or_else(
                        || format!("its version is not in the required range {}", edge.range),
                        |refusal| refusal.reason.clone(),
                    );
                    (reason, Some(manifest_place(source, &edge.symbol)))
                })
            };
            match refusal {
                Some((reason, written)) => rejected.push(Rejection { target: id, lane: None, reason, written }),
                None => self.lanes(&wanted, source, target, true, &mut primaries, &mut rejected),
            }
        }
        let rule = self.policy.failover_of(&wanted.source, &wanted.to.symbol);
        let mut alternates = Vec::new();
        for alternate in rule.into_iter().flat_map(|rule| &rule.alternates) {
            for target in registry.versions(&alternate.symbol) {
                let id = target.id();
                if id == wanted.source || !alternate.range.contains(&id.version) {
                    continue;
                }
                match requirement.map_or(Ok(()), |requirement| accepts(requirement, target)) {
                    Ok(()) => self.lanes(&wanted, source, target, false, &mut alternates, &mut rejected),
                    Err(reason) => rejected.push(Rejection {
                        target: id,
                        lane: None,
                        reason: format!("as an alternate: {reason}"),
                        written: Some(manifest_place(source, &wanted.to.symbol)),
                    }),
                }
            }
        }
        self.draft(wanted, source, primaries, alternates, rejected)
    }

    /// Adds the lanes by which a target may be called. Pins of the route bind its primary, not the alternates, which
    /// exist for when the pinned target is gone.
    fn lanes(
        &self,
        wanted: &Wanted,
        source: &Instance,
        target: &Instance,
        is_primary: bool,
        found: &mut Vec<(InstanceId, Lane)>,
        rejected: &mut Vec<Rejection>,
    ) {
        let id = target.id();
        for lane in Lane::ALL {
            match self.refusal(wanted, source, target, &id, lane, is_primary) {
                None => found.push((id.clone(), lane)),
                Some((reason, written)) => {
                    rejected.push(Rejection { target: id.clone(), lane: Some(lane), reason, written });
                }
            }
        }
    }

    fn refusal(
        &self,
        wanted: &Wanted,
        source: &Instance,
        target: &Instance,
        id: &InstanceId,
        lane: Lane,
        is_primary: bool,
    ) -> Option<(String, Option<Written>)> {
        let offered_by =
            |instance: &Instance| Written::Manifest(instance.origin.path.clone(), instance.origin.pointer.clone());
        if !source.manifest.lanes().contains(&lane) {
            return Some((format!("{} does not offer the lane", wanted.source), Some(offered_by(source))));
        }
        if !target.manifest.lanes().contains(&lane) {
            return Some((format!("{id} does not offer the lane"), Some(offered_by(target))));
        }
        if lane == Lane::Stdio && target.manifest.endpoint.stdio.is_none() {
            return Some((format!("{id} has no endpoint.stdio to start"), Some(offered_by(target))));
        }
        if let Some(lanes) = self.connectors.lanes(&wanted.source, &wanted.to.symbol, id)
            && !lanes.contains(&lane)
        {
            return Some(("the generated connector does not support the lane".to_owned(), None));
        }
        if let Access::Denied(pointer) = self.policy.access(&wanted.source, id, lane) {
            return Some(("denied by the acl".to_owned(), Some(Written::Policy(pointer.to_owned()))));
        }
        if is_primary { self.pinned_away(wanted, id, lane) } else { None }
    }

    fn pinned_away(&self, wanted: &Wanted, id: &InstanceId, lane: Lane) -> Option<(String, Option<Written>)> {
        if let Some(only) = wanted.via.filter(|only| *only != lane) {
            let written = wanted.pointer.as_ref().map(|pointer| Written::Routes(pointer.clone()));
            return Some((format!("the route names the lane {only}"), written));
        }
        for pin in self.policy.pins_of_route(&wanted.source, &wanted.to.symbol) {
            let Pin::Route { via, target, pointer, .. } = pin else { continue };
            let written = Some(Written::Policy(pointer.clone()));
            if let Some(only) = via.filter(|only| *only != lane) {
                return Some((format!("pinned to the lane {only}"), written));
            }
            if let Some(only) = target.as_ref().filter(|only| !only.contains(id)) {
                return Some((format!("pinned to {only}"), written));
            }
        }
        None
    }

    fn draft(
        &self,
        wanted: Wanted,
        source: &Instance,
        primaries: Vec<(InstanceId, Lane)>,
        alternates: Vec<(InstanceId, Lane)>,
        rejected: Vec<Rejection>,
    ) -> Draft<'a> {
        let registry = &self.inputs.registry;
        let rule = self.policy.qos_of(&wanted.source, &wanted.to.symbol);
        let failover = self.policy.failover_of(&wanted.source, &wanted.to.symbol);
        // The provider's end is the best target's, which the route would have if nothing else decided.
        let provider = primaries.iter().map(|(target, _)| target).max().and_then(|target| registry.get(target));
        let ends = [Some(source), provider].map(|end| end.map(|end| (end.manifest.qos, end)));
        let from_ends = |better: fn(f64, f64) -> bool, of: fn(&Qos) -> Option<f64>| {
            let mut best: Option<(f64, &Instance)> = None;
            for (qos, end) in ends.into_iter().flatten() {
                if let Some(value) = of(&qos)
                    && best.is_none_or(|(earlier, _)| better(value, earlier))
                {
                    best = Some((value, end));
                }
            }
            best
        };
        let choose = |key: &str, better: fn(f64, f64) -> bool, of: fn(&Qos) -> Option<f64>| {
            let by_policy = rule.and_then(|rule| Some((of(&rule.qos)?, Written::Policy(rule.pointer.clone()))));
            let by_route = || {
                let pointer = wanted.pointer.as_ref()?;
                Some((of(&wanted.qos)?, Written::Routes(format!("{pointer}/qos"))))
            };
            let by_ends = || {
                let (value, end) = from_ends(better, of)?;
                let pointer = format!("{}/qos/{key}", end.origin.pointer);
                Some((value, Written::Manifest(end.origin.path.clone(), pointer)))
            };
            by_policy.or_else(by_route).or_else(by_ends)
        };
        let latency = choose("latency_ms", |a, b| a < b, |qos| qos.latency_ms);
        let throughput = choose("throughput_mbps", |a, b| a > b, |qos| qos.throughput_mbps);
        let notes = RouteNotes {
            qos: Qos {
                latency_ms: latency.as_ref().map(|(value, _)| *value),
                throughput_mbps: throughput.map(|(value, _)| value),
            },
            latency_from: latency.map(|(_, written)| written),
            qos_rule: rule.map(|rule| Written::Policy(rule.pointer.clone())),
            failover_rule: failover.map(|rule| Written::Policy(rule.pointer.clone())),
            wanted,
            rejected,
        };
        let failover = failover.map(|rule| Failover {
            spread: match rule.spread {
                policy::Spread::Numa => Spread::Numa,
                policy::Spread::Host => Spread::Host,
            },
            required: rule.required,
        });
        Draft { notes, primaries, alternates, rule, failover }
    }

    fn finish(&self, draft: &Draft, index: &BTreeMap<&InstanceId, usize>) -> Route {
        let candidate = |(target, lane): &(InstanceId, Lane)| Candidate { target: index[target], lane: *lane };
        let mut candidates: Vec<Candidate> = draft.primaries.iter().map(candidate).collect();
        // Indices are in the order of names, so this is the order by name and lane.
        candidates.sort();
        let (from, to) = (draft.notes.wanted.from.to_string(), draft.notes.wanted.to.to_string());
        Route {
            source: index[&draft.notes.wanted.source],
            latency_us: draft.notes.qos.latency_us(),
            throughput: draft.notes.qos.throughput().unwrap_or(1),
            strict: draft.rule.is_some_and(|rule| rule.strict),
            priority: draft.rule.map_or(1, |rule| rule.priority.max(1)),
            candidates,
            backups: draft.backups().into_iter().map(candidate).collect(),
            failover: draft.failover,
            applied: self.applied_routes.get(&(from.clone(), to.clone())).cloned(),
            from,
            to,
        }
    }

    fn agent(&self, id: &InstanceId, nodes: &[Node]) -> Agent {
        let manifest = &self.inputs.registry.get(id).expect("instances are registered").manifest;
        let hosts = &self.inputs.topology.hosts;
        let pins: Vec<_> = self
            .policy
            .pins_of_agent(id)
            .filter_map(|pin| match pin {
                Pin::Agent { host, numa_node, .. } => Some((host, numa_node)),
                Pin::Route { .. } => None,
            })
            .collect();
        let allows = |node: &Node| {
            pins.iter().all(|(host, numa_node)| {
                host.as_ref().is_none_or(|host| *host == hosts[node.host].name)
                    && numa_node.is_none_or(|wanted| wanted == node.id)
            })
        };
        Agent {
            name: id.to_string(),
            millicores: manifest.resources.millicores(),
            memory_mib: manifest.resources.memory_mib(),
            allowed: (0..nodes.len()).filter(|&node| allows(&nodes[node])).collect(),
            applied: self.applied_nodes.get(id).map(|(host, numa_node)| {
                nodes.iter().position(|node| hosts[node.host].name == *host && node.id == *numa_node)
            }),
        }
    }
}

/// The lanes of generated connectors.
struct Served<'a> {
    exact: BTreeMap<(&'a InstanceId, &'a InstanceId), BTreeSet<Lane>>,
    by_symbol: BTreeMap<(&'a InstanceId, &'a Symbol), BTreeSet<Lane>>,
}

impl<'a> Served<'a> {
    fn new(connectors: &'a Connectors) -> Self {
        let mut served = Self { exact: BTreeMap::new(), by_symbol: BTreeMap::new() };
        for connector in &connectors.connectors {
            for edge in &connector.serves {
                served.exact.entry((&edge.from, &edge.to)).or_default().extend(&connector.lanes);
                served.by_symbol.entry((&edge.from, &connector.symbol)).or_default().extend(&connector.lanes);
            }
        }
        served
    }

    /// The lanes that the consumer's connector opens to a target; the connector for the route's symbol also serves
    /// its alternates. `None`: there is no connector, so no limit.
    fn lanes<'s>(
        &'s self,
        from: &'s InstanceId,
        symbol: &'s Symbol,
        target: &'s InstanceId,
    ) -> Option<&'s BTreeSet<Lane>> {
        self.exact.get(&(from, target)).or_else(|| self.by_symbol.get(&(from, symbol)))
    }
}

fn nodes(inputs: &Inputs) -> (Vec<Node>, Vec<Vec<i64>>) {
    let topology = &inputs.topology;
    let mut nodes = Vec::new();
    let mut places = Vec::new();
    for (host_index, host) in topology.hosts.iter().enumerate() {
        for (position, node) in host.nodes.iter().enumerate() {
            places.push((host_index, position));
            nodes.push(Node {
                host: host_index,
                id: node.id,
                millicores: node.millicores,
                memory_mib: node.memory_mib,
            });
        }
    }
    let between = |(a, i): (usize, usize), (b, j): (usize, usize)| {
        if a == b { topology.hosts[a].distance[i][j] } else { topology.link(a, b).distance }
    };
    let distance = places.iter().map(|&one| places.iter().map(|&other| between(one, other)).collect()).collect();
    (nodes, distance)
}

fn links(inputs: &Inputs) -> Vec<Link> {
    let count = inputs.topology.hosts.len();
    let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
    pairs
        .map(|(a, b)| inputs.topology.link(a, b))
        .map(|link| Link { a: link.a, b: link.b, latency_us: link.latency_us, bandwidth_mbps: link.bandwidth_mbps })
        .collect()
}

fn manifest_place(source: &Instance, symbol: &Symbol) -> Written {
    let position = source.manifest.requires.iter().position(|needed| needed.symbol == *symbol);
    let pointer = position
        .map_or_else(|| source.origin.pointer.clone(), |index| format!("{}/requires/{index}", source.origin.pointer));
    Written::Manifest(source.origin.path.clone(), pointer)
}

fn left_out(inputs: &Inputs, draft: &Draft) -> Diagnostic {
    let Wanted { source, to, .. } = &draft.notes.wanted;
    let message = format!("no route from {source} to the optional dependency '{to}': nothing can serve it");
    let mut finding = Diagnostic::warning("RTT-P010", message);
    for rejection in &draft.notes.rejected {
        let lane = rejection.lane.map(|lane| format!(" by {lane}")).unwrap_or_default();
        let reason = format!("{}{lane}: {}", rejection.target, rejection.reason);
        finding = match &rejection.written {
            Some(written) => finding.related(inputs.place(written), reason),
            None => finding.help(reason),
        };
    }
    finding
}
