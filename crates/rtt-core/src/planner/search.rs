//! Branch and bound over the placement.
//!
//! Every route contributes, as long as its ends are open, the lexicographic minimum of its cost over all candidates and
//! all nodes that are still possible. The order of objective tuples is compatible with addition, so the sum of these
//! minima, plus the churn that no agent can avoid, is a bound on every completion. When every agent is placed the
//! minima are the routes' exact best costs, and the bound is the plan's value unless a link between hosts is full.

use super::dolls::Dolls;
use super::evaluate::{add, subtract};
use super::large;
use super::local::Tables;
use super::neighbourhood;
use super::partition;
use super::problem::{Agent, Assignment, Candidate, OBJECTIVES, Objective, Problem, Route};
use super::symmetry;

/// What the search is to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The best assignment.
    Best,
    /// Any assignment that breaks no hard constraint.
    Feasible,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The best assignment met.
    pub(super) incumbent: Option<(Objective, Assignment)>,
    /// Nothing better exists: every branch was closed.
    pub(super) is_exhausted: bool,
    /// The bound before the first decision; `None`: some route has no way to be served.
    pub(super) root: Option<Objective>,
    /// Nodes of the search tree.
    pub(super) nodes: u64,
}

/// A limit on the work, counted in evaluated candidates, and a clock if the user wants one.
pub(super) struct Budget<'a> {
    pub(super) left: u64,
    pub(super) expired: &'a dyn Fn() -> bool,
}

impl Budget<'_> {
    /// Uses up some work; `false` when none is left.
    pub(super) fn spend(&mut self, work: u64) -> bool {
        if self.left <= work || (self.expired)() {
            self.left = 0;
            return false;
        }
        self.left -= work;
        true
    }
}

/// What part of the budget, one in this many, goes into a first attempt.
const QUICK: u64 = 16;
/// What part of the rest, one in this many, the tree gets once there is a good incumbent.
const LAST: u64 = 4;
/// No more than this where the proof of a cut comes next, which is slower at first and ends sooner.
const ENOUGH: u64 = 60_000_000;
/// Up to so many routes, primaries are searched where the best ones together overload a link.
const DEEP: usize = 5_000;
/// How many walks in a row may lead to no better incumbent.
const PATIENCE: u32 = 12;

/// Returns what it takes to open a tree: one look at each candidate between each pair of nodes.
pub(super) fn opening(problem: &Problem) -> u64 {
    let nodes = |agent: usize| problem.agents[agent].allowed.len() as u64;
    let ends = problem.routes.iter().flat_map(|route| {
        route.candidates.iter().map(|candidate| nodes(route.source).saturating_mul(nodes(candidate.target)))
    });
    ends.fold(0, u64::saturating_add)
}

/// Searches for an assignment; `start` is one that holds.
pub(super) fn search(problem: &Problem, goal: Goal, start: Option<&Assignment>, budget: &mut Budget) -> Found {
    let mut search = Search::new(problem, goal);
    let Some(root) = search.open(budget) else {
        return Found { incumbent: None, is_exhausted: true, root: None, nodes: 1 };
    };
    if goal == Goal::Feasible {
        let is_exhausted = search.branch(0, budget);
        return Found { incumbent: search.incumbent, is_exhausted, root: Some(root), nodes: search.nodes };
    }
    if let Some(start) = start {
        search.offer(start.clone());
    }
    // Most problems are small: they are solved before it pays to look for a better incumbent.
    let mut quick = Budget { left: budget.left / QUICK, expired: budget.expired };
    let reserved = quick.left;
    search.pack(0, &mut quick);
    let mut is_exhausted = search.branch(0, &mut quick);
    budget.left -= reserved - quick.left;
    if !is_exhausted && !(budget.expired)() {
        let floor = budget.left / LAST;
        let walks = floor + neighbourhood::share(problem, budget.left - floor);
        match large::assign(problem, walks, start, budget) {
            Some(assignment) => search.offer(assignment),
            None => search.pack(PATIENCE, budget),
        }
        search.reopen(floor, budget);
        let most = if partition::applies(problem) { ENOUGH } else { u64::MAX };
        let mut last = Budget { left: floor.min(budget.left).min(most), expired: budget.expired };
        budget.left -= last.left;
        is_exhausted = search.prove(&mut last) || search.branch(0, &mut last);
        budget.left += last.left;
    }
    Found { incumbent: search.incumbent, is_exhausted, root: Some(root), nodes: search.nodes }
}

