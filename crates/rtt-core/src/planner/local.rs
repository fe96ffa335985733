//! Local search over complete placements, for problems too large for a tree.
//!
//! Units (groups of agents that stay together; in the end every agent is one) are placed one after the other, then moved
//! and exchanged. Costs of a route with one target depend only on the class of its pair of nodes and are tabulated, so
//! a move costs a look-up per route. Chance comes from a generator with a fixed seed, work is counted in look-ups.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::numbers::Numbers;
use super::problem::{Objective, Problem, Route};
use super::search::Budget;

/// A hard constraint broken, then the five objectives, as one number: compared like the tuple.
pub(super) type Key = i128;

/// Tables larger than this are not made; such problems have thousands of kinds of pairs of nodes.
const MAX_TABLE: usize = 100_000_000;
/// Temperatures of a walk; each is 2^(-1/8) of the one before.
const STAGES: u32 = 72;
/// Proposals per unit and temperature.
const MOVES: usize = 24;

/// What is the same at every level of coarsening.
pub(super) struct Tables<'p> {
    problem: &'p Problem,
    /// Class of each pair of nodes, row by row.
    class: Vec<u16>,
    n_classes: usize,
    /// Of each route that has one target and no failover: where its costs begin in `keys` and `blends`.
    first: Vec<Option<usize>>,
    keys: Vec<Key>,
    blends: Vec<i64>,
    weights: [Key; 6],
    blend: [i64; 6],
    /// What a Mbit/s of overload counts in a walk.
    crowding: i64,
}

/// A cost as a tuple: broken hard constraints, then the objectives.
type Cost = [i64; 6];

impl<'p> Tables<'p> {
    /// Tabulates a problem; `None` if its tables or figures are too large.
    pub(super) fn new(problem: &'p Problem) -> Option<Self> {
        let count = problem.nodes.len();
        let mut kinds: BTreeMap<(i64, Option<i64>), u16> = BTreeMap::new();
        let mut class = Vec::with_capacity(count * count);
        let mut examples = Vec::new();
        for from in 0..count {
            for to in 0..count {
                let (a, b) = (problem.nodes[from].host, problem.nodes[to].host);
                let latency = (a != b).then(|| problem.links[problem.link(a, b)].latency_us);
                let next = u16::try_from(kinds.len()).ok()?;
                let kind = *kinds.entry((problem.distance[from][to], latency)).or_insert_with(|| {
                    examples.push((from, to));
                    next
                });
                class.push(kind);
            }
        }
        let n_classes = examples.len();
        if n_classes.checked_mul(problem.routes.len())? > MAX_TABLE {
            return None;
        }
        let mut first = Vec::with_capacity(problem.routes.len());
        let mut costs: Vec<Cost> = Vec::new();
        let mut most = [1_i128; 6];
        for route in &problem.routes {
            // Only what can happen needs digits in the key.
            let narrow = |lane| route.throughput > problem.lanes.figures(lane).bandwidth_mbps;
            let may_violate = route.latency_us.is_some() || route.candidates.iter().any(|one| narrow(one.lane));
            let mut highest = [
                1,
                if may_violate { route.priority } else { 0 },
                0,
                0,
                i64::from(route.failover.is_some()),
                i64::from(route.applied.is_some()),
            ];
            for candidate in &route.candidates {
                highest[3] = highest[3].max(route.throughput.checked_mul(problem.lanes.figures(candidate.lane).cost)?);
            }
            for &(from, to) in &examples {
                highest[2] = highest[2].max(route.throughput.checked_mul((problem.distance[from][to] - 10).abs())?);
            }
            most.iter_mut().zip(highest).for_each(|(sum, highest)| *sum += i128::from(highest));
            let target = route.candidates.first()?.target;
            let is_simple = route.failover.is_none() && route.candidates.iter().all(|other| other.target == target);
            first.push(is_simple.then_some(costs.len()));
            if is_simple {
                costs.extend(examples.iter().map(|&(from, to)| simple(problem, route, from, to)));
            }
        }
        most[5] += problem.agents.iter().filter(|agent| agent.applied.is_some()).count() as i128;
        let mut weights = [1_i128; 6];
        for level in (0..5).rev() {
            weights[level] = weights[level + 1].checked_mul(2 * most[level + 1] + 1)?;
        }
        weights[0].checked_mul(2 * most[0] + 1)?;
        let n_routes = i128::try_from(problem.routes.len()).ok()?.max(1);
        // On average a violation counts as much as four routes of the highest distance, in a walk.
        let average = i64::try_from((most[2] / n_routes).clamp(1, 1 << 40)).ok()?;
        let blend = [average.saturating_mul(64), average.saturating_mul(4), 1, 0, 0, 0];
        let furthest = problem.distance.iter().flatten().max().map_or(0, |distance| *distance);
        let crowding = furthest.saturating_mul(4).clamp(1, 1 << 40);
        let mut tables =
            Self { problem, class, n_classes, first, keys: Vec::new(), blends: Vec::new(), weights, blend, crowding };
        tables.keys = costs.iter().map(|cost| tables.key(cost)).collect();
        tables.blends = costs.iter().map(|cost| tables.blended(cost)).collect();
        Some(tables)
    }

