//! Workspaces before an apply, their two legal states, and the check that one of them is reached.

use std::path::Path;
use std::process::Command;

use rtt_tests::{Run, STAGES, Scratch};

/// Stage 50.
pub(crate) const APPLY: &str = STAGES[5];

/// What an apply switches.
pub(crate) type Active = (String, Option<String>);

/// A workspace with a plan to apply, and the states before and after.
pub(crate) struct Scene {
    pub(crate) prepared: Scratch,
    pub(crate) old: Active,
    pub(crate) new: Active,
}

/// Which legal state a workspace is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    Old,
    New,
}

impl Scene {
    /// The first apply of the quickstart.
    pub(crate) fn first() -> Self {
        let prepared = Scratch::copy_of("quickstart", "prepared");
        prepared.run_all(&STAGES[..5]);
        Self::of(prepared)
    }

    /// A second apply, which changes routes.
    pub(crate) fn later() -> Self {
        let prepared = Scratch::copy_of("quickstart", "prepared");
        prepared.run_all(&STAGES);
        change(&prepared);
        Self::of(prepared)
    }

    pub(crate) fn of(prepared: Scratch) -> Self {
        let old = active(&prepared);
        let finished = copy(&prepared);
        finished.run(APPLY, &[]).expect_code(0);
        let new = active(&finished);
        assert_ne!(old, new);
        Self { prepared, old, new }
    }

    pub(crate) fn copy(&self) -> Scratch {
        copy(&self.prepared)
    }

    /// Tells which state a workspace is in; neither is a failure.
    pub(crate) fn reached(&self, scratch: &Scratch, what: &str) -> Reached {
        match active(scratch) {
            state if state == self.old => Reached::Old,
            state if state == self.new => Reached::New,
            other => panic!("{what}: neither the old nor the new state, but {other:#?}"),
        }
    }

    /// Recovers, demands one of the two states and no leftovers, then that the next apply reaches the new state, that
    /// recovering again changes nothing, and that the log is whole.
    pub(crate) fn recover(&self, scratch: &Scratch, what: &str) -> Reached {
        let run = scratch.run(APPLY, &["--recover"]);
        assert_eq!(run.code, Some(0), "{what}: {run:#?}");
        let reached = self.reached(scratch, what);
        no_leftovers(scratch, what);
        let run = scratch.run(APPLY, &["--status", "--verify-wal"]);
        assert_eq!(run.code, Some(0), "{what}: the log after recovery: {run:#?}");
        let before = log(scratch);
        let again = scratch.run(APPLY, &["--recover"]);
        assert_eq!(again.code, Some(0), "{what}: {again:#?}");
        assert_eq!(before, log(scratch), "{what}: recovering again changed the log");
        assert_eq!(reached, self.reached(scratch, what), "{what}: recovering again");
        let run = scratch.run(APPLY, &[]);
        assert_eq!(run.code, Some(0), "{what}: the next apply: {run:#?}");
        assert_eq!(self.reached(scratch, what), Reached::New, "{what}: the next apply");
        let run = scratch.run(APPLY, &["--status", "--verify-wal", "--detailed-exitcode"]);
        assert_eq!(run.code, Some(0), "{what}: {run:#?}");
        reached
    }
}

/// Changes what stage 40 plans, and plans anew.
pub(crate) fn change(scratch: &Scratch) {
    let policy = scratch.read(".rtt/policy.json").replace("\"numa_node\": 0", "\"numa_node\": 1");
    scratch.write(".rtt/policy.json", policy);
    scratch.run_all(&STAGES[4..5]);
}

pub(crate) fn copy(from: &Scratch) -> Scratch {
    let scratch = Scratch::empty("copy");
    let status = Command::new("cp").args(["-R", "-T"]).arg(from.root()).arg(scratch.root()).status();
    assert!(status.expect("cp runs").success());
    scratch
}

/// The state that an apply switches: routes and the applied plan.
pub(crate) fn active(scratch: &Scratch) -> Active {
    let applied = Path::new(&scratch.root()).join("plans/last_applied.json");
    let routes = std::fs::read_to_string(scratch.path(".rtt/routes.json")).unwrap_or_default();
    (routes, std::fs::read_to_string(applied).ok())
}

fn log(scratch: &Scratch) -> Vec<(String, Vec<u8>)> {
    scratch.tree(".rtt/wal").into_iter().collect()
}

pub(crate) fn no_leftovers(scratch: &Scratch, what: &str) {
    let mut files = scratch.tree(".rtt");
    files.extend(scratch.tree("plans"));
    let telemetry = |path: &String| path.starts_with(".rtt/telemetry/");
    let left: Vec<String> = files
        .into_keys()
        .filter(|path| path.contains("prepared") || path.contains(".rtt-tmp-") || path.ends_with("apply.lock.json"))
        .filter(|path| !telemetry(path))
        .collect();
    assert!(left.is_empty(), "{what}: left behind {left:?}");
}

/// Takes as many points as the environment allows, evenly spread; by default `few`.
pub(crate) fn sample<T>(points: Vec<T>, few: usize) -> Vec<T> {
    let wanted = match std::env::var("RTT_FAULTS").as_deref() {
        Ok("all") => points.len(),
        Ok(number) => number.parse().expect("RTT_FAULTS is a number or 'all'"),
        Err(_) => few,
    };
    let total = points.len();
    if wanted >= total {
        return points;
    }
    let chosen: std::collections::BTreeSet<usize> = (0..wanted).map(|index| index * total / wanted).collect();
    points.into_iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, point)| point).collect()
}

/// Demands an exit code and tells what was tried.
pub(crate) fn expect(run: &Run, codes: &[i32], what: &str) {
    assert!(run.code.is_some_and(|code| codes.contains(&code)), "{what}: {run:#?}");
}

/// Tells how much was tried: shown by `--nocapture`, and in the log of a failure.
pub(crate) fn report(line: &str) {
    use std::io::Write as _;
    // Nothing depends on it.
    let _ = writeln!(std::io::stderr(), "{line}");
}
