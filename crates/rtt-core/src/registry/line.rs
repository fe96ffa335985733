//! An instance as it is read from the registry: all members side by side. serde's own flattening would build a tree of
//! each instance first, and could not leave schemas as text.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Instance, Origin};
use crate::digest::Digest;
use crate::manifest::{Endpoint, Manifest, Provides, Qos, Requirement, Resources};
use crate::symbol::Symbol;

/// The members of [`Manifest`], then those of [`Instance`].
#[derive(Deserialize)]
pub(super) struct Line {
    symbol: Symbol,
    version: Version,
    #[serde(default)]
    description: String,
    language: Option<String>,
    #[serde(default)]
    provides: Provides,
    #[serde(default)]
    requires: Vec<Requirement>,
    #[serde(default)]
    qos: Qos,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    endpoint: Endpoint,
    #[serde(default)]
    singleton: bool,
    #[serde(default)]
    metadata: Map<String, Value>,
    origin: Origin,
    digest: Digest,
    interface: Digest,
    methods: BTreeMap<String, Digest>,
}

impl From<Line> for Instance {
    fn from(line: Line) -> Self {
        let Line { symbol, version, description, language, provides, requires, qos, resources, endpoint, .. } = line;
        let Line { singleton, metadata, origin, digest, interface, methods, .. } = line;
        let manifest = Manifest {
            symbol,
            version,
            description,
            language,
            provides,
            requires,
            qos,
            resources,
            endpoint,
            singleton,
            metadata,
        };
        Self { manifest, origin, digest, interface, methods }
    }
}
