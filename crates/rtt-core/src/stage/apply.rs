//! Stage 50: a plan → the active routes, atomically.

mod candidate;
mod current;
mod show;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use self::candidate::{Candidate, refusal};
use self::current::State;
use super::{Context, Error, Report, Stage, Verdict, inputs, upstream};
use crate::apply::base::Current;
use crate::apply::image::Content;
use crate::apply::log::Log;
use crate::apply::recovery::{self, Recovered};
use crate::apply::transaction::{Draft, Outcome, Proposal, Scene};
use crate::apply::wal::Kind;
use crate::apply::{ApplyLock, LockError};
use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::plan;
use crate::plan::source::Source;
use crate::routes;
use crate::text::counted;
use crate::threads::{both, discard};
use crate::trust::{TrustStore, signing_key};
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
    /// A dry run tells by its verdict whether there are changes, a status whether there is drift.
    pub detailed_exitcode: bool,
    /// Go back: to the state before the last apply, to a generation, or to a plan named by (the head of) its id.
    pub rollback: Option<Option<String>>,
    /// Only finish what was interrupted.
    pub recover: bool,
    /// Only show what is applied.
    pub status: bool,
    /// With the status: every transaction.
    pub history: bool,
    /// Check the whole history, and the objects that it names.
    pub verify_wal: bool,
    /// Afterwards forget all but this many transactions.
    pub keep: Option<usize>,
    /// How long to wait for another apply.
    pub lock_timeout: Duration,
    /// How long to wait for one answer of an agent.
    pub participant_timeout: Duration,
}

/// From how many bytes of a plan on memory counts for more than time.
const LARGE_PLAN: usize = 16 << 20;

/// How often an inspection looks at a workspace that others keep changing.
const MAX_LOOKS: usize = 10;

/// Applies a plan, or does what the request asks for instead.
///
/// # Errors
/// [`Error::NotRun`] without plan or registry, [`Error::Invalid`] for corrupt state, [`Error::Workspace`]. A plan that is
/// not trusted, stale or refused is a verdict, and nothing is changed then.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    if !(request.dry_run || request.status) {
        return run_once(workspace, request, context);
    }
    // Inspecting takes no lock: what an apply or a solver switched meanwhile was seen half old, half new, and is looked
    // at again. Where they never rest, the last look counts.
    for _ in 1..MAX_LOOKS {
        let before = inspected(workspace)?;
        let found = run_once(workspace, request, context);
        if inspected(workspace)? == before {
            return found;
        }
    }
    run_once(workspace, request, context)
}

/// The digest of each file that applies and solvers switch.
fn inspected(workspace: &Workspace) -> Result<Vec<Option<Digest>>, Error> {
    let files = [layout::WAL_HEAD, layout::ROUTES, layout::LAST_APPLIED, layout::LATEST];
    let digest = |path: &str| Ok(workspace.read_optional(path)?.map(Digest::of_bytes));
    files.into_iter().map(digest).collect()
}

fn run_once(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    let (state, candidate) = both(
        || State::read(workspace, request.participant_timeout),
        || {
            let applies = request.rollback.is_none() && !request.recover && !request.status;
            applies.then(|| candidate::read_plan(workspace, request)).transpose()
        },
    );
    let mut state = state?;
    if request.status {
        return show::status(&state, request);
    }
    let candidate = match candidate?.transpose() {
        Ok(candidate) => candidate,
        Err(refusal) => return Ok(*refusal),
    };
    if request.dry_run {
        return match (&candidate, &request.rollback) {
            (Some(candidate), _) => match fit(&state, candidate, context.force)? {
                Fit::Refused(report) => Ok(*report),
                Fit::Applied => Ok(show::nothing_to_change(candidate)),
                Fit::For(kind) => show::dry_run(&state, &candidate.proposal(kind, request), request),
            },
            (None, Some(target)) => match rollback_target(&state, target.as_deref(), request)? {
                Err(refusal) => Ok(*refusal),
                Ok(target) => show::dry_run(&state, &proposal_to(target.as_ref(), request), request),
            },
            (None, None) => Err(Error::Usage { message: "--recover has no dry run".to_owned(), help: None }),
        };
    }
    // A key that cannot be had is found before anything is done.
    let key = match request.keep {
        None => None,
        Some(_) => Some(signing_key(workspace, None)?.ok_or_else(|| {
            Error::Missing {
                what: "the signing key".to_owned(),
                help: "--keep signs a checkpoint: run it where .rtt/registry/trust/keys/signer.priv is, or set \
                   RTT_SIGNING_KEY"
                    .to_owned(),
            }
        })?),
    };

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
    state = state.read_again()?;
    let mut log = std::mem::take(&mut state.log);
    let recovered = recovery::run(&state.scene(), &mut log)?;
    state.log = log;
    if let Some(recovered) = &recovered {
        if recovered.is_pending() {
            return Ok(show::recovery(&state, Some(recovered)));
        }
        state = state.read_again()?;
    }
    let mut report = match (&request.rollback, candidate) {
        (Some(target), _) => rollback(&mut state, target.as_deref(), request)?,
        (None, Some(candidate)) => {
            let report = apply(&mut state, &candidate, request, context)?;
            discard(candidate);
            report
        }
        (None, None) => show::recovery(&state, recovered.as_ref()),
    };
    if let (Some(recovered), false) = (&recovered, request.recover) {
        report.details.insert(0, format!("  {}", show::recovery_line(recovered)));
    }
    if let (Some(keep), Some(key), true) = (request.keep, key, report.verdict.is_success()) {
        let pruned = state.log.prune(workspace, keep, &key)?;
        report = report.figure("pruned", pruned);
    }
    state.discard();
    Ok(report)
}

