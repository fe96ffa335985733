//! Where a search begins: with the plan that is applied, as far as it still holds.

use std::cmp::Reverse;

use super::evaluate::add;
use super::large::primaries;
use super::problem::{Assignment, OBJECTIVES, Objective, Problem, Route};

/// Keeps every instance where the applied plan has it, if it may stay there, and puts the others where they cost least.
/// `None` if no plan is applied, or if what comes of it breaks a constraint.
pub(super) fn applied(problem: &Problem) -> Option<Assignment> {
    let mut free: Vec<(i64, i64)> = problem.nodes.iter().map(|node| (node.millicores, node.memory_mib)).collect();
    let mut placed: Vec<Option<usize>> = vec![None; problem.agents.len()];
    let mut rest = Vec::new();
    for (index, agent) in problem.agents.iter().enumerate() {
        let node = agent.applied.flatten().filter(|node| agent.allowed.contains(node));
        match node.filter(|&node| fits(free[node], agent.millicores, agent.memory_mib)) {
            Some(node) => {
                (free[node].0, free[node].1) = (free[node].0 - agent.millicores, free[node].1 - agent.memory_mib);
                placed[index] = Some(node);
            }
            None => rest.push(index),
        }
    }
    if rest.len() == problem.agents.len() {
        return None;
    }
    let mut touching: Vec<Vec<usize>> = vec![Vec::new(); problem.agents.len()];
    for (index, route) in problem.routes.iter().enumerate() {
        touching[route.source].push(index);
        let mut targets: Vec<usize> = route.candidates.iter().map(|candidate| candidate.target).collect();
        targets.dedup();
        targets.into_iter().for_each(|target| touching[target].push(index));
    }
    rest.sort_by_key(|&index| Reverse((problem.agents[index].millicores, problem.agents[index].memory_mib)));
    for index in rest {
        let agent = &problem.agents[index];
        let mut best = None;
        for &node in agent.allowed.iter().filter(|&&node| fits(free[node], agent.millicores, agent.memory_mib)) {
            placed[index] = Some(node);
            let routes = touching[index].iter().map(|&route| least(problem, &problem.routes[route], &placed));
            let mut sum = (0, [0; OBJECTIVES.len()]);
            for cost in routes {
                match cost {
                    Some(cost) => add(&mut sum.1, &cost),
                    None => sum.0 += 1,
                }
            }
            let key = (sum, Reverse(free[node]), node);
            if best.as_ref().is_none_or(|least| key < *least) {
                best = Some(key);
            }
        }
        let (.., node) = best?;
        placed[index] = Some(node);
        (free[node].0, free[node].1) = (free[node].0 - agent.millicores, free[node].1 - agent.memory_mib);
    }
    let placement: Vec<usize> = placed.into_iter().collect::<Option<_>>()?;
    let assignment = Assignment { primaries: primaries(problem, &placement)?, placement };
    (problem.evaluate(&assignment).broken == 0).then_some(assignment)
}

fn fits(free: (i64, i64), millicores: i64, memory_mib: i64) -> bool {
    millicores <= free.0 && memory_mib <= free.1
}

/// The least cost of a route by a candidate whose ends are placed; nothing as long as none is, `None` if it cannot be
/// served.
fn least(problem: &Problem, route: &Route, placed: &[Option<usize>]) -> Option<Objective> {
    let Some(from) = placed[route.source] else { return Some([0; OBJECTIVES.len()]) };
    let mut is_open = false;
    let mut best = None;
    for &candidate in &route.candidates {
        let Some(to) = placed[candidate.target] else {
            is_open = true;
            continue;
        };
        let Some(service) = problem.admissible(route, candidate, from, to) else { continue };
        let cost = problem.cost(route, candidate, service);
        if best.is_none_or(|least| cost < least) {
            best = Some(cost);
        }
    }
    best.or_else(|| is_open.then_some([0; OBJECTIVES.len()]))
}
