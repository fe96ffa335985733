//! The primal side of large problems: local search, from coarse units to single agents, in walks of growing length.

use super::local::{Local, Tables};
use super::numbers::Numbers;
use super::partition;
use super::problem::{Assignment, Objective, Problem};
use super::search::Budget;

/// Problems with more agents than this are coarsened first.
const COARSEN: usize = 1_500;

/// Walks end when this much work per unit, and three times as much as led to the best, led to nothing better, where a proof can be
/// found in what is left.
const IDLE: u64 = 500_000;

/// Looks for a good assignment, also near `start`, until the budget has sunk to `floor`; `None` if none was found, or if
/// the problem has what this search leaves to the exact one.
pub(super) fn assign(
    problem: &Problem,
    floor: u64,
    start: Option<&Assignment>,
    budget: &mut Budget,
) -> Option<Assignment> {
    if problem.agents.is_empty() {
        return None;
    }
    let tables = Tables::new(problem)?;
    let base = tables.inseparable();
    let mut levels = vec![base];
    while levels.len() < 24 && units(&levels[levels.len() - 1]) > COARSEN {
        match tables.coarsen(&levels[levels.len() - 1], 6) {
            Some(next) => levels.push(next),
            None => break,
        }
    }
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut placement: Option<Vec<usize>> = None;
    let full = budget.left;
    for (index, level) in levels.iter().enumerate().rev() {
        let mut local = Local::new(&tables, level.clone())?;
        match &placement {
            Some(placement) => local.take(placement),
            None if local.construct(budget) => {}
            None => continue,
        }
        if levels.len() > 1 {
            // Each level gets a share of the budget; the finest ones the largest.
            let share = (full - floor) / 2 / (index as u64 + 2);
            let until = budget.left.saturating_sub(share).max(floor);
            let before = (local.excess(), local.total(), local.placement());
            let heat = if placement.is_none() { 8 } else { 1 };
            local.anneal(heat, pace(share, units(level)), &mut numbers, until, budget);
            local.descend(floor, budget);
            if (local.excess(), local.total()) > (before.0, before.1) {
                local.take(&before.2);
            }
        }
        placement = Some(local.placement());
    }
    let mut local = Local::new(&tables, levels.swap_remove(0))?;
    local.take(&placement.or_else(|| start.map(|start| start.placement.clone()))?);
    local.descend(floor, budget);
    let mut best = ((local.excess(), local.total()), local.placement());
    if let Some(start) = start {
        local.take(&start.placement);
        local.descend(floor, budget);
        let found = (local.excess(), local.total());
        if found <= best.0 {
            best = (found, local.placement());
        } else {
            local.take(&best.1);
        }
    }
    let mut share = 4;
    let mut at_best = budget.left;
    let idle = if partition::applies(problem) { IDLE * best.1.len() as u64 } else { u64::MAX };
    let is_idle = |at_best: u64, left: u64| at_best - left > idle.max(3 * (full - at_best));
    while budget.left > floor && local.can_walk() && !is_idle(at_best, budget.left) {
        let before = budget.left;
        local.anneal(if best.1.len() > COARSEN { 1 } else { 8 }, share, &mut numbers, floor, budget);
        local.descend(floor, budget);
        let total = (local.excess(), local.total());
        if total < best.0 {
            best = (total, local.placement());
            at_best = budget.left;
        }
        share = (share * 2).min(1 << 12);
        if before == budget.left {
            break;
        }
        if best.1.len() > COARSEN {
            local.take(&best.1);
        }
    }
    let assignment = Assignment { primaries: primaries(problem, &best.1)?, placement: best.1 };
    (problem.evaluate(&assignment).broken == 0).then_some(assignment)
}

/// A short walk from a placement, and the descent from there; `None` if an agent can be nowhere.
pub(super) fn refine(tables: &Tables, placement: &[usize], expired: &(dyn Fn() -> bool + Sync)) -> Option<Vec<usize>> {
    let mut local = Local::new(tables, tables.inseparable())?;
    let mut budget = Budget { left: u64::MAX, expired };
    local.take(placement);
    local.descend(0, &mut budget);
    let best = (local.total(), local.placement());
    local.anneal(1, 2, &mut Numbers(0x9e37_79b9_7f4a_7c15), 0, &mut budget);
    local.descend(0, &mut budget);
    Some(if local.total() < best.0 { local.placement() } else { best.1 })
}

/// How long a walk may be, in sixteenths, so that it comes to its end within a share of the budget.
fn pace(share: u64, count: usize) -> usize {
    let one = 72 * 24 * 5 * count as u64 / 16;
    usize::try_from(share / one.max(1)).unwrap_or(1).max(1)
}

fn units(unit: &[usize]) -> usize {
    unit.iter().max().map_or(0, |last| last + 1)
}

/// The best primary of each route at a placement.
pub(super) fn primaries(problem: &Problem, placement: &[usize]) -> Option<Vec<usize>> {
    let best = |route: &super::problem::Route| {
        let mut best: Option<(Objective, usize)> = None;
        for (index, &candidate) in route.candidates.iter().enumerate() {
            let (from, to) = (placement[route.source], placement[candidate.target]);
            let Some(service) = problem.admissible(route, candidate, from, to) else { continue };
            let mut cost = problem.cost(route, candidate, service);
            if let Some(failover) = route.failover {
                let is_backed = route.backups.iter().any(|&backup| {
                    let place = placement[backup.target];
                    backup.target != candidate.target
                        && problem.apart(failover, to, place)
                        && problem.admissible(route, backup, from, place).is_some()
                });
                if !is_backed && failover.required {
                    continue;
                }
                cost[3] = i64::from(!is_backed);
            }
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, index));
            }
        }
        best.map(|(_, index)| index)
    };
    problem.routes.iter().map(best).collect()
}
