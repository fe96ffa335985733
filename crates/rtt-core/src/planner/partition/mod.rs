//! Exact search by the cut: agents are the vertices of a graph, nodes are bins, and a route whose ends are apart costs more.
//!
//! A tree over the placement of vertices, best bound first. Bounds come from [`dual`]; they are much better than
//! those of [`super::dolls`] and take much longer. A placement that the cut does not exclude is evaluated in full, so the
//! search is exact wherever the cut is a bound: also with other distances, and routes with several targets.

mod dual;
mod eigen;
mod node;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use self::node::{Ground, Node, Vertex};
use super::cuts::Cuts;
use super::local::Tables;
use super::problem::{Assignment, Objective, Problem};
use super::{large, symmetry};

/// More agents are not for a tree: work grows with the third power.
const MAX_AGENTS: usize = 150;
/// As many bits as there are in a set of bins.
const MAX_BINS: usize = 64;
/// Products of two numbers for the first bound, for each in the third power of the number of vertices.
const OPENING: u64 = 4_000;
/// Nodes of the tree that are looked at together, and that are open at most.
const BATCH: usize = 4;
const MAX_OPEN: usize = 1_500;

/// Where a search ended.
pub(super) struct Proof {
    /// Nothing costs less at the level, as far as it was proven.
    pub(super) bound: i64,
    /// What is better than the incumbent, if that was met.
    pub(super) better: Option<Assignment>,
    /// Nodes of the search tree.
    pub(super) nodes: u64,
}

/// Proves that no placement costs less at a level than the incumbent's values say, or finds one, with about so many products
/// of two numbers. The levels before must be proven. `None`: the problem is not of the kind, or too large for so little work.
pub(super) fn prove(
    problem: &Problem,
    level: usize,
    incumbent: &Objective,
    work: u64,
    expired: &(dyn Fn() -> bool + Sync),
) -> Option<Proof> {
    let cuts = (applies(problem) && !expired()).then(|| Cuts::new(problem, level))??;
    let (ground, root, of) = begin(problem, level, &cuts)?;
    if work < OPENING * (root.vertices.len() as u64).pow(3) {
        return None;
    }
    let base = cuts.base.checked_add(i64::try_from(cuts.between_hosts(problem, work / 8, expired)).ok()?)?;
    let tables = Tables::new(problem)?;
    let mut tree =
        Tree { problem, tables: &tables, level, base, ground, of, best: *incumbent, better: None, work, nodes: 0 };
    let bound = tree.search(root, expired);
    Some(Proof { bound, better: tree.better, nodes: tree.nodes })
}

/// Tells whether a problem is of the kind, as far as can be told at once.
pub(super) fn applies(problem: &Problem) -> bool {
    (1..=MAX_BINS).contains(&problem.nodes.len())
        && problem.agents.len() <= MAX_AGENTS
        && problem.links.iter().all(|link| link.bandwidth_mbps.is_none())
}

struct Tree<'p> {
    problem: &'p Problem,
    tables: &'p Tables<'p>,
    level: usize,
    /// What is paid whatever the cut.
    base: i64,
    ground: Ground,
    /// Vertex of each agent.
    of: Vec<usize>,
    best: Objective,
    better: Option<Assignment>,
    /// Products of two numbers that are left.
    work: u64,
    nodes: u64,
}

