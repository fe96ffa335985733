//! `rtt-20-depdoctor`: checks that every requirement is met: existence, version, protocol, contract, capability, circles.

mod options;

use std::path::PathBuf;
use std::process::ExitCode;

use rtt_cli::StageOptions;
use rtt_core::dependency::{GraphFormat, rules};
use rtt_core::stage::depdoctor::{self, Fix, Request};
use rtt_core::stage::{Context, Error, Report, Stage};
use rtt_core::workspace::Workspace;

use crate::options::Options;

impl StageOptions for Options {
    const STAGE: Stage = Stage::DepDoctor;
    const ABOUT: &'static str = "Check dependencies and contracts of all agents; write the dependency report";

    fn is_read_only(&self) -> bool {
        self.dry_run || self.needs_no_root()
    }

    fn needs_no_root(&self) -> bool {
        self.explain.as_deref().is_some_and(rules::is_identifier)
    }

    fn sarif(&self) -> Option<PathBuf> {
        self.sarif.clone()
    }

    fn rule(id: &str) -> Option<(&'static str, String)> {
        rules::find(id).map(|rule| (rule.title, rule.explanation()))
    }

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let Self { explain, deny_warnings, write_baseline, .. } = self;
        let graph = self.graph.map(|format| if format == "dot" { GraphFormat::Dot } else { GraphFormat::Mermaid });
        let fix = self.fix.then_some(if self.dry_run { Fix::Show } else { Fix::Write });
        depdoctor::run(workspace, &Request { explain, graph, deny_warnings, write_baseline, fix }, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::main::<Options>()
}
