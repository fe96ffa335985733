//! Showing untrusted text: names, descriptions and reasons come from files that anybody may have written.

use std::fmt::Write as _;

/// Escapes what could act on a terminal or mislead a reader: control characters, bidirectional overrides,
/// zero-width and other invisible format characters become `\u{…}`; tabs and newlines `\t` and `\n`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            hidden if is_deceptive(hidden) => {
                write!(out, "\\u{{{:x}}}", u32::from(hidden)).expect("writing to a string")
            }
            shown => out.push(shown),
        }
    }
    out
}

/// Tells whether a character is invisible or changes how its neighbours are shown.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the nearest of the known words, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(word.chars().count()) / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns `1 symbol`, `2 symbols`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_acts_on_a_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\u{200b}\n"), "a\\u{1b}[31mb\\u{202e}c\\u{200b}\\n");
        assert_eq!(printable("größe 漢字 🦀"), "größe 漢字 🦀");
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(nearest("protocl", ["protocol", "provides"]), Some("protocol"));
        assert_eq!(nearest("zzz", ["protocol", "provides"]), None);
    }
}
