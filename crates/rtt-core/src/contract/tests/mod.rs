//! Containment by hand-made verdicts, on published pairs, and against the validator on random schemas.

mod differential;
mod generate;
mod published;
mod verdicts;

use serde_json::Value;

use super::{Answer, contained};

/// An answer without its reasons.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Short {
    Yes,
    No,
    Unknown,
}

fn short(given: &Value, wanted: &Value) -> Short {
    match contained(given, wanted) {
        Answer::Yes => Short::Yes,
        Answer::No { .. } => Short::No,
        Answer::Unknown { .. } => Short::Unknown,
    }
}

fn check(given: &str, wanted: &str, expected: Short) {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect(text);
    let answer = contained(&read(given), &read(wanted));
    assert_eq!(short(&read(given), &read(wanted)), expected, "{given} within {wanted}: {answer:?}");
}
