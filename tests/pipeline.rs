//! The main job: the quickstart workspace through all six stages, its promises about outputs, and its trust.

use std::process::Command;

use base64::Engine as _;
use rtt_core::lane::Lane;
use rtt_core::plan::{self, Plan};
use rtt_core::schema::Schema;
use rtt_core::trust::PrivateKey;
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::Value;

#[test]
fn a_second_run_changes_nothing() {
    let scratch = Scratch::copy_of("quickstart", "twice");
    scratch.run_all(&STAGES);
    let applied = scratch.json(".rtt/routes.json");
    assert_eq!(applied["generation"], 1);
    let snapshot = || {
        let mut files = scratch.tree(".rtt");
        files.extend(scratch.tree("plans"));
        // Records of runs, and nothing else, may differ.
        files.retain(|path, _| !path.starts_with(".rtt/telemetry/"));
        files
    };
    let before = snapshot();
    for stage in STAGES {
        let summary = scratch.run(stage, &["--format", "json"]).expect_code(0).summary();
        assert_eq!(summary["outcome"], "unchanged", "{summary:#}");
    }
    assert!(before == snapshot(), "a run that changes nothing must leave every byte");
}

#[test]
fn force_redoes_to_the_same_bytes_with_any_number_of_threads() {
    let scratch = Scratch::copy_of("quickstart", "force");
    scratch.run_all(&STAGES[..5]);
    let outputs = [".rtt/cache/registry.json", ".rtt/cache/dependencies.json", ".rtt/cache/connectors.json"];
    let made = || (outputs.map(|file| scratch.read(file)), scratch.tree(".rtt/drivers"));
    let (before, plan) = (made(), scratch.json("plans/LATEST")["plan_id"].clone());
    for jobs in ["1", "2", "7"] {
        for stage in &STAGES[..5] {
            scratch.run(stage, &["--force", "--jobs", jobs]).expect_code(0);
        }
        assert!(before == made(), "--jobs {jobs}");
        assert_eq!(plan, scratch.json("plans/LATEST")["plan_id"], "--jobs {jobs}");
    }
}

#[test]
fn equal_inputs_in_folders_of_different_names_give_equal_outputs() {
    let [one, other] = ["one", "a-much-longer-name"].map(|name| {
        let scratch = Scratch::copy_of("quickstart", name);
        scratch.run_all(&STAGES[..5]);
        scratch
    });
    for file in [".rtt/cache/registry.json", ".rtt/cache/dependencies.json", ".rtt/cache/connectors.json"] {
        assert_eq!(one.read(file), other.read(file), "{file}");
    }
    for folder in ["go", "node", "python", "rust", "typescript"] {
        assert!(!one.tree(&format!(".rtt/drivers/{folder}")).is_empty(), "connectors in {folder}");
    }
    assert_eq!(one.tree(".rtt/drivers"), other.tree(".rtt/drivers"));
    assert_eq!(one.json("plans/LATEST")["plan_id"], other.json("plans/LATEST")["plan_id"]);
}

#[test]
fn no_state_file_names_a_folder_of_this_machine() {
    let scratch = Scratch::copy_of("quickstart", "nameless-folder");
    scratch.run_all(&STAGES);
    let mut files = scratch.tree(".rtt");
    files.extend(scratch.tree("plans"));
    for (path, content) in files {
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains("nameless-folder"), "{path}");
    }
}

