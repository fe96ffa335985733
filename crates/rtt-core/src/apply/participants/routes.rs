//! The routing table: `.rtt/routes.json` and `plans/last_applied.json`. Its commit is the switch of the active state.

use std::path::PathBuf;

use super::{Participant, Work, same_document};
use crate::apply::wal::Entry;
use crate::workspace::durable::{self, Mode};
use crate::workspace::{Workspace, layout};

/// The new routing table, written beside the active one.
const PREPARED: &str = ".rtt/routes.json.prepared";

pub(super) struct RoutingTable;

impl Participant for RoutingTable {
    fn name(&self) -> String {
        "routing table".to_owned()
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        work.after.routes.as_ref().map(|_| ()).ok_or_else(|| "there is no new routing table".to_owned())
    }

    fn prepare(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let routes = entry.begin.after.routes.as_deref().ok_or("there is no new routing table")?;
        durable::write_atomic(&prepared(work.workspace), routes.as_bytes(), Mode::Public)
            .map_err(|error| error.to_string())
    }

    fn commit(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let workspace = work.workspace;
        let failed = |error: std::io::Error| error.to_string();
        let after = entry.begin.after.routes.as_deref().ok_or("there is no new routing table")?;
        let path = workspace.path(layout::ROUTES);
        let current = workspace.read_optional(layout::ROUTES).map_err(|error| error.to_string())?.unwrap_or_default();
        if !same_document(&current, after) {
            if prepared(workspace).exists() {
                durable::rename(&prepared(workspace), &path).map_err(failed)?;
                durable::sync_folder_of(&path).map_err(failed)?;
            } else {
                durable::write_atomic(&path, after.as_bytes(), Mode::Public).map_err(failed)?;
            }
        }
        durable::remove_file(&prepared(workspace)).map_err(failed)?;
        let applied = workspace.path(layout::LAST_APPLIED);
        match &entry.begin.after.last_applied {
            Some(plan) => workspace.write(layout::LAST_APPLIED, plan.as_bytes()).map_err(|error| error.to_string()),
            None => durable::remove_file(&applied).map(|_| ()).map_err(failed),
        }
    }

    /// Until the commit only the prepared file is ours.
    fn abort(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        durable::remove_file(&prepared(work.workspace)).map(|_| ()).map_err(|error| error.to_string())
    }

    fn verify(&self, work: &Work, entry: &Entry) -> Result<(), String> {
        let after = &entry.begin.after;
        for (file, expected) in [(layout::ROUTES, &after.routes), (layout::LAST_APPLIED, &after.last_applied)] {
            let found = work.workspace.read_optional(file).map_err(|error| error.to_string())?;
            if found.as_deref() != expected.as_ref().map(String::as_bytes) {
                return Err(format!("{file} is not what was applied"));
            }
        }
        Ok(())
    }
}

fn prepared(workspace: &Workspace) -> PathBuf {
    workspace.path(PREPARED)
}
