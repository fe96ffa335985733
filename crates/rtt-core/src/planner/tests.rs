//! The planner against exhaustive enumeration, on problems small enough for it.

mod neighbourhood;
mod partition;
mod parts;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::problem::{Agent, Assignment, Candidate, Failover, Link, Node, Objective, Problem, Route, Spread};
use super::{Constraint, Fix, Options, Outcome, Reason, conflict, explain, solve};
use crate::lane::{Lane, LaneTable};

fn options() -> Options<'static> {
    Options { effort: 1, expired: &|| false, memory: None }
}

/// A generator of numbers, the same on every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("below a usize")
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn number(&mut self, limit: usize) -> i64 {
        i64::try_from(self.below(limit)).expect("small")
    }
}

fn random_problem(random: &mut Random) -> Problem {
    let hosts = 1 + random.below(2);
    let nodes: Vec<Node> = (0..hosts)
        .flat_map(|host| (0..1 + u32::from(hosts == 1 || host == 0)).map(move |id| (host, id)))
        .map(|(host, id)| Node { host, id, millicores: 100 + 100 * random.number(4), memory_mib: 1_000 })
        .collect();
    let near = 15 + random.number(3) * 5;
    let distance = |a: &Node, b: &Node| match (a.host == b.host, a.id == b.id) {
        (true, true) => 10,
        (true, false) => near,
        _ => 80,
    };
    let agents: Vec<Agent> = (0..2 + random.below(3))
        .map(|index| Agent {
            name: format!("a.n{index}@1.0.0"),
            millicores: 50 + 50 * random.number(3),
            memory_mib: 16,
            allowed: if random.chance(5) { vec![random.below(nodes.len())] } else { (0..nodes.len()).collect() },
            applied: random.chance(3).then(|| (!random.chance(4)).then(|| random.below(nodes.len()))),
        })
        .collect();
    let count = agents.len();
    let candidate = |random: &mut Random, source: usize| Candidate {
        target: (source + 1 + random.below(count - 1)) % count,
        lane: Lane::ALL[random.below(3)],
    };
    let routes = (0..1 + random.below(4))
        .map(|index| {
            let source = random.below(count);
            let mut list = |limit: usize| {
                let mut list: Vec<_> = (0..1 + random.below(limit)).map(|_| candidate(random, source)).collect();
                list.sort();
                list.dedup();
                list
            };
            let (candidates, mut backups) = (list(3), list(2));
            backups.extend(&candidates);
            backups.sort();
            backups.dedup();
            let spread = if random.chance(2) { Spread::Numa } else { Spread::Host };
            let applied = candidates[random.below(candidates.len())];
            Route {
                from: format!("f{index}"),
                to: "t".to_owned(),
                source,
                latency_us: random.chance(2).then(|| [300, 600, 2_100][random.below(3)]),
                throughput: 1 + random.number(5_200),
                strict: random.chance(4),
                priority: 1 + random.number(3),
                candidates,
                backups,
                failover: random.chance(2).then(|| Failover { spread, required: random.chance(4) }),
                applied: random.chance(2).then(|| (agents[applied.target].name.clone(), applied.lane)),
            }
        })
        .collect();
    let links = (1..hosts)
        .map(|b| Link { a: 0, b, latency_us: 120, bandwidth_mbps: random.chance(2).then(|| 1 + random.number(6_000)) })
        .collect();
    Problem {
        hosts: (0..hosts).map(|host| format!("h{host}")).collect(),
        distance: nodes.iter().map(|a| nodes.iter().map(|b| distance(a, b)).collect()).collect(),
        nodes,
        links,
        agents,
        routes,
        lanes: LaneTable::default(),
    }
}

/// Enumerates every assignment, whether it holds or not.
fn assignments(problem: &Problem) -> impl Iterator<Item = Assignment> {
    let mut sizes = vec![problem.nodes.len(); problem.agents.len()];
    sizes.extend(problem.routes.iter().map(|route| route.candidates.len()));
    let next = move |digits: &Vec<usize>| {
        let mut digits = digits.clone();
        let position = (0..digits.len()).find(|&position| digits[position] + 1 < sizes[position])?;
        digits[position] += 1;
        digits[..position].fill(0);
        Some(digits)
    };
    let agents = problem.agents.len();
    std::iter::successors(Some(vec![0; agents + problem.routes.len()]), next).map(move |digits| {
        let (placement, primaries) = digits.split_at(agents);
        Assignment { placement: placement.to_vec(), primaries: primaries.to_vec() }
    })
}

