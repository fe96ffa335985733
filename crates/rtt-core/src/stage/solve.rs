//! Stage 40: everything so far → a signed plan.
//!
//! Reads the inputs, lets [`crate::planner`] decide, has [`crate::plan`] check the result independently, and writes the
//! plan before `plans/LATEST` points at it. What a plan or a refusal means in a person's words is in the children.

mod cache;
mod explanation;
mod infeasible;
#[cfg(test)]
mod tests;
mod what_if;
mod worth;

pub use what_if::WhatIf;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, Error, Report, Stage, Verdict, inputs, places, upstream};
use crate::apply::diff::Diff;
use crate::clock;
use crate::diagnostic::{self, Diagnostic, Place};
use crate::json;
use crate::plan::{self, Base, GraphFormat, Inputs, Plan, PlanStatus, source};
use crate::planner::{self, Memory, Options, Outcome};
use crate::routes;
use crate::text::counted;
use crate::trust::{PrivateKey, SIGNING_KEY_VARIABLE, TrustStore, signing_key};
use crate::workspace::state::Fingerprint;
use crate::workspace::{self, Workspace, durable, layout};

/// The work limit where none is given: about a second of one core.
pub const DEFAULT_EFFORT: u32 = 10;

/// The options of stage 40.
#[derive(Debug, Clone)]
pub struct Request {
    /// Work limit of each search, in units of about a tenth of a second of one core.
    pub effort: u32,
    /// Stop searching after this time; the plan may then differ from run to run.
    pub time_limit: Option<Duration>,
    /// Instead of writing a plan, say why the routes between two symbols are as they are.
    pub explain: Option<(String, String)>,
    /// Instead of writing a plan, say which constraints conflict.
    pub why_infeasible: bool,
    /// Instead of writing a plan, say what it would be if something were otherwise.
    pub what_if: Option<WhatIf>,
    /// Instead of writing a plan, say what more capacity of each node would improve.
    pub marginal: bool,
    /// File of the signing key.
    pub key: Option<PathBuf>,
    /// Draw the plan in the report's body.
    pub graph: Option<GraphFormat>,
    /// Leave the plan without a signature.
    pub no_sign: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            effort: DEFAULT_EFFORT,
            time_limit: None,
            explain: None,
            why_infeasible: false,
            what_if: None,
            marginal: false,
            key: None,
            graph: None,
            no_sign: false,
        }
    }
}

impl Request {
    /// What a plan says of the solver that made it.
    fn solver(&self) -> String {
        let limit = self.time_limit.map(|limit| format!(" time-limit={}", limit.as_secs())).unwrap_or_default();
        format!("{} {} effort={}{limit}", Stage::Solver.executable(), crate::VERSION, self.effort)
    }
}

/// Computes the best plan, signs it and writes it; or answers a question about it.
///
/// # Errors
/// [`Error::NotRun`] and [`Error::Stale`] about stages 10 to 30, [`Error::Invalid`] for routes, policy, topology or lane
/// figures with errors, [`Error::Missing`] without a signing key, [`Error::Usage`] for a route to explain that there is
/// not. That no plan is feasible is a verdict; the previous plan then stays.
pub fn run(workspace: &Workspace, request: &Request, context: &Context) -> Result<Report, Error> {
    let registry = upstream::registry(workspace)?;
    let dependencies = upstream::dependencies(workspace, registry.digest)?;
    let connectors = upstream::connectors(workspace, registry.digest, dependencies.digest)?;
    let registry_digest = registry.value.content();
    let connectors_digest = connectors.value.content();
    let (inputs, mut findings) = inputs::read(
        workspace,
        (Arc::new(registry.value), registry_digest),
        dependencies.value,
        (Arc::new(connectors.value), connectors_digest),
        routes::read(workspace)?,
        || Ok(upstream::read_applied(workspace)?.map(|file| Arc::new(file.value))),
    )?;
    let base = inputs.base(request.solver());
    let fingerprint = fingerprint(&base);
    let signer = Signer::new(workspace, request)?;
    findings.extend(signer.finding());

    let asks = request.explain.is_some() || request.why_infeasible || request.what_if.is_some() || request.marginal;
    if !context.force
        && !asks
        && let Some(latest) = Latest::read(workspace)?.filter(|latest| latest.is_current(&inputs, &base))
        && signer.accepts(&latest.document)
    {
        let mut report = report_of(&latest.plan, Verdict::Unchanged, "Nothing changed: ");
        report.details = vec![format!("  {}", latest.name)];
        report.body = request.graph.map(|format| plan::graph(&latest.plan, &inputs.lanes, format));
        report.diagnostics = findings;
        report.fingerprint = Some(fingerprint);
        return Ok(report);
    }

    let built = planner::build(&inputs).map_err(|mut errors| {
        places::resolve(workspace, &mut errors);
        Error::Invalid { message: format!("{} is not valid", layout::ROUTES), diagnostics: errors }
    })?;
    findings.extend(built.warnings.iter().cloned());
    let started = clock::stopwatch();
    let expired = || request.time_limit.is_some_and(|limit| started.elapsed() >= limit);
    // Who forces the work does not want it recalled.
    let memory = if context.force { Memory::default() } else { cache::read(workspace) };
    let options = Options { effort: request.effort, expired: &expired, memory: Some(&memory) };
    if let Some(what_if) = &request.what_if {
        let mut report = what_if::report(&inputs, what_if, &options)?;
        places::resolve(workspace, &mut report.diagnostics);
        report.fingerprint = Some(fingerprint);
        return Ok(report);
    }
    context.progress.start("solving", built.problem.routes.len() as u64);
    let outcome = planner::solve(&built.problem, &options);
    context.progress.finish();
    let mut report = match outcome {
        Outcome::Infeasible => infeasible::report(&inputs, &built, &options),
        Outcome::Unknown => undecided(request),
        Outcome::Solved(_) if request.why_infeasible => {
            Report::new(Verdict::Success, "There is a feasible plan: no constraints conflict")
        }
        Outcome::Solved(solution) => match &request.explain {
            Some((from, to)) => {
                let mut resolver = places::Resolver::new(workspace);
                let mut report = Report::new(Verdict::Success, format!("{from} -> {to}"));
                report.body = Some(explanation::text(&inputs, &built, &solution, (from, to), &options, &mut resolver)?);
                report
            }
            None if request.marginal => worth::report(&built, &solution, &options),
            None => {
                let timestamp = clock::rfc3339(clock::output_time());
                let plan = planner::assemble(&inputs, &built, &solution, request.solver(), timestamp);
                let report = publish(workspace, request, &inputs, plan, &signer)?;
                if let Err(error) = cache::write(workspace, &memory) {
                    log::warn!("cannot keep what was found for the next run: {error}");
                }
                report.figure("search_nodes", solution.nodes).figure("recalled", memory.hits())
            }
        },
    };
    report.diagnostics.extend(findings);
    places::resolve(workspace, &mut report.diagnostics);
    diagnostic::sort(&mut report.diagnostics);
    report.fingerprint = Some(fingerprint);
    Ok(report.figure("agents", built.problem.agents.len()).figure("nodes", built.problem.nodes.len()))
}

