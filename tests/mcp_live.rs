//! Connectors of `protocol: mcp` at work with real servers of the Model Context Protocol, over standard input and output
//! and over Unix sockets: for each folder in `tests/live/mcp`, a program that calls the reference server of npm, a server
//! from PyPI, and a strict one of our own that plays the revisions and manners which the released ones do not have.
//!
//! Their manifests are those that stage 10 makes of the servers' own lists of tools. Languages are chosen by `RTT_LIVE`,
//! as in `live.rs`.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rtt_tests::recipe::{self, Language};
use rtt_tests::{STAGES, Scratch, repository};
use serde_json::{Value, json};

/// The kinds of our own server that are served over a socket as well.
const OWN_OVER_SOCKETS: [&str; 3] = ["stateless", "handshake", "abrupt"];
/// All kinds of our own server; see there.
const OWN: [&str; 8] = ["stateless", "late", "newer", "handshake", "oldest", "silent", "abrupt", "unknown"];

fn folder() -> PathBuf {
    repository().join("tests/live/mcp")
}

/// The installed file of the reference server.
fn everything() -> String {
    let server = "node-tools/node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    recipe::target().join(server).display().to_string()
}

/// The command of a server: `everything`, `time`, or a kind of our own.
fn command(server: &str) -> Vec<String> {
    let words = match server {
        "everything" => vec!["node".to_owned(), everything()],
        "time" => ["python3", "-B", "-m", "mcp_server_time", "--local-timezone", "UTC"].map(str::to_owned).to_vec(),
        kind => {
            let script = folder().join("server.py").display().to_string();
            vec!["python3".to_owned(), "-B".to_owned(), script, kind.to_owned()]
        }
    };
    assert!(words.iter().all(|word| !word.is_empty()));
    words
}

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns what a server answers to `tools/list` after the handshake: the whole response, as a user would save it.
fn list_tools(server: &str) -> String {
    let words = command(server);
    let mut process = Command::new(&words[0]);
    process.args(&words[1..]).env("PYTHONPATH", recipe::python_tools());
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Running(process.spawn().expect("it starts"));
    let mut input = process.0.stdin.take().expect("piped");
    let mut lines = BufReader::new(process.0.stdout.take().expect("piped")).lines();
    let client = json!({"name": "rtt-tests", "version": "1.0.0"});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let mut say = |message: Value| writeln!(input, "{message}").expect("it listens");
    let mut answer = |id: &str, say: &mut dyn FnMut(Value)| loop {
        let line = lines.next().expect("it answers").expect("UTF-8");
        let message: Value = serde_json::from_str(&line).expect("JSON");
        if message["method"] == "ping" {
            say(json!({"jsonrpc": "2.0", "id": message["id"], "result": {}}));
        } else if message["id"] == id {
            return line;
        }
    };
    say(json!({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello}));
    answer("hello", &mut say);
    say(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    say(json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list", "params": {}}));
    answer("list", &mut say)
}

/// Makes manifests of the servers' lists of tools, with the lanes that this test opens, and generates the connectors.
fn generate(scratch: &Scratch, language: &str, lists: &[(&str, String)]) -> Result<(), String> {
    let run = |stage: &str| {
        let run = scratch.run(stage, &[]);
        if run.code == Some(0) { Ok(()) } else { Err(format!("{stage}: {}{}", run.stderr, run.stdout)) }
    };
    for (name, list) in lists {
        scratch.write(&format!("providers/{name}.tools.json"), list);
    }
    run(STAGES[0])?;
    run(STAGES[1])?;
    let registry = scratch.json(".rtt/cache/registry.json");
    assert_eq!(registry["summary"]["by_form"]["mcp-tools"], json!(lists.len()), "{registry:#}");
    let mut requires = Vec::new();
    for instance in registry["instances"].as_array().expect("a list") {
        let mut manifest = instance.clone();
        for derived in ["origin", "digest"] {
            manifest.as_object_mut().expect("an object").remove(derived).expect("stage 10 writes it");
        }
        // A list of tools says that the server is started, not that it also listens.
        manifest["provides"]["lanes"] = json!(["uds", "stdio"]);
        requires.push(json!({"symbol": manifest["symbol"]}));
        let symbol = manifest["symbol"].as_str().expect("a symbol");
        scratch.write(&format!("providers/{symbol}.agent.json"), manifest.to_string());
    }
    for (name, _) in lists {
        std::fs::remove_file(scratch.path(&format!("providers/{name}.tools.json"))).expect("it is there");
    }
    let consumer = json!({"symbol": "a.live", "version": "1.0.0", "language": language, "requires": requires});
    scratch.write("agents/live.agent.json", consumer.to_string());
    STAGES[1..4].iter().try_for_each(|stage| run(stage))
}

/// One server behind a socket.
struct Bridge {
    _process: Running,
    log: PathBuf,
}

impl Bridge {
    fn start(scratch: &Scratch, server: &str) -> Self {
        let log = scratch.path(&format!("{server}.log"));
        let mut process = Command::new("python3");
        process.arg("-B").arg(folder().join("bridge.py")).arg(format!("{server}.sock")).arg(&log);
        // In the sockets' folder, so that no path is too long for a socket.
        process
            .args(command(server))
            .current_dir(scratch.path(".rtt/sockets"))
            .env("PYTHONPATH", recipe::python_tools());
        let mut process = Running(process.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("python3 runs"));
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().expect("piped")).read_line(&mut line).expect("it says that it listens");
        assert_eq!(line, "listening\n");
        Self { _process: process, log }
    }

    /// Returns the methods that clients named, connection by connection.
    fn named(&self) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(&self.log).expect("readable");
        let connections = text.split("-- connected\n").skip(1);
        connections.map(|connection| connection.lines().map(str::to_owned).collect()).collect()
    }
}