/// The values of the best assignment that holds.
fn least(problem: &Problem) -> Option<Objective> {
    let evaluated = assignments(problem).map(|assignment| problem.evaluate(&assignment));
    evaluated.filter(|evaluation| evaluation.broken == 0).map(|evaluation| evaluation.values).min()
}

#[test]
fn finds_the_optimum_that_enumeration_finds() {
    let mut random = Random(0x5eed);
    let mut infeasible = 0;
    let mut levels = [0; 5];
    for round in 0..600 {
        let problem = random_problem(&mut random);
        let expected = least(&problem);
        match (solve(&problem, &options()), expected) {
            (Outcome::Solved(solution), Some(expected)) => {
                assert_eq!(solution.evaluation.values, expected, "round {round}: {problem:#?}");
                assert!(solution.is_optimal());
                (0..5).for_each(|level| levels[level] += u32::from(expected[level] > 0));
            }
            (Outcome::Infeasible, None) => infeasible += 1,
            (found, expected) => panic!("round {round}: {found:?}, not {expected:?} in {problem:#?}"),
        }
    }
    // The generator must reach what the test is about.
    assert!(infeasible > 60 && levels.iter().all(|&count| count > 40), "{infeasible} {levels:?}");
}

#[test]
fn bounds_without_a_finished_search_are_valid() {
    let mut random = Random(0xb0b);
    let mut open = 0;
    for _ in 0..600 {
        let problem = random_problem(&mut random);
        let calls = AtomicUsize::new(0);
        let limit = 10 + random.below(60);
        let expired = || calls.fetch_add(1, Ordering::Relaxed) >= limit;
        if let Outcome::Solved(solution) = solve(&problem, &Options { effort: 1, expired: &expired, memory: None }) {
            let least = least(&problem).expect("a feasible problem");
            let values = solution.evaluation.values;
            assert!(values >= least);
            for level in 0..5 {
                if values[..level] != least[..level] {
                    break;
                }
                assert!(solution.bounds[level] <= least[level], "{:?} {least:?}", solution.bounds);
            }
            open += u32::from(!solution.is_optimal());
            assert!(!solution.is_optimal() || values == least);
        }
    }
    assert!(open > 10, "{open}");
}

#[test]
fn a_conflict_is_minimal_and_its_fixes_work() {
    let mut random = Random(0xc0ffee);
    let (mut conflicts, mut raised) = (0, 0);
    for _ in 0..300 {
        let problem = random_problem(&mut random);
        if solve(&problem, &options()) != Outcome::Infeasible {
            continue;
        }
        conflicts += 1;
        let found = conflict(&problem, &options());
        assert!(found.is_minimal && !found.constraints.is_empty());
        for (constraint, remedy) in &found.constraints {
            // With the other members of the conflict alone there is a plan; so this one is needed.
            let mut relaxed = problem.clone();
            for other in super::conflict::constraints(&problem) {
                if other == *constraint || !found.constraints.iter().any(|(member, _)| *member == other) {
                    other.relax(&mut relaxed);
                }
            }
            assert!(least(&relaxed).is_some(), "{constraint:?} of {found:?} in {problem:#?}");
            // The remedy is one, and nothing less is.
            if let (Fix::Raise { from, to }, Constraint::Cpu { node }, true) = (remedy.fix, constraint, remedy.suffices)
            {
                raised += 1;
                assert_eq!(from, problem.nodes[*node].millicores);
                for (figure, helps) in [(to, true), (to - 1, false)] {
                    let mut changed = problem.clone();
                    changed.nodes[*node].millicores = figure;
                    assert_eq!(least(&changed).is_some(), helps, "{figure} millicores: {found:?} in {problem:#?}");
                }
            }
            let mut without = problem.clone();
            constraint.relax(&mut without);
            assert_eq!(least(&without).is_some(), remedy.suffices, "{constraint:?} of {found:?} in {problem:#?}");
        }
    }
    assert!(conflicts > 30 && raised > 5, "{conflicts} {raised}");
}