    fn key(&self, cost: &Cost) -> Key {
        self.weights.iter().zip(cost).map(|(weight, &value)| weight * Key::from(value)).sum()
    }

    fn blended(&self, cost: &Cost) -> i64 {
        self.blend.iter().zip(cost).map(|(weight, value)| weight.saturating_mul(*value)).fold(0, i64::saturating_add)
    }

    fn class(&self, from: usize, to: usize) -> usize {
        usize::from(self.class[from * self.problem.nodes.len() + to])
    }
}

/// The cost of a route with one target between two nodes.
fn simple(problem: &Problem, route: &Route, from: usize, to: usize) -> Cost {
    let ways = route.candidates.iter().filter_map(|&candidate| {
        let service = problem.admissible(route, candidate, from, to)?;
        Some(problem.cost(route, candidate, service))
    });
    ways.min()
        .map_or([1, 0, (problem.distance[from][to] - 10) * route.throughput, 0, 0, 0], |cost| with_broken(0, &cost))
}

fn with_broken(broken: i64, cost: &Objective) -> Cost {
    [broken, cost[0], cost[1], cost[2], cost[3], cost[4]]
}

/// A search at one level of coarsening.
pub(super) struct Local<'t, 'p> {
    tables: &'t Tables<'p>,
    /// Unit of each agent.
    unit: Vec<usize>,
    demand: Vec<(i64, i64)>,
    allowed: Vec<Option<Vec<usize>>>,
    /// Agents of each unit that the applied plan places.
    applied: Vec<Vec<(usize, usize)>>,
    /// Of each unit: other unit, start of the route's table, and whether the unit is the source.
    simple: Vec<Vec<(u32, u32, bool)>>,
    /// Of each unit: its other routes.
    complex: Vec<Vec<usize>>,
    /// Node of each unit; `NOWHERE` at first.
    at: Vec<usize>,
    members: Vec<Vec<usize>>,
    slot: Vec<usize>,
    free: Vec<(i64, i64)>,
    /// What the links between hosts carry; `None` if none of them has a limit.
    traffic: Option<Traffic>,
}

/// Throughput on the links between hosts. Routes with several targets are left out: their link depends on the choice.
struct Traffic {
    /// Of each unit the throughput of its routes, as in [`Local::simple`].
    flows: Vec<Vec<i64>>,
    load: Vec<i64>,
    /// By how much links are overloaded, all together.
    excess: i64,
}

impl Traffic {
    fn add(&mut self, problem: &Problem, hosts: (usize, usize), flow: i64) {
        if hosts.0 == hosts.1 {
            return;
        }
        let link = problem.link(hosts.0, hosts.1);
        let Some(most) = problem.links[link].bandwidth_mbps else { return };
        self.excess -= (self.load[link] - most).max(0);
        self.load[link] += flow;
        self.excess += (self.load[link] - most).max(0);
    }
}

const NOWHERE: usize = usize::MAX;

