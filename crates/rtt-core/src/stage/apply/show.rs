//! What stage 50 tells people and programs.

use super::Request;
use super::candidate::Candidate;
use super::current::State;
use crate::apply::diff::Diff;
use crate::apply::image::{self, Content};
use crate::apply::recovery::Recovered;
use crate::apply::transaction::{Outcome, Proposal};
use crate::apply::wal::{Decision, Entry};
use crate::apply::{history, status};
use crate::diagnostic::{Diagnostic, Place};
use crate::stage::{Error, Report, Verdict};
use crate::text::counted;
use crate::workspace::layout;

pub(super) fn nothing_to_change(candidate: &Candidate) -> Report {
    let mut report = Report::new(Verdict::Unchanged, "Nothing changed: the plan is applied already");
    report.details.push(format!("  plan {}", candidate.plan.plan_id));
    report.figure("routes", candidate.plan.routes.len()).figure("outcome", "unchanged")
}

/// Verifies everything that a transaction would, and shows what it would change.
pub(super) fn dry_run(state: &State, proposal: &Proposal, request: &Request) -> Result<Report, Error> {
    let draft = state.scene().draft(&state.log, proposal)?;
    if let Err(reasons) = draft.rehearse() {
        let mut report = Report::new(Verdict::RolledBack, "A participant would vote ABORT");
        let finding = |reason: String| Diagnostic::error("RTT-A004", reason).help("mend the cause before applying");
        report.diagnostics = reasons.into_iter().map(finding).collect();
        return Ok(report);
    }
    let verdict = if request.detailed_exitcode { Verdict::ChangesPending } else { Verdict::Success };
    let counts = draft.diff.counts();
    let headline = format!("{} to add, {} to change, {} to remove", counts.added, counts.changed, counts.removed);
    let lines = draft.diff.lines("  ");
    Ok(with_diff(Report::new(verdict, headline), draft.diff, lines))
}

fn with_diff(mut report: Report, diff: Diff, lines: Vec<String>) -> Report {
    report.details = lines;
    with_counts(report, &diff).list("changes", move || diff.json())
}

fn with_counts(report: Report, diff: &Diff) -> Report {
    let counts = diff.counts();
    report.figure("added", counts.added).figure("changed", counts.changed).figure("removed", counts.removed)
}

/// Tells how a transaction ended, and how the revert of it did; `diff` comes with its lines.
pub(super) fn ended(
    entry: &Entry,
    outcome: &Outcome,
    revert: Option<&Outcome>,
    (diff, lines): (Diff, Vec<String>),
) -> Report {
    let counts = diff.counts();
    let (verdict, headline, reasons): (_, _, Vec<String>) = match outcome {
        Outcome::Committed => {
            let headline = format!(
                "Plan applied successfully: {} added, {} changed, {} removed",
                counts.added, counts.changed, counts.removed
            );
            (Verdict::Success, headline, Vec::new())
        }
        Outcome::Aborted(reasons) => {
            let headline = "Not applied: a participant voted ABORT; the old state is active";
            (Verdict::RolledBack, headline.to_owned(), reasons.clone())
        }
        Outcome::Pending(decision, reasons) => {
            let decided = match decision {
                Decision::Commit => "to commit",
                Decision::Abort => "to abort",
            };
            let headline = format!("Decided {decided}, but not finished; the next run goes on");
            (Verdict::RolledBack, headline, reasons.clone())
        }
        Outcome::NotInEffect(reasons) => {
            let (headline, more) = reverted(revert);
            (
                Verdict::RolledBack,
                format!("Applied, but not in effect: {headline}"),
                [reasons.as_slice(), more].concat(),
            )
        }
    };
    let mut report = Report::new(verdict, headline);
    let file = layout::wal_entry(entry.sequence);
    if verdict == Verdict::Success {
        report = with_diff(report, diff, lines);
    } else {
        report = with_counts(report, &diff);
        report.details = history::table(entry).iter().map(|line| format!("  {line}")).collect();
    }
    let findings = reasons.into_iter().map(|reason| {
        Diagnostic::error("RTT-A004", reason).at(Place::file(&file)).help("mend the cause and run rtt-50-apply again")
    });
    report.diagnostics = findings.collect();
    let outcome = match outcome {
        Outcome::Committed => "committed",
        Outcome::Aborted(_) => "aborted",
        Outcome::Pending(..) => "pending",
        Outcome::NotInEffect(_) => "reverted",
    };
    report.figure("transaction", entry.sequence).figure("outcome", outcome)
}