fn fingerprint(base: &Base) -> Fingerprint {
    let Base { generation: _, routes, policy, registry, connectors, topology, lanes, solver } = base;
    Stage::Solver.fingerprint([
        ("routes", *routes),
        ("policy", *policy),
        ("registry", *registry),
        ("connectors", *connectors),
        ("topology", *topology),
        ("lanes", *lanes),
        ("options", crate::digest::Digest::of_bytes(solver)),
    ])
}

/// The plan that `plans/LATEST` names.
struct Latest {
    name: String,
    document: plan::Document,
    plan: Plan,
}

impl Latest {
    /// Reads it; one that is missing or damaged is made anew, so it is none.
    fn read(workspace: &Workspace) -> Result<Option<Self>, Error> {
        let Some(source::Source { name, bytes }) = source::latest(workspace)? else { return Ok(None) };
        let Ok(document) = plan::Document::read(bytes) else { return Ok(None) };
        let plan = document.plan().filter(|plan| plan.plan_id == document.identity()).cloned();
        Ok(plan.map(|plan| Self { name, document, plan }))
    }

    /// Tells whether it was made from these inputs. The apply of a plan raises the generation, but does not make the
    /// plan old: solving again would find the same one, now without churn.
    fn is_current(&self, inputs: &Inputs, base: &Base) -> bool {
        let is_applied = inputs.applied.as_ref().is_some_and(|applied| applied.plan_id == self.plan.plan_id);
        let generation = if is_applied { self.plan.base.generation } else { base.generation };
        self.plan.base == Base { generation, ..base.clone() }
    }
}

/// Who signs, and whose signatures make a new one needless.
struct Signer {
    key: Option<PrivateKey>,
    trust: TrustStore,
    is_wanted: bool,
}

impl Signer {
    fn new(workspace: &Workspace, request: &Request) -> Result<Self, Error> {
        let is_wanted = !request.no_sign;
        let key = if is_wanted { signing_key(workspace, request.key.as_deref())? } else { None };
        Ok(Self { key, trust: TrustStore::read(workspace)?, is_wanted })
    }

    /// Warns of a key whose plans will be refused here.
    fn finding(&self) -> Option<Diagnostic> {
        let id = self.key.as_ref()?.public().key_id();
        let message = match (self.trust.get(&id), self.trust.revocation(&id)) {
            (Some(_), _) => return None,
            (None, Some(_)) => format!("the signing key {id} is revoked: its plans will be refused"),
            (None, None) => format!("the signing key {id} is not trusted here: its plans will be refused"),
        };
        let finding = Diagnostic::warning("RTT-K005", message).at(Place::file(layout::KEYS));
        Some(finding.help(format!("put its public half into {}, or sign with another key", layout::KEYS)))
    }

