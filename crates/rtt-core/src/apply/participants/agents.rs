//! Running agents that vote: JSON-RPC 2.0, one document a line, over `.rtt/sockets/<symbol>@<version>.ctl.sock`.
//!
//! Methods: `rtt.prepare` (result `{"vote": "READY"}` or `{"vote": "ABORT", "reason": "…"}`), `rtt.commit`, `rtt.abort`
//! (any result), `rtt.status` (result `{"state": "committed"}`). What an agent says is untrusted.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Participant, Work};
use crate::apply::wal::Entry;
use crate::plan::{Plan, PlanRoute};
use crate::registry::{Registry, control_socket_name};
use crate::symbol::InstanceId;
use crate::workspace::layout;

/// How long an agent may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// Returns the plan's agents that want to vote, sorted.
pub(super) fn of(plan: Option<&Plan>, registry: &Registry) -> Vec<Agent> {
    let routes = plan.map(|plan| plan.routes.as_slice()).unwrap_or_default();
    let mut ids: Vec<&InstanceId> = routes
        .iter()
        .flat_map(|route| [&route.source, &route.target].into_iter().chain(route.backups.iter().map(|b| &b.target)))
        .filter(|id| registry.get(id).is_some_and(|instance| instance.manifest.endpoint.control.is_some()))
        .collect();
    ids.sort();
    ids.dedup();
    ids.into_iter().map(|id| Agent { id: id.clone() }).collect()
}

/// One running agent.
pub(super) struct Agent {
    id: InstanceId,
}

impl Agent {
    fn call(&self, work: &Work, method: &str, params: &Value) -> Result<Value, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.id);
        let relative = format!("{}/{}", layout::SOCKETS, control_socket_name(&self.id));
        let stream = UnixStream::connect(work.workspace.path(&relative)).map_err(failed)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
        stream.set_write_timeout(Some(TIMEOUT)).map_err(failed)?;
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        (&stream).write_all(format!("{request}\n").as_bytes()).map_err(failed)?;
        let mut line = String::new();
        BufReader::new(stream.take(MAX_ANSWER)).read_line(&mut line).map_err(failed)?;
        let answer: Value =
            serde_json::from_str(&line).map_err(|_| format!("{}: the answer to {method} is not JSON", self.id))?;
        match (answer.get("result"), answer.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (_, Some(error)) => Err(format!("{}: {method} failed: {}", self.id, error["message"])),
            (None, None) => Err(format!("{}: the answer to {method} has no result", self.id)),
        }
    }

    fn params(&self, work: &Work, entry: &Entry) -> Value {
        let routes = work.plan.map(|plan| plan.routes.as_slice()).unwrap_or_default();
        let is_own = |route: &&PlanRoute| {
            route.source == self.id || route.target == self.id || route.backups.iter().any(|b| b.target == self.id)
        };
        let own: Vec<&PlanRoute> = routes.iter().filter(is_own).collect();
        json!({"transaction": entry.transaction, "plan": work.plan.map(|plan| plan.plan_id), "routes": own})
    }
}

impl Participant for Agent {
    fn name(&self) -> String {
        format!("agent {}", self.id)
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        let socket = work.workspace.path(format!("{}/{}", layout::SOCKETS, control_socket_name(&self.id)));
        if socket.exists() { Ok(()) } else { Err(format!("{} wants to vote, but is not running", self.id)) }
    }

    fn prepare(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let answer = self.call(work, "rtt.prepare", &self.params(work, entry))?;
        match (answer["vote"].as_str(), answer["reason"].as_str()) {
            (Some("READY"), _) => Ok(()),
            (Some("ABORT"), reason) => Err(format!("{}: {}", self.id, reason.unwrap_or("no reason given"))),
            _ => Err(format!("{}: the answer to rtt.prepare has no vote", self.id)),
        }
    }

    fn commit(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        self.call(work, "rtt.commit", &json!({"transaction": entry.transaction})).map(|_| ())
    }

    fn abort(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        // An agent that is gone has nothing prepared.
        if self.check(work).is_err() {
            return Ok(());
        }
        self.call(work, "rtt.abort", &json!({"transaction": entry.transaction})).map(|_| ())
    }

    fn verify(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let answer = self.call(work, "rtt.status", &json!({"transaction": entry.transaction}))?;
        match answer["state"].as_str() {
            Some("committed") => Ok(()),
            _ => Err(format!("{} says that it has not committed", self.id)),
        }
    }
}
