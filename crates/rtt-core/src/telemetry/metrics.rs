//! `.rtt/telemetry/rtt.prom`: the newest figures of each stage in Prometheus' text exposition format 0.0.4, for
//! node_exporter's textfile collector.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use super::flight::Record;
use crate::clock;
use crate::workspace::{Error, Workspace, layout};

pub(super) fn write(workspace: &Workspace, records: &[Record]) -> Result<(), Error> {
    workspace.write(layout::METRICS, render(records).as_bytes())
}

fn render(records: &[Record]) -> String {
    let newest: BTreeMap<&str, &Record> = records.iter().map(|record| (record.stage.as_str(), record)).collect();
    // The format wants all samples of a metric together.
    let mut metrics: BTreeMap<String, Vec<(&str, f64)>> = BTreeMap::new();
    for (stage, record) in newest {
        let mut add = |name: &str, value: f64| metrics.entry(name.to_owned()).or_default().push((stage, value));
        add("rtt_stage_duration_seconds", record.duration_ms as f64 / 1000.0);
        add("rtt_stage_exit_code", f64::from(record.exit_code));
        if let Some(age) = clock::parse_rfc3339(&record.start).and_then(|start| start.duration_since(UNIX_EPOCH).ok()) {
            add("rtt_stage_last_run_timestamp_seconds", age.as_secs_f64());
        }
        for (name, value) in &record.figures {
            let name = metric_name(name);
            if let Some(number) = value.as_f64() {
                add(&name, number);
            } else if let Some(flag) = value.as_bool() {
                add(&name, f64::from(u8::from(flag)));
            }
        }
    }
    let mut text = String::new();
    for (name, samples) in metrics {
        let help = name.trim_start_matches("rtt_").replace('_', " ");
        writeln!(text, "# HELP {name} Newest {help} of each stage.\n# TYPE {name} gauge").expect("writing to a string");
        for (stage, value) in samples {
            writeln!(text, "{name}{{stage=\"{stage}\"}} {value}").expect("writing to a string");
        }
    }
    text
}

/// Metric names are `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn metric_name(figure: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("rtt_{}", figure.chars().map(legal).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_newest_run_of_each_stage() {
        let record = |stage: &str, symbols: u32| Record {
            version: "1.0.0".to_owned(),
            start: "1970-01-01T00:01:00.000Z".to_owned(),
            duration_ms: 1500,
            stage: stage.to_owned(),
            generator: "test".to_owned(),
            exit_code: 0,
            outcome: String::new(),
            inputs: None,
            figures: [("symbols".to_owned(), symbols.into())].into(),
        };
        let text = render(&[record("10", 1), record("20", 2), record("10", 3)]);
        assert!(
            text.contains("# TYPE rtt_symbols gauge\nrtt_symbols{stage=\"10\"} 3\nrtt_symbols{stage=\"20\"} 2\n"),
            "{text}"
        );
        assert!(text.contains("rtt_stage_duration_seconds{stage=\"10\"} 1.5\n"), "{text}");
        assert!(text.contains("rtt_stage_last_run_timestamp_seconds{stage=\"10\"} 60\n"), "{text}");
    }
}