pub(super) struct Search<'p> {
    pub(super) problem: &'p Problem,
    goal: Goal,
    /// Agents in the order in which they are placed.
    pub(super) order: Vec<usize>,
    /// Routes whose cost depends on where an agent is.
    pub(super) touching: Vec<Vec<usize>>,
    /// Class of each node: nodes of a class are interchangeable as long as they are empty.
    class: Vec<usize>,
    pub(super) placed: Vec<Option<usize>>,
    pub(super) free: Vec<(i64, i64)>,
    guests: Vec<usize>,
    /// Bound of each route, and the sum with the agents' churn.
    pub(super) bounds: Vec<Objective>,
    pub(super) total: Objective,
    /// Of each agent that may for now only go to a part of the nodes that it is allowed: these, ascending.
    pub(super) narrow: Vec<Vec<usize>>,
    pub(super) incumbent: Option<(Objective, Assignment)>,
    nodes: u64,
}

/// What a placement changed, to undo it.
pub(super) struct Trail {
    bounds: Vec<(usize, Objective)>,
    total: Objective,
}

impl<'p> Search<'p> {
    pub(super) fn new(problem: &'p Problem, goal: Goal) -> Self {
        let mut touching = vec![Vec::new(); problem.agents.len()];
        for (index, route) in problem.routes.iter().enumerate() {
            let ends = route.candidates.iter().chain(if route.failover.is_some() { &route.backups[..] } else { &[] });
            let mut agents: Vec<usize> = ends.map(|end| end.target).chain([route.source]).collect();
            agents.sort_unstable();
            agents.dedup();
            agents.into_iter().for_each(|agent| touching[agent].push(index));
        }
        Self {
            order: Vec::new(),
            touching,
            class: symmetry::classes(problem, OBJECTIVES.len() - 1),
            placed: vec![None; problem.agents.len()],
            free: problem.nodes.iter().map(|node| (node.millicores, node.memory_mib)).collect(),
            guests: vec![0; problem.nodes.len()],
            bounds: vec![[0; OBJECTIVES.len()]; problem.routes.len()],
            total: [0; OBJECTIVES.len()],
            narrow: vec![Vec::new(); problem.agents.len()],
            incumbent: None,
            nodes: 0,
            problem,
            goal,
        }
    }

    /// Computes the bounds before any decision; `None` if some route or agent has no possibility at all.
    fn open(&mut self, budget: &mut Budget) -> Option<Objective> {
        self.order = order(self.problem);
        for (index, route) in self.problem.routes.iter().enumerate() {
            self.bounds[index] = self.best(route, budget)?.0;
            add(&mut self.total, &self.bounds[index]);
        }
        if self.problem.agents.iter().any(|agent| agent.allowed.is_empty()) {
            return None;
        }
        self.total[4] += self.must_move();
        Some(self.total)
    }

    /// How many agents cannot stay where the applied plan has them.
    pub(super) fn must_move(&self) -> i64 {
        let must_move =
            |agent: &Agent| agent.applied.is_some_and(|node| node.is_none_or(|node| !agent.allowed.contains(&node)));
        self.problem.agents.iter().map(|agent| i64::from(must_move(agent))).sum()
    }

    /// What it adds to the churn that an agent could stay where the applied plan has it, and is on this node instead.
    fn moves(&self, agent: usize, node: usize) -> i64 {
        let agent = &self.problem.agents[agent];
        let stays = |applied: usize| applied == node || !agent.allowed.contains(&applied);
        i64::from(!agent.applied.flatten().is_none_or(stays))
    }

    /// Puts an agent on a node, without a look at its routes.
    pub(super) fn sit(&mut self, agent: usize, node: usize) {
        let demand = &self.problem.agents[agent];
        self.placed[agent] = Some(node);
        self.free[node].0 -= demand.millicores;
        self.free[node].1 -= demand.memory_mib;
        self.guests[node] += 1;
        self.total[4] += self.moves(agent, node);
    }