/// Generates, compiles and runs; what went wrong, if anything did.
fn run(language: &Language, lists: &[(&str, String)]) -> Result<(), String> {
    let scratch = Scratch::empty("mcp");
    generate(&scratch, &language.name, lists)?;
    let (mut routes, mut bridges) = (Vec::new(), Vec::new());
    let mut add = |symbol: &str, agent: &str, via: &str, endpoint: Value| {
        let status = json!({"plan": "sha256:0", "source": format!("{agent}@1.0.0"), "target": format!("{symbol}@0.0.0"),
            "via": via, "host": "local", "numa_node": 0, "endpoint": endpoint, "backups": []});
        routes.push(json!({"from": agent, "to": symbol, "status": status}));
    };
    for server in ["everything", "time"].iter().chain(&OWN) {
        let is_own = OWN.contains(server);
        let symbol = format!("mcp.{}", if is_own { "own" } else { server });
        let agent = |lane: &str| if is_own { format!("a.{server}-{lane}") } else { format!("a.{lane}") };
        add(&symbol, &agent("stdio"), "stdio", json!(command(server)));
        if !is_own || OWN_OVER_SOCKETS.contains(server) {
            bridges.push((*server, Bridge::start(&scratch, server)));
            add(&symbol, &agent("uds"), "uds", json!(format!(".rtt/sockets/{server}.sock")));
        }
    }
    add("mcp.own", "a.missing-stdio", "stdio", json!(["rtt-no-such-program"]));
    scratch.write(".rtt/routes.json", json!({"version": "1.0.0", "auto": true, "routes": routes}).to_string());
    let expected = std::fs::read_to_string(folder().join("expected.txt")).expect("readable");
    language.check(&scratch, &[("PYTHONPATH", recipe::python_tools())], &expected)?;
    bridges.iter().try_for_each(|(server, bridge)| check_methods(server, &bridge.named()))
}

/// Demands that a client spoke to a server in the revision that it knows, and not otherwise.
fn check_methods(server: &str, connections: &[Vec<String>]) -> Result<(), String> {
    let (first, handshake) = ("server/discover", ["initialize", "notifications/initialized"]);
    // Our own servers end on the way, and are reached once more; the abrupt one hangs up before each handshake.
    let n_wanted = match server {
        "everything" | "time" => 1,
        "abrupt" => 4,
        _ => 2,
    };
    let wrong = || Err(format!("{server} was spoken to like this: {connections:?}"));
    if connections.len() != n_wanted {
        return wrong();
    }
    for (index, methods) in connections.iter().enumerate() {
        let methods: Vec<&str> = methods.iter().map(String::as_str).filter(|method| *method != "-- answered").collect();
        let fits = match server {
            "stateless" => methods.first() == Some(&first) && methods[1..].iter().all(|method| *method == "tools/call"),
            // It knows both eras; where it is slow to start, the client gives up the probe and shakes hands.
            "time" => {
                methods.first() == Some(&first)
                    && (methods[1..].starts_with(&handshake)
                        || methods[1..].iter().all(|method| *method == "tools/call"))
            }
            "abrupt" if index % 2 == 0 => methods == [first],
            "abrupt" => methods.starts_with(&handshake),
            _ => methods.first() == Some(&first) && methods[1..].starts_with(&handshake),
        };
        if !fits {
            return wrong();
        }
    }
    Ok(())
}

#[test]
fn connectors_speak_to_real_servers_of_both_eras() {
    let asked = recipe::asked();
    let mut languages = recipe::languages(&folder());
    let names: BTreeSet<&str> = languages.iter().map(|language| language.name.as_str()).collect();
    assert!(names.is_superset(&BTreeSet::from(["go", "python", "rust", "typescript"])), "{names:?}");
    if let Some(names) = &asked {
        languages.retain(|language| names.contains(&language.name));
    }
    let needs =
        ["node".to_owned(), "python3".to_owned(), everything(), format!("{}/mcp_server_time", recipe::python_tools())];
    let can_run = needs.iter().all(|need| recipe::is_here(need));
    let list = |name: &'static str, server: &str| (name, list_tools(server));
    let lists = match can_run && !languages.is_empty() {
        true => vec![list("everything", "everything"), list("time", "time"), list("own", "handshake")],
        false => Vec::new(),
    };
    recipe::run_each(&languages, &needs, asked.as_deref(), |language| run(language, &lists));
}