#[test]
fn every_state_file_fits_its_schema() {
    let scratch = Scratch::copy_of("quickstart", "schemas");
    scratch.run_all(&STAGES);
    let latest = std::fs::read_link(scratch.path("plans/LATEST")).expect("a symlink");
    let plan = format!("plans/{}", latest.display());
    let wal = scratch.tree(".rtt/wal").into_keys().next().expect("one transaction");
    let files = [
        (Schema::Registry, ".rtt/cache/registry.json"),
        (Schema::Dependencies, ".rtt/cache/dependencies.json"),
        (Schema::Connectors, ".rtt/cache/connectors.json"),
        (Schema::SolverCache, ".rtt/cache/solver.json"),
        (Schema::Routes, ".rtt/routes.json"),
        (Schema::Policy, ".rtt/policy.json"),
        (Schema::Topology, ".rtt/topology.json"),
        (Schema::Plan, &plan),
        (Schema::Plan, "plans/last_applied.json"),
        (Schema::Wal, &wal),
    ];
    for (schema, file) in files {
        assert_eq!(schema.check("RTT-S002", file, &scratch.read(file), &scratch.json(file)), [], "{file}");
        // A schema that accepts anything proves nothing.
        let broken = serde_json::json!({"version": 1});
        assert_ne!(schema.check("RTT-S002", file, &broken.to_string(), &broken), [], "{file}");
    }
    let flight = scratch.read(".rtt/telemetry/flight.ndjson");
    assert_eq!(flight.lines().count(), STAGES.len());
    for line in flight.lines() {
        let record = serde_json::from_str(line).expect("one JSON object a line");
        assert_eq!(Schema::Flight.check("RTT-S002", "flight", line, &record), []);
    }
    assert!(scratch.read(".rtt/telemetry/rtt.prom").contains("rtt_stage_exit_code{stage=\"50\"} 0"));
}

#[test]
fn changed_inputs_make_later_stages_name_the_stage_to_run() {
    let scratch = Scratch::copy_of("quickstart", "stale");
    scratch.run_all(&STAGES[..5]);
    scratch.write("agents/new.agent.json", r#"{"symbol": "agent.new", "version": "1.0.0"}"#);
    for stage in &STAGES[2..5] {
        scratch.run(stage, &[]).expect_code(66).expect_stderr("run rtt-10-scan");
    }
    scratch.run_all(&STAGES[1..2]);
    scratch.run(STAGES[3], &[]).expect_code(66).expect_stderr("run rtt-20-depdoctor");
    scratch.run(STAGES[5], &[]).expect_code(4).expect_stderr("registry");
}

/// The bytes that README documents, made by other tools: Python for the canonical form, OpenSSL for the signature.
#[test]
fn openssl_accepts_the_signature_over_the_documented_bytes() {
    let scratch = Scratch::copy_of("quickstart", "openssl");
    scratch.run_all(&STAGES[..5]);
    let script = r#"
import json, sys
plan = json.load(open(sys.argv[1]))
for name in ("signature", "cosignatures"):
    plan.pop(name, None)
def canonical(value):
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + canonical(value[k]) for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
open(sys.argv[2], "wb").write(b"rtt-plan-v1\n" + canonical(plan).encode())
"#;
    let message = scratch.path("message");
    Run::of(Command::new("python3").args(["-c", script]).arg(scratch.path("plans/LATEST")).arg(&message))
        .expect_code(0);
    let plan = scratch.json("plans/LATEST");
    let text = plan["signature"].as_str().expect("a signed plan").rsplit(':').next().expect("three parts").to_owned();
    scratch.write("signature", base64::engine::general_purpose::STANDARD.decode(text).expect("base64"));
    let verify = || {
        let mut openssl = Command::new("openssl");
        openssl
            .args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"])
            .arg(scratch.path(".rtt/registry/trust/keys/signer.pub"));
        Run::of(openssl.arg("-in").arg(&message).arg("-sigfile").arg(scratch.path("signature")))
    };
    verify().expect_code(0).expect_stdout("Signature Verified Successfully");
    scratch.write("message", scratch.read("message").replacen("optimal", "optimum", 1));
    assert_ne!(verify().code, Some(0));
}

#[test]
fn keys_made_by_openssl_sign_and_are_trusted() {
    let scratch = Scratch::copy_of("quickstart", "foreign-key");
    let key = scratch.path("key.pem");
    Run::of(Command::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&key)).expect_code(0);
    let pem = scratch.read("key.pem");
    let run = |stage: &str| Run::of(scratch.command(stage).env("RTT_SIGNING_KEY", &pem)).expect_code(0);
    STAGES.iter().for_each(|stage| drop(run(stage)));
    assert!(!scratch.path(".rtt/registry/trust/keys/signer.priv").exists(), "a given key needs no other");
    assert_eq!(scratch.json(".rtt/routes.json")["generation"], 1);
}

