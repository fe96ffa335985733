//! Interchangeable nodes.

use super::problem::Problem;

/// Returns a class for each node. Two nodes are in one class if swapping them changes neither the problem nor any value;
/// since swaps compose, nodes of a class can be permuted freely.
pub(super) fn classes(problem: &Problem) -> Vec<usize> {
    let mut classes: Vec<usize> = Vec::new();
    for node in 0..problem.nodes.len() {
        let class = (0..node).find(|&other| classes[other] == other && are_alike(problem, node, other));
        classes.push(class.unwrap_or(node));
    }
    classes
}

fn are_alike(problem: &Problem, one: usize, other: usize) -> bool {
    let (a, b) = (&problem.nodes[one], &problem.nodes[other]);
    let swapped = |node: usize| match node {
        node if node == one => other,
        node if node == other => one,
        node => node,
    };
    let nodes = 0..problem.nodes.len();
    let same_distances = nodes.clone().all(|x| {
        let row = nodes.clone();
        row.into_iter().all(|y| problem.distance[x][y] == problem.distance[swapped(x)][swapped(y)])
    });
    let same_agents = problem.agents.iter().all(|agent| {
        agent.allowed.contains(&one) == agent.allowed.contains(&other)
            && !agent.applied.flatten().is_some_and(|node| node == one || node == other)
    });
    // Nodes of different hosts would have to be swapped together with their neighbours.
    a.host == b.host && (a.millicores, a.memory_mib) == (b.millicores, b.memory_mib) && same_distances && same_agents
}
