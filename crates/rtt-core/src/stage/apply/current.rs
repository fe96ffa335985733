//! Everything that stage 50 finds when it begins.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::super::{Error, Stage, upstream};
use crate::apply::log::Log;
use crate::apply::status;
use crate::apply::transaction::Scene;
use crate::connector::index::Connectors;
use crate::digest::Digest;
use crate::plan::Plan;
use crate::plan::source;
use crate::registry::Registry;
use crate::schema::Schema;
use crate::workspace::state::{self, StateFile};
use crate::workspace::{Workspace, layout};

/// What was read before, if it is still the same.
type Known<T> = Option<StateFile<Arc<T>>>;

/// What is there now.
pub(super) struct State<'a> {
    pub(super) workspace: &'a Workspace,
    timeout: Duration,
    /// `.rtt/routes.json`.
    pub(super) document: Value,
    pub(super) applied: Option<StateFile<Plan>>,
    pub(super) registry: StateFile<Arc<Registry>>,
    pub(super) connectors: StateFile<Arc<Connectors>>,
    pub(super) log: Log,
}

impl<'a> State<'a> {
    pub(super) fn read(workspace: &'a Workspace, timeout: Duration) -> Result<Self, Error> {
        Self::read_parts(workspace, timeout, (None, None))
    }

    /// Reads it again; what has the same bytes as before is not parsed again.
    pub(super) fn read_again(self) -> Result<Self, Error> {
        fn kept<T>(workspace: &Workspace, path: &str, file: StateFile<T>) -> Result<Option<StateFile<T>>, Error> {
            let now = workspace.read_optional(path)?;
            Ok(now.is_some_and(|bytes| bytes == file.text.as_bytes()).then_some(file))
        }
        let Self { workspace, timeout, registry, connectors, .. } = self;
        let parts = (kept(workspace, layout::REGISTRY, registry)?, kept(workspace, layout::CONNECTORS, connectors)?);
        Self::read_parts(workspace, timeout, parts)
    }

    fn read_parts(
        workspace: &'a Workspace,
        timeout: Duration,
        known: (Known<Registry>, Known<Connectors>),
    ) -> Result<Self, Error> {
        let document = crate::apply::active_document(workspace.read_optional(layout::ROUTES)?.as_deref())?;
        let applied: Option<StateFile<Plan>> = state::read(workspace, layout::LAST_APPLIED, Schema::Plan)?;
        let log = Log::read(workspace)?;
        let not_run = |file, stage| Error::NotRun { file, stage };
        let registry = match known.0 {
            Some(file) => Some(file),
            None => upstream::read_registry(workspace)?.map(|file| file.map(Arc::new)),
        };
        let connectors = match known.1 {
            Some(file) => Some(file),
            None => upstream::read_connectors(workspace)?.map(|file| file.map(Arc::new)),
        };
        // Before the first plan there is nothing to apply, so the first thing that is missing is the plan.
        let has_plan = source::latest(workspace)?.is_some();
        if !has_plan && applied.is_none() && log.last().is_none() && (registry.is_none() || connectors.is_none()) {
            return Err(not_run(layout::LATEST, Stage::Solver));
        }
        Ok(Self {
            workspace,
            timeout,
            document,
            applied,
            registry: registry.ok_or_else(|| not_run(layout::REGISTRY, Stage::Scan))?,
            connectors: connectors.ok_or_else(|| not_run(layout::CONNECTORS, Stage::Generate))?,
            log,
        })
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            workspace: self.workspace,
            registry: &self.registry.value,
            connectors: &self.connectors.value,
            timeout: self.timeout,
        }
    }

    /// Returns the plan that `plans/last_applied.json` holds.
    pub(super) fn applied_plan(&self) -> Option<&Plan> {
        self.applied.as_ref().map(|file| &file.value)
    }

    /// Tells whether a plan is the one that the last commit made active; without a log, whether its file says so.
    pub(super) fn is_current(&self, plan: Digest) -> bool {
        match self.log.last_committed() {
            Some(entry) => entry.begin.plan == Some(plan),
            None => self.applied_plan().is_some_and(|applied| applied.plan_id == plan),
        }
    }

    /// Returns where the files differ from what was applied.
    pub(super) fn drift(&self) -> Vec<String> {
        let mut drift = status::drift(&self.document, self.applied_plan(), &self.registry.value);
        if let Some(entry) = self.log.last_committed() {
            if self.applied.as_ref().map(|file| file.digest) != entry.begin.after.last_applied {
                drift.push(format!("{}: it is not the plan that was applied", layout::LAST_APPLIED));
            }
            let generation = crate::routes::generation(&self.document);
            if generation != entry.begin.generation {
                let applied = entry.begin.generation;
                drift.push(format!("{}: its generation is {generation}, not {applied}", layout::ROUTES));
            }
        }
        drift
    }
}
