//! Results and findings as lines for people. Everything that came from files is escaped here.

use std::fmt::Write as _;

use rtt_core::diagnostic::{Diagnostic, Place, Severity};
use rtt_core::text::printable;

/// How many characters of a long line (minified JSON) are shown around a finding.
const SNIPPET_WIDTH: usize = 100;

/// The colours of a stream, or none.
#[derive(Clone, Copy)]
pub(crate) struct Palette {
    enabled: bool,
}

impl Palette {
    pub(crate) fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.enabled { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn ok(self) -> String {
        self.paint("1;32", "[OK]")
    }

    pub(crate) fn warn(self) -> String {
        self.paint("1;33", "[WARN]")
    }

    pub(crate) fn fail(self) -> String {
        self.paint("1;31", "[FAIL]")
    }
}

/// Renders one finding:
///
/// ```text
/// error[RTT-M003]: unknown key 'protocl'
///   --> agents/a.agent.json:7:5
///    |
///  7 |     "protocl": {"name": "jsonrpc"}
///    |     ^^^^^^^^^
///    = help: did you mean 'protocol'?
/// ```
pub(crate) fn diagnostic(finding: &Diagnostic, palette: Palette) -> String {
    let (name, code) = match finding.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
        Severity::Info => ("info", "1;36"),
    };
    let head = palette.paint(code, &format!("{name}[{}]", finding.rule));
    let mut out = format!("{head}: {}\n", printable(&finding.message));
    let gutter = finding.place.as_ref().and_then(|place| place.at).map_or(1, |at| at.line.to_string().len());
    let bar = palette.paint("34", &format!("{:gutter$} |", ""));
    if let Some(place) = &finding.place {
        writeln!(out, "{:gutter$}{} {}", "", palette.paint("34", "-->"), location(place)).expect("writing to a string");
        if let (Some(at), Some(snippet)) = (place.at, &place.snippet) {
            let (line, offset, width) = window(snippet, at.column, place.width);
            let number = palette.paint("34", &format!("{:>gutter$} |", at.line));
            let marks = palette.paint(code, &"^".repeat(width));
            writeln!(out, "{bar}\n{number} {line}\n{bar} {:offset$}{marks}", "").expect("writing to a string");
        }
    }
    for related in &finding.related {
        let note = format!("note: {} ({})", printable(&related.message), location(&related.place));
        writeln!(out, "{:gutter$} = {note}", "").expect("writing to a string");
    }
    for help in &finding.help {
        writeln!(out, "{:gutter$} = help: {}", "", printable(help)).expect("writing to a string");
    }
    out
}

/// Returns `file`, `file:line:column`, or the file with a JSON pointer that was not resolved.
pub(crate) fn location(place: &Place) -> String {
    let file = printable(&place.file);
    match place.at {
        Some(at) => format!("{file}:{}:{}", at.line, at.column),
        None if place.pointer.is_empty() => file,
        None => format!("{file} at {}", printable(&place.pointer)),
    }
}

/// Cuts a long line around the finding; returns the escaped text, and where and how wide the marks are.
fn window(snippet: &str, column: usize, width: usize) -> (String, usize, usize) {
    let characters: Vec<char> = snippet.chars().collect();
    let mark = (column - 1).min(characters.len());
    let start = if characters.len() <= SNIPPET_WIDTH { 0 } else { mark.saturating_sub(SNIPPET_WIDTH / 3) };
    let end = characters.len().min(start + SNIPPET_WIDTH);
    let escaped = |range: std::ops::Range<usize>| printable(&characters[range].iter().collect::<String>());
    let head = if start > 0 { "…" } else { "" };
    let tail = if end < characters.len() { "…" } else { "" };
    let offset = head.chars().count() + escaped(start..mark).chars().count();
    let marks = escaped(mark..end.min(mark + width).max(mark)).chars().count().max(1);
    (format!("{head}{}{tail}", escaped(start..end)), offset, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_the_place_in_an_escaped_line() {
        let text = "{\n\t\"bad\u{1b}key\": 1\n}";
        let finding = Diagnostic::error("RTT-X001", "unknown \u{1b}[2J key")
            .at(Place::key("a\nb.json", text, "/bad\u{1b}key"))
            .help("remove it");
        let place = finding.place.as_ref().expect("just set");
        assert_eq!(place.at, None, "a raw control character is not JSON, so nothing is located");

        let text = "{\n\t\"bäd\": 1\n}";
        let finding = Diagnostic { place: Some(Place::key("a\nb.json", text, "/bäd")), ..finding };
        let expected = "error[RTT-X001]: unknown \\u{1b}[2J key\n --> a\\nb.json:2:2\n  |\n2 | \\t\"bäd\": 1\n  |   ^^^^^\n  = help: remove it\n";
        assert_eq!(diagnostic(&finding, Palette::new(false)), expected);
    }

    #[test]
    fn cuts_long_lines_around_the_finding() {
        let line = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let (shown, offset, width) = window(&line, 5001, 1);
        assert_eq!((shown.chars().nth(offset), width), (Some('X'), 1));
        assert!(shown.chars().count() <= SNIPPET_WIDTH + 2);
    }
}
