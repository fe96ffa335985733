//! Tells the planner which version of itself it is: what it remembers of an earlier run counts only for the very same
//! engine, and a version number that somebody has to raise is forgotten once.

use std::path::{Path, PathBuf};

/// The folder of the engine's sources, relative to the package.
const ENGINE: &str = "src/planner";

fn main() {
    println!("cargo::rerun-if-changed={ENGINE}");
    println!("cargo::rustc-env=RTT_ENGINE={:016x}", digest(Path::new(ENGINE)));
}

/// FNV-1a over names and contents of the sources, by name; tests are no part of the engine.
fn digest(folder: &Path) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325;
    for file in sources(folder) {
        let name = file.file_name().expect("a file").as_encoded_bytes().to_vec();
        let content = std::fs::read(&file).expect("a readable source");
        for byte in name.into_iter().chain(content) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    digest
}

/// The sources in a folder and those below it, by name.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the planner's sources lie in its folder");
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() && !entry.ends_with("tests") {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") && !entry.ends_with("tests.rs") {
            files.push(entry);
        }
    }
    files
}
