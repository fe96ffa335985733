//! `--fix`: writes the edits that findings suggest into the manifests.

use std::collections::BTreeMap;

use super::{Fix, Request, headline, is_plain_file, settle, show};
use crate::dependency::fix::{choose, edited_text, unified_diff};
use crate::dependency::{Edit, Resolution, Settings, resolve};
use crate::stage::{Error, Report, Stage, Verdict};
use crate::text::{self, counted};
use crate::workspace::Workspace;

/// Repairs what can be repaired; `None` if that is nothing. The report is about what is left to do, unless the edits
/// are only shown.
///
/// # Errors
/// [`Error::Workspace`] if a manifest cannot be read or written; each is written whole or not at all.
pub(super) fn run(
    workspace: &Workspace,
    resolution: &Resolution,
    settings: &Settings,
    (request, how): (&Request, Fix),
) -> Result<Option<Report>, Error> {
    let chosen = choose(resolution);
    let mut by_file: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    for edit in &chosen.edits {
        by_file.entry(&edit.file).or_default().push(edit);
    }
    let mut diff = String::new();
    let mut new_texts: Vec<(&str, String)> = Vec::new();
    let mut count = 0;
    for (file, edits) in by_file {
        let before = workspace.read_optional(file)?.and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(before) = before.filter(|_| is_plain_file(workspace, file)) else { continue };
        let Some(after) = edited_text(&before, &edits) else { continue };
        diff.push_str(&unified_diff(file, &before, &after));
        count += edits.len();
        new_texts.push((file, after));
    }
    if new_texts.is_empty() {
        return Ok(None);
    }
    let what = format!("{} in {}", counted(count, "requirement"), counted(new_texts.len(), "manifest"));
    let is_complete = count == chosen.edits.len();
    let mut report = match how {
        Fix::Show => {
            let mut report = Report::new(resolution.verdict(), headline(resolution, resolution.registry()));
            report.details.push(format!("  --fix would change {what}"));
            show(workspace, &mut report, resolution);
            report
        }
        Fix::Write => {
            for (file, text) in &new_texts {
                workspace.write(file, text.as_bytes())?;
            }
            let mut left = resolve(&chosen.registry);
            settle(&mut left, settings, request);
            // Where a manifest could not be edited, what it needs is still to be done.
            let about = if is_complete { &left } else { resolution };
            let verdict = about.verdict();
            let mut report = Report::new(verdict, format!("Fixed {what}"));
            if verdict != Verdict::Success {
                report.details.push(format!("  {}", headline(about, about.registry())));
            }
            let (scan, doctor) = (Stage::Scan.executable(), Stage::DepDoctor.executable());
            report.details.push(format!("  The registry is stale now: run {scan}, then {doctor}"));
            show(workspace, &mut report, about);
            report.outputs = new_texts.iter().map(|(file, _)| (*file).to_owned()).collect();
            report
        }
    };
    report.body = Some(diff.lines().map(|line| text::printable_line(line) + "\n").collect());
    Ok(Some(report))
}
