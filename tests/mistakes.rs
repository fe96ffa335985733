//! Every mistake that stage 10 explains, and its explanation, word for word.
//!
//! `mistakes/<name>.json`, or a folder `mistakes/<name>/` of files that are wrong together, is a mistake; beside it,
//! `<name>.txt` is what `rtt-10-scan --check` prints about it. Mistakes that are no text are made here.
//!
//! `RTT_UPDATE=1 cargo test -p rtt-tests --test mistakes` rewrites the explanations; read the difference before
//! committing it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rtt_core::json::{MAX_BYTES, MAX_DEPTH};
use rtt_tests::{Run, STAGES, Scratch, command, repository};

/// How many different mistakes there must be at least.
const LEAST: usize = 36;

/// The files of a mistake.
enum Mistake {
    /// In the folder of mistakes, by their paths in it.
    Kept(Vec<String>),
    /// Made here, since they are no text that people keep.
    Made(Vec<u8>),
}

fn folder() -> PathBuf {
    repository().join("tests/mistakes")
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the mistakes are here");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("readable").file_name().into_string();
    let mut names: Vec<String> = entries.map(|entry| name(entry).expect("a UTF-8 name")).collect();
    names.sort();
    names
}

fn mistakes() -> BTreeMap<String, Mistake> {
    let manifest = r#"{"symbol": "agent.storage.tsdb", "version": "1.2.0", "description": "REST"}"#;
    let with_rest = |rest: &[u8]| {
        let (head, tail) = manifest.split_once("REST").expect("it is there");
        [head.as_bytes(), rest, tail.as_bytes()].concat()
    };
    let mut mistakes = BTreeMap::from(
        [
            ("byte-order-mark", [b"\xEF\xBB\xBF", manifest.as_bytes()].concat()),
            ("invalid-utf-8", with_rest(b"caf\xE9")),
            ("raw-control-character", with_rest(b"two\nlines")),
            ("too-deep", format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1)).into_bytes()),
            ("too-large", with_rest(&vec![b'x'; MAX_BYTES])),
        ]
        .map(|(name, bytes)| (name.to_owned(), Mistake::Made(bytes))),
    );
    for entry in entries(&folder()) {
        let (name, files) = match entry.strip_suffix(".json") {
            Some(name) => (name.to_owned(), vec![entry.clone()]),
            None if entry.ends_with(".txt") => continue,
            None => {
                let files = entries(&folder().join(&entry));
                (entry.clone(), files.iter().map(|file| format!("{entry}/{file}")).collect())
            }
        };
        assert!(mistakes.insert(name, Mistake::Kept(files)).is_none(), "{entry} is also made here");
    }
    mistakes
}

/// What the executable prints about each mistake, by name.
fn explanations() -> BTreeMap<String, String> {
    mistakes().iter().map(|(name, mistake)| (name.clone(), explain(name, mistake))).collect()
}

/// Runs the executable on a mistake; returns what it prints, findings before the result.
fn explain(name: &str, mistake: &Mistake) -> String {
    let scratch = Scratch::empty("mistakes");
    let (folder, files) = match mistake {
        Mistake::Kept(files) => (folder(), files.clone()),
        Mistake::Made(bytes) => {
            scratch.write(&format!("{name}.json"), bytes);
            (scratch.root(), vec![format!("{name}.json")])
        }
    };
    // A workspace above the folder would lengthen the paths.
    let mut command = command(STAGES[1]);
    let run = Run::of(command.arg("--check").args(files).current_dir(&folder).env("RTT_ROOT", &folder));
    let is_valid = run.stdout.starts_with("[OK]");
    assert_eq!(run.code, Some(if is_valid { 0 } else { 65 }), "{name}: {run:#?}");
    run.stderr + &run.stdout
}

#[expect(clippy::disallowed_methods, reason = "the explanations are sources; nothing depends on their durability")]
fn update(explanations: &BTreeMap<String, String>) {
    for file in entries(&folder()).iter().filter(|file| file.ends_with(".txt")) {
        std::fs::remove_file(folder().join(file)).expect("a writable folder");
    }
    for (name, text) in explanations {
        std::fs::write(folder().join(format!("{name}.txt")), text).expect("a writable folder");
    }
}

