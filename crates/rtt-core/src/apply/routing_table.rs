//! What an apply makes of `.rtt/routes.json`: what people wrote stays, in its order and with members that we do not
//! know; `generation`, each entry's `status` and the entries marked `auto` are ours.

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::lane::Lane;
use crate::lookup::Lookup;
use crate::manifest::Qos;
use crate::plan::{Backup, Plan, PlanRoute};
use crate::registry::{Registry, socket_name};
use crate::routes::{Document, ends};
use crate::symbol::{InstanceId, SymbolRange};
use crate::workspace::layout;

/// The document with a plan's routes as its status, borrowed: large plans make large tables.
pub struct Table<'a> {
    /// Everything but the routes; their place among the members is kept by a null.
    members: Map<String, Value>,
    /// What people wrote.
    written: Vec<Value>,
    /// Routes of the plan that nobody wrote.
    added: Vec<&'a PlanRoute>,
    known: Known<'a>,
}

/// What is the same in many routes.
struct Known<'a> {
    /// The plan's id.
    plan: String,
    /// Where each target listens on a lane.
    endpoints: Lookup<(&'a InstanceId, Lane), Option<Value>>,
}

impl<'a> Known<'a> {
    fn new(plan: Option<&'a Plan>, registry: &Registry) -> Self {
        let mut endpoints = Lookup::default();
        for (target, lane) in plan.into_iter().flat_map(Plan::targets) {
            endpoints.entry((target, lane)).or_insert_with(|| {
                let endpoint = endpoint(registry, target, lane);
                if endpoint.is_none() {
                    log::warn!("{target} names no endpoint for lane {lane}: connectors cannot reach it");
                }
                endpoint
            });
        }
        Self { plan: plan.map(|plan| plan.plan_id.to_string()).unwrap_or_default(), endpoints }
    }

    fn entry(&self, route: &'a PlanRoute) -> Automatic<'_> {
        Automatic { from: &route.from, to: &route.to, auto: true, qos: route.qos, status: self.status(route) }
    }

    fn status(&self, route: &'a PlanRoute) -> Status<'_> {
        let endpoint = |target, via| self.endpoints.get(&(target, via)).and_then(Option::as_ref);
        let backup = |Backup { target, via, .. }: &'a Backup| BackupStatus {
            target,
            via: *via,
            endpoint: endpoint(target, *via),
        };
        Status {
            plan: &self.plan,
            source: &route.source,
            target: &route.target,
            via: route.via,
            host: &route.host,
            numa_node: route.numa_node,
            endpoint: endpoint(&route.target, route.via),
            backups: route.backups.iter().map(backup).collect(),
        }
    }
}

impl<'a> Table<'a> {
    /// Gives the document a plan's routes as its status; `None` leaves no route active.
    pub fn new(document: &Document, plan: Option<&'a Plan>, registry: &'a Registry, generation: u64) -> Self {
        let members = document.written.as_object().into_iter().flatten();
        let others = |(name, value): (&String, &Value)| match name.as_str() {
            "routes" => (name.clone(), Value::Null),
            _ => (name.clone(), value.clone()),
        };
        let mut members: Map<String, Value> = members.map(others).collect();
        members.insert("generation".to_owned(), generation.into());
        members.insert("routes".to_owned(), Value::Null);
        let mut written = document.entries().to_vec();

        let routes: &[PlanRoute] = plan.map_or(&[], |plan| &plan.routes);
        let known = Known::new(plan, registry);
        let mut positions = Lookup::default();
        for (position, route) in routes.iter().enumerate().filter(|_| !written.is_empty()) {
            positions.entry((&route.from, &route.to)).or_insert(position);
        }
        let mut covered = vec![false; routes.len()];
        for entry in &mut written {
            let ends = ends(entry);
            let Some(members) = entry.as_object_mut() else { continue };
            let position = ends.as_ref().and_then(|(from, to)| positions.get(&(from, to)).copied());
            if let Some(position) = position {
                covered[position] = true;
                let status = serde_json::to_value(known.status(&routes[position])).expect("strings and numbers");
                members.insert("status".to_owned(), status);
            } else {
                members.shift_remove("status");
            }
        }
        let added = routes.iter().zip(&covered).filter(|(_, covered)| !**covered).map(|(route, _)| route).collect();
        Self { members, written, added, known }
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
                self.0.added.iter().try_for_each(|route| list.serialize_element(&self.0.known.entry(route)))?;
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
    plan: &'a str,
    source: &'a InstanceId,
    target: &'a InstanceId,
    via: Lane,
    host: &'a str,
    numa_node: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a Value>,
    backups: Vec<BackupStatus<'a>>,
}

#[derive(Serialize)]
struct BackupStatus<'a> {
    target: &'a InstanceId,
    via: Lane,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a Value>,
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
