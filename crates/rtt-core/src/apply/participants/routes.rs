//! The routing table: `.rtt/routes.json` and `plans/last_applied.json`. Its commit is the switch of the active state.

use super::{Participant, Work};
use crate::apply::image::{self, Content};
use crate::apply::wal::Entry;
use crate::digest::Digest;
use crate::workspace::durable::{self, Mode};
use crate::workspace::{Workspace, layout};

/// The new routing table, written beside the active one.
const PREPARED: &str = ".rtt/routes.json.prepared";

pub(super) struct RoutingTable;

impl Participant for RoutingTable {
    fn name(&self) -> String {
        super::ROUTING_TABLE.to_owned()
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        let active = work.workspace.digest(layout::ROUTES).map_err(|error| error.to_string())?;
        if active == work.before.routes {
            Ok(())
        } else {
            Err(format!("{} was changed while the plan was being applied", layout::ROUTES))
        }
    }

    fn prepare(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        self.check(work)?;
        let routes = work.after.routes.as_deref().ok_or("there is no new routing table")?;
        durable::write_atomic(&work.workspace.path(PREPARED), routes, Mode::Public).map_err(|error| error.to_string())
    }

    fn commit(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let workspace = work.workspace;
        let failed = |error: std::io::Error| error.to_string();
        let after = work.after.routes.as_deref().ok_or("there is no new routing table")?;
        let path = workspace.path(layout::ROUTES);
        if !holds(workspace, layout::ROUTES, after)? {
            let active = workspace.read_optional(layout::ROUTES).map_err(|error| error.to_string())?;
            if let Some(edited) = active.filter(|active| Some(Digest::of_bytes(active)) != entry.begin.before.routes) {
                let digest = Digest::of_bytes(&edited);
                image::keep(workspace, &edited, digest).map_err(|error| error.to_string())?;
                let kept = layout::wal_object(&digest.hex());
                log::warn!("{} was edited since the decision; what it held is kept in {kept}", layout::ROUTES);
            }
            let prepared = workspace.path(PREPARED);
            if workspace.holds(PREPARED, after).is_ok_and(|is_ready| is_ready) {
                durable::rename(&prepared, &path).map_err(failed)?;
                durable::sync_folder_of(&path).map_err(failed)?;
            } else {
                durable::write_atomic(&path, after, Mode::Public).map_err(failed)?;
            }
        }
        durable::remove_file(&workspace.path(PREPARED)).map_err(failed)?;
        let applied = workspace.path(layout::LAST_APPLIED);
        match &work.after.last_applied {
            Some(plan) => workspace.write(layout::LAST_APPLIED, plan).map_err(|error| error.to_string()),
            None => durable::remove_file(&applied).map(|_| ()).map_err(failed),
        }
    }

    /// Until the commit only the prepared file is ours.
    fn abort(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        durable::remove_file(&work.workspace.path(PREPARED)).map(|_| ()).map_err(|error| error.to_string())
    }

    fn verify(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        let Content { routes, last_applied } = &work.after;
        for (file, expected) in [(layout::ROUTES, routes.as_deref()), (layout::LAST_APPLIED, last_applied.as_deref())] {
            let is_in_effect = match expected {
                Some(bytes) => holds(work.workspace, file, bytes)?,
                None => work.workspace.digest(file).map_err(|error| error.to_string())?.is_none(),
            };
            if !is_in_effect {
                return Err(format!("{file} is not what was applied"));
            }
        }
        Ok(())
    }
}

fn holds(workspace: &Workspace, file: &str, bytes: &[u8]) -> Result<bool, String> {
    workspace.holds(file, bytes).map_err(|error| error.to_string())
}
