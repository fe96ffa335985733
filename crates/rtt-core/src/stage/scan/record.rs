//! What a scan keeps of files and instances: enough to bring them together, and the lines of the registry as text.

use std::sync::Arc;

use super::sources::Stored;
use super::stat::Stat;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::manifest::{Form, ProtocolName, Sourced};
use crate::registry::{Instance, file};
use crate::store;
use crate::symbol::InstanceId;
use crate::workspace::layout;

/// One file.
#[derive(Debug, Clone)]
pub(super) struct FileRecord {
    /// Relative to the root.
    pub(super) path: Arc<str>,
    /// As it was before it was read; `None` if a later change might not show.
    pub(super) stat: Option<Stat>,
    /// Digest of its bytes; `None` if it could not be read.
    pub(super) digest: Option<Digest>,
    /// Its instances, in the file's order.
    pub(super) instances: Vec<Record>,
    /// What there is to say about it.
    pub(super) findings: Vec<Diagnostic>,
    /// Whether it was read in this run.
    pub(super) is_fresh: bool,
}

impl FileRecord {
    /// Refuses an object of the store that is not what the store's index says.
    pub(super) fn check_stored(&mut self, stored: &Stored) {
        let finding = match self.digest {
            Some(found) if found != stored.digest => {
                Diagnostic::error(store::ALTERED, format!("the object was altered: its content is {found}"))
                    .help(store::RESTORE)
            }
            Some(_) if !self.instances.iter().map(|record| &record.id).eq(&stored.agents) => {
                let names: Vec<String> = stored.agents.iter().map(ToString::to_string).collect();
                let message =
                    format!("the object does not declare '{}', as {} says", names.join("', '"), layout::STORE_INDEX);
                Diagnostic::error("RTT-O008", message).help("ingest the agent again with --force, or forget the name")
            }
            _ => return,
        };
        self.instances.clear();
        self.findings.push(finding.at(Place::file(&*self.path)));
    }

    /// Tells whether the file holds something that cannot be registered.
    pub(super) fn is_invalid(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// One declaration of an instance.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: InstanceId,
    pub(super) line: Line,
    pub(super) form: Form,
    pub(super) singleton: bool,
    /// Whether its methods are tools, whose definitions are pinned.
    pub(super) is_mcp: bool,
    pub(super) methods: u32,
    pub(super) requirements: u32,
}

/// An instance's line of the registry.
#[derive(Debug, Clone)]
pub(super) enum Line {
    /// The text.
    New(Box<str>),
    /// Where the earlier registry has it, in bytes.
    Kept { offset: u64, length: u32 },
}

impl Record {
    pub(super) fn new(sourced: Sourced) -> Self {
        let form = sourced.form;
        Self::of(&Instance::new(sourced), form)
    }

    pub(super) fn of(instance: &Instance, form: Form) -> Self {
        let manifest = &instance.manifest;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            id: instance.id(),
            line: Line::New(file::line(instance).into_boxed_str()),
            form,
            singleton: manifest.singleton,
            is_mcp: manifest.provides.protocol.as_ref().is_some_and(|protocol| protocol.name == ProtocolName::Mcp),
            methods: count(manifest.provides.methods.len()),
            requirements: count(manifest.requires.len()),
        }
    }
}
