//! Stage 40 on generated workspaces: one plan whatever the threads, little moves after a small change, questions leave no
//! trace.
//!
//! `RTT_DETERMINISM=N` sets how often the plans are made; `scripts/determinism.sh` does so a thousand times.

use std::collections::BTreeMap;
use std::process::Child;

use rtt_core::schema::Schema;
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::{Value, json};

/// Numbers that are the same on every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A workspace of teams whose agents talk among themselves, on two hosts of two nodes.
struct Teams {
    teams: usize,
    size: usize,
    /// Routes of each agent within its team.
    routes: usize,
    /// Processors of a node, in thousandths.
    millicores: u64,
    /// Whether each team also calls the next one, so that all of them are one problem.
    joined: bool,
}

impl Teams {
    fn symbol(team: usize, agent: usize) -> String {
        format!("team{team}.agent{agent}")
    }

    fn write(&self, scratch: &Scratch) {
        let mut numbers = Numbers(0x7ea5);
        let mut routes: BTreeMap<(String, String), u64> = BTreeMap::new();
        for team in 0..self.teams {
            for agent in 0..self.size {
                write_agent(scratch, &Self::symbol(team, agent), 200 + 100 * numbers.below(5));
                for _ in 0..self.routes {
                    let other = (agent + 1 + numbers.below(self.size as u64 - 1) as usize) % self.size;
                    let ends = (Self::symbol(team, agent), Self::symbol(team, other));
                    routes.insert(ends, 1 + numbers.below(90));
                }
            }
            if self.joined {
                let next = Self::symbol((team + 1) % self.teams, 1);
                routes.insert((Self::symbol(team, 0), next), 1 + numbers.below(30));
            }
        }
        write_routes(scratch, &routes);
        let cpu = self.millicores as f64 / 1000.0;
        let node = |id: u32| json!({"id": id, "cpu": cpu, "memory_mb": 65_536});
        let host = |name: &str| json!({"name": name, "nodes": [node(0), node(1)], "distance": [[10, 21], [21, 10]]});
        let topology = json!({"version": "1.0.0", "hosts": [host("one"), host("two")],
                              "links": [{"a": "one", "b": "two", "latency_us": 150, "distance": 80}]});
        scratch.write(".rtt/topology.json", topology.to_string());
    }
}

fn write_agent(scratch: &Scratch, symbol: &str, millicores: u64) {
    let manifest = json!({"symbol": symbol, "version": "1.0.0", "provides": {"lanes": ["shm", "uds", "tcp"]},
                          "resources": {"cpu": millicores as f64 / 1000.0, "memory_mb": 64}});
    scratch.write(&format!("agents/{symbol}.agent.json"), manifest.to_string());
}

fn write_routes(scratch: &Scratch, routes: &BTreeMap<(String, String), u64>) {
    let entries: Vec<Value> = routes
        .iter()
        .map(|((from, to), mbps)| json!({"from": from, "to": to, "qos": {"throughput_mbps": mbps}}))
        .collect();
    scratch.write(".rtt/routes.json", json!({"version": "1.0.0", "routes": entries}).to_string());
}

fn prepared(name: &str, teams: &Teams) -> Scratch {
    let scratch = Scratch::empty(name);
    scratch.run_all(&STAGES[..1]);
    teams.write(&scratch);
    scratch.run_all(&STAGES[1..4]);
    scratch
}

fn plan(scratch: &Scratch) -> Value {
    let latest = std::fs::read_link(scratch.path("plans/LATEST")).expect("a symlink");
    scratch.json(&format!("plans/{}", latest.display()))
}

fn places(plan: &Value) -> BTreeMap<String, String> {
    let placement = plan["placement"].as_array().expect("a list");
    placement.iter().map(|one| (one["agent"].to_string(), format!("{}/{}", one["host"], one["numa_node"]))).collect()
}

