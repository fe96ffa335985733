//! Records as spans in OTLP/JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): one document that a
//! collector takes at `/v1/traces` or reads from a file. Identifiers are in hex and 64-bit integers are strings, as it says.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use rtt_core::clock;
use rtt_core::digest::Digest;
use rtt_core::telemetry::Record;
use serde_json::{Value, json};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;
/// `STATUS_CODE_OK` and `STATUS_CODE_ERROR`.
const STATUS: [u8; 2] = [1, 2];

/// Returns the records as an `ExportTraceServiceRequest`, one resource for each version of the stages.
pub fn traces(records: &[Record]) -> Value {
    let mut by_version: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for record in records {
        let version = record.generator.rsplit_once(' ').map_or("", |(_, version)| version);
        by_version.entry(version).or_default().push(span(record));
    }
    let resource = |(version, spans): (&str, Vec<Value>)| {
        json!({
            "resource": {"attributes": [
                attribute("service.name", &json!("rtt")),
                attribute("service.version", &json!(version)),
            ]},
            "scopeSpans": [{"scope": {"name": "rtt-flight", "version": rtt_core::VERSION}, "spans": spans}],
        })
    };
    json!({"resourceSpans": by_version.into_iter().map(resource).collect::<Vec<Value>>()})
}

fn span(record: &Record) -> Value {
    let start = clock::parse_rfc3339(&record.start).and_then(|start| start.duration_since(UNIX_EPOCH).ok());
    let start = start.unwrap_or_default().as_nanos();
    let end = start + u128::from(record.duration_ms) * 1_000_000;
    let mut attributes = vec![
        attribute("rtt.stage", &json!(record.stage)),
        attribute("rtt.outcome", &json!(record.outcome)),
        attribute("process.exit.code", &json!(record.exit_code)),
    ];
    attributes.extend(record.inputs.iter().map(|inputs| attribute("rtt.inputs", &json!(inputs))));
    attributes.extend(record.figures.iter().map(|(name, value)| attribute(&format!("rtt.figure.{name}"), value)));
    // A record from before traces were carried gets identifiers of its own, the same ones each time.
    let own = Digest::of_bytes(serde_json::to_string(record).expect("string keys and finite numbers")).hex();
    let (trace_id, span_id, parent, flags) = match &record.trace {
        Some(span) => (span.trace_id.as_str(), span.span_id.as_str(), span.parent_span_id.as_deref(), &*span.flags),
        None => (&own[..32], &own[32..48], None, "01"),
    };
    let mut span = json!({
        "traceId": trace_id,
        "spanId": span_id,
        "name": record.generator.split(' ').next().unwrap_or_default(),
        "kind": INTERNAL,
        "startTimeUnixNano": nanoseconds(start),
        "endTimeUnixNano": nanoseconds(end),
        "attributes": attributes,
        "status": {"code": STATUS[usize::from(record.exit_code != 0)]},
        "flags": u8::from_str_radix(flags, 16).unwrap_or_default(),
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = parent.into();
    }
    span
}

/// The field has 64 bits.
fn nanoseconds(time: u128) -> String {
    u64::try_from(time).unwrap_or(u64::MAX).to_string()
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::String(text) => json!({"stringValue": text}),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => json!({"intValue": integer.to_string()}),
            None => json!({"doubleValue": number}),
        },
        other => json!({"stringValue": other.to_string()}),
    };
    json!({"key": key, "value": value})
}

#[cfg(test)]
mod tests {
    use rtt_core::telemetry::trace::Span;

    use super::super::statistics::tests::record;
    use super::*;

    #[test]
    fn a_record_is_a_span() {
        let trace = Span {
            trace_id: "a".repeat(32),
            span_id: "b".repeat(16),
            parent_span_id: Some("c".repeat(16)),
            flags: "01".to_owned(),
        };
        let figures =
            [("symbols".to_owned(), json!(8)), ("gap".to_owned(), json!(0.5)), ("list".to_owned(), json!([1]))];
        let one =
            Record { trace: Some(trace), figures: figures.into(), ..record("10", "1970-01-01T00:00:01.500Z", 250, 65) };
        let document = traces(std::slice::from_ref(&one));
        let span = &document["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&json!("a".repeat(32)), &json!("c".repeat(16))));
        assert_eq!(
            (&span["startTimeUnixNano"], &span["endTimeUnixNano"]),
            (&json!("1500000000"), &json!("1750000000"))
        );
        assert_eq!((&span["status"]["code"], &span["flags"], &span["kind"]), (&json!(2), &json!(1), &json!(1)));
        let attributes = span["attributes"].as_array().expect("a list");
        for expected in [
            json!({"key": "process.exit.code", "value": {"intValue": "65"}}),
            json!({"key": "rtt.figure.gap", "value": {"doubleValue": 0.5}}),
            json!({"key": "rtt.figure.list", "value": {"stringValue": "[1]"}}),
        ] {
            assert!(attributes.contains(&expected), "{expected} in {attributes:?}");
        }
        let without = traces(&[Record { trace: None, duration_ms: u64::MAX, ..one }]);
        let span = &without["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"].as_str().map(str::len), Some(32));
        assert_eq!(span["endTimeUnixNano"], json!(u64::MAX.to_string()));
    }
}
