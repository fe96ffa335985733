//! `.rtt/telemetry/rtt.prom`: how often each stage ran and its newest figures in Prometheus' text exposition format 0.0.4,
//! for node_exporter's textfile collector.
//!
//! Made from `newest.json` beside it, so that a run does not read the whole history. Names keep the rules of `promtool check
//! metrics`: base units, `_total` for counters alone, no two samples of one name and one set of labels.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::flight::{self, Record};
use crate::clock;
use crate::workspace::durable::{self, Mode};
use crate::workspace::state::FORMAT_VERSION;
use crate::workspace::{Error, Workspace, layout};

/// How many different outcomes of a stage are counted apart; the stages know fewer.
const MAX_OUTCOMES: usize = 32;

/// What metrics are made from.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Newest {
    version: String,
    stages: BTreeMap<String, Runs>,
}

/// The runs of one stage.
#[derive(Debug, Serialize, Deserialize)]
struct Runs {
    newest: Record,
    /// How often it ended so.
    outcomes: BTreeMap<String, u64>,
    /// How long all runs took together.
    total_ms: u64,
}

/// Counts a record and writes the metrics. The caller holds the recorder's lock.
pub(super) fn renew(workspace: &Workspace, record: &Record) -> Result<(), Error> {
    let bytes = workspace.read_optional(layout::NEWEST)?.unwrap_or_default();
    let mut newest: Newest = serde_json::from_slice(&bytes).unwrap_or_default();
    if newest.stages.is_empty() {
        // The first run, or one after the file was lost: the history holds this record already.
        flight::read(workspace)?.iter().for_each(|record| newest.count(record));
    } else {
        newest.count(record);
    }
    newest.version = FORMAT_VERSION.to_owned();
    let state = serde_json::to_string(&newest).expect("string keys and finite numbers") + "\n";
    for (file, text) in [(layout::NEWEST, state), (layout::METRICS, newest.render())] {
        let path = workspace.path(file);
        durable::replace_unsynced(&path, text.as_bytes(), Mode::Public)
            .map_err(|source| Error::create(&path, source))?;
    }
    Ok(())
}

impl Newest {
    fn count(&mut self, record: &Record) {
        let runs = self.stages.entry(record.stage.clone()).or_insert_with(|| Runs {
            newest: record.clone(),
            outcomes: BTreeMap::new(),
            total_ms: 0,
        });
        let is_known = runs.outcomes.contains_key(&record.outcome) || runs.outcomes.len() < MAX_OUTCOMES;
        let outcome = if is_known { record.outcome.as_str() } else { "other" };
        *runs.outcomes.entry(outcome.to_owned()).or_default() += 1;
        runs.total_ms = runs.total_ms.saturating_add(record.duration_ms);
        runs.newest = record.clone();
    }

