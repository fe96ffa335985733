//! Untrusted text, and how it is shown: names, descriptions and reasons come from files that anybody may have written.

use std::fmt::Write as _;

/// Escapes what could act on a terminal or mislead a reader: control characters, bidirectional overrides,
/// zero-width and other invisible format characters become `\u{…}`; tabs and newlines `\t` and `\n`.
pub fn printable(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
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

/// Escapes what [`printable`] escapes, but for tabs: for a line of a file that is shown as it is.
pub fn printable_line(line: &str) -> String {
    line.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

/// Tells whether a character is invisible or changes how its neighbours are shown.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the placeholders of templates that nothing filled in: `${NAME}`, `{{name}}`, `%NAME%` and `<your-name>`.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(['$', '{', '%', '<']).filter_map(|(at, _)| placeholder_at(&text[at..]))
}

/// The placeholder that a text begins with.
fn placeholder_at(text: &str) -> Option<&str> {
    let enclosed = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?;
        let inner = &inner[..inner.find(close)?];
        (!inner.trim().is_empty()).then(|| &text[..open.len() + inner.len() + close.len()])
    };
    // Percent signs also stand in URLs (`%E2%82%AC`) and after numbers; a variable's name is longer than a byte in hex.
    let is_variable = |name: &str| {
        name.len() > 2
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    let is_yours = |name: &str| {
        name.to_ascii_lowercase().strip_prefix("your").is_some_and(|rest| rest.starts_with(['-', '_', ' ']))
    };
    enclosed("${", "}")
        .or_else(|| enclosed("{{", "}}"))
        .or_else(|| enclosed("%", "%").filter(|found| is_variable(&found[1..found.len() - 1])))
        .or_else(|| enclosed("<", ">").filter(|found| is_yours(&found[1..found.len() - 1])))
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
    fn finds_what_templates_left() {
        let check =
            |text: &str, expected: &[&str]| assert_eq!(placeholders(text).collect::<Vec<_>>(), expected, "{text}");
        check("a${B}c {{ d }} %HOME% <your-token>", &["${B}", "{{ d }}", "%HOME%", "<your-token>"]);
        check("<YOUR_API_KEY>${A:-b}", &["<YOUR_API_KEY>", "${A:-b}"]);
        for plain in ["", "$5 {a} {{}} ${} 100% <b> <yours> a<your", "caf%C3%A9 %E2%82%AC 50%CP%", "%home%", "größe<é>"]
        {
            check(plain, &[]);
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(nearest("protocl", ["protocol", "provides"]), Some("protocol"));
        assert_eq!(nearest("zzz", ["protocol", "provides"]), None);
    }
}
