//! `rtt-mcp-ingest`: lists of tools from files, servers that behave in many ways, client configurations, and three released
//! servers whose tools are called in the end through connectors that were generated for them.

mod files;
mod live;
mod servers;

use std::path::PathBuf;

use rtt_tests::{Run, STAGES, Scratch, repository};
use serde_json::Value;

/// The tool.
const INGEST: &str = "rtt-mcp-ingest";

/// A workspace after bootstrap.
fn workspace() -> Scratch {
    let scratch = Scratch::empty("ingest");
    scratch.run(STAGES[0], &[]).expect_code(0);
    scratch
}

fn folder() -> PathBuf {
    repository().join("tests/ingest")
}

/// Runs the tool in the workspace's root.
fn ingest(scratch: &Scratch, arguments: &[&str]) -> Run {
    Run::of(scratch.command(INGEST).args(arguments).current_dir(scratch.root()))
}

/// Reads the manifest of an agent.
fn manifest(scratch: &Scratch, symbol: &str) -> Value {
    scratch.json(&format!(".rtt/manifests/{symbol}.json"))
}

/// Returns the names of an agent's methods, sorted.
fn methods(manifest: &Value) -> Vec<String> {
    let methods = manifest["provides"]["methods"].as_object().expect("it has methods");
    let mut names: Vec<String> = methods.keys().cloned().collect();
    names.sort();
    names
}
