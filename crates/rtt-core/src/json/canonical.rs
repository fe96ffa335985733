//! Canonical forms of JSON values.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Number, Value};

use super::Tree;

/// The largest integer that every JSON reader keeps exactly, 2^53 − 1 (RFC 7493, section 2.2).
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The value holds an integer beyond ±(2^53 − 1), for which RFC 8785 gives no faithful form.
#[derive(Debug, thiserror::Error)]
#[error("integer {number} at '{pointer}' is beyond 2^53 and has no canonical form")]
pub struct UnsafeInteger {
    /// JSON pointer of the number.
    pub pointer: String,
    /// The number as written.
    pub number: String,
}

/// Returns the RFC 8785 canonical form, which signatures cover.
///
/// # Errors
/// [`UnsafeInteger`] where two different documents would share one form.
pub fn rfc8785(value: &Value) -> Result<Vec<u8>, UnsafeInteger> {
    check_integers(value, &mut String::new())?;
    Ok(serde_json_canonicalizer::to_vec(value).expect("a parsed JSON value has string keys and finite numbers"))
}

/// Returns a form equal to RFC 8785's except that integers up to 64 bits keep all their digits.
///
/// Digests use it, because method schemas hold bounds such as 9223372036854775807.
pub fn exact(value: &Value) -> Vec<u8> {
    exact_tree(&Tree::of_value(value))
}

/// As [`exact`], of a value that borrows.
pub fn exact_tree(tree: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    write_exact(tree, &mut out);
    out
}

/// Returns the members of an object as they stand in [`exact`]'s form, `"name":value`, in its order.
pub fn exact_members<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>) -> Vec<(&'a str, Vec<u8>)> {
    let mut members: Vec<(&str, &Value)> = members.collect();
    members.sort_by(|(a, _), (b, _)| compare_keys(a, b));
    let write = |(name, value): (&'a str, &Value)| {
        let mut out = Vec::new();
        write_string(name, &mut out);
        out.push(b':');
        write_exact(&Tree::of_value(value), &mut out);
        (name, out)
    };
    members.into_iter().map(write).collect()
}

fn write_exact(tree: &Tree, out: &mut Vec<u8>) {
    match tree {
        Tree::Number(number) if !number.is_f64() => write!(out, "{number}").expect("writing to memory"),
        Tree::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_exact(item, out);
            }
            out.push(b']');
        }
        Tree::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| compare_keys(a, b));
            out.push(b'{');
            for (index, (key, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_exact(member, out);
            }
            out.push(b'}');
        }
        Tree::String(text) => write_string(text, out),
        leaf => out.extend(serde_json_canonicalizer::to_vec(leaf).expect("a JSON leaf is finite")),
    }
}

/// RFC 8785 section 3.2.3 sorts by UTF-16 code units, which differs from UTF-8 order beyond U+FFFF.
fn compare_keys(a: &str, b: &str) -> Ordering {
    if a.is_ascii() || b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// serde_json escapes as RFC 8785 section 3.2.2.2 does.
fn write_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("writing to memory");
}

fn check_integers(value: &Value, pointer: &mut String) -> Result<(), UnsafeInteger> {
    match value {
        Value::Number(number) if is_unsafe(number) => {
            Err(UnsafeInteger { pointer: pointer.clone(), number: number.to_string() })
        }
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            let length = pointer.len();
            write!(pointer, "/{index}").expect("writing to a string");
            check_integers(item, pointer)?;
            pointer.truncate(length);
            Ok(())
        }),
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            let length = pointer.len();
            *pointer = super::push_token(pointer, key);
            check_integers(member, pointer)?;
            pointer.truncate(length);
            Ok(())
        }),
        _ => Ok(()),
    }
}

fn is_unsafe(number: &Number) -> bool {
    match (number.as_i64(), number.as_u64()) {
        (Some(signed), _) => signed.unsigned_abs() > MAX_SAFE_INTEGER,
        (None, Some(_)) => true,
        // An integer too large for 64 bits was read as a float; 2^53 and above it is not exact either.
        (None, None) => {
            number.as_f64().is_some_and(|float| float.fract() == 0.0 && float.abs() > MAX_SAFE_INTEGER as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn exact_equals_rfc8785_where_both_are_defined() {
        for value in [
            json!({"b": 1, "a": [true, null, 1.5, 1e-7, -0.0, 100.0], "\u{1F600}": 1, "\u{FB33}": 2, "": {}}),
            json!("\u{8}\u{1f}\"\\/\u{7f}é"),
        ] {
            let expected = rfc8785(&value).expect("safe integers");
            assert_eq!(exact(&value), expected);
            let Some(members) = value.as_object() else { continue };
            let members = exact_members(members.iter().map(|(name, member)| (name.as_str(), member)));
            let members: Vec<Vec<u8>> = members.into_iter().map(|(_, bytes)| bytes).collect();
            assert_eq!([b"{", &members.join(&b',')[..], b"}"].concat(), expected);
        }
    }

    #[test]
    fn refuses_integers_that_would_collapse() {
        for text in
            ["9007199254740992", "-9007199254740992", "18446744073709551615", "1e300", "123456789012345678901234567890"]
        {
            let value: Value = serde_json::from_str(&format!(r#"{{"a/b":[0,{text}]}}"#)).expect("valid");
            assert_eq!(rfc8785(&value).expect_err("unsafe").pointer, "/a~1b/1", "{text}");
        }
        assert!(rfc8785(&json!(9007199254740991_u64)).is_ok());
    }

    #[test]
    fn gives_the_published_rfc8785_outputs() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/jcs");
        let Ok(inputs) = std::fs::read_dir(folder.join("input")) else {
            eprintln!("skipped: {} is not here", folder.display());
            return;
        };
        let mut n_vectors = 0;
        for input in inputs {
            let input = input.expect("readable folder").path();
            let value: Value = serde_json::from_slice(&std::fs::read(&input).expect("readable")).expect("valid JSON");
            let expected =
                std::fs::read(folder.join("output").join(input.file_name().expect("a file"))).expect("readable");
            assert_eq!(String::from_utf8(exact(&value)), String::from_utf8(expected.clone()), "{}", input.display());
            if let Ok(signed_form) = rfc8785(&value) {
                assert_eq!(signed_form, expected, "{}", input.display());
            }
            n_vectors += 1;
        }
        assert!(n_vectors > 0);
    }
}
