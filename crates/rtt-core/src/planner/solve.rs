//! From a problem to its best assignment, with proof of how good that is.

use rayon::prelude::*;

use super::components::{self, Component, Room};
use super::evaluate::Evaluation;
use super::memory::{self, Memory};
use super::problem::{Assignment, OBJECTIVES, Objective, Problem};
use super::search::{Budget, Found, Goal, Search, opening, search};
use super::{cuts, large, neighbourhood, partition, relax, warm};
use crate::digest::Digest;

/// Evaluated candidates per unit of effort: about a tenth of a second of one core in a release build.
const WORK_PER_EFFORT: u64 = 10_000_000;

/// Products of two numbers that a bound may take per evaluated candidate of the budget.
const PRODUCTS: u64 = 150;
/// Above so many agents there is no tree over all of them: local search and neighbourhoods find an incumbent.
const TREE: usize = 2_000;
/// Nor if to open it takes more than one part in this many of the budget.
const OPENING: u64 = 2;

/// Components are solved apart as long as they hold no more figures than this, a square of the nodes each.
const MAX_SIZE: usize = 100_000_000;

/// Limits of the search, and what is known before.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Units of work. The same effort gives the same result on every machine.
    pub effort: u32,
    /// Tells that the user's time is over; a result may then depend on the machine.
    pub expired: &'a (dyn Fn() -> bool + Sync),
    /// What earlier searches came to; results are the same without.
    pub memory: Option<&'a Memory>,
}

impl Options<'_> {
    fn work(&self) -> u64 {
        WORK_PER_EFFORT.saturating_mul(u64::from(self.effort.max(1)))
    }

    pub(super) fn budget(&self) -> Budget<'_> {
        Budget { left: self.work(), expired: self.expired }
    }
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is a plan.
    Solved(Solution),
    /// There is none, proven.
    Infeasible,
    /// The effort ended before a plan was found or excluded.
    Unknown,
}

/// A feasible assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// The decisions.
    pub assignment: Assignment,
    /// What follows from them.
    pub evaluation: Evaluation,
    /// Per level, what no assignment with these values at the levels before goes below.
    pub bounds: Objective,
    /// Nodes of the search tree.
    pub nodes: u64,
}

impl Solution {
    /// Tells whether every value is proven.
    pub fn is_optimal(&self) -> bool {
        self.bounds == self.evaluation.values
    }
}

/// Finds the best assignment.
pub fn solve(problem: &Problem, options: &Options) -> Outcome {
    let ground = memory::ground(problem);
    let components = components::split(problem);
    let size = problem.nodes.len() * problem.nodes.len() * components.len();
    if components.len() > 1 && size <= MAX_SIZE {
        return composed(problem, &components, ground, options);
    }
    remembered(ground, problem, "alone", options, options.work(), || Begin::applied(problem))
}

/// Solves every component as if it were alone, and joins what comes of it. As long as each finds the room that its best
/// assignment needs, or another that is worth the same, the whole is as good as its parts. Else all are searched
/// together, from there.
fn composed(problem: &Problem, components: &[Component], ground: Digest, options: &Options) -> Outcome {
    let room = Room::all(problem);
    let work = |component: &Component| options.work() / divisor(component.agents.len(), problem.agents.len());
    let solve = |component: &Component, room: &Room, work: u64| {
        let part = component.problem(problem, room);
        remembered(ground, &part, "alone", options, work, || Begin::applied(&part))
    };
    let alone: Vec<Outcome> = components.par_iter().map(|component| solve(component, &room, work(component))).collect();
    if alone.contains(&Outcome::Infeasible) {
        return Outcome::Infeasible;
    }
    let mut whole = Assignment { placement: vec![0; problem.agents.len()], primaries: vec![0; problem.routes.len()] };
    let (mut left, mut nodes, mut is_best, mut is_complete) = (room, 0, true, true);
    for (component, alone) in components.iter().zip(&alone) {
        let Outcome::Solved(alone) = alone else {
            is_complete = false;
            break;
        };
        nodes += alone.nodes;
        let part = component.problem(problem, &left);
        if left.take(&part, &alone.assignment) {
            component.put(&alone.assignment, &mut whole);
            continue;
        }
        let Outcome::Solved(squeezed) = solve(component, &left, work(component) / 2) else {
            is_complete = false;
            break;
        };
        nodes += squeezed.nodes;
        is_best &= squeezed.evaluation.values <= alone.evaluation.values;
        assert!(left.take(&part, &squeezed.assignment), "it was searched within this room");
        component.put(&squeezed.assignment, &mut whole);
    }
    let parts: Option<Vec<&Solution>> = alone
        .iter()
        .map(|outcome| if let Outcome::Solved(solution) = outcome { Some(solution) } else { None })
        .collect();
    let floor = |values: &Objective| parts.as_ref().map_or([0; OBJECTIVES.len()], |parts| joined(parts, values));
    if is_complete {
        let evaluation = problem.evaluate(&whole);
        assert_eq!(evaluation.broken, 0, "parts that hold and have room hold together");
        let bounds = floor(&evaluation.values);
        let solution = Solution { assignment: whole.clone(), evaluation, bounds, nodes };
        if is_best {
            return Outcome::Solved(raised(problem, solution, options.work().saturating_mul(PRODUCTS), options));
        }
    }
    let begin = || {
        let applied = if is_complete { None } else { warm::applied(problem) };
        Begin { assignment: if is_complete { Some(whole.clone()) } else { applied }, floor: &floor }
    };
    remembered(ground, problem, "together", options, options.work() / 2, begin)
}

