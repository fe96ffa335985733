//! Stage 30 end to end: hostile manifests give code that parses, and connectors talk to a provider over real sockets.
//!
//! A language whose toolchain is not installed is skipped with a message.

#![expect(clippy::print_stderr, reason = "tests say what they skip")]

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rtt_core::connector::index::{Connectors, Verification};
use rtt_core::schema::Schema;
use rtt_core::stage::generate::{Request, Verify, run};
use rtt_core::stage::{Context, Error, NoProgress, Report, Stage, Verdict};
use rtt_core::stage::{depdoctor, scan};
use rtt_core::workspace::{Workspace, layout, state};
use serde_json::{Value, json};

fn stubs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stubs")
}

/// The languages of the folders in `stubs`.
fn languages() -> Vec<String> {
    let folders = std::fs::read_dir(stubs()).expect("readable").map(|entry| entry.expect("readable").path());
    let mut names: Vec<String> = folders
        .filter(|folder| folder.join("stub.json").exists())
        .map(|folder| folder.file_name().expect("has one").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn generate(workspace: &Workspace, request: &Request, force: bool) -> Report {
    run(workspace, request, &Context { force, progress: &NoProgress }).expect("the stage runs")
}

/// Writes the manifests, and nothing else beside them, and runs stages 10 and 20.
fn prepare(workspace: &Workspace, manifests: &[Value]) {
    let _ = std::fs::remove_dir_all(workspace.path(layout::AGENTS));
    for manifest in manifests {
        let path = format!("{}/{}.agent.json", layout::AGENTS, manifest["symbol"].as_str().expect("a symbol"));
        workspace.write(path, manifest.to_string().as_bytes()).expect("writable");
    }
    let context = Context { force: false, progress: &NoProgress };
    let scanned = scan::run(workspace, &scan::Request::default(), &context).expect("stage 10 runs");
    assert!(scanned.verdict.is_success(), "{:#?}", scanned.diagnostics);
    let resolved = depdoctor::run(workspace, &depdoctor::Request::default(), &context).expect("stage 20 runs");
    assert!(resolved.verdict.is_success(), "{:#?}", resolved.diagnostics);
}

fn provider() -> Value {
    json!({
        "symbol": "agent.storage.tsdb", "version": "1.2.0", "description": "Time-series store",
        "provides": {"lanes": ["shm", "uds", "tcp", "stdio"], "methods": {
            "query": {
                "description": "Samples of one series",
                "params": {"type": "object", "properties": {"series": {"type": "string"}, "from": {"type": "integer"}},
                           "required": ["series"], "additionalProperties": false},
                "result": {"type": "object", "properties": {"samples": {"type": "array", "items": {"type": "number"}},
                           "note": {"type": ["string", "null"]}, "next": {"type": "integer"}}, "required": ["samples"]},
                "errors": [{"code": -32001, "message": "unknown series"}]
            },
            "fail": {"params": {"type": "object"}},
            "slow": {}
        }}
    })
}

fn consumer(language: &str) -> Value {
    json!({
        "symbol": format!("agent.{language}.metrics"), "version": "1.0.0", "language": language,
        "requires": [{"symbol": "agent.storage.tsdb", "version": "^1"}]
    })
}

fn index(workspace: &Workspace) -> Connectors {
    state::read(workspace, layout::CONNECTORS, Schema::Connectors).expect("valid").expect("written").value
}

#[test]
fn hostile_manifests_give_code_that_parses() {
    let bad = "\"\"\" */ ${x} #{y} `z` \\ \u{202e} \u{2028}\n'''\r\nrm -rf\t\0 \\";
    // Without a grammar the language's own tools have the word: where these are missing, nothing is written.
    let can_be_checked = |language: &String| {
        let stub = std::fs::read(stubs().join(language).join("stub.json")).expect("readable");
        let stub: Value = serde_json::from_slice(&stub).expect("JSON");
        stub["grammar"].is_string()
            || Command::new(stub["toolchain"]["check"][0].as_str().expect("a program"))
                .arg("--version")
                .output()
                .is_ok()
    };
    // A text of R cannot hold the character U+0000: such a provider is refused for it.
    let (r, others): (Vec<String>, Vec<String>) =
        languages().into_iter().filter(can_be_checked).partition(|language| language == "r");
    check_hostile(&others, bad);
    check_hostile(&r, &bad.replace('\0', ""));
}

/// Generates connectors to a provider whose names and texts hold `bad`, and has every tool that is here check them.
fn check_hostile(languages: &[String], bad: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    // Every sign of a definition's name is written by number, as in an address.
    let refer = |name: &str| {
        let encoded: String =
            name.replace('~', "~0").replace('/', "~1").bytes().map(|byte| format!("%{byte:02x}")).collect();
        json!({"$ref": format!("#/$defs/{encoded}")})
    };
    let tagged = |tag: &str| json!({"type": "object", "properties": {bad: {"const": tag}, "inside": refer(bad)}, "required": [bad]});
    let (long, other) = ("x".repeat(10_000), format!("{bad}/~"));
    let inner = json!({"type": "object", "description": bad, "required": [bad, "choice"], "properties": {
        bad: {"type": "string", "description": bad, "enum": [bad, other, long, ""]}, "class": {"type": ["integer", "null"]}, "type": {},
        "a b": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "boolean"}}},
        "choice": {"description": bad, "oneOf": [refer(bad), refer(&other), {"type": "array", "items": {"$ref": "#"}}, {"type": "boolean"}]},
        "pair": {"type": "array", "prefixItems": [{"enum": [bad]}, {"$ref": "#"}], "minItems": 2, "maxItems": 2},
        "when": {"type": "string", "format": "date-time"}, "bytes": {"type": "string", "contentEncoding": "base64"},
        long.as_str(): {"type": "string", "description": long}},
        "$defs": {bad: tagged(bad), other.as_str(): tagged(&other)}});
    let mut methods = serde_json::Map::new();
    let hard = "\"\"\" */ ${x} #{y} `z` \\ // '''";
    for name in [hard, "class", "open", "call", "getUser", "get_user", "get-user", "a.b/c", "数", "2x", "*/", "\"\"\""]
    {
        let errors = json!([{"code": -1, "message": bad}]);
        methods
            .insert(name.to_owned(), json!({"description": bad, "params": inner, "result": inner, "errors": errors}));
    }
    let hostile = json!({"symbol": "a.b-c", "version": "1.0.0", "description": bad, "provides": {"methods": methods}});
    let twin = json!({"symbol": "a.b_c", "version": "1.0.0", "provides": {"protocol": {"name": "mcp"}}});
    let mut manifests = vec![hostile, twin];
    for language in languages {
        manifests.push(json!({"symbol": format!("x.{language}"), "version": "1.0.0", "language": language,
                              "requires": [{"symbol": "a.b-c"}, {"symbol": "a.b_c"}]}));
    }
    prepare(&workspace, &manifests);
    let report = generate(&workspace, &Request { verify: Verify::Toolchain, ..Request::default() }, false);
    assert_eq!(report.verdict, Verdict::Success, "{:#?}", report.diagnostics);
    let index = index(&workspace);
    assert_eq!(index.connectors.len(), 2 * languages.len());
    for connector in &index.connectors {
        let missing = report.diagnostics.iter().any(|finding| finding.message.starts_with(&connector.language));
        let expected = if missing { Verification::Parsed } else { Verification::Compiled };
        assert_eq!(connector.verification, expected, "{}", connector.path);
    }
    if let Some(keep) = std::env::var_os("RTT_KEEP_CONNECTORS") {
        let copied = Command::new("cp").arg("-r").arg(workspace.path(layout::DRIVERS)).arg(keep).status();
        assert!(copied.expect("cp runs").success());
    }
}

