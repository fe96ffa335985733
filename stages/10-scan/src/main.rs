//! `rtt-10-scan`: discovers and validates agent manifests and writes the symbol registry.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rtt_cli::StageOptions;
use rtt_core::stage::{Context, Error, Report, Stage, scan};
use rtt_core::workspace::Workspace;

#[derive(Args)]
struct Options {
    /// Only manifests whose path matches one of these
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    include: Vec<String>,
    /// No manifest whose path matches one of these
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    exclude: Vec<String>,
    /// Leave invalid manifests out (with a warning) instead of failing
    #[arg(long)]
    skip_invalid: bool,
    /// Only validate these files; write nothing
    #[arg(long, value_name = "FILE", num_args = 1..)]
    check: Vec<PathBuf>,
    /// Fail where different files declare one instance differently
    #[arg(long)]
    deny_warnings: bool,
}

impl StageOptions for Options {
    const STAGE: Stage = Stage::Scan;
    const ABOUT: &'static str = "Discover and validate agent manifests; write the symbol registry";

    fn is_read_only(&self) -> bool {
        !self.check.is_empty()
    }

    fn needs_no_root(&self) -> bool {
        self.is_read_only()
    }

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let Self { include, exclude, skip_invalid, check, deny_warnings } = self;
        scan::run(workspace, &scan::Request { include, exclude, skip_invalid, check, deny_warnings }, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::main::<Options>()
}