impl Tree<'_> {
    /// The least cut that could lead to nothing better.
    fn goal(&self) -> i64 {
        self.best[self.level] - self.base
    }

    fn spend(&mut self, work: u64) {
        self.work = self.work.saturating_sub(work);
    }

    /// Returns the bound that is proven at the level.
    fn search(&mut self, mut root: Node, expired: &(dyn Fn() -> bool + Sync)) -> i64 {
        self.nodes += 1;
        let spent = root.look(dual::FROM_NOTHING, self.goal(), self.work, &self.ground);
        self.spend(spent);
        let mut open = BinaryHeap::from([Open { bound: root.bound, serial: 0, node: root }]);
        loop {
            let least = open.peek().map_or(i64::MAX, |open| open.bound);
            if least >= self.goal() {
                return self.best[self.level];
            }
            if self.work == 0 || open.len() > MAX_OPEN || expired() {
                return self.base + least;
            }
            let mut children = Vec::new();
            for _ in 0..BATCH {
                let Some(Open { node, .. }) = open.pop().filter(|open| open.bound < self.goal()) else { break };
                if node.is_leaf() {
                    self.offer(&self.placement(&node.placement()));
                } else {
                    self.refine(&node, expired);
                    children.extend(node.children(&self.ground));
                }
            }
            let (goal, ground) = (self.goal(), &self.ground);
            // The order in which they are looked at changes nothing.
            let spent: u64 = children.par_iter_mut().map(|child| child.look_again(goal, ground)).sum();
            self.spend(spent);
            for node in children {
                self.nodes += 1;
                if node.bound < goal {
                    open.push(Open { bound: node.bound, serial: self.nodes, node });
                }
            }
        }
    }

    /// The node of each agent, by the bin of each vertex.
    fn placement(&self, bins: &[usize]) -> Vec<usize> {
        self.of.iter().map(|&vertex| bins[vertex]).collect()
    }

    /// Looks for something better near what a node's bound suggests.
    fn refine(&mut self, node: &Node, expired: &(dyn Fn() -> bool + Sync)) {
        let Some(bins) = &node.rounded else { return };
        if let Some(placement) = large::refine(self.tables, &self.placement(bins), expired) {
            self.offer(&placement);
        }
    }

    /// Evaluates a placement in full.
    fn offer(&mut self, placement: &[usize]) {
        let Some(primaries) = large::primaries(self.problem, placement) else { return };
        let assignment = Assignment { placement: placement.to_vec(), primaries };
        let evaluation = self.problem.evaluate(&assignment);
        if evaluation.broken == 0 && evaluation.values < self.best {
            self.best = evaluation.values;
            self.better = Some(assignment);
        }
    }
}

/// A node by its bound, the least first; then the older.
struct Open {
    bound: i64,
    serial: u64,
    node: Node,
}

impl Open {
    fn key(&self) -> Reverse<(i64, u64)> {
        Reverse((self.bound, self.serial))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// The tree's ground and its first node, and the vertex of each agent.
fn begin(problem: &Problem, level: usize, cuts: &Cuts) -> Option<(Ground, Node, Vec<usize>)> {
    let cut = cuts.between_nodes();
    let mut names: Vec<usize> = cut.of.clone();
    names.sort_unstable();
    names.dedup();
    let of: Vec<usize> = cut.of.iter().map(|name| names.binary_search(name).unwrap_or_default()).collect();
    let edges = cut.merged();
    let total = edges.iter().try_fold(0_i64, |sum, edge| sum.checked_add(edge.0))?;
    let ground = Ground {
        bins: cut.capacity.clone(),
        class: symmetry::classes(problem, level),
        unit: (2.0 * total as f64 / names.len() as f64).max(1.0),
        divisor: edges.iter().fold(0, |divisor, edge| gcd(divisor, edge.0)).max(1),
    };
    let empty =
        Vertex { demand: [0, 0], capacity: [0, 0], allowed: u64::MAX >> (64 - problem.nodes.len()), members: vec![] };
    let mut vertices = vec![empty; names.len()];
    for (agent, &vertex) in problem.agents.iter().zip(&of) {
        vertices[vertex].demand[0] = vertices[vertex].demand[0].checked_add(agent.millicores)?;
        vertices[vertex].demand[1] = vertices[vertex].demand[1].checked_add(agent.memory_mib)?;
        vertices[vertex].allowed &= agent.allowed.iter().fold(0, |set, node| set | 1 << node);
    }
    for (index, vertex) in vertices.iter_mut().enumerate() {
        vertex.members.push(index);
        vertex.narrow(&ground);
    }
    let place = |name: usize| names.binary_search(&name).unwrap_or_default();
    let edges = edges.into_iter().map(|(weight, a, b)| (place(a), place(b), weight)).collect();
    let root = Node::root(vertices, edges, &ground)?;
    Some((ground, root, of))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
