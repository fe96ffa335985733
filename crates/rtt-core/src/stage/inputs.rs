//! What a plan is made from and checked against, read from the workspace.

use std::sync::Arc;

use super::Error;
use crate::connector::index::Connectors;
use crate::dependency::report::Dependencies;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::plan::{Inputs, Plan};
use crate::registry::Registry;
use crate::routes::Desired;
use crate::workspace::Workspace;
use crate::{lane, policy, topology};

/// Joins what earlier stages made, registry and connectors each with the digest of its content, with what people wrote,
/// what the machine says, and the plan that was applied last. The findings are warnings and information about what people wrote.
///
/// # Errors
/// [`Error::Invalid`] with every error of the first file that has one, [`Error::Workspace`].
pub(super) fn read(
    workspace: &Workspace,
    (registry, registry_digest): (Arc<Registry>, Digest),
    dependencies: Dependencies,
    (connectors, connectors_digest): (Arc<Connectors>, Digest),
    (routes, mut findings): (Desired, Vec<Diagnostic>),
    applied: impl FnOnce() -> Result<Option<Arc<Plan>>, Error>,
) -> Result<(Inputs, Vec<Diagnostic>), Error> {
    let (policy, of_policy) = policy::read(workspace)?;
    findings.extend(of_policy);
    let (lanes, lanes_digest) = lane::read(workspace)?;
    let inputs = Inputs {
        registry_digest,
        registry,
        dependencies,
        connectors_digest,
        connectors,
        routes,
        policy,
        topology: topology::read(workspace)?,
        lanes,
        lanes_digest,
        // After the routes: an apply switches these first, so what is planned in between is stale and not wrong.
        applied: applied()?,
    };
    Ok((inputs, findings))
}
