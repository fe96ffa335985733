//! From a solution in integers to the plan document.

use super::{Backup, Inputs, ObjectiveValue, Placement, Plan, PlanRoute, PlanStatus, identify};
use crate::planner::Built;
use crate::planner::problem::{Candidate, OBJECTIVES, Objective};
use crate::workspace::state::FORMAT_VERSION;

/// What the planner decided, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Node of each agent.
    pub placement: Vec<usize>,
    /// Index of each route's primary among its candidates.
    pub primaries: Vec<usize>,
    /// Latency of each route in µs.
    pub latencies: Vec<i64>,
    /// Backups of each route, best first.
    pub backups: Vec<Vec<Candidate>>,
    /// The objective values.
    pub values: Objective,
    /// Their proven bounds.
    pub bounds: Objective,
}

/// Writes a solution as a plan, unsigned, with its id. `solver` names the solver and its work limit, `timestamp` is
/// RFC 3339 in UTC.
pub fn assemble(inputs: &Inputs, built: &Built, solution: &Solution, solver: String, timestamp: String) -> Plan {
    let problem = &built.problem;
    let place = |agent: usize| {
        let node = &problem.nodes[solution.placement[agent]];
        (problem.hosts[node.host].clone(), node.id)
    };
    let placement = built.instances.iter().enumerate().map(|(agent, id)| {
        let (host, numa_node) = place(agent);
        Placement { agent: id.clone(), host, numa_node }
    });
    let routes = problem.routes.iter().zip(&built.routes).enumerate().map(|(index, (route, notes))| {
        let primary = route.candidates[solution.primaries[index]];
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
            latency_us: solution.latencies[index],
            qos: notes.qos,
            backups: solution.backups[index].iter().map(backup).collect(),
        }
    });
    let objective = OBJECTIVES.iter().zip(solution.values.iter().zip(&solution.bounds));
    let mut plan = Plan {
        version: FORMAT_VERSION.to_owned(),
        plan_id: crate::digest::Digest::of_bytes(""),
        timestamp,
        base: inputs.base(solver),
        placement: placement.collect(),
        routes: routes.collect(),
        objective: objective
            .map(|(name, (&value, &bound))| ObjectiveValue { name: (*name).to_owned(), value, bound })
            .collect(),
        status: if solution.values == solution.bounds { PlanStatus::Optimal } else { PlanStatus::Feasible },
        signature: None,
        cosignatures: Vec::new(),
    };
    identify(&mut plan);
    plan
}
