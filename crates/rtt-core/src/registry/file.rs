//! The layout of `.rtt/cache/registry.json`: one JSON document, in which every source and every instance has a line of
//! its own. So a changed manifest changes one line, and an unchanged line can be copied without being understood.

use std::borrow::Borrow;
use std::io::{self, Write};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Instance, Registry, Selection, Source, Summary};
use crate::json;
use crate::workspace::state::Fingerprint;

/// Everything before the sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Format version.
    pub version: String,
    /// As [`Registry::fingerprint`].
    pub fingerprint: Fingerprint,
    /// As [`Registry::selection`].
    pub selection: Selection,
    /// As [`Registry::summary`].
    pub summary: Summary,
}

/// What stands before each line but the first of a list.
pub const SEPARATOR: &[u8] = b",\n    ";

/// Writes the head and the sources, and opens the list of instances.
///
/// # Errors
/// Those of the writer.
pub fn write_head(
    out: &mut impl Write,
    head: &Head,
    sources: impl Iterator<Item = impl Borrow<Source>>,
) -> io::Result<()> {
    let text = json::pretty(head);
    out.write_all(text.trim_end_matches("\n}\n").as_bytes())?;
    out.write_all(b",\n  \"sources\": [")?;
    let mut before: &[u8] = b"\n    ";
    for source in sources {
        out.write_all(before)?;
        serde_json::to_writer(&mut *out, source.borrow())?;
        before = SEPARATOR;
    }
    out.write_all(b"\n  ],\n  \"instances\": [")
}

/// Returns an instance's line.
pub fn line(instance: &Instance) -> String {
    serde_json::to_string(instance).expect("instances have string keys and finite numbers")
}

/// What stands before the first line of a list.
pub const FIRST: &[u8] = b"\n    ";
/// What closes the list of instances and the document.
pub const END: &[u8] = b"\n  ]\n}\n";

/// Returns the whole text of a registry.
pub fn text(registry: &Registry) -> String {
    let head = Head {
        version: registry.version.clone(),
        fingerprint: registry.fingerprint.clone(),
        selection: registry.selection.clone(),
        summary: registry.summary.clone(),
    };
    let mut out = Vec::new();
    write_head(&mut out, &head, registry.sources.iter()).expect("writing to memory");
    for (index, instance) in registry.instances.iter().enumerate() {
        out.extend(if index == 0 { FIRST } else { SEPARATOR });
        out.extend(line(instance).as_bytes());
    }
    out.extend(END);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Reads the head of a registry that is laid out as [`text`] does it, without understanding what follows.
pub fn parse_head(text: &str) -> Option<Head> {
    let (head, _) = text.split_once(",\n  \"sources\": [")?;
    serde_json::from_str(&format!("{head}}}")).ok()
}

/// Reads a registry that is laid out as [`text`] does it, its lines in parallel. `None` for any other text, valid or not.
pub fn parse(text: &str) -> Option<Registry> {
    #[derive(Deserialize)]
    struct Beginning {
        #[serde(flatten)]
        head: Head,
        sources: Vec<Source>,
    }
    let (beginning, lines) = text.split_once(",\n  \"instances\": [")?;
    let lines = std::str::from_utf8(lines.as_bytes().strip_suffix(END)?).ok()?;
    let Beginning { head, sources } = serde_json::from_str(&format!("{beginning}}}")).ok()?;
    // A line feed inside a string is escaped, so every one of them ends a line.
    let lines: Vec<&str> = lines.split('\n').skip(1).collect();
    let instance = |line: &&str| serde_json::from_str(line.strip_suffix(',').unwrap_or(line)).ok();
    let instances = lines.par_iter().with_min_len(64).map(instance).collect::<Option<Vec<Instance>>>()?;
    let Head { version, fingerprint, selection, summary } = head;
    Some(Registry { version, fingerprint, selection, sources, summary, instances })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependency::tests::registry;

    #[test]
    fn lines_are_read_as_the_whole_is() {
        let one = serde_json::json!({"symbol": "a.b", "version": "1.0.0", "description": "\n,\n    {\"instances\": ["});
        let other = serde_json::json!({"symbol": "c.d", "version": "1.0.0", "requires": [{"symbol": "a.b"}]});
        for manifests in [vec![], vec![one.clone()], vec![one, other]] {
            let registry = registry(&manifests);
            let text = text(&registry);
            assert_eq!(parse(&text), Some(registry));
            assert_eq!(parse(&text), serde_json::from_str(&text).ok());
            assert_eq!(parse_head(&text).map(|head| head.fingerprint), parse(&text).map(|whole| whole.fingerprint));
            for broken in [text.replace("\n  ]", ""), text.replace("version", "verso"), text.replace('\n', " ")] {
                assert_eq!(parse(&broken), None);
            }
        }
    }
}
