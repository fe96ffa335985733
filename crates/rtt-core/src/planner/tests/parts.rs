//! Components that are solved apart, what is remembered of them, and where a search begins.

use super::{Random, least, options, random_problem};
use crate::lane::Lane;
use crate::planner::problem::{Agent, Candidate, Node, Problem, Route};
use crate::planner::{
    Constraint, Fix, Memory, Options, Outcome, Remembered, Solution, Worth, components, conflict, marginal, solve, warm,
};

/// Pairs of a caller and a store on one host of equal nodes; no route joins two pairs.
fn pairs(count: usize, nodes: usize, millicores: i64) -> Problem {
    let agent = |index: usize| Agent {
        name: format!("a.n{index:03}@1.0.0"),
        millicores: 100,
        memory_mib: 16,
        allowed: (0..nodes).collect(),
        applied: None,
    };
    let route = |pair: usize| Route {
        from: format!("f{pair}"),
        to: "t".to_owned(),
        source: 2 * pair,
        latency_us: None,
        throughput: 10,
        strict: false,
        priority: 1,
        candidates: vec![Candidate { target: 2 * pair + 1, lane: Lane::Uds }],
        backups: vec![Candidate { target: 2 * pair + 1, lane: Lane::Uds }],
        failover: None,
        applied: None,
    };
    Problem {
        hosts: vec!["h".to_owned()],
        nodes: (0..nodes).map(|id| Node { host: 0, id: id as u32, millicores, memory_mib: 10_000 }).collect(),
        distance: (0..nodes).map(|a| (0..nodes).map(|b| if a == b { 10 } else { 20 }).collect()).collect(),
        links: Vec::new(),
        agents: (0..2 * count).map(agent).collect(),
        routes: (0..count).map(route).collect(),
        lanes: crate::lane::LaneTable::default(),
    }
}

fn solved(problem: &Problem, options: &Options) -> Solution {
    match solve(problem, options) {
        Outcome::Solved(solution) => solution,
        other => panic!("{other:?}"),
    }
}

/// Two problems on the same nodes, side by side.
fn beside(one: &Problem, other: &Problem) -> Problem {
    let mut both = one.clone();
    let count = one.agents.len();
    let moved = |all: &[Candidate]| {
        all.iter().map(|candidate| Candidate { target: candidate.target + count, ..*candidate }).collect::<Vec<_>>()
    };
    for agent in &other.agents {
        both.agents.push(Agent { name: agent.name.replace("a.n", "b.n"), ..agent.clone() });
    }
    for route in &other.routes {
        both.routes.push(Route {
            source: route.source + count,
            candidates: moved(&route.candidates),
            backups: moved(&route.backups),
            applied: route.applied.as_ref().map(|(target, lane)| (target.replace("a.n", "b.n"), *lane)),
            ..route.clone()
        });
    }
    both
}

#[test]
fn components_that_compete_for_room_are_solved_to_the_optimum_that_enumeration_finds() {
    let mut random = Random(0xd1ff);
    let (mut apart, mut infeasible, mut coupled) = (0, 0, 0);
    while apart < 150 {
        let one = random_problem(&mut random);
        let mut other = random_problem(&mut random);
        (other.nodes, other.links) = (one.nodes.clone(), one.links.clone());
        (other.hosts, other.distance) = (one.hosts.clone(), one.distance.clone());
        for agent in &mut other.agents {
            agent.allowed.retain(|&node| node < one.nodes.len());
            agent.applied = agent.applied.map(|node| node.filter(|&node| node < one.nodes.len()));
        }
        let size = one.nodes.len().pow((one.agents.len() + other.agents.len()) as u32);
        if size > 2_000 || one.routes.len() + other.routes.len() > 5 {
            continue;
        }
        apart += 1;
        let both = beside(&one, &other);
        assert!(components::split(&both).len() > 1);
        match (solve(&both, &options()), least(&both)) {
            (Outcome::Solved(solution), Some(expected)) => {
                assert_eq!(solution.evaluation.values, expected, "{both:#?}");
                assert!(solution.is_optimal());
                let alone = least(&one).zip(least(&other)).expect("what holds together holds alone");
                coupled += u32::from((0..5).any(|level| alone.0[level] + alone.1[level] != expected[level]));
            }
            (Outcome::Infeasible, None) => infeasible += 1,
            (found, expected) => panic!("{found:?}, not {expected:?} in {both:#?}"),
        }
    }
    assert!(coupled > 5 && infeasible > 20, "{coupled} {infeasible}");
}

#[test]
fn what_is_remembered_changes_nothing_and_spares_what_did_not_change() {
    let problem = pairs(6, 2, 2_000);
    let memory = Memory::default();
    let with = |memory: &Memory, problem: &Problem| {
        let outcome = solve(problem, &Options { memory: Some(memory), ..options() });
        assert_eq!(outcome, solve(problem, &options()), "with and without");
    };
    with(&memory, &problem);
    let first = memory.used();
    assert_eq!((memory.hits(), first.len()), (0, 6));

    // The same again, and with another demand in one component.
    let memory = Memory::new(first.clone());
    with(&memory, &problem);
    assert_eq!((memory.hits(), memory.used()), (6, first.clone()));
    let mut changed = problem.clone();
    changed.routes[3].throughput = 11;
    let memory = Memory::new(first.clone());
    with(&memory, &changed);
    assert_eq!(memory.hits(), 5);

    // Another work limit is another search.
    let memory = Memory::new(first);
    solve(&problem, &Options { effort: 2, memory: Some(&memory), ..options() });
    assert_eq!(memory.hits(), 0);
}

