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
    /// With --dry-run: exit 10 if there are changes to make
    #[arg(long, requires = "dry_run")]
    pub(crate) detailed_exitcode: bool,
    /// Undo the last apply, or return to a named earlier plan
    #[arg(long, value_name = "PLAN", num_args = 0..=1, conflicts_with_all = ["plan", "dry_run", "recover", "status"])]
    pub(crate) rollback: Option<Option<String>>,
    /// Only finish what an interrupted apply left
    #[arg(long, conflicts_with_all = ["plan", "dry_run", "status"])]
    pub(crate) recover: bool,
    /// Show what is applied, and what differs from it
    #[arg(long, conflicts_with_all = ["plan", "dry_run"])]
    pub(crate) status: bool,
    /// With --status: check the chain of the write-ahead log
    #[arg(long, requires = "status")]
    pub(crate) verify_wal: bool,
    /// How long to wait for another apply
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) lock_timeout: u64,
}
