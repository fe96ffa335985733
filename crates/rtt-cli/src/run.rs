//! One run of an executable: parse, run the stage, show the outcome, record it, return the exit code.

use std::io::{IsTerminal as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Command, FromArgMatches as _};
use clap_complete::Shell;
use rtt_core::clock;
use rtt_core::diagnostic::{self, Severity};
use rtt_core::json;
use rtt_core::stage::{Context, Error, Report, Stage, Verdict};
use rtt_core::telemetry::{self, Record, trace};
use rtt_core::text::{counted, printable};
use rtt_core::trust;
use rtt_core::workspace::state::FORMAT_VERSION;
use rtt_core::workspace::{Hints, RTT_ROOT, Workspace};

use crate::options::{Common, Format, Output, Work};
use crate::program::Program;
use crate::progress::TerminalProgress;
use crate::render::{self, Palette};
use crate::{ci, exit, failure, logging, sarif, summary};

/// The options of one stage, and how they become a run of it.
pub trait StageOptions: Args {
    /// Which stage this is.
    const STAGE: Stage;
    /// What it does, in one line.
    const ABOUT: &'static str;

    /// Tells whether this run only looks: it then leaves no trace, not even a flight record.
    fn is_read_only(&self) -> bool {
        false
    }

    /// Tells whether this run can do without a workspace.
    fn needs_no_root(&self) -> bool {
        false
    }

    /// Returns where the findings are to be written as SARIF.
    fn sarif(&self) -> Option<PathBuf> {
        None
    }

    /// Returns what a rule is about, in a few words, and what to read about it.
    fn rule(_id: &str) -> Option<(&'static str, String)> {
        None
    }

    /// Runs the stage.
    ///
    /// # Errors
    /// As the stage's function in `rtt_core::stage`.
    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error>;
}

/// What `main` of an executable returns.
pub fn main<O: StageOptions>() -> ExitCode {
    let mut command = command::<O>();
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return usage_error(&error),
    };
    let parsed = Common::from_arg_matches(&matches).and_then(|common| {
        let (output, work) = (Output::from_arg_matches(&matches)?, Work::from_arg_matches(&matches)?);
        Ok((common, output, work, O::from_arg_matches(&matches)?))
    });
    let (common, output, work, options) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage_error(&error.format(&mut command)),
    };
    if let Some(shell) = common.completions {
        print_completions(shell, &mut command, O::STAGE.executable());
        return ExitCode::SUCCESS;
    }
    logging::start(Program::Stage(O::STAGE), &common);
    if let Some(jobs) = work.jobs {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.get()).build_global();
        pool.expect("the pool is built once, before anything uses it");
    }
    ExitCode::from(run(&common, output.format, work.force, options))
}

fn command<O: StageOptions>() -> Command {
    let command = named_command(O::STAGE.executable(), O::ABOUT, exit::of_stage(O::STAGE));
    Work::augment_args(Output::augment_args(Common::augment_args(O::augment_args(command))))
}

/// A command with a name and its exit codes, yet without options.
pub(crate) fn named_command(name: &'static str, about: &'static str, codes: &[(&str, &str)]) -> Command {
    Command::new(name)
        .bin_name(name)
        .version(rtt_core::VERSION)
        .about(about)
        .after_help(exit::help(codes))
        .max_term_width(100)
}

/// Prints the completions for a shell; whoever reads them may stop before the end.
pub(crate) fn print_completions(shell: Shell, command: &mut Command, name: &str) {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, name, &mut script);
    drop(std::io::stdout().write_all(&script));
}

/// Help and version are answers, not errors; anything else is wrong usage.
pub(crate) fn usage_error(error: &clap::Error) -> ExitCode {
    drop(error.print());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(exit::USAGE),
    }
}

fn run<O: StageOptions>(common: &Common, format: Format, force: bool, options: O) -> u8 {
    let start = clock::now();
    let stopwatch = clock::stopwatch();
    let is_read_only = options.is_read_only();
    let sarif_file = options.sarif();
    let found = find_workspace(common, O::STAGE == Stage::Bootstrap, options.needs_no_root());
    let workspace = found.as_ref().ok().cloned();
    let progress = TerminalProgress::new(common, format);
    let outcome = found.and_then(|workspace| {
        let context = Context { force, progress: &progress };
        guarded(|| options.run(&workspace, &context))
    });
    let mut outcome = Outcome::new(outcome, workspace.as_ref());
    let is_ci = std::env::var_os("CI").is_some();
    let exposed = workspace.iter().flat_map(|workspace| trust::exposed_keys(workspace, is_ci));
    outcome.report.diagnostics.extend(exposed);
    if let Some(file) = sarif_file
        && let Err(error) = sarif::write(&file, &sarif::document::<O>(workspace.as_ref(), &outcome.report))
    {
        outcome = Outcome::new(Err(error.into()), workspace.as_ref());
    }
    outcome.print(Program::Stage(O::STAGE), common, format);
    ci::publish(O::STAGE, workspace.as_ref().filter(|_| !is_read_only), &outcome.report, outcome.exit_code);
    if let Some(workspace) = workspace.filter(|workspace| !is_read_only && workspace.path(".rtt").is_dir()) {
        let figures = outcome.report.figures.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let record = Record {
            version: FORMAT_VERSION.to_owned(),
            start: clock::rfc3339_millis(start),
            duration_ms: u64::try_from(stopwatch.elapsed().as_millis()).unwrap_or(u64::MAX),
            stage: O::STAGE.number().to_owned(),
            generator: Program::Stage(O::STAGE).generator(),
            exit_code: outcome.exit_code,
            outcome: outcome.name.clone(),
            inputs: outcome.report.fingerprint.as_ref().map(|fingerprint| fingerprint.digest().to_string()),
            figures,
            trace: trace::Span::begin(|name| std::env::var(name).ok()),
        };
        if let Err(error) = telemetry::record(&workspace, &record) {
            log::warn!("cannot write the flight record: {error}");
        }
    }
    let exit_code = outcome.exit_code;
    // The process ends, and the system takes its memory back at once: a long report would be freed piece by piece.
    std::mem::forget(outcome);
    exit_code
}

