//! Makes a signed plan for a workspace without solving it: every dependency by uds to the instance that is preferred,
//! everything on one node. `scripts/bench/apply.sh` measures with it how plans are applied that are large.
//!
//! `synthetic_plan ROOT` writes `plans/synthetic.plan.json`. `synthetic_plan --replay FILE FOLDER` does what FILE says, a
//! line each: `write BYTES` writes a new file, syncs it, renames it and syncs the folder; `sync` syncs the folder.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use rtt_core::connector::index::Connectors;
use rtt_core::dependency::report::Dependencies;
use rtt_core::digest::Digest;
use rtt_core::lane::{self, Lane};
use rtt_core::plan::{self, Base, ObjectiveValue, Placement, Plan, PlanRoute, PlanStatus};
use rtt_core::registry::Registry;
use rtt_core::schema::Schema;
use rtt_core::stage::upstream;
use rtt_core::symbol::SymbolRange;
use rtt_core::trust::signing_key;
use rtt_core::workspace::durable::{self, Mode};
use rtt_core::workspace::state::{self, StateFile};
use rtt_core::workspace::{Workspace, layout};
use rtt_core::{json, routes, topology};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--replay", file, folder] => replay(file, Path::new(folder)),
        [root] => make(&Workspace::at(root)),
        _ => Err("usage: synthetic_plan ROOT | synthetic_plan --replay FILE FOLDER".into()),
    }
}

fn replay(file: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    for (number, line) in std::fs::read_to_string(file)?.lines().enumerate() {
        match line.split_once(' ') {
            Some(("write", length)) => {
                let bytes = vec![b'x'; length.parse()?];
                durable::write_atomic(&folder.join(number.to_string()), &bytes, Mode::Public)?;
            }
            _ => durable::sync_folder_of(&folder.join("any"))?,
        }
    }
    Ok(())
}

fn make(workspace: &Workspace) -> Result<(), Box<dyn Error>> {
    let missing = "run stages 00 to 30 first";
    let registry: StateFile<Registry> = upstream::read_registry(workspace)?.ok_or(missing)?;
    let connectors: StateFile<Connectors> = upstream::read_connectors(workspace)?.ok_or(missing)?;
    let dependencies: StateFile<Dependencies> = upstream::read_dependencies(workspace)?.ok_or(missing)?;
    let topology = topology::read(workspace)?;
    let (lanes, lanes_digest) = lane::read(workspace)?;
    let document = routes::Document::read(workspace.read_optional(layout::ROUTES)?.as_deref())?;
    let applied: Option<StateFile<Plan>> = state::read(workspace, layout::LAST_APPLIED, Schema::Plan)?;
    let (host, node) = (&topology.hosts[0].name, topology.hosts[0].nodes[0].id);
    let figures = lanes.figures(Lane::Uds);
    let range = |symbol: &str| symbol.parse::<SymbolRange>();
    let mut planned = Vec::new();
    let mut agents = BTreeSet::new();
    for edge in &dependencies.value.edges {
        let target = edge.accepted.first().ok_or("every requirement must be met")?;
        agents.extend([edge.from.clone(), target.clone()]);
        planned.push(PlanRoute {
            from: range(edge.from.symbol.as_str())?,
            to: range(edge.symbol.as_str())?,
            source: edge.from.clone(),
            target: target.clone(),
            via: Lane::Uds,
            host: host.clone(),
            numa_node: node,
            latency_us: figures.base_us,
            qos: registry.value.get(&edge.from).map(|instance| instance.manifest.qos).unwrap_or_default(),
            backups: Vec::new(),
        });
    }
    planned.sort_by_key(|route| (route.from.to_string(), route.to.to_string()));
    let cost = figures.cost * i64::try_from(planned.len())?;
    let names = ["qos_violations", "numa_distance", "communication_cost", "missing_redundancy", "churn"];
    let objective = names.map(|name| {
        let value = if name == "communication_cost" { cost } else { 0 };
        ObjectiveValue { name: name.to_owned(), value, bound: value }
    });
    let place = |agent| Placement { agent, host: host.clone(), numa_node: node };
    let mut made = Plan {
        version: state::FORMAT_VERSION.to_owned(),
        plan_id: Digest::of_bytes(""),
        timestamp: "2025-10-27T12:00:00Z".to_owned(),
        base: Base {
            generation: document.generation(),
            routes: document.desired_digest(),
            policy: Digest::of_bytes(workspace.read_optional(layout::POLICY)?.unwrap_or_default()),
            registry: registry.value.content(),
            connectors: connectors.value.content(),
            topology: topology.digest,
            lanes: lanes_digest,
            solver: if applied.is_some() { "synthetic again" } else { "synthetic" }.to_owned(),
        },
        placement: agents.into_iter().map(place).collect(),
        routes: planned,
        objective: objective.into(),
        status: PlanStatus::Optimal,
        signature: None,
        cosignatures: Vec::new(),
    };
    plan::identify(&mut made);
    plan::sign(&mut made, &signing_key(workspace, None)?.ok_or("there is no signing key")?);
    workspace.write("plans/synthetic.plan.json", json::pretty(&made).as_bytes())?;
    Ok(())
}
