//! Large-neighbourhood search (Shaw 1998) with the tree inside: a few agents leave the incumbent, and branch and bound
//! puts them back in the best way that the nodes near them allow. It finds what no move or swap of [`super::local`] does,
//! and knows routes with several targets, alternates and limited links as the tree knows them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::evaluate::{add, subtract};
use super::numbers::Numbers;
use super::problem::{OBJECTIVES, Problem};
use super::search::{Budget, Search};

/// What part of the work on an incumbent, one in this many, goes into neighbourhoods: more of it where walks know less.
const SIMPLE: u64 = 6;
const COMPLEX: u64 = 3;
/// How many agents leave at first; later, between the two others, as many as the tree can put back.
const FIRST: usize = 5;
const LEAST: usize = 2;
const MOST: usize = 20;
/// Evaluated candidates that the tree may take for one neighbourhood.
const WORK: u64 = 40_000;
/// How many nodes an agent may go to, where there are more.
const NODES: usize = 8;
/// The search ends when so many neighbourhoods per agent in a row led to nothing better.
const PATIENCE: usize = 4;

/// What part of some work is kept for neighbourhoods.
pub(super) fn share(problem: &Problem, work: u64) -> u64 {
    let is_complex = problem.links.iter().any(|link| link.bandwidth_mbps.is_some())
        || problem.routes.iter().any(|route| {
            let mut targets = route.candidates.iter().map(|candidate| candidate.target);
            let first = targets.next();
            route.failover.is_some() || targets.any(|target| Some(target) != first)
        });
    work / if is_complex { COMPLEX } else { SIMPLE }
}

/// Where everything is between two neighbourhoods.
struct Settled {
    placement: Vec<usize>,
    /// The agents on each node.
    guests: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Improves the incumbent until the budget has sunk to `floor` or hardly anything helps any more. No agent is placed
    /// before nor after.
    pub(super) fn reopen(&mut self, floor: u64, budget: &mut Budget) {
        let Some((_, incumbent)) = &self.incumbent else { return };
        let placement = incumbent.placement.clone();
        let mut guests = vec![Vec::new(); self.problem.nodes.len()];
        for (agent, &node) in placement.iter().enumerate() {
            guests[node].push(agent);
        }
        let mut settled = Settled { placement, guests };
        let before = (self.bounds.clone(), self.total, std::mem::take(&mut self.order));
        if self.settle(&settled.placement, budget) {
            self.shake(&mut settled, floor, budget);
        }
        (0..settled.placement.len()).for_each(|agent| self.lift(agent));
        (self.bounds, self.total, self.order) = before;
    }

    /// Goes from neighbourhood to neighbourhood; every agent is placed before and after.
    fn shake(&mut self, settled: &mut Settled, floor: u64, budget: &mut Budget) {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let (mut size, mut fruitless) = (FIRST, 0);
        while budget.left > floor && fruitless < PATIENCE * settled.placement.len() {
            fruitless += 1;
            let agents = self.neighbourhood(size, settled, &mut numbers);
            let given = WORK.min(budget.left - floor);
            let mut tree = Budget { left: given, expired: budget.expired };
            let value = self.incumbent.as_ref().map(|(value, _)| *value);
            self.leave(&agents, settled, &mut numbers, &mut tree);
            self.order.clone_from(&agents);
            let is_explored = self.branch(0, &mut tree);
            if !is_explored {
                size = (size - 1).max(LEAST);
            } else if tree.left > given / 2 {
                size = (size + 1).min(MOST);
            }
            let Some((now, incumbent)) = &self.incumbent else { return };
            if Some(*now) != value {
                fruitless = 0;
                for &agent in &agents {
                    let (from, to) = (settled.placement[agent], incumbent.placement[agent]);
                    settled.guests[from].retain(|&guest| guest != agent);
                    settled.guests[to].push(agent);
                    settled.placement[agent] = to;
                }
            }
            let mut back = Budget { left: u64::MAX, expired: budget.expired };
            for &agent in &agents {
                self.narrow[agent].clear();
                if self.place(agent, settled.placement[agent], &mut back).is_none() {
                    return;
                }
            }
            budget.spend((given - tree.left).saturating_add(u64::MAX - back.left));
        }
    }

