//! How long a flight record takes, with a full history and renewed metrics, against appending the same line to a file.
//!
//! Usage: `cargo bench -p rtt-core --bench recorder`. Prints the medians in µs: the record, the plain append.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod measure;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use rtt_core::telemetry::{self, Record, flight, trace::Span};
use rtt_core::workspace::Workspace;

use measure::median;

/// How many records are written before anything is measured: more than are kept.
const BEFORE: usize = 12_000;
/// How many are measured.
const MEASURED: usize = 2_000;

fn main() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    let record = |number: usize| Record {
        version: "1.0.0".to_owned(),
        start: "2026-01-01T00:00:00.000Z".to_owned(),
        duration_ms: 12,
        stage: ["00", "10", "20", "30", "40", "50"][number % 6].to_owned(),
        generator: "bench 0.1.0".to_owned(),
        exit_code: 0,
        outcome: "success".to_owned(),
        inputs: Some(format!("sha256:{}", "0".repeat(64))),
        figures: (0..10).map(|figure| (format!("figure_{figure}"), (number + figure).into())).collect(),
        trace: Span::begin(|_| None),
    };
    for number in 0..BEFORE {
        drop(flight::append(&workspace, &record(number)).expect("writable"));
    }
    let recording = median(MEASURED, |number| telemetry::record(&workspace, &record(number)).expect("writable"));
    let plain = folder.path().join("plain.ndjson");
    let appending = median(MEASURED, |number| {
        let line = serde_json::to_string(&record(number)).expect("JSON") + "\n";
        let mut file = OpenOptions::new().create(true).append(true).open(&plain).expect("writable");
        file.write_all(line.as_bytes()).expect("writable");
    });
    let us = |time: Duration| time.as_secs_f64() * 1_000_000.0;
    println!("{:.1} {:.1}", us(recording), us(appending));
}
