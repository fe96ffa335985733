//! Programs that call connectors: one folder a language, with a `live.json` that says how to compile and run what lies
//! beside it.
//!
//! `RTT_LIVE` names the languages to run, separated by spaces; without it, those whose tools are here are run, and the
//! others named as skipped. A new language is a new folder, with no change here.

#![expect(clippy::print_stdout, reason = "tests say what they skip")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Deserialize;

use crate::{Scratch, repository};

/// How many languages are run at once.
const AT_ONCE: usize = 2;

/// `live.json`.
#[derive(Debug, Deserialize)]
pub struct Recipe {
    /// The programs that must be there, and where they come from.
    pub needs: BTreeMap<String, String>,
    /// The file that calls the connector; the others of the folder are copied as well.
    pub program: String,
    /// Commands that make a program of it, run in the workspace.
    #[serde(default)]
    pub compile: Vec<Vec<String>>,
    /// Runs it.
    pub run: Vec<String>,
    /// It declares enumerations, unions and tuples.
    #[serde(default)]
    pub typed: bool,
    /// A stricter check of generated code than the stub's own, run in the workspace.
    #[serde(default)]
    pub lint: Vec<String>,
}

/// A language and its program.
#[derive(Debug)]
pub struct Language {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its `live.json`.
    pub recipe: Recipe,
}

/// Where the scripts put what they install or build.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// Returns where `scripts/setup.sh` puts what runs on Node.js.
pub fn node_tools() -> String {
    target().join("node-tools/node_modules").display().to_string()
}

/// Returns where `scripts/setup.sh` puts what runs on Python.
pub fn python_tools() -> String {
    target().join("python-tools").display().to_string()
}

/// Returns the languages of a folder's folders, sorted by name.
pub fn languages(folder: &Path) -> Vec<Language> {
    let (node_tools, python_tools) = (node_tools(), python_tools());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let folder = entry.expect("readable").path();
        let Ok(text) = std::fs::read_to_string(folder.join("live.json")) else { continue };
        let name = folder.file_name().expect("has one").to_string_lossy().into_owned();
        let text = text.replace("{node_tools}", &node_tools).replace("{python_tools}", &python_tools);
        let recipe = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        found.push(Language { name, folder, recipe });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Returns the languages that `RTT_LIVE` asks for; `None` if it is not set.
pub fn asked() -> Option<Vec<String>> {
    std::env::var("RTT_LIVE").ok().map(|names| names.split_whitespace().map(str::to_owned).collect())
}

/// Tells whether a program is on the PATH, or a file is there.
pub fn is_here(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let found = Command::new("sh").args(["-c", "command -v -- \"$1\"", "sh", program]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Runs the languages, each with `run`, and returns the names of those that are live. `more_needs` are programs or files
/// that all of them need. Languages whose needs are not met are skipped, unless they were `asked` for.
///
/// # Panics
/// Panics with what went wrong, if anything did.
pub fn run_each(
    languages: &[Language],
    more_needs: &[String],
    asked: Option<&[String]>,
    run: impl Fn(&Language) -> Result<(), String> + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let outcome = |language: &Language| {
        let needs = language.recipe.needs.keys().chain(more_needs).map(String::as_str);
        let missing: Vec<&str> = needs.filter(|program| !is_here(program)).collect();
        if missing.is_empty() {
            return Some(run(language));
        }
        println!("skipped: {} connectors are not run, {} is not installed", language.name, missing.join(", "));
        asked.is_some().then(|| Err(format!("not installed: {}", missing.join(", "))))
    };
    let work = || {
        let mut done = Vec::new();
        while let Some(language) = languages.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.extend(outcome(language).map(|outcome| (language.name.as_str(), outcome)));
        }
        done
    };
    let outcomes: BTreeMap<&str, Result<(), String>> = thread::scope(|scope| {
        let workers = [(); AT_ONCE].map(|()| scope.spawn(work));
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    let live: Vec<String> =
        outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(name, _)| (*name).to_owned()).collect();
    println!("live: {}", live.join(" "));
    let failures: Vec<String> =
        outcomes.iter().filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.as_ref().err()?))).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    live
}

impl Language {
    /// Compiles and runs the program in a workspace, with further environment variables, and compares what it prints
    /// with `expected`.
    ///
    /// # Errors
    /// What a command said, or the first line that differs.
    pub fn check(&self, scratch: &Scratch, variables: &[(&str, String)], expected: &str) -> Result<(), String> {
        for entry in std::fs::read_dir(&self.folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("has one").to_string_lossy().into_owned();
            scratch.write(&name, std::fs::read(&path).expect("readable"));
        }
        assert!(scratch.path(&self.recipe.program).exists(), "{}: no {}", self.name, self.recipe.program);
        for command in &self.recipe.compile {
            execute(scratch, command, variables)?;
        }
        let printed = execute(scratch, &self.recipe.run, variables)?;
        if printed == expected { Ok(()) } else { Err(difference(expected, &printed)) }
    }

    /// Runs the stricter check over the generated connectors, if there is one.
    ///
    /// # Errors
    /// What it said.
    pub fn lint(&self, scratch: &Scratch) -> Result<(), String> {
        if self.recipe.lint.is_empty() { Ok(()) } else { execute(scratch, &self.recipe.lint, &[]).map(drop) }
    }
}

/// Runs a command in the workspace for at most two minutes; returns what it printed.
fn execute(scratch: &Scratch, command: &[String], variables: &[(&str, String)]) -> Result<String, String> {
    let mut process = Command::new("timeout");
    process.args(["--kill-after=5", "120"]).args(command).current_dir(scratch.root()).stdin(Stdio::null());
    process.env_remove("RTT_ROOT").env_remove("RTT_AGENT").env("LC_ALL", "C.UTF-8");
    process.env("GOCACHE", scratch.path(".gocache")).env("GOFLAGS", "-mod=mod").env("HOME", scratch.root());
    process.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    let output = process.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    // The reason stands at the end of what a program says, and of a compiler's words at the beginning.
    let n_more = stderr.chars().count().saturating_sub(2_000);
    let (head, tail): (String, String) =
        (stderr.chars().take(2_000).collect(), stderr.chars().skip(n_more.max(2_000)).collect());
    Err(format!("{}: {}\n{stdout}{head}{tail}", command.join(" "), output.status))
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