#[test]
fn what_does_not_fit_is_not_recalled() {
    let problem = pairs(2, 2, 1_000);
    let memory = Memory::default();
    let expected = solve(&problem, &Options { memory: Some(&memory), ..options() });
    let wrong: [fn(&mut Remembered); 8] = [
        |entry| entry.placement[0] = 7,
        |entry| entry.placement.truncate(1),
        |entry| entry.placement[0] = 1 - entry.placement[0],
        |entry| entry.primaries[0] = 1,
        |entry| entry.primaries.clear(),
        |entry| entry.values[1] += 1,
        |entry| entry.bounds[2] = entry.values[2] + 1,
        |entry| entry.bounds[0] = -1,
    ];
    for spoil in wrong {
        let mut entries = memory.used();
        entries.iter_mut().for_each(spoil);
        let spoilt = Memory::new(entries);
        assert_eq!(solve(&problem, &Options { memory: Some(&spoilt), ..options() }), expected);
        assert_eq!((spoilt.hits(), spoilt.used()), (0, memory.used()), "searched anew, and remembered right");
    }
}

#[test]
fn a_search_begins_at_the_applied_plan() {
    let mut problem = pairs(4, 2, 1_000);
    assert_eq!(warm::applied(&problem), None);
    // Everything is on the second node, but for the last pair, which is new.
    problem.agents[..6].iter_mut().for_each(|agent| agent.applied = Some(Some(1)));
    let start = warm::applied(&problem).expect("there is room");
    assert_eq!(
        start.placement,
        [1, 1, 1, 1, 1, 1, 0, 0],
        "the new pair is where it costs least, the node with most room first"
    );
    assert_eq!(solved(&problem, &options()).assignment.placement[..6], [1; 6]);

    // On a node that is too small now, what fits stays.
    problem.nodes[1].millicores = 350;
    let start = warm::applied(&problem).expect("there is room");
    assert_eq!(start.placement.iter().filter(|node| **node == 1).count(), 3);
    problem.agents[0].allowed = vec![0];
    assert_eq!(warm::applied(&problem).expect("there is room").placement[0], 0);
}

#[test]
fn says_what_more_capacity_is_worth() {
    // Two pairs fit on a node; the third is torn apart.
    let problem = pairs(3, 2, 300);
    let solution = solved(&problem, &options());
    assert_eq!(solution.evaluation.values[1], 100);
    let improves = Worth::Improves { level: 1, from: 100, to: 0, is_proven: true };
    assert_eq!(marginal(&problem, &solution, (100, 16), &options()), [[improves, Worth::Nothing]; 2]);
    assert_eq!(marginal(&problem, &solution, (99, 16), &options()), [[Worth::Nothing; 2]; 2]);
    let roomy = pairs(3, 2, 400);
    let solution = solved(&roomy, &options());
    assert_eq!(marginal(&roomy, &solution, (100, 16), &options()), [[Worth::Nothing; 2]; 2]);
    // A search that comes to no end tells nothing but what is proven all the same.
    let hurried = Options { effort: 1, expired: &|| true, memory: None };
    let worths = marginal(&problem, &solved(&problem, &options()), (100, 16), &hurried);
    assert_eq!(worths, [[improves, Worth::Unknown], [Worth::Unknown; 2]]);
}

#[test]
fn a_walk_passes_nodes_that_are_too_small_for_anybody() {
    // Teams that are torn anyway, and a node without processors beside them.
    let mut random = Random(0x0dd);
    let mut problem = pairs(20, 4, 900);
    problem.nodes[2].millicores = 0;
    problem.nodes[3].millicores = 2_200;
    for pair in 0..60 {
        let source = random.below(40);
        let target = (source + 1 + random.below(39)) % 40;
        let mut route = problem.routes[pair % 20].clone();
        route.source = source;
        route.candidates = vec![Candidate { target, lane: Lane::Uds }];
        route.backups.clone_from(&route.candidates);
        route.throughput = 1 + random.number(50);
        problem.routes.push(route);
    }
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let expired = || calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 2_000_000;
    let solution = solved(&problem, &Options { effort: 1, expired: &expired, memory: None });
    assert!(solution.assignment.placement.iter().all(|&node| node != 2));
}

#[test]
fn a_conflict_on_many_nodes_names_them() {
    // Giving every capacity up must not be more than a sum can hold.
    let problem = pairs(1, 9, 50);
    let found = conflict(&problem, &options());
    let mut expected: Vec<Constraint> = Vec::new();
    expected.extend((0..9).map(|node| Constraint::Cpu { node }));
    let members: Vec<Constraint> = found.constraints.iter().map(|(constraint, _)| *constraint).collect();
    assert_eq!((members, found.is_minimal), (expected, true));
    assert!(
        found.constraints.iter().all(|(_, remedy)| remedy.fix == Fix::Raise { from: 50, to: 200 } && remedy.suffices)
    );
}
