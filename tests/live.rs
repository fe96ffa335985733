//! Connectors at work: for each folder in `tests/live`, one interface that has broken many a code generator, generated
//! for that language, compiled by its own tools, and run against one real provider process that is ended on the way.
//!
//! `RTT_LIVE` names the languages to run, separated by spaces; without it, those whose tools are here are run, and the
//! others named as skipped. A new language is a new folder, with no change here.

#![expect(clippy::print_stdout, reason = "tests say what they skip")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rtt_tests::{STAGES, Scratch, repository};
use serde::Deserialize;
use serde_json::{Value, json};

/// `tests/live/<language>/live.json`.
#[derive(Deserialize)]
struct Recipe {
    /// The programs that must be there, and where they come from.
    needs: BTreeMap<String, String>,
    /// The file that calls the connector; the others of the folder are copied as well.
    program: String,
    /// Commands that make a program of it, run in the workspace.
    #[serde(default)]
    compile: Vec<Vec<String>>,
    /// Runs it.
    run: Vec<String>,
    /// It declares enumerations, unions and tuples, and shows so at the end (`expected_typed.txt`).
    #[serde(default)]
    typed: bool,
}

struct Language {
    name: String,
    folder: PathBuf,
    recipe: Recipe,
}

fn live() -> PathBuf {
    repository().join("tests/live")
}

/// Where `scripts/setup.sh` puts what runs on Node.js.
fn node_tools() -> String {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    target.join("node-tools/node_modules").display().to_string()
}

fn languages() -> Vec<Language> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(live()).expect("readable") {
        let folder = entry.expect("readable").path();
        let Ok(text) = std::fs::read_to_string(folder.join("live.json")) else { continue };
        let name = folder.file_name().expect("has one").to_string_lossy().into_owned();
        let text = text.replace("{node_tools}", &node_tools());
        let recipe = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        found.push(Language { name, folder, recipe });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Tells whether a program is on the PATH, or a file is there.
fn is_here(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let found = Command::new("sh").args(["-c", "command -v -- \"$1\"", "sh", program]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
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

    for entry in std::fs::read_dir(&language.folder).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("has one").to_string_lossy().into_owned();
        scratch.write(&name, std::fs::read(&path).expect("readable"));
    }
    assert!(scratch.path(&language.recipe.program).exists(), "{}: no {}", language.name, language.recipe.program);
    for command in &language.recipe.compile {
        execute(&scratch, command)?;
    }
    let printed = execute(&scratch, &language.recipe.run)?;
    let mut expected = std::fs::read_to_string(live().join("expected.txt")).expect("readable");
    if language.recipe.typed {
        expected += &std::fs::read_to_string(live().join("expected_typed.txt")).expect("readable");
    }
    if printed == expected { Ok(()) } else { Err(difference(&expected, &printed)) }
}

/// Runs a command in the workspace for at most two minutes; returns what it printed.
fn execute(scratch: &Scratch, command: &[String]) -> Result<String, String> {
    let mut process = Command::new("timeout");
    process.args(["--kill-after=5", "120"]).args(command).current_dir(scratch.root()).stdin(Stdio::null());
    process.env_remove("RTT_ROOT").env_remove("RTT_AGENT").env("LC_ALL", "C.UTF-8");
    process.env("GOCACHE", scratch.path(".gocache")).env("GOFLAGS", "-mod=mod").env("HOME", scratch.root());
    let output = process.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let tail: String = stderr.chars().take(4_000).collect();
    Err(format!("{}: {}\n{stdout}{tail}", command.join(" "), output.status))
}

fn difference(expected: &str, printed: &str) -> String {
    let mut lines = printed.lines();
    for wanted in expected.lines() {
        match lines.next() {
            Some(line) if line == wanted => {}
            found => {
                return format!(
                    "expected '{wanted}', found '{}'",
                    found.unwrap_or("the end").chars().take(200).collect::<String>()
                );
            }
        }
    }
    format!("expected the end, found '{}'", lines.next().unwrap_or_default())
}

/// How many languages are run at once.
const AT_ONCE: usize = 2;

/// Runs one language; what went wrong, if anything did, and `None` if it was skipped.
fn outcome(language: &Language, must_run: bool) -> Option<Result<(), String>> {
    let missing: Vec<&str> =
        language.recipe.needs.keys().map(String::as_str).filter(|program| !is_here(program)).collect();
    if missing.is_empty() {
        return Some(run(language));
    }
    println!("skipped: {} connectors are not run, {} is not installed", language.name, missing.join(", "));
    must_run.then(|| Err(format!("not installed: {}", missing.join(", "))))
}

#[test]
fn every_language_that_can_run_here_is_live() {
    let asked: Option<Vec<String>> =
        std::env::var("RTT_LIVE").ok().map(|names| names.split_whitespace().map(str::to_owned).collect());
    let mut languages = languages();
    let unknown = asked.iter().flatten().find(|name| !languages.iter().any(|language| language.name == **name));
    assert_eq!(unknown, None, "there is no such folder in {}", Path::new("tests/live").display());
    if let Some(names) = &asked {
        languages.retain(|language| names.contains(&language.name));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(language) = languages.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.extend(outcome(language, asked.is_some()).map(|outcome| (language.name.as_str(), outcome)));
        }
        done
    };
    let outcomes: BTreeMap<&str, Result<(), String>> = thread::scope(|scope| {
        let workers = [(); AT_ONCE].map(|()| scope.spawn(work));
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    let live: Vec<&str> = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(name, _)| *name).collect();
    println!("live: {}", live.join(" "));
    let failures: Vec<String> =
        outcomes.iter().filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.as_ref().err()?))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(asked.is_some() || live.len() >= 2, "python and javascript run on every machine that runs the tests");
}