/// Plans again and again, with one to eight threads, several processes at once, with what was remembered and without.
fn one_plan(name: &str, teams: &Teams, effort: &str, status: &str, runs: usize) -> usize {
    const AT_ONCE: usize = 4;
    let first = prepared(name, teams);
    first.run("rtt-40-solver", &["--effort", effort, "--jobs", "1"]).expect_code(0);
    let expected = plan(&first);
    assert_eq!(expected["status"], status);
    let cache = first.read(".rtt/cache/solver.json");
    let copies: Vec<Scratch> = (0..AT_ONCE).map(|copy| prepared(&format!("{name}-{copy}"), teams)).collect();
    let mut done = 0;
    while done < runs {
        let started: Vec<(usize, &Scratch, Child)> = copies
            .iter()
            .enumerate()
            .map(|(index, scratch)| {
                let number = done + index;
                let mut command = scratch.command("rtt-40-solver");
                command.args(["--effort", effort, "--jobs", &(1 + number % 8).to_string()]);
                // Two of three start from nothing, the third from what the one before has left.
                if number % 3 != 2 {
                    command.arg("--force");
                } else {
                    drop(std::fs::remove_file(scratch.path("plans/LATEST")));
                }
                let quiet = std::process::Stdio::null;
                (number, scratch, command.stdout(quiet()).stderr(quiet()).spawn().expect("it starts"))
            })
            .collect();
        for (number, scratch, mut child) in started {
            assert!(child.wait().expect("it ends").success(), "run {number}");
            assert_eq!(plan(scratch)["plan_id"], expected["plan_id"], "run {number}");
            assert_eq!(scratch.read(".rtt/cache/solver.json"), cache, "run {number}");
            done += 1;
        }
    }
    done
}

fn runs(default: usize) -> usize {
    std::env::var("RTT_DETERMINISM").map_or(default, |text| text.parse().expect("a number of runs"))
}

#[test]
fn threads_and_schedules_give_one_plan_of_many_components() {
    let teams = Teams { teams: 9, size: 4, routes: 2, millicores: 5_500, joined: false };
    let done = one_plan("components", &teams, "1", "optimal", runs(40));
    println!("{done} runs, one plan");
}

#[test]
fn threads_and_schedules_give_one_plan_where_the_search_ends_early() {
    let teams = Teams { teams: 1, size: 52, routes: 4, millicores: 5_400, joined: false };
    let done = one_plan("open", &teams, "1", "feasible", runs(40) / 10);
    println!("{done} runs, one plan");
}

#[test]
fn one_agent_more_moves_few() {
    let teams = Teams { teams: 10, size: 10, routes: 2, millicores: 16_000, joined: true };
    let scratch = prepared("hundred", &teams);
    let solve = || scratch.run("rtt-40-solver", &["--effort", "1"]).expect_code(0);
    solve();
    scratch.run_all(&STAGES[5..]);
    let before = plan(&scratch);
    let mut routes: BTreeMap<(String, String), u64> = BTreeMap::new();
    for route in scratch.json(".rtt/routes.json")["routes"].as_array().expect("a list") {
        let end = |key: &str| route[key].as_str().expect("a text").to_owned();
        routes.insert((end("from"), end("to")), route["qos"]["throughput_mbps"].as_u64().expect("a number"));
    }
    for (position, to) in [(3, 40), (7, 20)] {
        routes.insert(("team4.newcomer".to_owned(), Teams::symbol(4, position)), to);
    }
    write_agent(&scratch, "team4.newcomer", 300);
    write_routes(&scratch, &routes);
    scratch.run_all(&STAGES[1..4]);
    solve();
    let after = plan(&scratch);
    let (old, new) = (places(&before), places(&after));
    assert_eq!((old.len(), new.len()), (100, 101));
    let moved = old.iter().filter(|(agent, place)| new[*agent] != **place).count();
    println!("{moved} of 100 moved; {}", after["objective"]);
    assert!(moved <= 3, "{moved} of 100 moved");
}

