//! `rtt-50-apply`: applies a plan atomically, by two-phase commit over a write-ahead log.

mod options;

use std::process::ExitCode;
use std::time::Duration;

use rtt_cli::StageOptions;
use rtt_core::stage::{Context, Error, Report, Stage, apply};
use rtt_core::workspace::Workspace;

use crate::options::Options;

impl StageOptions for Options {
    const STAGE: Stage = Stage::Apply;
    const ABOUT: &'static str = "Apply a routing plan atomically";

    fn is_read_only(&self) -> bool {
        self.dry_run || self.status
    }

    fn run(self, workspace: &Workspace, context: &Context) -> Result<Report, Error> {
        let Self {
            plan, dry_run, no_verify, detailed_exitcode, rollback, recover, status, history, verify_wal, ..
        } = self;
        let lock_timeout = Duration::from_secs(self.lock_timeout);
        let participant_timeout = Duration::from_secs(self.participant_timeout);
        let keep = self.keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
        let request = apply::Request {
            plan,
            dry_run,
            no_verify,
            detailed_exitcode,
            rollback,
            recover,
            status,
            history,
            verify_wal,
            keep,
            lock_timeout,
            participant_timeout,
        };
        apply::run(workspace, &request, context)
    }
}

fn main() -> ExitCode {
    rtt_cli::release_early();
    rtt_cli::main::<Options>()
}