impl<'t, 'p> Local<'t, 'p> {
    /// A search over units; `None` if a unit can be nowhere.
    pub(super) fn new(tables: &'t Tables<'p>, unit: Vec<usize>) -> Option<Self> {
        let problem = tables.problem;
        let count = unit.iter().max().map_or(0, |last| last + 1);
        let mut demand = vec![(0, 0); count];
        let mut allowed: Vec<Option<Vec<usize>>> = vec![None; count];
        let mut applied = vec![Vec::new(); count];
        for (index, (agent, &unit)) in problem.agents.iter().zip(&unit).enumerate() {
            demand[unit].0 += agent.millicores;
            demand[unit].1 += agent.memory_mib;
            if agent.allowed.len() < problem.nodes.len() {
                let both = match allowed[unit].take() {
                    None => agent.allowed.clone(),
                    Some(nodes) => nodes.into_iter().filter(|node| agent.allowed.binary_search(node).is_ok()).collect(),
                };
                if both.is_empty() {
                    return None;
                }
                allowed[unit] = Some(both);
            }
            if let Some(Some(node)) = agent.applied {
                applied[unit].push((index, node));
            }
        }
        let mut simple = vec![Vec::new(); count];
        let mut flows = vec![Vec::new(); count];
        let mut complex = vec![Vec::new(); count];
        for (index, route) in problem.routes.iter().enumerate() {
            match tables.first[index] {
                Some(first) => {
                    let (a, b) = (unit[route.source], unit[route.candidates[0].target]);
                    if a != b {
                        let first = u32::try_from(first).ok()?;
                        simple[a].push((u32::try_from(b).ok()?, first, true));
                        simple[b].push((u32::try_from(a).ok()?, first, false));
                        flows[a].push(route.throughput);
                        flows[b].push(route.throughput);
                    }
                }
                None => {
                    let ends = route.candidates.iter().chain(&route.backups).map(|end| unit[end.target]);
                    let mut units: Vec<usize> = ends.chain([unit[route.source]]).collect();
                    units.sort_unstable();
                    units.dedup();
                    units.into_iter().for_each(|unit| complex[unit].push(index));
                }
            }
        }
        Some(Self {
            tables,
            unit,
            demand,
            allowed,
            applied,
            simple,
            complex,
            at: vec![NOWHERE; count],
            members: vec![Vec::new(); problem.nodes.len()],
            slot: vec![0; count],
            free: problem.nodes.iter().map(|node| (node.millicores, node.memory_mib)).collect(),
            traffic: problem.links.iter().any(|link| link.bandwidth_mbps.is_some()).then(|| Traffic {
                flows,
                load: vec![0; problem.links.len()],
                excess: 0,
            }),
        })
    }

    fn fits(&self, unit: usize, node: usize) -> bool {
        self.demand[unit].0 <= self.free[node].0 && self.demand[unit].1 <= self.free[node].1
    }

    fn may(&self, unit: usize, node: usize) -> bool {
        self.allowed[unit].as_ref().is_none_or(|nodes| nodes.binary_search(&node).is_ok())
    }

    /// By how much links are overloaded, all together.
    pub(super) fn excess(&self) -> i64 {
        self.traffic.as_ref().map_or(0, |traffic| traffic.excess)
    }

    /// Takes a unit's throughput from the links that it uses, or adds it.
    fn route(&mut self, unit: usize, sign: i64) {
        let Some(traffic) = &mut self.traffic else { return };
        let problem = self.tables.problem;
        let here = problem.nodes[self.at[unit]].host;
        for (position, &(other, ..)) in self.simple[unit].iter().enumerate() {
            let there = self.at[other as usize];
            if there != NOWHERE {
                traffic.add(problem, (here, problem.nodes[there].host), sign * traffic.flows[unit][position]);
            }
        }
    }

    fn put(&mut self, unit: usize, node: usize) {
        let before = self.at[unit];
        if before != NOWHERE {
            self.route(unit, -1);
        }
        if before != NOWHERE {
            self.free[before].0 += self.demand[unit].0;
            self.free[before].1 += self.demand[unit].1;
            let slot = self.slot[unit];
            self.members[before].swap_remove(slot);
            if let Some(&moved) = self.members[before].get(slot) {
                self.slot[moved] = slot;
            }
        }
        self.free[node].0 -= self.demand[unit].0;
        self.free[node].1 -= self.demand[unit].1;
        self.slot[unit] = self.members[node].len();
        self.members[node].push(unit);
        self.at[unit] = node;
        self.route(unit, 1);
    }

