//! The stage over a workspace on disk.

use serde_json::{Value, json};

use super::*;
use crate::dependency::report::Dependencies;
use crate::json;
use crate::schema::Schema;
use crate::stage::{NoProgress, scan};
use crate::workspace::state;

fn workspace(manifests: &[Value]) -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let workspace = Workspace::at(folder.path());
    put(&workspace, manifests);
    (folder, workspace)
}

fn put(workspace: &Workspace, manifests: &[Value]) {
    for manifest in manifests {
        let path = format!("agents/{}.agent.json", manifest["symbol"].as_str().expect("a symbol"));
        workspace.write(path, json::pretty(manifest).as_bytes()).expect("writable");
    }
    let context = Context { force: false, progress: &NoProgress };
    scan::run(workspace, &scan::Request::default(), &context).expect("manifests of the canonical form");
}

fn go(workspace: &Workspace, request: &Request, force: bool) -> Result<Report, Error> {
    run(workspace, request, &Context { force, progress: &NoProgress })
}

fn output(workspace: &Workspace) -> Option<Vec<u8>> {
    workspace.read_optional(layout::DEPENDENCIES).expect("readable")
}

fn consumer(of: &str) -> Value {
    json!({"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": of, "version": "^1"}]})
}

fn provider() -> Value {
    json!({"symbol": "b.y", "version": "1.2.0"})
}

#[test]
fn writes_a_valid_report_once() {
    let (_folder, workspace) = workspace(&[consumer("b.y"), provider()]);
    let report = go(&workspace, &Request::default(), false).expect("runs");
    assert_eq!(
        (report.verdict, report.headline.as_str()),
        (Verdict::Success, "1 dependency edge of 2 instances valid")
    );
    assert_eq!(report.outputs, [layout::DEPENDENCIES]);
    let bytes = output(&workspace).expect("written");
    let read =
        state::parse::<Dependencies>(layout::DEPENDENCIES, &bytes, Schema::Dependencies).expect("as its schema says");
    assert_eq!(read.value.edges[0].accepted[0].to_string(), "b.y@1.2.0");

    let again = go(&workspace, &Request::default(), false).expect("runs");
    assert_eq!((again.verdict, again.outputs.len()), (Verdict::Unchanged, 0));
    assert_eq!(again.figures, report.figures);
    let forced = go(&workspace, &Request::default(), true).expect("runs");
    assert_eq!((forced.verdict, output(&workspace)), (Verdict::Success, Some(bytes)));
}

#[test]
fn a_failing_run_shows_everything_and_keeps_the_previous_report() {
    let (_folder, workspace) = workspace(&[consumer("b.y"), provider()]);
    go(&workspace, &Request::default(), false).expect("runs");
    let before = output(&workspace);
    put(&workspace, &[consumer("b.z"), provider()]);
    let request = Request { explain: Some("b.z".to_owned()), graph: Some(GraphFormat::Dot), ..Request::default() };
    let report = go(&workspace, &request, false).expect("runs");
    assert_eq!(report.verdict, Verdict::MissingDependency);
    assert_eq!(report.headline, "Dependencies are not valid: 1 missing dependency");
    assert_eq!(output(&workspace), before);
    let place = report.diagnostics[0].place.as_ref().expect("a place");
    assert_eq!(place.at.map(|at| at.line), Some(6), "{place:?}");
    let body = report.body.expect("asked for");
    assert!(body.starts_with("b.z is not registered\n") && body.contains("digraph"), "{body}");
}

#[test]
fn says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let empty = Workspace::at(folder.path());
    assert!(matches!(go(&empty, &Request::default(), false), Err(Error::NotRun { stage: Stage::Scan, .. })));
    put(&empty, &[consumer("b.y"), provider()]);
    let explain = |name: &str| Request { explain: Some(name.to_owned()), ..Request::default() };
    let Err(Error::Usage { help, .. }) = go(&empty, &explain("b.yy"), false) else { panic!("unknown") };
    assert_eq!(help.as_deref(), Some("did you mean 'b.y'?"));
    assert!(matches!(go(&empty, &explain("Not A Symbol"), false), Err(Error::Usage { .. })));
}

#[test]
fn warnings_are_shown_again_and_denied() {
    let optional = json!({"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": "b.y", "version": "^3", "optional": true}]});
    let (_folder, workspace) = workspace(&[optional, provider()]);
    let first = go(&workspace, &Request::default(), false).expect("runs");
    let second = go(&workspace, &Request::default(), false).expect("runs");
    assert_eq!((first.verdict, second.verdict), (Verdict::Success, Verdict::Unchanged));
    assert_eq!((first.diagnostics.len(), second.diagnostics.len()), (1, 1));
    let denied = go(&workspace, &Request { deny_warnings: true, ..Request::default() }, false).expect("runs");
    assert_eq!(denied.verdict, Verdict::VersionConflict);
}
