//! `rtt-sign` on real plans and documents, with OpenSSL and securesystemslib as the other side.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use rtt_core::schema::Schema;
use rtt_core::workspace::state;
use rtt_tests::recipe::python_tools;
use rtt_tests::{Run, STAGES, Scratch};
use serde_json::Value;

const SIGN: &str = "rtt-sign";
const KEYS: &str = ".rtt/registry/trust/keys";

/// The quickstart with a plan.
fn planned(name: &str) -> Scratch {
    let scratch = Scratch::copy_of("quickstart", name);
    scratch.run_all(&STAGES[..5]);
    scratch
}

fn openssl(arguments: &[&str]) -> Run {
    Run::of(Command::new("openssl").args(arguments))
}

/// A key that OpenSSL made, trusted under a name; returns its private half's file.
fn openssl_key(scratch: &Scratch, name: &str) -> String {
    let private = scratch.path(&format!("{name}.pem")).display().to_string();
    let public = scratch.path(&format!("{KEYS}/{name}.pub")).display().to_string();
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", &private]).expect_code(0);
    openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]).expect_code(0);
    private
}

/// What a run says of itself, as its schema says it.
fn summary(scratch: &Scratch, arguments: &[&str]) -> Value {
    let run = scratch.run(SIGN, &[arguments, &["--format", "json"]].concat());
    state::parse::<Value>("summary", run.stdout.as_bytes(), Schema::Summary).expect("as its schema says").value
}

fn python(script: &str, arguments: &[PathBuf]) -> Run {
    Run::of(Command::new("python3").arg("-c").arg(script).args(arguments).env("PYTHONPATH", python_tools()))
}

#[test]
fn plans_are_cosigned_until_policy_is_content() {
    let scratch = planned("cosigned");
    let policy = scratch.read(".rtt/policy.json");
    let asks_for_three = policy.trim_end().trim_end_matches('}').to_owned() + ", \"trust\": {\"threshold\": 3}}";
    scratch.write(".rtt/policy.json", if policy.contains("\"trust\"") { policy } else { asks_for_three });
    scratch.run_all(&STAGES[4..5]);
    let text = scratch.read("plans/LATEST");
    scratch.run(SIGN, &[]).expect_code(0).expect_stdout("signed already");
    assert_eq!(scratch.read("plans/LATEST"), text, "stage 40 signs alike");
    scratch.run(SIGN, &["verify"]).expect_code(2).expect_stderr("signed by 1 of the 3");

    for name in ["one", "other"] {
        let key = openssl_key(&scratch, name);
        scratch.run(SIGN, &["--key", &key]).expect_code(0).expect_stdout("Cosigned by");
        assert!(scratch.path("plans/LATEST").is_symlink());
    }
    scratch.run(SIGN, &["verify", "plans/LATEST"]).expect_code(0);
    scratch.run_all(&STAGES[4..]);
    assert_eq!(scratch.json("plans/last_applied.json")["cosignatures"].as_array().map(Vec::len), Some(2));

    // A plan that is not what its id says is signed by nobody.
    let plan = scratch.path("changed.json").display().to_string();
    scratch.write("changed.json", text.replace("\"generation\": 0", "\"generation\": 1"));
    scratch.run(SIGN, &[&plan]).expect_code(65).expect_stderr("changed after it was made");
    scratch.run(SIGN, &["verify", &plan]).expect_code(2).expect_stderr("Plan signature verification failed");
    scratch.run(SIGN, &["verify", "nowhere.json"]).expect_code(66);
}

