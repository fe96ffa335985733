//! Everything that a plan is made from, as read: handed to whoever makes a plan and to whoever checks one.

use std::sync::Arc;

use super::{Base, Plan};
use crate::connector::index::Connectors;
use crate::dependency::report::Dependencies;
use crate::diagnostic::Place;
use crate::digest::Digest;
use crate::lane::LaneTable;
use crate::policy::Policy;
use crate::registry::Registry;
use crate::routes::Desired;
use crate::topology::Topology;

/// The inputs of a plan.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// What is registered.
    pub registry: Arc<Registry>,
    /// [`Registry::content`].
    pub registry_digest: Digest,
    /// Which requirement is met by whom.
    pub dependencies: Dependencies,
    /// The generated connectors.
    pub connectors: Arc<Connectors>,
    /// [`Connectors::content`].
    pub connectors_digest: Digest,
    /// What is wanted.
    pub routes: Desired,
    /// What is allowed and asked for.
    pub policy: Policy,
    /// Where instances can run.
    pub topology: Topology,
    /// Figures of the lanes.
    pub lanes: LaneTable,
    /// Digest of the lane file, of nothing if there is none.
    pub lanes_digest: Digest,
    /// The plan that was applied last.
    pub applied: Option<Arc<Plan>>,
}

impl Inputs {
    /// Returns the inputs as a plan names them.
    pub fn base(&self, solver: String) -> Base {
        Base {
            generation: self.routes.generation,
            routes: self.routes.digest,
            policy: self.policy.digest,
            registry: self.registry_digest,
            connectors: self.connectors_digest,
            topology: self.topology.digest,
            lanes: self.lanes_digest,
            solver,
        }
    }

    /// Returns the place of what a person wrote, with line and column.
    pub fn place(&self, written: &Written) -> Place {
        match written {
            Written::Policy(pointer) => self.policy.place(pointer),
            Written::Routes(pointer) => self.routes.place(pointer),
            Written::Manifest(path, pointer) => Place::pointer(path.clone(), pointer.clone()),
        }
    }
}

/// Where a person wrote what limits a plan: a file and a JSON pointer, resolved only where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Written {
    /// In `.rtt/policy.json`.
    Policy(String),
    /// In `.rtt/routes.json`.
    Routes(String),
    /// In a manifest: its path and the pointer.
    Manifest(String, String),
}
