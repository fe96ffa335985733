//! Machines that are not this one: libhwloc's synthetic ones, and exports of real ones.

use rtt_tests::{Run, STAGES, Scratch, repository};

fn workspace() -> Scratch {
    let scratch = Scratch::empty("machines");
    scratch.write("agents/x.agent.json", r#"{"symbol": "a.x", "version": "1.0.0", "requires": [{"symbol": "a.y"}]}"#);
    scratch.write("agents/y.agent.json", r#"{"symbol": "a.y", "version": "1.0.0"}"#);
    scratch.run_all(&STAGES[..4]);
    scratch
}

fn plan_for(scratch: &Scratch, variable: &str, value: &str) -> Run {
    Run::of(scratch.command(STAGES[4]).env(variable, value).args(["--force", "--format", "json"]))
}

#[test]
fn a_synthetic_machine_is_planned_for() {
    let scratch = workspace();
    let run = plan_for(&scratch, "HWLOC_SYNTHETIC", "numa:4 core:2 pu:1").expect_code(0);
    assert_eq!(run.summary()["figures"]["nodes"], 4);
    plan_for(&scratch, "HWLOC_SYNTHETIC", "banana:4").expect_code(65).expect_stdout("$HWLOC_SYNTHETIC");
}

/// Every export is loaded with the nodes that it lists, or refused in words; this machine never stands in for it.
#[test]
fn exports_of_real_machines_are_loaded_or_refused() {
    let Ok(files) = std::fs::read_dir(repository().join("../shared/data/topologies")) else {
        println!("skipped: no topologies among the shared data");
        return;
    };
    let scratch = workspace();
    for file in files {
        let path = file.expect("readable").path();
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).expect("readable");
        let run = plan_for(&scratch, "HWLOC_XMLFILE", &name);
        if run.code == Some(0) {
            let listed = text.matches("type=\"NUMANode\"").count();
            let planned = run.summary()["figures"]["nodes"].as_u64().expect("a number");
            assert!(planned >= 1 && planned <= listed.max(1) as u64, "{name}: {planned} of {listed}");
        } else {
            let run = run.expect_code(65).expect_stdout("$HWLOC_XMLFILE");
            let version = text.split("<topology version=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(run.stdout.contains(&format!("XML version {}", version.expect("it has one"))), "{run:#?}");
        }
    }
    plan_for(&scratch, "HWLOC_XMLFILE", "/nowhere.xml").expect_code(65).expect_stdout("lstopo");
}
