//! What the benchmarks of this folder measure with.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::time::{Duration, Instant};

/// Returns the median of several turns, which are told their number.
pub(crate) fn median(turns: usize, mut act: impl FnMut(usize)) -> Duration {
    let mut times: Vec<Duration> = (0..turns)
        .map(|number| {
            let started = Instant::now();
            act(number);
            started.elapsed()
        })
        .collect();
    times.sort();
    times[turns / 2]
}
