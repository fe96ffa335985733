//! Stage 50: a plan → the active routes, atomically.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{Context, Error, Report, Stage, Verdict, inputs, upstream};
use crate::apply::base::Current;
use crate::apply::diff::Diff;
use crate::apply::recovery::{self, Recovered};
use crate::apply::transaction::{self, Outcome, Scene};
use crate::apply::wal::{Begin, Decision, Image, Kind, Log};
use crate::apply::{ApplyLock, LockError, routing_table, status};
use crate::clock;
use crate::connector::index::Connectors;
use crate::diagnostic::{Diagnostic, Place};
use crate::json::{self, ParseErrorKind};
use crate::plan::source::{self, Source};
use crate::plan::{self, Plan, Verified, VerifyError};
use crate::registry::Registry;
use crate::routes;
use crate::schema::Schema;
use crate::text::counted;
use crate::trust::TrustStore;
use crate::workspace::state::{self, StateFile};
use crate::workspace::{Workspace, layout};

/// The options of stage 50.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The plan's file; none: the one that `plans/LATEST` names.
    pub plan: Option<PathBuf>,
    /// Only show what would change.
    pub dry_run: bool,
    /// Accept a plan whatever its signatures say.
    pub no_verify: bool,
    /// A dry run tells by its verdict whether there are changes.
    pub detailed_exitcode: bool,
    /// Go back: to the state before the last apply, or to a plan named by (the head of) its id.
    pub rollback: Option<Option<String>>,
    /// Only finish what was interrupted.
    pub recover: bool,
    /// Only show what is applied.
    pub status: bool,
    /// Check the whole history.
    pub verify_wal: bool,
    /// How long to wait for another apply.
    pub lock_timeout: Duration,
}

/// Applies a plan, or does what the request asks for instead.
///
/// # Errors
/// [`Error::NotRun`] without plan or registry, [`Error::Invalid`] for corrupt state, [`Error::Workspace`]. A plan that is
/// not trusted, stale or refused is a verdict, and nothing is changed then.
pub fn run(workspace: &Workspace, request: &Request, _context: &Context) -> Result<Report, Error> {
    let mut state = State::read(workspace)?;
    if request.status {
        return Ok(show_status(&state));
    }
    let candidate = match (&request.rollback, request.recover) {
        (None, false) => match read_plan(workspace, request)? {
            Ok(candidate) => Some(candidate),
            Err(refusal) => return Ok(*refusal),
        },
        _ => None,
    };
    if let (Some(candidate), true) = (&candidate, request.dry_run) {
        return dry_run(workspace, &state, candidate, request);
    }

    let purpose = candidate.as_ref().map_or("recovery or rollback".to_owned(), |c| format!("plan {}", c.plan.plan_id));
    let _lock = match ApplyLock::acquire(workspace, &purpose, request.lock_timeout) {
        Ok(lock) => lock,
        Err(LockError::Workspace(error)) => return Err(error.into()),
        Err(error @ LockError::Held(_)) => {
            let help = "wait for it to end, or give --lock-timeout SECONDS";
            return Ok(refusal(Verdict::Locked, "RTT-A001", error.to_string(), layout::APPLY_LOCK, help));
        }
    };
    // What was read before the lock may have been changed by its holder.
    state = State::read(workspace)?;
    let mut log = std::mem::take(&mut state.log);
    let recovered = recovery::run(&state.scene(workspace), &mut log)?;
    state.log = log;
    if recovered.is_some() {
        state = State::read(workspace)?;
    }
    if let Some(Recovered { outcome: outcome @ Outcome::Pending(..), sequence }) = &recovered {
        return Ok(ended(*sequence, outcome, &Diff::default()));
    }
    let mut report = match (&request.rollback, candidate) {
        (Some(target), _) => rollback(workspace, &state, target.as_deref())?,
        (None, Some(candidate)) => apply(workspace, &state, &candidate, request)?,
        (None, None) => recovery_report(recovered.as_ref()),
    };
    if let Some(recovered) = recovered {
        report.details.insert(0, format!("  {}", recovery_line(&recovered)));
    }
    Ok(report)
}

/// Everything that is there now.
struct State {
    /// `.rtt/routes.json`, and its text.
    document: Value,
    routes_text: Option<String>,
    applied: Option<Plan>,
    applied_text: Option<String>,
    registry: StateFile<Registry>,
    connectors: StateFile<Connectors>,
    log: Log,
}