#[test]
fn unchanged_edited_and_unneeded_files_are_noticed() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    let request = Request::default();
    let error = run(&workspace, &request, &Context { force: false, progress: &NoProgress }).expect_err("not run");
    assert!(matches!(error, Error::NotRun { stage: Stage::Scan, .. }), "{error}");

    prepare(&workspace, &[provider(), consumer("python")]);
    let check = Request { check: true, ..Request::default() };
    assert_eq!(generate(&workspace, &check, false).verdict, Verdict::CheckFailed);
    assert_eq!(generate(&workspace, &request, false).verdict, Verdict::Success);
    let first = workspace.read_optional(layout::CONNECTORS).expect("readable");
    assert_eq!(generate(&workspace, &request, false).verdict, Verdict::Unchanged);
    assert_eq!(generate(&workspace, &check, true).verdict, Verdict::Success);

    // An edit is kept, and named; force overwrites it with the same bytes as before.
    let path = index(&workspace).connectors[0].path.clone();
    workspace.write(&path, b"mine = 1\n").expect("writable");
    let report = generate(&workspace, &request, false);
    assert_eq!(report.verdict, Verdict::CheckFailed);
    assert!(report.diagnostics[0].message.contains(&path), "{:?}", report.diagnostics);
    assert_eq!(workspace.read_optional(&path).expect("readable").as_deref(), Some(&b"mine = 1\n"[..]));
    assert_eq!(generate(&workspace, &request, true).verdict, Verdict::Success);
    assert_eq!(workspace.read_optional(layout::CONNECTORS).expect("readable"), first);

    // A lost index costs nothing: the files prove themselves.
    std::fs::remove_file(workspace.path(layout::CONNECTORS)).expect("it is there");
    prepare(&workspace, &[provider(), consumer("go")]);
    let report = generate(&workspace, &request, false);
    assert_eq!(report.verdict, Verdict::Success, "{:?}", report.diagnostics);
    assert!(report.diagnostics.iter().any(|finding| finding.message.contains(&path)), "{:?}", report.diagnostics);
    generate(&workspace, &Request { prune: true, ..Request::default() }, false);
    assert_eq!(workspace.read_optional(&path).expect("readable"), None);
}

