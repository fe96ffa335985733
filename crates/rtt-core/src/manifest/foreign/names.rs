//! From names that people chose freely to legal symbols and versions.

use semver::Version;

use crate::digest::Digest;
use crate::symbol::{MAX_SYMBOL_BYTES, Symbol};

/// No segment may fill a symbol alone, because a symbol needs two.
const MAX_SEGMENT_BYTES: usize = MAX_SYMBOL_BYTES / 2 - 16;

/// Builds the symbol `<prefix>.<name>` from a free name, which becomes one segment.
pub(super) fn symbol(prefix: &str, name: &str) -> Symbol {
    joined(&[prefix], [name])
}

/// Builds a symbol from a name that has segments of its own (`io.github.user/server`), keeping them.
///
/// A name of one segment gets the prefix.
pub(super) fn namespaced(prefix: &str, name: &str) -> Symbol {
    let segments: Vec<&str> = name.split(['/', '.']).filter(|part| !part.is_empty()).collect();
    if segments.len() < 2 { joined(&[prefix], segments) } else { joined(&[], segments) }
}

/// Reads a foreign version leniently: a leading `v`, missing numbers and leading zeros are forgiven.
pub(in crate::manifest) fn lenient_version(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    if let Ok(version) = text.parse() {
        return Some(version);
    }
    let core_end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(core_end);
    let mut numbers = core.split('.').map(|number| {
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| number.parse::<u64>().ok()).flatten()
    });
    let major = numbers.next()??;
    let minor = numbers.next().unwrap_or(Some(0))?;
    let patch = numbers.next().unwrap_or(Some(0))?;
    if numbers.next().is_some() {
        return None;
    }
    format!("{major}.{minor}.{patch}{rest}").parse().ok()
}

fn joined<'a>(prefix: &[&str], names: impl IntoIterator<Item = &'a str>) -> Symbol {
    let mut segments: Vec<String> = prefix.iter().map(|&part| part.to_owned()).collect();
    segments.extend(names.into_iter().map(segment));
    while segments.len() < 2 {
        segments.push(segment(""));
    }
    if !segments[0].starts_with(|first: char| first.is_ascii_lowercase()) {
        segments[0].insert(0, 'x');
    }
    let mut name = segments.join(".");
    if name.len() > MAX_SYMBOL_BYTES {
        let hash = short_hash(&name);
        name.truncate(MAX_SYMBOL_BYTES - hash.len() - 1);
        let head = name.trim_end_matches('.');
        name = format!("{head}-{hash}");
    }
    name.parse().expect("every segment was made legal and the length is bounded")
}

/// Makes one legal segment: lower case, runs of spaces and punctuation one `-`, cut at [`MAX_SEGMENT_BYTES`]. Where
/// letters get lost, a hash keeps different names apart.
fn segment(name: &str) -> String {
    let mut out = String::new();
    let mut lost = name.is_empty();
    for character in name.chars() {
        match character {
            'a'..='z' | '0'..='9' | '_' => out.push(character),
            'A'..='Z' => out.push(character.to_ascii_lowercase()),
            other => {
                lost |= !other.is_ascii();
                if !out.ends_with('-') {
                    out.push('-');
                }
            }
        }
    }
    lost |= out.len() > MAX_SEGMENT_BYTES;
    out.truncate(MAX_SEGMENT_BYTES);
    let kept = out.trim_matches(['-', '_']);
    match (kept.is_empty(), lost) {
        (true, _) => format!("x{}", short_hash(name)),
        (false, true) => format!("{kept}-{}", short_hash(name)),
        (false, false) => kept.to_owned(),
    }
}

fn short_hash(text: &str) -> String {
    Digest::of_bytes(text).hex()[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_legal_symbol() {
        let check = |made: Symbol, expected: &str| assert_eq!(made.as_str(), expected);
        check(symbol("a2a", "Currency Conversion Agent"), "a2a.currency-conversion-agent");
        check(symbol("mcp", "@scope/pkg.v2"), "mcp.scope-pkg-v2");
        check(symbol("mcp", "__init__"), "mcp.init");
        check(namespaced("mcp", "io.github.User/My_Server"), "io.github.user.my_server");
        check(namespaced("mcp", "7zip.org/x"), "x7zip.org.x");
        check(namespaced("mcp", "weather"), "mcp.weather");
        assert_ne!(symbol("a2a", "日本"), symbol("a2a", "中国"));
        assert_ne!(symbol("a2a", "größe"), symbol("a2a", "grüße"));
        for odd in
            ["", "...", "/", "\u{0}", "-", &"x.".repeat(300), &"é".repeat(300), &format!("{}/b", "1".repeat(300))]
        {
            symbol("mcp", odd);
            namespaced("mcp", odd);
        }
    }

    #[test]
    fn versions_are_read_leniently() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(lenient_version(text).map(|version| version.to_string()).as_deref(), expected, "{text}");
        };
        check("1.2.3", Some("1.2.3"));
        check("v1", Some("1.0.0"));
        check("1.0-beta", Some("1.0.0-beta"));
        check("2024.01.05", Some("2024.1.5"));
        for wrong in ["", "latest", "1.2.3.4", "1..2", "-1"] {
            check(wrong, None);
        }
    }
}
