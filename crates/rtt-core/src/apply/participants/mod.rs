//! Who has a say in a transaction. Everything here is idempotent by transaction: a coordinator that was killed asks again.

mod agents;
mod connectors;
mod endpoints;
mod routes;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::image::{Content, Image};
use super::wal::Entry;
use crate::connector::index::Connectors;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::workspace::Workspace;

/// One participant of the two-phase commit.
pub trait Participant: Send + Sync {
    /// Its name in the log.
    fn name(&self) -> String;

    /// Tells whether it keeps the state itself, so that nothing may become active without it. Others only hear of it.
    fn is_local(&self) -> bool {
        true
    }

    /// Looks whether the preconditions hold, and changes nothing.
    ///
    /// # Errors
    /// The reason for an ABORT.
    fn check(&self, work: &Work) -> Result<(), String>;

    /// Makes the change durable but invisible, and votes.
    ///
    /// # Errors
    /// The reason for an ABORT.
    fn prepare(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        self.check(work)
    }

    /// Makes the change visible.
    ///
    /// # Errors
    /// Why it could not be done now; it is asked again.
    fn commit(&self, _work: &Work, _entry: &Entry) -> Result<(), String> {
        Ok(())
    }

    /// Drops what was prepared.
    ///
    /// # Errors
    /// Why it could not be done now; it is asked again.
    fn abort(&self, _work: &Work, _entry: &Entry) -> Result<(), String> {
        Ok(())
    }

    /// Tells whether a committed change is in effect.
    ///
    /// # Errors
    /// What differs.
    fn verify(&self, _work: &Work, _entry: &Entry) -> Result<(), String> {
        Ok(())
    }
}

/// What a transaction is about.
pub struct Work<'a> {
    /// Where.
    pub workspace: &'a Workspace,
    /// Every instance.
    pub registry: &'a Registry,
    /// The connector index.
    pub connectors: &'a Connectors,
    /// How long an agent may take for one answer.
    pub timeout: Duration,
    /// The plan that becomes active; none leaves nothing active.
    pub plan: Option<Cow<'a, Plan>>,
    /// The plan that was active before.
    pub previous: Option<Arc<Plan>>,
    /// The state before.
    pub before: Image,
    /// The state after, as far as it matters.
    pub after: Content<'a>,
}

impl Work<'_> {
    /// Tells whether connectors can open a socket below the workspace: by a relative path where that is shorter.
    fn fits_socket(&self, relative: &str) -> bool {
        let absolute = self.workspace.path(relative);
        let length = |path: &Path| path.as_os_str().len();
        length(&absolute) <= crate::registry::MAX_SOCKET_PATH || relative.len() <= crate::registry::MAX_SOCKET_PATH
    }
}

/// The name of the participant that keeps the routing table.
pub const ROUTING_TABLE: &str = "routing table";

/// Returns the participants of a change from one plan to another, in the order in which they commit: the switch of the
/// active state first, those that only hear of it last.
pub fn of(previous: Option<&Plan>, plan: Option<&Plan>, registry: &Registry) -> Vec<Box<dyn Participant>> {
    let mut participants = local();
    let agents = agents::of([previous, plan].into_iter().flatten(), registry);
    participants.extend(agents.into_iter().map(|agent| Box::new(agent) as Box<dyn Participant>));
    participants
}

/// Returns the participants that a log entry names, so that recovery asks those who were asked before, whatever is
/// registered now.
///
/// # Errors
/// A name that means nobody.
pub fn named(names: &[String]) -> Result<Vec<Box<dyn Participant>>, String> {
    let mut known = local();
    let mut found = Vec::new();
    for name in names {
        match known.iter().position(|participant| participant.name() == *name) {
            Some(position) => found.push(known.remove(position)),
            None => {
                let agent = agents::named(name).ok_or_else(|| format!("'{name}' is no participant that is known"))?;
                found.push(Box::new(agent));
            }
        }
    }
    Ok(found)
}

fn local() -> Vec<Box<dyn Participant>> {
    vec![Box::new(endpoints::Endpoints), Box::new(connectors::ConnectorFiles), Box::new(routes::RoutingTable)]
}