    /// Places every agent, whatever was known of its routes before; `false` if a route cannot be served then.
    fn settle(&mut self, placement: &[usize], budget: &mut Budget) -> bool {
        self.total = [0; OBJECTIVES.len()];
        self.total[4] = self.must_move();
        for (agent, &node) in placement.iter().enumerate() {
            self.sit(agent, node);
        }
        for index in 0..self.problem.routes.len() {
            let Some((bound, _)) = self.best(&self.problem.routes[index], budget) else { return false };
            self.bounds[index] = bound;
            add(&mut self.total, &bound);
        }
        true
    }

    /// Agents that have to do with each other, or that are in each other's way; the first is at the end of the most
    /// costly of a few routes.
    fn neighbourhood(&self, size: usize, settled: &Settled, numbers: &mut Numbers) -> Vec<usize> {
        let routes = self.problem.routes.len();
        let first = (0..4).map(|_| numbers.below(routes)).max_by_key(|&route| (self.bounds.get(route), Reverse(route)));
        let mut agents: Vec<usize> = match first.and_then(|route| self.problem.routes.get(route)) {
            Some(route) => vec![route.source],
            None => vec![numbers.below(settled.placement.len())],
        };
        for _ in 0..size * 4 {
            if agents.len() >= size {
                break;
            }
            let member = agents[numbers.below(agents.len())];
            let Some(other) = self.neighbour(member, numbers) else { continue };
            // One of three is whoever sits where the neighbour does: it may have to make room.
            let guests = &settled.guests[settled.placement[other]];
            let next = if numbers.below(3) == 0 { guests[numbers.below(guests.len())] } else { other };
            if !agents.contains(&next) {
                agents.push(next);
            }
        }
        agents
    }

    /// An agent at the other end of one of an agent's routes.
    fn neighbour(&self, agent: usize, numbers: &mut Numbers) -> Option<usize> {
        let touching = &self.touching[agent];
        let route = &self.problem.routes[*touching.get(numbers.below(touching.len()))?];
        if route.source != agent {
            return Some(route.source);
        }
        let ends = route.candidates.len() + if route.failover.is_some() { route.backups.len() } else { 0 };
        let end = numbers.below(ends);
        route.candidates.get(end).or_else(|| route.backups.get(end - route.candidates.len())).map(|end| end.target)
    }

    /// Takes agents from their nodes; each may go to the nodes where it has most to do, and to those that the others
    /// left.
    fn leave(&mut self, agents: &[usize], settled: &Settled, numbers: &mut Numbers, budget: &mut Budget) {
        let left: Vec<usize> = agents.iter().map(|&agent| settled.placement[agent]).collect();
        for &agent in agents {
            if self.problem.agents[agent].allowed.len() > NODES {
                self.narrow[agent] = self.near(agent, settled, &left, numbers);
            }
        }
        let mut routes: Vec<usize> = agents.iter().flat_map(|&agent| self.touching[agent].iter().copied()).collect();
        routes.sort_unstable();
        routes.dedup();
        agents.iter().for_each(|&agent| self.lift(agent));
        for index in routes {
            // All of them could be served, so more nodes cannot make one impossible.
            let Some((bound, _)) = self.best(&self.problem.routes[index], budget) else { continue };
            subtract(&mut self.total, &self.bounds[index]);
            add(&mut self.total, &bound);
            self.bounds[index] = bound;
        }
    }

    /// The nodes for an agent: its own, then those of the agents that it exchanges most with.
    fn near(&self, agent: usize, settled: &Settled, left: &[usize], numbers: &mut Numbers) -> Vec<usize> {
        let mut weight: BTreeMap<usize, i64> = BTreeMap::new();
        for &index in &self.touching[agent] {
            let route = &self.problem.routes[index];
            let ends = route.candidates.iter().map(|candidate| candidate.target).chain([route.source]);
            for end in ends.filter(|&end| end != agent) {
                *weight.entry(settled.placement[end]).or_default() += route.throughput;
            }
        }
        for &node in left {
            weight.entry(node).or_default();
        }
        let allowed = &self.problem.agents[agent].allowed;
        weight.entry(allowed[numbers.below(allowed.len())]).or_default();
        let own = settled.placement[agent];
        let mut near: Vec<(bool, Reverse<i64>, usize)> = weight
            .into_iter()
            .filter(|(node, _)| allowed.binary_search(node).is_ok())
            .map(|(node, weight)| (node != own, Reverse(weight), node))
            .collect();
        near.sort_unstable();
        near.truncate(NODES);
        let mut near: Vec<usize> = near.into_iter().map(|(.., node)| node).collect();
        near.sort_unstable();
        near
    }
}
