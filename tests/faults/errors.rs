//! System calls that fail instead of killing: full disks, broken disks, permissions, interruptions, short writes.

use std::process::Command;

use rtt_tests::{Run, executable};

use crate::scene::{APPLY, Reached, Scene, expect, report, sample};
use crate::syscalls::{fail, points};

/// What every call may return.
const ERRORS: [(&str, bool); 5] =
    [("EIO", false), ("ENOSPC", true), ("ENOSPC", false), ("EACCES", false), ("EINTR", false)];

#[test]
fn an_error_at_any_call_leaves_the_old_or_the_new_state_and_says_which() {
    let scene = Scene::later();
    // Telemetry never fails a stage, and what is printed is no state.
    let is_printed = |line: &str| ["write(1", "write(2"].iter().any(|call| line.contains(call));
    let calls = points(&scene.prepared, &[])
        .into_iter()
        .filter(|point| !(point.line.contains("telemetry") || is_printed(&point.line)));
    let all: Vec<_> =
        calls.flat_map(|point| ERRORS.map(|(error, for_good)| (point.clone(), error, for_good))).collect();
    let total = all.len();
    let (mut tried, mut successes) = (0, 0);
    for (point, error, for_good) in sample(all, 50) {
        let scratch = scene.copy();
        let what = format!("{error} at {} {}{}", point.call, point.nth, if for_good { " and later" } else { "" });
        let run = fail(&scratch, &point, error, for_good);
        tried += 1;
        successes += usize::from(run.code == Some(0));
        check(&scene, &scratch, &run, &what);
    }
    report(&format!("faults: {tried} of {total} errors, {successes} of them without effect"));
}

/// The kernel writes a part of the bytes and then refuses: a limit on the size of files.
#[test]
fn a_short_write_leaves_the_old_or_the_new_state() {
    let scene = Scene::later();
    let largest = scene.new.0.len().max(scene.new.1.as_ref().map_or(0, String::len)) + 2048;
    for limit in sample((0..=largest).step_by(97).collect(), 12) {
        let scratch = scene.copy();
        let mut command = Command::new("env");
        command.arg("--ignore-signal=XFSZ").arg("prlimit").arg(format!("--fsize={limit}")).arg(executable(APPLY));
        command
            .arg("--root")
            .arg(scratch.root())
            .args(["--jobs", "1"])
            .env_remove("GITHUB_ACTIONS")
            .env_remove("GITLAB_CI");
        let run = Run::of(&mut command);
        check(&scene, &scratch, &run, &format!("files of at most {limit} bytes"));
    }
}

fn check(scene: &Scene, scratch: &rtt_tests::Scratch, run: &Run, what: &str) {
    expect(run, &[0, 3, 65, 66, 70, 73, 74, 77], what);
    assert!(!run.stderr.contains("panicked"), "{what}: {run:#?}");
    let reported_new = run.code == Some(0);
    let reported_old = run.stderr.contains("the old state is active") || run.stdout.contains("the old state is active");
    match scene.recover(scratch, what) {
        Reached::Old => assert!(!reported_new, "{what}: reported as applied, and lost: {run:#?}"),
        Reached::New => assert!(!reported_old, "{what}: reported as rolled back, and active: {run:#?}"),
    }
}
