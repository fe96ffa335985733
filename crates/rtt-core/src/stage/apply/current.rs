//! Everything that stage 50 finds when it begins.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Error, Stage, upstream};
use crate::apply::image::Image;
use crate::apply::log::Log;
use crate::apply::status;
use crate::apply::transaction::{Active, Scene};
use crate::connector::index::Connectors;
use crate::digest::Digest;
use crate::json;
use crate::plan::Plan;
use crate::plan::source;
use crate::registry::Registry;
use crate::routes::{self, Document};
use crate::threads::discard;
use crate::workspace::state::StateFile;
use crate::workspace::{Workspace, layout};

/// A file's content, and the digest of its bytes, by which it is known again. The text is not kept.
pub(super) struct Known<T> {
    pub(super) value: Arc<T>,
    pub(super) digest: Digest,
}

impl<T> From<StateFile<T>> for Known<T> {
    fn from(StateFile { value, digest, text: _ }: StateFile<T>) -> Self {
        Self { value: Arc::new(value), digest }
    }
}

/// What was read before, as far as it is still the same.
#[derive(Default)]
struct Found {
    document: Option<(Arc<Document>, Option<Digest>)>,
    applied: Option<Known<Plan>>,
    registry: Option<Known<Registry>>,
    connectors: Option<Known<Connectors>>,
}

/// What is there now.
pub(super) struct State<'a> {
    pub(super) workspace: &'a Workspace,
    timeout: Duration,
    /// `.rtt/routes.json`, and the digest of its bytes; none where the default stands for it.
    pub(super) document: Arc<Document>,
    routes: Option<Digest>,
    pub(super) applied: Option<Known<Plan>>,
    pub(super) registry: Known<Registry>,
    pub(super) connectors: Known<Connectors>,
    pub(super) log: Log,
}

impl<'a> State<'a> {
    pub(super) fn read(workspace: &'a Workspace, timeout: Duration) -> Result<Self, Error> {
        Self::read_parts(workspace, timeout, Found::default())
    }

    /// Reads it again; what has the same bytes as before is not parsed again.
    pub(super) fn read_again(self) -> Result<Self, Error> {
        fn kept<T>(workspace: &Workspace, path: &str, file: Known<T>) -> Result<Option<Known<T>>, Error> {
            Ok((workspace.digest(path)? == Some(file.digest)).then_some(file))
        }
        let Self { workspace, timeout, document, routes, applied, registry, connectors, log: _ } = self;
        let applied = applied.map(|file| kept(workspace, layout::LAST_APPLIED, file)).transpose()?.flatten();
        let found = Found {
            document: (workspace.digest(layout::ROUTES)? == routes).then_some((document, routes)),
            applied,
            registry: kept(workspace, layout::REGISTRY, registry)?,
            connectors: kept(workspace, layout::CONNECTORS, connectors)?,
        };
        Self::read_parts(workspace, timeout, found)
    }

    fn read_parts(workspace: &'a Workspace, timeout: Duration, found: Found) -> Result<Self, Error> {
        let (document, routes) = match found.document {
            Some(document) => document,
            None => {
                let bytes = workspace.read_optional(layout::ROUTES)?;
                (Arc::new(Document::read(bytes.as_deref())?), bytes.as_ref().map(Digest::of_bytes))
            }
        };
        let applied = match found.applied {
            Some(file) => Some(file),
            None => upstream::read_applied(workspace)?.map(Known::from),
        };
        let log = Log::read(workspace)?;
        let not_run = |file, stage| Error::NotRun { file, stage };
        let registry = match found.registry {
            Some(file) => Some(file),
            None => upstream::read_registry(workspace)?.map(Known::from),
        };
        let connectors = match found.connectors {
            Some(file) => Some(file),
            None => upstream::read_connectors(workspace)?.map(Known::from),
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
            routes,
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
            active: Active {
                image: Image { routes: self.routes, last_applied: self.applied.as_ref().map(|file| file.digest) },
                document: &self.document,
                plan: self.applied.as_ref().map(|file| &file.value),
            },
        }
    }

    /// Frees it beside what goes on.
    pub(super) fn discard(self) {
        let Self { document, applied, registry, connectors, .. } = self;
        discard((document, applied, registry, connectors));
    }

    /// Returns the plan that `plans/last_applied.json` holds.
    pub(super) fn applied_plan(&self) -> Option<&Plan> {
        self.applied.as_ref().map(|file| &*file.value)
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
        let whole = || {
            let bytes = self.workspace.read_optional(layout::ROUTES).ok().flatten();
            json::parse_state(bytes.as_deref().unwrap_or(routes::DEFAULT.as_bytes())).unwrap_or_default()
        };
        let mut drift = status::drift(&self.document, self.routes, whole, self.applied_plan(), &self.registry.value);
        if let Some(entry) = self.log.last_committed() {
            if self.applied.as_ref().map(|file| file.digest) != entry.begin.after.last_applied {
                drift.push(format!("{}: it is not the plan that was applied", layout::LAST_APPLIED));
            }
            let generation = self.document.generation();
            if generation != entry.begin.generation {
                let applied = entry.begin.generation;
                drift.push(format!("{}: its generation is {generation}, not {applied}", layout::ROUTES));
            }
        }
        drift
    }
}
