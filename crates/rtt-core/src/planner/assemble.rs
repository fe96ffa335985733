//! From a solution in integers to the plan document.

use super::problem::{Candidate, OBJECTIVES};
use super::{Built, Solution};
use crate::digest::Digest;
use crate::plan::{Backup, Inputs, ObjectiveValue, Placement, Plan, PlanRoute, PlanStatus, identify};
use crate::workspace::state::FORMAT_VERSION;

/// Writes a solution as a plan, unsigned, with its id. `solver` names the solver and its work limit, `timestamp` is
/// RFC 3339 in UTC.
pub fn assemble(inputs: &Inputs, built: &Built, solution: &Solution, solver: String, timestamp: String) -> Plan {
    let problem = &built.problem;
    let (assignment, evaluation) = (&solution.assignment, &solution.evaluation);
    let place = |agent: usize| {
        let node = &problem.nodes[assignment.placement[agent]];
        (problem.hosts[node.host].clone(), node.id)
    };
    let placement = built.instances.iter().enumerate().map(|(agent, id)| {
        let (host, numa_node) = place(agent);
        Placement { agent: id.clone(), host, numa_node }
    });
    let routes = problem.routes.iter().zip(&built.routes).enumerate().map(|(index, (route, notes))| {
        let primary = route.candidates[assignment.primaries[index]];
        let (host, numa_node) = place(primary.target);
        let backup = |candidate: &Candidate| {
            let (host, numa_node) = place(candidate.target);
            Backup { target: built.instances[candidate.target].clone(), via: candidate.lane, host, numa_node }
        };
        PlanRoute {
            from: notes.wanted.from.clone(),
            to: notes.wanted.to.clone(),
            source: notes.wanted.source.clone(),
            target: built.instances[primary.target].clone(),
            via: primary.lane,
            host,
            numa_node,
            latency_us: evaluation.latencies[index],
            qos: notes.qos,
            backups: evaluation.backups[index].iter().map(backup).collect(),
        }
    });
    let levels = OBJECTIVES.iter().zip(evaluation.values.iter().zip(&solution.bounds));
    let mut plan = Plan {
        version: FORMAT_VERSION.to_owned(),
        plan_id: Digest::of_bytes(""),
        timestamp,
        base: inputs.base(solver),
        placement: placement.collect(),
        routes: routes.collect(),
        objective: levels
            .map(|(name, (&value, &bound))| ObjectiveValue { name: (*name).to_owned(), value, bound })
            .collect(),
        status: if solution.is_optimal() { PlanStatus::Optimal } else { PlanStatus::Feasible },
        signature: None,
        cosignatures: Vec::new(),
    };
    identify(&mut plan);
    plan
}
