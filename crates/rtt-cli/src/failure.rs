//! Turns the error that ended a run into a headline, findings and help.

use std::io;

use rtt_core::diagnostic::{Diagnostic, Place};
use rtt_core::stage::{Error, Stage};
use rtt_core::workspace::{self, Workspace, layout};

/// A failed run, ready to be shown.
pub(crate) struct Failure {
    pub(crate) headline: String,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

pub(crate) fn describe(error: Error, workspace: Option<&Workspace>) -> Failure {
    match error {
        Error::Invalid { message, diagnostics } => Failure { headline: message, diagnostics },
        Error::Workspace(error) => of_workspace(error, workspace),
        error => {
            let (file, help) = match &error {
                Error::NotRun { file, stage } | Error::Stale { file, stage, .. } => {
                    (Some(*file), Some(format!("run {}", stage.executable())))
                }
                Error::Missing { help, .. } => (None, Some(help.clone())),
                Error::Usage { help, .. } => (None, help.clone()),
                Error::Internal(_) => (None, Some("this is a bug: please report it with the command line".to_owned())),
                Error::Workspace(_) | Error::Invalid { .. } => (None, None),
            };
            single(rule(&error), error.to_string(), file.map(str::to_owned), help)
        }
    }
}

fn rule(error: &Error) -> &'static str {
    match error {
        Error::Workspace(_) => "RTT-E001",
        Error::Invalid { .. } => "RTT-E002",
        Error::NotRun { .. } => "RTT-E003",
        Error::Stale { .. } => "RTT-E004",
        Error::Missing { .. } => "RTT-E005",
        Error::Usage { .. } => "RTT-E006",
        Error::Internal(_) => "RTT-E007",
    }
}

fn of_workspace(error: workspace::Error, workspace: Option<&Workspace>) -> Failure {
    let workspace::Error::Io { action, path, source } = &error else {
        let help = format!("run {}, which creates a workspace", Stage::Bootstrap.executable());
        return single("RTT-E001", error.to_string(), None, Some(help));
    };
    let mut shown = workspace.map_or_else(|| path.display().to_string(), |workspace| workspace.relative(path));
    if layout::FOLDERS.contains(&shown.as_str()) || path.is_dir() {
        shown.push('/');
    }
    let (what, help) = match source.kind() {
        io::ErrorKind::PermissionDenied => {
            ("Permission denied".to_owned(), "check directory permissions, run with appropriate user")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ("No space left".to_owned(), "free some space and run again: nothing was half written")
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            (format!("A file is in the way ({source})"), "move it away: a folder of that name is needed")
        }
        _ => (source.to_string(), "check the path and the file system"),
    };
    single("RTT-E001", format!("{what} {action} {shown}"), Some(shown), Some(help.to_owned()))
}

fn single(rule: &'static str, message: String, file: Option<String>, help: Option<String>) -> Failure {
    let mut finding = Diagnostic::error(rule, message.clone());
    finding.place = file.map(Place::file);
    finding.help.extend(help);
    Failure { headline: message, diagnostics: vec![finding] }
}
