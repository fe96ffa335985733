//! The index: which object a name stands for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Place};
use crate::digest::Digest;
use crate::json;
use crate::schema::Schema;
use crate::symbol::InstanceId;
use crate::workspace::state::{self, FORMAT_VERSION, StateError};
use crate::workspace::{Workspace, layout};

/// What a name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The object declares an agent of that name, and stage 10 reads it.
    Agent,
    /// Anything else: a record, a schema, a binary.
    Document,
}

impl Role {
    /// Returns the JSON pointer of its list in the index.
    pub(super) fn pointer(self) -> &'static str {
        match self {
            Self::Agent => "/agents",
            Self::Document => "/documents",
        }
    }
}

/// `.rtt/registry/index.json` (`schemas/rtt.store-index.schema.json`). No name stands in both maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Format version.
    pub version: String,
    /// Agents.
    pub agents: BTreeMap<InstanceId, Digest>,
    /// Everything else.
    pub documents: BTreeMap<InstanceId, Digest>,
    /// Of documents whose members were not written in the canonical order: the object with the same document as it was
    /// written. Generated code follows that order, so stage 10 reads these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub layouts: BTreeMap<Digest, Digest>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            version: FORMAT_VERSION.to_owned(),
            agents: BTreeMap::new(),
            documents: BTreeMap::new(),
            layouts: BTreeMap::new(),
        }
    }
}

impl Index {
    /// Reads the index; an empty one if there is none.
    ///
    /// # Errors
    /// [`StateError`] if it is corrupt or cannot be read.
    pub fn read(workspace: &Workspace) -> Result<Self, StateError> {
        let quick = |text: &str| serde_json::from_str::<Self>(text).ok().filter(|index| index.is_current());
        let file = state::read_large(workspace, layout::STORE_INDEX, Schema::StoreIndex, quick)?;
        let index = file.map_or_else(Self::default, |file| file.value);
        match index.agents.keys().find(|name| index.documents.contains_key(name)) {
            None => Ok(index),
            Some(twice) => Err(StateError::Invalid(vec![
                Diagnostic::error("RTT-O004", format!("'{twice}' stands in both lists, 'agents' and 'documents'"))
                    .at(Place::pointer(layout::STORE_INDEX, json::push_token("/documents", &twice.to_string())))
                    .help("remove one of the two"),
            ])),
        }
    }

    fn is_current(&self) -> bool {
        self.version.split('.').next() == FORMAT_VERSION.split('.').next()
    }

    /// Returns the text of the file.
    pub fn text(&self) -> String {
        json::pretty(self)
    }

    /// Returns what a name stands for.
    pub fn get(&self, name: &InstanceId) -> Option<(Role, Digest)> {
        let agent = self.agents.get(name).map(|digest| (Role::Agent, *digest));
        agent.or_else(|| self.documents.get(name).map(|digest| (Role::Document, *digest)))
    }

    /// Lets a name stand for an object, and for no other.
    pub fn set(&mut self, role: Role, name: InstanceId, digest: Digest) {
        let before = self.take(&name);
        match role {
            Role::Agent => self.agents.insert(name, digest),
            Role::Document => self.documents.insert(name, digest),
        };
        before.into_iter().for_each(|before| self.tidy(before));
    }

    /// Forgets a name; returns what it stood for. Objects that it alone named, nothing names then.
    pub fn remove(&mut self, name: &InstanceId) -> Option<Digest> {
        let digest = self.take(name)?;
        self.tidy(digest);
        Some(digest)
    }

    fn take(&mut self, name: &InstanceId) -> Option<Digest> {
        self.agents.remove(name).or_else(|| self.documents.remove(name))
    }

    /// Forgets how a document was written that has no name any more.
    fn tidy(&mut self, digest: Digest) {
        if self.layouts.contains_key(&digest) && self.iter().all(|(_, _, other)| other != digest) {
            self.layouts.remove(&digest);
        }
    }

    /// Returns the object in which a document stands as it was written.
    pub fn written(&self, digest: Digest) -> Digest {
        self.layouts.get(&digest).copied().unwrap_or(digest)
    }

    /// Returns every name with its role and object: the agents, then the rest, each sorted.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &InstanceId, Digest)> {
        let agents = self.agents.iter().map(|(name, digest)| (Role::Agent, name, *digest));
        agents.chain(self.documents.iter().map(|(name, digest)| (Role::Document, name, *digest)))
    }

    /// Returns the names of each object that has one, sorted.
    pub fn names(&self) -> BTreeMap<Digest, Vec<&InstanceId>> {
        let mut names: BTreeMap<Digest, Vec<&InstanceId>> = BTreeMap::new();
        for (_, name, digest) in self.iter() {
            names.entry(digest).or_default().push(name);
        }
        names.values_mut().for_each(|list| list.sort());
        names
    }
}
