//! Interchangeable nodes.

use super::problem::Problem;

/// The level at which it counts where an agent was.
const CHURN: usize = 4;

/// Returns a class for each node. Two nodes are in one class if swapping them changes neither the problem nor any value
/// up to a level; since swaps compose, nodes of a class can be permuted freely.
pub(super) fn classes(problem: &Problem, level: usize) -> Vec<usize> {
    let mut classes: Vec<usize> = Vec::new();
    for node in 0..problem.nodes.len() {
        let class = (0..node).find(|&other| classes[other] == other && are_alike(problem, level, node, other));
        classes.push(class.unwrap_or(node));
    }
    classes
}

fn are_alike(problem: &Problem, level: usize, one: usize, other: usize) -> bool {
    let (a, b) = (&problem.nodes[one], &problem.nodes[other]);
    // Nodes of different hosts would have to be swapped together with their neighbours.
    if a.host != b.host || (a.millicores, a.memory_mib) != (b.millicores, b.memory_mib) {
        return false;
    }
    let far = &problem.distance;
    let same_distances = (0..problem.nodes.len())
        .filter(|&node| node != one && node != other)
        .all(|node| far[one][node] == far[other][node] && far[node][one] == far[node][other])
        && (far[one][one], far[one][other]) == (far[other][other], far[other][one]);
    same_distances
        && problem.agents.iter().all(|agent| {
            let may = |node| agent.allowed.binary_search(&node).is_ok();
            (agent.allowed.len() == problem.nodes.len() || may(one) == may(other))
                && (level < CHURN || !agent.applied.flatten().is_some_and(|node| node == one || node == other))
        })
}
