//! What the end-to-end tests share: a scratch copy of a workspace, the real executables, their output.

pub mod recipe;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

/// The six executables in pipeline order.
pub const STAGES: [&str; 6] =
    ["rtt-00-bootstrap", "rtt-10-scan", "rtt-20-depdoctor", "rtt-30-generate", "rtt-40-solver", "rtt-50-apply"];

/// Returns the repository's top folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in a folder of the repository")
}

/// Returns the path of an executable: in `$RTT_BIN`, else built now, so that a test never runs an old one.
pub fn executable(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match std::env::var_os("RTT_BIN") {
        Some(folder) => folder.into(),
        None => {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo)
                .args(["build", "--quiet", "--workspace", "--bins"])
                .current_dir(repository())
                .status();
            assert!(built.expect("cargo runs").success(), "the executables do not build");
            let test = std::env::current_exe().expect("a test has a path");
            test.ancestors().nth(2).expect("target/<profile>/deps/<test>").to_owned()
        }
    });
    folder.join(name)
}

/// Prepares a run of an executable, in an environment without CI variables.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(executable(name));
    for variable in
        ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "RTT_ROOT", "RTT_SIGNING_KEY", "RUST_LOG", "SOURCE_DATE_EPOCH"]
    {
        command.env_remove(variable);
    }
    command
}

/// A scratch copy of a workspace, removed when dropped.
pub struct Scratch {
    folder: tempfile::TempDir,
    name: String,
}

impl Scratch {
    /// Copies `tests/workspaces/<workspace>` into a folder of the given name.
    pub fn copy_of(workspace: &str, name: &str) -> Self {
        let scratch = Self::empty(name);
        copy(&repository().join("tests/workspaces").join(workspace), &scratch.root());
        scratch
    }

    /// An empty folder of the given name.
    pub fn empty(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("rtt-").tempdir().expect("a scratch folder");
        std::fs::create_dir(folder.path().join(name)).expect("a writable scratch folder");
        Self { folder, name: name.to_owned() }
    }

    /// Returns the workspace's root.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Returns the path of a file of the workspace.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// Reads a file of the workspace.
    pub fn read(&self, relative: &str) -> String {
        let path = self.path(relative);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Reads a JSON file of the workspace.
    pub fn json(&self, relative: &str) -> Value {
        serde_json::from_str(&self.read(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Replaces a file of the workspace.
    #[expect(clippy::disallowed_methods, reason = "tests prepare inputs; nothing depends on their durability")]
    pub fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("inside the root")).expect("a writable scratch folder");
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Prepares a run of a stage on this workspace, in an environment without CI variables.
    pub fn command(&self, stage: &str) -> Command {
        let mut command = command(stage);
        command.arg("--root").arg(self.root()).current_dir(self.folder.path());
        command
    }

    /// Runs a stage.
    pub fn run(&self, stage: &str, arguments: &[&str]) -> Run {
        Run::of(self.command(stage).args(arguments))
    }

    /// Runs stages in order, each of which must succeed.
    pub fn run_all(&self, stages: &[&str]) {
        for stage in stages {
            self.run(stage, &[]).expect_code(0);
        }
    }

    /// Returns the content of every file below a folder by its path, symlinks as what they point at.
    pub fn tree(&self, relative: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(relative), relative, &mut files);
        files
    }
}

/// What a process printed and returned.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = |bytes| String::from_utf8(bytes).expect("the executables print UTF-8");
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Demands an exit code.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Demands a text in the standard output.
    pub fn expect_stdout(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "expected '{text}' in {self:#?}");
        self
    }

    /// Demands a text in the standard error.
    pub fn expect_stderr(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "expected '{text}' in {self:#?}");
        self
    }

    /// Reads the standard output as one JSON document.
    pub fn summary(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["-R", "-T"]).arg(from).arg(to).status().expect("cp runs");
    assert!(copied.success(), "cannot copy {}", from.display());
}

fn collect(folder: &Path, relative: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        let relative = format!("{relative}/{name}");
        if path.is_symlink() {
            let target = std::fs::read_link(&path).expect("a readable link");
            files.insert(relative, target.into_os_string().into_encoded_bytes());
        } else if path.is_dir() {
            collect(&path, &relative, files);
        } else if path.is_file() {
            files.insert(relative, std::fs::read(&path).expect("a readable file"));
        }
    }
}
