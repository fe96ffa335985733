//! What earlier stages made, proven to be made from what is there now. The whole chain is checked, so that a stage
//! never works on an old registry because only the stage in between was forgotten.

use super::{Error, Stage, scan};
use crate::connector::index::Connectors;
use crate::dependency::report::{self, Dependencies};
use crate::dependency::settings;
use crate::digest::Digest;
use crate::plan::Plan;
use crate::registry::{self, Registry};
use crate::schema::Schema;
use crate::workspace::state::{self, Fingerprint, StateError, StateFile};
use crate::workspace::{Workspace, layout};

/// Reads the registry.
///
/// # Errors
/// [`Error::NotRun`], [`Error::Stale`] if manifests changed since, [`Error::Invalid`] if it is corrupt.
pub fn registry(workspace: &Workspace) -> Result<StateFile<Registry>, Error> {
    let registry = read_registry(workspace)?.ok_or(not_run(layout::REGISTRY, Stage::Scan))?;
    scan::verify_fresh(workspace, &registry)?;
    Ok(registry)
}

/// Reads the dependency report that was made from `registry` and what is ignored now.
///
/// # Errors
/// As [`registry()`].
pub fn dependencies(workspace: &Workspace, registry: Digest) -> Result<StateFile<Dependencies>, Error> {
    let file = read_dependencies(workspace)?.ok_or(not_run(layout::DEPENDENCIES, Stage::DepDoctor))?;
    check_dependencies(workspace, &file.value.fingerprint, registry)?;
    Ok(file)
}

fn check_dependencies(workspace: &Workspace, made_from: &Fingerprint, registry: Digest) -> Result<(), Error> {
    let inputs = [("registry", registry), ("settings", settings::digest(workspace)?)];
    check(made_from, &inputs, layout::DEPENDENCIES, Stage::DepDoctor)
}

/// The registry and the dependency report by their heads and digests: enough to know that nothing changed.
pub struct Heads {
    head: registry::file::Head,
    /// The registry's digest.
    pub registry: Digest,
    made_from: Fingerprint,
    /// The dependency report's digest.
    pub dependencies: Digest,
}

impl Heads {
    /// Reads them; `None` where only reading the files as a whole can tell what is wrong.
    pub fn read(workspace: &Workspace) -> Option<Self> {
        let bytes = workspace.read_optional(layout::REGISTRY).ok()??;
        let head = registry::file::parse_head(std::str::from_utf8(&bytes).ok()?)?;
        let registry = Digest::of_bytes(&bytes);
        let bytes = workspace.read_optional(layout::DEPENDENCIES).ok()??;
        let report::Head { fingerprint: made_from, .. } = serde_json::from_slice(&bytes).ok()?;
        Some(Self { head, registry, made_from, dependencies: Digest::of_bytes(&bytes) })
    }

    /// Tells whether both are made from what is there now; a doubt is a no.
    pub fn are_fresh(&self, workspace: &Workspace) -> bool {
        check_dependencies(workspace, &self.made_from, self.registry).is_ok()
            && scan::is_fresh(workspace, &self.head).is_ok_and(|is_fresh| is_fresh)
    }
}

/// Reads the connector index that was made from `registry` and `dependencies`.
///
/// # Errors
/// As [`registry()`].
pub fn connectors(
    workspace: &Workspace,
    registry: Digest,
    dependencies: Digest,
) -> Result<StateFile<Connectors>, Error> {
    let file = read_connectors(workspace)?.ok_or(not_run(layout::CONNECTORS, Stage::Generate))?;
    let inputs = [("registry", registry), ("dependencies", dependencies)];
    check(&file.value.fingerprint, &inputs, layout::CONNECTORS, Stage::Generate)?;
    Ok(file)
}

/// Reads the registry as it is, whether or not it is fresh; `None` if it does not exist.
///
/// # Errors
/// [`StateError`] if it is corrupt or cannot be read.
pub fn read_registry(workspace: &Workspace) -> Result<Option<StateFile<Registry>>, StateError> {
    state::read_large(workspace, layout::REGISTRY, Schema::Registry, registry::file::parse)
}

/// Reads the dependency report as it is.
///
/// # Errors
/// As [`read_registry`].
pub fn read_dependencies(workspace: &Workspace) -> Result<Option<StateFile<Dependencies>>, StateError> {
    state::read_large(workspace, layout::DEPENDENCIES, Schema::Dependencies, |text| serde_json::from_str(text).ok())
}

/// Reads the connector index as it is.
///
/// # Errors
/// As [`read_registry`].
pub fn read_connectors(workspace: &Workspace) -> Result<Option<StateFile<Connectors>>, StateError> {
    state::read_large(workspace, layout::CONNECTORS, Schema::Connectors, |text| serde_json::from_str(text).ok())
}

/// Reads the plan that was applied last; `None` before the first.
///
/// # Errors
/// As [`read_registry`].
pub fn read_applied(workspace: &Workspace) -> Result<Option<StateFile<Plan>>, StateError> {
    state::read_large(workspace, layout::LAST_APPLIED, Schema::Plan, Plan::accept)
}

fn not_run(file: &'static str, stage: Stage) -> Error {
    Error::NotRun { file, stage }
}

fn check(made_from: &Fingerprint, now: &[(&str, Digest)], file: &'static str, stage: Stage) -> Result<(), Error> {
    let differs = |(name, digest): &&(&str, Digest)| made_from.inputs.get(*name) != Some(digest);
    let changed: Vec<String> = now.iter().filter(differs).map(|(name, _)| (*name).to_owned()).collect();
    if changed.is_empty() { Ok(()) } else { Err(Error::Stale { file, stage, changed }) }
}
