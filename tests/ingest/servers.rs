//! Servers that behave in many ways: what is taken, what is said, and that nothing of them stays.

#![expect(clippy::print_stdout, reason = "tests say what they skip")]

use std::process::{Command, Stdio};

use rtt_tests::{Run, Scratch, recipe};
use serde_json::json;

use super::{folder, ingest, manifest, methods, workspace};

fn script(kind: &str) -> Vec<String> {
    let script = folder().join("server.py").display().to_string();
    vec!["python3".to_owned(), "-B".to_owned(), script, kind.to_owned()]
}

fn is_ready() -> bool {
    let is_here = recipe::is_here("python3");
    if !is_here {
        println!("skipped: python3 is not installed");
    }
    is_here
}

/// Asks one server of a kind, with one second for everything, and demands that its processes are gone.
fn ask(scratch: &Scratch, kind: &str, options: &[&str]) -> Run {
    let pids = scratch.path("pids");
    let mut arguments = vec!["odd"];
    arguments.extend(options);
    let command = script(kind);
    arguments.push("--stdio");
    arguments.extend(command.iter().map(String::as_str));
    arguments.push(pids.to_str().expect("UTF-8"));
    let run = ingest(scratch, &arguments);
    assert_gone(scratch);
    run
}

/// Demands that neither the server nor its child lives. A process that was killed may take a moment to be gone.
fn assert_gone(scratch: &Scratch) {
    for pid in scratch.read("pids").lines() {
        let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // What is left of one that nobody waited for yet does nothing any more.
        let is_alive = |state: &str| {
            state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
        };
        let is_gone = (0..200).any(|_| {
            let is_gone = !is_alive(&state());
            if !is_gone {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            is_gone
        });
        assert!(is_gone, "process {pid} lives: {}", state());
    }
}

#[test]
fn a_list_of_many_pages_is_read_to_its_end() {
    if !is_ready() {
        return;
    }
    let scratch = workspace();
    ask(&scratch, "pages", &[]).expect_code(0);
    let made = manifest(&scratch, "mcp.odd.odd-server-pages--0u-2x20-0u-5x2f");
    assert_eq!(methods(&made), (0..10).map(|n| format!("t{n}")).collect::<Vec<_>>());
    assert_eq!(made["version"], "1.2.0");
    assert_eq!(made["endpoint"]["stdio"][3], "pages");
    assert_eq!(made["metadata"]["mcp"]["revision"], "2025-11-25");

    ask(&scratch, "plain", &["--server", "plain"]).expect_code(0);
    let made = manifest(&scratch, "mcp.odd.plain");
    assert_eq!(made["provides"]["methods"]["t"]["result"], json!({"type": "object"}));
    let kept = json!({"t": {"title": "A tool", "annotations": {"readOnlyHint": true}}});
    assert_eq!(made["metadata"]["mcp"]["tools"], kept);
}

#[test]
fn servers_without_tools_become_agents_without_methods() {
    if !is_ready() {
        return;
    }
    let scratch = workspace();
    for kind in ["nothing", "no-tools"] {
        ask(&scratch, kind, &["--server", kind]).expect_code(0).expect_stderr("offers no tools");
        assert!(manifest(&scratch, &format!("mcp.odd.{kind}"))["provides"]["methods"].is_null());
    }
    let run = ask(&scratch, "odd-schema", &["--server", "odd"]).expect_code(0);
    run.expect_stderr("the inputSchema of tool 'odd' is ignored")
        .expect_stderr("the inputSchema of tool 'flat' accepts no object");
    assert_eq!(methods(&manifest(&scratch, "mcp.odd.odd")), ["flat", "good", "odd"]);
}

#[test]
fn whatever_a_server_does_it_is_explained_and_ended() {
    if !is_ready() {
        return;
    }
    let scratch = workspace();
    let before = scratch.tree(".rtt/manifests");
    for (kind, says) in [
        ("circle", "gives the same 'nextCursor' twice"),
        ("no-list", "has no list 'tools'"),
        ("babble", "a line of its output is not a JSON-RPC message"),
        ("babble", "Welcome to the server!"),
        ("endless", "a line has more than 8388608 bytes"),
        ("refuses", "tools/list was refused: the \\u{1b}[31mdatabase is down (error -32603)"),
        ("dies", "the server ended without an answer to initialize (exit status: 3)"),
        ("dies", "= help: stderr: cannot log in with no key"),
        ("mute", "no answer to initialize within 1 s"),
        ("stubborn", "no answer to tools/list within 1 s"),
        ("nameless", "does not say what it is called"),
    ] {
        let timeout = if ["mute", "stubborn"].contains(&kind) { "1" } else { "30" };
        let run = ask(&scratch, kind, &["--timeout", timeout]);
        assert!(matches!(run.code, Some(1 | 65)), "{kind}: {run:#?}");
        run.expect_stderr(says);
    }
    let run = ingest(&scratch, &["odd", "--stdio", "rtt-no-such-program"]).expect_code(1);
    run.expect_stderr("cannot start 'rtt-no-such-program'");
    assert!(scratch.tree(".rtt/manifests") == before, "nothing is written");
}

#[test]
fn a_signal_ends_the_server_first() {
    if !is_ready() {
        return;
    }
    let scratch = workspace();
    let pids = scratch.path("pids");
    let mut command = scratch.command(super::INGEST);
    command.arg("odd").arg("--stdio").args(script("mute")).arg(&pids).stderr(Stdio::null());
    let mut running = command.spawn().expect("it starts");
    while std::fs::read_to_string(&pids).map_or(0, |text| text.lines().count()) < 2 {
        assert!(running.try_wait().expect("it can be waited for").is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let told = Command::new("kill").arg("-TERM").arg(running.id().to_string()).status().expect("kill runs");
    assert!(told.success());
    let status = running.wait().expect("it ends");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status}");
    assert_gone(&scratch);
}

#[test]
fn secrets_of_a_configuration_are_written_nowhere() {
    if !is_ready() {
        return;
    }
    let scratch = workspace();
    let secret = "s3cr\"et-0123456789";
    let server = |kind: &str| {
        let command = script(kind);
        json!({"command": command[0], "args": command[1..], "env": {"API_KEY": secret, "MODE": "fast", "OTHER": "${OUTER_TOKEN}"}})
    };
    let remote = json!({"url": "http://localhost:9/mcp", "headers": {"Authorization": secret}});
    let disabled = json!({"command": "false", "disabled": true});
    let config = json!({"mcpServers": {"Plain One": server("plain"), "leaky": server("leaky"), "dies": server("dies"), "remote": remote, "off": disabled}});
    scratch.write("mcp.json", config.to_string());
    let mut command = scratch.command(super::INGEST);
    command.args(["odd", "--config", "mcp.json"]).current_dir(scratch.root()).env("OUTER_TOKEN", "from-outside-9876");
    let run = Run::of(&mut command).expect_code(1);
    let run = run
        .expect_stderr("stderr: cannot log in with <API_KEY>")
        .expect_stderr("the manifest of 'leaky' would hold the value of API_KEY")
        .expect_stderr("the tools of 'remote' are not known")
        .expect_stderr("server 'off' is disabled");
    let written = scratch.tree(".rtt").into_values().flatten().collect::<Vec<u8>>();
    let everything = format!("{}{}{}", run.stdout, run.stderr, String::from_utf8_lossy(&written));
    for secret in ["s3cr", "0123456789", "from-outside-9876"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    let made = manifest(&scratch, "mcp.odd.plain-one--0u-4x20-0u");
    assert_eq!(made["metadata"]["mcp"]["env"], json!(["API_KEY", "MODE", "OTHER"]));
    assert_eq!(manifest(&scratch, "mcp.odd.remote")["endpoint"], json!({"tcp": "localhost:9"}));
    assert!(!scratch.path(".rtt/manifests/mcp.odd.leaky.json").exists());
    assert!(!scratch.path(".rtt/manifests/mcp.odd.off.json").exists());
    ingest(&scratch, &["odd", "--config", "mcp.json"])
        .expect_code(65)
        .expect_stderr("'${OUTER_TOKEN}' stands for a variable that is not set");
}

#[test]
fn servers_that_a_configuration_names_no_more_are_named_and_pruned() {
    if !is_ready() {
        return;
    }
    let scratch = workspace();
    let server = |kind: &str| json!({"command": "python3", "args": script(kind)[1..]});
    scratch.write("mcp.json", json!({"mcpServers": {"a": server("plain"), "b": server("plain")}}).to_string());
    ingest(&scratch, &["odd", "--config", "mcp.json"]).expect_code(0).expect_stdout("Ingested 2 servers");
    scratch.write("mcp.json", json!({"mcpServers": {"a": server("plain")}}).to_string());
    let run = ingest(&scratch, &["odd", "--config", "mcp.json"]).expect_code(0);
    run.expect_stderr("the configuration names no server 'b' any more");
    assert!(scratch.path(".rtt/manifests/mcp.odd.b.json").exists());
    ingest(&scratch, &["odd", "--config", "mcp.json", "--prune"])
        .expect_code(0)
        .expect_stdout("mcp.odd.b.json was removed");
    assert!(!scratch.path(".rtt/manifests/mcp.odd.b.json").exists());
    assert!(!scratch.read(".rtt/registry/mcp-pins.json").contains("mcp.odd.b"));
    ingest(&scratch, &["odd", "--config", "mcp.json"]).expect_code(0).expect_stdout("nothing changed");
}
