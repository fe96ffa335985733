//! Stage 50, killed at every system call that writes, renames, links, removes or syncs: after recovery the workspace is
//! in exactly the old or exactly the new state.

use std::path::Path;
use std::process::Command;

use rtt_tests::{Run, STAGES, Scratch, executable};

/// System calls that change what survives a crash.
const CALLS: &str = "write,pwrite64,writev,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,\
                     ftruncate,fsync,fdatasync,sync_file_range,fchmod,openat";

/// Runs an apply under strace, which kills it with SIGKILL when it enters its `nth` call of the given kind; returns
/// whether it survived. strace counts per thread, so there must be only one.
fn survives_kill_at(scratch: &Scratch, call: &str, nth: usize) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=KILL:when={nth}")]);
    strace.arg(executable(STAGES[5])).arg("--root").arg(scratch.root()).args(["--jobs", "1"]);
    Run::of(&mut strace).code == Some(0)
}

/// Counts how often an apply makes each kind of call, on a copy that is thrown away.
fn calls_of_an_apply(prepared: &Scratch) -> Vec<(String, usize)> {
    let scratch = copy(prepared);
    let log = scratch.root().with_extension("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", &format!("trace={CALLS}"), "-o"]).arg(&log);
    strace.arg(executable(STAGES[5])).arg("--root").arg(scratch.root()).args(["--jobs", "1"]);
    Run::of(&mut strace).expect_code(0);
    let text = std::fs::read_to_string(&log).expect("strace wrote its log");
    let count = |call: &str| text.lines().filter(|line| line.contains(&format!(" {call}("))).count();
    CALLS.split(',').map(|call| (call.to_owned(), count(call))).filter(|(_, count)| *count > 0).collect()
}

fn copy(from: &Scratch) -> Scratch {
    let scratch = Scratch::empty("copy");
    let status = Command::new("cp").args(["-R", "-T"]).arg(from.root()).arg(scratch.root()).status();
    assert!(status.expect("cp runs").success());
    scratch
}

/// The state that an apply switches: routes, the applied plan, and no trace of anything unfinished.
fn active_state(scratch: &Scratch) -> (String, Option<String>) {
    let applied = Path::new(&scratch.root()).join("plans/last_applied.json");
    (scratch.read(".rtt/routes.json"), std::fs::read_to_string(applied).ok())
}

#[test]
fn a_kill_during_the_first_apply_leaves_the_old_or_the_new_state() {
    let prepared = Scratch::copy_of("quickstart", "prepared");
    prepared.run_all(&STAGES[..5]);
    sweep(&prepared);
}

#[test]
fn a_kill_during_a_later_apply_leaves_the_old_or_the_new_state() {
    let prepared = Scratch::copy_of("quickstart", "prepared");
    prepared.run_all(&STAGES);
    let policy = prepared.read(".rtt/policy.json").replace("\"numa_node\": 0", "\"numa_node\": 1");
    prepared.write(".rtt/policy.json", policy);
    prepared.run_all(&STAGES[4..5]);
    sweep(&prepared);
}

/// Kills an apply at each of its calls in turn, every time on a fresh copy, and looks at what recovery makes of it.
fn sweep(prepared: &Scratch) {
    let old = active_state(prepared);
    let finished = copy(prepared);
    finished.run_all(&STAGES[5..]);
    let new = active_state(&finished);
    assert_ne!(old, new);

    let (mut kept_old, mut reached_new) = (0, 0);
    for (call, count) in calls_of_an_apply(prepared) {
        // Opening files happens all the time and changes nothing unless one is created: a sample is enough.
        let step = if call == "openat" { (count / 12).max(1) } else { 1 };
        for nth in (1..=count).step_by(step) {
            let scratch = copy(prepared);
            assert!(!survives_kill_at(&scratch, &call, nth), "{call} {nth}: there were {count} of them, and no kill");
            scratch.run(STAGES[5], &["--recover"]).expect_code(0);
            let state = active_state(&scratch);
            match state {
                _ if state == old => kept_old += 1,
                _ if state == new => reached_new += 1,
                other => panic!("{call} {nth}: neither the old nor the new state, but {other:#?}"),
            }
            let unfinished: Vec<String> = scratch
                .tree(".rtt")
                .into_keys()
                .filter(|path| path.contains("prepared") || path.contains(".rtt-tmp-"))
                .collect();
            assert!(unfinished.is_empty(), "{call} {nth}: left behind {unfinished:?}");
            // Whatever was left, the next apply reaches the new state and its log is whole.
            scratch.run(STAGES[5], &[]).expect_code(0);
            assert_eq!(active_state(&scratch), new, "{call} {nth}: the next apply");
            scratch.run(STAGES[5], &["--status", "--verify-wal"]).expect_code(0);
        }
    }
    assert!(
        kept_old > 5 && reached_new > 5,
        "both sides of the commit point were hit: {kept_old} old, {reached_new} new"
    );
}
