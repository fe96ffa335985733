//! Connectors at work: for each folder in `tests/live`, one interface that has broken many a code generator, generated
//! for that language, compiled by its own tools, and run against one real provider process that is ended on the way.
//!
//! `RTT_LIVE` names the languages to run, separated by spaces; without it, those whose tools are here are run, and the
//! others named as skipped. A new language is a new folder, with no change here.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rtt_tests::recipe::{self, Language};
use rtt_tests::{Run, STAGES, Scratch, repository};
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

    let mut expected = std::fs::read_to_string(live().join("expected.txt")).expect("readable");
    if language.recipe.typed {
        expected += &std::fs::read_to_string(live().join("expected_typed.txt")).expect("readable");
    }
    language.check(&scratch, &[], &expected)?;
    // Texts of the manifest try to create it.
    if scratch.path("canary").exists() { Err("a text of the manifest was run".to_owned()) } else { Ok(()) }
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

/// The schemas that make code generators stumble, each as the params and the result of a method of its own provider, but
/// for those that stage 10 refuses because they refer to documents that are not there; and two of unusual size.
fn hard_schemas() -> Vec<(String, Value)> {
    let Ok(files) = std::fs::read_dir(repository().join("../shared/data/json-schemas")) else { return Vec::new() };
    let mut found = Vec::new();
    for file in files {
        let path = file.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let mut schema: Value = serde_json::from_str(&text).expect("JSON");
        let name = path.file_stem().expect("has one").to_string_lossy().to_lowercase().replace('-', "_");
        if matches!(name.as_str(), "ref_id_files" | "simple_ref") {
            continue;
        }
        // Identifiers that are fragments were allowed until draft 7.
        if text.contains("\"$id\": \"#") {
            schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        }
        found.push((name, schema));
    }
    let members = |count: usize, schema: Value| -> Value {
        let named = (0..count).map(|index| (format!("member{index}"), schema.clone()));
        json!({"type": "object", "properties": named.collect::<serde_json::Map<_, _>>()})
    };
    found.push(("large".to_owned(), members(20, members(50, json!({"type": "string"})))));
    found.push(("wide".to_owned(), members(300, json!({"type": "string"}))));
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Generates for all hard schemas at once, checked by the language's own compiler at its strictest.
fn compile_hard_schemas(language: &Language, schemas: &[(String, Value)]) -> Result<(), String> {
    let scratch = Scratch::empty("hard");
    let mut requires = Vec::new();
    for (name, schema) in schemas {
        let symbol = format!("schema.{name}");
        let methods = json!({"run": {"params": schema, "result": schema}});
        let provider = json!({"symbol": symbol, "version": "1.0.0", "provides": {"methods": methods}});
        scratch.write(&format!("providers/{name}.json"), provider.to_string());
        requires.push(json!({"symbol": symbol, "version": "^1"}));
    }
    let consumer = json!({"symbol": "a.hard", "version": "1.0.0", "language": language.name, "requires": requires});
    scratch.write("agents/hard.agent.json", consumer.to_string());
    let path = format!("{}/.bin:{}", recipe::node_tools(), std::env::var("PATH").unwrap_or_default());
    for (stage, options) in STAGES[..4].iter().zip([&[][..], &[], &[], &["--verify", "toolchain"]]) {
        let run = Run::of(scratch.command(stage).args(options).env("PATH", &path));
        if run.code != Some(0) {
            return Err(format!("{stage}: {}{}", run.stderr, run.stdout));
        }
    }
    let index = scratch.json(".rtt/cache/connectors.json");
    let connectors = index["connectors"].as_array().expect("a list");
    assert_eq!(connectors.len(), schemas.len(), "{}", language.name);
    match connectors.iter().find(|connector| connector["verification"] != "compiled") {
        Some(connector) => Err(format!("{} is only {}", connector["path"], connector["verification"])),
        None => language.lint(&scratch),
    }
}

#[test]
fn hard_schemas_compile_in_every_typed_language() {
    let schemas = hard_schemas();
    if schemas.is_empty() {
        println!("skipped: ../shared/data/json-schemas is not here");
        return;
    }
    let asked = recipe::asked();
    let mut languages = recipe::languages(&live());
    languages.retain(|language| language.recipe.typed);
    languages.retain(|language| asked.as_ref().is_none_or(|names| names.contains(&language.name)));
    recipe::run_each(&languages, &[], asked.as_deref(), |language| compile_hard_schemas(language, &schemas));
}
