//! Many processes at once: applies, dry runs, statuses and solvers on one workspace.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use rtt_tests::{STAGES, Scratch};

use crate::scene::{APPLY, Reached, Scene, no_leftovers, sample};

#[test]
fn many_processes_at_once_apply_once() {
    let scene = Scene::later();
    let scratch = scene.copy();
    let kinds: [(&str, &[&str]); 5] = [
        (APPLY, &["--lock-timeout", "300"]),
        (APPLY, &["--dry-run"]),
        (APPLY, &["--lock-timeout", "300", "--recover"]),
        (APPLY, &["--status"]),
        (STAGES[4], &[]),
    ];
    let runs = sample((0..300).collect(), 30).len();
    let mut tried = 0;
    // A bounded number at a time, so that the machine is busy and not stuck.
    while tried < runs {
        let count = (runs - tried).min(25);
        let children: Vec<(usize, Child)> =
            (tried..tried + count).map(|index| (index, start(&scratch, kinds[index % kinds.len()]))).collect();
        for (index, child) in children {
            let output = child.wait_with_output().expect("it ends");
            let stderr = String::from_utf8_lossy(&output.stderr);
            let (_, arguments) = kinds[index % kinds.len()];
            // A solver that read the table before an apply may publish its plan after it: that plan is stale.
            let codes: &[i32] = if index % kinds.len() <= 1 { &[0, 4] } else { &[0] };
            let code = output.status.code();
            assert!(code.is_some_and(|code| codes.contains(&code)), "{arguments:?}: {code:?} {stderr}");
        }
        tried += count;
    }
    no_leftovers(&scratch, "a crowd");
    scratch.run(APPLY, &["--status", "--verify-wal"]).expect_code(0);
    let applied = scratch.json("plans/last_applied.json");
    let routes = scratch.json(".rtt/routes.json");
    let statuses = routes["routes"].as_array().expect("as it was made").iter().map(|entry| &entry["status"]["plan"]);
    assert!(statuses.filter(|plan| !plan.is_null()).all(|plan| *plan == applied["plan_id"]), "{routes:#}");
}

fn start(scratch: &Scratch, (stage, arguments): (&str, &[&str])) -> Child {
    let mut command = scratch.command(stage);
    command.args(arguments).args(["--jobs", "1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts")
}

/// The lock is the kernel's: whoever holds it is named, and a dead holder's is free whatever its file says.
#[test]
fn a_held_lock_is_named_and_a_dead_holders_is_free() {
    let scene = Scene::later();
    let scratch = scene.copy();
    scratch.write(".rtt/apply.lock.json", r#"{"pid": 4711, "host": "elsewhere", "purpose": "plan x"}"#);
    let mut holder = hold_the_lock(&scratch);
    let run = scratch.run(APPLY, &["--lock-timeout", "0"]);
    run.expect_code(5).expect_stderr("process 4711 on elsewhere (plan x)");
    scratch.run(APPLY, &["--dry-run"]).expect_code(0);
    scratch.run(APPLY, &["--status"]).expect_code(0);
    assert_eq!(scene.reached(&scratch, "held"), Reached::Old);
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    scratch.run(APPLY, &["--lock-timeout", "0"]).expect_code(0);
    no_leftovers(&scratch, "after the lock");
}

/// What was read while the lock was waited for may be old when it is there.
#[test]
fn what_changes_while_the_lock_is_waited_for_is_seen() {
    let scene = Scene::later();
    let scratch = scene.copy();
    let mut holder = hold_the_lock(&scratch);
    let mut waiting = start(&scratch, (APPLY, &["--lock-timeout", "300"]));
    let mut says = BufReader::new(waiting.stderr.take().expect("a pipe")).lines();
    assert!(says.by_ref().any(|line| line.is_ok_and(|line| line.contains("Waiting"))), "it waits");
    let manifest = "agents/api/auth.agent.json";
    scratch.write(manifest, scratch.read(manifest).replace("\"description\": \"", "\"description\": \"Once more: "));
    scratch.run_all(&STAGES[1..4]);
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    let rest: Vec<String> = says.map_while(Result::ok).collect();
    assert_eq!(waiting.wait().expect("it ends").code(), Some(4), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains("changed since it was made: registry")), "{rest:#?}");
    assert_eq!(scene.reached(&scratch, "stale meanwhile"), Reached::Old);
}

/// Another process that holds the lock until its input ends.
fn hold_the_lock(scratch: &Scratch) -> Child {
    let mut command = Command::new("flock");
    command.arg(scratch.path(".rtt/apply.lock")).args(["sh", "-c", "echo held; read line"]);
    let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("flock runs");
    let mut line = [0; 5];
    holder.stdout.as_mut().expect("a pipe").read_exact(&mut line).expect("it holds the lock");
    holder
}
