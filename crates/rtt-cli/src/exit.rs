//! Exit codes: the only place that knows them.

use rtt_core::stage::{Error, Stage, Verdict};
use rtt_core::workspace::{self, Action};

/// Wrong usage of the command line (`EX_USAGE`).
pub(crate) const USAGE: u8 = 64;
/// Invalid input data (`EX_DATAERR`).
pub(crate) const DATA: u8 = 65;
/// An input is missing (`EX_NOINPUT`).
pub(crate) const NO_INPUT: u8 = 66;
/// A bug (`EX_SOFTWARE`).
pub(crate) const INTERNAL: u8 = 70;
/// An output cannot be created (`EX_CANTCREAT`).
pub(crate) const CANNOT_CREATE: u8 = 73;
/// Input or output failed (`EX_IOERR`).
pub(crate) const IO: u8 = 74;
/// Permission denied (`EX_NOPERM`).
pub(crate) const PERMISSION: u8 = 77;

pub(crate) fn of_verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Success | Verdict::Unchanged => 0,
        Verdict::CheckFailed | Verdict::MissingDependency => 1,
        Verdict::VersionConflict | Verdict::Untrusted => 2,
        Verdict::CircularDependency | Verdict::RolledBack => 3,
        Verdict::ProtocolMismatch | Verdict::Stale => 4,
        Verdict::CapabilityMissing | Verdict::Locked => 5,
        Verdict::ChangesPending => 10,
        Verdict::InvalidInput => DATA,
    }
}

pub(crate) fn of_error(error: &Error) -> u8 {
    match error {
        Error::Workspace(workspace::Error::NoRoot { .. })
        | Error::NotRun { .. }
        | Error::Stale { .. }
        | Error::Missing { .. } => NO_INPUT,
        Error::Workspace(workspace::Error::Io { action, source, .. }) => match (source.kind(), action) {
            (std::io::ErrorKind::PermissionDenied, _) => PERMISSION,
            (std::io::ErrorKind::NotFound, Action::Read) => NO_INPUT,
            (_, Action::Create) => CANNOT_CREATE,
            (_, Action::Read | Action::Remove) => IO,
        },
        Error::Invalid { .. } => DATA,
        Error::Usage { .. } => USAGE,
        Error::Internal(_) => INTERNAL,
    }
}

/// What is particular about a stage's exit codes.
pub(crate) fn of_stage(stage: Stage) -> &'static [(&'static str, &'static str)] {
    match stage {
        Stage::Bootstrap => &[],
        Stage::Scan => &[("1", "collisions, with --deny-warnings")],
        Stage::DepDoctor => &[
            ("1", "missing dependencies"),
            ("2", "version conflicts"),
            ("3", "circular dependencies"),
            ("4", "protocol or contract mismatch"),
            ("5", "a required capability is not offered"),
        ],
        Stage::Generate => &[("1", "--check: something would change; or a connector cannot be generated")],
        Stage::Solver => &[("1", "no feasible plan")],
        Stage::Apply => &[
            ("2", "signature or trust failure"),
            ("3", "a participant voted ABORT or failed; rolled back"),
            ("4", "the plan is stale"),
            ("5", "another apply holds the lock"),
            ("10", "--dry-run --detailed-exitcode: there are changes to make"),
        ],
    }
}

/// The table that `--help` ends with: an executable's own codes, then the common ones.
pub(crate) fn help(own: &[(&str, &str)]) -> String {
    let common = [
        ("64", "wrong usage of the command line"),
        ("65", "invalid input data"),
        ("66", "an input is missing or stale"),
        ("70", "internal error (a bug)"),
        ("73, 74", "an output cannot be created; I/O error"),
        ("77", "permission denied"),
    ];
    let mut text = "Exit codes:\n  0       success, also where there was nothing to do\n".to_owned();
    for (code, meaning) in own.iter().chain(&common) {
        text.push_str(&format!("  {code:<7} {meaning}\n"));
    }
    text
}