#[test]
fn every_mistake_is_explained_word_for_word() {
    let found = explanations();
    if std::env::var_os("RTT_UPDATE").is_some_and(|value| value == "1") {
        return update(&found);
    }
    let kept = kept();
    let mut differences = Vec::new();
    for name in found.keys().chain(kept.keys()).collect::<BTreeSet<_>>() {
        match (kept.get(name), found.get(name)) {
            (Some(kept), Some(found)) if kept == found => {}
            (Some(kept), Some(found)) => differences.push(format!("{name}: expected\n{kept}\nfound\n{found}")),
            (None, Some(found)) => differences.push(format!("{name}.txt is missing, found\n{found}")),
            (_, None) => differences.push(format!("{name}.txt explains no mistake: there is no {name}.json")),
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ; RTT_UPDATE=1 rewrites them\n\n{}",
        differences.len(),
        found.len(),
        differences.join("\n")
    );
}

/// The explanations as they are kept, by name.
fn kept() -> BTreeMap<String, String> {
    let files = entries(&folder());
    let names = files.iter().filter_map(|file| file.strip_suffix(".txt"));
    names.map(|name| (name.to_owned(), read(&folder().join(format!("{name}.txt"))))).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The findings of an explanation, each the lines from its head on.
fn findings(explanation: &str) -> Vec<Vec<&str>> {
    let is_head =
        |line: &&str| ["error[RTT-M", "warning[RTT-M", "info[RTT-M"].iter().any(|head| line.starts_with(head));
    let mut findings: Vec<Vec<&str>> = Vec::new();
    for line in explanation.lines().take_while(|line| !line.starts_with("[OK]") && !line.starts_with("[FAIL]")) {
        if is_head(&line) {
            findings.push(Vec::new());
        }
        findings.last_mut().expect("an explanation begins with a finding").push(line);
    }
    findings
}

/// The head of a finding without what is particular to the file: quoted words and numbers.
fn shape(head: &str) -> String {
    let characters: Vec<char> = head.chars().collect();
    let is_word = |index: Option<usize>| {
        index.and_then(|index| characters.get(index)).is_some_and(|character| character.is_alphanumeric())
    };
    let mut out = String::new();
    let mut open = None;
    for (index, &character) in characters.iter().enumerate() {
        match (open, character) {
            (None, '\'') if is_word(index.checked_sub(1)) => out.push(character),
            (None, '\'' | '"') => open = Some(character),
            (Some(quote), _) if quote == character && !is_word(Some(index + 1)) => open = None,
            (None, other) if !other.is_ascii_digit() || out.ends_with("RTT-M") => out.push(other),
            _ => {}
        }
    }
    out
}

#[test]
fn every_explanation_says_where_and_what_to_do() {
    let mut shapes = BTreeSet::new();
    let mut problems = Vec::new();
    for (name, explanation) in &explanations() {
        let findings = findings(explanation);
        if findings.is_empty() {
            problems.push(format!("{name}: no finding"));
        }
        for finding in findings {
            shapes.insert(shape(finding[0]));
            let has = |test: &dyn Fn(&str) -> bool| finding.iter().any(|line| test(line.trim_start()));
            let place = finding.iter().find_map(|line| line.trim_start().strip_prefix("--> "));
            let numbers = place.map_or(0, |place| place.split(':').filter(|part| part.parse::<u32>().is_ok()).count());
            for (demand, is_met) in [
                ("line and column", numbers == 2),
                (
                    "the line itself",
                    has(&|line| line.split_once(" |").is_some_and(|(at, _)| at.parse::<u32>().is_ok())),
                ),
                ("a caret", has(&|line| line.starts_with('|') && line.ends_with('^'))),
                ("help", finding[0].starts_with("info") || has(&|line| line.starts_with("= help: "))),
            ] {
                if !is_met {
                    problems.push(format!("{name}: without {demand}: {}", finding[0]));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(shapes.len() >= LEAST, "{} different mistakes, expected {LEAST} or more: {shapes:#?}", shapes.len());
}

#[test]
fn a_check_needs_no_workspace_and_leaves_no_trace() {
    let scratch = Scratch::empty("nothing");
    scratch.write("valid.json", r#"{"symbol": "agent.storage.tsdb", "version": "1.2.0"}"#);
    scratch.write("invalid.json", r#"{"symbol": "agent.storage.tsdb"}"#);
    let check = |files: &[&str]| Run::of(command(STAGES[1]).arg("--check").args(files).current_dir(scratch.root()));
    check(&["valid.json"]).expect_code(0).expect_stdout("[OK] Checked 1 manifest in 1 file: valid");
    check(&["valid.json", "invalid.json"]).expect_code(65).expect_stderr("invalid.json:1:1");
    check(&["valid.json", "missing.json"]).expect_code(66).expect_stderr("missing.json");
    assert_eq!(entries(&scratch.root()), ["invalid.json", "valid.json"]);
}