/// Two nodes of one host and a caller with two targets.
fn small() -> Problem {
    let node = |id| Node { host: 0, id, millicores: 150, memory_mib: 100 };
    let agent = |name: &str| Agent {
        name: name.to_owned(),
        millicores: 100,
        memory_mib: 10,
        allowed: vec![0, 1],
        applied: None,
    };
    let candidate = |target, lane| Candidate { target, lane };
    let candidates = vec![candidate(1, Lane::Uds), candidate(1, Lane::Tcp)];
    Problem {
        hosts: vec!["local".to_owned()],
        nodes: vec![node(0), node(1)],
        distance: vec![vec![10, 20], vec![20, 10]],
        links: Vec::new(),
        agents: vec![agent("a.caller@1.0.0"), agent("a.store@1.0.0")],
        routes: vec![Route {
            from: "a.caller".to_owned(),
            to: "a.store".to_owned(),
            source: 0,
            latency_us: Some(1_000),
            throughput: 7,
            strict: true,
            priority: 1,
            backups: candidates.clone(),
            candidates,
            failover: None,
            applied: None,
        }],
        lanes: LaneTable::default(),
    }
}

#[test]
fn says_how_much_is_missing() {
    let mut problem = small();
    assert!(matches!(solve(&problem, &options()), Outcome::Solved(_)));
    problem.routes[0].latency_us = Some(600);
    // By uds a call takes 500 µs on one node, 900 µs between the two; one node lacks room for both agents.
    let found = conflict(&problem, &options());
    assert!(found.is_minimal);
    let fix = |wanted: Constraint| {
        found.constraints.iter().find(|(c, _)| *c == wanted).map(|(_, remedy)| (remedy.fix, remedy.suffices))
    };
    assert_eq!(fix(Constraint::StrictQos { route: 0 }), Some((Fix::Raise { from: 600, to: 900 }, true)));
    assert_eq!(fix(Constraint::Cpu { node: 0 }), Some((Fix::Raise { from: 150, to: 200 }, true)));
    assert_eq!(fix(Constraint::Cpu { node: 1 }), Some((Fix::Raise { from: 150, to: 200 }, true)));
    // Giving the route up would help as well.
    assert_eq!(fix(Constraint::Candidates { route: 0 }), Some((Fix::Drop, true)));
    assert_eq!(found.constraints.len(), 4);
}

#[test]
fn explains_what_each_candidate_would_cost() {
    let mut problem = small();
    problem.routes[0].strict = false;
    let Outcome::Solved(solution) = solve(&problem, &options()) else { panic!("feasible") };
    let reasons: Vec<_> = explain(&problem, &solution, 0, &options()).into_iter().map(|v| v.reason).collect();
    let worse = Reason::Worse { level: 0, chosen: 0, with: 1, is_proven: true };
    assert_eq!(reasons, [Reason::Chosen, worse]);
    problem.routes[0].strict = true;
    let reasons: Vec<_> = explain(&problem, &solution, 0, &options()).into_iter().map(|v| v.reason).collect();
    assert_eq!(reasons, [Reason::Chosen, Reason::Infeasible]);
}

/// Agents with routes to one target each, among nodes of one host that fit tightly.
fn random_partition(random: &mut Random, agents: usize, nodes: usize, routes: usize) -> Problem {
    let mut problem = small();
    problem.agents = (0..agents)
        .map(|index| Agent {
            name: format!("a.n{index:03}@1.0.0"),
            millicores: 20 + 10 * random.number(8),
            memory_mib: 1,
            allowed: if random.chance(8) { vec![random.below(nodes)] } else { (0..nodes).collect() },
            applied: random.chance(6).then(|| Some(random.below(nodes))),
        })
        .collect();
    let sum: i64 = problem.agents.iter().map(|agent| agent.millicores).sum();
    let millicores = sum * 5 / 4 / i64::try_from(nodes).expect("few");
    problem.nodes = (0..nodes)
        .map(|id| Node { host: 0, id: u32::try_from(id).expect("few"), millicores, memory_mib: 1_000 })
        .collect();
    let far = [20, 20, 31][random.below(3)];
    problem.distance = (0..nodes)
        .map(|a| {
            (0..nodes)
                .map(|b| {
                    if a == b {
                        10
                    } else if a / 2 == b / 2 {
                        20
                    } else {
                        far
                    }
                })
                .collect()
        })
        .collect();
    let route = problem.routes[0].clone();
    problem.routes = (0..routes)
        .map(|_| {
            let source = random.below(agents);
            let target = (source + 1 + random.below(agents - 1)) % agents;
            let candidates = vec![Candidate { target, lane: Lane::Uds }, Candidate { target, lane: Lane::Tcp }];
            let throughput = 1 + random.number(50);
            let latency_us = random.chance(6).then_some(600);
            Route {
                source,
                strict: random.chance(5),
                backups: candidates.clone(),
                candidates,
                throughput,
                latency_us,
                ..route.clone()
            }
        })
        .collect();
    problem
}