    /// Tells whether a plan carries a signature that serves: ours, or without a key here, that of anybody trusted.
    fn accepts(&self, document: &plan::Document) -> bool {
        if !self.is_wanted {
            return true;
        }
        let own = self.key.as_ref().map(PrivateKey::public);
        let trust = match &own {
            Some(key) => self.trust.clone().and(key.clone()),
            None => self.trust.clone(),
        };
        plan::signers(document, &trust, 1).is_ok_and(|signers| own.is_none_or(|key| signers.contains(&key.key_id())))
    }

    fn sign(&self, plan: &mut Plan) -> Result<(), Error> {
        match &self.key {
            Some(key) => plan::sign(plan, key),
            None if self.is_wanted => {
                return Err(Error::Missing {
                    what: format!("a signing key ({})", layout::PRIVATE_KEY),
                    help: format!(
                        "set ${SIGNING_KEY_VARIABLE} to its PEM text, give --key FILE, run rtt-00-bootstrap to make one, \
                         or leave the plan unsigned with --no-sign"
                    ),
                });
            }
            None => {}
        }
        Ok(())
    }
}

/// Checks, signs and writes a plan. One of the same id that is signed already stays as it is.
fn publish(
    workspace: &Workspace,
    request: &Request,
    inputs: &Inputs,
    mut plan: Plan,
    signer: &Signer,
) -> Result<Report, Error> {
    let violations = plan::check(&plan, inputs);
    if let [first, ..] = &violations[..] {
        return Err(Error::Internal(format!("the plan fails its own check ({}): {first}", violations.len())));
    }
    let file = layout::plan_file(&plan.plan_id.hex()[..16]);
    let existing = workspace.read_optional(&file)?.and_then(|bytes| plan::Document::read(bytes).ok());
    let is_signed = existing.is_some_and(|document| {
        let is_same = document.plan().is_some_and(|there| there.plan_id == plan.plan_id);
        is_same && document.identity() == plan.plan_id && signer.accepts(&document)
    });
    if !is_signed {
        signer.sign(&mut plan)?;
        let text = json::pretty(&plan);
        workspace.write(&file, text.as_bytes())?;
    }
    let target = file.trim_start_matches("plans/");
    let latest = workspace.path(layout::LATEST);
    durable::replace_symlink(&latest, target).map_err(|source| workspace::Error::create(&latest, source))?;

    log::info!("Plan generated with cost {}", plan.objective[2].value);
    let mut report = report_of(&plan, Verdict::Success, "");
    report.details = objective_lines(&plan);
    report.details.extend(Diff::new(&inputs.routes.document, Some(&plan)).lines("  "));
    report.details.push(format!("  {file}"));
    report.body = request.graph.map(|format| plan::graph(&plan, &inputs.lanes, format));
    report.outputs = vec![file, layout::LATEST.to_owned()];
    Ok(report)
}

fn report_of(plan: &Plan, verdict: Verdict, prefix: &str) -> Report {
    let status = match plan.status {
        PlanStatus::Optimal => "an optimal plan",
        PlanStatus::Feasible => "a feasible plan",
    };
    let counts = format!("{} and {}", counted(plan.routes.len(), "route"), counted(plan.placement.len(), "instance"));
    let mut report = Report::new(verdict, format!("{prefix}{status} of {counts}"));
    if prefix.is_empty() {
        report.headline[..1].make_ascii_uppercase();
    }
    for level in &plan.objective {
        let name = planner::problem::OBJECTIVES.into_iter().find(|name| *name == level.name);
        if let Some(name) = name {
            report = report.figure(name, level.value);
        }
    }
    let open = plan.objective.iter().find(|level| level.bound < level.value).or(plan.objective.get(2));
    if let Some(level) = open {
        report = report.figure("bound", level.bound).figure("gap", gap(level.value, level.bound));
    }
    report
        .figure("routes", plan.routes.len())
        .figure("status", if plan.status == PlanStatus::Optimal { "optimal" } else { "feasible" })
        .figure("plan", plan.plan_id.to_string())
}

/// How far above its bound a value may be, as a fraction of the value.
fn gap(value: i64, bound: i64) -> f64 {
    if value == bound { 0.0 } else { (value - bound) as f64 / value.max(1) as f64 }
}

fn objective_lines(plan: &Plan) -> Vec<String> {
    let line = |level: &plan::ObjectiveValue| {
        let proof = if level.bound == level.value {
            "proven".to_owned()
        } else {
            format!("at least {}, gap {:.1} %", level.bound, 100.0 * gap(level.value, level.bound))
        };
        format!("  {:<20} {:>12}  ({proof})", level.name, level.value)
    };
    plan.objective.iter().map(line).collect()
}

fn undecided(request: &Request) -> Report {
    let headline = "No feasible solution found, and none excluded, within the work limit";
    log::error!("{headline}");
    let mut report = Report::new(Verdict::CheckFailed, headline);
    let help = if request.time_limit.is_some() {
        "give --time-limit more seconds".to_owned()
    } else {
        format!("give a higher --effort than {}", request.effort)
    };
    report.diagnostics.push(Diagnostic::error("RTT-P003", headline).help(help));
    report
}
