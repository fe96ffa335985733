//! `rtt-20-depdoctor`: checks that every requirement is met: existence, version, protocol, contract, capability, circles.

use std::process::ExitCode;

use clap::Args;
use rtt_cli::StageOptions;
use rtt_core::dependency::GraphFormat;
use rtt_core::stage::{Context, Error, Report, Stage, depdoctor};
use rtt_core::workspace::Workspace;

#[derive(Args)]
struct Options {
    /// Show who needs a symbol, what is chosen and why others are not
    #[arg(long, value_name = "SYMBOL")]
    explain: Option<String>,
    /// Print the dependency graph
    #[arg(long, value_name = "FORMAT", value_parser = ["dot", "mermaid"])]
    graph: Option<String>,
    /// Fail on warnings
    #[arg(long)]
    deny_warnings: bool,
}

impl StageOptions for Options {
    const STAGE: Stage = Stage::DepDoctor;
    const ABOUT: &'static str = "Check dependencies and contracts of all agents; write the dependency report";

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let graph = self.graph.map(|format| if format == "dot" { GraphFormat::Dot } else { GraphFormat::Mermaid });
        let request = depdoctor::Request { explain: self.explain, graph, deny_warnings: self.deny_warnings };
        depdoctor::run(workspace, &request, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::main::<Options>()
}
