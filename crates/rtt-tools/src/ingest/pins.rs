//! `.rtt/registry/mcp-pins.json`: which definitions of tools were taken. A definition that changes afterwards is not taken
//! until somebody says so: who calls a tool trusts what it said when it was chosen.

use std::collections::BTreeMap;

use rtt_core::digest::Digest;
use rtt_core::json;
use rtt_core::schema::Schema;
use rtt_core::stage::Error;
use rtt_core::symbol::Symbol;
use rtt_core::workspace::state::{self, FORMAT_VERSION};
use rtt_core::workspace::{Workspace, layout};
use serde::{Deserialize, Serialize};

use super::server::{self, Server};

/// The pinned tools of every server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pins {
    version: String,
    pub(super) servers: BTreeMap<Symbol, Pinned>,
}

/// The pinned tools of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pinned {
    pub(super) provider: String,
    pub(super) server: String,
    /// Those that were ever taken: one that comes back must be the same.
    pub(super) tools: BTreeMap<String, Digest>,
}

/// How a server's tools differ from what was taken before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) added: Vec<String>,
    pub(super) changed: Vec<String>,
    pub(super) removed: Vec<String>,
}

impl Pins {
    pub(super) fn read(workspace: &Workspace) -> Result<Self, Error> {
        let file = state::read::<Self>(workspace, layout::MCP_PINS, Schema::McpPins)?;
        Ok(file.map(|file| file.value).unwrap_or_default())
    }

    pub(super) fn write(&self, workspace: &Workspace) -> Result<(), Error> {
        let pins = Self { version: FORMAT_VERSION.to_owned(), ..self.clone() };
        Ok(workspace.write(layout::MCP_PINS, json::pretty(&pins).as_bytes())?)
    }

    /// Compares a server with its pins; `earlier` are the tools of the manifest that is there.
    pub(super) fn compare<'a>(&self, server: &Server, earlier: impl IntoIterator<Item = &'a String>) -> Difference {
        let none = BTreeMap::new();
        let pinned = self.servers.get(&server.manifest.symbol).map_or(&none, |pinned| &pinned.tools);
        let now = server.definitions();
        let mut difference = Difference::default();
        for (name, definition) in &now {
            match pinned.get(name) {
                None => difference.added.push(name.clone()),
                Some(digest) if *digest != server::digest(definition) => difference.changed.push(name.clone()),
                Some(_) => {}
            }
        }
        difference.removed.extend(earlier.into_iter().filter(|name| !now.contains_key(*name)).cloned());
        difference
    }

    /// Takes the definitions of a server; those that it offers no more stay pinned.
    pub(super) fn take(&mut self, server: &Server) {
        let pinned = self.servers.entry(server.manifest.symbol.clone()).or_default();
        (pinned.provider, pinned.server) = (server.provider.clone(), server.name.clone());
        pinned.tools.extend(server.definitions().iter().map(|(name, value)| (name.clone(), server::digest(value))));
    }
}
