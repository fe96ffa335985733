//! What other tools get: filters, one trace over all stages, spans in OTLP/JSON, CI jobs that share a trace.

use std::collections::BTreeSet;

use rtt_core::schema::Schema;
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::Value;

use super::{FLIGHT, PARENT, TRACE, flown};

fn list(scratch: &Scratch, arguments: &[&str]) -> Vec<Value> {
    let run = scratch.run(FLIGHT, &[&["--format", "json"], arguments].concat()).expect_code(0);
    run.summary().as_array().expect("a list").clone()
}

#[test]
fn filters_choose_and_the_table_sums_up() {
    let scratch = flown("filters");
    scratch.write("agents/bad.agent.json", "{");
    scratch.run(STAGES[1], &[]).expect_code(65);
    let stages = |arguments: &[&str]| -> Vec<String> {
        list(&scratch, arguments).iter().map(|record| record["stage"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(stages(&["--filter", "pipeline"]), ["00", "10", "20", "30", "40", "50", "10"]);
    assert_eq!(stages(&["--filter", "stage=10"]), ["10", "10"]);
    assert_eq!(stages(&["--filter", "outcome=invalid-input"]), ["10"]);
    assert_eq!(stages(&["--filter", "outcome=committed"]), ["50"]);
    assert_eq!(stages(&["--filter", "stage=10", "--filter", "outcome=success"]), ["10"]);
    assert_eq!(stages(&["--filter", "trace=0af7"]).len(), 6);
    assert_eq!(stages(&["--since", "2000-01-01", "--last", "2"]), ["50", "10"]);
    assert!(stages(&["--since", "9000-01-01"]).is_empty());
    scratch.run(FLIGHT, &["--filter", "stage=11"]).expect_code(64).expect_stderr("is no filter");
    scratch.run(FLIGHT, &["--since", "then"]).expect_code(64).expect_stderr("expected 2026-01-31");
    let run = scratch.run(FLIGHT, &[]).expect_code(0);
    run.expect_stdout("2PC: 100.0 % of 1 transaction committed").expect_stdout("STAGE    RUNS      OK       P50");
    let nowhere = Scratch::empty("nowhere");
    nowhere.run(FLIGHT, &[]).expect_code(66);
}

#[test]
fn a_trace_goes_through_all_stages_into_otlp() {
    let scratch = flown("trace");
    let records = list(&scratch, &[]);
    let spans: BTreeSet<&str> =
        records.iter().map(|record| record["trace"]["span_id"].as_str().expect("it has one")).collect();
    assert_eq!(spans.len(), STAGES.len(), "each run is a span of its own");
    for record in &records {
        assert_eq!((&record["trace"]["trace_id"], &record["trace"]["parent_span_id"]), (&TRACE.into(), &PARENT.into()));
    }
    let run = scratch.run(FLIGHT, &["--format", "otlp-json"]).expect_code(0);
    let document = run.summary();
    assert_eq!(Schema::OtlpTraces.check("RTT-S002", "stdout", &run.stdout, &document), []);
    let exported = document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("a list").clone();
    assert_eq!(exported.len(), STAGES.len());
    for (span, stage) in exported.iter().zip(STAGES) {
        assert_eq!(
            (&span["name"], &span["traceId"], &span["parentSpanId"]),
            (&stage.into(), &TRACE.into(), &PARENT.into())
        );
        let time = |key: &str| span[key].as_str().expect("text").parse::<u64>().expect("a number");
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    }
    assert_eq!(scratch.run(FLIGHT, &["--format", "otlp-json"]).stdout, run.stdout, "the same each time");
}

#[test]
fn jobs_of_one_ci_pipeline_share_a_trace_without_being_told() {
    let scratch = Scratch::copy_of("quickstart", "ci");
    let run = |stage: &str, pipeline: &str| {
        let mut command = scratch.command(stage);
        command.envs([("GITHUB_SERVER_URL", "https://ci.example"), ("GITHUB_REPOSITORY", "a/b")]);
        Run::of(command.envs([("GITHUB_RUN_ID", pipeline), ("GITHUB_RUN_ATTEMPT", "1")])).expect_code(0);
    };
    run(STAGES[0], "7");
    run(STAGES[1], "7");
    run(STAGES[1], "8");
    let traces: Vec<Value> = list(&scratch, &[]).iter().map(|record| record["trace"]["trace_id"].clone()).collect();
    assert_eq!(traces[0], traces[1]);
    assert_ne!(traces[1], traces[2]);
}
