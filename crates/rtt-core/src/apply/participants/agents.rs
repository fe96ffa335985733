//! Running agents that vote: JSON-RPC 2.0, one document a line, over `.rtt/sockets/<symbol>@<version>.ctl.sock`.
//!
//! Methods: `rtt.prepare` (result `{"vote": "READY"}` or `{"vote": "ABORT", "reason": "…"}`), `rtt.commit`, `rtt.abort`
//! (any result), `rtt.status` (result `{"state": "committed"}`). Commit carries the routes again, so that an agent that
//! was restarted since its vote can still take them. Abort is presumed: an agent that was not told of it learns by the
//! next `rtt.prepare`. What an agent says is untrusted: answers are bounded in size and time, and must carry the id of
//! the request.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Participant, Work};
use crate::apply::wal::Entry;
use crate::clock;
use crate::lookup::Seen;
use crate::plan::{Plan, PlanRoute};
use crate::registry::{Instance, MAX_SOCKET_PATH, Registry, control_socket_name};
use crate::symbol::InstanceId;
use crate::workspace::layout;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;
/// How long to wait before an agent that did not answer is asked to commit again.
const PAUSE: Duration = Duration::from_millis(50);
const PREFIX: &str = "agent ";

/// Returns the plans' agents that want to vote, sorted.
pub(super) fn of<'a>(plans: impl Iterator<Item = &'a Plan>, registry: &Registry) -> Vec<Agent> {
    let listening = registry.instances.iter().filter(|instance| instance.manifest.endpoint.control.is_some());
    let listening: BTreeSet<InstanceId> = listening.map(Instance::id).collect();
    if listening.is_empty() {
        return Vec::new();
    }
    let ends = plans
        .flat_map(|plan| plan.routes.iter().map(|route| &route.source).chain(plan.targets().map(|(target, _)| target)));
    let routed: Seen<&InstanceId> = ends.collect();
    listening.into_iter().filter(|id| routed.contains(id)).map(|id| Agent { id }).collect()
}

/// Returns the agent of a participant's name.
pub(super) fn named(name: &str) -> Option<Agent> {
    Some(Agent { id: name.strip_prefix(PREFIX)?.parse().ok()? })
}

/// One running agent.
pub(super) struct Agent {
    id: InstanceId,
}

