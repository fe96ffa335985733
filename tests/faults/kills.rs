//! SIGKILL at every system call that changes something: of an apply, of the recovery after it, of the recovery after that.

use crate::scene::{Reached, Scene, copy, report, sample};
use crate::syscalls::{kill, points};

#[test]
fn a_kill_during_the_first_apply_leaves_the_old_or_the_new_state() {
    sweep(&Scene::first(), 40);
}

#[test]
fn a_kill_during_a_later_apply_leaves_the_old_or_the_new_state() {
    sweep(&Scene::later(), 100);
}

/// Kills an apply at each of its calls in turn, every time on a fresh copy, and looks at what recovery makes of it.
fn sweep(scene: &Scene, few: usize) {
    let (mut kept_old, mut reached_new) = (0, 0);
    let all = points(&scene.prepared, &[]);
    let total = all.len();
    for point in sample(all, few) {
        let scratch = scene.copy();
        let what = format!("killed at {} {}", point.call, point.nth);
        assert!(kill(&scratch, &point, &[]), "{what}: it survived");
        match scene.recover(&scratch, &what) {
            Reached::Old => kept_old += 1,
            Reached::New => reached_new += 1,
        }
    }
    report(&format!("faults: {} of {total} kills: {kept_old} old, {reached_new} new", kept_old + reached_new));
    assert!(kept_old > 3 && reached_new > 3, "both sides of the commit point: {kept_old} old, {reached_new} new");
}

/// Recovery killed at each of its calls, and the recovery after that as well.
#[test]
fn recovery_may_be_killed_twice() {
    let scene = Scene::later();
    let (mut tried, mut old, mut new) = (0, 0, 0);
    let first: Vec<_> = points(&scene.prepared, &[]).into_iter().filter(|point| is_log(&point.line)).collect();
    for point in sample(first, 6) {
        let scratch = scene.copy();
        assert!(kill(&scratch, &point, &[]));
        let recover = points(&scratch, &["--recover"]);
        for second in sample(recover, 4) {
            let again = copy(&scratch);
            let what = format!("{} {}, recovery at {} {}", point.call, point.nth, second.call, second.nth);
            assert!(kill(&again, &second, &["--recover"]), "{what}: it survived");
            // One point of the third level for each of the second, another one each time.
            let third = points(&again, &["--recover"]);
            let Some(third) = third.get(tried % third.len().max(1)) else { continue };
            assert!(kill(&again, third, &["--recover"]), "{what}: the second recovery survived");
            tried += 1;
            match scene.recover(&again, &format!("{what}, then {} {}", third.call, third.nth)) {
                Reached::Old => old += 1,
                Reached::New => new += 1,
            }
        }
    }
    report(&format!("faults: {tried} nested kills: {old} old, {new} new"));
    assert!(old > 0 && new > 0, "{old} old, {new} new");
}

/// A call on the log or the switched files: telemetry is nothing to recover.
fn is_log(line: &str) -> bool {
    ["wal", "routes.json", "last_applied"].iter().any(|name| line.contains(name))
}