    fn render(&self) -> String {
        let mut page = Page::default();
        let version = [("version", crate::VERSION)];
        page.add("rtt_build_info", Kind::Gauge, "The version that wrote this file.", &version, 1.0);
        for (stage, runs) in &self.stages {
            for (outcome, count) in &runs.outcomes {
                let help = "How many runs of each stage ended how.";
                let labels = [("stage", stage.as_str()), ("outcome", outcome)];
                page.add("rtt_stage_runs_total", Kind::Counter, help, &labels, *count as f64);
            }
            let labels = [("stage", stage.as_str())];
            let help = "How long all runs of each stage took together.";
            page.add("rtt_stage_run_seconds_total", Kind::Counter, help, &labels, runs.total_ms as f64 / 1000.0);
            let newest = &runs.newest;
            let mut gauge = |name: &str, value: f64, help: &str| page.add(name, Kind::Gauge, help, &labels, value);
            let seconds = newest.duration_ms as f64 / 1000.0;
            gauge("rtt_stage_duration_seconds", seconds, "How long the newest run of each stage took.");
            gauge("rtt_stage_exit_code", f64::from(newest.exit_code), "What the newest run of each stage returned.");
            let start = clock::parse_rfc3339(&newest.start).and_then(|start| start.duration_since(UNIX_EPOCH).ok());
            if let Some(age) = start {
                let help = "When the newest run of each stage began.";
                gauge("rtt_stage_last_run_timestamp_seconds", age.as_secs_f64(), help);
            }
            for (figure, value) in &newest.figures {
                let number = value.as_f64().or_else(|| value.as_bool().map(|flag| f64::from(u8::from(flag))));
                if let Some(number) = number {
                    let (name, factor) = metric_name(figure);
                    let help = format!("The figure '{figure}' of the newest run of each stage.");
                    gauge(&name, number * factor, &help);
                }
            }
        }
        page.text()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

/// Metrics by name, since the format wants all samples of a metric together.
#[derive(Default)]
struct Page {
    metrics: BTreeMap<String, Metric>,
}

struct Metric {
    kind: Kind,
    help: String,
    /// By their labels.
    samples: BTreeMap<String, f64>,
}

impl Page {
    /// Adds a sample, unless there is one of that name and these labels.
    fn add(&mut self, name: &str, kind: Kind, help: &str, labels: &[(&str, &str)], value: f64) {
        let metric = self.metrics.entry(name.to_owned()).or_insert_with(|| Metric {
            kind,
            help: help.to_owned(),
            samples: BTreeMap::new(),
        });
        if metric.kind != kind {
            return;
        }
        let label = |(key, value): &(&str, &str)| format!("{key}=\"{}\"", escaped(value).replace('"', "\\\""));
        let labels: Vec<String> = labels.iter().map(label).collect();
        metric.samples.entry(labels.join(",")).or_insert(value);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, metric) in &self.metrics {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", escaped(&metric.help))
                .expect("writing to a string");
            for (labels, value) in &metric.samples {
                writeln!(text, "{name}{{{labels}}} {value}").expect("writing to a string");
            }
        }
        text
    }
}

/// Escapes what HELP lines and label values both escape.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

/// Returns the metric of a figure, `[a-z_][a-z0-9_]*`, and by what its values are multiplied to be in base units.
fn metric_name(figure: &str) -> (String, f64) {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let mut name = format!("rtt_{}", figure.chars().map(legal).collect::<String>());
    let mut factor = 1.0;
    for (unit, base, by) in
        [("_ms", "_seconds", 1e-3), ("_us", "_seconds", 1e-6), ("_mb", "_bytes", 1_048_576.0), ("_s", "_seconds", 1.0)]
    {
        if let Some(stem) = name.strip_suffix(unit) {
            (name, factor) = (format!("{stem}{base}"), by);
            break;
        }
    }
    // These endings say that a metric is part of a counter, a summary or a histogram.
    if ["_total", "_count", "_sum", "_bucket", "_info"].iter().any(|ending| name.ends_with(ending)) {
        name.push_str("_value");
    }
    (name, factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(stage: &str, outcome: &str, figures: &[(&str, f64)]) -> Record {
        Record {
            version: "1.0.0".to_owned(),
            start: "1970-01-01T00:01:00.000Z".to_owned(),
            duration_ms: 1500,
            stage: stage.to_owned(),
            generator: "test".to_owned(),
            exit_code: 0,
            outcome: outcome.to_owned(),
            inputs: None,
            figures: figures.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
            trace: None,
        }
    }

    fn render(records: &[Record]) -> String {
        let mut newest = Newest::default();
        records.iter().for_each(|record| newest.count(record));
        newest.render()
    }

    fn check(text: &str, expected: &[&str]) {
        for lines in expected {
            assert!(text.contains(&format!("{lines}\n")), "expected {lines} in\n{text}");
        }
    }

    #[test]
    fn shows_the_newest_run_of_each_stage_and_counts_all() {
        let of = |stage, symbols| record(stage, "success", &[("symbols", symbols)]);
        let text = render(&[of("10", 1.0), of("20", 2.0), record("10", "error", &[]), of("10", 3.0)]);
        check(
            &text,
            &[
                "# TYPE rtt_symbols gauge\nrtt_symbols{stage=\"10\"} 3\nrtt_symbols{stage=\"20\"} 2",
                "rtt_stage_duration_seconds{stage=\"10\"} 1.5",
                "rtt_stage_last_run_timestamp_seconds{stage=\"10\"} 60",
                "rtt_stage_runs_total{stage=\"10\",outcome=\"error\"} 1\nrtt_stage_runs_total{stage=\"10\",outcome=\"success\"} 2",
                "# TYPE rtt_stage_run_seconds_total counter\nrtt_stage_run_seconds_total{stage=\"10\"} 4.5",
            ],
        );
    }

    #[test]
    fn names_keep_the_rules_and_clash_with_none() {
        let figures = [("Latency_ms", 5.0), ("runs_total", 1.0), ("a-b", 1.0), ("a.b", 2.0), ("größe", 1.0)];
        let text = render(&[record("1\"0\\\n", "x", &figures), record("10", "x", &[("stage_runs_total", 9.0)])]);
        check(
            &text,
            &[
                r#"rtt_latency_seconds{stage="1\"0\\\n"} 0.005"#,
                r#"rtt_runs_total_value{stage="1\"0\\\n"} 1"#,
                r#"rtt_a_b{stage="1\"0\\\n"} 1"#,
                r#"rtt_gr__e{stage="1\"0\\\n"} 1"#,
                "rtt_stage_runs_total_value{stage=\"10\"} 9",
            ],
        );
        assert_eq!(text.matches("rtt_a_b{").count(), 1, "{text}");
    }

    #[test]
    fn outcomes_are_bounded() {
        let all: Vec<Record> = (0..1000).map(|n| record("10", &format!("outcome {n}"), &[])).collect();
        let text = render(&all);
        assert_eq!(text.matches("rtt_stage_runs_total{").count(), MAX_OUTCOMES + 1);
        check(&text, &["rtt_stage_runs_total{stage=\"10\",outcome=\"other\"} 968"]);
    }
}