fn reverted(revert: Option<&Outcome>) -> (&'static str, &[String]) {
    match revert {
        None => ("the next run goes back", &[]),
        Some(Outcome::Committed) => ("went back to the old state", &[]),
        Some(Outcome::Pending(_, reasons)) => {
            ("went back to the old state, but not everybody knows; the next run goes on", reasons)
        }
        Some(Outcome::NotInEffect(reasons)) => ("went back to the old state, which is not in effect either", reasons),
        Some(Outcome::Aborted(reasons)) => ("and going back was refused: the new state stays active", reasons),
    }
}

/// Tells what is applied and what differs from it: on disk and at the running agents.
pub(super) fn status(state: &State, request: &Request) -> Result<Report, Error> {
    if request.verify_wal {
        check_objects(state)?;
    }
    let mut drift = state.drift();
    drift.extend(state.scene().differences(&state.log)?);
    let is_drifted = !drift.is_empty() && request.detailed_exitcode;
    let verdict = if is_drifted { Verdict::ChangesPending } else { Verdict::Success };
    let mut report = Report::new(verdict, "Status");
    let mut lines = status::describe(&state.document, state.applied_plan(), &state.log, &drift);
    if request.history {
        lines.push(String::new());
        lines.extend(history::lines(&state.log));
        let history = history::json(&state.log);
        report = report.list("history", move || history.clone());
    }
    report.body = Some(lines.join("\n"));
    let generation = state.document.generation();
    Ok(report.figure("generation", generation).figure("drift", drift.len()).figure("differences", drift))
}

/// Reads every object that the log names; the log itself was checked when it was read.
fn check_objects(state: &State) -> Result<(), Error> {
    for entry in state.log.entries() {
        Content::fetch(state.workspace, &entry.begin.before)?;
        Content::fetch(state.workspace, &entry.begin.after)?;
        image::fetch(state.workspace, entry.begin.diff)?;
    }
    Ok(())
}

pub(super) fn recovery(state: &State, recovered: Option<&Recovered>) -> Report {
    let Some(recovered) = recovered else {
        return Report::new(Verdict::Unchanged, "Nothing to recover: the last transaction is finished");
    };
    let mut report = Report::new(Verdict::Success, recovery_line(recovered));
    if let Outcome::NotInEffect(reasons) | Outcome::Pending(_, reasons) = &recovered.outcome {
        report.verdict = Verdict::RolledBack;
        report.details = reasons.iter().map(|reason| format!("  {reason}")).collect();
    }
    if let Some(entry) = state.log.last().filter(|_| report.verdict != Verdict::Success) {
        report.details.extend(history::table(entry).iter().map(|line| format!("  {line}")));
    }
    report.figure("transaction", recovered.sequence)
}

pub(super) fn recovery_line(recovered: &Recovered) -> String {
    let sequence = recovered.sequence;
    match &recovered.outcome {
        Outcome::Committed => format!("Recovered transaction {sequence}: the new state is active"),
        Outcome::Aborted(_) => format!("Recovered transaction {sequence}: the old state is active"),
        Outcome::Pending(..) => format!("Transaction {sequence} is decided, but not finished"),
        Outcome::NotInEffect(reasons) => {
            let differ = counted(reasons.len(), "thing");
            format!("Recovered transaction {sequence}, but {differ} differ: {}", reverted(recovered.revert.as_ref()).0)
        }
    }
}