impl State {
    fn read(workspace: &Workspace) -> Result<Self, Error> {
        let text = |file: &str| -> Result<Option<String>, Error> {
            Ok(workspace.read_optional(file)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        };
        let routes_text = text(layout::ROUTES)?;
        let document = match &routes_text {
            Some(text) => state::parse_value(layout::ROUTES, text.as_bytes(), Schema::Routes)?.0,
            None => serde_json::from_str(inputs::DEFAULT_ROUTES).expect("a constant"),
        };
        let applied: Option<StateFile<Plan>> = state::read(workspace, layout::LAST_APPLIED, Schema::Plan)?;
        let log = Log::read(workspace)?;
        let not_run = |file, stage| Error::NotRun { file, stage };
        let registry = upstream::read_registry(workspace)?;
        let connectors = upstream::read_connectors(workspace)?;
        // Before the first plan there is nothing to apply, so the first thing that is missing is the plan.
        let has_plan = source::latest(workspace)?.is_some();
        if !has_plan && applied.is_none() && log.entries.is_empty() && (registry.is_none() || connectors.is_none()) {
            return Err(not_run(layout::LATEST, Stage::Solver));
        }
        Ok(Self {
            document,
            routes_text,
            applied_text: applied.as_ref().map(|file| file.text.clone()),
            applied: applied.map(|file| file.value),
            registry: registry.ok_or_else(|| not_run(layout::REGISTRY, Stage::Scan))?,
            connectors: connectors.ok_or_else(|| not_run(layout::CONNECTORS, Stage::Generate))?,
            log,
        })
    }

    fn scene<'a>(&'a self, workspace: &'a Workspace) -> Scene<'a> {
        Scene { workspace, registry: &self.registry.value, connectors: &self.connectors.value }
    }

    fn before(&self) -> Image {
        Image { routes: self.routes_text.clone(), last_applied: self.applied_text.clone() }
    }

    /// What a transaction to this plan is to do; `text` is the plan's document.
    fn begin(
        &self,
        kind: Kind,
        plan: Option<&Plan>,
        text: Option<&str>,
        signers: Vec<String>,
        verified: bool,
    ) -> (Begin, Diff) {
        let generation = routes::generation(&self.document) + 1;
        let after = routing_table::render(&self.document, plan, &self.registry.value, generation);
        let diff = Diff::new(Some(&self.document), plan);
        let begin = Begin {
            at: clock::rfc3339_millis(clock::now()),
            kind,
            plan: plan.cloned(),
            signers,
            verified,
            diff: diff.lines.clone(),
            participants: Vec::new(),
            before: self.before(),
            after: Image { routes: Some(json::pretty(&after)), last_applied: text.map(str::to_owned) },
        };
        (begin, diff)
    }
}

/// A plan that may be applied.
struct Candidate {
    plan: Verified<Plan>,
    text: String,
    name: String,
}

/// Reads and verifies the plan, or says why it is refused.
fn read_plan(workspace: &Workspace, request: &Request) -> Result<Result<Candidate, Box<Report>>, Error> {
    let source = match &request.plan {
        Some(path) => source::named(path)?.ok_or_else(|| Error::Missing {
            what: path.display().to_string(),
            help: "give --plan an existing file, or leave it out to apply the newest plan".to_owned(),
        })?,
        None => source::latest(workspace)?.ok_or(Error::NotRun { file: layout::LATEST, stage: Stage::Solver })?,
    };
    let Source { name, bytes } = source;
    let unreadable = |error| {
        let finding = Diagnostic::unreadable_json("RTT-S001", &name, &bytes, &error);
        Error::Invalid { message: format!("{name} is not valid"), diagnostics: vec![finding] }
    };
    let document = match json::parse(&bytes) {
        Ok(document) => document,
        // Readers disagree about which of the two counts, so no signature can say what was signed.
        Err(error) if matches!(error.kind, ParseErrorKind::DuplicateKey(_)) => {
            let place = Diagnostic::unreadable_json("RTT-A002", &name, &bytes, &error).place;
            let mut report = untrusted(&name, &error.kind, REGENERATE);
            report.diagnostics[0].place = place;
            return Ok(Err(Box::new(report)));
        }
        Err(error) => return Err(unreadable(error)),
    };
    let text = String::from_utf8(bytes.clone()).expect("the strict parser accepts only UTF-8");
    let verified = if request.no_verify {
        log::warn!("Plan signatures are not verified (--no-verify)");
        plan::accept_unverified(document)
    } else {
        plan::verify(document, &TrustStore::read(workspace)?, threshold(workspace)?)
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(Box::new(refused(&name, &error)))),
    };
    let violations = Schema::Plan.check("RTT-S002", &name, &text, &verified);
    if !violations.is_empty() {
        return Err(Error::Invalid { message: format!("{name} is not valid"), diagnostics: violations });
    }
    let plan = verified.typed().map_err(|error| Error::Invalid {
        message: format!("{name} is not valid"),
        diagnostics: vec![Diagnostic::error("RTT-S003", format!("not a routing plan: {error}")).at(Place::file(&name))],
    })?;
    Ok(Ok(Candidate { plan, text, name }))
}