#[test]
fn cosigners_at_once_lose_no_signature() {
    let scratch = planned("at-once");
    let keys: Vec<String> = (0..8).map(|number| openssl_key(&scratch, &format!("key-{number}"))).collect();
    let start = |key: &String| {
        let mut command = scratch.command(SIGN);
        command.args(["--key", key]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    let children: Vec<_> = keys.iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    scratch.run(SIGN, &["verify", "--threshold", "9"]).expect_code(0);
    scratch.run(SIGN, &["verify", "--threshold", "10"]).expect_code(2);
}

#[test]
fn openssl_makes_and_verifies_what_rtt_sign_does() {
    let scratch = planned("openssl");
    let document = scratch.path("document.json").display().to_string();
    let signature_of = |scratch: &Scratch| {
        let text = scratch.json("document.json")["signature"].as_str().expect("signed").to_owned();
        base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            text.rsplit(':').next().expect("three parts"),
        )
        .expect("base64")
    };
    let bytes = b"rtt-document-v1\n{\"a\":\"\xc3\xa9\",\"b\":[1,true]}";
    scratch.write("bytes", bytes);
    let bytes = scratch.path("bytes").display().to_string();

    // Our key, checked by OpenSSL.
    scratch.write("document.json", "{\"b\": [1.0, true],\n \"a\": \"\\u00e9\"}");
    scratch.run(SIGN, &[&document]).expect_code(0);
    scratch.write("signature", signature_of(&scratch));
    let signature = scratch.path("signature").display().to_string();
    let public = scratch.path(&format!("{KEYS}/signer.pub")).display().to_string();
    let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &bytes, "-sigfile", &signature];
    openssl(&verify).expect_code(0);

    // Its key, and its signature of the same bytes; ours is the same, since Ed25519 leaves no choice.
    let key = openssl_key(&scratch, "other");
    openssl(&["pkeyutl", "-sign", "-inkey", &key, "-rawin", "-in", &bytes, "-out", &signature]).expect_code(0);
    scratch.write("document.json", "{\"b\": [1.0, true],\n \"a\": \"\\u00e9\"}");
    scratch.run(SIGN, &[&document, "--key", &key]).expect_code(0);
    assert_eq!(signature_of(&scratch), std::fs::read(&signature).expect("just written"));

    // A key that rtt-sign made, used by OpenSSL.
    let made = scratch.path("made.pem").display().to_string();
    scratch.run(SIGN, &["keys", "new", "made", "--private", &made]).expect_code(0);
    openssl(&["pkeyutl", "-sign", "-inkey", &made, "-rawin", "-in", &bytes, "-out", &signature]).expect_code(0);
    let public = scratch.path(&format!("{KEYS}/made.pub")).display().to_string();
    let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &bytes, "-sigfile", &signature];
    openssl(&verify).expect_code(0);
}

#[test]
fn documents_are_signed_inside_or_apart() {
    let scratch = planned("documents");
    let file = |name: &str| scratch.path(name).display().to_string();
    scratch.write("document.json", "{\"a\": [1, 2], \"big\": 9007199254740991}");
    let document = file("document.json");
    scratch.run(SIGN, &["verify", &document]).expect_code(2).expect_stderr("it is not signed");
    scratch.run(SIGN, &[&document]).expect_code(0);
    let key = openssl_key(&scratch, "other");
    scratch.run(SIGN, &[&document, "--key", &key]).expect_code(0).expect_stdout("Cosigned");
    scratch.run(SIGN, &["verify", &document, "--threshold", "2"]).expect_code(0);
    let signed = scratch.read("document.json");
    // Layout does not count, content does.
    scratch.write("document.json", serde_json::from_str::<Value>(&signed).expect("JSON").to_string());
    scratch.run(SIGN, &["verify", &document, "--threshold", "2"]).expect_code(0);
    scratch.write("document.json", signed.replace("big", "huge"));
    scratch.run(SIGN, &["verify", &document]).expect_code(2).expect_stderr("does not fit");
    scratch.run(SIGN, &[&document]).expect_code(65).expect_stderr("--force drops");
    scratch.run(SIGN, &[&document, "--force"]).expect_code(0);
    assert_eq!(summary(&scratch, &["verify", &document])["figures"]["signers"].as_array().map(Vec::len), Some(1));
    let public = file(&format!("{KEYS}/other.pub"));
    scratch.run(SIGN, &["verify", &document, "--key", &public]).expect_code(2).expect_stderr("not a trusted key");

    scratch.write("list.json", "[1, 2]");
    let list = file("list.json");
    scratch.run(SIGN, &[&list]).expect_code(65).expect_stderr("sign it with --detached");
    scratch.run(SIGN, &[&list, "--detached"]).expect_code(0);
    scratch.run(SIGN, &[&list, "--detached", "--key", &key]).expect_code(0).expect_stdout("Cosigned");
    assert_eq!(scratch.read("list.json"), "[1, 2]");
    let apart = file("list.json.sig");
    state::parse::<Value>("signatures", scratch.read("list.json.sig").as_bytes(), Schema::Signatures).expect("valid");
    scratch.run(SIGN, &["verify", &list, "--detached", &apart, "--threshold", "2"]).expect_code(0);
    scratch.write("list.json", "[2, 1]");
    scratch.run(SIGN, &["verify", &list, "--detached", &apart]).expect_code(2).expect_stderr("the document is sha256:");
    // Signatures of one kind are good for no other.
    let moved = scratch.json("list.json.sig")["signatures"][0].clone();
    scratch.write("moved.json", serde_json::json!({"signature": moved}).to_string());
    scratch.run(SIGN, &["verify", &file("moved.json")]).expect_code(2).expect_stderr("does not fit");

    scratch.write("large.json", "{\"a\": 9007199254740993}");
    scratch.run(SIGN, &[&file("large.json")]).expect_code(65).expect_stderr("has no canonical form");
    scratch.write("twice.json", "{\"a\": 1, \"a\": 2}");
    scratch.run(SIGN, &[&file("twice.json")]).expect_code(65).expect_stderr("duplicate key");
}

