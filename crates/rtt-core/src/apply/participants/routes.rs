//! The routing table: `.rtt/routes.json` and `plans/last_applied.json`. Its commit is the switch of the active state.

use std::path::PathBuf;

use super::{Participant, Work};
use crate::apply::image;
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
        let active = work.workspace.read_optional(layout::ROUTES).map_err(|error| error.to_string())?;
        if active == work.before.routes {
            Ok(())
        } else {
            Err(format!("{} was changed while the plan was being applied", layout::ROUTES))
        }
    }

    fn prepare(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        self.check(work)?;
        let routes = work.after.routes.as_deref().ok_or("there is no new routing table")?;
        durable::write_atomic(&prepared(work.workspace), routes, Mode::Public).map_err(|error| error.to_string())
    }

    fn commit(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let workspace = work.workspace;
        let failed = |error: std::io::Error| error.to_string();
        let after = work.after.routes.as_deref().ok_or("there is no new routing table")?;
        let path = workspace.path(layout::ROUTES);
        let active = workspace.read_optional(layout::ROUTES).map_err(|error| error.to_string())?;
        if active.as_deref() != Some(after) {
            if let Some(edited) = active.filter(|active| Some(Digest::of_bytes(active)) != entry.begin.before.routes) {
                let digest = Digest::of_bytes(&edited);
                image::keep(workspace, &edited, digest).map_err(|error| error.to_string())?;
                let kept = layout::wal_object(&digest.hex());
                log::warn!("{} was edited since the decision; what it held is kept in {kept}", layout::ROUTES);
            }
            let ready = std::fs::read(prepared(workspace)).is_ok_and(|ready| ready == after);
            if ready {
                durable::rename(&prepared(workspace), &path).map_err(failed)?;
                durable::sync_folder_of(&path).map_err(failed)?;
            } else {
                durable::write_atomic(&path, after, Mode::Public).map_err(failed)?;
            }
        }
        durable::remove_file(&prepared(workspace)).map_err(failed)?;
        let applied = workspace.path(layout::LAST_APPLIED);
        match &work.after.last_applied {
            Some(plan) => workspace.write(layout::LAST_APPLIED, plan).map_err(|error| error.to_string()),
            None => durable::remove_file(&applied).map(|_| ()).map_err(failed),
        }
    }

    /// Until the commit only the prepared file is ours.
    fn abort(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        durable::remove_file(&prepared(work.workspace)).map(|_| ()).map_err(|error| error.to_string())
    }

    fn verify(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        for (file, expected) in [(layout::ROUTES, &work.after.routes), (layout::LAST_APPLIED, &work.after.last_applied)]
        {
            if work.workspace.read_optional(file).map_err(|error| error.to_string())? != *expected {
                return Err(format!("{file} is not what was applied"));
            }
        }
        Ok(())
    }
}

fn prepared(workspace: &Workspace) -> PathBuf {
    workspace.path(PREPARED)
}