fn refused(name: &str, error: &VerifyError) -> Report {
    let help = match error {
        VerifyError::Unknown { .. } => {
            "if the signer is to be trusted, put its .pub file into .rtt/registry/trust/keys/"
        }
        VerifyError::TooFew { .. } => "have the plan cosigned",
        _ => REGENERATE,
    };
    untrusted(name, error, help)
}

const REGENERATE: &str = "regenerate the plan with a valid signing key: rtt-40-solver --force";

fn untrusted(name: &str, reason: &impl std::fmt::Display, help: &str) -> Report {
    let message = format!("Plan signature verification failed: {reason}");
    refusal(Verdict::Untrusted, "RTT-A002", message, name, help)
}

fn refusal(verdict: Verdict, rule: &'static str, message: String, file: &str, help: &str) -> Report {
    log::error!("{message}");
    let mut report = Report::new(verdict, message.clone());
    report.diagnostics.push(Diagnostic::error(rule, message).at(Place::file(file)).help(help));
    report.figure("outcome", "refused")
}

/// How many signers policy asks for.
fn threshold(workspace: &Workspace) -> Result<usize, Error> {
    let Some(bytes) = workspace.read_optional(layout::POLICY)? else { return Ok(1) };
    let (policy, _) = state::parse_value(layout::POLICY, &bytes, Schema::Policy)?;
    let threshold = policy.pointer("/trust/threshold").and_then(Value::as_u64).unwrap_or(1);
    Ok(usize::try_from(threshold).unwrap_or(usize::MAX))
}

/// Tells whether a plan is what is applied, with nothing drifted.
fn is_applied(state: &State, plan: &Plan) -> bool {
    state.applied.as_ref().is_some_and(|applied| applied.plan_id == plan.plan_id)
        && status::drift(&state.document, Some(plan), &state.registry.value).is_empty()
}

/// Says why the plan does not fit what is there now, if it does not: made from other inputs, or breaking a constraint.
fn unfit(workspace: &Workspace, state: &State, candidate: &Candidate) -> Result<Option<Report>, Error> {
    let Candidate { plan, name, .. } = candidate;
    let stale = |changed: &[&str]| {
        let message = format!("The plan is stale: changed since it was made: {}", changed.join(", "));
        Some(refusal(Verdict::Stale, "RTT-A003", message, name, "make a new plan: run rtt-40-solver"))
    };
    let changed = Current::read(workspace, &state.document)?.changed_since(&plan.base);
    if !changed.is_empty() {
        return Ok(stale(&changed));
    }
    let dependencies = upstream::read_dependencies(workspace)?
        .ok_or(Error::NotRun { file: layout::DEPENDENCIES, stage: Stage::DepDoctor })?;
    let (registry, connectors) = (state.registry.clone(), state.connectors.clone());
    let (inputs, _) = inputs::read(workspace, registry, dependencies.value, connectors)?;
    if inputs.topology.digest != plan.base.topology {
        if inputs.topology.is_from_file() {
            return Ok(stale(&["topology"]));
        }
        // Planned on one machine and applied on another, as in CI: only a file says the same on both.
        log::warn!("The plan was made for another machine than this one; its capacities are not checked again");
        return Ok(None);
    }
    let violations = plan::check(plan, &inputs);
    let [first, ..] = &violations[..] else { return Ok(None) };
    let message = format!("The plan breaks {}: {first}", counted(violations.len(), "constraint"));
    let mut report = refusal(Verdict::CheckFailed, "RTT-A005", message, name, "make a new plan: run rtt-40-solver");
    for violation in &violations[1..] {
        report.diagnostics.push(Diagnostic::error("RTT-A005", violation.message.clone()).at(Place::file(name)));
    }
    Ok(Some(report))
}

