//! What earlier searches came to, by the digest of everything that they depend on.
//!
//! A digest covers a problem's integers and names, the work limit and the engine; a search is a function of these. What
//! is remembered is evaluated once more before it counts, so that a figure that was tampered with cannot bring an
//! assignment into a plan that is not worth what it says. Bounds cannot be checked: whoever may write the file may also
//! write the registry.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::problem::{Assignment, Objective, Problem};
use super::solve::Solution;
use crate::digest::Digest;
use crate::lane::Lane;

/// The engine's own version: a digest of its sources, made when it is compiled.
pub const ENGINE: &str = env!("RTT_ENGINE");

/// Solutions by the digest of their search.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    known: BTreeMap<Digest, Remembered>,
    used: BTreeMap<Digest, Remembered>,
    hits: usize,
}

/// What is remembered of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// Digest of the search.
    pub search: Digest,
    /// Node of each agent.
    pub placement: Vec<usize>,
    /// Candidate of each route.
    pub primaries: Vec<usize>,
    /// What the assignment is worth.
    pub values: Objective,
    /// What no assignment goes below, level by level.
    pub bounds: Objective,
    /// Nodes of the search tree.
    pub nodes: u64,
}

impl Memory {
    /// A memory of earlier searches.
    pub fn new(known: impl IntoIterator<Item = Remembered>) -> Self {
        let known = known.into_iter().map(|entry| (entry.search, entry)).collect();
        Self(Mutex::new(Entries { known, ..Entries::default() }))
    }

    /// Returns what was found or used since, sorted by digest.
    pub fn used(&self) -> Vec<Remembered> {
        self.0.lock().expect("nobody panics with it").used.values().cloned().collect()
    }

    /// Returns how many searches were spared.
    pub fn hits(&self) -> usize {
        self.0.lock().expect("nobody panics with it").hits
    }

    /// Returns the solution of a search, if it is known and worth what it says.
    pub(super) fn recall(&self, search: Digest, problem: &Problem) -> Option<Solution> {
        let entry = {
            let entries = self.0.lock().expect("nobody panics with it");
            entries.used.get(&search).or_else(|| entries.known.get(&search)).cloned()?
        };
        let solution = entry.check(problem)?;
        let mut entries = self.0.lock().expect("nobody panics with it");
        entries.used.insert(search, entry);
        entries.hits += 1;
        Some(solution)
    }

    /// Keeps the solution of a search.
    pub(super) fn keep(&self, search: Digest, solution: &Solution) {
        let Assignment { placement, primaries } = solution.assignment.clone();
        let entry = Remembered {
            search,
            placement,
            primaries,
            values: solution.evaluation.values,
            bounds: solution.bounds,
            nodes: solution.nodes,
        };
        self.0.lock().expect("nobody panics with it").used.insert(search, entry);
    }
}

impl Remembered {
    /// Evaluates the assignment once more; `None` if it does not fit the problem, breaks a constraint, or is worth
    /// something else than is said.
    fn check(&self, problem: &Problem) -> Option<Solution> {
        let Self { search: _, placement, primaries, values, bounds, nodes } = self;
        let fits = placement.len() == problem.agents.len()
            && primaries.len() == problem.routes.len()
            && placement.iter().all(|&node| node < problem.nodes.len())
            && primaries.iter().zip(&problem.routes).all(|(&primary, route)| primary < route.candidates.len())
            && bounds.iter().zip(values).all(|(bound, value)| (0..=*value).contains(bound));
        if !fits {
            return None;
        }
        let assignment = Assignment { placement: placement.clone(), primaries: primaries.clone() };
        let evaluation = problem.evaluate(&assignment);
        ((evaluation.broken, evaluation.values) == (0, *values)).then_some(Solution {
            assignment,
            evaluation,
            bounds: *bounds,
            nodes: *nodes,
        })
    }
}

/// The digest of what all components of a problem have in common: the engine, distances, latencies and lanes.
pub(super) fn ground(problem: &Problem) -> Digest {
    let mut text = Text::default();
    text.name(ENGINE);
    text.count(problem.hosts.len());
    text.count(problem.nodes.len());
    for (node, row) in problem.nodes.iter().zip(&problem.distance) {
        text.count(node.host);
        text.numbers([i64::from(node.id)]);
        text.numbers(row.iter().copied());
    }
    text.numbers(problem.links.iter().map(|link| link.latency_us));
    for lane in Lane::ALL {
        let figures = problem.lanes.figures(lane);
        text.numbers([figures.base_us, figures.per10_us, figures.bandwidth_mbps, figures.cost]);
    }
    Digest::of_bytes(text.0)
}

/// The digest of a search: of all that its result depends on. `kind` tells searches apart that begin differently.
pub(super) fn search(ground: Digest, problem: &Problem, kind: &str, work: u64) -> Digest {
    let mut text = Text::default();
    text.0.extend(ground.bytes());
    text.name(kind);
    text.0.extend(work.to_le_bytes());
    text.numbers(problem.nodes.iter().flat_map(|node| [node.millicores, node.memory_mib]));
    for (index, link) in problem.links.iter().enumerate() {
        if let Some(bandwidth) = link.bandwidth_mbps {
            text.numbers([integer(index), bandwidth]);
        }
    }
    text.numbers([-1]);
    text.count(problem.agents.len());
    for agent in &problem.agents {
        text.name(&agent.name);
        text.numbers([agent.millicores, agent.memory_mib]);
        text.numbers([match agent.applied {
            None => -2,
            Some(None) => -1,
            Some(Some(node)) => integer(node),
        }]);
        // Most agents may be anywhere, on hundreds of nodes.
        if agent.allowed.iter().copied().eq(0..problem.nodes.len()) {
            text.numbers([-1]);
        } else {
            text.count(agent.allowed.len());
            text.numbers(agent.allowed.iter().map(|&node| integer(node)));
        }
    }
    text.count(problem.routes.len());
    for route in &problem.routes {
        text.count(route.source);
        text.numbers([route.latency_us.unwrap_or(-1), route.throughput, i64::from(route.strict), route.priority]);
        for candidates in [&route.candidates, &route.backups] {
            text.count(candidates.len());
            text.numbers(candidates.iter().flat_map(|one| [integer(one.target), one.lane as i64]));
        }
        text.numbers([route.failover.map_or(-1, |failover| failover.spread as i64 * 2 + i64::from(failover.required))]);
        match &route.applied {
            None => text.name(""),
            Some((target, lane)) => {
                text.name(target);
                text.numbers([*lane as i64]);
            }
        }
    }
    Digest::of_bytes(text.0)
}

fn integer(index: usize) -> i64 {
    i64::try_from(index).expect("an index fits")
}

/// Numbers and texts one after the other, so that different sequences are different bytes.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn numbers(&mut self, numbers: impl IntoIterator<Item = i64>) {
        numbers.into_iter().for_each(|number| self.0.extend(number.to_le_bytes()));
    }

    fn count(&mut self, count: usize) {
        self.numbers([integer(count)]);
    }

    fn name(&mut self, name: &str) {
        self.count(name.len());
        self.0.extend(name.as_bytes());
    }
}
