//! State files that something else changed: cut, with a bit flipped, swapped, removed, or an older version put back. It
//! is found and named, or does not matter; it is never followed.

use std::collections::BTreeMap;

use rtt_tests::{STAGES, Scratch};

use crate::scene::{APPLY, Scene, active, change, copy, report, sample};
use crate::syscalls::{kill, points};

const LAST: &str = ".rtt/wal/00000000000000000002.wal.json";

fn applied_twice() -> Scratch {
    let scratch = Scratch::copy_of("quickstart", "files");
    scratch.run_all(&STAGES);
    change(&scratch);
    scratch.run_all(&STAGES[5..]);
    scratch
}

/// Every damage to a file of the log is named by `--status --verify-wal`, and nothing is applied on top of a damaged chain.
#[test]
fn a_damaged_log_is_named_and_never_followed() {
    let healthy = applied_twice();
    let state = active(&healthy);
    let files: BTreeMap<String, Vec<u8>> = healthy.tree(".rtt/wal");
    assert!(files.len() >= 8, "entries, objects and the head: {:?}", files.keys());
    let mut damages = Vec::new();
    for (file, bytes) in &files {
        // The newline at the end may go: it says nothing.
        damages.extend([0, bytes.len() / 2, bytes.len() - 2].map(|length| (file, "cut", bytes[..length].to_vec())));
        for position in [bytes.len() / 5, bytes.len() / 2, bytes.len() * 4 / 5] {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1;
            damages.push((file, "flipped", flipped));
        }
        let other = files.iter().find(|(name, content)| *name != file && *content != bytes).expect("another");
        damages.push((file, "swapped", other.1.clone()));
    }
    let total = damages.len();
    let damages = sample(damages, 40);
    report(&format!("faults: {} of {total} damages to the log", damages.len()));
    for (file, damage, bytes) in damages {
        let scratch = copy(&healthy);
        scratch.write(file, &bytes);
        let run = scratch.run(APPLY, &["--status", "--verify-wal"]);
        assert_eq!(run.code, Some(65), "{file} {damage} is not found: {run:#?}");
        assert!(run.stderr.contains(".rtt/wal"), "{file} {damage} is not named: {run:#?}");
        let run = scratch.run(APPLY, &["--recover"]);
        assert!(matches!(run.code, Some(0 | 65)), "{file} {damage}: {run:#?}");
        assert_eq!(active(&scratch), state, "{file} {damage}: the state changed");
    }
}

#[test]
fn the_end_of_the_log_cannot_be_cut_off_or_put_back() {
    let healthy = Scratch::copy_of("quickstart", "cut");
    healthy.run_all(&STAGES);
    let first = copy(&healthy);
    change(&healthy);
    let second = copy(&healthy);
    healthy.run_all(&STAGES[5..]);
    let state = active(&healthy);
    let check = |what: &str, damage: &dyn Fn(&Scratch)| {
        let scratch = copy(&healthy);
        damage(&scratch);
        for arguments in [&["--status"][..], &["--recover"], &[], &["--rollback"]] {
            let run = scratch.run(APPLY, arguments);
            assert_eq!(run.code, Some(65), "{what} {arguments:?}: {run:#?}");
            assert!(run.stderr.contains(".rtt/wal/"), "{what}: {run:#?}");
        }
        assert_eq!(active(&scratch), state, "{what}");
    };
    check("the last entry removed", &|scratch| std::fs::remove_file(scratch.path(LAST)).expect("as it was made"));
    check("the first entry removed", &|scratch| {
        std::fs::remove_file(scratch.path(".rtt/wal/00000000000000000001.wal.json")).expect("as it was made");
    });
    check("the head removed", &|scratch| {
        std::fs::remove_file(scratch.path(".rtt/wal/head.json")).expect("as it was made")
    });
    // The last transaction as it was before its decision: following it would abort what was committed.
    for point in points(&second, &[]).iter().filter(|point| point.call == "rename" && point.line.contains(".wal.json"))
    {
        let early = copy(&second);
        assert!(kill(&early, point, &[]));
        let Some(old) = early.tree(".rtt/wal").remove(LAST) else { continue };
        check("an earlier version of the last entry put back", &|scratch| scratch.write(LAST, &old));
        check("the same, and the head of before", &|scratch| {
            scratch.write(LAST, &old);
            scratch.write(".rtt/wal/head.json", first.read(".rtt/wal/head.json"));
            let decided = String::from_utf8_lossy(&old).contains("\"COMMIT\"");
            if decided {
                // Rolling on what was decided leads to the same state: no damage. Make it one that is found.
                scratch.write(".rtt/wal/head.json", "{}");
            }
        });
    }
}

/// The routing table and the applied plan put back, cut or emptied: drift that is shown and repaired by applying again.
#[test]
fn drift_is_shown_and_repaired_by_applying_again() {
    let healthy = applied_twice();
    let routes = healthy.read(".rtt/routes.json");
    let first = Scene::first();
    let check = |what: &str, damage: &dyn Fn(&Scratch)| {
        let scratch = copy(&healthy);
        damage(&scratch);
        let run = scratch.run(APPLY, &["--status", "--detailed-exitcode"]);
        assert_eq!(run.code, Some(10), "{what}: {run:#?}");
        scratch.run(APPLY, &[]).expect_code(0).expect_stdout("applied successfully");
        scratch.run(APPLY, &["--status", "--detailed-exitcode"]).expect_code(0);
        scratch.run(APPLY, &["--status", "--history"]).expect_code(0).expect_stdout("repair");
        let generation = |text: &str| {
            serde_json::from_str::<serde_json::Value>(text).expect("as it was made")["generation"].as_u64()
        };
        let repaired = scratch.read(".rtt/routes.json");
        assert_eq!(generation(&repaired), Some(3), "{what}: the generation goes on");
        assert_eq!(repaired.replace("\"generation\": 3", "\"generation\": 2"), routes, "{what}");
    };
    check("a status edited", &|scratch| {
        scratch.write(".rtt/routes.json", routes.replacen("\"numa_node\": 1", "\"numa_node\": 7", 1));
    });
    check("the routing table of before", &|scratch| scratch.write(".rtt/routes.json", &first.new.0));
    check("no applied plan", &|scratch| {
        std::fs::remove_file(scratch.path("plans/last_applied.json")).expect("as it was made")
    });
    check("the applied plan of before", &|scratch| {
        scratch.write("plans/last_applied.json", first.new.1.as_ref().expect("as it was made"));
    });
}