    /// Takes an agent from its node, without a look at its routes.
    pub(super) fn lift(&mut self, agent: usize) {
        let Some(node) = self.placed[agent].take() else { return };
        let demand = &self.problem.agents[agent];
        self.free[node].0 += demand.millicores;
        self.free[node].1 += demand.memory_mib;
        self.guests[node] -= 1;
        self.total[4] -= self.moves(agent, node);
    }

    /// Returns the least cost of a route over everything still possible, and its candidate; `None` if nothing is.
    pub(super) fn best(&self, route: &Route, budget: &mut Budget) -> Option<(Objective, usize)> {
        let mut best: Option<(Objective, usize)> = None;
        let mut work = 1;
        for (index, &candidate) in route.candidates.iter().enumerate() {
            for &from in self.domain(route.source) {
                for &to in self.domain(candidate.target) {
                    work += 1;
                    let Some(service) = self.problem.admissible(route, candidate, from, to) else { continue };
                    let mut cost = self.problem.cost(route, candidate, service);
                    if best.is_some_and(|(least, _)| cost >= least) {
                        continue;
                    }
                    if let Some(failover) = route.failover
                        && self.lacks_backup(route, candidate)
                    {
                        if failover.required {
                            continue;
                        }
                        cost[3] = 1;
                    }
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, index));
                    }
                }
            }
        }
        budget.spend(work);
        best
    }

    /// Tells whether no independent backup is left for a primary, whatever is decided next.
    fn lacks_backup(&self, route: &Route, primary: Candidate) -> bool {
        let Some(failover) = route.failover else { return false };
        !route.backups.iter().filter(|backup| backup.target != primary.target).any(|&backup| {
            match (self.placed[route.source], self.placed[primary.target], self.placed[backup.target]) {
                (Some(from), Some(primary), Some(to)) => {
                    self.problem.apart(failover, primary, to)
                        && self.problem.admissible(route, backup, from, to).is_some()
                }
                _ => true,
            }
        })
    }

    /// Where an agent can still be.
    fn domain(&self, agent: usize) -> &[usize] {
        match &self.placed[agent] {
            Some(node) => std::slice::from_ref(node),
            None => self.nodes(agent),
        }
    }

    /// Where an agent may go.
    fn nodes(&self, agent: usize) -> &[usize] {
        if self.narrow[agent].is_empty() { &self.problem.agents[agent].allowed } else { &self.narrow[agent] }
    }

    fn fits(&self, agent: usize, node: usize) -> bool {
        let demand = &self.problem.agents[agent];
        demand.millicores <= self.free[node].0 && demand.memory_mib <= self.free[node].1
    }

    /// Places an agent on a node where it fits; `None`, and nothing changed, if a route cannot be served then.
    pub(super) fn place(&mut self, agent: usize, node: usize, budget: &mut Budget) -> Option<Trail> {
        let mut trail = Trail { bounds: Vec::new(), total: self.total };
        self.sit(agent, node);
        for position in 0..self.touching[agent].len() {
            let index = self.touching[agent][position];
            let Some((bound, _)) = self.best(&self.problem.routes[index], budget) else {
                self.remove(agent, trail);
                return None;
            };
            subtract(&mut self.total, &self.bounds[index]);
            add(&mut self.total, &bound);
            trail.bounds.push((index, self.bounds[index]));
            self.bounds[index] = bound;
        }
        Some(trail)
    }

    pub(super) fn remove(&mut self, agent: usize, trail: Trail) {
        self.lift(agent);
        trail.bounds.into_iter().for_each(|(index, bound)| self.bounds[index] = bound);
        self.total = trail.total;
    }

    /// Moves a placed agent without a look at routes and room; returns where it was.
    pub(super) fn shift(&mut self, agent: usize, node: usize) -> Option<usize> {
        let before = self.placed[agent]?;
        self.lift(agent);
        self.sit(agent, node);
        Some(before)
    }

    /// The nodes worth trying for an agent: of interchangeable empty ones only the first.
    pub(super) fn choices(&self, agent: usize) -> Vec<usize> {
        let mut empty_classes = Vec::new();
        let mut choices = self.nodes(agent).to_vec();
        choices.retain(|&node| {
            let is_new = self.guests[node] > 0 || !empty_classes.contains(&self.class[node]);
            if self.guests[node] == 0 {
                empty_classes.push(self.class[node]);
            }
            is_new && self.fits(agent, node)
        });
        choices
    }

    /// Tells whether every agent that is not placed fits somewhere, and all of them into what is left altogether.
    fn has_room(&self, depth: usize) -> bool {
        let mut left = self.free.iter().fold((0, 0), |sum, free| (sum.0 + free.0, sum.1 + free.1));
        self.order[depth..].iter().all(|&agent| {
            let demand = &self.problem.agents[agent];
            left = (left.0 - demand.millicores, left.1 - demand.memory_mib);
            left.0 >= 0 && left.1 >= 0 && self.nodes(agent).iter().any(|&node| self.fits(agent, node))
        })
    }

    /// Proves the incumbent or finds what is better, where [`Dolls`] can; `false` if that was not possible.
    fn prove(&mut self, budget: &mut Budget) -> bool {
        let (Some(tables), Some((values, _))) = (Tables::new(self.problem), &self.incumbent) else { return false };
        let Some(mut dolls) = Dolls::new(self.problem, &tables) else { return false };
        match dolls.search(tables.value(values), budget) {
            Some(None) => true,
            Some(Some(placement)) => {
                let assignment =
                    large::primaries(self.problem, &placement).map(|primaries| Assignment { placement, primaries });
                assignment.map(|assignment| self.offer(assignment)).is_some()
            }
            None => false,
        }
    }

    /// Takes an assignment as incumbent if it is better.
    fn offer(&mut self, assignment: Assignment) {
        let values = self.problem.evaluate(&assignment).values;
        if self.incumbent.as_ref().is_none_or(|(best, _)| values < *best) {
            self.incumbent = Some((values, assignment));
        }
    }

    fn is_beaten(&self) -> bool {
        self.incumbent.as_ref().is_some_and(|(best, _)| self.goal == Goal::Feasible || self.total >= *best)
    }

    /// Explores everything below the current decisions; `false` if the budget ran out.
    pub(super) fn branch(&mut self, depth: usize, budget: &mut Budget) -> bool {
        self.nodes += 1;
        if self.is_beaten() {
            return true;
        }
        let Some(&agent) = self.order.get(depth) else { return self.complete(budget) };
        if !self.has_room(depth) {
            return true;
        }
        let mut children = Vec::new();
        for node in self.choices(agent) {
            if let Some(trail) = self.place(agent, node, budget) {
                children.push((self.total, node));
                self.remove(agent, trail);
            }
        }
        children.sort_unstable();
        for (_, node) in children {
            if budget.left == 0 {
                return false;
            }
            if let Some(trail) = self.place(agent, node, budget) {
                let is_explored = self.branch(depth + 1, budget);
                self.remove(agent, trail);
                if !is_explored {
                    return false;
                }
            }
        }
        budget.left > 0
    }

    /// Chooses the primaries of a complete placement; `false` if the budget ran out.
    pub(super) fn complete(&mut self, budget: &mut Budget) -> bool {
        if self.is_beaten() {
            return true;
        }
        let placement: Vec<usize> = self.placed.iter().map(|node| node.expect("every agent is placed")).collect();
        if let Some(primaries) = self.unlimited(&placement, budget) {
            self.incumbent = Some((self.total, Assignment { placement, primaries }));
            return budget.left > 0;
        }
        if self.problem.routes.len() > DEEP {
            return false;
        }
        let mut options = Vec::new();
        for route in &self.problem.routes {
            options.push(self.options(route, &placement));
        }
        let mut room: Vec<Option<i64>> = self.problem.links.iter().map(|link| link.bandwidth_mbps).collect();
        let mut choice = Vec::with_capacity(options.len());
        let is_explored = self.choose(&options, &mut room, &mut choice, self.total, &placement, budget);
        is_explored && budget.left > 0
    }

    /// The best primary of every route, if the links carry all of them.
    fn unlimited(&self, placement: &[usize], budget: &mut Budget) -> Option<Vec<usize>> {
        let mut room: Vec<Option<i64>> = self.problem.links.iter().map(|link| link.bandwidth_mbps).collect();
        let mut primaries = Vec::with_capacity(self.problem.routes.len());
        for route in &self.problem.routes {
            let (_, primary) = self.best(route, budget)?;
            let ends = [route.source, route.candidates[primary].target];
            let [a, b] = ends.map(|agent| self.problem.nodes[placement[agent]].host);
            take(&mut room, (a != b).then(|| self.problem.link(a, b)), route.throughput);
            primaries.push(primary);
        }
        room.iter().flatten().all(|room| *room >= 0).then_some(primaries)
    }

    /// Every way to serve a route at a placement: cost, candidate and the link that is crossed, best first.
    fn options(&self, route: &Route, placement: &[usize]) -> Vec<(Objective, usize, Option<usize>)> {
        let mut options = Vec::new();
        for (index, &candidate) in route.candidates.iter().enumerate() {
            let (from, to) = (placement[route.source], placement[candidate.target]);
            let Some(service) = self.problem.admissible(route, candidate, from, to) else { continue };
            let mut cost = self.problem.cost(route, candidate, service);
            if let Some(failover) = route.failover
                && self.lacks_backup(route, candidate)
            {
                if failover.required {
                    continue;
                }
                cost[3] = 1;
            }
            let (a, b) = (self.problem.nodes[from].host, self.problem.nodes[to].host);
            options.push((cost, index, (a != b).then(|| self.problem.link(a, b))));
        }
        options.sort_unstable();
        options
    }

    /// Chooses primaries route by route, best first, within the bandwidth of the links. `total` is the sum of the
    /// chosen costs and of the best costs of the rest, so the first complete choice is the best unless a link is full.
    fn choose(
        &mut self,
        options: &[Vec<(Objective, usize, Option<usize>)>],
        room: &mut [Option<i64>],
        choice: &mut Vec<usize>,
        total: Objective,
        placement: &[usize],
        budget: &mut Budget,
    ) -> bool {
        if self.incumbent.as_ref().is_some_and(|(best, _)| self.goal == Goal::Feasible || total >= *best) {
            return true;
        }
        let Some(route) = options.get(choice.len()) else {
            let assignment = Assignment { placement: placement.to_vec(), primaries: choice.clone() };
            self.incumbent = Some((total, assignment));
            return true;
        };
        let least = self.bounds[choice.len()];
        for &(cost, index, link) in route {
            if !budget.spend(1) {
                return false;
            }
            let throughput = self.problem.routes[choice.len()].throughput;
            let used = link.filter(|&link| room[link].is_some());
            if used.is_some_and(|link| room[link] < Some(throughput)) {
                continue;
            }
            let mut now = total;
            subtract(&mut now, &least);
            add(&mut now, &cost);
            take(room, used, throughput);
            choice.push(index);
            let is_explored = self.choose(options, room, choice, now, placement, budget);
            choice.pop();
            take(room, used, -throughput);
            if !is_explored {
                return false;
            }
        }
        true
    }
}

