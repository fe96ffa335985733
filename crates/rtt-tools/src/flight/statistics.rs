//! Figures over many runs, in integers. A percentile is by nearest rank: the smallest time that so many per cent of the runs
//! did not exceed, always one that was measured.

use std::collections::BTreeMap;

use rtt_core::telemetry::Record;
use serde::Serialize;

/// How many of the newest runs a trend shows.
const TREND: usize = 40;

/// The runs of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageStatistics {
    /// The stage's two digits.
    pub stage: String,
    /// How many runs.
    pub runs: usize,
    /// How many of them returned 0.
    pub succeeded: usize,
    /// Half of the runs took no longer, in ms.
    pub p50_ms: u64,
    /// 95 of 100 took no longer, in ms.
    pub p95_ms: u64,
    /// 99 of 100 took no longer, in ms.
    pub p99_ms: u64,
    /// The longest, in ms.
    pub max_ms: u64,
    /// The newest runs, the newest last, in ms.
    pub trend_ms: Vec<u64>,
}

/// Transactions that stage 50 began, by their ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TwoPhaseCommit {
    /// Everybody voted for it and it is in effect.
    pub committed: usize,
    /// Somebody voted against it or failed; rolled back.
    pub aborted: usize,
    /// Decided, but taken back or not yet known to everybody.
    pub unfinished: usize,
}

impl TwoPhaseCommit {
    /// Returns how many there were.
    pub fn total(self) -> usize {
        self.committed + self.aborted + self.unfinished
    }

    /// Returns the share that was committed, in tenths of a per cent, rounded down; `None` if there were none.
    pub fn success_permille(self) -> Option<usize> {
        (self.committed * 1000).checked_div(self.total())
    }
}

/// Sums up the runs of each stage, by stage.
pub fn summarize(records: &[Record]) -> Vec<StageStatistics> {
    let mut by_stage: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        by_stage.entry(&record.stage).or_default().push(record);
    }
    let of = |(stage, records): (&str, Vec<&Record>)| {
        let times: Vec<u64> = records.iter().map(|record| record.duration_ms).collect();
        let mut sorted = times.clone();
        sorted.sort_unstable();
        StageStatistics {
            stage: stage.to_owned(),
            runs: records.len(),
            succeeded: records.iter().filter(|record| record.exit_code == 0).count(),
            p50_ms: percentile(&sorted, 50),
            p95_ms: percentile(&sorted, 95),
            p99_ms: percentile(&sorted, 99),
            max_ms: percentile(&sorted, 100),
            trend_ms: times[times.len().saturating_sub(TREND)..].to_vec(),
        }
    };
    by_stage.into_iter().map(of).collect()
}

/// Sums up the transactions of stage 50.
pub fn two_phase_commit(records: &[Record]) -> TwoPhaseCommit {
    let mut sum = TwoPhaseCommit::default();
    for record in records.iter().filter(|record| record.figures.contains_key("transaction")) {
        match record.figures.get("outcome").and_then(|value| value.as_str()) {
            Some("committed") => sum.committed += 1,
            Some("aborted") => sum.aborted += 1,
            Some("pending" | "reverted") => sum.unfinished += 1,
            _ => {}
        }
    }
    sum
}

/// Of sorted values; 0 if there are none.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A record for tests of this folder.
    pub(in crate::flight) fn record(stage: &str, start: &str, duration_ms: u64, exit_code: u8) -> Record {
        Record {
            version: "1.0.0".to_owned(),
            start: start.to_owned(),
            duration_ms,
            stage: stage.to_owned(),
            generator: format!("rtt-{stage}-test 0.1.0"),
            exit_code,
            outcome: if exit_code == 0 { "success" } else { "error" }.to_owned(),
            inputs: None,
            figures: BTreeMap::new(),
            trace: None,
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<u64> = (1..=100).collect();
        assert_eq!([50, 95, 99, 100].map(|percent| percentile(&values, percent)), [50, 95, 99, 100]);
        assert_eq!([50, 95, 99].map(|percent| percentile(&[15, 20, 35, 40, 50], percent)), [35, 50, 50]);
        assert_eq!([50, 99].map(|percent| percentile(&[7], percent)), [7, 7]);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn stages_are_summed_up_apart() {
        let at = "2026-01-01T00:00:00.000Z";
        let records: Vec<Record> = (0..50).map(|n| record("10", at, 50 - n, u8::from(n % 5 == 0))).collect();
        let summary = summarize(&[records, vec![record("20", at, 7, 0)]].concat());
        assert_eq!(summary.len(), 2);
        let scan = &summary[0];
        assert_eq!((&*scan.stage, scan.runs, scan.succeeded, scan.p50_ms, scan.p99_ms), ("10", 50, 40, 25, 50));
        assert_eq!((scan.trend_ms.len(), scan.trend_ms.last()), (TREND, Some(&1)), "the newest last");
    }

    #[test]
    fn transactions_are_counted_by_their_ends() {
        let of = |outcome: &str, has_begun: bool| {
            let mut figures: BTreeMap<String, serde_json::Value> = [("outcome".to_owned(), json!(outcome))].into();
            if has_begun {
                figures.insert("transaction".to_owned(), json!(1));
            }
            Record { figures, ..record("50", "2026-01-01T00:00:00.000Z", 1, 0) }
        };
        let records = [of("committed", true), of("committed", true), of("aborted", true), of("unchanged", false)];
        let sum = two_phase_commit(&records);
        assert_eq!((sum.committed, sum.aborted, sum.unfinished, sum.success_permille()), (2, 1, 0, Some(666)));
        assert_eq!(two_phase_commit(&[]).success_permille(), None);
    }
}