#[test]
fn every_way_to_search_agrees_where_routes_have_one_target() {
    use super::{dolls::Dolls, large, local::Tables, search::Budget};
    let mut random = Random(0xd011);
    let (mut solved, mut closed) = (0, 0);
    for round in 0..30 {
        let problem = random_partition(&mut random, 5, 3, 7);
        let expected = least(&problem);
        let Some(tables) = Tables::new(&problem) else { panic!("round {round}: tables") };
        let mut dolls = Dolls::new(&problem, &tables).expect("small");
        let mut budget = Budget { left: 10_000_000, expired: &|| false };
        let found = dolls.search(i128::MAX / 1_000_000_000, &mut budget).expect("within the budget");
        let found = found.and_then(|placement| placed_values(&problem, placement));
        assert_eq!(found, expected, "round {round}");
        let mut budget = Budget { left: 50_000, expired: &|| false };
        let walked =
            large::assign(&problem, 0, None, &mut budget).map(|assignment| problem.evaluate(&assignment).values);
        let Some(expected) = expected else {
            assert_eq!(walked, None);
            continue;
        };
        solved += 1;
        for level in 0..3 {
            if let Some(bound) = super::cuts::bound(&problem, level, 300_000, &|| false) {
                assert!(bound <= expected[level], "round {round}, level {level}: {bound} {expected:?}");
                closed += i32::from(bound > 0 && level == 1);
            }
            if expected[..level].iter().any(|&value| value > 0) {
                break;
            }
        }
        if let Some(walked) = walked {
            assert!(walked >= expected);
        }
    }
    assert!(solved > 8 && closed > 2, "{solved} {closed}");
}

/// The values of a placement with its best primaries, which without limits on links are found one by one; `None` if it breaks a
/// constraint.
fn placed_values(problem: &Problem, placement: Vec<usize>) -> Option<Objective> {
    let primaries = super::large::primaries(problem, &placement)?;
    let evaluation = problem.evaluate(&Assignment { placement, primaries });
    (evaluation.broken == 0).then_some(evaluation.values)
}

/// The values of all placements that hold, best first; for problems without limits on links.
fn enumerated(problem: &Problem) -> Vec<Objective> {
    let (agents, nodes) = (problem.agents.len(), problem.nodes.len());
    let placements = (0..nodes.pow(agents as u32))
        .map(|code| (0..agents).map(|agent| code / nodes.pow(agent as u32) % nodes).collect::<Vec<_>>());
    let mut all: Vec<Objective> = placements.filter_map(|placement| placed_values(problem, placement)).collect();
    all.sort_unstable();
    all
}

/// Puts the nodes on hosts of two; a call between hosts costs much.
fn spread_over_hosts(problem: &mut Problem, bandwidth_mbps: Option<i64>) {
    let hosts = problem.nodes.len() / 2;
    problem.hosts = (0..hosts).map(|host| format!("h{host}")).collect();
    let pairs = (0..hosts).flat_map(|a| (a + 1..hosts).map(move |b| (a, b)));
    problem.links = pairs.map(|(a, b)| Link { a, b, latency_us: 200, bandwidth_mbps }).collect();
    for (a, row) in problem.distance.iter_mut().enumerate() {
        problem.nodes[a].host = a / 2;
        row.iter_mut().enumerate().filter(|(b, _)| a / 2 != b / 2).for_each(|(_, far)| *far = 80);
    }
}

