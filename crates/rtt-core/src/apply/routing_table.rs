//! What an apply makes of `.rtt/routes.json`: what people wrote stays, in its order and with members that we do not
//! know; `generation`, each entry's `status` and the entries marked `auto` are ours.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::lane::Lane;
use crate::plan::{Plan, PlanRoute};
use crate::registry::{Registry, socket_name};
use crate::routes::is_automatic;
use crate::symbol::{InstanceId, SymbolRange};
use crate::workspace::layout;

/// Returns the document with a plan's routes as its status; `None` leaves no route active.
pub fn render(document: &Value, plan: Option<&Plan>, registry: &Registry, generation: u64) -> Value {
    let mut document = document.as_object().cloned().unwrap_or_default();
    let entries = document.get("routes").and_then(Value::as_array).cloned().unwrap_or_default();
    let routes: &[PlanRoute] = plan.map_or(&[], |plan| &plan.routes);
    // Only looked into, so its order shows nowhere.
    let mut positions = HashMap::new();
    for (position, route) in routes.iter().enumerate() {
        positions.entry((&route.from, &route.to)).or_insert(position);
    }
    let mut covered = vec![false; routes.len()];
    let mut kept = Vec::new();
    for mut entry in entries.into_iter().filter(|entry| !is_automatic(entry)) {
        let ends = ends(&entry);
        if let Some(members) = entry.as_object_mut() {
            let position = ends.as_ref().and_then(|(from, to)| positions.get(&(from, to)).copied());
            match (position, plan) {
                (Some(position), Some(plan)) => {
                    covered[position] = true;
                    members.insert("status".to_owned(), status(plan, &routes[position], registry));
                }
                _ => drop(members.shift_remove("status")),
            }
        }
        kept.push(entry);
    }
    if let Some(plan) = plan {
        let added = routes.iter().zip(&covered).filter(|(_, covered)| !**covered);
        kept.extend(added.map(|(route, _)| automatic(plan, route, registry)));
    }
    document.insert("generation".to_owned(), generation.into());
    document.insert("routes".to_owned(), kept.into());
    Value::Object(document)
}

/// Returns an entry's two ends; `None` if it has none that can be read.
pub fn ends(entry: &Value) -> Option<(SymbolRange, SymbolRange)> {
    let end = |name: &str| entry.get(name)?.as_str()?.parse().ok();
    Some((end("from")?, end("to")?))
}

fn automatic(plan: &Plan, route: &PlanRoute, registry: &Registry) -> Value {
    let mut entry = Map::new();
    entry.insert("from".to_owned(), route.from.to_string().into());
    entry.insert("to".to_owned(), route.to.to_string().into());
    entry.insert("auto".to_owned(), true.into());
    if !route.qos.is_empty() {
        entry.insert("qos".to_owned(), serde_json::to_value(route.qos).expect("two numbers"));
    }
    entry.insert("status".to_owned(), status(plan, route, registry));
    Value::Object(entry)
}

fn status(plan: &Plan, route: &PlanRoute, registry: &Registry) -> Value {
    let backups: Vec<Value> = route
        .backups
        .iter()
        .map(|backup| {
            with_endpoint(json!({"target": backup.target, "via": backup.via}), registry, &backup.target, backup.via)
        })
        .collect();
    let status = json!({
        "plan": plan.plan_id,
        "source": route.source,
        "target": route.target,
        "via": route.via,
        "host": route.host,
        "numa_node": route.numa_node,
    });
    let mut status = with_endpoint(status, registry, &route.target, route.via);
    status["backups"] = backups.into();
    status
}

fn with_endpoint(mut status: Value, registry: &Registry, target: &InstanceId, lane: Lane) -> Value {
    match endpoint(registry, target, lane) {
        Some(endpoint) => status["endpoint"] = endpoint,
        None => log::warn!("{target} names no endpoint for lane {lane}: connectors cannot reach it"),
    }
    status
}

/// Returns where an instance listens on a lane: a path inside the workspace, `host:port`, or a command.
pub fn endpoint(registry: &Registry, target: &InstanceId, lane: Lane) -> Option<Value> {
    let manifest = &registry.get(target)?.manifest;
    match lane {
        Lane::Shm | Lane::Uds => Some(format!("{}/{}", layout::SOCKETS, socket_name(manifest)).into()),
        Lane::Tcp => manifest.endpoint.tcp.clone().map(Value::from),
        Lane::Stdio => manifest.endpoint.stdio.clone().map(Value::from),
    }
}
