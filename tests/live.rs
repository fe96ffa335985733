//! Connectors at work: for each folder in `tests/live`, one interface that has broken many a code generator, generated
//! for that language, compiled by its own tools, and run against one real provider process that is ended on the way.
//!
//! `RTT_LIVE` names the languages to run, separated by spaces; without it, those whose tools are here are run, and the
//! others named as skipped. A new language is a new folder, with no change here.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rtt_tests::recipe::{self, Language};
use rtt_tests::{STAGES, Scratch, repository};
use serde_json::{Value, json};

fn live() -> PathBuf {
    repository().join("tests/live")
}

/// A running provider, ended when dropped.
struct Provider {
    process: Child,
    address: String,
}

impl Provider {
    fn start(scratch: &Scratch, at: &str) -> Self {
        let mut command = Command::new("python3");
        // In the sockets' folder, so that no path is too long for a socket.
        command.arg("-B").arg(live().join("provider.py")).arg(at).current_dir(scratch.path(".rtt/sockets"));
        let mut process = command.stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut address = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut address).expect("it says where");
        Self { process, address: address.trim().to_owned() }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Generates, compiles and runs; what went wrong, if anything did.
fn run(language: &Language) -> Result<(), String> {
    let scratch = Scratch::empty("live");
    let nasty = std::fs::read_to_string(live().join("nasty.json")).expect("readable");
    scratch.write("providers/nasty.json", &nasty);
    let requires = json!([{"symbol": "agent.test.nasty", "version": "^1"}]);
    let consumer = json!({"symbol": "a.live", "version": "1.0.0", "language": language.name, "requires": requires});
    scratch.write("agents/live.agent.json", consumer.to_string());
    for stage in &STAGES[..4] {
        let run = scratch.run(stage, &[]);
        if run.code != Some(0) {
            return Err(format!("{stage}: {}{}", run.stderr, run.stdout));
        }
    }
    let connectors = scratch.json(".rtt/cache/connectors.json");
    let opens =
        |lane: &str| connectors["connectors"][0]["lanes"].as_array().is_some_and(|all| all.contains(&json!(lane)));
    let primary = Provider::start(&scratch, if opens("uds") { "nasty.sock" } else { "127.0.0.1:0" });
    let spare = Provider::start(&scratch, if opens("tcp") { "127.0.0.1:0" } else { "spare.sock" });
    let place = |provider: &Provider| -> (&str, Value) {
        match provider.address.contains(':') {
            true => ("tcp", json!(provider.address)),
            false => ("uds", json!(format!(".rtt/sockets/{}", provider.address))),
        }
    };
    let ((via, endpoint), (spare_via, spare_endpoint)) = (place(&primary), place(&spare));
    let backup = json!({"target": "agent.test.spare@1.0.0", "via": spare_via, "endpoint": spare_endpoint});
    let status = json!({"plan": "sha256:0", "source": "a.live@1.0.0", "target": "agent.test.nasty@1.2.0", "via": via,
        "host": "local", "numa_node": 0, "endpoint": endpoint, "backups": [backup]});
    let route = json!({"from": "a.live", "to": "agent.test.nasty", "status": status});
    scratch.write(".rtt/routes.json", json!({"version": "1.0.0", "auto": true, "routes": [route]}).to_string());

    language.check(&scratch, &[], &live().join("expected.txt"))
}

#[test]
fn every_language_that_can_run_here_is_live() {
    let asked = recipe::asked();
    let mut languages = recipe::languages(&live());
    let unknown = asked.iter().flatten().find(|name| !languages.iter().any(|language| language.name == **name));
    assert_eq!(unknown, None, "there is no such folder in {}", Path::new("tests/live").display());
    if let Some(names) = &asked {
        languages.retain(|language| names.contains(&language.name));
    }
    let live = recipe::run_each(&languages, &[], asked.as_deref(), run);
    assert!(asked.is_some() || live.len() >= 2, "python and javascript run on every machine that runs the tests");
}
