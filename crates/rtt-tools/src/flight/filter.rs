//! Which records are shown.

use std::time::{Duration, SystemTime};

use rtt_core::clock;
use rtt_core::telemetry::Record;

/// One `--filter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Runs of all stages.
    Pipeline,
    /// Runs of the stage of these two digits.
    Stage(String),
    /// Runs that ended so.
    Outcome(String),
    /// Runs of one trace, or of those that begin so.
    Trace(String),
}

/// The text is no filter.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no filter: expected pipeline, stage=10, outcome=success or trace=0af7")]
pub struct InvalidFilter(String);

impl std::str::FromStr for Filter {
    type Err = InvalidFilter;

    /// Reads `pipeline`, `stage=10`, `10`, `outcome=success` and `trace=0af7`.
    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        let is_stage = |text: &str| ["00", "10", "20", "30", "40", "50"].contains(&text);
        match text.split_once('=') {
            None if text == "pipeline" => Ok(Self::Pipeline),
            None if is_stage(text) => Ok(Self::Stage(text.to_owned())),
            Some(("stage", stage)) if is_stage(stage) => Ok(Self::Stage(stage.to_owned())),
            Some(("outcome", outcome)) if !outcome.is_empty() => Ok(Self::Outcome(outcome.to_owned())),
            Some(("trace", trace)) if !trace.is_empty() => Ok(Self::Trace(trace.to_ascii_lowercase())),
            _ => Err(InvalidFilter(text.to_owned())),
        }
    }
}

impl Filter {
    /// Tells whether a record is one of those asked for. A stage's own outcome (`committed`) counts as well as the run's.
    pub fn selects(&self, record: &Record) -> bool {
        match self {
            Self::Pipeline => true,
            Self::Stage(stage) => record.stage == *stage,
            Self::Outcome(outcome) => {
                let own = record.figures.get("outcome").and_then(|value| value.as_str());
                record.outcome == *outcome || own == Some(outcome)
            }
            Self::Trace(trace) => record.trace.as_ref().is_some_and(|span| span.trace_id.starts_with(trace.as_str())),
        }
    }
}

/// Reads a point in time: `2026-01-31`, `2026-01-31T12:00:00Z`, or how long ago it was, `90m`, `12h`, `7d`.
pub fn since(text: &str, now: SystemTime) -> Option<SystemTime> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        now.checked_sub(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?))
    };
    clock::parse_rfc3339(text).or_else(|| clock::parse_rfc3339(&format!("{text}T00:00:00Z"))).or_else(ago)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_filters_and_times() {
        for (text, expected) in [
            ("pipeline", Filter::Pipeline),
            ("50", Filter::Stage("50".to_owned())),
            ("stage=10", Filter::Stage("10".to_owned())),
            ("outcome=rolled-back", Filter::Outcome("rolled-back".to_owned())),
        ] {
            assert_eq!(text.parse::<Filter>().expect("a filter"), expected);
        }
        for wrong in ["", "60", "stage=", "stage=x", "outcome=", "who=me"] {
            assert!(wrong.parse::<Filter>().is_err(), "{wrong}");
        }
        let now = clock::parse_rfc3339("2026-01-31T12:00:00Z").expect("a time");
        let at = |text: &str| since(text, now).map(clock::rfc3339);
        assert_eq!(at("2026-01-01").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(at("2026-01-01T01:02:03Z").as_deref(), Some("2026-01-01T01:02:03Z"));
        assert_eq!(at("90m").as_deref(), Some("2026-01-31T10:30:00Z"));
        assert_eq!(at("1d").as_deref(), Some("2026-01-30T12:00:00Z"));
        for wrong in ["", "d", "1", "-1d", "1é", "99999999999999999999d", "yesterday", "9999999999999999w"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
