//! The connectors: every one that the plan uses is on disk as stage 30 wrote it.

use super::{Participant, Work};
use crate::digest::Digest;
use crate::symbol::{InstanceId, Symbol};

pub(super) struct ConnectorFiles;

impl Participant for ConnectorFiles {
    fn name(&self) -> String {
        "connectors".to_owned()
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        let routes = work.plan.map(|plan| plan.routes.as_slice()).unwrap_or_default();
        let is_used = |from: &InstanceId, to: &Symbol| {
            routes.iter().any(|route| route.source == *from && route.target.symbol == *to)
        };
        let index = work.connectors;
        let used =
            index.connectors.iter().filter(|file| file.serves.iter().any(|edge| is_used(&edge.from, &edge.to.symbol)));
        let connectors = used.map(|file| (&file.path, &file.sha256));
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
}
