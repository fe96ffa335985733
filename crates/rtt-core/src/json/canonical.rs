//! Canonical forms of JSON values.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::ops::Range;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::MAX_DEPTH;
use super::tree::{Key, Tree};

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
    exact_of(value)
}

/// As [`exact`], of a value that borrows.
pub fn exact_tree(tree: &Tree) -> Vec<u8> {
    exact_of(tree)
}

fn exact_of<'de>(value: impl Deserializer<'de>) -> Vec<u8> {
    let mut out = Vec::new();
    write_exact(value, usize::MAX, &mut out);
    out
}

fn write_exact<'de>(value: impl Deserializer<'de>, depth: usize, out: &mut Vec<u8>) {
    let written = Exact { out, scratch: &mut Vec::new(), depth }.deserialize(value);
    written.unwrap_or_else(|_| unreachable!("a value holds each key once"));
}

/// The members of an object in [`exact`]'s form, of which digests and signatures leave out some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactMembers {
    /// `"name":value,` of each, in the order in which they were read.
    bytes: Vec<u8>,
    /// Name and place in `bytes`, without the comma, in canonical order.
    members: Vec<(String, Range<usize>)>,
}

impl ExactMembers {
    /// Takes those of a value; one that is no object has none.
    pub fn of(value: &Value) -> Self {
        let members = value.as_object().into_iter().flatten();
        let mut list = Self { bytes: Vec::new(), members: Vec::new() };
        for (name, value) in members {
            let begin = list.begin(name);
            write_exact(value, usize::MAX, &mut list.bytes);
            list.end(name.clone(), begin);
        }
        list.sort();
        list
    }

    /// Reads those of a document without keeping anything else of it; `None` where [`super::parse_state`] refuses it, and
    /// where it is no object.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > super::MAX_STATE_BYTES {
            return None;
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let mut list = Self { bytes: Vec::with_capacity(text.len()), members: Vec::new() };
        reader.deserialize_map(Top(&mut list)).ok()?;
        reader.end().ok()?;
        list.sort();
        list.members.is_sorted_by(|(a, _), (b, _)| a != b).then_some(list)
    }

    /// Returns the form of an object of these members but some, in parts that belong one after the other.
    pub fn parts_without<'a>(&'a self, left_out: &'a [&str]) -> impl Iterator<Item = &'a [u8]> {
        let kept = self.members.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        let members = kept.enumerate().flat_map(|(index, (_, place))| {
            let comma: &[u8] = if index == 0 { b"" } else { b"," };
            [comma, &self.bytes[place.clone()]]
        });
        std::iter::once(&b"{"[..]).chain(members).chain([&b"}"[..]])
    }

    /// Returns a member's value.
    pub fn get(&self, name: &str) -> Option<Value> {
        let (_, place) = self.members.iter().find(|(member, _)| member == name)?;
        // The name, quotes and colon come first.
        let member = [b"{", &self.bytes[place.clone()], b"}"].concat();
        serde_json::from_slice::<Value>(&member).ok()?.as_object_mut()?.shift_remove(name)
    }

    fn begin(&mut self, name: &str) -> usize {
        let begin = self.bytes.len();
        write_string(name, &mut self.bytes);
        self.bytes.push(b':');
        begin
    }

    fn end(&mut self, name: String, begin: usize) {
        self.members.push((name, begin..self.bytes.len()));
    }

    fn sort(&mut self) {
        self.members.sort_by(|(a, _), (b, _)| compare_keys(a, b));
    }
}

/// Reads the outermost object for [`ExactMembers::read`].
struct Top<'l>(&'l mut ExactMembers);

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (list, mut scratch) = (self.0, Vec::new());
        while let Some(name) = members.next_key::<String>()? {
            let begin = list.begin(&name);
            let value = Exact { out: &mut list.bytes, scratch: &mut scratch, depth: MAX_DEPTH - 1 };
            members.next_value_seed(value)?;
            list.end(name, begin);
        }
        Ok(())
    }
}

