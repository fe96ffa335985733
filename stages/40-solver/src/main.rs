//! `rtt-40-solver`: computes the optimal routing plan and signs it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Args};
use rtt_cli::StageOptions;
use rtt_core::plan::GraphFormat;
use rtt_core::stage::{Context, Error, Report, Stage, solve};
use rtt_core::workspace::Workspace;

#[derive(Args)]
#[command(group = ArgGroup::new("supposed").multiple(true))]
struct Options {
    /// Work limit of the search; the same limit gives the same plan
    #[arg(long, value_name = "N", default_value_t = solve::DEFAULT_EFFORT)]
    effort: u32,
    /// Stop after this time; the result may then differ from run to run
    #[arg(long, value_name = "SECONDS")]
    time_limit: Option<u64>,
    /// Show why the route between two symbols is as it is
    #[arg(long, value_names = ["FROM", "TO"], num_args = 2)]
    explain: Vec<String>,
    /// If there is no feasible plan, show a minimal set of constraints that conflict
    #[arg(long)]
    why_infeasible: bool,
    /// Show what the plan would be with the changes of the next three options, and write nothing
    #[arg(long, requires = "supposed", conflicts_with_all = ["explain", "why_infeasible", "graph"])]
    what_if: bool,
    /// Suppose that a node is gone; may be repeated
    #[arg(long, value_name = "HOST/N", group = "supposed", requires = "what_if")]
    without_node: Vec<String>,
    /// Suppose another capacity of a node, processors and MiB; may be repeated
    #[arg(long, value_name = "HOST/N=CPU,MEM", group = "supposed", requires = "what_if")]
    capacity: Vec<String>,
    /// Suppose a pin, of an agent or of a route's lane or target (FROM->TO=LANE); may be repeated
    #[arg(long, value_name = "AGENT=HOST/N", group = "supposed", requires = "what_if")]
    pin: Vec<String>,
    /// Show for each node what one more processor or GiB would improve, and write nothing
    #[arg(long, conflicts_with_all = ["explain", "why_infeasible", "what_if", "graph"])]
    marginal: bool,
    /// Sign with this private key (PKCS#8 PEM) [default: $RTT_SIGNING_KEY, else the workspace's]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print the plan as a graph
    #[arg(long, value_name = "FORMAT", value_parser = ["dot", "mermaid", "svg"])]
    graph: Option<String>,
    /// Do not sign the plan
    #[arg(long, conflicts_with = "key")]
    no_sign: bool,
}

impl StageOptions for Options {
    const STAGE: Stage = Stage::Solver;
    const ABOUT: &'static str = "Compute the optimal routing plan and sign it";

    fn is_read_only(&self) -> bool {
        self.what_if || self.marginal
    }

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let Self { effort, time_limit, explain, why_infeasible, marginal, key, graph, no_sign, .. } = self;
        let what_if = self.what_if.then_some(solve::WhatIf {
            without_nodes: self.without_node,
            pins: self.pin,
            capacities: self.capacity,
        });
        let explain = <[String; 2]>::try_from(explain).ok().map(|[from, to]| (from, to));
        let graph = graph.and_then(|name| GraphFormat::parse(&name));
        let time_limit = time_limit.map(Duration::from_secs);
        solve::run(
            workspace,
            &solve::Request { effort, time_limit, explain, why_infeasible, what_if, marginal, key, graph, no_sign },
            context,
        )
    }
}

fn main() -> ExitCode {
    rtt_cli::main::<Options>()
}
