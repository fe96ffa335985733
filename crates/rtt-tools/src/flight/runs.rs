//! Which records belong to one run of the pipeline: those of one trace; and those without a common trace that follow each
//! other in the order of the stages.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rtt_core::clock;
use rtt_core::telemetry::Record;

/// Stages that were run one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineRun<'a> {
    /// Their trace, if they have one in common.
    pub trace_id: Option<&'a str>,
    /// In the order in which they were recorded; not empty.
    pub records: Vec<&'a Record>,
}

impl PipelineRun<'_> {
    /// Returns when the first of them began.
    pub fn start(&self) -> SystemTime {
        self.records.iter().map(|record| start_of(record)).min().unwrap_or(UNIX_EPOCH)
    }

    /// Returns from the first beginning to the last end.
    pub fn span(&self) -> Duration {
        let end = |record: &&Record| start_of(record) + Duration::from_millis(record.duration_ms.min(MAX_MS));
        let last = self.records.iter().map(end).max().unwrap_or(UNIX_EPOCH);
        last.duration_since(self.start()).unwrap_or_default()
    }

    /// Tells whether all of them returned 0.
    pub fn succeeded(&self) -> bool {
        self.records.iter().all(|record| record.exit_code == 0)
    }
}

/// No run takes longer than a century; a record that says so must not overflow.
const MAX_MS: u64 = 100 * 366 * 86_400 * 1000;

/// Returns when a run began; 1970 where the record does not say.
pub(super) fn start_of(record: &Record) -> SystemTime {
    clock::parse_rfc3339(&record.start).unwrap_or(UNIX_EPOCH)
}

/// Groups records into runs of the pipeline, in the order of their first records.
pub fn group(records: &[Record]) -> Vec<PipelineRun<'_>> {
    let trace_of = |record: &'_ Record| record.trace.as_ref().map(|span| span.trace_id.clone());
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    records.iter().filter_map(trace_of).for_each(|trace| *sizes.entry(trace).or_default() += 1);
    let mut runs: Vec<PipelineRun<'_>> = Vec::new();
    let mut by_trace: BTreeMap<&str, usize> = BTreeMap::new();
    let mut loose: Option<usize> = None;
    for record in records {
        let trace = record.trace.as_ref().map(|span| span.trace_id.as_str()).filter(|trace| sizes[*trace] > 1);
        let known = match trace {
            Some(trace) => by_trace.get(trace).copied(),
            None => loose.filter(|run| {
                let last = runs[*run].records.last().expect("no run is empty");
                last.stage < record.stage
            }),
        };
        match known {
            Some(run) => runs[run].records.push(record),
            None => {
                runs.push(PipelineRun { trace_id: trace, records: vec![record] });
                let run = runs.len() - 1;
                match trace {
                    Some(trace) => drop(by_trace.insert(trace, run)),
                    None => loose = Some(run),
                }
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use rtt_core::telemetry::trace::Span;

    use super::super::statistics::tests::record;
    use super::*;

    #[test]
    fn stages_of_a_trace_or_in_a_row_are_one_run() {
        let of = |stage: &str, trace: Option<char>| Record {
            trace: trace.map(|digit| Span {
                trace_id: digit.to_string().repeat(32),
                span_id: "1".repeat(16),
                parent_span_id: None,
                flags: "01".to_owned(),
            }),
            ..record(stage, "2026-01-01T00:00:00.000Z", 5, 0)
        };
        // Two CI pipelines at once, then stages by hand, each in a trace of its own.
        let records = [
            of("10", Some('a')),
            of("10", Some('b')),
            of("20", Some('a')),
            of("20", Some('b')),
            of("10", Some('c')),
            of("20", Some('d')),
            of("10", None),
            of("50", None),
            of("50", None),
        ];
        let runs = group(&records);
        let stages: Vec<Vec<&str>> =
            runs.iter().map(|run| run.records.iter().map(|record| record.stage.as_str()).collect()).collect();
        assert_eq!(stages, [vec!["10", "20"], vec!["10", "20"], vec!["10", "20"], vec!["10", "50"], vec!["50"]]);
        assert!(runs[0].trace_id.is_some() && runs[2].trace_id.is_none());
    }

    #[test]
    fn spans_reach_from_the_first_beginning_to_the_last_end() {
        let records = [
            record("10", "2026-01-01T00:00:01.000Z", 500, 0),
            record("20", "2026-01-01T00:00:03.000Z", 250, 1),
            record("30", "no time", u64::MAX, 0),
        ];
        let runs = group(&records[..2]);
        assert_eq!((runs[0].span(), runs[0].succeeded()), (Duration::from_millis(2250), false));
        assert!(group(&records[2..])[0].span() > Duration::from_secs(1), "and nothing overflows");
    }
}
