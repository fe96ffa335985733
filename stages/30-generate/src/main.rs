//! `rtt-30-generate`: generates a connector for every dependency, in the consumer's language.

use std::process::ExitCode;

use clap::Args;
use rtt_cli::StageOptions;
use rtt_core::stage::generate::{self, Verify};
use rtt_core::stage::{Context, Error, Report, Stage};
use rtt_core::workspace::Workspace;

#[derive(Args)]
struct Options {
    /// Only these languages
    #[arg(long, value_name = "LANG", num_args = 1..)]
    language: Vec<String>,
    /// List the languages that have a template
    #[arg(long)]
    list_languages: bool,
    /// How generated code is checked before it is written
    #[arg(long, value_name = "HOW", value_parser = ["syntax", "toolchain"], default_value = "syntax")]
    verify: String,
    /// Write nothing; exit 1 if anything would change
    #[arg(long)]
    check: bool,
    /// Remove connectors that nothing needs any more
    #[arg(long)]
    prune: bool,
}

impl StageOptions for Options {
    const STAGE: Stage = Stage::Generate;
    const ABOUT: &'static str = "Generate connectors in the languages of the agents that call";

    fn is_read_only(&self) -> bool {
        self.check || self.list_languages
    }

    fn needs_no_root(&self) -> bool {
        self.list_languages
    }

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let Self { language: languages, list_languages, verify, check, prune } = self;
        let verify = if verify == "toolchain" { Verify::Toolchain } else { Verify::Syntax };
        generate::run(workspace, &generate::Request { languages, list_languages, verify, check, prune }, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::main::<Options>()
}