    /// The cost of a route with several targets or alternates; 0 as long as an end is nowhere.
    fn cost_of(&self, index: usize) -> Cost {
        let problem = self.tables.problem;
        let route = &problem.routes[index];
        let at = |agent: usize| self.at[self.unit[agent]];
        let from = at(route.source);
        let mut least: Option<Objective> = None;
        for &candidate in &route.candidates {
            let to = at(candidate.target);
            if from == NOWHERE || to == NOWHERE {
                return [0; 6];
            }
            let Some(service) = problem.admissible(route, candidate, from, to) else { continue };
            let mut cost = problem.cost(route, candidate, service);
            if least.is_some_and(|least| cost >= least) {
                continue;
            }
            if let Some(failover) = route.failover {
                let is_backed = route.backups.iter().any(|&backup| {
                    let place = at(backup.target);
                    backup.target != candidate.target
                        && place != NOWHERE
                        && problem.apart(failover, to, place)
                        && problem.admissible(route, backup, from, place).is_some()
                });
                if !is_backed && failover.required {
                    continue;
                }
                cost[3] = i64::from(!is_backed);
            }
            least = Some(least.map_or(cost, |least| least.min(cost)));
        }
        least.map_or([1, 0, 0, 0, 0, 0], |cost| with_broken(0, &cost))
    }

    fn churn(&self, unit: usize, node: usize) -> i64 {
        let agents = &self.tables.problem.agents;
        let moved = self.applied[unit]
            .iter()
            .filter(|(agent, applied)| *applied != node && agents[*agent].allowed.binary_search(applied).is_ok());
        moved.count() as i64
    }

    /// What a unit's routes and its own churn cost where it is.
    fn sum<N>(&self, unit: usize, table: &[N], of: impl Fn(&Tables, &Cost) -> N, budget: &mut Budget) -> N
    where
        N: Copy + std::iter::Sum<N> + std::ops::Add<Output = N>,
    {
        let node = self.at[unit];
        let routes = self.simple[unit].iter().filter(|(other, ..)| self.at[*other as usize] != NOWHERE);
        let simple: N = routes
            .map(|&(other, first, is_source)| {
                let there = self.at[other as usize];
                let class = if is_source { self.tables.class(node, there) } else { self.tables.class(there, node) };
                table[first as usize + class]
            })
            .sum();
        let complex: N = self.complex[unit].iter().map(|&route| of(self.tables, &self.cost_of(route))).sum();
        let churn = [0, 0, 0, 0, 0, self.churn(unit, node)];
        let looks = if self.traffic.is_some() { 2 } else { 1 };
        budget.spend(1 + looks * self.simple[unit].len() as u64 / 4 + 4 * self.complex[unit].len() as u64);
        simple + complex + of(self.tables, &churn)
    }

    fn key(&self, unit: usize, budget: &mut Budget) -> Key {
        self.sum(unit, &self.tables.keys, |tables, cost| tables.key(cost), budget)
    }

    fn blend(&self, unit: usize, budget: &mut Budget) -> i64 {
        self.sum(unit, &self.tables.blends, |tables, cost| tables.blended(cost), budget)
    }

    /// Places every unit: the least choice and the largest demand first, each where it costs least; then where most
    /// room is left. `false` if one fits nowhere.
    pub(super) fn construct(&mut self, budget: &mut Budget) -> bool {
        let mut order: Vec<usize> = (0..self.at.len()).collect();
        order.sort_by_key(|&unit| {
            (self.allowed[unit].as_ref().map_or(usize::MAX, Vec::len), Reverse(self.demand[unit]), unit)
        });
        let nodes = self.free.len();
        for unit in order {
            let mut near: Vec<usize> = match &self.allowed[unit] {
                Some(nodes) => nodes.clone(),
                None => self.simple[unit].iter().map(|(other, ..)| self.at[*other as usize]).collect(),
            };
            near.retain(|&node| node != NOWHERE && self.fits(unit, node));
            if self.allowed[unit].is_none() {
                near.extend(
                    (0..nodes)
                        .filter(|&node| self.fits(unit, node))
                        .max_by_key(|&node| (self.free[node], Reverse(node))),
                );
                if !self.complex[unit].is_empty() && nodes <= 64 {
                    near.extend((0..nodes).filter(|&node| self.fits(unit, node)));
                }
            }
            near.sort_unstable();
            near.dedup();
            let mut best = None;
            for node in near {
                let room = self.free[node];
                self.put(unit, node);
                let key = (self.excess(), self.key(unit, budget), Reverse(room), node);
                best = Some(best.map_or(key, |best: (i64, Key, Reverse<(i64, i64)>, usize)| best.min(key)));
                self.lift(unit);
            }
            match best {
                Some((.., node)) => self.put(unit, node),
                None => return false,
            }
        }
        true
    }