#[test]
fn local_search_keeps_links_within_their_bandwidth() {
    use super::{large, search::Budget};
    let mut random = Random(0x114c);
    let mut found = 0;
    for round in 0..6 {
        let mut problem = random_partition(&mut random, 24, 6, 60);
        problem.routes.iter_mut().for_each(|route| route.strict = false);
        spread_over_hosts(&mut problem, None);
        let walk =
            |problem: &Problem| large::assign(problem, 0, None, &mut Budget { left: 300_000, expired: &|| false });
        let Some(free) = walk(&problem) else { continue };
        let mut load = [0; 3];
        for (route, &primary) in problem.routes.iter().zip(&free.primaries) {
            let end = |agent: usize| problem.nodes[free.placement[agent]].host;
            let (a, b) = (end(route.source), end(route.candidates[primary].target));
            if a != b {
                load[problem.link(a, b)] += route.throughput;
            }
        }
        // The fullest link has to carry a tenth less.
        let most = load.iter().max().expect("three links") * 9 / 10;
        spread_over_hosts(&mut problem, Some(most));
        assert!(problem.evaluate(&free).broken > 0, "round {round}");
        found += i32::from(walk(&problem).is_some_and(|assignment| problem.evaluate(&assignment).broken == 0));
    }
    assert!(found >= 4, "{found}");
}

#[test]
fn bounds_of_every_size_stay_below_the_optimum() {
    use super::cuts::{Sizes, bound_of};
    let mut random = Random(0x5bec);
    let (mut solved, mut positive) = (0, [0; 2]);
    for round in 0..24 {
        let mut problem = random_partition(&mut random, 6, 4, 10);
        // Two hosts of two nodes, a call between them dear; every third problem on one host.
        if round % 3 != 0 {
            spread_over_hosts(&mut problem, None);
        }
        let Some(&expected) = enumerated(&problem).first() else { continue };
        solved += 1;
        for level in 0..3 {
            for (kind, dense) in [450, 1].into_iter().enumerate() {
                let sizes = Sizes { dense, sparse: 6, core: 2 };
                let bound = bound_of(&problem, level, 300_000, &sizes, &|| false).unwrap_or(0);
                assert!(bound <= expected[level], "round {round}, level {level}, {kind}: {bound} {expected:?}");
                positive[kind] += i32::from(bound > 0 && level == 1);
            }
            if expected[..=level].iter().any(|&value| value > 0) {
                break;
            }
        }
    }
    assert!(solved > 6 && positive[0] > 3 && positive[1] > 3, "{solved} {positive:?}");
}

#[test]
fn a_clustered_problem_is_solved_and_bounded() {
    let mut random = Random(0xc105);
    let problem = random_partition(&mut random, 24, 3, 60);
    let Outcome::Solved(solution) = solve(&problem, &Options { effort: 1, expired: &|| false, memory: None }) else {
        panic!("feasible")
    };
    let (value, bound) = (solution.evaluation.values[1], solution.bounds[1]);
    assert!(solution.evaluation.values[0] > solution.bounds[0] || 2 * bound > value, "{bound} of {value}");
    let again = solve(&problem, &Options { effort: 1, expired: &|| false, memory: None });
    assert_eq!(again, Outcome::Solved(solution), "the same effort finds the same");
}

#[test]
fn the_applied_assignment_is_where_a_search_begins() {
    let mut random = Random(0xbe91);
    for round in 0..4 {
        let mut problem = random_partition(&mut random, 10, 4, 20);
        let Outcome::Solved(solution) = solve(&problem, &options()) else { panic!("round {round}: no plan") };
        let placement = &solution.assignment.placement;
        for (agent, &node) in problem.agents.iter_mut().zip(placement) {
            agent.applied = Some(Some(node));
        }
        let at_once = Options { expired: &|| true, ..options() };
        let Outcome::Solved(again) = solve(&problem, &at_once) else {
            panic!("round {round}: the applied plan is lost")
        };
        assert!(again.assignment.placement == *placement, "round {round}");
    }
}

#[test]
fn a_tree_that_takes_most_of_the_work_to_open_is_not_opened() {
    let mut random = Random(0x0be2);
    let mut problem = random_partition(&mut random, 12, 512, 11);
    // One component: each calls the next.
    for (index, route) in problem.routes.iter_mut().enumerate() {
        route.source = index;
        route.candidates.iter_mut().chain(&mut route.backups).for_each(|candidate| candidate.target = index + 1);
    }
    problem.agents.iter_mut().for_each(|agent| (agent.applied, agent.allowed) = (None, (0..512).collect()));
    problem.nodes.iter_mut().for_each(|node| node.millicores = 100);
    let nodes = |effort: u32| match solve(&problem, &Options { effort, ..options() }) {
        Outcome::Solved(solution) => solution.nodes,
        other => panic!("{other:?}"),
    };
    assert_eq!(nodes(1), 0, "local search alone");
    assert!(nodes(2) > 0, "half of the work opens the tree");
}