fn take(room: &mut [Option<i64>], link: Option<usize>, throughput: i64) {
    if let Some(room) = link.and_then(|link| room[link].as_mut()) {
        *room -= throughput;
    }
}

/// Orders the agents: next is the one with the most throughput to those before it, first the one with the most at all.
fn order(problem: &Problem) -> Vec<usize> {
    let count = problem.agents.len();
    let mut neighbours = vec![Vec::new(); count];
    for route in &problem.routes {
        let mut targets: Vec<usize> = route.candidates.iter().map(|candidate| candidate.target).collect();
        targets.dedup();
        for target in targets {
            neighbours[route.source].push((target, route.throughput));
            neighbours[target].push((route.source, route.throughput));
        }
    }
    let all = |agent: usize| neighbours[agent].iter().map(|(_, throughput)| throughput).sum::<i64>();
    let mut attached = vec![0; count];
    let mut left: Vec<usize> = (0..count).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(position) = (0..left.len()).max_by_key(|&position| {
        let agent = left[position];
        let demand = &problem.agents[agent];
        (attached[agent], all(agent), demand.millicores, std::cmp::Reverse(agent))
    }) {
        let agent = left.swap_remove(position);
        order.push(agent);
        for &(other, throughput) in &neighbours[agent] {
            attached[other] += throughput;
        }
    }
    order
}
