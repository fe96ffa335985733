//! The history as lines for people. What records hold is escaped.

use std::fmt::Write as _;

use rtt_core::telemetry::Record;
use rtt_core::text::printable;
use serde_json::Value;

use super::chart::sparkline;
use super::statistics::{summarize, two_phase_commit};

/// Returns the line above those of records.
pub fn table_head() -> String {
    format!("{:<24} {:<5} {:>4} {:>10}  {:<20} FIGURES\n", "START", "STAGE", "EXIT", "TIME", "OUTCOME")
}

/// Returns the line of a record.
pub fn table_line(record: &Record) -> String {
    format!(
        "{:<24} {:<5} {:>4} {:>7} ms  {:<20} {}\n",
        printable(&record.start),
        printable(&record.stage),
        record.exit_code,
        record.duration_ms,
        printable(&record.outcome),
        printable(&figures_line(record)),
    )
}

/// Returns the figures of a record in one line, of lists and objects only how much is in them.
pub(super) fn figures_line(record: &Record) -> String {
    let of = |(name, value): (&String, &Value)| match value {
        Value::Array(items) => format!("{name}=[{}]", items.len()),
        Value::Object(members) => format!("{name}={{{}}}", members.len()),
        scalar => format!("{name}={scalar}"),
    };
    record.figures.iter().map(of).collect::<Vec<_>>().join(" ")
}

/// Returns a record as one JSON document in a line.
pub fn follow_line(record: &Record) -> String {
    serde_json::to_string(record).expect("string keys and finite numbers") + "\n"
}

/// Returns what all the records have to say together: times of each stage, trends, transactions.
pub fn overview(records: &[Record]) -> String {
    let mut text = String::new();
    let mut line = |cells: [&str; 6], trend: &str| {
        let [stage, runs, ok, p50, p95, p99] = cells;
        let line = format!("{stage:<6} {runs:>6} {ok:>7} {p50:>9} {p95:>9} {p99:>9}  {trend}");
        writeln!(text, "{}", line.trim_end()).expect("writing to a string");
    };
    line(["STAGE", "RUNS", "OK", "P50", "P95", "P99"], "TREND");
    for stage in summarize(records) {
        let ms = |value: u64| format!("{value} ms");
        let (p50, p95, p99) = (ms(stage.p50_ms), ms(stage.p95_ms), ms(stage.p99_ms));
        let ok = format!("{} %", stage.succeeded * 100 / stage.runs);
        let cells = [&*printable(&stage.stage), &stage.runs.to_string(), &ok, &p50, &p95, &p99];
        line(cells, &sparkline(&stage.trend_ms));
    }
    let sum = two_phase_commit(records);
    if let Some(permille) = sum.success_permille() {
        let (whole, tenth) = (permille / 10, permille % 10);
        writeln!(
            text,
            "2PC: {whole}.{tenth} % of {} committed ({} aborted, {} unfinished)",
            rtt_core::text::counted(sum.total(), "transaction"),
            sum.aborted,
            sum.unfinished
        )
        .expect("writing to a string");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::statistics::tests::record;
    use super::*;

    #[test]
    fn the_table_cannot_be_forged_by_a_record() {
        let record = Record {
            outcome: "success\n\u{1b}[2J".to_owned(),
            figures: [("symbols".to_owned(), 8.into())].into(),
            ..record("10", "2025-10-27T12:00:00.000Z", 12, 0)
        };
        let text = table_line(&record);
        assert_eq!(text.lines().count(), 1);
        assert!(text.ends_with("12 ms  success\\n\\u{1b}[2J   symbols=8\n"), "{text}");
        let forged = Record { stage: "10\n\u{1b}[2J".to_owned(), ..record };
        assert_eq!(overview(&[forged]).lines().count(), 2);
    }

    #[test]
    fn the_overview_has_times_trends_and_transactions() {
        let at = "2026-01-01T00:00:00.000Z";
        let figures: std::collections::BTreeMap<_, _> =
            [("outcome".to_owned(), json!("committed")), ("transaction".to_owned(), json!(1))].into();
        let text =
            overview(&[record("10", at, 10, 0), record("10", at, 80, 1), Record { figures, ..record("50", at, 5, 0) }]);
        let expected = "\
STAGE    RUNS      OK       P50       P95       P99  TREND
10          2    50 %     10 ms     80 ms     80 ms  ▁█
50          1   100 %      5 ms      5 ms      5 ms  █
2PC: 100.0 % of 1 transaction committed (0 aborted, 0 unfinished)
";
        assert_eq!(text, expected);
    }
}
