//! What the command line of stage 50 can say.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// The plan to apply [default: the one that plans/LATEST names]
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Show what would change; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Accept a plan whatever its signatures say
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// With --dry-run: exit 10 if there are changes to make; with --status: exit 10 if anything drifted
    #[arg(long, conflicts_with = "recover")]
    pub(crate) detailed_exitcode: bool,
    /// Undo the last apply, or return to an earlier generation or plan
    #[arg(long, value_name = "GENERATION|PLAN", num_args = 0..=1, conflicts_with_all = ["plan", "recover", "status"])]
    pub(crate) rollback: Option<Option<String>>,
    /// Only finish what an interrupted apply left
    #[arg(long, conflicts_with_all = ["plan", "dry_run", "status"])]
    pub(crate) recover: bool,
    /// Show what is applied, and what differs from it
    #[arg(long, conflicts_with_all = ["plan", "dry_run"])]
    pub(crate) status: bool,
    /// With --status: show every transaction
    #[arg(long, requires = "status")]
    pub(crate) history: bool,
    /// With --status: check the chain of the write-ahead log and every object that it names
    #[arg(long, requires = "status")]
    pub(crate) verify_wal: bool,
    /// Afterwards forget all but the last N transactions; signs a checkpoint
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["dry_run", "status"])]
    pub(crate) keep: Option<u32>,
    /// How long to wait for one answer of a running agent
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) participant_timeout: u64,
    /// How long to wait for another apply
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) lock_timeout: u64,
}