#[test]
fn many_routes_are_drawn_together() {
    let teams = Teams { teams: 30, size: 6, routes: 2, millicores: 40_000, joined: false };
    let scratch = prepared("drawn", &teams);
    let draw = |format: &str| scratch.run("rtt-40-solver", &["--effort", "1", "--graph", format]).expect_code(0).stdout;
    let svg = draw("svg");
    assert!(plan(&scratch)["routes"].as_array().expect("a list").len() > 200);
    let line = |host: &str, node: &str| format!("<title>{host} node {node} to {host} node {node}: ");
    assert!(svg.contains(&line("one", "0")) && svg.contains("routes via shm, "), "{svg}");
    assert!(!svg.contains("team0.agent0"), "no instance has a box of its own");
    assert!(svg.matches("<path ").count() < 40, "{svg}");
    let dot = draw("dot");
    assert!(dot.contains("subgraph cluster_h0 {") && dot.contains(" instances\"];"), "{dot}");
    let mermaid = draw("mermaid");
    assert!(mermaid.contains("subgraph h0[\"one\"]") && mermaid.contains(" shm| n0"), "{mermaid}");
}

#[test]
fn what_violates_its_bounds_is_red() {
    let scratch = prepared("red", &Teams { teams: 1, size: 2, routes: 1, millicores: 2_000, joined: false });
    let policy = json!({"version": "1.0.0", "qos": [{"to": "team0.agent1", "latency_ms": 0.05}]});
    scratch.write(".rtt/policy.json", policy.to_string());
    let draw = |format: &str| scratch.run("rtt-40-solver", &["--graph", format]).expect_code(0).stdout;
    assert!(draw("svg").contains("team0.agent0 -&gt; team0.agent1 via shm, 100 µs, violates its bounds"));
    assert!(draw("dot").contains("color=red"));
    assert!(draw("mermaid").contains("linkStyle 0 stroke:red"), "{}", draw("mermaid"));
}

#[test]
fn questions_leave_no_trace() {
    let teams = Teams { teams: 3, size: 3, routes: 2, millicores: 3_000, joined: false };
    let scratch = prepared("questions", &teams);
    scratch.run_all(&STAGES[4..]);
    let before = scratch.tree(".");
    let ask = |arguments: &[&str], code: i32| {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        let summary = scratch.run("rtt-40-solver", &all).expect_code(code).summary();
        let text = summary.to_string();
        assert_eq!(Schema::Summary.check("RTT-S002", "stdout", &text, &summary), []);
        assert!(before == scratch.tree("."), "{arguments:?} changed a byte");
        summary
    };
    let gone = ask(&["--what-if", "--without-node", "one/1", "--pin", "team0.agent0=two/0"], 0);
    assert_eq!(gone["answer"]["feasible"], json!({"before": "yes", "after": "yes"}));
    let moved = gone["answer"]["placement"].as_array().expect("a list");
    assert!(moved.iter().all(|one| one["after"] != "one/1") && !moved.is_empty(), "{gone:#}");
    let tight =
        ask(&["--what-if", "--capacity", "one/0=0.1,64", "--without-node", "two/1", "--without-node", "one/1"], 1);
    assert_eq!(tight["answer"]["feasible"]["after"], "no");
    assert_eq!(tight["answer"]["minimal"], true);
    assert!(!tight["answer"]["conflict"].as_array().expect("a list").is_empty());
    let worth = ask(&["--marginal"], 0);
    assert_eq!(worth["answer"]["nodes"].as_array().expect("a list").len(), 4);

    let refused = |arguments: &[&str], words: &str| {
        Run::of(scratch.command("rtt-40-solver").args(arguments)).expect_code(64).expect_stderr(words);
        assert!(before == scratch.tree("."), "{arguments:?} changed a byte");
    };
    refused(&["--what-if"], "--without-node");
    refused(&["--pin", "team0.agent0=two/0"], "--what-if");
    refused(&["--what-if", "--without-node", "one/5"], "did you mean 'one/0'?");
    refused(&["--what-if", "--pin", "team0.agnet0=one/0"], "did you mean 'team0.agent0'?");
}
