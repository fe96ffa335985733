//! One finding: which rule, how bad, where, what was found, what to do.
//!
//! Diagnostics are data; `rtt-cli` renders them. Their texts may hold words from untrusted files, raw: whoever prints
//! them escapes them (see [`crate::text`]).

use serde::Serialize;

use crate::json::{self, ParseError, ParseErrorKind, Position};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The run fails.
    Error,
    /// The run goes on; somebody should look.
    Warning,
    /// For information.
    Info,
}

/// A place in a file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, relative to the workspace root where it lies inside, with `/` separators.
    pub file: String,
    /// JSON pointer of the value in question; empty for the whole file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
    /// Line and column, both from 1.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// The line of the file.
    #[serde(skip)]
    pub snippet: Option<String>,
    /// How many characters of the snippet, from the column on, the finding is about; at least 1.
    #[serde(skip)]
    pub width: usize,
}

impl Place {
    /// A whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), pointer: String::new(), at: None, snippet: None, width: 1 }
    }

    /// The value at a JSON pointer of a file, not yet resolved to a line.
    pub fn pointer(file: impl Into<String>, pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), ..Self::file(file) }
    }

    /// The value at a JSON pointer, resolved in the file's text.
    pub fn value(file: impl Into<String>, text: &str, pointer: &str) -> Self {
        Self::located(file.into(), text, pointer, false)
    }

    /// The key of the member at a JSON pointer, resolved in the file's text.
    pub fn key(file: impl Into<String>, text: &str, pointer: &str) -> Self {
        Self::located(file.into(), text, pointer, true)
    }

    /// A known line and column of a text; what lies behind the last line is shown at its end.
    pub fn position(file: impl Into<String>, text: &str, at: Position) -> Self {
        let last = text.trim_end();
        let (at, snippet) = match line_of(text, at.line) {
            Some(line) => (at, line),
            None => (Position::at_offset(last, last.len()), last.lines().last().unwrap_or_default().to_owned()),
        };
        Self { at: Some(at), snippet: Some(snippet), ..Self::file(file) }
    }

    /// Resolves line and column of a place that has only a pointer, given the file's text.
    pub fn resolve(&mut self, text: &str) {
        if self.at.is_none() {
            *self = Self::value(std::mem::take(&mut self.file), text, &self.pointer);
        }
    }

    fn located(file: String, text: &str, pointer: &str, want_key: bool) -> Self {
        let mut place = Self::pointer(file, pointer);
        let Some(span) = json::locate(text, pointer) else { return place };
        let range = span.key.filter(|_| want_key).unwrap_or(span.value);
        let at = Position::at_offset(text, range.start);
        let first_line = text[range].lines().next().unwrap_or("");
        place.width = first_line.chars().count().max(1);
        place.at = Some(at);
        place.snippet = line_of(text, at.line);
        place
    }
}

fn line_of(text: &str, line: usize) -> Option<String> {
    text.lines().nth(line - 1).map(str::to_owned)
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The rule's stable identifier, `RTT-M003`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do next, one step each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// Other places that explain it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// What makes it the same finding when lines move and words change; `None`: rule, place and message do.
    #[serde(skip)]
    pub identity: Option<String>,
}

/// A second place that explains a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there.
    pub message: String,
}

impl Diagnostic {
    /// An error; add place and help with the builder methods.
    pub fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// A warning.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, message)
    }

    /// An information.
    pub fn info(rule: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, rule, message)
    }

    fn new(severity: Severity, rule: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { rule, severity, message, place: None, help: Vec::new(), related: Vec::new(), identity: None }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Points to a second place.
    #[must_use]
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// A file that strict JSON parsing refused.
    pub fn unreadable_json(rule: &'static str, file: &str, bytes: &[u8], error: &ParseError) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self::error(rule, error.kind.to_string()).at(Place::position(file, &text, error.at)).help(remedy(&error.kind))
    }
}

/// What makes a document readable that strict JSON parsing refused.
fn remedy(kind: &ParseErrorKind) -> &'static str {
    match kind {
        ParseErrorKind::TooLarge(..) => "split it into several files",
        ParseErrorKind::ByteOrderMark => "in the editor, choose the encoding \"UTF-8\", not \"UTF-8 with BOM\"",
        ParseErrorKind::InvalidUtf8 => "save the file as UTF-8; it may be in an older encoding such as Latin-1",
        ParseErrorKind::DuplicateKey(_) => "keep one of the two, since readers disagree about which one counts",
        ParseErrorKind::TooDeep => "nest the arrays and objects less deeply",
        ParseErrorKind::Syntax(message) => match message.as_str() {
            "trailing comma" => "remove the last comma before this place",
            "key must be a string" => "put keys into double quotation marks; JSON has no comments",
            "trailing characters" => "a file holds one document: remove what follows it",
            eof if eof.starts_with("EOF") => "the file ends too early: close what is open",
            control if control.starts_with("control character") => {
                "write it as an escape such as \\n, or close the string"
            }
            _ => "look at this place and just before it for a missing comma, colon or quotation mark",
        },
    }
}

/// Sorts findings for output: by file, line, column, rule and message; findings without a place come last.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| {
            let place = d.place.as_ref();
            (place.is_none(), place.map(|p| p.file.clone()), place.and_then(|p| p.at), place.map(|p| p.pointer.clone()))
        };
        key(a).cmp(&key(b)).then_with(|| a.rule.cmp(b.rule)).then_with(|| a.message.cmp(&b.message))
    });
}

/// Counts findings of one severity.
pub fn count(diagnostics: &[Diagnostic], severity: Severity) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
}