#[test]
fn languages_come_from_folders_alone() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    prepare(&workspace, &[provider(), consumer("xyz")]);
    let report = generate(&workspace, &Request::default(), false);
    assert_eq!(report.verdict, Verdict::CheckFailed);
    assert_eq!(report.diagnostics[0].message, "No template found for language 'xyz'");
    assert!(report.diagnostics[0].help[0].contains(&languages().join(", ")));

    let stub = json!({
        "version": "1.0.0", "title": "Xyz", "directory": "xyz", "extension": "xyz", "template": "c.hbs", "lanes": ["tcp"],
        "names": {"file": "snake", "type": "pascal", "method": "camel", "field": "camel"}, "reserved": ["query"],
        "types": {"any": "A", "boolean": "B", "integer": "I", "number": "N", "string": "S", "array": "[{item}]",
                  "map": "<{item}>", "nullable": "{item}!", "optional": "{item}?"},
        "strings": {"quote": "'", "by_number": "\\{hex}"}, "toolchain": {"check": ["test", "-s", "{file}"]}
    });
    workspace.write("stubs/xyz/stub.json", stub.to_string().as_bytes()).expect("writable");
    let template = b"{{client}} {{lit symbol}}{{#each methods}} {{name}}:{{result_type}}{{/each}}\n";
    workspace.write("stubs/xyz/c.hbs", template).expect("writable");
    let report = generate(&workspace, &Request::default(), false);
    assert_eq!(report.verdict, Verdict::Success, "{:?}", report.diagnostics);
    let text = workspace.read_optional(".rtt/drivers/xyz/agent_storage_tsdb_v1.xyz").expect("readable");
    let text = String::from_utf8(text.expect("written")).expect("UTF-8");
    assert_eq!(text, "AgentStorageTsdbV1 'agent.storage.tsdb' fail:A query_:AgentStorageTsdbV1QueryResult slow:A\n");
    assert_eq!(index(&workspace).connectors[0].verification, Verification::Compiled);

    // What was seen at work are the built-in stubs, not what a workspace makes of them.
    let listed = |name: &str| {
        let report = generate(&workspace, &Request { list_languages: true, ..Request::default() }, false);
        let lines = report.details.into_iter().filter(|line| line.starts_with(&format!("  {name}")));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(listed("xyz"), "  xyz: Xyz; lanes tcp; checked by test; not seen at work");
    assert!(listed("python").ends_with("checked by grammar python, python3; live"), "{}", listed("python"));
    workspace.write("stubs/python/py.typed", b"partial\n").expect("writable");
    assert!(listed("python").ends_with("checked by grammar python, python3; not seen at work"), "{}", listed("python"));
}

