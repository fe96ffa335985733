//! `--fix`: which suggested edits to make, their effect in memory, and the manifests' new text.

use std::collections::BTreeSet;

use super::finding::Identity;
use super::resolve::{Resolution, resolve};
use super::suggest::Edit;
use crate::json;
use crate::registry::Registry;
use crate::workspace::layout;

/// Edits that repair findings and bring no new ones.
pub struct Fix {
    /// The edits, by file and pointer.
    pub edits: Vec<Edit>,
    /// The registry as if stage 10 had read the edited manifests; its digests are still the old ones.
    pub registry: Registry,
}

/// Chooses the edits that findings suggest and that are in reach: of manifests in the canonical form, in the folders of
/// the workspace where people write them. All of them together are tried; those after which something new is found are
/// left out.
pub fn choose(resolution: &Resolution) -> Fix {
    let mut edits: Vec<Edit> = Vec::new();
    for edit in resolution.findings.iter().filter_map(|finding| finding.edit.as_ref()) {
        let is_taken = edits.iter().any(|taken| taken.file == edit.file && taken.pointer == edit.pointer);
        if is_in_reach(&edit.file) && !is_taken {
            edits.push(edit.clone());
        }
    }
    edits.sort_by(|a, b| (&a.file, &a.pointer).cmp(&(&b.file, &b.pointer)));
    let known: BTreeSet<Identity> =
        resolution.findings.iter().chain(&resolution.ignored).map(|finding| finding.identity()).collect();
    loop {
        let registry = edited(resolution.registry(), &edits);
        let after = resolve(&registry);
        let new: Vec<_> = after.findings.iter().filter(|finding| !known.contains(&finding.identity())).collect();
        let consumers: BTreeSet<usize> =
            new.iter().flat_map(|finding| &finding.edges).map(|edge| after.edges[*edge].consumer).collect();
        let is_clean = new.is_empty();
        drop(after);
        if is_clean || edits.is_empty() {
            return Fix { edits, registry };
        }
        let before = edits.len();
        edits.retain(|edit| !consumers.contains(&edit.consumer));
        if edits.len() == before {
            edits.clear();
        }
    }
}

/// Tells whether a file lies where people write manifests.
fn is_in_reach(file: &str) -> bool {
    let folders = [layout::AGENTS, layout::PROVIDERS, layout::MANIFESTS];
    let is_below = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    folders.into_iter().any(is_below) && file.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn edited(registry: &Registry, edits: &[Edit]) -> Registry {
    let mut registry = registry.clone();
    for edit in edits {
        edit.change.apply(&mut registry.instances[edit.consumer].manifest.requires[edit.requirement]);
    }
    registry
}

/// Returns a file's text with strings replaced and nothing else touched; `None` if one of them is not there as the
/// registry says.
pub fn edited_text(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut spans = Vec::new();
    for edit in edits {
        let span = json::locate(text, &edit.pointer)?.value;
        if serde_json::from_str::<String>(&text[span.clone()]).ok()? != edit.from {
            return None;
        }
        spans.push((span, serde_json::to_string(&edit.to).expect("strings are JSON")));
    }
    // From the end, so that the places of what comes before stay right.
    spans.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = text.to_owned();
    for (span, new) in spans {
        text.replace_range(span, &new);
    }
    Some(text)
}

/// How many unchanged lines a diff shows around changed ones.
const CONTEXT: usize = 3;

/// Returns the unified diff of two texts that have the same number of lines; empty if they are equal.
pub fn unified_diff(file: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    // What follows the last newline is no line.
    let n_lines = old.len() - usize::from(before.ends_with('\n'));
    let changed: Vec<usize> = (0..n_lines).filter(|line| old[*line] != new[*line]).collect();
    let Some(first) = changed.first() else { return String::new() };
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    let mut hunk = (*first, *first);
    for line in &changed[1..] {
        if line - hunk.1 > 2 * CONTEXT {
            hunks.push(hunk);
            hunk = (*line, *line);
        }
        hunk.1 = *line;
    }
    hunks.push(hunk);
    let mut out = format!("--- a/{file}\n+++ b/{file}\n");
    for (first, last) in hunks {
        let shown = first.saturating_sub(CONTEXT)..(last + 1 + CONTEXT).min(n_lines);
        let range = format!("{},{}", shown.start + 1, shown.len());
        out.push_str(&format!("@@ -{range} +{range} @@\n"));
        let mut push = |mark: char, line: &str, number: usize| {
            out.push(mark);
            out.push_str(line);
            out.push('\n');
            if number + 1 == n_lines && !before.ends_with('\n') {
                out.push_str("\\ No newline at end of file\n");
            }
        };
        let mut line = shown.start;
        while line < shown.end {
            let end = (line..shown.end).find(|at| old[*at] == new[*at]).unwrap_or(shown.end);
            (line..end).for_each(|at| push('-', old[at], at));
            (line..end).for_each(|at| push('+', new[at], at));
            if end < shown.end {
                push(' ', old[end], end);
            }
            line = end + 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diffs_are_unified() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15";
        let after = before.replace("\n2\n", "\ntwo\n").replace("\n3\n", "\nthree\n").replace("15", "fifteen");
        assert_eq!(
            unified_diff("a.json", before, &after),
            "--- a/a.json\n+++ b/a.json\n@@ -1,6 +1,6 @@\n 1\n-2\n-3\n+two\n+three\n 4\n 5\n 6\n@@ -12,4 +12,4 @@\n 12\n 13\n 14\n\
             -15\n\\ No newline at end of file\n+fifteen\n\\ No newline at end of file\n"
        );
        assert_eq!(unified_diff("a.json", before, before), "");
    }

    #[test]
    fn only_folders_of_manifests_are_in_reach() {
        for (file, expected) in [
            ("agents/a/b.agent.json", true),
            (".rtt/manifests/a.json", true),
            ("providers/a.json", true),
            ("providers.json", false),
            ("agents/../.rtt/policy.json", false),
            ("/etc/agents/a.json", false),
            (".rtt/cache/registry.json", false),
        ] {
            assert_eq!(is_in_reach(file), expected, "{file}");
        }
    }
}
