//! The stages as CI runs them: each in a fresh checkout, with the state of the one before as its artifacts hand it on.

use std::process::Command;

use rtt_tests::{Run, STAGES, Scratch};

/// Moves `.rtt/` and `plans/` as GitHub's and GitLab's artifacts do: without private keys and sockets, symlinks turned
/// into files, every mode reset, times lost.
fn hand_on(from: &Scratch, to: &Scratch) {
    let script = r#"
        tar -C "$1" --create --dereference --exclude='*.priv' --exclude='.rtt/sockets' --mode='u=rwX,go=rX' --mtime=@0 .rtt plans |
          tar -C "$2" --extract --overwrite --touch"#;
    Run::of(Command::new("bash").args(["-c", script, "bash"]).arg(from.root()).arg(to.root())).expect_code(0);
}

#[test]
fn one_job_per_stage_ends_as_one_machine_does() {
    let key = Scratch::empty("secret");
    Run::of(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(key.path("key.pem")))
        .expect_code(0);
    let pem = key.read("key.pem");

    let mut previous: Option<Scratch> = None;
    for (number, stage) in STAGES.into_iter().enumerate() {
        let job = Scratch::copy_of("quickstart", &format!("job-{number}"));
        if let Some(previous) = &previous {
            hand_on(previous, &job);
            assert!(!job.path("plans/LATEST").is_symlink());
        }
        let mut command = job.command(stage);
        // Only these two jobs are given the secret.
        if stage == STAGES[0] || stage == STAGES[4] {
            command.env("RTT_SIGNING_KEY", &pem);
        }
        Run::of(&mut command).expect_code(0);
        previous = Some(job);
    }
    let deployed = previous.expect("six jobs ran");
    assert_eq!(deployed.json(".rtt/routes.json")["generation"], 1);

    let local = Scratch::copy_of("quickstart", "local");
    local.run_all(&STAGES);
    assert_eq!(
        deployed.json("plans/last_applied.json")["plan_id"],
        local.json("plans/last_applied.json")["plan_id"],
        "the same plan as on one machine"
    );
    assert_eq!(deployed.read(".rtt/routes.json"), local.read(".rtt/routes.json"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests prepare inputs; nothing depends on their durability")]
fn a_private_key_in_a_folder_to_be_shared_is_reported() {
    let scratch = Scratch::copy_of("quickstart", "leak");
    scratch.run_all(&STAGES[..4]);
    let key = scratch.read(".rtt/registry/trust/keys/signer.priv");
    scratch.write("plans/backup.priv", key);
    scratch.run(STAGES[4], &[]).expect_code(0).expect_stderr("--> plans/backup.priv");
    std::fs::rename(scratch.path("plans/backup.priv"), scratch.path("plans/notes.txt")).expect("writable");
    scratch.run(STAGES[4], &[]).expect_code(0).expect_stderr("--> plans/notes.txt");
    std::fs::remove_file(scratch.path("plans/notes.txt")).expect("writable");
    assert!(!scratch.run(STAGES[4], &[]).expect_code(0).stderr.contains("private key"), "its own file is its place");
    let on_ci = Run::of(scratch.command(STAGES[4]).env("CI", "true")).expect_code(0);
    on_ci.expect_stderr("--> .rtt/registry/trust/keys/signer.priv");
}