impl Recovered {
    /// Tells whether something is still to be done, so that nothing new may begin.
    fn is_pending(&self) -> bool {
        matches!(self.outcome, Outcome::Pending(..)) || matches!(self.revert, Some(Outcome::Pending(..)))
    }
}

/// What a plan means for what is there now.
enum Fit {
    /// It is what is active.
    Applied,
    /// It can become active.
    For(Kind),
    /// It may not.
    Refused(Box<Report>),
}

/// Compares a plan with what is there now: made from other inputs, breaking a constraint, active already?
fn fit(state: &State, candidate: &Candidate, is_forced: bool) -> Result<Fit, Error> {
    let Candidate { plan, name, .. } = candidate;
    let is_current = state.is_current(plan.plan_id);
    if is_current && !is_forced && state.drift().is_empty() {
        return Ok(Fit::Applied);
    }
    let stale = |changed: &[String]| {
        let message = format!("The plan is stale: changed since it was made: {}", changed.join(", "));
        Fit::Refused(Box::new(refusal(Verdict::Stale, "RTT-A003", message, name, "make a new plan: run rtt-40-solver")))
    };
    let State { workspace, document, log, registry, connectors, .. } = state;
    let (current, dependencies) = both(
        || Current::read(workspace, document, log, &registry.value, &connectors.value),
        || (!is_current).then(|| upstream::read_dependencies(workspace)).transpose(),
    );
    let mut current = current?;
    if is_current {
        // Applying it has moved the generation on; applying it again repairs what drifted.
        current.generation = plan.base.generation;
    }
    let changed = current.changed_since(&plan.base);
    if !changed.is_empty() {
        return Ok(stale(&changed));
    }
    if is_current {
        // It was checked when it was first applied, from the same inputs; against itself its churn would be another.
        return Ok(Fit::For(Kind::Repair));
    }
    let dependencies =
        dependencies?.flatten().ok_or(Error::NotRun { file: layout::DEPENDENCIES, stage: Stage::DepDoctor })?;
    let registry = (Arc::clone(&registry.value), current.registry);
    let connectors = (Arc::clone(&connectors.value), current.connectors);
    let applied = || Ok(state.applied.as_ref().map(|file| Arc::clone(&file.value)));
    // What is wrong with it is said with its place.
    let routes = routes::of(Arc::clone(document), String::new()).or_else(|_| routes::read(workspace))?;
    let (inputs, _) = inputs::read(workspace, registry, dependencies.value, connectors, routes, applied)?;
    if inputs.topology.digest != plan.base.topology {
        if inputs.topology.is_from_file() {
            return Ok(stale(&[format!("topology ({} → {})", plan.base.topology, inputs.topology.digest)]));
        }
        // Planned on one machine and applied on another, as in CI: only a file says the same on both.
        log::warn!("The plan was made for another machine than this one; its capacities are not checked again");
        return Ok(Fit::For(Kind::Apply));
    }
    let violations = plan::check(plan, &inputs);
    discard(inputs);
    let [first, ..] = &violations[..] else { return Ok(Fit::For(Kind::Apply)) };
    let message = format!("The plan breaks {}: {first}", counted(violations.len(), "constraint"));
    let mut report = refusal(Verdict::CheckFailed, "RTT-A005", message, name, "make a new plan: run rtt-40-solver");
    for violation in &violations[1..] {
        report.diagnostics.push(Diagnostic::error("RTT-A005", violation.message.clone()).at(Place::file(name)));
    }
    Ok(Fit::Refused(Box::new(report)))
}

