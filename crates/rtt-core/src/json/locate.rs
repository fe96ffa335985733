//! From a JSON pointer to the place in the text: run only when a problem is reported, never on the way of a good file.

use std::ops::Range;

use serde::Serialize;

/// A place in a text; both numbers start at 1, and the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

impl Position {
    /// Returns the place of a byte offset, which is cut to the text's length.
    pub fn at_offset(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let head = &text[..end];
        let line_start = head.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line: head.matches('\n').count() + 1, column: head[line_start..].chars().count() + 1 }
    }
}

/// Where a value stands in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The bytes of the member's key with its quotes; `None` for the root and for array items.
    pub key: Option<Range<usize>>,
    /// The bytes of the value.
    pub value: Range<usize>,
}

/// Finds the value at a JSON pointer (RFC 6901) in a valid JSON text.
///
/// Returns `None` if the pointer leads nowhere or the text is not the valid JSON that the caller promised.
pub fn locate(text: &str, pointer: &str) -> Option<Span> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.skip_space();
    let mut key = None;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        key = scanner.enter(text, &token)?;
    }
    let start = scanner.at;
    scanner.skip_value()?;
    Some(Span { key, value: start..scanner.at })
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Moves from the start of an object or array to the start of the named child; the outer `None` is "not there".
    fn enter(&mut self, text: &str, token: &str) -> Option<Option<Range<usize>>> {
        let is_object = match self.peek()? {
            b'{' => true,
            b'[' => false,
            _ => return None,
        };
        self.at += 1;
        for index in 0_usize.. {
            self.skip_space();
            if matches!(self.peek()?, b'}' | b']') {
                return None;
            }
            let mut key = None;
            if is_object {
                let start = self.at;
                self.skip_string()?;
                key = Some(start..self.at);
                self.skip_space();
                self.at += 1; // the colon
                self.skip_space();
            }
            let found = match &key {
                Some(range) => serde_json::from_str::<String>(&text[range.clone()]).is_ok_and(|name| name == token),
                None => token.parse() == Ok(index),
            };
            if found {
                return Some(key);
            }
            self.skip_value()?;
            self.skip_space();
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        None
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            self.skip_space();
            match self.peek()? {
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b'"' => self.skip_string()?,
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    let start = self.at;
                    while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')) {
                        self.at += 1;
                    }
                    if self.at == start {
                        return None;
                    }
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"a\": [1, {\"x/y\": \"q\\\"}\"}, []],\n  \"é\": { }, \"\\u0062\": -1.5e3\n}";

    fn check(pointer: &str, expected: Option<&str>) {
        assert_eq!(locate(TEXT, pointer).map(|span| &TEXT[span.value]), expected, "{pointer}");
    }

    #[test]
    fn finds_values_and_keys() {
        check("", Some(TEXT));
        check("/a", Some("[1, {\"x/y\": \"q\\\"}\"}, []]"));
        check("/a/1/x~1y", Some("\"q\\\"}\""));
        check("/a/2", Some("[]"));
        check("/é", Some("{ }"));
        check("/b", Some("-1.5e3"));
        check("/a/3", None);
        check("/a/0/x", None);
        check("/c", None);
        let span = locate(TEXT, "/b").expect("there");
        assert_eq!(Position::at_offset(TEXT, span.value.start), Position { line: 3, column: 23 });
        assert_eq!(&TEXT[span.key.expect("a member")], "\"\\u0062\"");
    }
}