#[test]
fn keys_are_made_revoked_and_rotated() {
    let scratch = planned("keys");
    let private = scratch.path("ci.pem").display().to_string();
    let new = summary(&scratch, &["keys", "new", "ci", "--private", &private]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&private).expect("made").permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!new.to_string().contains("PRIVATE KEY"));
    scratch.run(SIGN, &["keys", "new", "ci", "--private", "other.pem"]).expect_code(64).expect_stderr("exists already");
    scratch.run(SIGN, &["keys", "new", "more", "--private", &private]).expect_code(64).expect_stderr("exists already");
    scratch.run(SIGN, &["keys", "new", "../up", "--private", "up.pem"]).expect_code(64);

    scratch.run(SIGN, &["--key", &private]).expect_code(0);
    scratch.run(SIGN, &["verify", "--threshold", "2"]).expect_code(0);
    let before = scratch.read(&format!("{KEYS}/signer.pub"));
    let rotated = summary(&scratch, &["keys", "rotate"]);
    let old = rotated["figures"]["old"].as_str().expect("an id").to_owned();
    assert_ne!(scratch.read(&format!("{KEYS}/signer.pub")), before);
    assert_eq!(scratch.read(&format!("{KEYS}/signer-{old}.pub")), before);
    // What the old key signed still verifies and applies.
    scratch.run(SIGN, &["verify", "--threshold", "2"]).expect_code(0);
    scratch.run_all(&STAGES[5..]);
    // The new one signs, and is trusted.
    scratch.run(SIGN, &[]).expect_code(0).expect_stdout("Cosigned by");
    scratch.run(SIGN, &["verify", "--threshold", "3"]).expect_code(0);
    let listed = summary(&scratch, &["keys", "list"]);
    assert_eq!(listed["figures"]["trusted"], 3);

    scratch.run(SIGN, &["keys", "revoke", &old, "--reason", "laptop lost"]).expect_code(0);
    scratch.run(SIGN, &["keys", "revoke", &old]).expect_code(0).expect_stdout("Nothing changed");
    scratch.run(SIGN, &["verify"]).expect_code(2).expect_stderr("which was revoked: laptop lost");
    scratch.run(STAGES[5], &["--force"]).expect_code(2).expect_stderr("laptop lost");
    scratch.run(SIGN, &[]).expect_code(65).expect_stderr("laptop lost");
    scratch.run(SIGN, &["--force"]).expect_code(0);
    scratch.run(SIGN, &["verify", "--threshold", "2"]).expect_code(0);
    scratch.run(SIGN, &["keys", "revoke", "xyz"]).expect_code(64);

    let again = summary(&scratch, &["keys", "rotate", "--revoke", "quarterly"]);
    assert_eq!(again["figures"]["old"], rotated["figures"]["new"]);
    scratch.run(SIGN, &["verify"]).expect_code(2).expect_stderr("quarterly");
    scratch.run(SIGN, &["--force"]).expect_code(0);
    scratch.run(SIGN, &["verify"]).expect_code(0);
    let ci = new["figures"]["key"].as_str().expect("an id");
    let own = again["figures"]["new"].as_str().expect("an id");
    scratch.run(SIGN, &["keys", "revoke", ci]).expect_code(0);
    scratch.run(SIGN, &["keys", "revoke", own]).expect_code(0).expect_stderr("nobody is trusted any more");
}

