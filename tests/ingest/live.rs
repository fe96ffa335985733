//! Three released servers from npm and PyPI: asked by a client configuration, then the whole pipeline with an agent that
//! requires their tools, and calls through the connectors that it gets. `scripts/setup.sh` installs the servers.

use std::process::Command;

use rtt_tests::{Run, STAGES, recipe};
use serde_json::{Value, json};

use super::{ingest, manifest, methods, workspace};

/// Calls one tool of each server and prints the answers.
const PROGRAM: &str = r#"
import sys
sys.path.insert(0, ".rtt/drivers/python")
from mcp_local_everything_v2 import McpLocalEverythingV2
from mcp_local_filesystem_v0 import McpLocalFilesystemV0
from mcp_local_time_v2026 import McpLocalTimeV2026
with McpLocalEverythingV2.open(agent="agent.caller", timeout=60) as everything:
    print(everything.instance, everything.call("get-sum", {"a": 19, "b": 23})[0]["text"])
with McpLocalFilesystemV0.open(agent="agent.caller", timeout=60) as files:
    print(files.instance, files.call("read_text_file", {"path": sys.argv[1]})["content"])
with McpLocalTimeV2026.open(agent="agent.caller", timeout=60) as time:
    there = {"source_timezone": "Asia/Tokyo", "time": "12:00", "target_timezone": "UTC"}
    print(time.instance, time.call("convert_time", there)["time_difference"])
"#;

#[test]
fn tools_of_real_servers_are_called_through_generated_connectors() {
    let server = |name: &str| format!("{}/@modelcontextprotocol/server-{name}/dist/index.js", recipe::node_tools());
    let (everything, filesystem) = (server("everything"), server("filesystem"));
    let time = format!("{}/mcp_server_time", recipe::python_tools());
    let missing: Vec<&str> = ["node", "python3", &everything, &filesystem, &time]
        .into_iter()
        .filter(|need| !recipe::is_here(need))
        .collect();
    if !missing.is_empty() {
        return println!("skipped: not installed: {}", missing.join(", "));
    }
    let scratch = workspace();
    scratch.write("data/greeting.txt", "hé ☃");
    let data = scratch.path("data").display().to_string();
    let config = json!({"mcpServers": {
        "everything": {"command": "node", "args": [everything]},
        "filesystem": {"command": "node", "args": [filesystem, data]},
        "time": {"command": "python3", "args": ["-B", "-m", "mcp_server_time", "--local-timezone", "UTC"],
                 "env": {"PYTHONPATH": recipe::python_tools()}},
    }});
    scratch.write("mcp.json", config.to_string());
    ingest(&scratch, &["local", "--config", "mcp.json"]).expect_code(0).expect_stdout("Ingested 3 servers");
    for (name, tools, revision) in [
        ("everything", ["echo", "get-sum"].as_slice(), "2025-11-25"),
        ("filesystem", &["list_directory", "read_text_file"], "2025-11-25"),
        ("time", &["convert_time", "get_current_time"], "2026-07-28"),
    ] {
        let made = manifest(&scratch, &format!("mcp.local.{name}"));
        let offered = methods(&made);
        assert!(tools.iter().all(|tool| offered.iter().any(|name| name == tool)), "{name}: {offered:?}");
        assert!(made["provides"]["methods"][tools[0]]["params"]["properties"].is_object(), "{made:#}");
        assert_eq!(made["metadata"]["mcp"]["revision"], revision, "{name}");
    }
    assert!(manifest(&scratch, "mcp.local.time")["provides"]["methods"]["convert_time"]["result"].is_object());

    let params = |properties: &[(&str, &str)]| {
        let names: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
        let properties: Value = properties
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), json!({"type": kind})))
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
    };
    let requires = |server: &str, method: &str, params: Value| json!({"symbol": format!("mcp.local.{server}"), "methods": {method: {"params": params}}});
    let zones = params(&[("source_timezone", "string"), ("time", "string"), ("target_timezone", "string")]);
    let caller = json!({"symbol": "agent.caller", "version": "1.0.0", "language": "python",
        "provides": {"lanes": ["stdio"]}, "endpoint": {"stdio": ["python3", "caller.py"]},
        "requires": [requires("everything", "get-sum", params(&[("a", "number"), ("b", "number")])),
            requires("filesystem", "read_text_file", params(&[("path", "string")])),
            requires("time", "convert_time", zones)]});
    scratch.write("agents/caller.agent.json", caller.to_string());
    scratch.run_all(&STAGES[1..]);
    scratch.write("caller.py", PROGRAM);
    let mut command = Command::new("python3");
    command.args(["-B", "caller.py"]).arg(scratch.path("data/greeting.txt")).current_dir(scratch.root());
    let run = Run::of(command.env("PYTHONPATH", recipe::python_tools())).expect_code(0);
    let answers: Vec<&str> = run.stdout.lines().collect();
    let id = |name: &str| {
        format!(
            "mcp.local.{name}@{}",
            manifest(&scratch, &format!("mcp.local.{name}"))["version"].as_str().expect("a version")
        )
    };
    assert_eq!(answers[0], format!("{} The sum of 19 and 23 is 42.", id("everything")));
    assert_eq!(answers[1], format!("{} hé ☃", id("filesystem")));
    assert_eq!(answers[2], format!("{} -9.0h", id("time")));
}
