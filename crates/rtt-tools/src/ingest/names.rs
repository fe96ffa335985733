//! Names that people and servers chose, as segments of symbols, and back.
//!
//! A name that is a legal segment stays as it is. Any other becomes a readable head and, behind the last `--`, what must be
//! put back to have the name again: `My Server` is `my-server--0u-1x20-0u`. Each item stands for one character of the head,
//! counted from the one before: `u` for a letter that was a capital, `x` and its number for any other character.

use std::fmt::Write as _;

/// Turns a name into a segment, `[a-z0-9][a-z0-9_-]*`; different names give different segments. `None` for an empty one.
pub fn to_segment(name: &str) -> Option<String> {
    let mut head = String::with_capacity(name.len());
    let mut items = Vec::new();
    let mut since = 0;
    for character in name.chars() {
        let legal = match character {
            'a'..='z' | '0'..='9' => true,
            '_' | '-' => !head.is_empty(),
            _ => false,
        };
        if legal {
            head.push(character);
            since += 1;
            continue;
        }
        if character.is_ascii_uppercase() {
            head.push(character.to_ascii_lowercase());
            items.push(format!("{since}u"));
        } else {
            head.push(if head.is_empty() { 'x' } else { '-' });
            items.push(format!("{since}x{:x}", u32::from(character)));
        }
        since = 0;
    }
    if head.is_empty() {
        return None;
    }
    if !items.is_empty() || head.contains("--") {
        write!(head, "--{}", items.join("-")).expect("writing to a string");
    }
    Some(head)
}

/// Returns the name that a segment was made of; `None` if [`to_segment`] makes no such segment.
pub fn from_segment(segment: &str) -> Option<String> {
    let (head, items) = segment.rsplit_once("--").unwrap_or((segment, ""));
    let mut characters: Vec<char> = head.chars().collect();
    let mut at = 0;
    for item in items.split('-').filter(|item| !item.is_empty()) {
        let split = item.find(|c: char| !c.is_ascii_digit())?;
        let (gap, what) = item.split_at(split);
        at += gap.parse::<usize>().ok()?;
        let character = characters.get_mut(at)?;
        *character = match what.strip_prefix('x') {
            Some(hex) => char::from_u32(u32::from_str_radix(hex, 16).ok()?)?,
            None => character.to_ascii_uppercase(),
        };
        at += 1;
    }
    let name: String = characters.into_iter().collect();
    (to_segment(&name).as_deref() == Some(segment)).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtt_core::symbol::Symbol;

    use super::*;

    fn check(name: &str, segment: &str) {
        assert_eq!(to_segment(name).as_deref(), Some(segment));
        assert_eq!(from_segment(segment).as_deref(), Some(name), "{segment}");
    }

    #[test]
    fn names_become_segments_and_come_back() {
        check("everything", "everything");
        check("my_server-2", "my_server-2");
        check("My Server", "my-server--0u-1x20-0u");
        check("@scope/pkg.v2", "xscope-pkg-v2--0x40-5x2f-3x2e");
        check("größe", "gr--e--2xf6-0xdf");
        check("a--b", "a--b--");
        check("a--", "a----");
        check("-", "x--0x2d");
        check("a\n\u{202e}", "a----1xa-0x202e");
        assert_eq!(to_segment(""), None);
        for foreign in ["a--0u-", "a--0", "a--u", "a--5u", "a--0x110000", "A", "a--b", "x--0x78", ""] {
            assert_eq!(from_segment(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_a_legal_segment_that_comes_back(name in "(?s).{1,20}|[a-zA-Z_ -]{1,12}") {
            let segment = to_segment(&name).expect("not empty");
            prop_assert_eq!(from_segment(&segment), Some(name));
            if segment.len() < 190 {
                let symbol = format!("mcp.{segment}");
                prop_assert!(symbol.parse::<Symbol>().is_ok(), "{}", symbol);
            }
        }
    }
}
