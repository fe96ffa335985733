//! Words that people read: characters that nobody sees, and placeholders that nothing filled in.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::text;

/// Checks the text that says what an agent is.
pub(super) fn description(text: &str) -> impl Iterator<Item = Diagnostic> {
    prose("the description", text).into_iter().chain(unfilled("the description", text))
}

/// Checks a word that providers and requirements compare.
pub(super) fn capability(word: &str) -> impl Iterator<Item = Diagnostic> {
    name("the capability", word).into_iter().chain(unfilled("the capability", word))
}

/// Finds what makes a name look like another one: an error.
pub(super) fn name(what: &str, name: &str) -> Option<Diagnostic> {
    let hidden = hidden(name, |_, _| false);
    if !hidden.is_empty() {
        let seen: String = name.chars().filter(|character| !hidden.contains(character)).collect();
        let message = format!("{what} '{name}' holds {}, expected visible characters only", listed(&hidden));
        let help = if seen.trim().is_empty() { "write a name".to_owned() } else { format!("write \"{seen}\"") };
        return Some(Diagnostic::error("RTT-M019", message).help(help));
    }
    let trimmed = name.trim();
    (trimmed.len() < name.len()).then(|| {
        let message = format!("{what} '{name}' begins or ends with white space, which is a part of the name");
        let help = if trimmed.is_empty() { "write a name".to_owned() } else { format!("write \"{trimmed}\"") };
        Diagnostic::error("RTT-M019", message).help(help)
    })
}

/// Finds characters in an argument of a command that nobody sees: an error. White space is not among them.
pub(super) fn argument(what: &str, argument: &str) -> Option<Diagnostic> {
    let hidden = hidden(argument, is_ordinary);
    (!hidden.is_empty()).then(|| {
        let message = format!("{what} '{argument}' holds {}, expected visible characters only", listed(&hidden));
        Diagnostic::error("RTT-M019", message).help("remove what is not seen")
    })
}

/// Finds characters in a text for people that make it read as something else: a warning.
pub(super) fn prose(what: &str, text: &str) -> Option<Diagnostic> {
    let hidden = hidden(text, is_ordinary);
    (!hidden.is_empty()).then(|| {
        let message = format!("{what} holds {}, expected visible characters only", listed(&hidden));
        Diagnostic::warning("RTT-M019", message)
            .help("remove what is not seen: people and programs read different texts")
    })
}

/// Finds a placeholder in a text where one may also be meant: a warning.
fn unfilled(what: &str, text: &str) -> Option<Diagnostic> {
    text::placeholders(text).next().map(|placeholder| {
        let message = format!("{what} holds the placeholder '{placeholder}', which nothing fills in");
        Diagnostic::warning("RTT-M017", message).help("write what it stands for")
    })
}

/// The characters of a text that are not seen, but for those that are ordinary where they stand.
fn hidden(text: &str, is_ordinary: fn(&[char], usize) -> bool) -> BTreeSet<char> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return BTreeSet::new();
    }
    let characters: Vec<char> = text.chars().collect();
    let is_hidden = |index: &usize| text::is_deceptive(characters[*index]) && !is_ordinary(&characters, *index);
    (0..characters.len()).filter(is_hidden).map(|index| characters[index]).collect()
}

/// Line breaks and tabs are ordinary in texts, and so are joiners between characters beyond ASCII: emoji and several
/// scripts are written with them.
fn is_ordinary(characters: &[char], index: usize) -> bool {
    let joins =
        |neighbour: Option<&char>| neighbour.is_some_and(|other| !other.is_ascii() && !text::is_deceptive(*other));
    match characters[index] {
        '\n' | '\r' | '\t' => true,
        '\u{200c}' | '\u{200d}' => {
            joins(index.checked_sub(1).and_then(|before| characters.get(before))) && joins(characters.get(index + 1))
        }
        _ => false,
    }
}

/// `U+202E (changes the direction of text), U+200B (invisible)`.
fn listed(hidden: &BTreeSet<char>) -> String {
    let one = |character: &char| {
        let effect = match character {
            control if control.is_control() => "a control character",
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                "changes the direction of text"
            }
            _ => "invisible",
        };
        format!("U+{:04X} ({effect})", u32::from(*character))
    };
    hidden.iter().map(one).collect::<Vec<_>>().join(", ")
}