/// Finds the root; where there is none it is created, or the named or current folder is taken as it is.
pub(crate) fn find_workspace(common: &Common, may_create: bool, needs_no_root: bool) -> Result<Workspace, Error> {
    let current_dir = std::env::current_dir().map_err(|error| Error::Missing {
        what: format!("the current folder ({error})"),
        help: "cd to one".to_owned(),
    })?;
    let rtt_root = std::env::var_os(RTT_ROOT).filter(|value| !value.is_empty()).map(Into::into);
    let hints = Hints { root: common.root.clone(), rtt_root, current_dir };
    if may_create {
        return Ok(Workspace::discover_or_create(&hints)?);
    }
    match Workspace::discover(&hints) {
        Err(_) if needs_no_root => Ok(Workspace::at(hints.root.unwrap_or(hints.current_dir))),
        found => Ok(found?),
    }
}

/// A panic is a bug, but never a stack trace in a user's face without a word on what to do.
pub(crate) fn guarded(stage: impl FnOnce() -> Result<Report, Error>) -> Result<Report, Error> {
    catch_unwind(AssertUnwindSafe(stage)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        Err(Error::Internal(message.to_owned()))
    })
}

/// A run's end in one form, whether it was a verdict or an error.
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) exit_code: u8,
    name: String,
}

impl Outcome {
    pub(crate) fn new(result: Result<Report, Error>, workspace: Option<&Workspace>) -> Self {
        let mut outcome = match result {
            Ok(report) => Self {
                exit_code: exit::of_verdict(report.verdict),
                name: kebab(&format!("{:?}", report.verdict)),
                report,
            },
            Err(error) => {
                let exit_code = exit::of_error(&error);
                let failure = failure::describe(error, workspace);
                // The verdict of a failed run is never looked at: the exit code is the error's.
                let mut report = Report::new(Verdict::CheckFailed, failure.headline);
                report.diagnostics = failure.diagnostics;
                Self { report, exit_code, name: "error".to_owned() }
            }
        };
        diagnostic::sort(&mut outcome.report.diagnostics);
        outcome
    }

    fn succeeded(&self) -> bool {
        self.name != "error" && self.report.verdict.is_success()
    }

    pub(crate) fn print(&self, program: Program, common: &Common, format: Format) {
        if format == Format::Json {
            let document = summary::document(program, &self.report, &self.name, self.exit_code);
            return write_stdout(json::pretty(&document));
        }
        if let Some(content) = &self.report.content {
            return write_stdout(content);
        }
        let findings = Palette::new(common.color.enabled(std::io::stderr().is_terminal()));
        let mut text = String::new();
        for finding in &self.report.diagnostics {
            if !(common.quiet && finding.severity != Severity::Error) {
                text.push_str(&render::diagnostic(finding, findings));
            }
        }
        for finding in self.report.ignored.iter().filter(|_| common.verbose > 0) {
            text.push_str(&format!("ignored {}", render::diagnostic(finding, findings)));
        }
        drop(std::io::stderr().write_all(text.as_bytes()));

        let palette = Palette::new(common.color.enabled(std::io::stdout().is_terminal()));
        let mut text = String::new();
        if let Some(body) = &self.report.body {
            text.push_str(body);
            if !body.ends_with('\n') {
                text.push('\n');
            }
            if self.succeeded() {
                return write_stdout(&text);
            }
        }
        let mark = if self.succeeded() { palette.ok() } else { palette.fail() };
        text.push_str(&format!("{mark} {}\n", printable(&self.report.headline)));
        for detail in &self.report.details {
            text.push_str(&printable(detail));
            text.push('\n');
        }
        let warnings = diagnostic::count(&self.report.diagnostics, Severity::Warning);
        if warnings > 0 {
            text.push_str(&format!("{} {}\n", palette.warn(), counted(warnings, "warning")));
        }
        write_stdout(&text);
    }
}

/// A reader that closes the pipe early (`| head`) has what it wanted.
fn write_stdout(bytes: impl AsRef<[u8]>) {
    let mut stdout = std::io::stdout().lock();
    drop(stdout.write_all(bytes.as_ref()).and_then(|()| stdout.flush()));
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(character.to_lowercase());
    }
    out
}
