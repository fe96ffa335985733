//! What an apply makes of `.rtt/routes.json`: what people wrote stays, in its order and with members that we do not
//! know; `generation`, each entry's `status` and the entries marked `auto` are ours.

use std::collections::HashMap;

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::lane::Lane;
use crate::manifest::Qos;
use crate::plan::{Backup, Plan, PlanRoute};
use crate::registry::{Registry, socket_name};
use crate::routes::is_automatic;
use crate::symbol::{InstanceId, SymbolRange};
use crate::workspace::layout;

/// The document with a plan's routes as its status, borrowed: large plans make large tables.
pub struct Table<'a> {
    /// Everything but the routes; their place among the members is kept by a null.
    members: Map<String, Value>,
    /// What people wrote.
    written: Vec<Value>,
    added: Vec<Automatic<'a>>,
}

impl<'a> Table<'a> {
    /// Gives the document a plan's routes as its status; `None` leaves no route active.
    pub fn new(document: &Value, plan: Option<&'a Plan>, registry: &'a Registry, generation: u64) -> Self {
        let mut members = document.as_object().cloned().unwrap_or_default();
        members.insert("generation".to_owned(), generation.into());
        let entries = match members.insert("routes".to_owned(), Value::Null) {
            Some(Value::Array(entries)) => entries,
            _ => Vec::new(),
        };
        let routes: &[PlanRoute] = plan.map_or(&[], |plan| &plan.routes);
        // Only looked into, so its order shows nowhere.
        let mut positions = HashMap::new();
        for (position, route) in routes.iter().enumerate() {
            positions.entry((&route.from, &route.to)).or_insert(position);
        }
        let mut covered = vec![false; routes.len()];
        let mut written = Vec::new();
        for mut entry in entries.into_iter().filter(|entry| !is_automatic(entry)) {
            let ends = ends(&entry);
            if let Some(members) = entry.as_object_mut() {
                let position = ends.as_ref().and_then(|(from, to)| positions.get(&(from, to)).copied());
                match (position, plan) {
                    (Some(position), Some(plan)) => {
                        covered[position] = true;
                        let status = Status::new(plan, &routes[position], registry);
                        members.insert("status".to_owned(), serde_json::to_value(status).expect("strings and numbers"));
                    }
                    _ => drop(members.shift_remove("status")),
                }
            }
            written.push(entry);
        }
        let uncovered = routes.iter().zip(&covered).filter(|(_, covered)| !**covered);
        let automatic = |plan| {
            uncovered.map(move |(route, _)| Automatic {
                from: &route.from,
                to: &route.to,
                auto: true,
                qos: route.qos,
                status: Status::new(plan, route, registry),
            })
        };
        Self { members, written, added: plan.map(automatic).into_iter().flatten().collect() }
    }

    /// Returns it as a document that can be compared.
    pub fn document(&self) -> Value {
        serde_json::to_value(self).expect("a table has string keys and finite numbers")
    }
}

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Entries<'a>(&'a Table<'a>);
        impl Serialize for Entries<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(Some(self.0.written.len() + self.0.added.len()))?;
                self.0.written.iter().try_for_each(|entry| list.serialize_element(entry))?;
                self.0.added.iter().try_for_each(|entry| list.serialize_element(entry))?;
                list.end()
            }
        }
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            match name.as_str() {
                "routes" => map.serialize_entry(name, &Entries(self))?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

/// The entry of a route that nobody wrote.
#[derive(Serialize)]
struct Automatic<'a> {
    from: &'a SymbolRange,
    to: &'a SymbolRange,
    auto: bool,
    #[serde(skip_serializing_if = "Qos::is_empty")]
    qos: Qos,
    status: Status<'a>,
}

/// How a route is served.
#[derive(Serialize)]
struct Status<'a> {
    plan: Digest,
    source: &'a InstanceId,
    target: &'a InstanceId,
    via: Lane,
    host: &'a str,
    numa_node: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<Value>,
    backups: Vec<BackupStatus<'a>>,
}

#[derive(Serialize)]
struct BackupStatus<'a> {
    target: &'a InstanceId,
    via: Lane,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<Value>,
}

impl<'a> Status<'a> {
    fn new(plan: &Plan, route: &'a PlanRoute, registry: &Registry) -> Self {
        let backups = route.backups.iter().map(|Backup { target, via, .. }| BackupStatus {
            target,
            via: *via,
            endpoint: known_endpoint(registry, target, *via),
        });
        Self {
            plan: plan.plan_id,
            source: &route.source,
            target: &route.target,
            via: route.via,
            host: &route.host,
            numa_node: route.numa_node,
            endpoint: known_endpoint(registry, &route.target, route.via),
            backups: backups.collect(),
        }
    }
}

fn known_endpoint(registry: &Registry, target: &InstanceId, lane: Lane) -> Option<Value> {
    let endpoint = endpoint(registry, target, lane);
    if endpoint.is_none() {
        log::warn!("{target} names no endpoint for lane {lane}: connectors cannot reach it");
    }
    endpoint
}

/// Returns an entry's two ends; `None` if it has none that can be read.
pub fn ends(entry: &Value) -> Option<(SymbolRange, SymbolRange)> {
    let end = |name: &str| entry.get(name)?.as_str()?.parse().ok();
    Some((end("from")?, end("to")?))
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
