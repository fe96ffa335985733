//! Whatever a file holds: findings have words and a place in the text, and what is accepted is a valid manifest.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rtt_core::diagnostic::{Diagnostic, Place, Severity};
use rtt_core::json::Position;
use rtt_core::manifest::{self, Form, Sourced};
use rtt_core::schema::Schema;

const FILE: &str = "agents/x.agent.json";

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let reading = manifest::read(FILE, bytes);
    for finding in &reading.diagnostics {
        check_finding(finding, &text);
    }
    for sourced in &reading.manifests {
        check_place(&sourced.place, &text);
        check_accepted(sourced);
    }
});

fn check_finding(finding: &Diagnostic, text: &str) {
    assert!(!finding.message.is_empty(), "{finding:?}");
    check_place(finding.place.as_ref().unwrap_or_else(|| panic!("without a place: {finding:?}")), text);
    for related in &finding.related {
        check_place(&related.place, text);
    }
}

fn check_place(place: &Place, text: &str) {
    let mut place = place.clone();
    place.resolve(text);
    let Some(Position { line, column }) = place.at else { panic!("leads nowhere: {place:?}") };
    let length = text.split('\n').nth(line - 1).map(|line| line.chars().count());
    assert!(column >= 1 && length.is_some_and(|length| column <= length + 1), "outside the text: {place:?}");
}

/// What is only a warning where somebody else's tools wrote it: placeholders, example hosts, unseen characters.
const FORGIVEN: [&str; 3] = ["RTT-M017", "RTT-M018", "RTT-M019"];

/// Demands that a manifest satisfies the schema, and that it is read back as it was.
fn check_accepted(sourced: &Sourced) {
    let manifest = &sourced.manifest;
    let value = serde_json::to_value(manifest).expect("manifests have string keys and finite numbers");
    assert!(Schema::Manifest.validator().is_valid(&value), "against the schema: {value}");
    let again = manifest::read(FILE, &serde_json::to_vec(manifest).expect("as above"));
    let errors = || again.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    if sourced.form != Form::Canonical && errors().count() > 0 {
        assert!(errors().all(|finding| FORGIVEN.contains(&finding.rule)), "{:?}", again.diagnostics);
        return;
    }
    assert!(!again.is_invalid(), "{:?}", again.diagnostics);
    let read_back: Vec<_> = again.manifests.iter().map(|sourced| &sourced.manifest).collect();
    assert_eq!(read_back, [manifest]);
}
