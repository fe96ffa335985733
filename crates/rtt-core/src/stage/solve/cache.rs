//! `.rtt/cache/solver.json`: what searches came to, so that a component that did not change is not searched again.
//!
//! It belongs to whoever ran the stage and is no state: a plan is the same bytes with it, without it, or with one that
//! was cut, altered, or made by another version. The file holds what the last plan needed and nothing else, so it is the
//! same for equal inputs, and does not grow.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::planner::{ENGINE, Memory, Remembered};
use crate::stage::Stage;
use crate::workspace::state::FORMAT_VERSION;
use crate::workspace::{self, Workspace, layout};

/// A file larger than this is not read, nor written: about a thousand components of the largest plans.
const MAX_BYTES: usize = 64 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    generator: String,
    digest: Digest,
    searches: Vec<Remembered>,
}

/// Reads what is remembered; nothing if the file is missing, too large, damaged, or another engine's.
pub(super) fn read(workspace: &Workspace) -> Memory {
    let size = std::fs::metadata(workspace.path(layout::SOLVER_CACHE)).map(|file| file.len());
    let known = match size {
        Ok(bytes) if bytes <= MAX_BYTES as u64 => workspace.read_optional(layout::SOLVER_CACHE).ok().flatten(),
        _ => None,
    };
    let known = known.and_then(|bytes| parse(&bytes));
    log::debug!("{} searches are remembered", known.as_ref().map_or(0, Vec::len));
    Memory::new(known.unwrap_or_default())
}

/// Writes what a plan needed, unless that is what the file says.
///
/// # Errors
/// [`workspace::Error`] if the file cannot be written; the old one is then still there.
pub(super) fn write(workspace: &Workspace, memory: &Memory) -> Result<(), workspace::Error> {
    let text = text(memory.used());
    let is_same =
        || workspace.read_optional(layout::SOLVER_CACHE).is_ok_and(|old| old.as_deref() == Some(text.as_bytes()));
    if text.len() > MAX_BYTES || is_same() {
        return Ok(());
    }
    workspace.write(layout::SOLVER_CACHE, text.as_bytes())
}

fn generator() -> String {
    format!("{} {} {ENGINE}", Stage::Solver.executable(), crate::VERSION)
}

fn parse(bytes: &[u8]) -> Option<Vec<Remembered>> {
    let file: File = serde_json::from_slice(bytes).ok()?;
    (file.generator == generator() && file.digest == digest(&lines(&file.searches))).then_some(file.searches)
}

/// A search a line, so that files can be compared.
fn text(searches: Vec<Remembered>) -> String {
    let lines = lines(&searches);
    let head = [("version", FORMAT_VERSION), ("generator", &generator()), ("digest", &digest(&lines).to_string())];
    let mut text = String::from("{\n");
    for (name, value) in head {
        text.push_str(&format!("  \"{name}\": \"{value}\",\n"));
    }
    text.push_str(&format!("  \"searches\": [\n{}\n  ]\n}}\n", lines.join(",\n")));
    text
}

fn lines(searches: &[Remembered]) -> Vec<String> {
    searches.iter().map(|search| serde_json::to_string(search).expect("numbers and a digest")).collect()
}

fn digest(lines: &[String]) -> Digest {
    Digest::of_bytes(lines.join("\n"))
}