/// Writes the exact form of whatever a deserializer yields, text or value, without building anything of it in between.
struct Exact<'o> {
    out: &'o mut Vec<u8>,
    /// Where the members of an object are sorted.
    scratch: &'o mut Vec<u8>,
    /// How many levels of arrays and objects may follow.
    depth: usize,
}

impl Exact<'_> {
    fn inner<E: de::Error>(&mut self) -> Result<Exact<'_>, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Exact { out: self.out, scratch: self.scratch, depth })
    }
}

impl<'de> DeserializeSeed<'de> for Exact<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Exact<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.extend(b"null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.extend(if value { &b"true"[..] } else { b"false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        write!(self.out, "{value}").expect("writing to memory");
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        write!(self.out, "{value}").expect("writing to memory");
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.out.extend(serde_json_canonicalizer::to_vec(&value).expect("a number in JSON is finite"));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        write_string(value, self.out);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let begin = self.out.len();
        while elements.next_element_seed(self.inner()?)?.is_some() {
            self.out.push(b',');
        }
        if self.out.len() > begin {
            self.out.pop();
        }
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.out.push(b'{');
        let first = self.out.len();
        let mut members: Vec<(Cow<'de, str>, Range<usize>)> = Vec::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let begin = self.out.len();
            write_string(&key, self.out);
            self.out.push(b':');
            entries.next_value_seed(self.inner()?)?;
            self.out.push(b',');
            members.push((key, begin..self.out.len()));
        }
        let ascend = |members: &[(Cow<str>, Range<usize>)]| {
            members.is_sorted_by(|(a, _), (b, _)| compare_keys(a, b) == Ordering::Less)
        };
        if !ascend(&members) {
            members.sort_by(|(a, _), (b, _)| compare_keys(a, b));
            if !ascend(&members) {
                return Err(de::Error::custom("duplicate key"));
            }
            self.scratch.clear();
            self.scratch.extend(&self.out[first..]);
            self.out.truncate(first);
            for (_, place) in members {
                self.out.extend(&self.scratch[place.start - first..place.end - first]);
            }
        }
        if self.out.len() > first {
            self.out.pop();
        }
        self.out.push(b'}');
        Ok(())
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
            assert_eq!(exact_tree(&Tree::of_value(&value)), expected);
            let Some(members) = ExactMembers::read(&value.to_string()) else { continue };
            assert_eq!(members, ExactMembers::of(&value));
            assert_eq!(members.parts_without(&[]).collect::<Vec<_>>().concat(), expected);
        }
    }

    #[test]
    fn members_are_read_as_the_strict_reader_reads_them() {
        let nested = |depth: usize| format!(r#"{{"a": {}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        for text in [
            r#"{"b": {"y": [1, {}, []], "x": null, "\u0061": -0.0}, "a": 18446744073709551615, "é\n": "\ud83d\ude00"}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"a": {"z": 1, "b": 2, "z": 3}}"#,
            r#"{"a": 1,}"#,
            r#"{"a": 1} x"#,
            r#"{"a": 1e999}"#,
            "\u{feff}{}",
            "{}",
            "",
            &nested(MAX_DEPTH - 2),
            &nested(MAX_DEPTH - 1),
            &nested(MAX_DEPTH + 1),
        ] {
            let strict = super::super::parse_state(text.as_bytes()).ok();
            assert_eq!(ExactMembers::read(text), strict.as_ref().map(ExactMembers::of), "{text}");
        }
        assert_eq!(ExactMembers::read("[]"), None);
        let members = ExactMembers::read(r#"{"b": [2, 1], "c": 0, "a": "\""}"#).expect("an object");
        assert_eq!(members.parts_without(&["c"]).collect::<Vec<_>>().concat(), br#"{"a":"\"","b":[2,1]}"#);
        assert_eq!(
            (members.get("b"), members.get("a"), members.get("d")),
            (Some(json!([2, 1])), Some(json!("\"")), None)
        );
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
