//! What more capacity would be worth: the problem is solved once more with it.

use super::problem::Problem;
use super::solve::{Options, Outcome, Solution, solve};

/// A resource of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Processors, in millicores.
    Cpu,
    /// Memory, in MiB.
    Memory,
}

/// What a step more of a resource would improve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// A plan that is better, first at this level.
    Improves {
        /// Index of the objective.
        level: usize,
        /// Value as it is.
        from: i64,
        /// Value with the step more.
        to: i64,
        /// Both plans are the best there are, by proof; else the better one may exist without the step, too.
        is_proven: bool,
    },
    /// Nothing, by proof.
    Nothing,
    /// The effort did not suffice to tell.
    Unknown,
}

/// Per node, what `steps` (millicores, MiB) more of each resource alone would improve.
pub fn marginal(problem: &Problem, solution: &Solution, steps: (i64, i64), options: &Options) -> Vec<[Worth; 2]> {
    let with = |changes: &[(usize, Resource)]| {
        let mut richer = problem.clone();
        for &(node, resource) in changes {
            match resource {
                Resource::Cpu => richer.nodes[node].millicores += steps.0,
                Resource::Memory => richer.nodes[node].memory_mib += steps.1,
            }
        }
        worth(solution, &solve(&richer, options))
    };
    let resources = [Resource::Cpu, Resource::Memory];
    let all: Vec<_> = (0..problem.nodes.len()).flat_map(|node| resources.map(|resource| (node, resource))).collect();
    // If all of it together is worth nothing, no part of it is worth anything.
    if with(&all) == Worth::Nothing {
        return vec![[Worth::Nothing; 2]; problem.nodes.len()];
    }
    (0..problem.nodes.len()).map(|node| resources.map(|resource| with(&[(node, resource)]))).collect()
}

fn worth(solution: &Solution, richer: &Outcome) -> Worth {
    let Outcome::Solved(richer) = richer else { return Worth::Unknown };
    let (now, then) = (&solution.evaluation.values, &richer.evaluation.values);
    match (0..now.len()).find(|&level| now[level] != then[level]) {
        Some(level) if then[level] < now[level] => Worth::Improves {
            level,
            from: now[level],
            to: then[level],
            is_proven: solution.is_optimal() && richer.is_optimal(),
        },
        None if richer.is_optimal() => Worth::Nothing,
        // Equal without proof, or worse, which only a search that was cut short can be.
        _ => Worth::Unknown,
    }
}