fn apply(state: &mut State, candidate: &Candidate, request: &Request, context: &Context) -> Result<Report, Error> {
    // A signer may have been revoked while the lock was waited for.
    let trust = TrustStore::read(state.workspace)?;
    if let Some(signer) = candidate.plan.signers().iter().find(|signer| trust.revocation(signer).is_some()) {
        let message = format!("Plan signature verification failed: {signer} was revoked meanwhile");
        return Ok(refusal(Verdict::Untrusted, "RTT-A002", message, &candidate.name, candidate::REGENERATE));
    }
    let mut log = state.log.clone();
    let scene = state.scene();
    let fit = || fit(state, candidate, context.force);
    let draft = || scene.draft(&state.log, &candidate.proposal(Kind::Apply, request));
    // What both need at the same time is a quarter of all memory.
    let (fit, draft) = if candidate.text.len() > LARGE_PLAN { (fit(), draft()) } else { both(fit, draft) };
    let kind = match fit? {
        Fit::Refused(report) => return Ok(*report),
        Fit::Applied => return Ok(show::nothing_to_change(candidate)),
        Fit::For(kind) => kind,
    };
    let (mut report, outcome) = run_transaction(&scene, &mut log, draft?.started_by(kind))?;
    state.log = log;
    if outcome == Outcome::Committed {
        log::info!("Plan applied successfully");
        report.details.push(format!("  plan {}", candidate.plan.plan_id));
        report.outputs = vec![layout::ROUTES.to_owned(), layout::LAST_APPLIED.to_owned()];
    }
    Ok(report.figure("routes", candidate.plan.routes.len()))
}

fn rollback(state: &mut State, target: Option<&str>, request: &Request) -> Result<Report, Error> {
    let target = match rollback_target(state, target, request)? {
        Ok(target) => target,
        Err(refusal) => return Ok(*refusal),
    };
    let mut log = std::mem::take(&mut state.log);
    let scene = state.scene();
    let draft = scene.draft(&log, &proposal_to(target.as_ref(), request))?;
    let (mut report, outcome) = run_transaction(&scene, &mut log, draft)?;
    state.log = log;
    if outcome == Outcome::Committed {
        let reached = target.map_or("no plan".to_owned(), |target| format!("plan {}", target.plan.plan_id));
        report.headline = format!("Rolled back to {reached}");
        log::info!("{}", report.headline);
    }
    Ok(report)
}

fn proposal_to<'a>(target: Option<&'a Candidate>, request: &Request) -> Proposal<'a> {
    match target {
        Some(candidate) => candidate.proposal(Kind::Rollback, request),
        None => Proposal { kind: Kind::Rollback, plan: None, is_verified: true },
    }
}

/// Finds the plan to go back to, and verifies it again: its signer may have been revoked since. `None` is the state
/// before the first plan.
fn rollback_target(
    state: &State,
    target: Option<&str>,
    request: &Request,
) -> Result<Result<Option<Candidate>, Box<Report>>, Error> {
    let nothing = |message: String| Error::Usage {
        message,
        help: Some("rtt-50-apply --status --history shows what was applied".to_owned()),
    };
    let mut committed = state.log.committed().rev();
    let generation = target.filter(|name| name.len() < 8).and_then(|name| name.parse::<u64>().ok());
    let image = match (target, generation) {
        (None, _) => {
            let last = committed.next().ok_or_else(|| nothing("there is no apply to undo".to_owned()))?;
            &last.begin.before
        }
        (Some(_), Some(wanted)) => {
            let made = state.log.committed().find(|entry| entry.begin.generation == wanted);
            let followed = || state.log.committed().next().filter(|entry| entry.begin.generation == wanted + 1);
            made.map(|entry| &entry.begin.after)
                .or_else(|| followed().map(|entry| &entry.begin.before))
                .ok_or_else(|| nothing(format!("the history has no generation {wanted}")))?
        }
        (Some(name), None) => {
            let head = name.trim_start_matches("sha256:");
            let is_meant = |id: crate::digest::Digest| head.len() >= 8 && id.hex().starts_with(head);
            let entry = committed.find(|entry| entry.begin.plan.is_some_and(is_meant)).ok_or_else(|| {
                nothing(format!(
                    "no applied plan is called '{name}' (a generation, or at least 8 hex digits of its id)"
                ))
            })?;
            &entry.begin.after
        }
    };
    let Some(plan) = Content::fetch(state.workspace, image)?.last_applied else { return Ok(Ok(None)) };
    let bytes = plan.into_owned();
    let name = format!("the plan of generation {}", target.unwrap_or("before the last"));
    Ok(candidate::check(state.workspace, Source { name, bytes }, request.no_verify)?.map(Some))
}

/// Runs a transaction, reverts it if its new state is not in effect, and says what happened.
fn run_transaction(scene: &Scene, log: &mut Log, mut draft: Draft) -> Result<(Report, Outcome), Error> {
    let diff = std::mem::take(&mut draft.diff);
    // Words for people are made while the disk is busy.
    let (outcome, lines) = both(|| draft.run(log), || diff.lines("  "));
    let outcome = outcome?;
    let entry = log.last().cloned().expect("it was just written");
    let revert = match &outcome {
        Outcome::NotInEffect(_) => Some(recovery::revert(scene, log, &entry)?),
        _ => None,
    };
    Ok((show::ended(&entry, &outcome, revert.as_ref(), (diff, lines)), outcome))
}