fn apply(workspace: &Workspace, state: &State, candidate: &Candidate, request: &Request) -> Result<Report, Error> {
    if is_applied(state, &candidate.plan) {
        let mut report = Report::new(Verdict::Unchanged, "Nothing changed: the plan is applied already");
        report.details.push(format!("  plan {}", candidate.plan.plan_id));
        return Ok(report.figure("routes", candidate.plan.routes.len()).figure("outcome", "unchanged"));
    }
    if let Some(report) = unfit(workspace, state, candidate)? {
        return Ok(report);
    }
    let signers = candidate.plan.signers().iter().map(ToString::to_string).collect();
    let (begin, diff) =
        state.begin(Kind::Apply, Some(&candidate.plan), Some(&candidate.text), signers, !request.no_verify);
    let (entry, outcome) = transaction::run(&state.scene(workspace), &state.log, begin)?;
    if let Outcome::NotInEffect(_) = outcome {
        revert(workspace, &entry.begin.before)?;
    }
    let mut report = ended(entry.sequence, &outcome, &diff);
    if outcome == Outcome::Committed {
        log::info!("Plan applied successfully");
        report.details.push(format!("  plan {}", candidate.plan.plan_id));
        report.outputs = vec![layout::ROUTES.to_owned(), layout::LAST_APPLIED.to_owned()];
    }
    Ok(report.figure("routes", candidate.plan.routes.len()))
}

/// Goes back to the image before a transaction whose new state is not in effect.
fn revert(workspace: &Workspace, before: &Image) -> Result<(), Error> {
    let state = State::read(workspace)?;
    let plan: Option<Plan> = before.last_applied.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let (begin, _) = state.begin(Kind::Revert, plan.as_ref(), before.last_applied.as_deref(), Vec::new(), true);
    transaction::run(&state.scene(workspace), &state.log, begin)?;
    Ok(())
}

fn rollback(workspace: &Workspace, state: &State, target: Option<&str>) -> Result<Report, Error> {
    let nothing =
        |message: String| Error::Usage { message, help: Some("rtt-50-apply --status shows the history".to_owned()) };
    let text = match target {
        None => {
            let last = state.log.last_committed().ok_or_else(|| nothing("there is no apply to undo".to_owned()))?;
            last.begin.before.last_applied.clone()
        }
        Some(name) => {
            let head = name.trim_start_matches("sha256:");
            let is_meant = |plan: &Plan| head.len() >= 8 && plan.plan_id.hex().starts_with(head);
            let applied = state.log.entries.iter().rev().map(|(entry, _)| entry);
            let entry = applied
                .filter(|entry| entry.decision() == Some(Decision::Commit))
                .find(|entry| entry.begin.plan.as_ref().is_some_and(is_meant))
                .ok_or_else(|| {
                    nothing(format!("no applied plan is called '{name}' (at least 8 hex digits of its id)"))
                })?;
            entry.begin.after.last_applied.clone()
        }
    };
    let plan: Option<Plan> = match &text {
        Some(text) => Some(state::parse::<Plan>(layout::LAST_APPLIED, text.as_bytes(), Schema::Plan)?.value),
        None => None,
    };
    let (begin, diff) = state.begin(Kind::Rollback, plan.as_ref(), text.as_deref(), Vec::new(), true);
    let (entry, outcome) = transaction::run(&state.scene(workspace), &state.log, begin)?;
    let mut report = ended(entry.sequence, &outcome, &diff);
    if outcome == Outcome::Committed {
        let state = plan.map_or("no plan".to_owned(), |plan| format!("plan {}", plan.plan_id));
        report.headline = format!("Rolled back to {state}");
        log::info!("{}", report.headline);
    }
    Ok(report)
}

