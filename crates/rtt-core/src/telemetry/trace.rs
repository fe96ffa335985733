//! W3C trace context (<https://www.w3.org/TR/trace-context/>): which run of which pipeline a stage's run belongs to.
//!
//! It comes from `TRACEPARENT`, else from what the CI system says of its pipeline, so that the jobs of one pipeline share
//! a trace though nothing was handed on; else the run begins a trace of its own.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The variable that carries the context from process to process.
pub const TRACEPARENT: &str = "TRACEPARENT";

/// One run's place in a trace; identifiers are lower-case hex digits, not all of them zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// 32 digits, the same for all runs of a pipeline.
    pub trace_id: String,
    /// 16 digits, this run's own.
    pub span_id: String,
    /// The span that started this one; absent at the beginning of a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// Two digits of flags; the lowest bit says that the trace is kept.
    pub flags: String,
}

impl Span {
    /// Begins a span below what the environment says; `None` if the system has no random numbers.
    pub fn begin(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let span_id = random::<8>()?;
        let parent = variable(TRACEPARENT).and_then(|text| parse(&text));
        Some(match parent {
            Some((trace_id, parent, flags)) => Self { trace_id, span_id, parent_span_id: Some(parent), flags },
            None => {
                let trace_id = match ci_run(variable) {
                    Some(run) => Digest::of_bytes(format!("rtt-trace\n{run}")).hex()[..32].to_owned(),
                    None => random::<16>()?,
                };
                Self { trace_id, span_id, parent_span_id: None, flags: "01".to_owned() }
            }
        })
    }

    /// Returns the value of [`TRACEPARENT`] for processes that this run starts.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

/// Reads a `traceparent`: trace, parent and flags. Of a later version the part is read that this one has.
fn parse(text: &str) -> Option<(String, String, String)> {
    let mut parts = text.trim().split('-');
    let mut next = |length: usize| parts.next().filter(|part| is_hex(part, length)).map(str::to_owned);
    let (version, trace, parent, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    let is_exact = version != "00" || parts.next().is_none();
    (version != "ff" && is_exact && !is_zero(&trace) && !is_zero(&parent)).then_some((trace, parent, flags))
}

/// Tells whether a text is of so many lower-case hex digits.
pub fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What the jobs of one pipeline, and no others, have in common.
fn ci_run(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let all = |names: &[&str]| {
        let values: Option<Vec<String>> =
            names.iter().map(|name| variable(name).filter(|value| !value.is_empty())).collect();
        values.map(|values| values.join("\n"))
    };
    all(&["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"])
        .or_else(|| all(&["CI_SERVER_URL", "CI_PROJECT_ID", "CI_PIPELINE_ID"]))
}

fn random<const N: usize>() -> Option<String> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).ok()?;
    // An identifier of zeros alone would be invalid.
    bytes[N - 1] |= u8::from(bytes.iter().all(|byte| *byte == 0));
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    fn begin(variables: &[(&str, &str)]) -> Span {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Span::begin(variable).expect("random numbers")
    }

    #[test]
    fn a_run_goes_on_with_the_trace_that_it_is_given() {
        let span = begin(&[(TRACEPARENT, &format!("00-{TRACE}-{PARENT}-00"))]);
        assert_eq!((&*span.trace_id, span.parent_span_id.as_deref(), &*span.flags), (TRACE, Some(PARENT), "00"));
        assert!(is_hex(&span.span_id, 16) && span.span_id != PARENT);
        assert_eq!(span.traceparent(), format!("00-{TRACE}-{}-00", span.span_id));
        let next = begin(&[(TRACEPARENT, &span.traceparent())]);
        assert_eq!((next.trace_id, next.parent_span_id), (span.trace_id, Some(span.span_id)));
        let later = begin(&[(TRACEPARENT, &format!("cc-{TRACE}-{PARENT}-01-what-will-be"))]);
        assert_eq!(later.trace_id, TRACE);
    }

    #[test]
    fn what_is_no_context_begins_a_trace() {
        let zeros = "0".repeat(32);
        for wrong in [
            "",
            "00",
            &format!("00-{TRACE}-{PARENT}"),
            &format!("ff-{TRACE}-{PARENT}-01"),
            &format!("00-{TRACE}-{PARENT}-01-more"),
            &format!("00-{zeros}-{PARENT}-01"),
            &format!("00-{TRACE}-{}-01", &zeros[..16]),
            &format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}é-{PARENT}-01"),
        ] {
            let span = begin(&[(TRACEPARENT, wrong)]);
            assert!(span.trace_id != TRACE && span.parent_span_id.is_none(), "{wrong}");
            assert!(is_hex(&span.trace_id, 32) && is_hex(&span.span_id, 16));
        }
        assert_ne!(begin(&[]).trace_id, begin(&[]).trace_id);
    }

    #[test]
    fn the_jobs_of_one_pipeline_share_a_trace() {
        let github = |run| {
            [
                ("GITHUB_SERVER_URL", "https://ci.example"),
                ("GITHUB_REPOSITORY", "a/b"),
                ("GITHUB_RUN_ID", run),
                ("GITHUB_RUN_ATTEMPT", "1"),
            ]
        };
        let (one, two) = (begin(&github("7")), begin(&github("7")));
        assert_eq!(one.trace_id, two.trace_id);
        assert_ne!(one.span_id, two.span_id);
        assert_ne!(one.trace_id, begin(&github("8")).trace_id);
        assert_ne!(one.trace_id, begin(&github("7")[..3]).trace_id, "a part of it says nothing");
        let gitlab = [("CI_SERVER_URL", "https://ci.example"), ("CI_PROJECT_ID", "3"), ("CI_PIPELINE_ID", "7")];
        assert_eq!(begin(&gitlab).trace_id, begin(&gitlab).trace_id);
    }
}
