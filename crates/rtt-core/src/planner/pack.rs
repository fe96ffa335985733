//! The first incumbent, from which branch and bound starts: construction, then local search by moves and swaps, then
//! random walks from the best placement, each followed by the same. Deterministic: chance is a generator with a fixed seed.

use std::cmp::Reverse;

use super::evaluate::{add, subtract};
use super::numbers::Numbers;
use super::problem::Objective;
use super::search::{Budget, Search, Trail};

/// What part of the budget, one in this many, may go into an incumbent.
const SHARE: u64 = 2;
/// At its beginning a walk tolerates this many times what a route costs on average.
const TOLERANCE: i64 = 16;
/// Steps of a walk per agent.
const STEPS: usize = 2_000;

/// What a change of complete placements did, to undo it.
struct Step {
    /// Each agent that was moved, and where it had been.
    moved: Vec<(usize, usize)>,
    bounds: Vec<(usize, Objective)>,
    total: Objective,
}

impl Search<'_> {
    /// Makes a first incumbent, if the agents can be placed one after the other: those with the least choice and the
    /// largest demand first, each where it costs least. `patience` says how many walks in a row may lead to nothing
    /// better.
    pub(super) fn pack(&mut self, patience: u32, budget: &mut Budget) {
        let floor = budget.left - budget.left / SHARE;
        let mut agents = self.order.clone();
        agents.sort_by_key(|&agent| {
            let demand = &self.problem.agents[agent];
            (demand.allowed.len(), Reverse((demand.millicores, demand.memory_mib)))
        });
        let mut trails = Vec::with_capacity(agents.len());
        for &agent in &agents {
            match self.cheapest(agent, budget) {
                Some(trail) => trails.push((agent, trail)),
                None => break,
            }
        }
        if trails.len() == agents.len() {
            let constructed = self.placed.clone();
            self.refine(&agents, patience, floor, budget);
            self.restore(&constructed, budget);
        }
        for (agent, trail) in trails.into_iter().rev() {
            self.remove(agent, trail);
        }
    }

    /// Places an agent where the whole then costs least; `None` if it cannot be placed at all.
    fn cheapest(&mut self, agent: usize, budget: &mut Budget) -> Option<Trail> {
        let mut best = None;
        for node in self.choices(agent) {
            if let Some(trail) = self.place(agent, node, budget) {
                best = best.min(Some((self.total, node))).or(Some((self.total, node)));
                self.remove(agent, trail);
            }
        }
        best.and_then(|(_, node)| self.place(agent, node, budget))
    }

    /// Improves a complete placement until nothing helps any more or the budget has sunk to `floor`.
    fn refine(&mut self, agents: &[usize], patience: u32, floor: u64, budget: &mut Budget) {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        self.descend(agents, floor, budget);
        self.complete(budget);
        let (mut best, mut kept) = (self.total, self.placed.clone());
        let mut fruitless = 0;
        while budget.left > floor && fruitless < patience && agents.len() > 1 {
            self.wander(agents, floor, &mut numbers, budget);
            self.descend(agents, floor, budget);
            if self.total < best {
                self.complete(budget);
                (best, kept, fruitless) = (self.total, self.placed.clone(), 0);
            } else {
                self.restore(&kept, budget);
                fruitless += 1;
            }
        }
    }

    /// Makes random moves and swaps, and keeps those that cost less or not much more: at first [`TOLERANCE`], in
    /// the end nothing (threshold accepting, Dueck and Scheuer 1990).
    fn wander(&mut self, agents: &[usize], floor: u64, numbers: &mut Numbers, budget: &mut Budget) {
        let n_routes = i64::try_from(self.problem.routes.len()).unwrap_or(i64::MAX).max(1);
        let steps = i64::try_from(STEPS * agents.len()).unwrap_or(i64::MAX);
        let start = self.total;
        for step in 0..steps {
            if budget.left <= floor {
                return;
            }
            let one = agents[numbers.below(agents.len())];
            let moves = if numbers.below(2) == 0 {
                let allowed = &self.problem.agents[one].allowed;
                vec![(one, allowed[numbers.below(allowed.len())])]
            } else {
                match self.exchange(one, agents[numbers.below(agents.len())]) {
                    Some(moves) => moves.to_vec(),
                    None => continue,
                }
            };
            let before = self.total;
            let Some(change) = self.relocate(&moves, budget) else { continue };
            let level = (0..before.len()).find(|&level| self.total[level] != before[level]);
            let is_tolerable = level.is_none_or(|level| {
                let tolerance = TOLERANCE * start[level] / n_routes * (steps - step) / steps;
                self.total[level] - before[level] <= tolerance
            });
            if !is_tolerable {
                self.undo(change);
            }
        }
    }

    /// The moves by which two agents change places; `None` if they may not, or are on one node.
    fn exchange(&self, one: usize, other: usize) -> Option<[(usize, usize); 2]> {
        let (here, there) = (self.placed[one]?, self.placed[other]?);
        let may = |agent: usize, node: usize| self.problem.agents[agent].allowed.contains(&node);
        (here != there && may(one, there) && may(other, here)).then_some([(one, there), (other, here)])
    }

    /// Moves and swaps as long as one of them helps.
    fn descend(&mut self, agents: &[usize], floor: u64, budget: &mut Budget) {
        let mut before = None;
        while budget.left > floor && before.is_none_or(|before| self.total < before) {
            before = Some(self.total);
            for &agent in agents {
                for position in 0..self.problem.agents[agent].allowed.len() {
                    let node = self.problem.agents[agent].allowed[position];
                    self.attempt(&[(agent, node)], budget);
                }
            }
            for (position, &one) in agents.iter().enumerate() {
                for &other in &agents[..position] {
                    if budget.left <= floor {
                        return;
                    }
                    if let Some(moves) = self.exchange(one, other) {
                        self.attempt(&moves, budget);
                    }
                }
            }
        }
    }

    /// Moves agents if that costs less.
    fn attempt(&mut self, moves: &[(usize, usize)], budget: &mut Budget) {
        let before = self.total;
        if let Some(step) = self.relocate(moves, budget)
            && self.total >= before
        {
            self.undo(step);
        }
    }

    /// Moves placed agents, all at once; `None`, and nothing changed, if they do not fit or a route cannot be served.
    fn relocate(&mut self, moves: &[(usize, usize)], budget: &mut Budget) -> Option<Step> {
        let mut step = Step { moved: Vec::new(), bounds: Vec::new(), total: self.total };
        for &(agent, node) in moves {
            step.moved.push((agent, self.shift(agent, node)?));
        }
        let is_overfull = |&(_, node): &(usize, usize)| self.free[node].0 < 0 || self.free[node].1 < 0;
        if moves.iter().any(is_overfull) {
            self.undo(step);
            return None;
        }
        for &(agent, _) in moves {
            for position in 0..self.touching[agent].len() {
                let index = self.touching[agent][position];
                let Some((bound, _)) = self.best(&self.problem.routes[index], budget) else {
                    self.undo(step);
                    return None;
                };
                subtract(&mut self.total, &self.bounds[index]);
                add(&mut self.total, &bound);
                step.bounds.push((index, self.bounds[index]));
                self.bounds[index] = bound;
            }
        }
        Some(step)
    }

    fn undo(&mut self, step: Step) {
        for (agent, node) in step.moved.into_iter().rev() {
            self.shift(agent, node);
        }
        step.bounds.into_iter().rev().for_each(|(index, bound)| self.bounds[index] = bound);
        self.total = step.total;
    }

    /// Puts every agent back to where it was.
    fn restore(&mut self, kept: &[Option<usize>], budget: &mut Budget) {
        let differs = |(agent, node): (usize, &Option<usize>)| {
            node.filter(|_| self.placed[agent] != *node).map(|node| (agent, node))
        };
        let moves: Vec<(usize, usize)> = kept.iter().enumerate().filter_map(differs).collect();
        self.relocate(&moves, budget).expect("all of them were there together");
    }
}
