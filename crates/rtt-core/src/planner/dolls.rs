//! Exact search for problems whose routes have one target each: a tree over the placement of units, bounded from below by
//! what is decided, by what each open unit costs at least towards the placed ones, and by the optimum of the open
//! units among themselves, which is found first, from the last unit to all of them (Russian doll search,
//! Verfaillie, Lemaître and Schiex 1996). Open and placed units share the nodes' capacity, so the sum is a bound.

use super::local::{Key, Tables};
use super::problem::{OBJECTIVES, Problem};
use super::search::Budget;
use super::symmetry;

/// Larger problems are not for a tree.
const MAX_UNITS: usize = 80;
const MAX_NODES: usize = 16;

pub(super) struct Dolls {
    nodes: usize,
    /// Units in the order in which they are placed: demand, and cost of its own at each node.
    demand: Vec<(i64, i64)>,
    /// Of each unit the later ones that it has routes with, and the cost by both nodes.
    later: Vec<Vec<(usize, Vec<Key>)>>,
    class: Vec<usize>,
    free: Vec<(i64, i64)>,
    guests: Vec<u32>,
    /// Cost of each unit at each node towards the placed ones; a forbidden node costs `FORBIDDEN`.
    cost: Vec<Vec<Key>>,
    /// Optimum of the units from here on, among themselves.
    suffix: Vec<Key>,
    at: Vec<usize>,
    best: Key,
    found: Option<Vec<usize>>,
    /// Unit of each agent, as positions in the order.
    unit: Vec<usize>,
    constant: Key,
}

const FORBIDDEN: Key = Key::MAX / 1_000_000;

impl Dolls {
    /// Prepares the search; `None` if the problem is not of its kind.
    pub(super) fn new(problem: &Problem, tables: &Tables) -> Option<Self> {
        let nodes = problem.nodes.len();
        let unit = tables.inseparable();
        let count = unit.iter().max()? + 1;
        if count > MAX_UNITS || nodes > MAX_NODES || problem.links.iter().any(|link| link.bandwidth_mbps.is_some()) {
            return None;
        }
        let mut pairs: Vec<Vec<Option<Vec<Key>>>> = vec![vec![None; count]; count];
        let mut weight = vec![vec![0_i64; count]; count];
        let mut constant = 0;
        for (index, route) in problem.routes.iter().enumerate() {
            let (a, b) = (unit[route.source], unit[route.candidates[0].target]);
            let cost = |from: usize, to: usize| tables.simple(index, from, to);
            if a == b {
                // The diagonal is one class wherever agents are inseparable.
                constant += cost(0, 0)?;
                continue;
            }
            weight[a][b] += route.throughput;
            weight[b][a] += route.throughput;
            let (low, high) = (a.min(b), a.max(b));
            let table = pairs[low][high].get_or_insert_with(|| vec![0; nodes * nodes]);
            for from in 0..nodes {
                for to in 0..nodes {
                    let (of_low, of_high) = if a == low { (from, to) } else { (to, from) };
                    table[of_low * nodes + of_high] += cost(from, to)?;
                }
            }
        }
        let order = order(&weight);
        let mut position = vec![0; count];
        order.iter().enumerate().for_each(|(at, &unit)| position[unit] = at);
        let mut demand = vec![(0, 0); count];
        let mut cost = vec![vec![0; nodes]; count];
        for (agent, &unit) in problem.agents.iter().zip(&unit) {
            let at = position[unit];
            demand[at].0 += agent.millicores;
            demand[at].1 += agent.memory_mib;
            for (node, cost) in cost[at].iter_mut().enumerate() {
                if agent.allowed.binary_search(&node).is_err() {
                    *cost = FORBIDDEN;
                } else if agent.applied.flatten().is_some_and(|applied| applied != node) && *cost < FORBIDDEN {
                    *cost += 1;
                }
            }
            constant += Key::from(agent.applied == Some(None));
        }
        let mut later = vec![Vec::new(); count];
        for one in 0..count {
            for other in one + 1..count {
                let (a, b) = (order[one], order[other]);
                let Some(table) = &pairs[a.min(b)][a.max(b)] else { continue };
                let mut turned = table.clone();
                if a > b {
                    for from in 0..nodes {
                        for to in 0..nodes {
                            turned[from * nodes + to] = table[to * nodes + from];
                        }
                    }
                }
                later[one].push((other, turned));
            }
        }
        Some(Self {
            nodes,
            demand,
            later,
            class: symmetry::classes(problem, OBJECTIVES.len() - 1),
            free: problem.nodes.iter().map(|node| (node.millicores, node.memory_mib)).collect(),
            guests: vec![0; nodes],
            cost,
            suffix: vec![0; count + 1],
            at: vec![0; count],
            best: Key::MAX,
            found: None,
            unit: unit.iter().map(|&unit| position[unit]).collect(),
            constant,
        })
    }

