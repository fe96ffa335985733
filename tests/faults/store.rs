//! The store and the keys, when whoever changes them is killed or refused at any call: every object is whole, the index is
//! the old or the new one, whoever signs is trusted, and doing it again completes it.

use std::collections::BTreeMap;

use rtt_tests::{STAGES, Scratch};

use crate::scene::{copy, expect, report, sample};
use crate::syscalls::{SIGN, fail_of, kill_of, points_of};

const CAS: &str = "rtt-cas";
const INDEX: &str = ".rtt/registry/index.json";
const OBJECTS: &str = ".rtt/registry/cas/sha256";

/// A store before a change, and what it is to become.
struct Change {
    prepared: Scratch,
    arguments: Vec<String>,
    old: State,
    new: State,
}

/// The index and the objects.
type State = (String, BTreeMap<String, Vec<u8>>);

fn state(scratch: &Scratch) -> State {
    (scratch.read(INDEX), scratch.tree(OBJECTS))
}

fn run(scratch: &Scratch, arguments: &[String]) {
    scratch.run(CAS, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect_code(0);
}

impl Change {
    fn of(prepared: Scratch, arguments: Vec<String>) -> Self {
        let old = state(&prepared);
        let finished = copy(&prepared);
        run(&finished, &arguments);
        let new = state(&finished);
        assert!(old != new);
        Self { prepared, arguments, old, new }
    }

    fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }

    /// Demands what an interrupted change may leave, and that doing it again completes it. Tells whether the new index
    /// was reached.
    fn check(&self, scratch: &Scratch, what: &str) -> bool {
        let verify = scratch.run(CAS, &["verify"]);
        assert_eq!(verify.code, Some(0), "{what}: {verify:#?}");
        let (index, objects) = state(scratch);
        let is_new = index == self.new.0;
        assert!(is_new || index == self.old.0, "{what}: neither the old nor the new index, but {index}");
        for (path, content) in &objects {
            assert!(self.old.1.get(path).or(self.new.1.get(path)) == Some(content), "{what}: {path} is not whole");
        }
        run(scratch, &self.arguments);
        assert!(state(scratch) == self.new, "{what}: doing it again");
        let left: Vec<String> = scratch.tree(".rtt/registry").into_keys().filter(|path| path.contains("tmp")).collect();
        assert!(left.is_empty(), "{what}: left behind {left:?}");
        is_new
    }

    fn kill_everywhere(&self, name: &str, few: usize) {
        let mut all = points_of(CAS, &self.prepared, &self.arguments());
        let (total, mut old, mut new) = (all.len(), 0, 0);
        // Behind the switch of the index there are few calls.
        let last = all.split_off(total - 4);
        for point in sample(all, few).into_iter().chain(last) {
            let scratch = copy(&self.prepared);
            let what = format!("{name} killed at {} {}", point.call, point.nth);
            assert!(kill_of(CAS, &scratch, &point, &self.arguments()), "{what}: it survived");
            *(if self.check(&scratch, &what) { &mut new } else { &mut old }) += 1;
        }
        report(&format!("faults: {name}: {} of {total} kills: {old} old, {new} new", old + new));
        assert!(old > 3 && new > 0, "both sides of the switch of the index: {old} old, {new} new");
    }
}

/// A store with one agent.
fn prepared() -> Scratch {
    let scratch = Scratch::copy_of("quickstart", "prepared");
    scratch.run_all(&STAGES[..1]);
    scratch.write("blob", "bytes");
    run(&scratch, &["ingest".to_owned(), scratch.path("agents/api/auth.agent.json").display().to_string()]);
    scratch
}

fn everything(scratch: &Scratch) -> Vec<String> {
    let files = [scratch.tree("agents"), scratch.tree("providers")];
    let files = files.iter().flat_map(|tree| tree.keys()).filter(|path| path.ends_with(".json"));
    let files = files.map(|path| scratch.path(path).display().to_string());
    ["ingest".to_owned(), scratch.path("blob").display().to_string()].into_iter().chain(files).collect()
}

#[test]
fn a_killed_ingest_leaves_nothing_half_stored() {
    let scratch = prepared();
    let arguments = everything(&scratch);
    Change::of(scratch, arguments).kill_everywhere("ingest", 24);
}

#[test]
fn a_killed_unpack_leaves_nothing_half_stored() {
    let scratch = prepared();
    let full = copy(&scratch);
    run(&full, &everything(&full));
    let archive = scratch.path("store.tar").display().to_string();
    full.run(CAS, &["pack", &archive]).expect_code(0);
    Change::of(scratch, vec!["unpack".to_owned(), archive]).kill_everywhere("unpack", 10);
}

#[test]
fn an_ingest_that_is_refused_a_call_leaves_nothing_half_stored() {
    let scratch = prepared();
    let arguments = everything(&scratch);
    let change = Change::of(scratch, arguments);
    let is_printed = |line: &str| ["write(1", "write(2"].iter().any(|call| line.contains(call));
    let calls = points_of(CAS, &change.prepared, &change.arguments()).into_iter();
    let all: Vec<_> = calls
        .filter(|point| !is_printed(&point.line))
        .flat_map(|point| [("EIO", false), ("ENOSPC", true), ("EACCES", false)].map(|error| (point.clone(), error)))
        .collect();
    let (total, mut tried) = (all.len(), 0);
    for (point, error) in sample(all, 24) {
        let scratch = copy(&change.prepared);
        let what = format!("{} at {} {}", error.0, point.call, point.nth);
        let run = fail_of(CAS, &scratch, &point, error, &change.arguments());
        expect(&run, &[0, 73, 74, 77], &what);
        let is_new = change.check(&scratch, &what);
        assert!(is_new || run.code != Some(0), "{what}: reported as stored, and lost: {run:#?}");
        tried += 1;
    }
    report(&format!("faults: ingest: {tried} of {total} errors"));
}

#[test]
fn whoever_signs_is_trusted_wherever_a_rotation_is_killed() {
    let prepared = Scratch::copy_of("quickstart", "prepared");
    prepared.run_all(&STAGES[..5]);
    let arguments = ["keys", "rotate"];
    let all = points_of(SIGN, &prepared, &arguments);
    let (total, mut tried) = (all.len(), 0);
    for point in sample(all, 16) {
        tried += 1;
        let scratch = copy(&prepared);
        let what = format!("killed at {} {}", point.call, point.nth);
        assert!(kill_of(SIGN, &scratch, &point, &arguments), "{what}: it survived");
        // The plan of before, then whoever signs now.
        for arguments in [&["verify"][..], &[], &["verify"], &["keys", "rotate"], &["verify"]] {
            let run = scratch.run(SIGN, arguments);
            assert_eq!(run.code, Some(0), "{what}: {arguments:?}: {run:#?}");
            assert!(!run.stderr.contains("not a trusted key"), "{what}: {run:#?}");
        }
        let left: Vec<String> = scratch.tree(".rtt/registry").into_keys().filter(|path| path.contains("tmp")).collect();
        assert!(left.is_empty(), "{what}: left behind {left:?}");
    }
    report(&format!("faults: rotation: {tried} of {total} kills"));
}
