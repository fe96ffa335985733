//! The parts of a problem that no route joins. They share nothing but capacities and the bandwidth of links.

use std::collections::BTreeMap;

use super::problem::{Agent, Assignment, Candidate, Problem, Route};

/// Agents that routes join, and those routes; indices of the whole problem, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) agents: Vec<usize>,
    pub(super) routes: Vec<usize>,
}

/// What nodes and links have left.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// Millicores and MiB of each node.
    nodes: Vec<(i64, i64)>,
    /// Bandwidth of each link.
    links: Vec<Option<i64>>,
}

/// Splits a problem; the components that need most processor time come first.
pub(super) fn split(problem: &Problem) -> Vec<Component> {
    let mut parent: Vec<usize> = (0..problem.agents.len()).collect();
    for route in &problem.routes {
        for end in route.candidates.iter().chain(&route.backups) {
            let (a, b) = (root(&mut parent, route.source), root(&mut parent, end.target));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut components: BTreeMap<usize, Component> = BTreeMap::new();
    let mut of = |agent: usize| root(&mut parent, agent);
    for agent in 0..problem.agents.len() {
        let empty = || Component { agents: Vec::new(), routes: Vec::new() };
        components.entry(of(agent)).or_insert_with(empty).agents.push(agent);
    }
    for (index, route) in problem.routes.iter().enumerate() {
        components.get_mut(&of(route.source)).expect("every agent is in one").routes.push(index);
    }
    let mut components: Vec<Component> = components.into_values().collect();
    let demand = |component: &Component| component.agents.iter().map(|&agent| problem.agents[agent].millicores).sum();
    components.sort_by_cached_key(|component| std::cmp::Reverse::<i64>(demand(component)));
    components
}

fn root(parent: &mut [usize], mut agent: usize) -> usize {
    while parent[agent] != agent {
        parent[agent] = parent[parent[agent]];
        agent = parent[agent];
    }
    agent
}

impl Room {
    /// Everything that there is.
    pub(super) fn all(problem: &Problem) -> Self {
        Self {
            nodes: problem.nodes.iter().map(|node| (node.millicores, node.memory_mib)).collect(),
            links: problem.links.iter().map(|link| link.bandwidth_mbps).collect(),
        }
    }

    /// Takes what an assignment of a component uses; `false`, and nothing is taken, if that is more than there is.
    pub(super) fn take(&mut self, part: &Problem, assignment: &Assignment) -> bool {
        self.change(part, assignment, -1);
        let fits_node = |&node: &usize| self.nodes[node].0 >= 0 && self.nodes[node].1 >= 0;
        let suffices = assignment.placement.iter().all(fits_node)
            && crossings(part, assignment).all(|(link, _)| self.links[link].is_none_or(|room| room >= 0));
        if !suffices {
            self.change(part, assignment, 1);
        }
        suffices
    }

    fn change(&mut self, part: &Problem, assignment: &Assignment, sign: i64) {
        for (agent, &node) in part.agents.iter().zip(&assignment.placement) {
            self.nodes[node].0 += sign * agent.millicores;
            self.nodes[node].1 += sign * agent.memory_mib;
        }
        for (link, throughput) in crossings(part, assignment) {
            if let Some(room) = &mut self.links[link] {
                *room += sign * throughput;
            }
        }
    }
}

/// The links that an assignment crosses, each with the throughput of the route that does.
fn crossings<'a>(part: &'a Problem, assignment: &'a Assignment) -> impl Iterator<Item = (usize, i64)> + 'a {
    part.routes.iter().zip(&assignment.primaries).filter_map(|(route, &primary)| {
        let ends = [route.source, route.candidates[primary].target];
        let [a, b] = ends.map(|agent| part.nodes[assignment.placement[agent]].host);
        (a != b).then(|| (part.link(a, b), route.throughput))
    })
}

impl Component {
    /// Takes the component out of the whole. Room beyond what it could ever use is left out, so that it is the same
    /// problem whatever happens to capacities that do not bind it.
    pub(super) fn problem(&self, whole: &Problem, room: &Room) -> Problem {
        let index: BTreeMap<usize, usize> = self.agents.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        let moved = |all: &[Candidate]| {
            all.iter().map(|&Candidate { target, lane }| Candidate { target: index[&target], lane }).collect()
        };
        let agents: Vec<Agent> = self.agents.iter().map(|&agent| whole.agents[agent].clone()).collect();
        let routes: Vec<Route> = self
            .routes
            .iter()
            .map(|&route| &whole.routes[route])
            .map(|route| Route {
                source: index[&route.source],
                candidates: moved(&route.candidates),
                backups: moved(&route.backups),
                ..route.clone()
            })
            .collect();
        let needed = agents.iter().fold((0, 0), |sum: (i64, i64), agent| {
            (sum.0.saturating_add(agent.millicores), sum.1.saturating_add(agent.memory_mib))
        });
        let traffic = routes.iter().fold(0_i64, |sum, route| sum.saturating_add(route.throughput));
        let mut nodes = whole.nodes.clone();
        for (node, room) in nodes.iter_mut().zip(&room.nodes) {
            (node.millicores, node.memory_mib) = (room.0.min(needed.0), room.1.min(needed.1));
        }
        let mut links = whole.links.clone();
        for (link, room) in links.iter_mut().zip(&room.links) {
            link.bandwidth_mbps = room.filter(|room| *room < traffic);
        }
        Problem {
            nodes,
            links,
            agents,
            routes,
            hosts: whole.hosts.clone(),
            distance: whole.distance.clone(),
            lanes: whole.lanes.clone(),
        }
    }

    /// Writes the component's assignment into that of the whole.
    pub(super) fn put(&self, part: &Assignment, whole: &mut Assignment) {
        for (&agent, &node) in self.agents.iter().zip(&part.placement) {
            whole.placement[agent] = node;
        }
        for (&route, &primary) in self.routes.iter().zip(&part.primaries) {
            whole.primaries[route] = primary;
        }
    }
}