fn ended(sequence: u64, outcome: &Outcome, diff: &Diff) -> Report {
    let (verdict, headline, reasons): (_, _, &[String]) = match outcome {
        Outcome::Committed => {
            let headline = format!(
                "Plan applied successfully: {} added, {} changed, {} removed",
                diff.added, diff.changed, diff.removed
            );
            (Verdict::Success, headline, &[])
        }
        Outcome::Aborted(reasons) => {
            (Verdict::RolledBack, "Not applied: a participant voted ABORT; the old state is active".to_owned(), reasons)
        }
        Outcome::Pending(Decision::Commit, reasons) => {
            (Verdict::RolledBack, "Decided to commit, but not finished; the next run goes on".to_owned(), reasons)
        }
        Outcome::Pending(Decision::Abort, reasons) => {
            (Verdict::RolledBack, "Decided to abort, but not finished; the next run goes on".to_owned(), reasons)
        }
        Outcome::NotInEffect(reasons) => {
            (Verdict::RolledBack, "Applied, but not in effect: went back to the old state".to_owned(), reasons)
        }
    };
    let mut report = Report::new(verdict, headline);
    if verdict == Verdict::Success {
        report.details = diff.lines.iter().map(|line| format!("  {line}")).collect();
    }
    let file = layout::wal_entry(sequence);
    let findings = reasons.iter().map(|reason| {
        Diagnostic::error("RTT-A004", reason.clone())
            .at(Place::file(&file))
            .help("mend the cause and run rtt-50-apply again")
    });
    report.diagnostics = findings.collect();
    let outcome = if verdict == Verdict::Success { "committed" } else { "not committed" };
    report
        .figure("added", diff.added)
        .figure("changed", diff.changed)
        .figure("removed", diff.removed)
        .figure("transaction", sequence)
        .figure("outcome", outcome)
}

/// Verifies everything that an apply would, and shows what it would change.
fn dry_run(workspace: &Workspace, state: &State, candidate: &Candidate, request: &Request) -> Result<Report, Error> {
    if is_applied(state, &candidate.plan) {
        return Ok(Report::new(Verdict::Unchanged, "Nothing to change: the plan is applied already"));
    }
    if let Some(report) = unfit(workspace, state, candidate)? {
        return Ok(report);
    }
    let (begin, diff) = state.begin(Kind::Apply, Some(&candidate.plan), Some(&candidate.text), Vec::new(), true);
    if let Err(reasons) = transaction::rehearse(&state.scene(workspace), &begin) {
        let mut report = Report::new(Verdict::RolledBack, "A participant would vote ABORT");
        let finding = |reason: String| Diagnostic::error("RTT-A004", reason).help("mend the cause before applying");
        report.diagnostics = reasons.into_iter().map(finding).collect();
        return Ok(report);
    }
    let verdict = if request.detailed_exitcode { Verdict::ChangesPending } else { Verdict::Success };
    let headline = format!("{} to add, {} to change, {} to remove", diff.added, diff.changed, diff.removed);
    let mut report = Report::new(verdict, headline);
    report.details = diff.lines.iter().map(|line| format!("  {line}")).collect();
    Ok(report.figure("added", diff.added).figure("changed", diff.changed).figure("removed", diff.removed))
}

fn show_status(state: &State) -> Report {
    let drift = status::drift(&state.document, state.applied.as_ref(), &state.registry.value);
    let mut report = Report::new(Verdict::Success, "Status");
    report.body = Some(status::describe(&state.document, state.applied.as_ref(), &state.log, &drift).join("\n"));
    report.figure("generation", routes::generation(&state.document)).figure("drift", drift.len())
}

fn recovery_report(recovered: Option<&Recovered>) -> Report {
    match recovered {
        None => Report::new(Verdict::Unchanged, "Nothing to recover: the last transaction is finished"),
        Some(recovered) => {
            let mut report = Report::new(Verdict::Success, recovery_line(recovered));
            if let Outcome::NotInEffect(reasons) | Outcome::Pending(_, reasons) = &recovered.outcome {
                report.verdict = Verdict::RolledBack;
                report.details = reasons.iter().map(|reason| format!("  {reason}")).collect();
            }
            report.figure("transaction", recovered.sequence)
        }
    }
}

fn recovery_line(recovered: &Recovered) -> String {
    let sequence = recovered.sequence;
    match &recovered.outcome {
        Outcome::Committed => format!("Recovered transaction {sequence}: the new state is active"),
        Outcome::Aborted(_) => format!("Recovered transaction {sequence}: the old state is active"),
        Outcome::Pending(..) => format!("Transaction {sequence} is decided, but not finished"),
        Outcome::NotInEffect(reasons) => {
            format!("Recovered transaction {sequence}, but {} differ", counted(reasons.len(), "thing"))
        }
    }
}
