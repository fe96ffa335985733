//! One run of a tool around the pipeline, with the manners of a stage: it leaves no flight record and no CI output.

use std::process::ExitCode;

use clap::{Args, Command, FromArgMatches as _};
use rtt_core::stage::{Context, Error, Report};
use rtt_core::workspace::Workspace;

use crate::logging;
use crate::options::{Common, Format, Output};
use crate::program::Program;
use crate::progress::TerminalProgress;
use crate::run::{Outcome, find_workspace, guarded, named_command, print_completions, usage_error};

/// The options of one tool, and how they become a run of it.
pub trait ToolOptions: Args {
    /// The executable's name.
    const NAME: &'static str;
    /// What it does, in one line.
    const ABOUT: &'static str;
    /// The exit codes that it has besides those that all executables share, and what they mean.
    const EXIT_CODES: &'static [(&'static str, &'static str)] = &[];
    /// Whether it has a `--format` of its own, with the result in [`Report::body`]; otherwise it is `human` or `json`.
    const OWN_FORMAT: bool = false;

    /// Tells whether this run can do without a workspace.
    fn needs_no_root(&self) -> bool {
        false
    }

    /// Runs the tool.
    ///
    /// # Errors
    /// [`Error`], as the stages.
    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error>;
}

/// What `main` of a tool returns.
pub fn tool_main<O: ToolOptions>() -> ExitCode {
    let mut command = command::<O>();
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return usage_error(&error),
    };
    let parsed = Common::from_arg_matches(&matches).and_then(|common| {
        let format = if O::OWN_FORMAT { Format::Human } else { Output::from_arg_matches(&matches)?.format };
        Ok((common, format, O::from_arg_matches(&matches)?))
    });
    let (common, format, options) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage_error(&error.format(&mut command)),
    };
    if let Some(shell) = common.completions {
        print_completions(shell, &mut command, O::NAME);
        return ExitCode::SUCCESS;
    }
    let program = Program::Tool(O::NAME);
    logging::start(program, &common);
    let found = find_workspace(&common, false, options.needs_no_root());
    let workspace = found.as_ref().ok().cloned();
    let progress = TerminalProgress::new(&common, format);
    let result =
        found.and_then(|workspace| guarded(|| options.run(&workspace, &Context { force: false, progress: &progress })));
    let outcome = Outcome::new(result, workspace.as_ref());
    outcome.print(program, &common, format);
    ExitCode::from(outcome.exit_code)
}

/// The common options count before and after the name of a subcommand.
fn command<O: ToolOptions>() -> Command {
    let mut common = Common::augment_args(Command::new(O::NAME));
    if !O::OWN_FORMAT {
        common = Output::augment_args(common);
    }
    let command = O::augment_args(named_command(O::NAME, O::ABOUT, O::EXIT_CODES));
    let has_subcommands = command.has_subcommands();
    command.args(common.get_arguments().map(|argument| argument.clone().global(has_subcommands)))
}
