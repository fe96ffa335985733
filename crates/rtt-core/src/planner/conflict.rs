//! Why there is no plan: a minimal set of constraints that cannot hold together, and what would help.

use super::problem::{Candidate, Problem, Route};
use super::search::{Goal, search};
use super::solve::Options;
use crate::lane::Lane;

/// A hard constraint, by what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// The route is served, by one of its candidates.
    Candidates {
        /// Index of the route.
        route: usize,
    },
    /// The agent is where its pins put it.
    Pins {
        /// Index of the agent.
        agent: usize,
    },
    /// The node's processors suffice.
    Cpu {
        /// Index of the node.
        node: usize,
    },
    /// The node's memory suffices.
    Memory {
        /// Index of the node.
        node: usize,
    },
    /// The route's strict bounds hold.
    StrictQos {
        /// Index of the route.
        route: usize,
    },
    /// The link's bandwidth suffices.
    Bandwidth {
        /// Index of the link.
        link: usize,
    },
    /// The route has the independent backup that policy requires.
    Redundancy {
        /// Index of the route.
        route: usize,
    },
}

/// A minimal conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The constraints, each with its cheapest remedy.
    pub constraints: Vec<(Constraint, Remedy)>,
    /// Without any one of them there is a plan; `false` if the effort did not suffice to prove that.
    pub is_minimal: bool,
}

/// The cheapest change of one constraint, everything else staying as it is, that was tried and found to help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedy {
    /// The change.
    pub fix: Fix,
    /// With it there is a plan. Else only this conflict is resolved, and another is left or was not excluded.
    pub suffices: bool,
}

/// A change of a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// Giving the constraint up.
    Drop,
    /// The least value that suffices: millicores, MiB, Mbit/s, or the latency bound in µs.
    Raise {
        /// What there is.
        from: i64,
        /// What suffices.
        to: i64,
    },
    /// Placing the agent on this node.
    Place {
        /// Index of the node.
        node: usize,
    },
}

/// Finds a minimal conflict of an infeasible problem by leaving out one constraint after the other.
pub fn conflict(problem: &Problem, options: &Options) -> Conflict {
    let mut relaxed = problem.clone();
    let mut kept = Vec::new();
    let mut is_minimal = true;
    for constraint in constraints(problem) {
        let mut without = relaxed.clone();
        constraint.relax(&mut without);
        match is_feasible(&without, options) {
            Some(false) => relaxed = without,
            Some(true) => kept.push(constraint),
            None => {
                is_minimal = false;
                kept.push(constraint);
            }
        }
    }
    let remedy = |constraint: Constraint| {
        let mut without = problem.clone();
        constraint.relax(&mut without);
        let suffices = is_feasible(&without, options) == Some(true);
        Remedy { fix: constraint.fix(if suffices { problem } else { &relaxed }, options), suffices }
    };
    let constraints = kept.into_iter().map(|constraint| (constraint, remedy(constraint))).collect();
    Conflict { constraints, is_minimal }
}

/// Every constraint of a problem; those that are easiest to give up come last, so that they are what remains.
pub(super) fn constraints(problem: &Problem) -> Vec<Constraint> {
    let routes = || 0..problem.routes.len();
    let nodes = || 0..problem.nodes.len();
    let mut all = Vec::new();
    all.extend(routes().map(|route| Constraint::Candidates { route }));
    all.extend(
        (0..problem.links.len())
            .filter(|&link| problem.links[link].bandwidth_mbps.is_some())
            .map(|link| Constraint::Bandwidth { link }),
    );
    all.extend(nodes().map(|node| Constraint::Cpu { node }));
    all.extend(nodes().map(|node| Constraint::Memory { node }));
    let is_pinned = |agent: &usize| problem.agents[*agent].allowed.len() < problem.nodes.len();
    all.extend((0..problem.agents.len()).filter(is_pinned).map(|agent| Constraint::Pins { agent }));
    let is_required = |route: &Route| route.failover.is_some_and(|failover| failover.required);
    all.extend(
        routes().filter(|&route| is_required(&problem.routes[route])).map(|route| Constraint::Redundancy { route }),
    );
    all.extend(routes().filter(|&route| problem.routes[route].strict).map(|route| Constraint::StrictQos { route }));
    all
}

fn is_feasible(problem: &Problem, options: &Options) -> Option<bool> {
    let found = search(problem, Goal::Feasible, None, &mut options.budget());
    match (found.incumbent, found.is_exhausted) {
        (Some(_), _) => Some(true),
        (None, true) => Some(false),
        (None, false) => None,
    }
}

/// More than any sum of demands; and the sum over all nodes is still a number.
const PLENTY: i64 = 1 << 48;

/// Makes a route one that is always served: by its own source. Its agents stay, for they take room all the same.
fn give_up(route: &mut Route) {
    route.candidates = vec![Candidate { target: route.source, lane: Lane::Shm }];
    route.backups.clear();
    (route.strict, route.failover) = (false, None);
}

impl Constraint {
    pub(super) fn relax(self, problem: &mut Problem) {
        match self {
            Self::Candidates { route } => give_up(&mut problem.routes[route]),
            Self::Pins { agent } => problem.agents[agent].allowed = (0..problem.nodes.len()).collect(),
            Self::Cpu { .. } | Self::Memory { .. } | Self::Bandwidth { .. } => self.set(problem, PLENTY),
            Self::StrictQos { route } => problem.routes[route].strict = false,
            Self::Redundancy { route } => problem.routes[route].failover = None,
        }
    }

    /// The figure that the constraint compares with, if there is one.
    fn figure(self, problem: &Problem) -> Option<i64> {
        match self {
            Self::Cpu { node } => Some(problem.nodes[node].millicores),
            Self::Memory { node } => Some(problem.nodes[node].memory_mib),
            Self::Bandwidth { link } => problem.links[link].bandwidth_mbps,
            Self::StrictQos { route } => problem.routes[route].latency_us,
            Self::Candidates { .. } | Self::Pins { .. } | Self::Redundancy { .. } => None,
        }
    }

    fn set(self, problem: &mut Problem, figure: i64) {
        match self {
            Self::Cpu { node } => problem.nodes[node].millicores = figure,
            Self::Memory { node } => problem.nodes[node].memory_mib = figure,
            Self::Bandwidth { link } => problem.links[link].bandwidth_mbps = Some(figure),
            Self::StrictQos { route } => problem.routes[route].latency_us = Some(figure),
            Self::Candidates { .. } | Self::Pins { .. } | Self::Redundancy { .. } => {}
        }
    }

    /// Finds the least change of this constraint alone after which there is a plan.
    fn fix(self, problem: &Problem, options: &Options) -> Fix {
        let suffices = |figure: i64| {
            let mut changed = problem.clone();
            self.set(&mut changed, figure);
            is_feasible(&changed, options) == Some(true)
        };
        if let Some(from) = self.figure(problem) {
            let (mut too_little, mut enough) = (from, from.max(1));
            while !suffices(enough) {
                if enough > PLENTY / 2 {
                    return Fix::Drop;
                }
                (too_little, enough) = (enough, enough * 2);
            }
            while enough - too_little > 1 {
                let middle = too_little + (enough - too_little) / 2;
                if suffices(middle) { enough = middle } else { too_little = middle }
            }
            return Fix::Raise { from, to: enough };
        }
        if let Self::Pins { agent } = self {
            let mut changed = problem.clone();
            for node in 0..problem.nodes.len() {
                changed.agents[agent].allowed = vec![node];
                if is_feasible(&changed, options) == Some(true) {
                    return Fix::Place { node };
                }
            }
        }
        Fix::Drop
    }
}