    /// Takes the unit that was placed last away again.
    fn lift(&mut self, unit: usize) {
        let node = self.at[unit];
        self.route(unit, -1);
        self.members[node].pop();
        self.free[node].0 += self.demand[unit].0;
        self.free[node].1 += self.demand[unit].1;
        self.at[unit] = NOWHERE;
    }

    /// Puts every unit where its agents are.
    pub(super) fn take(&mut self, placement: &[usize]) {
        for (agent, &node) in placement.iter().enumerate() {
            let unit = self.unit[agent];
            if self.at[unit] != node {
                self.put(unit, node);
            }
        }
    }

    /// The node of every agent.
    pub(super) fn placement(&self) -> Vec<usize> {
        self.unit.iter().map(|&unit| self.at[unit]).collect()
    }

    /// Moves units as long as that lowers the cost; `false` when the budget is used up.
    pub(super) fn descend(&mut self, floor: u64, budget: &mut Budget) -> bool {
        let nodes = self.free.len();
        let mut queue: Vec<usize> = (0..self.at.len()).rev().collect();
        let mut queued = vec![true; self.at.len()];
        while let Some(unit) = queue.pop() {
            queued[unit] = false;
            if budget.left <= floor {
                return false;
            }
            let mut near: Vec<usize> = match &self.allowed[unit] {
                Some(nodes) => nodes.clone(),
                None if nodes <= 16 => (0..nodes).collect(),
                None => self.simple[unit].iter().map(|(other, ..)| self.at[*other as usize]).collect(),
            };
            near.extend(self.applied[unit].iter().map(|(_, node)| *node));
            near.sort_unstable();
            near.dedup();
            let mut is_better = false;
            for node in near {
                is_better |= self.improve(unit, node, budget);
            }
            if is_better {
                for position in 0..self.simple[unit].len() {
                    let other = self.simple[unit][position].0 as usize;
                    if !queued[other] {
                        queued[other] = true;
                        queue.push(other);
                    }
                }
            }
        }
        true
    }

    /// Moves a unit to a node, or exchanges it with one there, if that lowers the cost.
    fn improve(&mut self, unit: usize, node: usize, budget: &mut Budget) -> bool {
        let here = self.at[unit];
        if node == here || !self.may(unit, node) {
            return false;
        }
        let before = self.key(unit, budget);
        let excess = self.excess();
        if self.fits(unit, node) {
            self.put(unit, node);
            if (self.excess(), self.key(unit, budget)) < (excess, before) {
                return true;
            }
            self.put(unit, here);
            return false;
        }
        self.put(unit, node);
        let moved = self.key(unit, budget);
        let mut others = self.members[node].clone();
        others.truncate(others.len().min(256));
        for other in others {
            if other == unit || !self.may(other, here) || !self.fits(other, here) {
                continue;
            }
            let (free, demand) = (self.free[node], self.demand[other]);
            if free.0 + demand.0 < 0 || free.1 + demand.1 < 0 {
                continue;
            }
            let stays = self.key(other, budget);
            self.put(other, here);
            let goes = self.key(other, budget);
            // The routes of both, and those between them twice, are in both sums alike.
            if (self.excess(), moved - before + goes - stays) < (excess, 0) {
                return true;
            }
            self.put(other, node);
        }
        self.put(unit, here);
        false
    }