/// Answers one connection: `query`, `fail`, and silence for `slow`; a notification and a ping come first.
fn serve(mut stream: impl Read + Write + Send + 'static, writer: impl Write + Send + 'static) {
    thread::spawn(move || {
        let mut writer = writer;
        let mut reader = BufReader::new(&mut stream);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
            let request: Value = serde_json::from_str(&line).expect("a JSON line");
            line.clear();
            let id = &request["id"];
            let answer = match request["method"].as_str() {
                Some("query") => json!({"jsonrpc": "2.0", "id": id, "result": {"samples": [1, 2.5], "note": null}}),
                Some("fail") => {
                    json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32001, "message": "unknown series"}})
                }
                Some("garbage") => json!("not a message"),
                Some("hangup") => return,
                _ => continue,
            };
            let first = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
            if writeln!(writer, "{first}\n{answer}").is_err() {
                return;
            }
        }
    });
}

/// A workspace with one language's connector, a provider on both lanes, and routes: `uds`, `tcp`, and `dead` whose target is not
/// there and whose backup is.
fn live_workspace(folder: &Path, language: &str) -> Workspace {
    let workspace = Workspace::at(folder);
    prepare(&workspace, &[provider(), consumer(language)]);
    let report = generate(&workspace, &Request::default(), false);
    assert_eq!(report.verdict, Verdict::Success, "{:?}", report.diagnostics);

    std::fs::create_dir_all(workspace.path(layout::SOCKETS)).expect("writable");
    let unix = UnixListener::bind(workspace.path(".rtt/sockets/tsdb.sock")).expect("a socket");
    thread::spawn(move || {
        for stream in unix.incoming().flatten() {
            let writer = stream.try_clone().expect("a second handle");
            serve(stream, writer);
        }
    });
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = tcp.local_addr().expect("bound").to_string();
    thread::spawn(move || {
        for stream in tcp.incoming().flatten() {
            let writer = stream.try_clone().expect("a second handle");
            serve(stream, writer);
        }
    });
    let route = |agent: &str, via: &str, endpoint: Value, backups: Value| {
        json!({"from": agent, "to": "agent.storage.tsdb@^1", "status": {
            "plan": "sha256:0", "source": format!("{agent}@1.0.0"), "target": "agent.storage.tsdb@1.2.0", "via": via,
            "host": "local", "numa_node": 0, "endpoint": endpoint, "backups": backups}})
    };
    let backup = json!([{"target": "agent.storage.replica@3.0.0", "via": "tcp", "endpoint": address}]);
    let routes = json!({"version": "1.0.0", "auto": true, "generation": 1, "routes": [
        {"from": "a.desired", "to": "agent.storage.tsdb"},
        route("a.uds", "uds", json!(".rtt/sockets/tsdb.sock"), json!([])),
        route("a.tcp", "tcp", json!(address), json!([])),
        route("a.stdio", "stdio", json!(["python3", "-B", "stdio.py"]), json!([])),
        route("a.dead", "uds", json!(".rtt/sockets/dead.sock"), backup),
    ]});
    workspace.write("stdio.py", STDIO_PROVIDER.as_bytes()).expect("writable");
    workspace.write(layout::ROUTES, rtt_core::json::pretty(&routes).as_bytes()).expect("writable");
    workspace
}

