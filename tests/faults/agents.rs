//! Running agents that vote late, lie, answer twice, hang, or die before or after each message.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rtt_tests::{STAGES, Scratch};
use serde_json::{Value, json};

use crate::scene::{APPLY, Reached, Scene, active, expect};

const AGENT: &str = "agents/api/metrics.agent.json";

/// What an agent does with one request; the rest it does as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Votes ABORT.
    Refuses,
    /// A vote that is none.
    Mumbles,
    /// No JSON.
    Babbles,
    /// Another request's id.
    Misaddresses,
    /// Says first what another request would be told, then the answer, twice.
    Stutters,
    /// More than anybody wants to read.
    Floods,
    /// Says nothing to this method.
    Hangs(&'static str),
    /// A byte now and then.
    Drips,
    /// Answers after a while, but in time.
    IsLate,
    /// Ends without an answer to this method, and is never back.
    DiesBefore(&'static str),
    /// Ends after its answer to this method.
    DiesAfter(&'static str),
    /// Says that it has not committed.
    Denies,
}

/// An agent on its control socket until it is dropped or dies.
struct Agent {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    heard: Arc<Mutex<Vec<Value>>>,
    path: PathBuf,
}

impl Agent {
    fn new(scratch: &Scratch, manner: Manner) -> Self {
        let manifest = scratch.json(AGENT);
        let name = format!(
            "{}@{}.ctl.sock",
            manifest["symbol"].as_str().expect("as it was made"),
            manifest["version"].as_str().expect("as it was made")
        );
        let path = scratch.path(&format!(".rtt/sockets/{name}"));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let (stop, heard) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let thread = std::thread::spawn({
            let (stop, heard) = (Arc::clone(&stop), Arc::clone(&heard));
            move || serve(&listener, manner, &stop, &heard)
        });
        Self { stop, thread: Some(thread), heard, path }
    }

    fn heard(&self, method: &str) -> usize {
        self.heard.lock().expect("a list").iter().filter(|request| request["method"] == method).count()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(listener: &UnixListener, manner: Manner, stop: &AtomicBool, heard: &Mutex<Vec<Value>>) {
    let mut held = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        stream.set_nonblocking(false).expect("a socket");
        match answer(&stream, manner, stop, heard) {
            Next::Serve => {}
            Next::Hold => held.push(stream),
            Next::Die => return,
        }
    }
}

enum Next {
    Serve,
    Hold,
    Die,
}

fn answer(mut stream: &UnixStream, manner: Manner, stop: &AtomicBool, heard: &Mutex<Vec<Value>>) -> Next {
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line);
    let Ok(request) = serde_json::from_str::<Value>(&line) else {
        return if read.is_ok() { Next::Serve } else { Next::Die };
    };
    heard.lock().expect("a list").push(request.clone());
    let method = request["method"].as_str().unwrap_or_default();
    let result = match method {
        "rtt.prepare" if manner == Manner::Refuses => json!({"vote": "ABORT", "reason": "no room"}),
        "rtt.prepare" if manner == Manner::Mumbles => json!({"vote": "MAYBE"}),
        "rtt.prepare" => json!({"vote": "READY"}),
        "rtt.status" if manner == Manner::Denies => json!({"state": "prepared"}),
        "rtt.status" => json!({"state": "committed"}),
        _ => json!({}),
    };
    let good = format!("{}\n", json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    let other = format!("{}\n", json!({"jsonrpc": "2.0", "id": "another", "result": {"vote": "ABORT"}}));
    let prepare = method == "rtt.prepare";
    let text = match manner {
        Manner::DiesBefore(at) if at == method => return Next::Die,
        Manner::Hangs(at) if at == method => return Next::Hold,
        Manner::Drips if prepare => {
            for byte in good.bytes().cycle() {
                if stop.load(Ordering::Relaxed) || stream.write_all(&[byte & 0x3f | 0x40]).is_err() {
                    return Next::Serve;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            unreachable!("it ends by an error")
        }
        Manner::Babbles if prepare => "READY\n".to_owned(),
        Manner::Misaddresses if prepare => good.replace(":prepare", ":commit"),
        Manner::Stutters => format!("{other}{good}{good}{other}"),
        Manner::Floods if prepare => "x".repeat(3 << 20),
        _ => good,
    };
    if manner == Manner::IsLate {
        std::thread::sleep(Duration::from_millis(300));
    }
    let _ = stream.write_all(text.as_bytes());
    if matches!(manner, Manner::DiesAfter(at) if at == method) { Next::Die } else { Next::Serve }
}

/// A workspace where one agent wants to vote.
fn voting() -> Scratch {
    let scratch = Scratch::copy_of("quickstart", "voting");
    let mut manifest = scratch.json(AGENT);
    manifest["endpoint"]["control"] = "uds".into();
    scratch.write(AGENT, manifest.to_string());
    scratch.run_all(&STAGES[..5]);
    scratch
}

/// The scene, whose new state is found with an honest agent.
fn scene() -> Scene {
    let prepared = voting();
    let finished = crate::scene::copy(&prepared);
    let agent = Agent::new(&finished, Manner::Honest);
    finished.run(APPLY, &[]).expect_code(0);
    assert_eq!((agent.heard("rtt.prepare"), agent.heard("rtt.commit"), agent.heard("rtt.status")), (1, 1, 1));
    Scene { old: active(&prepared), new: active(&finished), prepared }
}

const SHORT: [&str; 2] = ["--participant-timeout", "1"];

#[test]
fn an_agent_that_does_not_vote_ready_stops_the_apply() {
    use Manner::{Babbles, DiesBefore, Drips, Floods, Hangs, Misaddresses, Mumbles, Refuses};
    let scene = scene();
    let prepare = "rtt.prepare";
    for manner in [Refuses, Mumbles, Babbles, Misaddresses, Floods, Hangs(prepare), Drips, DiesBefore(prepare)] {
        let what = format!("{manner:?}");
        let scratch = scene.copy();
        let agent = Agent::new(&scratch, manner);
        let run = scratch.run(APPLY, &SHORT);
        expect(&run, &[3], &what);
        assert!(run.stdout.contains("ABORT: ") && run.stdout.contains("rolled back"), "{what}: no table in {run:#?}");
        assert_eq!(scene.reached(&scratch, &what), Reached::Old);
        assert_eq!(agent.heard("rtt.commit"), 0, "{what}: told to commit without a decision");
        drop(agent);
        let _honest = Agent::new(&scratch, Manner::Honest);
        expect(&scratch.run(APPLY, &[]), &[0], &what);
    }
}

#[test]
fn an_agent_that_is_late_or_answers_twice_is_understood() {
    let scene = scene();
    for manner in [Manner::IsLate, Manner::Stutters] {
        let scratch = scene.copy();
        let _agent = Agent::new(&scratch, manner);
        expect(&scratch.run(APPLY, &[]), &[0], &format!("{manner:?}"));
        assert_eq!(scene.reached(&scratch, "done"), Reached::New);
    }
}

#[test]
fn an_agent_that_dies_after_its_vote_is_told_by_a_later_run() {
    let scene = scene();
    for manner in [Manner::DiesAfter("rtt.prepare"), Manner::DiesBefore("rtt.commit"), Manner::Hangs("rtt.commit")] {
        let what = format!("{manner:?}");
        let scratch = scene.copy();
        let agent = Agent::new(&scratch, manner);
        let run = scratch.run(APPLY, &SHORT);
        expect(&run, &[3], &what);
        assert!(run.stdout.contains("Decided to commit, but not finished"), "{what}: {run:#?}");
        assert_eq!(scene.reached(&scratch, &what), Reached::New, "{what}: what was decided is active");
        drop(agent);
        // Nothing new begins before it is finished.
        expect(&scratch.run(APPLY, &SHORT), &[3], &what);
        scratch.run(APPLY, &["--status", "--participant-timeout", "1"]).expect_code(0).expect_stdout("unfinished");
        let agent = Agent::new(&scratch, Manner::Honest);
        expect(&scratch.run(APPLY, &["--recover"]), &[0], &what);
        assert_eq!((agent.heard("rtt.prepare"), agent.heard("rtt.commit")), (0, 1), "{what}");
        assert!(
            agent.heard.lock().expect("as it was made")[0]["params"]["routes"]
                .as_array()
                .is_some_and(|own| !own.is_empty())
        );
        assert_eq!(scene.reached(&scratch, &what), Reached::New);
        expect(&scratch.run(APPLY, &["--status", "--verify-wal", "--detailed-exitcode"]), &[0], &what);
    }
}

/// As long as an agent makes an apply wait, no other one begins.
#[test]
fn an_apply_holds_the_lock_as_long_as_an_agent_takes() {
    for method in ["rtt.prepare", "rtt.commit", "rtt.status"] {
        let scratch = scene().copy();
        let agent = Agent::new(&scratch, Manner::Hangs(method));
        let mut command = scratch.command(APPLY);
        command.args(["--participant-timeout", "60"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut waiting = command.spawn().expect("it starts");
        while agent.heard(method) == 0 {
            assert_eq!(waiting.try_wait().expect("a child"), None, "it ended before {method}");
            std::thread::sleep(Duration::from_millis(5));
        }
        expect(&scratch.run(APPLY, &["--lock-timeout", "0"]), &[5], method);
        assert_eq!(waiting.try_wait().expect("a child"), None, "it ended after {method}");
        waiting.kill().expect("it runs");
        waiting.wait().expect("it ends");
    }
}

/// An agent that is gone for good holds nobody up once its manifest is gone.
#[test]
fn an_agent_that_is_not_registered_any_more_is_not_waited_for() {
    let scratch = scene().copy();
    let agent = Agent::new(&scratch, Manner::DiesAfter("rtt.prepare"));
    expect(&scratch.run(APPLY, &SHORT), &[3], "dead after its vote");
    drop(agent);
    std::fs::remove_file(scratch.path(AGENT)).expect("a manifest");
    scratch.run_all(&STAGES[1..2]);
    expect(&scratch.run(APPLY, &["--recover", "--participant-timeout", "1"]), &[0], "its manifest is gone");
}

#[test]
fn a_commit_that_an_agent_denies_is_reverted() {
    for manner in [Manner::Denies, Manner::DiesAfter("rtt.commit"), Manner::DiesBefore("rtt.status")] {
        let scene = scene();
        let scratch = scene.copy();
        let what = format!("{manner:?}");
        let agent = Agent::new(&scratch, manner);
        let run = scratch.run(APPLY, &SHORT);
        expect(&run, &[3], &what);
        assert!(run.stdout.contains("went back to the old state"), "{what}: {run:#?}");
        let routes = scratch.json(".rtt/routes.json");
        let is_active = |entry: &Value| entry.get("status").is_some();
        assert!(!routes["routes"].as_array().expect("as it was made").iter().any(is_active), "{what}: {routes:#}");
        assert_eq!(routes["generation"], 2, "{what}: the generation never goes back");
        drop(agent);
        let _honest = Agent::new(&scratch, Manner::Honest);
        expect(&scratch.run(APPLY, &["--recover"]), &[0], &what);
        scratch.run(APPLY, &["--status", "--history"]).expect_code(0).expect_stdout("revert");
    }
}
