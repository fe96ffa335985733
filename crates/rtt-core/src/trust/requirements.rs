//! Whose signatures policy asks for, and how old they may be.

use std::time::Duration;

use serde_json::Value;

use crate::schema::Schema;
use crate::workspace::state::{self, StateError};
use crate::workspace::{Workspace, layout};

/// `trust` of `.rtt/policy.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// How many different signers.
    pub threshold: usize,
    /// How long a plan is trusted.
    pub max_age: Option<Duration>,
}

impl Requirements {
    /// Reads them; without a policy, one signer.
    ///
    /// # Errors
    /// [`StateError`] if the policy holds something else.
    pub fn read(workspace: &Workspace) -> Result<Self, StateError> {
        let policy = match workspace.read_optional(layout::POLICY)? {
            None => Value::Null,
            Some(bytes) => state::parse_value(layout::POLICY, &bytes, Schema::Policy)?.0,
        };
        let number = |name: &str| policy.pointer(&format!("/trust/{name}")).and_then(Value::as_u64);
        let threshold = number("threshold").map_or(1, |threshold| usize::try_from(threshold).unwrap_or(usize::MAX));
        Ok(Self { threshold, max_age: number("max_age_seconds").map(Duration::from_secs) })
    }
}
