//! Who may have a plan applied: each refusal by the real executable, with exit code 2 and not a byte changed.

use std::process::Command;

use rtt_core::json::MAX_BYTES;
use rtt_core::plan::{self, Plan};
use rtt_core::trust::{KeyId, PrivateKey};
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::{Value, json};

const KEYS: &str = ".rtt/registry/trust/keys";

/// A workspace with a plan that its own key signed, and that key.
fn planned(name: &str) -> (Scratch, PrivateKey) {
    let scratch = Scratch::copy_of("quickstart", name);
    scratch.run_all(&STAGES[..5]);
    let key = PrivateKey::from_pem(&scratch.read(&format!("{KEYS}/signer.priv"))).expect("its own key");
    (scratch, key)
}

fn latest(scratch: &Scratch) -> Plan {
    serde_json::from_value(scratch.json("plans/LATEST")).expect("a plan")
}

fn sign(plan: &Plan, key: &PrivateKey) -> Plan {
    let mut plan = plan.clone();
    plan::sign(&mut plan, key);
    plan
}

fn text(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan")
}

/// Applies a plan's text, which must be refused without a trace.
fn refuse(scratch: &Scratch, text: &str, reason: &str) {
    scratch.write("given.json", text);
    let before = (scratch.tree("plans"), scratch.read(".rtt/routes.json"));
    let run = scratch.run(STAGES[5], &["--plan", scratch.path("given.json").to_str().expect("UTF-8")]);
    run.expect_code(2).expect_stderr("Plan signature verification failed").expect_stderr(reason);
    assert!(before == (scratch.tree("plans"), scratch.read(".rtt/routes.json")));
    assert!(scratch.tree(".rtt/wal").is_empty(), "what is not trusted leaves no entry");
}

fn trust(scratch: &Scratch, name: &str, key: &PrivateKey) -> KeyId {
    scratch.write(&format!("{KEYS}/{name}.pub"), key.public().to_pem());
    key.public().key_id()
}

fn new_key() -> PrivateKey {
    PrivateKey::generate().expect("random numbers")
}

#[test]
fn unknown_and_revoked_signers_are_refused() {
    let (scratch, own) = planned("signers");
    let plan = latest(&scratch);
    let stranger = new_key();
    refuse(&scratch, &text(&sign(&plan, &stranger)), "not a trusted key");
    let id = trust(&scratch, "stranger", &stranger);
    let revoked = json!({"version": "1.0.0", "keys": [{"key": id.as_str(), "reason": "laptop lost"}]});
    scratch.write(&format!("{KEYS}/revoked.json"), revoked.to_string());
    refuse(&scratch, &text(&sign(&plan, &stranger)), "revoked: laptop lost");
    // A cosignature that is wrong is as bad as a signature: something changed that should not have.
    let mut cosigned = sign(&plan, &own);
    cosigned.cosignatures = sign(&plan, &stranger).signature.into_iter().collect();
    refuse(&scratch, &text(&cosigned), "revoked");
}

#[test]
fn a_threshold_counts_different_signers() {
    let (scratch, own) = planned("threshold");
    let policy = scratch.read(".rtt/policy.json").replacen('{', "{\"trust\": {\"threshold\": 2},", 1);
    scratch.write(".rtt/policy.json", policy);
    scratch.run_all(&STAGES[4..5]);
    let plan = latest(&scratch);
    refuse(&scratch, &text(&plan), "1 of the 2 signers");
    let mut twice = plan.clone();
    twice.cosignatures = plan.signature.iter().cloned().collect();
    refuse(&scratch, &text(&twice), "1 of the 2 signers");
    let other = new_key();
    trust(&scratch, "other", &other);
    let mut cosigned = sign(&plan, &own);
    cosigned.cosignatures = sign(&plan, &other).signature.into_iter().collect();
    scratch.write("given.json", text(&cosigned));
    let given = scratch.path("given.json");
    scratch.run(STAGES[5], &["--plan", given.to_str().expect("UTF-8")]).expect_code(0);
    assert_eq!(scratch.json(".rtt/routes.json")["generation"], 1);
}

#[test]
fn a_signature_is_good_for_its_plan_alone() {
    let (scratch, own) = planned("its-own");
    let plan = latest(&scratch);
    let mut altered = text(&plan);
    let position = altered.find("\"signature\": \"ed25519:").expect("signed") + 45;
    let other = if altered.as_bytes()[position] == b'A' { "B" } else { "A" };
    altered.replace_range(position..=position, other);
    refuse(&scratch, &altered, "does not fit the plan");
    let mut another = plan.clone();
    another.base.generation = 7;
    plan::identify(&mut another);
    another.signature = sign(&plan, &own).signature;
    refuse(&scratch, &text(&another), "does not fit the plan");
    // Members that no version knows count as well.
    let mut more: Value = serde_json::to_value(&plan).expect("a plan");
    more["comment"] = json!("harmless");
    refuse(&scratch, &more.to_string(), "changed after it was made");
}