/// A provider that speaks over its standard input and output, and ends with its input.
const STDIO_PROVIDER: &str = r#"
import json, sys
for line in sys.stdin:
    answer = {"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": {"samples": [1, 2.5]}}
    print(json.dumps(answer), flush=True)
"#;

/// What every language's program prints.
const EXPECTED: &str = "\
uds agent.storage.tsdb@1.2.0 2.5
uds remote -32001 unknown series
uds refused
uds timeout
uds garbage
uds healthy
tcp agent.storage.tsdb@1.2.0 2.5
stdio agent.storage.tsdb@1.2.0 2.5
dead agent.storage.replica@3.0.0 2.5
none no route
";

/// Runs a language's program and compares what it prints; skipped if a tool is missing.
fn check_live(language: &str, program: &str, file: &str, commands: &[&[&str]]) {
    for command in commands.iter().filter(|command| !command[0].starts_with('.')) {
        if Command::new(command[0]).arg("--help").output().is_err() {
            eprintln!("skipped: {language} connectors are not run, {} is not installed", command[0]);
            return;
        }
    }
    let folder = tempfile::Builder::new().prefix("rtt").tempdir().expect("a scratch folder");
    let workspace = live_workspace(folder.path(), language);
    workspace.write(file, program.as_bytes()).expect("writable");
    let mut printed = String::new();
    for command in commands {
        let output = Command::new(command[0])
            .args(&command[1..])
            .current_dir(folder.path())
            .env_remove("RTT_ROOT")
            .env_remove("RTT_AGENT")
            .env("GOCACHE", folder.path().join("gocache"))
            .env("GOFLAGS", "-mod=mod")
            .output()
            .expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{language}: {command:?}: {errors}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        printed.push_str(&String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(printed, EXPECTED, "{language}");
}

#[test]
fn python_connectors_are_live() {
    let program = include_str!("connectors/live.py");
    check_live("python", program, "live.py", &[&["python3", "-B", "live.py"]]);
}

#[test]
fn javascript_connectors_are_live() {
    let program = include_str!("connectors/live.js");
    check_live("javascript", program, "live.js", &[&["node", "live.js"]]);
}

/// The compiler comes from `tests/tools`, installed by `scripts/setup.sh`.
#[test]
fn typescript_connectors_are_live() {
    let program = include_str!("connectors/live.mts");
    let target =
        std::env::var("CARGO_TARGET_DIR").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target").into());
    let tools = format!("{target}/node-tools/node_modules");
    let (compiler, types) = (format!("{tools}/.bin/tsc"), format!("{tools}/@types"));
    let options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node", "--typeRoots"];
    let compile: Vec<&str> =
        [compiler.as_str()].into_iter().chain(options).chain([types.as_str(), "live.mts"]).collect();
    check_live("typescript", program, "live.mts", &[&compile, &["node", "live.mjs"]]);
}

#[test]
fn go_connectors_are_live() {
    let program = include_str!("connectors/live.go.txt");
    let module =
        "module live\n\ngo 1.18\n\nrequire rtt.local/drivers v0.0.0\nreplace rtt.local/drivers => ../.rtt/drivers/go\n";
    // Go 1.19 knows no -C: a shell changes the folder.
    let build = format!("cd live && printf '{module}' > go.mod && go build -o live.bin .");
    if Command::new("go").arg("version").output().is_err() {
        eprintln!("skipped: go connectors are not run, go is not installed");
        return;
    }
    check_live("go", program, "live/main.go", &[&["sh", "-c", &build], &["./live/live.bin"]]);
}

#[test]
fn rust_connectors_are_live() {
    let program = include_str!("connectors/live.rs.txt");
    let build: &[&str] = &["rustc", "--edition", "2021", "-o", "live.bin", "live.rs"];
    check_live("rust", program, "live.rs", &[build, &["./live.bin"]]);
}
