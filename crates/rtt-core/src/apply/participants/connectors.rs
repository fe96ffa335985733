//! The connectors: every one that the plan uses is on disk as stage 30 wrote it.

use super::{Participant, Work};
use crate::apply::wal::Entry;
use crate::connector::index::Served;
use crate::digest::Digest;
use crate::lookup::Seen;
use crate::symbol::{InstanceId, Symbol};

pub(super) struct ConnectorFiles;

impl Participant for ConnectorFiles {
    fn name(&self) -> String {
        "connectors".to_owned()
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        let index = work.connectors;
        let plan = work.plan.as_deref().filter(|_| !index.connectors.is_empty());
        let routes = plan.map(|plan| plan.routes.as_slice()).unwrap_or_default();
        let used: Seen<(&InstanceId, &Symbol)> =
            routes.iter().map(|route| (&route.source, &route.target.symbol)).collect();
        let is_used = |edges: &[Served]| edges.iter().any(|edge| used.contains(&(&edge.from, &edge.to.symbol)));
        let connectors = index.connectors.iter().filter(|file| is_used(&file.serves));
        let connectors = connectors.map(|file| (&file.path, &file.sha256));
        for (path, sha256) in connectors.chain(index.support.iter().map(|file| (&file.path, &file.sha256))) {
            let bytes = work.workspace.read_optional(path).map_err(|error| error.to_string())?;
            match bytes {
                None => return Err(format!("{path} is missing: run rtt-30-generate")),
                Some(bytes) if Digest::of_bytes(&bytes).hex() != *sha256 => {
                    return Err(format!("{path} was changed since it was generated: run rtt-30-generate --force"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn verify(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        self.check(work)
    }
}
