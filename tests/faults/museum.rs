//! Each bug that the kit or a person found, as a case of its own.

use rtt_tests::{STAGES, Scratch};

use crate::scene::{APPLY, Scene, active, change, copy};
use crate::syscalls::{Point, kill, points, writes};

fn applied(name: &str) -> Scratch {
    let scratch = Scratch::copy_of("quickstart", name);
    scratch.run_all(&STAGES);
    scratch
}

/// The generation came from `.rtt/routes.json`, so putting an old file back let an old plan in again.
#[test]
fn an_old_routing_table_does_not_let_an_old_plan_in() {
    let scratch = Scratch::copy_of("quickstart", "old-table");
    scratch.run_all(&STAGES[..5]);
    let (routes, plan) = (scratch.read(".rtt/routes.json"), scratch.read("plans/LATEST"));
    let policy = scratch.read(".rtt/policy.json");
    scratch.run_all(&STAGES[5..]);
    change(&scratch);
    scratch.run_all(&STAGES[5..]);
    scratch.write(".rtt/policy.json", policy);
    scratch.write(".rtt/routes.json", routes);
    scratch.write("given.json", plan);
    let given = scratch.path("given.json");
    scratch
        .run(APPLY, &["--plan", given.to_str().expect("as it was made")])
        .expect_code(4)
        .expect_stderr("generation (0 → 2)");
}

/// The call by which an apply makes the prepared routing table the active one.
fn switch(scene: &Scene) -> Point {
    points(&scene.prepared, &[])
        .into_iter()
        .find(|point| point.call.starts_with("rename") && point.line.contains("routes.json.prepared\", "))
        .expect("the switch of the active state")
}

/// The prepared file was renamed into place whatever it held.
#[test]
fn a_prepared_table_that_was_changed_is_not_made_active() {
    let scene = Scene::later();
    let point = switch(&scene);
    let scratch = scene.copy();
    assert!(kill(&scratch, &point, &[]));
    let prepared = scratch.read(".rtt/routes.json.prepared");
    scratch.write(".rtt/routes.json.prepared", prepared.replace("local", "elsewhere"));
    scratch.run(APPLY, &["--recover"]).expect_code(0);
    assert_eq!(active(&scratch), scene.new);
}

/// What a person wrote into the routing table between the decision and the recovery was lost.
#[test]
fn an_edit_after_the_decision_is_kept() {
    let scene = Scene::later();
    let point = switch(&scene);
    let scratch = scene.copy();
    assert!(kill(&scratch, &point, &[]));
    let edited = scratch.read(".rtt/routes.json").replacen('{', "{\n  \"comment\": \"mine\",", 1);
    scratch.write(".rtt/routes.json", &edited);
    let run = scratch.run(APPLY, &["--recover"]);
    assert!(matches!(run.code, Some(0)), "{run:#?}");
    assert!(scratch.tree(".rtt/wal/objects").into_values().any(|bytes| bytes == edited.as_bytes()), "{run:#?}");
    assert_eq!(active(&scratch), scene.new);
}

/// Applying again what had drifted was refused as stale.
#[test]
fn forced_apply_repairs_without_drift() {
    let scratch = applied("forced");
    scratch.run(APPLY, &[]).expect_code(0).expect_stdout("Nothing changed");
    scratch.run(APPLY, &["--force"]).expect_code(0).expect_stdout("applied successfully");
    scratch.run(APPLY, &["--status", "--history"]).expect_code(0).expect_stdout("repair");
}

