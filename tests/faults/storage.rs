//! A storage model below the code: the calls of a real apply are recorded, and every state is built that a crash could
//! leave of them on a file system that promises only what POSIX does. What was not synced may be lost, torn, or survive
//! without what came before it: bytes until `fsync` of the file, names until `fsync` of the folder.
//!
//! Small sets of unsynced operations are tried exhaustively, larger ones by a fixed random sequence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rtt_tests::Scratch;

use crate::scene::{Reached, Scene, report, sample};
use crate::syscalls::record;

/// Sets of unsynced operations up to this size are tried whole.
const EXHAUSTIVE: usize = 6;
/// How many random subsets of larger ones are tried.
const RANDOM: usize = 64;

/// What the process did, with file paths relative to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Operation {
    Create(String),
    Write(String, Vec<u8>),
    SyncFile(String),
    SyncFolder(String),
    Rename(String, String),
    Unlink(String),
    Mkdir(String),
}

/// How one unsynced operation came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lost,
    Torn,
    Kept,
}

/// A file's content after a crash by its path; `None` is no file.
type State = BTreeMap<String, Option<Vec<u8>>>;

#[test]
fn what_a_crash_leaves_of_the_first_apply_is_recovered() {
    explore(&Scene::first(), 30);
}

#[test]
fn what_a_crash_leaves_of_a_later_apply_is_recovered() {
    explore(&Scene::later(), 30);
}

fn explore(scene: &Scene, few: usize) {
    let recorded = scene.copy();
    let operations = operations(&record(&recorded), &recorded.root());
    assert!(
        operations.iter().any(|operation| matches!(operation, Operation::Rename(_, to) if to == ".rtt/routes.json"))
    );
    let mut seen = BTreeSet::new();
    let mut states = Vec::new();
    for cut in 0..=operations.len() {
        for (number, state) in crashes(&operations[..cut]).into_iter().enumerate() {
            if seen.insert((state.clone(), cut == operations.len())) {
                states.push((cut, number, state));
            }
        }
    }
    let total = states.len();
    // The last cuts are after the process reported success.
    let finished: Vec<_> = states.iter().filter(|(cut, ..)| *cut == operations.len()).cloned().collect();
    let mut chosen = sample(states, few);
    chosen.extend(finished);
    let (mut tried, mut old) = (0, 0);
    for (cut, number, state) in chosen {
        let scratch = scene.copy();
        materialise(&scratch, &state);
        let what = format!("crash {number} after call {cut} of {}: {:?}", operations.len(), operations.get(cut));
        let reached = scene.recover(&scratch, &what);
        assert!(cut < operations.len() || reached == Reached::New, "{what}: reported as applied, and lost");
        tried += 1;
        old += usize::from(reached == Reached::Old);
    }
    report(&format!("faults: {tried} of {total} crash states: {old} old, {} new", tried - old));
    assert!(old > 3 && tried - old > 3);
}

/// Reads strace's log; telemetry is left out, which is nothing to recover.
fn operations(log: &str, root: &Path) -> Vec<Operation> {
    let root = format!("{}/", root.display());
    let inside = |path: &str| path.strip_prefix(&root).map(|path| path.trim_end_matches('/').to_owned());
    let mut found = Vec::new();
    for line in log.lines() {
        let Some((call, rest)) = line.split_once(' ').and_then(|(_, rest)| rest.trim_start().split_once('(')) else {
            continue;
        };
        if !rest.contains(" = ") || rest.contains(" = -1 ") {
            continue;
        }
        let texts: Vec<Vec<u8>> = rest.split('"').skip(1).step_by(2).map(bytes).collect();
        let paths: Vec<String> = texts.iter().filter_map(|text| inside(std::str::from_utf8(text).ok()?)).collect();
        let of_descriptor = || {
            let text = rest.split_once('<')?.1.split_once('>')?.0;
            inside(&String::from_utf8(bytes(text)).ok()?)
        };
        let operation = match (call, paths.as_slice()) {
            ("openat", [path]) if rest.contains("O_CREAT") => Some(Operation::Create(path.clone())),
            ("write", _) => {
                of_descriptor().zip(texts.first().cloned()).map(|(path, bytes)| Operation::Write(path, bytes))
            }
            ("fsync" | "fdatasync", _) => of_descriptor().map(|path| {
                let is_file = found.iter().any(|earlier| matches!(earlier, Operation::Create(file) if *file == path));
                if is_file { Operation::SyncFile(path) } else { Operation::SyncFolder(path) }
            }),
            ("rename" | "renameat" | "renameat2", [from, to]) => Some(Operation::Rename(from.clone(), to.clone())),
            ("unlink" | "unlinkat" | "rmdir", [path]) => Some(Operation::Unlink(path.clone())),
            ("mkdir" | "mkdirat", [path]) => Some(Operation::Mkdir(path.clone())),
            _ => None,
        };
        found.extend(operation.filter(|operation| !format!("{operation:?}").contains("telemetry")));
    }
    found
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.split("\\x").skip(1);
    digits.map(|two| u8::from_str_radix(&two[..2], 16).expect("strace -xx writes two digits")).collect()
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the states that a crash after these operations can leave.
fn crashes(done: &[Operation]) -> Vec<State> {
    let inodes = inodes(done);
    let is_synced = |index: usize| {
        let later = &done[index + 1..];
        let folder =
            |path: &str| later.iter().any(|op| matches!(op, Operation::SyncFolder(at) if at == folder_of(path)));
        match &done[index] {
            Operation::Create(path) | Operation::Unlink(path) | Operation::Mkdir(path) => folder(path),
            Operation::Rename(_, to) => folder(to),
            Operation::Write(..) => {
                let inode = inodes[index];
                (index + 1..done.len())
                    .any(|later| matches!(done[later], Operation::SyncFile(_)) && inodes[later] == inode)
            }
            Operation::SyncFile(_) | Operation::SyncFolder(_) => true,
        }
    };
    let unsynced: Vec<usize> = (0..done.len()).filter(|index| !is_synced(*index)).collect();
    let fates = |index: usize| -> &[Fate] {
        match &done[index] {
            Operation::Write(..) => &[Fate::Lost, Fate::Torn, Fate::Kept],
            _ => &[Fate::Lost, Fate::Kept],
        }
    };
    let mut choices: Vec<Vec<Fate>> = vec![Vec::new()];
    if unsynced.len() <= EXHAUSTIVE {
        for index in &unsynced {
            choices = choices
                .iter()
                .flat_map(|chosen| fates(*index).iter().map(|fate| [chosen.as_slice(), &[*fate]].concat()))
                .collect();
        }
    } else {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        choices = (0..RANDOM)
            .map(|_| {
                let choose = |index: &usize| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let options = fates(*index);
                    options[usize::try_from(random >> 33).expect("31 bits") % options.len()]
                };
                unsynced.iter().map(choose).collect()
            })
            .collect();
    }
    choices.into_iter().map(|chosen| replay(done, &inodes, &unsynced.iter().copied().zip(chosen).collect())).collect()
}

