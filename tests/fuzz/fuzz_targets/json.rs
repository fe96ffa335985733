//! The strict reader accepts what serde_json accepts and nothing else, but for what it promises to refuse.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rtt_core::json::{self, ParseErrorKind, canonical};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    match (json::parse(bytes), serde_json::from_slice::<Value>(bytes)) {
        (Ok(value), Ok(expected)) => {
            assert_eq!(value, expected);
            let form = canonical::exact(&value);
            let again = json::parse(&form).expect("a canonical form is JSON");
            // Not the values: 100.0 becomes the integer 100.
            assert_eq!(canonical::exact(&again), form);
        }
        (Ok(value), Err(error)) => panic!("accepted {value}, but {error}"),
        (Err(error), Ok(value)) => {
            use ParseErrorKind::{ByteOrderMark, DuplicateKey, InvalidUtf8, Syntax, TooDeep, TooLarge};
            match error.kind {
                ByteOrderMark | DuplicateKey(_) | TooDeep | TooLarge(..) => {}
                InvalidUtf8 | Syntax(_) => panic!("refused {value}: {error}"),
            }
        }
        (Err(_), Err(_)) => {}
    }
});
