//! Why a route is served as it is: what became of every way to serve it.

use super::problem::{Candidate, Problem};
use super::solve::{Options, Outcome, Solution, solve};

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The candidate.
    pub candidate: Candidate,
    /// Why it is or is not the primary.
    pub reason: Reason,
}

/// Why a candidate is or is not the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is.
    Chosen,
    /// No plan uses it: some hard constraint breaks wherever everything is placed.
    Infeasible,
    /// The best plan that uses it is worse, first at this level.
    Worse {
        /// Index of the objective.
        level: usize,
        /// Value with the chosen candidate.
        chosen: i64,
        /// Value with this one.
        with: i64,
        /// Whether it is the best with this one, by proof.
        is_proven: bool,
    },
    /// A plan that uses it is as good; of those one is taken, always the same.
    AsGood,
    /// The effort did not suffice to tell.
    Unknown,
}

/// Explains a route: solves the problem once more with each other candidate as the only one.
pub fn explain(problem: &Problem, solution: &Solution, route: usize, options: &Options) -> Vec<Verdict> {
    let chosen = solution.assignment.primaries[route];
    let reason = |index: usize, candidate: Candidate| {
        if index == chosen {
            return Reason::Chosen;
        }
        let mut forced = problem.clone();
        forced.routes[route].candidates = vec![candidate];
        match solve(&forced, options) {
            Outcome::Infeasible => Reason::Infeasible,
            Outcome::Unknown => Reason::Unknown,
            Outcome::Solved(other) => {
                let pairs = solution.evaluation.values.iter().zip(&other.evaluation.values);
                match pairs.enumerate().find(|(_, (chosen, with))| chosen != with) {
                    Some((level, (&chosen, &with))) if with > chosen => {
                        Reason::Worse { level, chosen, with, is_proven: other.is_optimal() }
                    }
                    _ => Reason::AsGood,
                }
            }
        }
    };
    let candidates = problem.routes[route].candidates.iter().enumerate();
    candidates.map(|(index, &candidate)| Verdict { candidate, reason: reason(index, candidate) }).collect()
}