    /// A walk by random moves and exchanges that accepts less and less of what costs more (annealing with an integer
    /// approximation of the exponential law). `heat`: the first temperature, in eighths of what a route costs at most
    /// on average.
    pub(super) fn anneal(&mut self, heat: i64, share: usize, numbers: &mut Numbers, floor: u64, budget: &mut Budget) {
        let count = self.at.len();
        let nodes = self.free.len();
        if !self.can_walk() {
            return;
        }
        let mut temperature = (self.tables.blend[1] / 4).saturating_mul(heat).saturating_mul(128);
        for _ in 0..STAGES {
            for _ in 0..count * MOVES * share / 16 {
                if budget.left <= floor {
                    return;
                }
                let unit = numbers.below(count);
                let here = self.at[unit];
                let degree = self.simple[unit].len();
                let node = if degree > 0 && numbers.below(8) != 0 {
                    self.at[self.simple[unit][numbers.below(degree)].0 as usize]
                } else {
                    numbers.below(nodes)
                };
                if node == here || !self.may(unit, node) {
                    budget.spend(1);
                    continue;
                }
                let most = (i128::from(temperature) * i128::from(numbers.exponential())) >> 20;
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                let before = self.blend(unit, budget);
                let crowded = self.crowding();
                if self.fits(unit, node) {
                    self.put(unit, node);
                    if self.blend(unit, budget) - before + self.crowding() - crowded > most {
                        self.put(unit, here);
                    }
                    continue;
                }
                if self.members[node].is_empty() {
                    // It is too small for the unit, or has no room at all.
                    budget.spend(1);
                    continue;
                }
                // There is no room: another unit leaves for this one's place, or for a third node.
                let other = self.members[node][numbers.below(self.members[node].len())];
                let third = match (numbers.below(8), self.simple[other].len()) {
                    (0, _) | (1, 0) => numbers.below(nodes),
                    (1, degree) => self.at[self.simple[other][numbers.below(degree)].0 as usize],
                    _ => here,
                };
                let (mine, its) = (self.demand[unit], self.demand[other]);
                let fits = |free: (i64, i64), out: (i64, i64), into: (i64, i64)| {
                    free.0 + out.0 >= into.0 && free.1 + out.1 >= into.1
                };
                let left = if third == here { mine } else { (0, 0) };
                if third == node
                    || !self.may(other, third)
                    || !fits(self.free[third], left, its)
                    || !fits(self.free[node], its, mine)
                {
                    continue;
                }
                self.put(unit, node);
                let moved = self.blend(unit, budget);
                let stays = self.blend(other, budget);
                self.put(other, third);
                let change = moved - before + self.blend(other, budget) - stays;
                if change + self.crowding() - crowded > most {
                    self.put(other, node);
                    self.put(unit, here);
                }
            }
            temperature = temperature / 1000 * 917 + temperature % 1000 * 917 / 1000;
        }
    }

    /// Tells whether a walk can change anything.
    pub(super) fn can_walk(&self) -> bool {
        self.at.len() > 1 && self.free.len() > 1
    }

    /// What overloaded links count in a walk: each Mbit/s like a few that go the furthest way.
    fn crowding(&self) -> i64 {
        self.excess().saturating_mul(self.tables.crowding)
    }

    /// What everything costs.
    pub(super) fn total(&self) -> Key {
        let mut total = 0;
        let problem = self.tables.problem;
        for (index, route) in problem.routes.iter().enumerate() {
            total += match self.tables.first[index] {
                Some(first) => {
                    let at = |agent: usize| self.at[self.unit[agent]];
                    self.tables.keys[first + self.tables.class(at(route.source), at(route.candidates[0].target))]
                }
                None => self.tables.key(&self.cost_of(index)),
            };
        }
        total
            + (0..self.at.len())
                .map(|unit| self.tables.key(&[0, 0, 0, 0, 0, self.churn(unit, self.at[unit])]))
                .sum::<Key>()
    }
}

