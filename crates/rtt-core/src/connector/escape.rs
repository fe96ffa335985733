//! Text of manifests in generated code: string literals and comments that it cannot leave.
//!
//! Owns the only two ways in which untrusted text reaches a generated file. Names no language.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::text;

/// How a language spells a string literal on one line (`strings` in `stub.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strings {
    /// The character around it.
    pub quote: char,
    /// How a character is written by number, with `{hex4}`, `{hex8}` or `{hex}` in it.
    pub by_number: String,
    /// Number UTF-16 code units rather than characters.
    #[serde(default)]
    pub utf16: bool,
    /// Further ASCII characters that are written by number.
    #[serde(default)]
    pub special: String,
    /// The longest literal, for languages that limit it.
    #[serde(default)]
    pub longest: Option<Longest>,
}

/// A limit to the length of literals (`strings.longest` in `stub.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Longest {
    /// The most characters between the quotes.
    pub characters: usize,
    /// How shorter literals are joined when the program runs, with `{items}` for them, separated by commas.
    pub joined: String,
}

impl Strings {
    /// Returns a literal of printable ASCII, or an expression of several, that denotes exactly the text.
    pub fn literal(&self, value: &str) -> String {
        let most = self.longest.as_ref().map_or(usize::MAX, |longest| longest.characters);
        let mut pieces = vec![String::with_capacity(value.len())];
        let mut next = String::new();
        for character in value.chars() {
            next.clear();
            self.write(character, &mut next);
            if pieces.last().is_some_and(|piece| piece.len() + next.len() > most) {
                pieces.push(String::new());
            }
            pieces.last_mut().expect("one at least").push_str(&next);
        }
        let quote = self.quote;
        let mut literals: Vec<String> = pieces.into_iter().map(|piece| format!("{quote}{piece}{quote}")).collect();
        match &self.longest {
            Some(longest) if literals.len() > 1 => longest.joined.replace("{items}", &literals.join(", ")),
            _ => literals.remove(0),
        }
    }

    fn write(&self, character: char, out: &mut String) {
        let plain = matches!(character, ' '..='~')
            && character != self.quote
            && character != '\\'
            && !self.special.contains(character);
        if plain {
            out.push(character);
        } else if self.utf16 {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                self.number(u32::from(*unit), out);
            }
        } else {
            self.number(u32::from(character), out);
        }
    }

    /// Writes a character by number.
    fn number(&self, number: u32, out: &mut String) {
        let mut rest = self.by_number.as_str();
        while let Some(start) = rest.find("{hex") {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let width =
                [("{hex4}", 4), ("{hex8}", 8), ("{hex}", 0)].into_iter().find(|(mark, _)| rest.starts_with(mark));
            let Some((mark, width)) = width else { break };
            write!(out, "{number:0width$x}").expect("writing to a string");
            rest = &rest[mark.len()..];
        }
        out.push_str(rest);
    }
}

/// Returns the lines of a comment: no control or invisible character, none of the sequences in `breaks`, no blank
/// line at either end; empty for blank text.
pub fn comment_lines(value: &str, breaks: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = value
        .split(['\n', '\u{2028}', '\u{2029}'])
        .map(|line| {
            let mut line = text::printable(line.trim_end_matches('\r').trim_end());
            for sequence in breaks {
                while line.contains(sequence.as_str()) {
                    line = line.replace(sequence.as_str(), &spaced(sequence));
                }
            }
            // A backslash at a line's end joins the next line to the comment in some languages.
            if line.ends_with('\\') {
                line.push('.');
            }
            line
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|line| line.is_empty()).count();
    lines.drain(..blank);
    lines
}

/// `*/` → `* /`.
fn spaced(sequence: &str) -> String {
    let mut out = String::new();
    for character in sequence.chars() {
        if !out.is_empty() {
            out.push(' ');
        }
        write!(out, "{character}").expect("writing to a string");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_any_text_in_ascii() {
        let strings = |by_number: &str, utf16| Strings {
            quote: '"',
            by_number: by_number.to_owned(),
            utf16,
            special: "$".to_owned(),
            longest: None,
        };
        let hostile = "a\"\\\n${x}🦀";
        assert_eq!(strings("\\u{hex4}", true).literal(hostile), r#""a\u0022\u005c\u000a\u0024{x}\ud83e\udd80""#);
        assert_eq!(
            strings("\\U{hex8}", false).literal(hostile),
            r#""a\U00000022\U0000005c\U0000000a\U00000024{x}\U0001f980""#
        );
    }

    #[test]
    fn long_literals_are_joined_without_cutting_a_character() {
        let longest = Longest { characters: 8, joined: "join({items})".to_owned() };
        let (quote, by_number) = ('"', "\\u{hex4}".to_owned());
        let strings = Strings { quote, by_number, utf16: true, special: String::new(), longest: Some(longest) };
        assert_eq!(strings.literal("abcdefgh"), r#""abcdefgh""#);
        assert_eq!(strings.literal("abcé🦀"), r#"join("abc", "\u00e9", "\ud83e\udd80")"#.replace("\\\\", "\\"));
    }

    #[test]
    fn comments_cannot_be_left() {
        let breaks = ["*/".to_owned()];
        assert_eq!(comment_lines("\n a */ b **/\u{2028}c\u{202e}\r\n\n", &breaks), [" a * / b ** /", "c\\u{202e}"]);
        assert_eq!(comment_lines("x\\", &breaks), ["x\\."]);
        assert_eq!(comment_lines(" \n", &breaks), Vec::<String>::new());
    }
}
