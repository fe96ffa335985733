//! Who has a say in a transaction. Everything here is idempotent by transaction: a coordinator that was killed asks again.

mod agents;
mod connectors;
mod endpoints;
mod routes;

use std::path::Path;

use serde_json::Value;

use super::wal::{Entry, Image};
use crate::connector::index::Connectors;
use crate::plan::Plan;
use crate::registry::Registry;
use crate::workspace::Workspace;

/// One participant of the two-phase commit.
pub trait Participant: Sync {
    /// Its name in the log.
    fn name(&self) -> String;

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
    /// The plan that becomes active; none leaves nothing active.
    pub plan: Option<&'a Plan>,
    /// Every instance.
    pub registry: &'a Registry,
    /// The connector index.
    pub connectors: &'a Connectors,
    /// The state after.
    pub after: &'a Image,
}

impl Work<'_> {
    /// Returns the path of a socket below the workspace as connectors may open it: relative where that is shorter.
    fn fits_socket(&self, relative: &str) -> bool {
        let absolute = self.workspace.path(relative);
        let length = |path: &Path| path.as_os_str().len();
        length(&absolute) <= crate::registry::MAX_SOCKET_PATH || relative.len() <= crate::registry::MAX_SOCKET_PATH
    }
}

/// Returns the participants of a plan, in the order in which they commit: the switch of the active state first, those
/// that only hear of it last.
pub fn of(plan: Option<&Plan>, registry: &Registry) -> Vec<Box<dyn Participant>> {
    let mut participants: Vec<Box<dyn Participant>> =
        vec![Box::new(endpoints::Endpoints), Box::new(connectors::ConnectorFiles), Box::new(routes::RoutingTable)];
    participants.extend(agents::of(plan, registry).into_iter().map(|agent| Box::new(agent) as Box<dyn Participant>));
    participants
}

/// Returns the digest-independent equality of two JSON texts, so that only content counts.
fn same_document(a: &[u8], b: &str) -> bool {
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    a == b.as_bytes() || parse(a).is_some_and(|value| Some(value) == parse(b.as_bytes()))
}