impl Agent {
    /// Calls the agent and waits for the answer that carries the request's id, at most until the timeout is over.
    fn call(&self, work: &Work, method: &str, params: &Value, id: &str) -> Result<Value, String> {
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
                format!("{}: no answer to {method} within {} s", self.id, work.timeout.as_secs_f64())
            }
            _ => format!("{}: {method}: {error}", self.id),
        };
        let started = clock::stopwatch();
        let left = || {
            let left = work.timeout.saturating_sub(started.elapsed());
            if left.is_zero() { Err(std::io::Error::from(std::io::ErrorKind::TimedOut)) } else { Ok(left) }
        };
        let mut stream = self.connect(work).map_err(failed)?;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        stream.set_write_timeout(Some(work.timeout)).map_err(failed)?;
        stream.write_all(format!("{request}\n").as_bytes()).map_err(failed)?;
        let (mut answer, mut part) = (Vec::new(), [0; 8192]);
        loop {
            while let Some(end) = answer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = answer.drain(..=end).collect();
                if let Some(result) = self.read_answer(&line, method, id) {
                    return result;
                }
            }
            if answer.len() > MAX_ANSWER {
                return Err(format!("{}: the answer to {method} is longer than {MAX_ANSWER} bytes", self.id));
            }
            stream.set_read_timeout(Some(left().map_err(failed)?)).map_err(failed)?;
            match stream.read(&mut part) {
                Ok(0) => return Err(format!("{}: it hung up without an answer to {method}", self.id)),
                Ok(length) => answer.extend_from_slice(&part[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Reads one line; `None` if it answers another request (an agent that answers twice).
    fn read_answer(&self, line: &[u8], method: &str, id: &str) -> Option<Result<Value, String>> {
        let Ok(answer) = serde_json::from_slice::<Value>(line) else {
            return Some(Err(format!("{}: the answer to {method} is not JSON", self.id)));
        };
        if answer.get("id").and_then(Value::as_str) != Some(id) {
            return if answer.is_object() {
                None
            } else {
                Some(Err(format!("{}: the answer to {method} is no JSON-RPC document", self.id)))
            };
        }
        Some(match (answer.get("result"), answer.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (_, Some(error)) => {
                let message = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
                Err(format!("{}: {method} failed: {}", self.id, message))
            }
            (None, None) => Err(format!("{}: the answer to {method} has no result", self.id)),
        })
    }

    fn connect(&self, work: &Work) -> std::io::Result<UnixStream> {
        let name = control_socket_name(&self.id);
        let folder = work.workspace.path(layout::SOCKETS);
        let path = folder.join(&name);
        if path.as_os_str().len() <= MAX_SOCKET_PATH {
            return UnixStream::connect(path);
        }
        // The same folder by a name that fits.
        let folder = File::open(folder)?;
        UnixStream::connect(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
    }

    fn params(&self, work: &Work, entry: &Entry) -> Value {
        let own: Vec<&PlanRoute> = routes(work.plan.as_deref()).iter().filter(|route| self.is_in(route)).collect();
        json!({
            "transaction": entry.transaction,
            "generation": entry.begin.generation,
            "plan": work.plan.as_deref().map(|plan| plan.plan_id),
            "routes": own,
        })
    }

    fn is_in(&self, route: &PlanRoute) -> bool {
        route.source == self.id || route.target == self.id || route.backups.iter().any(|b| b.target == self.id)
    }

    /// Tells whether the agent still wants to vote. One whose manifest is gone has nobody left to tell.
    fn is_registered(&self, work: &Work) -> bool {
        work.registry.get(&self.id).is_some_and(|instance| instance.manifest.endpoint.control.is_some())
    }
}

fn routes(plan: Option<&Plan>) -> &[PlanRoute] {
    plan.map(|plan| plan.routes.as_slice()).unwrap_or_default()
}

impl Participant for Agent {
    fn name(&self) -> String {
        format!("{PREFIX}{}", self.id)
    }

    fn is_local(&self) -> bool {
        false
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        let socket = work.workspace.path(format!("{}/{}", layout::SOCKETS, control_socket_name(&self.id)));
        if socket.exists() { Ok(()) } else { Err(format!("{} wants to vote, but is not running", self.id)) }
    }

    fn prepare(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        self.check(work)?;
        let id = format!("{}:prepare", entry.transaction);
        let answer = self.call(work, "rtt.prepare", &self.params(work, entry), &id)?;
        match (answer["vote"].as_str(), answer["reason"].as_str()) {
            (Some("READY"), _) => Ok(()),
            (Some("ABORT"), reason) => Err(format!("{}: {}", self.id, reason.unwrap_or("no reason given"))),
            _ => Err(format!("{}: the answer to rtt.prepare has no vote", self.id)),
        }
    }

    fn commit(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        if !self.is_registered(work) {
            log::warn!("{} is no longer registered: it is not told of transaction {}", self.id, entry.sequence);
            return Ok(());
        }
        let id = format!("{}:commit", entry.transaction);
        let started = clock::stopwatch();
        loop {
            match self.call(work, "rtt.commit", &self.params(work, entry), &id) {
                Ok(_) => return Ok(()),
                Err(reason) if started.elapsed() + PAUSE >= work.timeout => return Err(reason),
                // It may be starting again.
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    fn abort(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        if self.check(work).is_ok() {
            let id = format!("{}:abort", entry.transaction);
            let params = json!({"transaction": entry.transaction});
            if let Err(reason) = self.call(work, "rtt.abort", &params, &id) {
                log::warn!("Not told of the abort, which it presumes: {reason}");
            }
        }
        Ok(())
    }

    fn verify(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        if !self.is_registered(work) {
            return Ok(());
        }
        let id = format!("{}:status", entry.transaction);
        let answer = self.call(work, "rtt.status", &json!({"transaction": entry.transaction}), &id)?;
        match answer["state"].as_str() {
            Some("committed") => Ok(()),
            Some(state) => Err(format!("{} says '{}' of a transaction that was committed", self.id, state)),
            None => Err(format!("{}: the answer to rtt.status has no state", self.id)),
        }
    }
}