impl Tables<'_> {
    /// The cost of a route with one target and no alternates between two nodes.
    pub(super) fn simple(&self, route: usize, from: usize, to: usize) -> Option<Key> {
        self.first[route].map(|first| self.keys[first + self.class(from, to)])
    }

    /// An assignment's values as a number.
    pub(super) fn value(&self, values: &Objective) -> Key {
        self.key(&with_broken(0, values))
    }

    /// The unit of each agent, where agents whose strict bounds only hold on one node are one.
    pub(super) fn inseparable(&self) -> Vec<usize> {
        let problem = self.problem;
        let mut of: Vec<usize> = (0..problem.agents.len()).collect();
        let root = |of: &[usize], mut agent: usize| {
            while of[agent] != agent {
                agent = of[agent];
            }
            agent
        };
        let count = problem.nodes.len();
        let is_local: Vec<bool> = (0..self.n_classes)
            .map(|class| (0..count * count).all(|at| usize::from(self.class[at]) != class || at / count == at % count))
            .collect();
        for (index, route) in problem.routes.iter().enumerate() {
            let Some(first) = self.first[index] else { continue };
            let keys = &self.keys[first..first + self.n_classes];
            if route.strict && (0..self.n_classes).all(|class| is_local[class] == (keys[class] < self.weights[0])) {
                let (a, b) = (root(&of, route.source), root(&of, route.candidates[0].target));
                of[a.max(b)] = a.min(b);
            }
        }
        let mut names = BTreeMap::new();
        let roots: Vec<usize> = (0..of.len()).map(|agent| root(&of, agent)).collect();
        for &root in &roots {
            let next = names.len();
            names.entry(root).or_insert(next);
        }
        roots.iter().map(|root| names[root]).collect()
    }

    /// Pairs units along the heaviest routes between them; no unit may become larger than a share of a node. Returns
    /// the unit of each agent, or `None` if hardly anything was paired.
    pub(super) fn coarsen(&self, unit: &[usize], divisor: i64) -> Option<Vec<usize>> {
        let problem = self.problem;
        let count = unit.iter().max().map_or(0, |last| last + 1);
        let least = |of: fn(&super::problem::Node) -> i64| problem.nodes.iter().map(of).max().unwrap_or(0) / divisor;
        let limit = (least(|node| node.millicores), least(|node| node.memory_mib));
        let mut demand = vec![(0, 0); count];
        let mut key: Vec<&[usize]> = vec![&[]; count];
        for (agent, &unit) in problem.agents.iter().zip(unit) {
            demand[unit].0 += agent.millicores;
            demand[unit].1 += agent.memory_mib;
            if key[unit].is_empty() || agent.allowed.len() < key[unit].len() {
                key[unit] = &agent.allowed;
            }
        }
        let mut heavy: BTreeMap<(usize, usize), i64> = BTreeMap::new();
        for (index, route) in problem.routes.iter().enumerate() {
            if self.first[index].is_none() {
                continue;
            }
            let (a, b) = (unit[route.source], unit[route.candidates[0].target]);
            if a != b {
                *heavy.entry((a.min(b), a.max(b))).or_default() += route.throughput;
            }
        }
        let mut pairs: Vec<(Reverse<i128>, usize, usize)> = heavy
            .into_iter()
            .map(|((a, b), weight)| {
                // Light units first, as long as they talk much: heavy ones would freeze the others out.
                let size = i128::from(demand[a].0.max(1)) * i128::from(demand[b].0.max(1));
                (Reverse(i128::from(weight) * i128::from(weight) * (1 << 40) / size), a, b)
            })
            .collect();
        pairs.sort_unstable();
        let mut mate = vec![NOWHERE; count];
        for (_, a, b) in pairs {
            let sum = (demand[a].0 + demand[b].0, demand[a].1 + demand[b].1);
            if mate[a] == NOWHERE && mate[b] == NOWHERE && sum.0 <= limit.0 && sum.1 <= limit.1 && key[a] == key[b] {
                (mate[a], mate[b]) = (b, a);
            }
        }
        let mut name = vec![NOWHERE; count];
        let mut next = 0;
        for unit in 0..count {
            if name[unit] == NOWHERE {
                name[unit] = next;
                if mate[unit] != NOWHERE {
                    name[mate[unit]] = next;
                }
                next += 1;
            }
        }
        (next * 20 < count * 19).then(|| unit.iter().map(|&unit| name[unit]).collect())
    }
}
