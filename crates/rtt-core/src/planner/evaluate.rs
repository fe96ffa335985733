//! What an assignment is worth, and what it breaks. Everything the search claims is computed here once more.

use super::problem::{Assignment, Candidate, Failover, OBJECTIVES, Objective, Problem, Route, Spread};

/// What follows from an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The objective values.
    pub values: Objective,
    /// Latency of each route in µs; 0 where the lane does not reach.
    pub latencies: Vec<i64>,
    /// Backups of each route, best first.
    pub backups: Vec<Vec<Candidate>>,
    /// How many hard constraints are broken; the search never returns an assignment that breaks one.
    pub broken: usize,
}

/// How a candidate serves a route between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) latency_us: i64,
    /// Distance beyond the local 10.
    pub(super) distance: i64,
    pub(super) violated: bool,
}

impl Problem {
    /// Tells how a candidate serves a route from one node to another; `None` if its lane does not reach.
    pub(super) fn service(&self, route: &Route, candidate: Candidate, from: usize, to: usize) -> Option<Service> {
        let figures = self.lanes.figures(candidate.lane);
        let distance = self.distance[from][to] - 10;
        let (a, b) = (self.nodes[from].host, self.nodes[to].host);
        let latency_us = if a == b {
            figures.base_us + figures.per10_us * distance.max(0) / 10
        } else if candidate.lane.crosses_hosts() {
            figures.base_us + self.links[self.link(a, b)].latency_us
        } else {
            return None;
        };
        let too_slow = route.latency_us.is_some_and(|bound| latency_us > bound);
        let too_narrow = route.throughput > figures.bandwidth_mbps;
        Some(Service { latency_us, distance, violated: too_slow || too_narrow })
    }

    /// Like [`Self::service`], and `None` too where it would break the route's strict bounds.
    pub(super) fn admissible(&self, route: &Route, candidate: Candidate, from: usize, to: usize) -> Option<Service> {
        self.service(route, candidate, from, to).filter(|service| !(route.strict && service.violated))
    }

    /// Returns the index of the link between two different hosts.
    pub(super) fn link(&self, one: usize, other: usize) -> usize {
        let (a, b) = (one.min(other), one.max(other));
        // Links are listed by `a`, then `b`.
        a * (2 * self.hosts.len() - a - 1) / 2 + (b - a - 1)
    }

    /// Returns what a route costs at levels 1 to 3 and 5 with this candidate and service.
    pub(super) fn cost(&self, route: &Route, candidate: Candidate, service: Service) -> Objective {
        let changed = route
            .applied
            .as_ref()
            .is_some_and(|(target, lane)| *target != self.agents[candidate.target].name || *lane != candidate.lane);
        [
            if service.violated { route.priority } else { 0 },
            route.throughput * service.distance,
            route.throughput * self.lanes.figures(candidate.lane).cost,
            0,
            i64::from(changed),
        ]
    }

    /// Tells whether two nodes are as far apart as a failover rule asks.
    pub(super) fn apart(&self, failover: Failover, one: usize, other: usize) -> bool {
        match failover.spread {
            Spread::Numa => one != other,
            Spread::Host => self.nodes[one].host != self.nodes[other].host,
        }
    }

    /// Evaluates an assignment.
    pub fn evaluate(&self, assignment: &Assignment) -> Evaluation {
        let placement = &assignment.placement;
        let mut found =
            Evaluation { values: [0; OBJECTIVES.len()], latencies: Vec::new(), backups: Vec::new(), broken: 0 };
        let mut free: Vec<(i64, i64)> = self.nodes.iter().map(|node| (node.millicores, node.memory_mib)).collect();
        for (agent, &node) in self.agents.iter().zip(placement) {
            free[node].0 -= agent.millicores;
            free[node].1 -= agent.memory_mib;
            found.broken += usize::from(!agent.allowed.contains(&node));
            found.values[4] += i64::from(agent.applied.is_some_and(|applied| applied != Some(node)));
        }
        found.broken += free.iter().filter(|(millicores, memory_mib)| *millicores < 0 || *memory_mib < 0).count();
        let mut load = vec![0; self.links.len()];
        for (route, &primary) in self.routes.iter().zip(&assignment.primaries) {
            let candidate = route.candidates[primary];
            let (from, to) = (placement[route.source], placement[candidate.target]);
            let backups = self.backups(route, candidate.target, placement);
            let is_redundant = route
                .failover
                .map(|failover| backups.iter().any(|backup| self.apart(failover, to, placement[backup.target])));
            match self.service(route, candidate, from, to) {
                Some(service) => {
                    found.broken += usize::from(route.strict && service.violated);
                    found.latencies.push(service.latency_us);
                    add(&mut found.values, &self.cost(route, candidate, service));
                }
                None => {
                    found.broken += 1;
                    found.latencies.push(0);
                }
            }
            if is_redundant == Some(false) {
                found.values[3] += 1;
                found.broken += usize::from(route.failover.is_some_and(|failover| failover.required));
            }
            let (a, b) = (self.nodes[from].host, self.nodes[to].host);
            if a != b {
                load[self.link(a, b)] += route.throughput;
            }
            found.backups.push(backups);
        }
        let overloaded =
            |(link, load): (&super::problem::Link, &i64)| link.bandwidth_mbps.is_some_and(|max| *load > max);
        found.broken += self.links.iter().zip(&load).filter(|pair| overloaded(*pair)).count();
        found
    }

    /// Returns every other target that can stand in for `target`, once with its best lane, best first.
    fn backups(&self, route: &Route, target: usize, placement: &[usize]) -> Vec<Candidate> {
        let mut ranked = Vec::new();
        for &backup in route.backups.iter().filter(|backup| backup.target != target) {
            let (from, to) = (placement[route.source], placement[backup.target]);
            if let Some(service) = self.admissible(route, backup, from, to) {
                let cost = self.lanes.figures(backup.lane).cost;
                ranked.push((service.violated, service.distance, cost, backup));
            }
        }
        // Agents are sorted by name, so the candidate's own order is that by name and lane.
        ranked.sort_unstable();
        let mut seen = Vec::new();
        let mut first = |target| {
            !seen.contains(&target) && {
                seen.push(target);
                true
            }
        };
        ranked.into_iter().map(|(.., backup)| backup).filter(|backup| first(backup.target)).collect()
    }
}

/// Adds a cost to a sum.
pub(super) fn add(sum: &mut Objective, cost: &Objective) {
    sum.iter_mut().zip(cost).for_each(|(sum, cost)| *sum += cost);
}

/// Takes a cost from a sum.
pub(super) fn subtract(sum: &mut Objective, cost: &Objective) {
    sum.iter_mut().zip(cost).for_each(|(sum, cost)| *sum -= cost);
}
