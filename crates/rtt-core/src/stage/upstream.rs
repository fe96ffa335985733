//! What earlier stages made, proven to be made from what is there now. The whole chain is checked, so that a stage
//! never works on an old registry because only the stage in between was forgotten.

use super::{Error, Stage, scan};
use crate::connector::index::Connectors;
use crate::dependency::report::Dependencies;
use crate::dependency::settings;
use crate::digest::Digest;
use crate::registry::Registry;
use crate::schema::Schema;
use crate::workspace::state::{self, Fingerprint, StateFile};
use crate::workspace::{Workspace, layout};

/// Reads the registry.
///
/// # Errors
/// [`Error::NotRun`], [`Error::Stale`] if manifests changed since, [`Error::Invalid`] if it is corrupt.
pub fn registry(workspace: &Workspace) -> Result<StateFile<Registry>, Error> {
    let registry = earlier(workspace, layout::REGISTRY, Schema::Registry, Stage::Scan)?;
    scan::verify_fresh(workspace, &registry)?;
    Ok(registry)
}

/// Reads the dependency report that was made from `registry` and what is ignored now.
///
/// # Errors
/// As [`registry`].
pub fn dependencies(workspace: &Workspace, registry: Digest) -> Result<StateFile<Dependencies>, Error> {
    let file: StateFile<Dependencies> =
        earlier(workspace, layout::DEPENDENCIES, Schema::Dependencies, Stage::DepDoctor)?;
    let inputs = [("registry", registry), ("settings", settings::digest(workspace)?)];
    check(&file.value.fingerprint, &inputs, layout::DEPENDENCIES, Stage::DepDoctor)?;
    Ok(file)
}

/// Reads the connector index that was made from `registry` and `dependencies`.
///
/// # Errors
/// As [`registry`].
pub fn connectors(
    workspace: &Workspace,
    registry: Digest,
    dependencies: Digest,
) -> Result<StateFile<Connectors>, Error> {
    let file: StateFile<Connectors> = earlier(workspace, layout::CONNECTORS, Schema::Connectors, Stage::Generate)?;
    let inputs = [("registry", registry), ("dependencies", dependencies)];
    check(&file.value.fingerprint, &inputs, layout::CONNECTORS, Stage::Generate)?;
    Ok(file)
}

fn earlier<T: serde::de::DeserializeOwned>(
    workspace: &Workspace,
    file: &'static str,
    schema: Schema,
    stage: Stage,
) -> Result<StateFile<T>, Error> {
    state::read_large(workspace, file, schema)?.ok_or(Error::NotRun { file, stage })
}

fn check(made_from: &Fingerprint, now: &[(&str, Digest)], file: &'static str, stage: Stage) -> Result<(), Error> {
    let differs = |(name, digest): &&(&str, Digest)| made_from.inputs.get(*name) != Some(digest);
    let changed: Vec<String> = now.iter().filter(differs).map(|(name, _)| (*name).to_owned()).collect();
    if changed.is_empty() { Ok(()) } else { Err(Error::Stale { file, stage, changed }) }
}
