//! The one place that reads the clock.
//!
//! Nothing that decides may call it: plans, registries and connectors are functions of their inputs. Only records of
//! what happened (logs, telemetry, a plan's timestamp) carry time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The variable by which a build pins the time that its outputs carry (reproducible-builds.org).
pub const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Returns the current time.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// Returns a point from which durations are measured.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn stopwatch() -> Instant {
    Instant::now()
}

/// Returns the time that a reproducible output carries: `SOURCE_DATE_EPOCH` (seconds since 1970) if set, else now.
pub fn output_time() -> SystemTime {
    std::env::var(SOURCE_DATE_EPOCH)
        .ok()
        .and_then(|seconds| seconds.trim().parse::<u64>().ok())
        // Beyond year 9999 RFC 3339 has no spelling.
        .filter(|&seconds| seconds < 253_402_300_800)
        .map_or_else(now, |seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Formats a time as RFC 3339 in UTC with whole seconds, `2025-10-27T12:00:00Z`.
pub fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Formats a time as RFC 3339 in UTC with milliseconds.
pub fn rfc3339_millis(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Reads an RFC 3339 time in UTC; `None` if the text is not one.
pub fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