/// The bounds of a whole by those of its parts. A level's bounds add up, given the levels before, as long as these are
/// proven for every part, and the whole has no other values there than its parts.
fn joined(parts: &[&Solution], values: &Objective) -> Objective {
    let mut bounds = [0; OBJECTIVES.len()];
    for level in 0..bounds.len() {
        bounds[level] = parts.iter().map(|part| part.bounds[level]).sum();
        let is_proven = parts.iter().all(|part| part.bounds[level] == part.evaluation.values[level]);
        if bounds[level] != values[level] || !is_proven {
            break;
        }
    }
    bounds
}

/// What part of the work a component gets, one in so many: a power of two near its share of the agents, so that it does
/// not change whenever another component does.
fn divisor(agents: usize, all: usize) -> u64 {
    let mut divisor = 1;
    while agents.saturating_mul(4 * divisor) <= all.saturating_mul(3) && divisor < 1 << 20 {
        divisor *= 2;
    }
    divisor as u64
}

/// Where a search begins.
struct Begin<'a> {
    /// An assignment that holds.
    assignment: Option<Assignment>,
    /// Bounds that are known, given an assignment's values.
    floor: &'a dyn Fn(&Objective) -> Objective,
}

impl Begin<'_> {
    fn applied(problem: &Problem) -> Self {
        Self { assignment: warm::applied(problem), floor: &|_| [0; OBJECTIVES.len()] }
    }
}

/// Recalls a search, or does it and remembers what comes of it.
fn remembered<'a>(
    ground: Digest,
    problem: &Problem,
    kind: &str,
    options: &Options,
    work: u64,
    begin: impl FnOnce() -> Begin<'a>,
) -> Outcome {
    let known = options.memory.map(|memory| (memory, memory::search(ground, problem, kind, work)));
    if let Some(solution) = known.and_then(|(memory, search)| memory.recall(search, problem)) {
        return Outcome::Solved(solution);
    }
    let outcome = look(problem, options, work, &begin());
    // What a clock cut short is no function of the problem.
    if let (Some((memory, search)), Outcome::Solved(solution), false) = (known, &outcome, (options.expired)()) {
        memory.keep(search, solution);
    }
    outcome
}

/// Searches a problem as one.
fn look(problem: &Problem, options: &Options, work: u64, begin: &Begin) -> Outcome {
    let mut budget = Budget { left: work.max(1), expired: options.expired };
    let is_large = problem.agents.len() > TREE || opening(problem) > budget.left / OPENING;
    let found = if is_large {
        let is_hopeless = problem.agents.iter().any(|agent| agent.allowed.is_empty())
            || problem.routes.iter().any(|route| route.candidates.is_empty());
        if is_hopeless {
            return Outcome::Infeasible;
        }
        let values = |assignment: Assignment| (problem.evaluate(&assignment).values, assignment);
        let walks = neighbourhood::share(problem, budget.left);
        let incumbent = large::assign(problem, walks, begin.assignment.as_ref(), &mut budget).map(values);
        let incumbent = incumbent.into_iter().chain(begin.assignment.clone().map(values)).min_by_key(|one| one.0);
        let mut search = Search::new(problem, Goal::Best);
        search.incumbent = incumbent;
        search.reopen(0, &mut budget);
        Found { incumbent: search.incumbent, is_exhausted: false, root: None, nodes: 0 }
    } else {
        search(problem, Goal::Best, begin.assignment.as_ref(), &mut budget)
    };
    let Found { incumbent, is_exhausted, root, nodes } = found;
    let Some((values, assignment)) = incumbent else {
        return if is_exhausted { Outcome::Infeasible } else { Outcome::Unknown };
    };
    let evaluation = problem.evaluate(&assignment);
    assert_eq!((evaluation.broken, evaluation.values), (0, values), "the search and the evaluation agree");
    if is_exhausted {
        return Outcome::Solved(Solution { assignment, evaluation, bounds: values, nodes });
    }
    let mut bounds = root.map_or([0; OBJECTIVES.len()], |root| given(&root, &values));
    let floor = (begin.floor)(&values);
    bounds.iter_mut().zip(floor).for_each(|(bound, floor)| *bound = floor.max(*bound));
    let solution = Solution { assignment, evaluation, bounds, nodes };
    // What the search left goes to the bounds as well.
    let work = work.saturating_add(budget.left).saturating_mul(PRODUCTS);
    Outcome::Solved(raised(problem, solution, work, options))
}

/// Raises the bounds of a solution where they are not tight, level by level; a better one may be met on the way.
fn raised(problem: &Problem, mut solution: Solution, work: u64, options: &Options) -> Solution {
    if solution.is_optimal() {
        return solution;
    }
    relax::raise(problem, &solution.evaluation.values, &mut solution.bounds);
    for level in 0..3 {
        let (values, is_proven) =
            (solution.evaluation.values, solution.bounds[..level] == solution.evaluation.values[..level]);
        if solution.bounds[level] >= values[level] {
            continue;
        }
        let prove = || partition::prove(problem, level, &values, work, options.expired);
        let proven = match is_proven.then(prove).flatten() {
            Some(proof) => {
                solution.nodes += proof.nodes;
                if let Some(assignment) = proof.better {
                    solution.evaluation = problem.evaluate(&assignment);
                    solution.assignment = assignment;
                }
                proof.bound
            }
            None => cuts::bound(problem, level, work, options.expired).unwrap_or(0),
        };
        let value = solution.evaluation.values[level];
        solution.bounds[level] = solution.bounds[level].max(proven).min(value);
    }
    solution
}

/// Turns a bound on the whole tuple into one per level: a level is bounded as long as all before it are tight.
fn given(root: &Objective, values: &Objective) -> Objective {
    let mut bounds = [0; OBJECTIVES.len()];
    for level in 0..bounds.len() {
        bounds[level] = root[level];
        if root[level] != values[level] {
            break;
        }
    }
    bounds
}
