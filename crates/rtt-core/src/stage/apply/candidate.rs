//! The plan to apply: read, and refused unless its signatures are trusted.

use super::Request;
use crate::apply::transaction::Proposal;
use crate::apply::wal::Kind;
use crate::clock;
use crate::diagnostic::{Diagnostic, Place};
use crate::json::ParseErrorKind;
use crate::plan::source::{self, Source};
use crate::plan::{self, Document, Plan, Unreadable, Verified, VerifyError};
use crate::stage::{Error, Report, Stage, Verdict};
use crate::trust::{Refusal, Requirements, TrustStore};
use crate::workspace::{Workspace, layout};

/// A plan that may be applied.
pub(super) struct Candidate {
    pub(super) plan: Verified<Plan>,
    pub(super) text: String,
    pub(super) name: String,
}

impl Candidate {
    /// Proposes it for application.
    pub(super) fn proposal(&self, kind: Kind, request: &Request) -> Proposal<'_> {
        Proposal { kind, plan: Some((&self.plan, self.text.as_bytes())), is_verified: !request.no_verify }
    }
}

/// Reads and verifies the plan, or says why it is refused.
pub(super) fn read_plan(workspace: &Workspace, request: &Request) -> Result<Result<Candidate, Box<Report>>, Error> {
    let source = match &request.plan {
        Some(path) => source::named(path)?.ok_or_else(|| Error::Missing {
            what: path.display().to_string(),
            help: "give --plan an existing file, or leave it out to apply the newest plan".to_owned(),
        })?,
        None => source::latest(workspace)?.ok_or(Error::NotRun { file: layout::LATEST, stage: Stage::Solver })?,
    };
    check(workspace, source, request.no_verify)
}

/// Verifies a plan's document, or says why it is refused.
pub(super) fn check(
    workspace: &Workspace,
    source: Source,
    no_verify: bool,
) -> Result<Result<Candidate, Box<Report>>, Error> {
    let Source { name, bytes } = source;
    let trust = (!no_verify).then(|| Ok::<_, Error>((TrustStore::read(workspace)?, Requirements::read(workspace)?)));
    let trust = trust.transpose()?;
    let read = match &trust {
        Some((store, required)) => plan::read_verified(bytes, store, required.threshold),
        None => {
            log::warn!("Plan signatures are not verified (--no-verify)");
            Document::read(bytes).map(plan::accept_unverified)
        }
    };
    let verified = match read {
        Ok(verified) => verified,
        // Readers disagree about which of the two counts, so no signature can say what was signed.
        Err(Unreadable { bytes, error }) if matches!(error.kind, ParseErrorKind::DuplicateKey(_)) => {
            let place = Diagnostic::unreadable_json("RTT-A002", &name, &bytes, &error).place;
            let mut report = untrusted(&name, &error.kind, REGENERATE);
            report.diagnostics[0].place = place;
            return Ok(Err(Box::new(report)));
        }
        Err(Unreadable { bytes, error }) => {
            let finding = Diagnostic::unreadable_json("RTT-S001", &name, &bytes, &error);
            return Err(Error::Invalid { message: format!("{name} is not valid"), diagnostics: vec![finding] });
        }
    };
    let verified = match (verified, trust.and_then(|(_, required)| required.max_age)) {
        (Ok(verified), Some(max_age)) => plan::check_age(verified, clock::now(), max_age),
        (verified, _) => verified,
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(Box::new(refused(&name, &error)))),
    };
    let (plan, text) = verified.typed(&name)?;
    Ok(Ok(Candidate { plan, text, name }))
}

fn refused(name: &str, error: &VerifyError) -> Report {
    let help = match error {
        VerifyError::Refused(Refusal::Unknown { .. }) => {
            "if the signer is to be trusted, put its .pub file into .rtt/registry/trust/keys/"
        }
        VerifyError::Refused(Refusal::TooFew { .. }) => {
            "have the plan cosigned: policy.json asks for it (trust.threshold)"
        }
        VerifyError::Expired { .. } => "sign a plan of today: rtt-40-solver --force",
        _ => REGENERATE,
    };
    untrusted(name, error, help)
}

pub(super) const REGENERATE: &str = "regenerate the plan with a valid signing key: rtt-40-solver --force";

fn untrusted(name: &str, reason: &impl std::fmt::Display, help: &str) -> Report {
    let message = format!("Plan signature verification failed: {reason}");
    refusal(Verdict::Untrusted, "RTT-A002", message, name, help)
}

pub(super) fn refusal(verdict: Verdict, rule: &'static str, message: String, file: &str, help: &str) -> Report {
    log::error!("{message}");
    let mut report = Report::new(verdict, message.clone());
    report.diagnostics.push(Diagnostic::error(rule, message).at(Place::file(file)).help(help));
    report.figure("outcome", "refused")
}
