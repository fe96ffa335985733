//! An independent check of a plan: feasible, complete, and worth what it says.
//!
//! Shares no code with the planner: candidates, capacities, bounds and objective values are derived anew from the
//! inputs, in the words of the routing model, so that a mistake on one side shows as a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rayon::prelude::*;

use super::{Backup, Inputs, Plan, PlanRoute, PlanStatus};
use crate::connector::index::Connector;
use crate::dependency::report::Edge;
use crate::lane::Lane;
use crate::lookup::{Lookup, Seen};
use crate::manifest::{Manifest, Qos};
use crate::policy::{self, Access, Pin, Spread};
use crate::registry::Instance;
use crate::routes::Wanted;
use crate::symbol::{InstanceId, Symbol, SymbolRange};

/// One way in which a plan is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule of the model it breaks.
    pub kind: Kind,
    /// What exactly.
    pub message: String,
}

/// The rules of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The wanted routes and the planned ones, or the instances and the placed ones, are not the same.
    Completeness,
    /// A primary or backup is no candidate (access, pins, version, protocol, capability, lane).
    Candidate,
    /// An instance is not on a node that exists and that its pins allow.
    Placement,
    /// A node is overloaded.
    Capacity,
    /// A lane does not reach.
    Reach,
    /// A strict bound is violated.
    Strict,
    /// A link between hosts is overloaded.
    Link,
    /// A required independent backup is missing.
    Failover,
    /// The backups are not all there are, best first.
    Backups,
    /// A figure is not what it says.
    Figure,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Checks a plan against the inputs. Empty: every hard constraint holds, and every value is what it says. Whether a
/// better plan exists is not looked at; identity, signature and base are checked elsewhere.
pub fn check(plan: &Plan, inputs: &Inputs) -> Vec<Violation> {
    let mut checker = Checker { plan, inputs, index: Index::new(inputs), places: Lookup::default(), found: Vec::new() };
    checker.placement();
    match inputs.routes.expand(&inputs.registry, &inputs.dependencies) {
        Ok(wanted) => checker.routes(&wanted),
        Err(errors) => {
            for error in errors {
                checker.report(Kind::Completeness, error.message);
            }
        }
    }
    checker.found
}

/// Of how many routes the pairs are held at once.
const CHUNK: usize = 4096;

/// Where an instance is: positions of its host and of its node on that host.
type Place = (usize, usize);

/// The inputs by what is asked of them, so that the work grows with the plan and not with its square.
struct Index<'a> {
    policy: policy::Index<'a>,
    /// The registered versions of each symbol, lowest first.
    versions: Lookup<&'a Symbol, &'a [Instance]>,
    edges: Lookup<(&'a InstanceId, &'a Symbol), &'a Edge>,
    by_edge: Lookup<(&'a InstanceId, &'a InstanceId), Vec<&'a Connector>>,
    by_symbol: Lookup<(&'a InstanceId, &'a Symbol), Vec<&'a Connector>>,
}

impl<'a> Index<'a> {
    fn new(inputs: &'a Inputs) -> Self {
        let mut index = Self {
            policy: inputs.policy.index(),
            versions: Lookup::default(),
            edges: Lookup::default(),
            by_edge: Lookup::default(),
            by_symbol: Lookup::default(),
        };
        for versions in inputs.registry.instances.chunk_by(|a, b| a.manifest.symbol == b.manifest.symbol) {
            index.versions.insert(&versions[0].manifest.symbol, versions);
        }
        for edge in &inputs.dependencies.edges {
            index.edges.entry((&edge.from, &edge.symbol)).or_insert(edge);
        }
        for connector in &inputs.connectors.connectors {
            for served in &connector.serves {
                index.by_edge.entry((&served.from, &served.to)).or_default().push(connector);
                index.by_symbol.entry((&served.from, &connector.symbol)).or_default().push(connector);
            }
        }
        index
    }
}

struct Checker<'a> {
    plan: &'a Plan,
    inputs: &'a Inputs,
    index: Index<'a>,
    places: Lookup<&'a InstanceId, Place>,
    found: Vec<Violation>,
}

/// The two ends of a route, which name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Ends<'a> {
    from: &'a SymbolRange,
    to: &'a SymbolRange,
}

fn ends(route: &PlanRoute) -> Ends<'_> {
    Ends { from: &route.from, to: &route.to }
}

impl fmt::Display for Ends<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)
    }
}

/// A pair of target and lane.
type Pair = (InstanceId, Lane);

