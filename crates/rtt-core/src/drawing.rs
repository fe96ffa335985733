//! Labels for drawing tools: texts from manifests, escaped for each language.

use std::fmt::Write as _;

use crate::text::printable;

/// Returns a quoted string of Graphviz's DOT.
pub fn dot(text: &str) -> String {
    format!("\"{}\"", printable(&flat(text)).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns a quoted label of Mermaid, in which everything but the plainest characters becomes a character reference.
pub fn mermaid(text: &str) -> String {
    let mut out = String::from("\"");
    for character in printable(&flat(text)).chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | '@' | '+' | '*' | ' ' | ',' | '=' => {
                out.push(character)
            }
            other => write!(out, "#{};", u32::from(other)).expect("writing to a string"),
        }
    }
    out.push('"');
    out
}

/// Returns character data of XML.
pub fn xml(text: &str) -> String {
    let mut out = String::new();
    for character in printable(&flat(text)).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// Names keep the white space in which they were written.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_ends_its_string() {
        let hostile = "a\"]; b\n<script>&\u{202e}";
        assert_eq!(dot(hostile), r#""a\"]; b <script>&\\u{202e}""#);
        assert_eq!(mermaid(hostile), "\"a#34;#93;#59; b #60;script#62;#38;#92;u#123;202e#125;\"");
        assert_eq!(xml(hostile), "a&quot;]; b &lt;script&gt;&amp;\\u{202e}");
    }
}