/// Returns which file each operation is about, by the number of the operation that created it.
fn inodes(done: &[Operation]) -> Vec<Option<usize>> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut inodes = Vec::new();
    for (index, operation) in done.iter().enumerate() {
        inodes.push(match operation {
            Operation::Create(path) => Some(*names.entry(path.clone()).or_insert(index)),
            Operation::Rename(from, to) => {
                let inode = names.remove(from);
                inode.map(|inode| names.insert(to.clone(), inode));
                inode
            }
            Operation::Unlink(path) => names.remove(path),
            Operation::Write(path, _) | Operation::SyncFile(path) => names.get(path).copied(),
            Operation::SyncFolder(_) | Operation::Mkdir(_) => None,
        });
    }
    inodes
}

fn replay(done: &[Operation], inodes: &[Option<usize>], fates: &BTreeMap<usize, Fate>) -> State {
    let mut names: BTreeMap<String, Option<usize>> = BTreeMap::new();
    let mut content: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    for (index, operation) in done.iter().enumerate() {
        let fate = fates.get(&index).copied().unwrap_or(Fate::Kept);
        match (operation, inodes[index]) {
            (Operation::Write(_, bytes), Some(inode)) => {
                let file = content.entry(inode).or_default();
                match fate {
                    Fate::Kept => file.extend(bytes),
                    Fate::Torn => file.extend(&bytes[..bytes.len() / 2]),
                    Fate::Lost => file.extend(vec![0; bytes.len()]),
                }
            }
            (_, _) if fate == Fate::Lost => {}
            (Operation::Create(path), Some(inode)) => drop(names.insert(path.clone(), Some(inode))),
            (Operation::Rename(from, to), Some(inode)) => {
                names.insert(from.clone(), None);
                names.insert(to.clone(), Some(inode));
            }
            (Operation::Unlink(path), _) => drop(names.insert(path.clone(), None)),
            _ => {}
        }
    }
    let files = names.into_iter().filter(|(path, _)| !path.ends_with("apply.lock"));
    files.map(|(path, inode)| (path, inode.map(|inode| content.get(&inode).cloned().unwrap_or_default()))).collect()
}

fn materialise(scratch: &Scratch, state: &State) {
    for (path, content) in state {
        match content {
            Some(bytes) => scratch.write(path, bytes),
            None => drop(std::fs::remove_file(scratch.path(path))),
        }
    }
}

/// The model itself: what a careless and a careful writer can lose.
#[test]
fn the_model_loses_what_is_not_synced() {
    use Operation::{Create, Rename, SyncFile, SyncFolder, Write};
    let [file, temporary] = ["d/file".to_owned(), "d/tmp".to_owned()];
    let careless =
        [Create(temporary.clone()), Write(temporary.clone(), b"new".into()), Rename(temporary.clone(), file.clone())];
    let contents = |operations: &[Operation]| -> BTreeSet<Option<Vec<u8>>> {
        crashes(operations).iter().map(|state| state.get(&file).cloned().flatten()).collect()
    };
    let lost = contents(&careless);
    assert!(lost.contains(&Some(vec![0, 0, 0])) && lost.contains(&Some(b"n".to_vec())) && lost.contains(&None));
    let careful = [
        careless[0].clone(),
        careless[1].clone(),
        SyncFile(temporary.clone()),
        careless[2].clone(),
        SyncFolder("d".to_owned()),
    ];
    assert_eq!(contents(&careful), BTreeSet::from([Some(b"new".to_vec())]));
    assert_eq!(contents(&careful[..4]), BTreeSet::from([None, Some(b"new".to_vec())]));
}
