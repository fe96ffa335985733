//! Whether a plan was made from what is there now.

use super::log::Log;
use crate::connector::index::Connectors;
use crate::digest::Digest;
use crate::plan::Base;
use crate::registry::Registry;
use crate::routes::Document;
use crate::workspace::{Error, Workspace, layout};

/// The inputs of a plan that an apply compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Generation of `.rtt/routes.json`.
    pub generation: u64,
    /// Digest of the desired routes.
    pub routes: Digest,
    /// Digest of the policy's bytes.
    pub policy: Digest,
    /// Digest of what is registered.
    pub registry: Digest,
    /// Digest of the generated connectors.
    pub connectors: Digest,
    /// Digest of the lane figures' bytes.
    pub lanes: Digest,
}

impl Current {
    /// Takes the digests of what is there now; `document` is `.rtt/routes.json`. The generation is the
    /// log's where the document names an earlier one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(
        workspace: &Workspace,
        document: &Document,
        log: &Log,
        registry: &Registry,
        connectors: &Connectors,
    ) -> Result<Self, Error> {
        let digest = |file| Ok::<_, Error>(Digest::of_bytes(workspace.read_optional(file)?.unwrap_or_default()));
        Ok(Self {
            generation: log.generation().max(document.generation()),
            routes: document.desired_digest(),
            policy: digest(layout::POLICY)?,
            registry: registry.content(),
            connectors: connectors.content(),
            lanes: digest(layout::LANES)?,
        })
    }

    /// Returns the inputs that changed since the plan was made: name, old and new digest.
    pub fn changed_since(&self, base: &Base) -> Vec<String> {
        let mut changed = Vec::new();
        if self.generation != base.generation {
            changed.push(format!("generation ({} → {})", base.generation, self.generation));
        }
        for (name, now, then) in [
            ("routes", self.routes, base.routes),
            ("policy", self.policy, base.policy),
            ("registry", self.registry, base.registry),
            ("connectors", self.connectors, base.connectors),
            ("lanes", self.lanes, base.lanes),
        ] {
            if now != then {
                changed.push(format!("{name} ({then} → {now})"));
            }
        }
        changed
    }
}
