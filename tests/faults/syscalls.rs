//! Stage 50 or a tool under strace, which counts its system calls, kills it at one, or lets one fail.

use std::process::Command;

use rtt_tests::{Run, Scratch, executable};

use crate::scene::{APPLY, copy};

/// System calls that change what survives a crash, or that talk to others.
const CALLS: &str = "write,pwrite64,writev,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,\
                     mkdir,mkdirat,ftruncate,fsync,fdatasync,sync_file_range,fchmod,openat,syncfs,connect,sendto";

/// One call of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) call: String,
    /// From 1, per kind.
    pub(crate) nth: usize,
    /// Its line in the trace.
    pub(crate) line: String,
}

fn strace(program: &str, scratch: &Scratch, options: &[&str], arguments: &[&str]) -> Run {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(options);
    // strace counts per thread, so there must be only one.
    strace.arg(executable(program)).arg("--root").arg(scratch.root());
    if program != SIGN {
        strace.args(["--jobs", "1"]);
    }
    strace.args(arguments);
    for variable in ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "RTT_ROOT", "RTT_SIGNING_KEY", "RUST_LOG"] {
        strace.env_remove(variable);
    }
    Run::of(&mut strace)
}

/// The tool that has one thread only.
pub(crate) const SIGN: &str = "rtt-sign";

/// Lists the calls of an apply that change something, made on a copy that is thrown away.
pub(crate) fn points(prepared: &Scratch, arguments: &[&str]) -> Vec<Point> {
    points_of(APPLY, prepared, arguments)
}

/// As [`points`], of any executable.
pub(crate) fn points_of(program: &str, prepared: &Scratch, arguments: &[&str]) -> Vec<Point> {
    let scratch = copy(prepared);
    let log = scratch.root().with_extension("strace");
    let run =
        strace(program, &scratch, &["-e", &format!("trace={CALLS}"), "-o", log.to_str().expect("UTF-8")], arguments);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let text = std::fs::read_to_string(&log).expect("strace wrote its log");
    let mut counts = std::collections::BTreeMap::new();
    let mut points = Vec::new();
    for line in text.lines() {
        let Some(call) = line.split_once(' ').and_then(|(_, rest)| rest.trim_start().split_once('(')).map(|(c, _)| c)
        else {
            continue;
        };
        let nth: &mut usize = counts.entry(call.to_owned()).or_default();
        *nth += 1;
        // Opening a file changes nothing unless it is created.
        if CALLS.split(',').any(|known| known == call) && (call != "openat" || line.contains("O_CREAT")) {
            points.push(Point { call: call.to_owned(), nth: *nth, line: line.to_owned() });
        }
    }
    points
}

/// Kills an apply when it enters a call; tells whether it died.
pub(crate) fn kill(scratch: &Scratch, point: &Point, arguments: &[&str]) -> bool {
    kill_of(APPLY, scratch, point, arguments)
}

/// As [`kill`], of any executable.
pub(crate) fn kill_of(program: &str, scratch: &Scratch, point: &Point, arguments: &[&str]) -> bool {
    let inject = format!("inject={}:signal=KILL:when={}", point.call, point.nth);
    let options = ["-o", "/dev/null", "-e", &format!("trace={}", point.call), "-e", &inject];
    let run = strace(program, scratch, &options, arguments);
    run.code.is_none() || run.code == Some(137)
}

/// Lets a call of an apply return an error; with `for_good` all later ones of its kind as well.
pub(crate) fn fail(scratch: &Scratch, point: &Point, error: &str, for_good: bool) -> Run {
    fail_of(APPLY, scratch, point, (error, for_good), &[])
}

/// As [`fail`], of any executable.
pub(crate) fn fail_of(
    program: &str,
    scratch: &Scratch,
    point: &Point,
    (error, for_good): (&str, bool),
    arguments: &[&str],
) -> Run {
    let more = if for_good { "+" } else { "" };
    let inject = format!("inject={}:error={error}:when={}{more}", point.call, point.nth);
    let options = ["-o", "/dev/null", "-e", &format!("trace={}", point.call), "-e", &inject];
    strace(program, scratch, &options, arguments)
}

/// Runs stage 50 and returns every call that changes something, with whole data in hexadecimal and the files' paths.
pub(crate) fn record(scratch: &Scratch) -> String {
    let log = scratch.root().with_extension("strace");
    let options =
        ["-y", "-xx", "-s", "10000000", "-e", &format!("trace={CALLS},close"), "-o", log.to_str().expect("UTF-8")];
    let run = strace(APPLY, scratch, &options, &[]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    std::fs::read_to_string(&log).expect("strace wrote its log")
}

/// Tells which files of the workspace a run opens for writing or changes.
pub(crate) fn writes(scratch: &Scratch, arguments: &[&str]) -> (Run, Vec<String>) {
    let log = scratch.root().with_extension("strace");
    let options = ["-y", "-e", "trace=%file,%desc", "-o", log.to_str().expect("UTF-8")];
    let run = strace(APPLY, scratch, &options, arguments);
    let text = std::fs::read_to_string(&log).expect("strace wrote its log");
    let root = scratch.root().display().to_string();
    let changes =
        ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", " rename", " unlink", " mkdir", " rmdir", " link", " symlink"];
    let more = [" ftruncate", " fchmod", " chmod", " write(", " pwrite64(", " fsync", " utimensat"];
    let lines = text.lines().filter(|line| line.contains(&root));
    let changing = lines.filter(|line| changes.iter().chain(&more).any(|call| line.contains(call)));
    (run, changing.map(str::to_owned).collect())
}
