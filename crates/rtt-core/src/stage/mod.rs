//! The six stages, each one function: `run(&Workspace, &Request, &Context) -> Result<Report, Error>`.
//!
//! A stage reads its inputs, calls the pure modules, and writes its outputs once.

pub mod apply;
pub mod bootstrap;
pub mod depdoctor;
pub mod generate;
mod inputs;
mod places;
pub mod scan;
pub mod solve;
pub mod upstream;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Severity};
use crate::workspace;
use crate::workspace::state::{Fingerprint, StateError};

/// Which stage is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// 00: environment and keys.
    Bootstrap,
    /// 10: discovery and validation of manifests.
    Scan,
    /// 20: dependencies and contracts.
    DepDoctor,
    /// 30: connectors.
    Generate,
    /// 40: the routing plan.
    Solver,
    /// 50: atomic application.
    Apply,
}

impl Stage {
    /// Every stage, in pipeline order.
    pub const ALL: [Self; 6] =
        [Self::Bootstrap, Self::Scan, Self::DepDoctor, Self::Generate, Self::Solver, Self::Apply];

    /// Returns the two digits that logs show.
    pub fn number(self) -> &'static str {
        &self.executable()[4..6]
    }

    /// Returns the executable's name.
    pub fn executable(self) -> &'static str {
        match self {
            Self::Bootstrap => "rtt-00-bootstrap",
            Self::Scan => "rtt-10-scan",
            Self::DepDoctor => "rtt-20-depdoctor",
            Self::Generate => "rtt-30-generate",
            Self::Solver => "rtt-40-solver",
            Self::Apply => "rtt-50-apply",
        }
    }

    /// Builds this stage's fingerprint.
    pub fn fingerprint<'a>(self, inputs: impl IntoIterator<Item = (&'a str, crate::digest::Digest)>) -> Fingerprint {
        Fingerprint::new(self.executable(), inputs)
    }
}

/// What every stage is given besides its own request.
pub struct Context<'a> {
    /// Redo the work although nothing changed (`--force`).
    pub force: bool,
    /// Where progress is shown.
    pub progress: &'a dyn Progress,
}

/// Shows how far long work has come.
pub trait Progress: Sync {
    /// Announces work of `total` steps.
    fn start(&self, label: &str, total: u64);
    /// Reports finished steps.
    fn advance(&self, steps: u64);
    /// Ends the display.
    fn finish(&self);
}

/// Shows nothing.
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _label: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
    fn finish(&self) {}
}

/// How a run of a stage ended, short of an [`Error`]; `rtt-cli` maps each to an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Done.
    Success,
    /// The output was already made from these inputs.
    Unchanged,
    /// `--dry-run --detailed-exitcode`: valid, and there are changes to make.
    ChangesPending,
    /// The check that the stage exists for failed.
    CheckFailed,
    /// Stage 20: a required symbol does not exist.
    MissingDependency,
    /// Stage 20: no version in the required range.
    VersionConflict,
    /// Stage 20: requirements form a circle.
    CircularDependency,
    /// Stage 20: protocols or method contracts do not match.
    ProtocolMismatch,
    /// Stage 20: a required capability is not offered.
    CapabilityMissing,
    /// Stage 50: no signature that may be trusted.
    Untrusted,
    /// Stage 50: not applied, everything rolled back; or decided and not yet finished.
    RolledBack,
    /// Stage 50: the plan was made from other inputs than are there now.
    Stale,
    /// Stage 50: another apply holds the lock.
    Locked,
    /// An input file holds errors.
    InvalidInput,
}

impl Verdict {
    /// Tells whether the run did what it was asked to.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::Unchanged | Self::ChangesPending)
    }
}

/// A value that is made where it is asked for, since most runs ask for none.
#[derive(Clone)]
pub struct Lazily(Arc<dyn Fn() -> Value + Send + Sync>);

impl Lazily {
    /// Makes the value.
    pub fn get(&self) -> Value {
        self.0()
    }
}

impl fmt::Debug for Lazily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lazily")
    }
}

/// What a stage did and found.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// The result in one line, without its `[OK]`.
    pub headline: String,
    /// Further result lines, each already with its two-space indentation where it wants one.
    pub details: Vec<String>,
    /// A document that was asked for (`--graph`, `--explain`, …), printed as it is.
    pub body: Option<String>,
    /// A file's content that was asked for, printed byte by byte and alone.
    pub content: Option<Vec<u8>>,
    /// The same for programs, where it has parts.
    pub answer: Option<Value>,
    /// All findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that the workspace asks not to be shown; they count for nothing.
    pub ignored: Vec<Diagnostic>,
    /// The stage's figures, for the summary, telemetry and CI tables.
    pub figures: BTreeMap<&'static str, Value>,
    /// Lists that belong beside the figures in the summary, and are too long for telemetry and tables.
    pub lists: BTreeMap<&'static str, Lazily>,
    /// What was written, relative to the root.
    pub outputs: Vec<String>,
    /// What the inputs were.
    pub fingerprint: Option<Fingerprint>,
}

impl Report {
    /// A result without findings and figures.
    pub fn new(verdict: Verdict, headline: impl Into<String>) -> Self {
        Self {
            verdict,
            headline: headline.into(),
            details: Vec::new(),
            body: None,
            content: None,
            answer: None,
            diagnostics: Vec::new(),
            ignored: Vec::new(),
            figures: BTreeMap::new(),
            lists: BTreeMap::new(),
            outputs: Vec::new(),
            fingerprint: None,
        }
    }

    /// Adds a figure.
    #[must_use]
    pub fn figure(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.figures.insert(name, value.into());
        self
    }

    /// Adds a list.
    #[must_use]
    pub fn list(mut self, name: &'static str, make: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        self.lists.insert(name, Lazily(Arc::new(make)));
        self
    }

    /// Tells whether a finding is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// Why a stage could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The workspace is missing or cannot be used.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// An input file holds errors.
    #[error("{message}")]
    Invalid {
        /// In one line.
        message: String,
        /// Each of them.
        diagnostics: Vec<Diagnostic>,
    },
    /// An earlier stage has not run.
    #[error("{file} is missing")]
    NotRun {
        /// Its output.
        file: &'static str,
        /// The stage that writes it.
        stage: Stage,
    },
    /// An earlier stage's output was made from other inputs than are there now.
    #[error("{file} is stale: changed since it was made: {}", .changed.join(", "))]
    Stale {
        /// Its output.
        file: &'static str,
        /// The stage to run.
        stage: Stage,
        /// The names of the inputs that changed.
        changed: Vec<String>,
    },
    /// A file that was named or is needed does not exist.
    #[error("{what} does not exist")]
    Missing {
        /// What.
        what: String,
        /// What to do.
        help: String,
    },
    /// The options contradict each other or name what does not exist.
    #[error("{message}")]
    Usage {
        /// In one line.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// A promise inside the program was broken.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Workspace(error) => error.into(),
            StateError::Invalid(diagnostics) => {
                let message = StateError::Invalid(diagnostics.clone()).to_string();
                Self::Invalid { message, diagnostics }
            }
        }
    }
}
