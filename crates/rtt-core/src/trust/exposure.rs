//! Private keys where they would be handed on: CI jobs pass `.rtt/` and `plans/` to each other as artifacts.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};
use crate::workspace::{Workspace, layout};

/// How much of a file is looked at, in bytes; a PEM file says what it is in its first line.
const HEAD: u64 = 4096;
/// Folders in which keys could be left. The others hold what stages make, and sockets.
const FOLDERS: [&str; 5] = [layout::STATE, layout::MANIFESTS, layout::TUNED, layout::KEYS, layout::PLANS];

/// Finds private keys that should not be where they are: anywhere but in their own file, and on a CI machine, whose
/// folders are about to be shared, there too. What cannot be read is passed over.
pub fn exposed_keys(workspace: &Workspace, is_ci: bool) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for path in FOLDERS.iter().flat_map(|folder| files(&workspace.path(folder))) {
        let name = workspace.relative(&path);
        let is_own = name == layout::PRIVATE_KEY;
        if (is_own && !is_ci) || !(name.ends_with(".priv") || is_private_key(&path)) {
            continue;
        }
        let finding =
            Diagnostic::warning("RTT-K006", "a private key lies in a folder that CI jobs hand on as an artifact");
        let help = if is_own {
            "exclude *.priv from every artifact, or give the key as the secret RTT_SIGNING_KEY instead"
        } else {
            "move it out of .rtt/ and plans/; whoever may have seen it can sign plans, so revoke it if it was shared"
        };
        findings.push(finding.at(Place::file(name)).help(help));
    }
    findings
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).map(|entry| entry.path()).collect()
}

fn is_private_key(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let mark: &[u8] = b"PRIVATE KEY-----";
    read.is_ok() && head.windows(mark.len()).any(|window| window == mark)
}
