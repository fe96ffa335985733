//! What differs between two definitions, in lines for people.

use serde_json::Value;

use crate::json::push_token;
use crate::text::printable;

/// How many differences are shown.
const SHOWN: usize = 6;
/// How much of a value is shown, in characters.
const EXCERPT: usize = 60;

/// Returns `- /pointer: value`, `+ /pointer: value` and `~ /pointer: before → after` for the first few differences.
pub fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differing(old, new, String::new(), &mut found);
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

fn differing(old: &Value, new: &Value, at: String, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, member) in before {
                match after.get(key) {
                    Some(other) => differing(member, other, push_token(&at, key), found),
                    None => found.push(format!("- {}: {}", push_token(&at, key), excerpt(member))),
                }
            }
            for (key, member) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                found.push(format!("+ {}: {}", push_token(&at, key), excerpt(member)));
            }
        }
        (before, after) if before != after => {
            found.push(format!("~ {at}: {} → {}", excerpt(before), excerpt(after)));
        }
        _ => {}
    }
}

fn excerpt(value: &Value) -> String {
    let text = printable(&value.to_string());
    if text.chars().count() <= EXCERPT {
        text
    } else {
        format!("{}…", text.chars().take(EXCERPT).collect::<String>())
    }
}
