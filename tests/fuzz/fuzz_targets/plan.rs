//! A hostile plan is refused or typed, never worse; what is typed says what the document said.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rtt_core::plan::{self, Document};
use rtt_core::json;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut document) = json::parse(bytes) else { return };
    let identity = plan::identity(&document).to_string();
    let stated = document.get("plan_id").and_then(Value::as_str) == Some(&identity);
    assert_eq!(plan::accept_unverified(Document::of(&document)).is_ok(), stated);
    let read = Document::read(bytes.to_vec()).expect("it was just read");
    assert_eq!(read.identity().to_string(), identity);
    // No mutation finds the digest that fits, so it is given.
    let Some(members) = document.as_object_mut() else { return };
    members.insert("plan_id".to_owned(), identity.into());
    let document = Document::read(document.to_string().into_bytes()).expect("it was just written");
    let verified = plan::accept_unverified(document).expect("the id fits");
    if let Ok((typed, _)) = verified.typed("fuzzed.plan.json") {
        let again = serde_json::to_value(&*typed).expect("plans have string keys and finite numbers");
        assert_eq!(serde_json::from_value::<plan::Plan>(again).expect("a plan is read back"), *typed);
    }
});
