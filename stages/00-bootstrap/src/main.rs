//! `rtt-00-bootstrap`: creates the workspace, a signing key pair and starter files.

use std::process::ExitCode;

use clap::Args;
use rtt_cli::StageOptions;
use rtt_core::stage::{Context, Error, Report, Stage, bootstrap};
use rtt_core::workspace::Workspace;

#[derive(Args)]
struct Options {}

impl StageOptions for Options {
    const STAGE: Stage = Stage::Bootstrap;
    const ABOUT: &'static str =
        "Create the workspace, a signing key pair and starter files; change nothing that is there";

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        bootstrap::run(workspace, &bootstrap::Request, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::main::<Options>()
}
