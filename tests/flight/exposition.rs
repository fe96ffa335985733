//! The metrics file by the rules of `promtool check metrics`, and as Prometheus' own Python client reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use rtt_tests::{Run, STAGES, recipe};

use super::flown;

/// Units that are not base units, and abbreviations of units.
const WRONG_UNITS: [&str; 14] = [
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "kilobytes",
    "megabytes",
    "percent",
    "ms",
    "us",
    "ns",
    "mb",
    "kb",
    "sec",
];

/// Returns what is wrong with a text in the exposition format 0.0.4.
fn problems(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |line: &str, what: &str| wrong.push(format!("{what}: {line}"));
    if !text.ends_with('\n') {
        say("", "the last line has no end");
    }
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    let mut helped: BTreeSet<&str> = BTreeSet::new();
    let mut samples: BTreeSet<String> = BTreeSet::new();
    let mut finished: BTreeSet<&str> = BTreeSet::new();
    let mut current = "";
    for line in text.lines() {
        let name = if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
            if help.trim().is_empty() || !helped.insert(name) || kinds.contains_key(name) {
                say(line, "HELP is empty, comes twice or after TYPE");
            }
            if help.replace("\\\\", "").replace("\\n", "").contains('\\') {
                say(line, "HELP has an unknown escape");
            }
            name
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
            if !["counter", "gauge"].contains(&kind) || kinds.insert(name, kind).is_some() {
                say(line, "TYPE is unknown or comes twice");
            }
            name
        } else {
            let Some((name, labels, value)) = sample(line) else {
                say(line, "not a sample");
                continue;
            };
            if !kinds.contains_key(name) || !helped.contains(name) {
                say(line, "a sample before its HELP and TYPE");
            }
            if !samples.insert(format!("{name}{labels:?}")) {
                say(line, "a sample that was there");
            }
            if value.parse::<f64>().is_err() {
                say(line, "not a number");
            }
            name
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            say(line, "not a name in snake case");
        }
        if name != current {
            if !finished.insert(name) {
                say(line, "the samples of a metric are not together");
            }
            current = name;
        }
    }
    for (name, kind) in kinds {
        if (kind == "counter") != name.ends_with("_total") {
            say(name, "_total is for counters, and for all of them");
        }
        if ["_count", "_sum", "_bucket"].iter().any(|ending| name.ends_with(ending)) {
            say(name, "an ending of summaries and histograms");
        }
        if name.split('_').any(|part| WRONG_UNITS.contains(&part) || ["counter", "gauge"].contains(&part)) {
            say(name, "a unit that is no base unit, or the type in the name");
        }
    }
    wrong
}

/// Labels by name, in the order in which they stand.
type Labels<'a> = Vec<(&'a str, String)>;

/// Splits a sample into name, labels and value.
fn sample(line: &str) -> Option<(&str, Labels<'_>, &str)> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let Some(mut rest) = rest.strip_prefix('{') else { return Some((name, Vec::new(), rest.strip_prefix(' ')?)) };
    let mut labels = Vec::new();
    loop {
        let (label, after) = rest.split_once("=\"")?;
        let is_label = label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match characters.next()?.1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    _ => return None,
                }),
                (_, other) => value.push(other),
            }
        };
        if !is_label || labels.iter().any(|(known, _)| *known == label) {
            return None;
        }
        labels.push((label, value));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((name, labels, rest.strip_prefix("} ")?)),
        }
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let head = "# HELP rtt_a A.\n# TYPE rtt_a gauge\n";
    assert_eq!(problems(&format!("{head}rtt_a{{b=\"c\\\"d\\\\\\n\",e=\"\"}} 1\nrtt_a 2.5\n")), Vec::<String>::new());
    for wrong in [
        "rtt_a 1\n",
        "# HELP rtt_a A.\n# TYPE rtt_a gauge\nrtt_a 1",
        "# HELP rtt_a A.\n# TYPE rtt_a gauge\nrtt_a 1\nrtt_a 1\n",
        "# HELP rtt_a A.\n# TYPE rtt_a gauge\nrtt_a x\n",
        "# HELP rtt_a A.\n# TYPE rtt_a gauge\nrtt_a{b=\"c\\d\"} 1\n",
        "# HELP rtt_a A.\n# TYPE rtt_a gauge\nrtt_a{b-c=\"d\"} 1\n",
        "# HELP rtt_a \n# TYPE rtt_a gauge\nrtt_a 1\n",
        "# HELP rtt_a A\\t.\n# TYPE rtt_a gauge\nrtt_a 1\n",
        "# HELP rtt_a_total A.\n# TYPE rtt_a_total gauge\nrtt_a_total 1\n",
        "# HELP rtt_a A.\n# TYPE rtt_a counter\nrtt_a 1\n",
        "# HELP rtt_a_ms A.\n# TYPE rtt_a_ms gauge\nrtt_a_ms 1\n",
        "# HELP rtt_A A.\n# TYPE rtt_A gauge\nrtt_A 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\n# HELP b B.\n# TYPE b gauge\nb 1\na{c=\"d\"} 1\n",
        "# HELP a A.\n# TYPE a gauge\n# TYPE a gauge\na 1\n",
    ] {
        assert!(!problems(wrong).is_empty(), "{wrong}");
    }
}

#[test]
fn the_metrics_file_keeps_the_rules() {
    let scratch = flown("metrics");
    scratch.write("agents/bad.agent.json", "{");
    scratch.run(STAGES[1], &[]).expect_code(65);
    let text = scratch.read(".rtt/telemetry/rtt.prom");
    assert_eq!(problems(&text), Vec::<String>::new(), "{text}");
    for sample in [
        "rtt_stage_runs_total{stage=\"10\",outcome=\"success\"} 1",
        "rtt_stage_runs_total{stage=\"10\",outcome=\"invalid-input\"} 1",
        "rtt_stage_exit_code{stage=\"10\"} 65",
        "rtt_stage_exit_code{stage=\"50\"} 0",
        "rtt_routes{stage=\"50\"} 8",
        "rtt_invalid{stage=\"10\"} 1",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample} in\n{text}");
    }

    let client = format!("{}/prometheus_client", recipe::python_tools());
    if !recipe::is_here("python3") || !recipe::is_here(&client) {
        return println!("skipped: not installed: python3, prometheus_client");
    }
    let program = "import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        print(family.type, sample.name, sorted(sample.labels.items()), sample.value)";
    let mut command = Command::new("python3");
    let file = std::fs::File::open(scratch.path(".rtt/telemetry/rtt.prom")).expect("there");
    command.args(["-B", "-c", program]).env("PYTHONPATH", recipe::python_tools()).stdin(Stdio::from(file));
    let read = Run::of(&mut command).expect_code(0);
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(read.stdout.lines().count(), samples, "{read:#?}");
    read.expect_stdout("counter rtt_stage_runs_total [('outcome', 'success'), ('stage', '10')] 1")
        .expect_stdout("gauge rtt_routes [('stage', '50')] 8");
}
