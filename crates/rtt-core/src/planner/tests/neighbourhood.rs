//! Neighbourhoods of an incumbent, searched by the tree.

use super::{Random, assignments, least, random_partition, random_problem};
use crate::planner::problem::{Assignment, Problem};
use crate::planner::search::{Budget, Goal, Search};

/// What becomes of an assignment; whatever it is, it holds and is worth what the search says, and the search is as before.
fn reopened(problem: &Problem, start: Assignment) -> Assignment {
    let mut search = Search::new(problem, Goal::Best);
    search.incumbent = Some((problem.evaluate(&start).values, start));
    search.reopen(0, &mut Budget { left: 20_000_000, expired: &|| false });
    assert!(search.placed.iter().all(Option::is_none));
    assert!(search.narrow.iter().all(Vec::is_empty));
    assert_eq!(search.free, Search::new(problem, Goal::Best).free);
    assert_eq!(search.total, [0; 5]);
    let (values, assignment) = search.incumbent.expect("there was one");
    let evaluation = problem.evaluate(&assignment);
    assert_eq!((evaluation.broken, evaluation.values), (0, values));
    assignment
}

#[test]
fn from_the_worst_assignment_neighbourhoods_lead_to_the_optimum() {
    let mut random = Random(0x1a75);
    let (mut feasible, mut improved, mut optimal) = (0, 0, 0);
    for _ in 0..300 {
        let problem = random_problem(&mut random);
        let holds = |assignment: &Assignment| problem.evaluate(assignment).broken == 0;
        let worth = |assignment: &Assignment| problem.evaluate(assignment).values;
        let Some(worst) = assignments(&problem).filter(holds).max_by_key(worth) else { continue };
        let (before, best) = (worth(&worst), least(&problem).expect("one holds"));
        let after = worth(&reopened(&problem, worst));
        assert!(best <= after && after <= before, "{best:?} {after:?} {before:?}: {problem:#?}");
        feasible += 1;
        improved += i32::from(after < before);
        optimal += i32::from(after == best);
    }
    // Agents that no route joins leave together only if they are on one node.
    assert!(feasible > 150 && improved > 150 && optimal * 20 > feasible * 19, "{feasible} {improved} {optimal}");
}

/// An assignment for room alone: each agent, those with the least choice first, where most is left.
fn spread(problem: &Problem) -> Assignment {
    let mut free: Vec<i64> = problem.nodes.iter().map(|node| node.millicores).collect();
    let mut placement = vec![0; problem.agents.len()];
    let mut order: Vec<usize> = (0..placement.len()).collect();
    order.sort_by_key(|&agent| (problem.agents[agent].allowed.len(), -problem.agents[agent].millicores));
    for agent in order {
        let node =
            problem.agents[agent].allowed.iter().copied().max_by_key(|&node| free[node]).expect("one is allowed");
        free[node] -= problem.agents[agent].millicores;
        placement[agent] = node;
    }
    let assignment = Assignment { placement, primaries: vec![0; problem.routes.len()] };
    assert_eq!(problem.evaluate(&assignment).broken, 0);
    assignment
}

#[test]
fn a_neighbourhood_of_many_nodes_is_a_part_of_them_and_leads_on() {
    let mut random = Random(0x0c70);
    for _ in 0..8 {
        let mut problem = random_partition(&mut random, 40, 12, 100);
        problem.routes.iter_mut().for_each(|route| route.strict = false);
        let start = spread(&problem);
        let before = problem.evaluate(&start).values;
        let after = problem.evaluate(&reopened(&problem, start.clone())).values;
        assert!((after[0], after[1] * 2) < (before[0].max(1), before[1]), "{before:?} {after:?}");
        // Only an agent's own node is left of what it is allowed: nothing better is to be had.
        for (agent, &node) in problem.agents.iter_mut().zip(&start.placement) {
            agent.allowed = vec![node];
        }
        assert_eq!(reopened(&problem, start.clone()).placement, start.placement);
    }
}
