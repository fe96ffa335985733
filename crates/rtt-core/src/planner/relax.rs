//! Lower bounds from the linear relaxation, level by level, for when the search does not come to its end.
//!
//! Variables: `x` of an agent and a node, `y` of a route, a candidate, the source's node and the target's, all within
//! 0…1. Each agent is placed once, each route served once; `y` is tied to `x` at both ends (the local polytope), and
//! capacities and links hold in sum. A solution of the problem is a solution of the relaxation with the same values at
//! levels 1, 2, 3 and 5; level 4 counts only routes that cannot have a backup wherever everything is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use minilp::{ComparisonOp, LinearExpr, OptimizationDirection, Variable};

use super::problem::{OBJECTIVES, Objective, Problem};

/// One solve cannot be stopped, and takes many seconds beyond this many variables.
const MAX_VARIABLES: usize = 3_000;
/// What the simplex method may be off by, relative to the value.
const TOLERANCE: f64 = 1e-6;

/// Raises `bounds`, valid bounds given `values` of the levels before each, as far as the relaxation proves.
pub(super) fn raise(problem: &Problem, values: &Objective, bounds: &mut Objective) {
    if size(problem) > MAX_VARIABLES {
        return;
    }
    for level in 0..OBJECTIVES.len() {
        if bounds[level] == values[level] {
            continue;
        }
        // The simplex code panics on some badly scaled problems; then there is no better bound.
        let solved = catch_unwind(AssertUnwindSafe(|| Relaxation::new(problem, level, values).least()));
        if let Ok(Some(least)) = solved {
            let proven = (least - TOLERANCE * least.abs().max(1.0)).ceil();
            if proven > bounds[level] as f64 && proven <= values[level] as f64 {
                bounds[level] = proven as i64;
            }
        }
    }
}

fn size(problem: &Problem) -> usize {
    let nodes = |agent: usize| problem.agents[agent].allowed.len();
    let pairs = problem.routes.iter().flat_map(|route| {
        route.candidates.iter().map(|candidate| nodes(route.source).saturating_mul(nodes(candidate.target)))
    });
    (0..problem.agents.len()).map(nodes).chain(pairs).fold(0, usize::saturating_add)
}

struct Relaxation {
    program: minilp::Problem,
    /// By what the objective was divided.
    scale: f64,
}

impl Relaxation {
    fn new(problem: &Problem, level: usize, values: &Objective) -> Self {
        let mut program = minilp::Problem::new(OptimizationDirection::Minimize);
        // Figures are scaled to about 1, which the simplex code needs.
        let mut scale = [1.0_f64; OBJECTIVES.len()];
        for route in &problem.routes {
            scale[0] = scale[0].max(route.priority as f64);
            scale[1] = scale[1].max(route.throughput as f64);
            scale[2] = scale[2].max(route.throughput as f64);
        }
        let mut sums: Vec<LinearExpr> = (0..OBJECTIVES.len()).map(|_| LinearExpr::empty()).collect();
        let mut placed: Vec<Vec<(usize, Variable)>> = Vec::new();
        for agent in &problem.agents {
            let mut all = Vec::new();
            for &node in &agent.allowed {
                let churn = f64::from(u8::from(agent.applied.is_some_and(|applied| applied != Some(node))));
                let variable = program.add_var(if level == 4 { churn } else { 0.0 }, (0.0, 1.0));
                sums[4].add(variable, churn);
                all.push((node, variable));
            }
            program.add_constraint(all.iter().map(|(_, variable)| (*variable, 1.0)), ComparisonOp::Eq, 1.0);
            placed.push(all);
        }
        let mut loads: Vec<LinearExpr> = problem.links.iter().map(|_| LinearExpr::empty()).collect();
        for route in &problem.routes {
            let mut served = Vec::new();
            for (index, &candidate) in route.candidates.iter().enumerate() {
                for &(from, _) in &placed[route.source] {
                    for &(to, _) in &placed[candidate.target] {
                        let Some(service) = problem.admissible(route, candidate, from, to) else { continue };
                        let mut cost = problem.cost(route, candidate, service);
                        let alone = !route.backups.iter().any(|backup| backup.target != candidate.target);
                        cost[3] = i64::from(route.failover.is_some() && alone);
                        let scaled = |level: usize| cost[level] as f64 / scale[level];
                        let variable = program.add_var(scaled(level), (0.0, 1.0));
                        (0..OBJECTIVES.len()).for_each(|level| sums[level].add(variable, scaled(level)));
                        let (a, b) = (problem.nodes[from].host, problem.nodes[to].host);
                        if a != b {
                            loads[problem.link(a, b)].add(variable, route.throughput as f64);
                        }
                        served.push((index, candidate.target, from, to, variable));
                    }
                }
            }
            program.add_constraint(served.iter().map(|entry| (entry.4, 1.0)), ComparisonOp::Eq, 1.0);
            for &(node, at) in &placed[route.source] {
                let starts = served.iter().filter(|entry| entry.2 == node).map(|entry| (entry.4, 1.0));
                program.add_constraint(starts.chain([(at, -1.0)]), ComparisonOp::Eq, 0.0);
            }
            let mut targets: Vec<usize> = route.candidates.iter().map(|candidate| candidate.target).collect();
            targets.dedup();
            for target in targets {
                for &(node, at) in &placed[target] {
                    let ends = served.iter().filter(|entry| (entry.1, entry.3) == (target, node));
                    program.add_constraint(ends.map(|entry| (entry.4, 1.0)).chain([(at, -1.0)]), ComparisonOp::Le, 0.0);
                }
            }
        }
        for (index, node) in problem.nodes.iter().enumerate() {
            let here = |demand: fn(&super::problem::Agent) -> i64, capacity: i64| {
                let shares = problem.agents.iter().zip(&placed).filter_map(move |(agent, all)| {
                    let (_, variable) = all.iter().find(|(node, _)| *node == index)?;
                    Some((*variable, demand(agent) as f64 / capacity.max(1) as f64))
                });
                shares.collect::<Vec<_>>()
            };
            let used = here(|agent| agent.millicores, node.millicores);
            program.add_constraint(used, ComparisonOp::Le, if node.millicores > 0 { 1.0 } else { 0.0 });
            let used = here(|agent| agent.memory_mib, node.memory_mib);
            program.add_constraint(used, ComparisonOp::Le, if node.memory_mib > 0 { 1.0 } else { 0.0 });
        }
        for (link, load) in problem.links.iter().zip(loads) {
            if let Some(bandwidth) = link.bandwidth_mbps {
                program.add_constraint(load, ComparisonOp::Le, bandwidth as f64);
            }
        }
        for (before, sum) in sums.into_iter().enumerate().take(level) {
            let at_most = values[before] as f64 / scale[before];
            program.add_constraint(sum, ComparisonOp::Le, at_most + TOLERANCE * at_most.max(1.0));
        }
        Self { program, scale: scale[level] }
    }

    /// The least value at the level; `None` if the simplex method found none.
    fn least(&self) -> Option<f64> {
        let least = self.program.solve().ok()?.objective() * self.scale;
        least.is_finite().then_some(least)
    }
}