#[test]
fn a_changed_plan_is_refused_and_changes_nothing() {
    let scratch = Scratch::copy_of("quickstart", "tampered");
    scratch.run_all(&STAGES[..5]);
    let plan = scratch.read("plans/LATEST");
    let routes = scratch.read(".rtt/routes.json");
    for (from, to) in [("\"numa_node\": 0", "\"numa_node\": 1"), ("\"via\": \"uds\"", "\"via\": \"tcp\""), ("T", "U")] {
        let position = plan.find(if from == "T" { "\"timestamp\"" } else { from }).expect("the plan has it");
        let changed = format!("{}{}", &plan[..position], plan[position..].replacen(from, to, 1));
        assert_ne!(changed, plan);
        scratch.write("changed.json", &changed);
        let run = scratch.run(STAGES[5], &["--plan", scratch.path("changed.json").to_str().expect("UTF-8")]);
        run.expect_code(2).expect_stderr("Plan signature verification failed");
        assert_eq!(routes, scratch.read(".rtt/routes.json"));
        assert!(scratch.tree(".rtt/wal").is_empty(), "an untrusted plan leaves no entry");
        assert!(!scratch.path("plans/last_applied.json").exists());
    }
}

/// Signed by somebody trusted, made from the inputs that are there, and still wrong: whoever signs may err.
#[test]
fn a_signed_plan_that_breaks_a_constraint_is_refused() {
    let scratch = Scratch::copy_of("quickstart", "wrong");
    scratch.run_all(&STAGES[..5]);
    let key = PrivateKey::from_pem(&scratch.read(".rtt/registry/trust/keys/signer.priv")).expect("a key");
    let plan = || serde_json::from_value::<Plan>(scratch.json("plans/LATEST")).expect("a plan");
    let check = |change: fn(&mut Plan), expected: &str| {
        let mut plan = plan();
        change(&mut plan);
        plan::identify(&mut plan);
        plan::sign(&mut plan, &key);
        scratch.write("wrong.json", serde_json::to_string(&plan).expect("a plan"));
        let run = scratch.run(STAGES[5], &["--plan", scratch.path("wrong.json").to_str().expect("UTF-8")]);
        run.expect_code(1).expect_stderr(expected);
        assert!(scratch.tree(".rtt/wal").is_empty());
    };
    check(|plan| plan.placement[1].numa_node = 1, "is not where a pin puts it");
    check(|plan| plan.routes[1].via = Lane::Shm, "is not a candidate");
    check(|plan| plan.routes.truncate(3), "is not planned");
    check(|plan| plan.objective[2].value -= 1, "communication_cost is");
}

#[test]
fn a_dry_run_changes_no_byte() {
    let scratch = Scratch::copy_of("quickstart", "dry");
    scratch.run_all(&STAGES[..5]);
    let before = scratch.tree(".");
    scratch
        .run(STAGES[5], &["--dry-run"])
        .expect_code(0)
        .expect_stdout("agent.api.metrics\n")
        .expect_stdout("+ agent.storage");
    scratch.run(STAGES[5], &["--dry-run", "--detailed-exitcode"]).expect_code(10);
    let after = scratch.tree(".");
    let names = |tree: &std::collections::BTreeMap<String, Vec<u8>>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after);
    scratch.run_all(&STAGES[5..]);
    scratch.run(STAGES[5], &["--dry-run", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn the_plan_keeps_the_policy() {
    let scratch = Scratch::copy_of("quickstart", "policy");
    scratch.run_all(&STAGES[..5]);
    let plan = scratch.json("plans/LATEST");
    assert_eq!(plan["status"], "optimal");
    let routes = plan["routes"].as_array().expect("a list");
    let storage: Vec<&Value> = routes.iter().filter(|r| r["target"] == "agent.storage.tsdb@1.2.0").collect();
    assert_eq!(storage.len(), 4, "auth, metrics, alerts and exporter");
    for route in storage {
        let backup = &route["backups"][0];
        assert_eq!(backup["target"], "agent.storage.replica@1.0.0");
        assert_ne!(backup["numa_node"], route["numa_node"], "spread over NUMA nodes");
        assert_eq!(route["via"], "uds");
    }
    let metrics =
        plan["placement"].as_array().expect("a list").iter().find(|p| p["agent"] == "agent.api.metrics@1.4.0");
    assert_eq!(metrics.expect("placed")["numa_node"], 0, "pinned");
}