#[test]
fn ambiguous_documents_are_no_plans() {
    let (scratch, _) = planned("ambiguous");
    let plan = text(&latest(&scratch));
    let check = |text: &str, reason: &str| {
        scratch.write("given.json", text);
        let run = scratch.run(STAGES[5], &["--plan", scratch.path("given.json").to_str().expect("UTF-8")]);
        run.expect_code(65).expect_stderr(reason);
        assert!(scratch.tree(".rtt/wal").is_empty());
    };
    refuse(&scratch, &plan.replacen('{', "{\"status\": \"feasible\",", 1), "duplicate key 'status'");
    check(&format!("\u{feff}{plan}"), "byte-order mark");
    check(&plan[..plan.len() / 2], "not valid JSON");
    // Beyond 2^53 two numbers would share one canonical form; the id is taken of all digits, so it does not fit.
    let position = plan.find("\"generation\": 0").expect("the first plan");
    let huge = format!("{}\"generation\": 9007199254740993{}", &plan[..position], &plan[position + 15..]);
    refuse(&scratch, &huge, "changed after it was made");
}

#[test]
fn a_plan_may_be_larger_than_a_manifest() {
    let (scratch, _) = planned("large-plan");
    scratch.write("given.json", text(&latest(&scratch)) + &" ".repeat(MAX_BYTES));
    scratch.run(STAGES[5], &["--plan", scratch.path("given.json").to_str().expect("UTF-8")]).expect_code(0);
}

#[test]
fn a_weak_key_is_no_signer() {
    let (scratch, _) = planned("weak");
    // The identity point: anybody could sign for it.
    let identity = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    scratch.write(&format!("{KEYS}/weak.pub"), identity);
    scratch.run(STAGES[5], &[]).expect_code(65).expect_stderr("weak").expect_stderr("weak.pub");
    assert!(scratch.tree(".rtt/wal").is_empty());
}

#[test]
fn a_plan_is_applied_once() {
    let (scratch, _) = planned("once");
    let plan = scratch.read("plans/LATEST");
    scratch.run_all(&STAGES[5..]);
    scratch.run(STAGES[5], &["--rollback"]).expect_code(0);
    scratch.write("given.json", plan);
    let given = scratch.path("given.json");
    let run = scratch.run(STAGES[5], &["--plan", given.to_str().expect("UTF-8")]);
    run.expect_code(4).expect_stderr("generation");
    let mut command = scratch.command(STAGES[5]);
    Run::of(command.args(["--no-verify", "--plan"]).arg(&given)).expect_code(4);
}

/// Keys come from anywhere that knows Ed25519: here from OpenSSL, signing the documented bytes.
#[test]
fn openssl_cosigns() {
    let (scratch, own) = planned("cosigned");
    let key = scratch.path("cosigner.pem");
    Run::of(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&key)).expect_code(0);
    let public = scratch.path(&format!("{KEYS}/cosigner.pub"));
    Run::of(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&key).arg("-out").arg(&public)).expect_code(0);
    let plan = sign(&latest(&scratch), &own);
    scratch.write("message", plan::signed_bytes(&serde_json::to_value(&plan).expect("a plan")));
    let mut openssl = Command::new("openssl");
    openssl.args(["pkeyutl", "-sign", "-rawin", "-inkey"]).arg(&key).arg("-in").arg(scratch.path("message"));
    Run::of(openssl.arg("-out").arg(scratch.path("signature"))).expect_code(0);
    let signature = std::fs::read(scratch.path("signature")).expect("signed");
    let id = PrivateKey::from_pem(&scratch.read("cosigner.pem")).expect("a key").public().key_id();
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
    let mut cosigned = plan;
    cosigned.cosignatures.push(format!("ed25519:{id}:{encoded}"));
    scratch.write("given.json", text(&cosigned));
    let given = scratch.path("given.json");
    scratch.run(STAGES[5], &["--plan", given.to_str().expect("UTF-8")]).expect_code(0);
    scratch.run(STAGES[5], &["--status"]).expect_code(0).expect_stdout(id.as_str());
}

#[test]
fn a_plan_older_than_policy_allows_is_refused() {
    let (scratch, own) = planned("expired");
    let policy = scratch.read(".rtt/policy.json").replacen('{', "{\"trust\": {\"max_age_seconds\": 3153600000},", 1);
    scratch.write(".rtt/policy.json", policy);
    scratch.run_all(&STAGES[4..5]);
    let mut plan = latest(&scratch);
    for timestamp in ["1901-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        plan.timestamp = timestamp.to_owned();
        let signed = text(&sign(&plan, &own));
        if timestamp.starts_with("1970") {
            scratch.write("given.json", signed);
            let given = scratch.path("given.json");
            scratch.run(STAGES[5], &["--plan", given.to_str().expect("UTF-8")]).expect_code(0);
        } else {
            refuse(&scratch, &signed, "trust.max_age_seconds");
        }
    }
}
