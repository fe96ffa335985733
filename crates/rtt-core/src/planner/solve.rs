//! From a problem to its best assignment, with proof of how good that is.

use super::evaluate::Evaluation;
use super::problem::{Assignment, OBJECTIVES, Objective, Problem};
use super::search::{Budget, Found, Goal, opening, search};
use super::{cuts, large, relax};

/// Evaluated candidates per unit of effort: about a tenth of a second of one core in a release build.
const WORK_PER_EFFORT: u64 = 10_000_000;

/// Products of two numbers that a bound may take per evaluated candidate of the budget.
const PRODUCTS: u64 = 150;
/// Above so many agents there is no tree: local search alone finds an incumbent.
const TREE: usize = 2_000;
/// Nor if to open it takes more than one part in this many of the budget.
const OPENING: u64 = 2;

/// Limits of the search.
pub struct Options<'a> {
    /// Units of work. The same effort gives the same result on every machine.
    pub effort: u32,
    /// Tells that the user's time is over; a result may then depend on the machine.
    pub expired: &'a (dyn Fn() -> bool + Sync),
}

impl Options<'_> {
    pub(super) fn budget(&self) -> Budget<'_> {
        Budget { left: WORK_PER_EFFORT.saturating_mul(u64::from(self.effort.max(1))), expired: self.expired }
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
    let mut budget = options.budget();
    let bound_work = budget.left.saturating_mul(PRODUCTS);
    let is_large = problem.agents.len() > TREE || opening(problem) > budget.left / OPENING;
    let found = if is_large {
        let is_hopeless = problem.agents.iter().any(|agent| agent.allowed.is_empty())
            || problem.routes.iter().any(|route| route.candidates.is_empty());
        if is_hopeless {
            return Outcome::Infeasible;
        }
        let assignment = large::assign(problem, 0, &mut budget);
        let incumbent = assignment.map(|assignment| (problem.evaluate(&assignment).values, assignment));
        Found { incumbent, is_exhausted: false, root: None, nodes: 0 }
    } else {
        search(problem, Goal::Best, &mut budget)
    };
    let Found { incumbent, is_exhausted, root, nodes } = found;
    let Some((values, assignment)) = incumbent else {
        return if is_exhausted { Outcome::Infeasible } else { Outcome::Unknown };
    };
    let evaluation = problem.evaluate(&assignment);
    assert_eq!((evaluation.broken, evaluation.values), (0, values), "the search and the evaluation agree");
    let bounds = if is_exhausted {
        values
    } else {
        let mut bounds = root.map_or([0; OBJECTIVES.len()], |root| given(&root, &values));
        relax::raise(problem, &values, &mut bounds);
        for level in 0..3 {
            if bounds[level] < values[level] {
                let proven = cuts::bound(problem, level, bound_work, options.expired).unwrap_or(0);
                bounds[level] = bounds[level].max(proven.min(values[level]));
            }
        }
        bounds
    };
    Outcome::Solved(Solution { assignment, evaluation, bounds, nodes })
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