/// Rolling back verified nothing, so a plan of a revoked signer became active again.
#[test]
fn a_rollback_to_a_revoked_signers_plan_is_refused() {
    let scratch = applied("revoked");
    change(&scratch);
    scratch.run_all(&STAGES[5..]);
    let signer =
        scratch.json("plans/last_applied.json")["signature"].as_str().expect("as it was made")[8..24].to_owned();
    let before = active(&scratch);
    let revoked = format!(r#"{{"version": "1.0.0", "keys": [{{"key": "{signer}", "reason": "lost"}}]}}"#);
    scratch.write(".rtt/registry/trust/keys/revoked.json", revoked);
    scratch.run(APPLY, &["--rollback"]).expect_code(2).expect_stderr("revoked: lost");
    assert_eq!(active(&scratch), before);
    scratch.run(APPLY, &["--rollback", "--no-verify"]).expect_code(0);
}

#[test]
fn rollback_reaches_any_generation_and_history_names_it() {
    let scratch = applied("generations");
    let first = scratch.json("plans/last_applied.json")["plan_id"].clone();
    change(&scratch);
    scratch.run_all(&STAGES[5..]);
    let second = scratch.json("plans/last_applied.json")["plan_id"].clone();
    let plan = |scratch: &Scratch| scratch.json("plans/last_applied.json")["plan_id"].clone();
    scratch.run(APPLY, &["--rollback", "1", "--dry-run"]).expect_code(0).expect_stdout("node local/1 → local/0");
    assert_eq!(plan(&scratch), second);
    scratch.run(APPLY, &["--rollback", "1"]).expect_code(0);
    assert_eq!(plan(&scratch), first);
    scratch.run(APPLY, &["--rollback", "2"]).expect_code(0);
    assert_eq!(plan(&scratch), second);
    scratch.run(APPLY, &["--rollback", &first.as_str().expect("as it was made")[7..19]]).expect_code(0);
    assert_eq!(plan(&scratch), first);
    scratch.run(APPLY, &["--rollback", "0"]).expect_code(0);
    assert!(!scratch.path("plans/last_applied.json").exists());
    scratch.run(APPLY, &["--rollback", "77"]).expect_code(64).expect_stderr("no generation 77");
    assert_eq!(scratch.json(".rtt/routes.json")["generation"], 6);
    let history = scratch.run(APPLY, &["--status", "--history", "--format", "json"]).expect_code(0).summary();
    assert_eq!(history["figures"]["history"].as_array().map(Vec::len), Some(6));
}

#[test]
fn pruning_leaves_a_signed_checkpoint_that_cannot_be_edited() {
    let scratch = applied("pruned");
    for _ in 0..4 {
        scratch.run(APPLY, &["--force"]).expect_code(0);
    }
    scratch.run(APPLY, &["--recover", "--keep", "2"]).expect_code(0);
    assert_eq!(scratch.tree(".rtt/wal").keys().filter(|name| name.ends_with(".wal.json")).count(), 2);
    scratch.run(APPLY, &["--status", "--verify-wal", "--detailed-exitcode"]).expect_code(0);
    scratch.run(APPLY, &["--force"]).expect_code(0);
    scratch.run(APPLY, &["--rollback"]).expect_code(0);
    let healthy = copy(&scratch);
    let text = scratch.read(".rtt/wal/checkpoint.json").replace("\"sequence\": 3", "\"sequence\": 2");
    scratch.write(".rtt/wal/checkpoint.json", text);
    scratch.run(APPLY, &[]).expect_code(65).expect_stderr("checkpoint");
    std::fs::remove_file(healthy.path(".rtt/wal/checkpoint.json")).expect("as it was made");
    healthy.run(APPLY, &[]).expect_code(65).expect_stderr(".rtt/wal/");
}

/// No call of a dry run or a status opens a file under the root for writing, but for telemetry.
#[test]
fn inspecting_writes_nothing() {
    let scene = Scene::later();
    for arguments in [&["--dry-run"][..], &["--status", "--history", "--verify-wal"]] {
        let scratch = scene.copy();
        let before = scratch.tree(".");
        let (run, calls) = writes(&scratch, arguments);
        assert_eq!(run.code, Some(0), "{run:#?}");
        assert_eq!(calls, Vec::<String>::new());
        assert!(before == scratch.tree("."), "{arguments:?} changed a byte");
    }
    let (_, calls) = writes(&scene.copy(), &[]);
    assert!(calls.len() > 20, "an apply does write: {calls:#?}");
}