    /// Searches for a placement that costs less than `incumbent`: the last doll. `None`: the budget ended first;
    /// `Some(None)`: there is none.
    pub(super) fn search(&mut self, incumbent: Key, budget: &mut Budget) -> Option<Option<Vec<usize>>> {
        let count = self.at.len();
        for first in (0..count).rev() {
            let is_last = first == 0;
            // What the smaller doll costs, and what the additional unit can add at most.
            let most: Key = self.later[first].iter().map(|(_, table)| table.iter().copied().max().unwrap_or(0)).sum();
            self.best = if is_last {
                incumbent - self.constant
            } else {
                self.suffix[first + 1].saturating_add(most).saturating_add(2)
            };
            self.found = None;
            if !is_last && most == 0 {
                self.suffix[first] = self.suffix[first + 1];
                continue;
            }
            let share = if is_last { 0 } else { budget.left - budget.left / 24 };
            if self.branch(first, 0, share, budget) {
                self.suffix[first] = self.best.max(self.suffix[first + 1]);
                if !is_last && self.found.is_none() {
                    // Nothing below the limit: the limit is a bound itself.
                    self.suffix[first] = self.best;
                }
            } else if is_last {
                return None;
            } else {
                self.suffix[first] = self.suffix[first + 1];
            }
        }
        let found = self.found.take();
        Some(found.map(|at| self.unit.iter().map(|&unit| at[unit]).collect()))
    }

    /// `false` if the budget sank to `floor`.
    fn branch(&mut self, depth: usize, spent: Key, floor: u64, budget: &mut Budget) -> bool {
        if depth == self.at.len() {
            if spent < self.best {
                self.best = spent;
                self.found = Some(self.at.clone());
            }
            return true;
        }
        let mut bound = spent + self.suffix_after(depth);
        for unit in depth..self.at.len() {
            let demand = self.demand[unit];
            let fits = |node: &usize| demand.0 <= self.free[*node].0 && demand.1 <= self.free[*node].1;
            let Some(least) = (0..self.nodes).filter(fits).map(|node| self.cost[unit][node]).min() else { return true };
            bound += least;
            if bound >= self.best {
                return true;
            }
        }
        if !budget.spend(1 + (self.at.len() - depth) as u64 * self.nodes as u64 / 8) || budget.left <= floor {
            return false;
        }
        let mut children: Vec<(Key, usize)> = Vec::with_capacity(self.nodes);
        let demand = self.demand[depth];
        for node in 0..self.nodes {
            let is_new = self.guests[node] > 0
                || (0..node).all(|other| self.guests[other] > 0 || self.class[other] != self.class[node]);
            let fits = demand.0 <= self.free[node].0 && demand.1 <= self.free[node].1;
            if is_new && fits && self.cost[depth][node] < FORBIDDEN {
                children.push((self.cost[depth][node], node));
            }
        }
        children.sort_unstable();
        for (cost, node) in children {
            self.shift(depth, node, 1);
            let is_explored = self.branch(depth + 1, spent + cost, floor, budget);
            self.shift(depth, node, -1);
            if !is_explored {
                return false;
            }
        }
        true
    }

    /// The optimum of the open units; that of the doll being solved is not known yet.
    fn suffix_after(&self, depth: usize) -> Key {
        self.suffix[depth].max(self.suffix[depth + 1])
    }

    fn shift(&mut self, unit: usize, node: usize, sign: i64) {
        self.at[unit] = node;
        self.free[node].0 -= sign * self.demand[unit].0;
        self.free[node].1 -= sign * self.demand[unit].1;
        self.guests[node] = self.guests[node].wrapping_add_signed(if sign > 0 { 1 } else { -1 });
        for (other, table) in &self.later[unit] {
            for (cost, more) in self.cost[*other].iter_mut().zip(&table[node * self.nodes..]) {
                *cost += Key::from(sign) * more;
            }
        }
    }
}

/// Next is the unit with the most throughput to those before it.
fn order(weight: &[Vec<i64>]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..weight.len()).collect();
    let mut attached = vec![0; weight.len()];
    let mut order = Vec::new();
    while let Some(at) = (0..left.len()).max_by_key(|&at| {
        let unit = left[at];
        (attached[unit], weight[unit].iter().sum::<i64>(), std::cmp::Reverse(unit))
    }) {
        let unit = left.swap_remove(at);
        for (attached, weight) in attached.iter_mut().zip(&weight[unit]) {
            *attached += weight;
        }
        order.push(unit);
    }
    order
}