/// The bounds of a route as the model means them.
struct Bounds {
    qos: Qos,
    latency_us: Option<i64>,
    throughput: i64,
    strict: bool,
    priority: i64,
}

/// Running sums of the objectives, and of the load of links.
#[derive(Default)]
struct Sums {
    objective: [i64; 5],
    links: BTreeMap<(usize, usize), i64>,
    instances: Seen<InstanceId>,
}

impl<'a> Checker<'a> {
    fn report(&mut self, kind: Kind, message: String) {
        self.found.push(Violation { kind, message });
    }

    fn manifest(&self, id: &InstanceId) -> Option<&'a Manifest> {
        let mut manifests = self.versions(&id.symbol).iter().map(|instance| &instance.manifest);
        manifests.find(|manifest| manifest.version == id.version)
    }

    fn versions(&self, symbol: &Symbol) -> &'a [Instance] {
        self.index.versions.get(symbol).copied().unwrap_or_default()
    }

    fn placement(&mut self) {
        let mut load: BTreeMap<Place, (i64, i64)> = BTreeMap::new();
        for placed in &self.plan.placement {
            let hosts = &self.inputs.topology.hosts;
            let place =
                self.inputs.topology.host(&placed.host).and_then(|host| {
                    Some((host, hosts[host].nodes.iter().position(|node| node.id == placed.numa_node)?))
                });
            let Some(place) = place else {
                let message =
                    format!("{} is on {} node {}, which does not exist", placed.agent, placed.host, placed.numa_node);
                self.report(Kind::Placement, message);
                continue;
            };
            if self.places.insert(&placed.agent, place).is_some() {
                self.report(Kind::Completeness, format!("{} is placed twice", placed.agent));
            }
            let pins: Vec<_> = self.index.policy.pins_of_agent(&placed.agent).collect();
            for pin in pins {
                if let Pin::Agent { host, numa_node, .. } = pin
                    && (host.as_ref().is_some_and(|host| *host != placed.host)
                        || numa_node.is_some_and(|id| id != placed.numa_node))
                {
                    self.report(Kind::Placement, format!("{} is not where a pin puts it", placed.agent));
                }
            }
            match self.manifest(&placed.agent) {
                Some(manifest) => {
                    let sum = load.entry(place).or_default();
                    sum.0 = sum.0.saturating_add(manifest.resources.millicores());
                    sum.1 = sum.1.saturating_add(manifest.resources.memory_mib());
                }
                None => self.report(Kind::Completeness, format!("{} is placed but not registered", placed.agent)),
            }
        }
        for ((host, node), (millicores, memory_mib)) in load {
            let host = &self.inputs.topology.hosts[host];
            let node = &host.nodes[node];
            let name = format!("{} node {}", host.name, node.id);
            if millicores > node.millicores {
                let message = format!("{name} has {} millicores, {millicores} are used", node.millicores);
                self.report(Kind::Capacity, message);
            }
            if memory_mib > node.memory_mib {
                let message = format!("{name} has {} MiB, {memory_mib} are used", node.memory_mib);
                self.report(Kind::Capacity, message);
            }
        }
    }

    fn routes(&mut self, wanted: &[Wanted]) {
        let mut planned: Lookup<Ends, &PlanRoute> = Lookup::default();
        planned.reserve(self.plan.routes.len());
        for route in &self.plan.routes {
            let ends = ends(route);
            if planned.insert(ends, route).is_some() {
                self.report(Kind::Completeness, format!("{ends} is planned twice"));
            }
        }
        let mut sums = Sums::default();
        for wanted in wanted.chunks(CHUNK) {
            let all: Vec<[BTreeSet<Pair>; 2]> =
                wanted.par_iter().map(|wanted| [true, false].map(|own| self.pairs(wanted, own))).collect();
            for (wanted, [primaries, alternates]) in wanted.iter().zip(all) {
                let ends = Ends { from: &wanted.from, to: &wanted.to };
                let Some(route) = planned.remove(&ends) else {
                    // An optional dependency that nothing can serve is left out.
                    if !(wanted.optional && primaries.is_empty()) {
                        self.report(Kind::Completeness, format!("{ends} is not planned"));
                    }
                    continue;
                };
                self.route(ends, wanted, route, [&primaries, &alternates], &mut sums);
            }
        }
        let unwanted: BTreeSet<String> = planned.into_keys().map(|ends| ends.to_string()).collect();
        for ends in unwanted {
            self.report(Kind::Completeness, format!("{ends} is planned but not wanted"));
        }
        let placed: Seen<&InstanceId> = self.plan.placement.iter().map(|placed| &placed.agent).collect();
        let unused = placed.iter().filter(|id| !sums.instances.contains(**id));
        let unplaced = sums.instances.iter().filter(|id| !placed.contains(id));
        let wrong =
            unused.map(|id| (*id, "is placed but used by no route")).chain(unplaced.map(|id| (id, "is not placed")));
        for (id, what) in wrong.collect::<BTreeMap<_, _>>() {
            self.report(Kind::Completeness, format!("{id} {what}"));
        }
        self.links(&sums);
        self.objective(&mut sums);
    }

    fn route(
        &mut self,
        name: Ends,
        wanted: &Wanted,
        route: &PlanRoute,
        [primaries, alternates]: [&BTreeSet<Pair>; 2],
        sums: &mut Sums,
    ) {
        let targets = primaries.iter().chain(alternates).map(|(target, _)| target);
        for instance in std::iter::once(&wanted.source).chain(targets) {
            if !sums.instances.contains(instance) {
                sums.instances.insert(instance.clone());
            }
        }
        if route.source != wanted.source {
            self.report(Kind::Completeness, format!("{name} starts at {}, not at {}", route.source, wanted.source));
        }
        if !primaries.contains(&(route.target.clone(), route.via)) {
            self.report(Kind::Candidate, format!("{name}: {} by {} is not a candidate", route.target, route.via));
        }
        let bounds = self.bounds(wanted, primaries);
        if route.qos != bounds.qos {
            self.report(Kind::Figure, format!("{name}: the bounds are {:?}, not {:?}", bounds.qos, route.qos));
        }
        let (Some(&source), Some(&target)) = (self.places.get(&wanted.source), self.places.get(&route.target)) else {
            self.report(Kind::Placement, format!("{name}: an end is not placed"));
            return;
        };
        let at = &self.inputs.topology.hosts[target.0];
        if (at.name.as_str(), at.nodes[target.1].id) != (route.host.as_str(), route.numa_node) {
            self.report(Kind::Figure, format!("{name}: the target is not at {} node {}", route.host, route.numa_node));
        }
        match self.latency(source, target, route.via) {
            None => self.report(Kind::Reach, format!("{name}: {} does not reach another host", route.via)),
            Some(latency) if latency != route.latency_us => {
                self.report(Kind::Figure, format!("{name}: the latency is {latency} µs, not {}", route.latency_us));
            }
            Some(_) => {}
        }
        if self.violated(&bounds, source, target, route.via) {
            sums.objective[0] += bounds.priority;
            if bounds.strict {
                self.report(Kind::Strict, format!("{name}: violates its strict bounds"));
            }
        }
        let figures = self.inputs.lanes.figures(route.via);
        sums.objective[1] += bounds.throughput * (self.distance(source, target) - 10);
        sums.objective[2] += bounds.throughput * figures.cost;
        if source.0 != target.0 {
            let pair = (source.0.min(target.0), source.0.max(target.0));
            *sums.links.entry(pair).or_default() += bounds.throughput;
        }
        let backups = self.expected_backups(&bounds, source, route, primaries.iter().chain(alternates));
        if backups != route.backups {
            let list = |all: &[Backup]| all.iter().map(|b| format!("{} by {}", b.target, b.via)).collect::<Vec<_>>();
            let (expected, found) = (list(&backups).join(", "), list(&route.backups).join(", "));
            self.report(Kind::Backups, format!("{name}: the backups are [{expected}], not [{found}]"));
        }
        if let Some(rule) = self.index.policy.failover_of(&wanted.source, &wanted.to.symbol) {
            let independent = backups.iter().any(|backup| match (rule.spread, self.places.get(&backup.target)) {
                (_, None) => false,
                (Spread::Numa, Some(place)) => *place != target,
                (Spread::Host, Some(place)) => place.0 != target.0,
            });
            if !independent {
                sums.objective[3] += 1;
                if rule.required {
                    self.report(Kind::Failover, format!("{name}: no independent backup"));
                }
            }
        }
    }

    /// The pairs that may serve a route: of its own symbol, or of the alternates that policy names.
    fn pairs(&self, wanted: &Wanted, own: bool) -> BTreeSet<Pair> {
        let symbol = &wanted.to.symbol;
        let rule = self.index.policy.failover_of(&wanted.source, symbol);
        let named = rule.into_iter().flat_map(|rule| &rule.alternates).map(|alternate| &alternate.symbol);
        let symbols: BTreeSet<&Symbol> = if own { BTreeSet::from([symbol]) } else { named.collect() };
        if symbols.is_empty() {
            return BTreeSet::new();
        }
        let Some(source) = self.manifest(&wanted.source) else { return BTreeSet::new() };
        let requirement = source.requires.iter().find(|needed| needed.symbol == *symbol);
        let edge = self.index.edges.get(&(&wanted.source, symbol));
        let mut pairs = BTreeSet::new();
        for target in symbols.into_iter().flat_map(|symbol| self.versions(symbol)) {
            let id = target.id();
            let eligible = if own {
                wanted.to.contains(&id) && edge.is_none_or(|edge| edge.accepted.contains(&id))
            } else {
                rule.is_some_and(|rule| rule.alternates.iter().any(|alternate| alternate.contains(&id)))
                    && requirement.is_none_or(|needed| crate::dependency::accepts(needed, target).is_ok())
            };
            if !eligible || id == wanted.source {
                continue;
            }
            for lane in Lane::ALL {
                let offered = source.lanes().contains(&lane) && target.manifest.lanes().contains(&lane);
                let startable = lane != Lane::Stdio || target.manifest.endpoint.stdio.is_some();
                let allowed = self.index.policy.access(&wanted.source, &id, lane) == Access::Allowed;
                if offered
                    && startable
                    && allowed
                    && self.connector_opens(wanted, &id, lane)
                    && (!own || self.pins_hold(wanted, &id, lane))
                {
                    pairs.insert((id.clone(), lane));
                }
            }
        }
        pairs
    }

    fn connector_opens(&self, wanted: &Wanted, target: &InstanceId, lane: Lane) -> bool {
        let exact = self.index.by_edge.get(&(&wanted.source, target));
        let of_consumer = || self.index.by_symbol.get(&(&wanted.source, &wanted.to.symbol));
        let connectors = exact.or_else(of_consumer).map(Vec::as_slice).unwrap_or_default();
        connectors.is_empty() || connectors.iter().any(|connector| connector.lanes.contains(&lane))
    }

    fn pins_hold(&self, wanted: &Wanted, id: &InstanceId, lane: Lane) -> bool {
        wanted.via.is_none_or(|via| via == lane)
            && self.index.policy.pins_of_route(&wanted.source, &wanted.to.symbol).all(|pin| match pin {
                Pin::Route { via, target, .. } => {
                    via.is_none_or(|via| via == lane) && target.as_ref().is_none_or(|target| target.contains(id))
                }
                Pin::Agent { .. } => true,
            })
    }

    fn bounds(&self, wanted: &Wanted, primaries: &BTreeSet<Pair>) -> Bounds {
        let rule = self.index.policy.qos_of(&wanted.source, &wanted.to.symbol);
        let by_policy = rule.map(|rule| rule.qos).unwrap_or_default();
        let best = primaries.iter().map(|(target, _)| target).max();
        let ends: Vec<Qos> =
            [Some(&wanted.source), best].into_iter().flatten().filter_map(|id| Some(self.manifest(id)?.qos)).collect();
        let tightest = ends.iter().filter_map(|qos| qos.latency_ms).reduce(f64::min);
        let widest = ends.iter().filter_map(|qos| qos.throughput_mbps).reduce(f64::max);
        let qos = Qos {
            latency_ms: by_policy.latency_ms.or(wanted.qos.latency_ms).or(tightest),
            throughput_mbps: by_policy.throughput_mbps.or(wanted.qos.throughput_mbps).or(widest),
        };
        Bounds {
            qos,
            latency_us: qos.latency_us(),
            throughput: qos.throughput().unwrap_or(1),
            strict: rule.is_some_and(|rule| rule.strict),
            priority: rule.map_or(1, |rule| rule.priority),
        }
    }

    fn distance(&self, one: Place, other: Place) -> i64 {
        if one.0 == other.0 {
            self.inputs.topology.hosts[one.0].distance[one.1][other.1]
        } else {
            self.inputs.topology.link(one.0, other.0).distance
        }
    }

    /// Latency of a call in µs; `None` if the lane does not reach.
    fn latency(&self, source: Place, target: Place, lane: Lane) -> Option<i64> {
        let figures = self.inputs.lanes.figures(lane);
        if source.0 == target.0 {
            Some(figures.base_us + figures.per10_us * (self.distance(source, target) - 10).max(0) / 10)
        } else if lane == Lane::Tcp {
            Some(figures.base_us + self.inputs.topology.link(source.0, target.0).latency_us)
        } else {
            None
        }
    }

    fn violated(&self, bounds: &Bounds, source: Place, target: Place, lane: Lane) -> bool {
        let too_slow = match (self.latency(source, target, lane), bounds.latency_us) {
            (Some(latency), Some(bound)) => latency > bound,
            _ => false,
        };
        let too_narrow =
            bounds.qos.throughput_mbps.is_some() && bounds.throughput > self.inputs.lanes.figures(lane).bandwidth_mbps;
        too_slow || too_narrow
    }

    /// Every other target that can stand in at this placement, once with its best lane, best first.
    fn expected_backups<'p>(
        &self,
        bounds: &Bounds,
        source: Place,
        route: &PlanRoute,
        pairs: impl Iterator<Item = &'p Pair>,
    ) -> Vec<Backup> {
        let mut ranked = Vec::new();
        for (target, lane) in pairs {
            let Some(&place) = self.places.get(target) else { continue };
            if *target == route.target || self.latency(source, place, *lane).is_none() {
                continue;
            }
            let violated = self.violated(bounds, source, place, *lane);
            if violated && bounds.strict {
                continue;
            }
            let cost = self.inputs.lanes.figures(*lane).cost;
            ranked.push((violated, self.distance(source, place), cost, target.to_string(), *lane, target, place));
        }
        ranked.sort();
        let mut seen = BTreeSet::new();
        ranked.retain(|entry| seen.insert(entry.5));
        let hosts = &self.inputs.topology.hosts;
        ranked
            .into_iter()
            .map(|(.., lane, target, (host, node))| Backup {
                target: target.clone(),
                via: lane,
                host: hosts[host].name.clone(),
                numa_node: hosts[host].nodes[node].id,
            })
            .collect()
    }

    fn links(&mut self, sums: &Sums) {
        for (&(a, b), &load) in &sums.links {
            let hosts = &self.inputs.topology.hosts;
            if let Some(bandwidth) = self.inputs.topology.link(a, b).bandwidth_mbps
                && load > bandwidth
            {
                let ends = format!("{} and {}", hosts[a].name, hosts[b].name);
                self.report(Kind::Link, format!("between {ends} {load} Mbit/s of {bandwidth} are used"));
            }
        }
    }

    fn objective(&mut self, sums: &mut Sums) {
        if let Some(applied) = &self.inputs.applied {
            // The first of several counts, as where there is no index.
            let placement = self.plan.placement.iter().rev().map(|new| (&new.agent, new)).collect::<Lookup<_, _>>();
            let routes = self.plan.routes.iter().rev().map(|new| (ends(new), new)).collect::<Lookup<_, _>>();
            for old in &applied.placement {
                let moved = |new: &&&super::Placement| new.host != old.host || new.numa_node != old.numa_node;
                sums.objective[4] += i64::from(placement.get(&old.agent).as_ref().is_some_and(moved));
            }
            for old in &applied.routes {
                let now = routes.get(&ends(old));
                let changed = now.is_some_and(|new| (&new.target, new.via) != (&old.target, old.via));
                sums.objective[4] += i64::from(changed);
            }
        }
        let names = ["qos_violations", "numa_distance", "communication_cost", "missing_redundancy", "churn"];
        if self.plan.objective.iter().map(|level| level.name.as_str()).ne(names) {
            self.report(Kind::Figure, format!("the objectives are not {}", names.join(", ")));
            return;
        }
        for (level, value) in self.plan.objective.iter().zip(sums.objective) {
            if level.value != value {
                let message = format!("{} is {value}, not {}", level.name, level.value);
                self.found.push(Violation { kind: Kind::Figure, message });
            }
        }
        let mut tight = true;
        for level in &self.plan.objective {
            // Below a level whose bound is open, a bound holds only for that value, so it is compared all the same.
            tight &= level.bound == level.value;
            if level.bound > level.value {
                let message = format!("{}: the bound {} exceeds the value {}", level.name, level.bound, level.value);
                self.found.push(Violation { kind: Kind::Figure, message });
            }
        }
        if tight != (self.plan.status == PlanStatus::Optimal) {
            let message = "the status does not say whether every bound equals its value".to_owned();
            self.report(Kind::Figure, message);
        }
    }
}