/// Verifies an envelope with securesystemslib, and what it says with nothing of ours.
const INDEPENDENT: &str = r#"
import base64, copy, hashlib, json, sys
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey
envelope, plan, *keys = sys.argv[1:]
document = json.load(open(envelope))
def key(path):
    public = load_pem_public_key(open(path, "rb").read())
    raw = public.public_bytes_raw()
    return SSlibKey(hashlib.sha256(raw).hexdigest()[:16], "ed25519", "ed25519", {"public": raw.hex()})
keys = [key(path) for path in keys]
accepted = Envelope.from_dict(copy.deepcopy(document)).verify(keys, len(keys))
assert len(accepted) == len(keys)
assert document["payloadType"] == "application/vnd.in-toto+json"
statement = json.loads(base64.b64decode(document["payload"]))
assert statement["_type"] == "https://in-toto.io/Statement/v1"
content = open(plan, "rb").read()
# RFC 8785 writes 5.0 as 5.
value = json.loads(content, parse_float=lambda text: int(float(text)) if float(text).is_integer() else float(text))
for member in ["plan_id", "timestamp", "signature", "cosignatures"]: del value[member]
identity = hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
assert {"name": "plan_id", "digest": {"sha256": identity}} in statement["subject"]
assert statement["subject"][0]["digest"]["sha256"] == hashlib.sha256(content).hexdigest()
statement["subject"][1]["digest"]["sha256"] = "0" * 64
document["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
try:
    Envelope.from_dict(document).verify(keys, 1)
except VerificationError:
    print("independent: accepted, and refused once it was changed")
"#;

#[test]
fn an_exported_envelope_is_verified_by_others() {
    let scratch = planned("envelope");
    let key = openssl_key(&scratch, "other");
    let envelope = scratch.path("plan.dsse.json").display().to_string();
    scratch.run(SIGN, &["export", "--output", &envelope]).expect_code(0);
    let once = scratch.read("plan.dsse.json");
    scratch.run(SIGN, &["export", "--output", &envelope]).expect_code(0);
    assert_eq!(scratch.read("plan.dsse.json"), once);
    scratch.run(SIGN, &["export", "--output", &envelope, "--key", &key]).expect_code(0).expect_stdout("2 keys");
    scratch.run(SIGN, &["verify", "--envelope", &envelope, "--threshold", "2"]).expect_code(0);
    scratch.run(SIGN, &["verify", "--envelope", &envelope, "--threshold", "3"]).expect_code(2);
    let policy = scratch.path(".rtt/policy.json").display().to_string();
    scratch.run(SIGN, &["verify", &policy, "--envelope", &envelope]).expect_code(2).expect_stderr("another document");
    scratch.run(SIGN, &["export", &policy, "--output", &envelope]).expect_code(65).expect_stderr("something else");
    let changed = scratch.read("plan.dsse.json").replacen("eyJf", "eyJg", 1);
    scratch.write("changed.json", changed);
    let changed = scratch.path("changed.json").display().to_string();
    scratch.run(SIGN, &["verify", "--envelope", &changed]).expect_code(2).expect_stderr("does not fit");

    if python("import securesystemslib, cryptography", &[]).code != Some(0) {
        println!("skipped: securesystemslib is not in {} (scripts/setup.sh installs it)", python_tools());
        return;
    }
    let files = ["plan.dsse.json", "plans/LATEST", &format!("{KEYS}/signer.pub"), &format!("{KEYS}/other.pub")]
        .map(|file| scratch.path(file));
    python(INDEPENDENT, &files).expect_code(0).expect_stdout("accepted, and refused once it was changed");
}
