//! What the command line of stage 20 can say.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// Show who needs a symbol, through whom, what is chosen and why others are not; or explain a rule such as RTT-D001
    #[arg(long, value_name = "SYMBOL|RULE")]
    pub(crate) explain: Option<String>,
    /// Print the dependency graph, problems in colour
    #[arg(long, value_name = "FORMAT", value_parser = ["dot", "mermaid"])]
    pub(crate) graph: Option<String>,
    /// Fail on warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    /// Record today's findings in .rtt/depdoctor.json, so that only new ones fail
    #[arg(long, conflicts_with = "fix")]
    pub(crate) write_baseline: bool,
    /// Correct names and ranges in manifests where a correction was found to work; show the changes
    #[arg(long)]
    pub(crate) fix: bool,
    /// With --fix: only show the changes
    #[arg(long, requires = "fix")]
    pub(crate) dry_run: bool,
    /// Also write the findings as SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
}
