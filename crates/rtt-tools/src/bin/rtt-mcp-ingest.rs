//! `rtt-mcp-ingest`: makes agents of MCP servers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Args};
use rtt_cli::ToolOptions;
use rtt_core::stage::{Context, Error, Report};
use rtt_core::workspace::Workspace;
use rtt_tools::ingest::{self, Request, Source};

#[derive(Args)]
#[command(group = ArgGroup::new("source").required(true))]
struct Options {
    /// Whose servers these are; agents are called mcp.PROVIDER.SERVER
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Files that hold a list of tools: the answer to tools/list, or the list alone
    #[arg(value_name = "FILE", group = "source")]
    files: Vec<PathBuf>,
    /// Start this server and ask it for its tools; all that follows is its command
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true, group = "source")]
    stdio: Option<Vec<String>>,
    /// Start the servers of a client configuration (mcpServers) and ask them
    #[arg(long, value_name = "FILE", group = "source")]
    config: Option<PathBuf>,
    /// What the server is called, instead of what it calls itself or its file is called
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    server: Option<String>,
    /// How long one server may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Take definitions of tools that differ from the pinned ones
    #[arg(long)]
    accept: bool,
    /// Remove the agents of servers that the configuration names no more
    #[arg(long, requires = "config")]
    prune: bool,
    /// Say what would change; write nothing
    #[arg(long)]
    dry_run: bool,
}

impl ToolOptions for Options {
    const NAME: &'static str = "rtt-mcp-ingest";
    const ABOUT: &'static str =
        "Make agents of MCP servers: from lists of tools, live servers or client configurations";
    const EXIT_CODES: &'static [(&'static str, &'static str)] =
        &[("1", "a pinned definition changed, or a server could not be asked; the others were written")];

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let source = match (self.stdio, self.config) {
            (Some(command), _) => Source::Stdio(command),
            (None, Some(file)) => Source::Config(file),
            (None, None) => Source::Files(self.files),
        };
        let timeout = Duration::from_secs(self.timeout);
        let Self { provider, server, accept, prune, dry_run, .. } = self;
        ingest::run(workspace, &Request { provider, source, server, timeout, accept, prune, dry_run }, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::tool_main::<Options>()
}
