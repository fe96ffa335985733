//! The recorder under many writers, some of which are killed, and a reader that follows.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rtt_core::schema::Schema;
use rtt_tests::{STAGES, Scratch};
use serde_json::Value;

use super::FLIGHT;

/// How many writers there are at once.
const WRITERS: usize = 50;

fn records(scratch: &Scratch) -> Vec<Value> {
    scratch.run(FLIGHT, &["--format", "json"]).expect_code(0).summary().as_array().expect("a list").clone()
}

#[test]
fn fifty_writers_at_once_lose_nothing_and_a_killed_one_hides_nothing() {
    let scratch = Scratch::empty("crowd");
    scratch.run(STAGES[0], &[]).expect_code(0);
    // Each in a trace of its own, so that it is known whose record is there.
    let trace = |number: usize| format!("{:032x}", number + 1);
    let start = |number: usize| -> Child {
        let mut command = scratch.command(STAGES[0]);
        command.env("TRACEPARENT", format!("00-{}-{:016x}-01", trace(number), 1));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let mut writers: Vec<Child> = (0..WRITERS).map(start).collect();
    // Every fifth is killed, wherever it happens to be.
    let mut survivors = Vec::new();
    for (number, writer) in writers.iter_mut().enumerate() {
        if number % 5 == 0 {
            writer.kill().expect("it is ours");
            writer.wait().expect("it ends");
        } else {
            assert!(writer.wait().expect("it ends").success());
            survivors.push(trace(number));
        }
    }
    // What a writer leaves that is killed in the middle of its line.
    let mut torn = scratch.read(".rtt/telemetry/flight.ndjson");
    torn.push_str("{\"version\":\"1.0.0\",\"start\":\"2026-01-01T0");
    scratch.write(".rtt/telemetry/flight.ndjson", &torn);
    start(WRITERS).wait().expect("it ends");
    survivors.push(trace(WRITERS));

    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for record in records(&scratch) {
        assert_eq!(Schema::Flight.check("RTT-S002", "flight", &record.to_string(), &record), []);
        *seen.entry(record["trace"]["trace_id"].as_str().expect("it has one").to_owned()).or_default() += 1;
    }
    assert!(survivors.iter().all(|trace| seen.get(trace) == Some(&1)), "{seen:?}");
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    // Counted are those whose metrics were written before they were killed, and all that came after.
    let metrics = scratch.read(".rtt/telemetry/rtt.prom");
    let runs: usize = metrics
        .lines()
        .filter(|line| line.starts_with("rtt_stage_runs_total{"))
        .map(|line| line.rsplit(' ').next().expect("a value").parse::<usize>().expect("a number"))
        .sum();
    assert!((survivors.len()..=seen.len()).contains(&runs), "{runs} of {}", seen.len());
    let left: Vec<String> =
        scratch.tree(".rtt/telemetry").into_keys().filter(|file| file.contains(".rtt-tmp-")).collect();
    assert_eq!(left, Vec::<String>::new(), "the next writer clears away what killed ones left");
}

#[test]
fn a_reader_that_follows_sees_runs_as_they_end() {
    let scratch = Scratch::empty("follow");
    scratch.run(STAGES[0], &[]).expect_code(0);
    let mut command = scratch.command(FLIGHT);
    command.args(["--follow", "--format", "ndjson", "--filter", "outcome=success"]).stdout(Stdio::piped());
    let mut reader = command.spawn().expect("it starts");
    let mut lines = BufReader::new(reader.stdout.take().expect("piped")).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().expect("a line").expect("UTF-8")).expect("JSON") };
    assert_eq!(next()["stage"], "00");
    scratch.run(STAGES[4], &[]).expect_code(66);
    scratch.run(STAGES[0], &["--force"]);
    scratch.write("agents/a.agent.json", r#"{"symbol": "agent.a", "version": "1.0.0"}"#);
    scratch.run(STAGES[1], &[]).expect_code(0);
    let mut stages = vec![next()["stage"].clone()];
    if stages[0] == "00" {
        stages.push(next()["stage"].clone());
    }
    assert_eq!(stages.last().expect("not empty"), "10", "failed runs are filtered out");
    reader.kill().expect("it is ours");
    reader.wait().expect("it ends");
    scratch.run(FLIGHT, &["--follow", "--format", "json"]).expect_code(64);
}
