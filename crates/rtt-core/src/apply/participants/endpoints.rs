//! The lanes' endpoints: the sockets' folder is there, every socket's path fits, shared memory can be had.

use std::path::Path;

use super::{Participant, Work};
use crate::apply::routing_table::endpoint;
use crate::apply::wal::Entry;
use crate::lane::Lane;
use crate::workspace::{durable, layout};

pub(super) struct Endpoints;

impl Participant for Endpoints {
    fn name(&self) -> String {
        "lane endpoints".to_owned()
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        for route in work.plan.map(|plan| plan.routes.as_slice()).unwrap_or_default() {
            let targets = std::iter::once((&route.target, route.via));
            for (target, lane) in targets.chain(route.backups.iter().map(|backup| (&backup.target, backup.via))) {
                if work.registry.get(target).is_none() {
                    return Err(format!("{target} is not registered"));
                }
                let socket = endpoint(work.registry, target, lane);
                if let (Lane::Uds | Lane::Shm, Some(path)) = (lane, socket.as_ref().and_then(|path| path.as_str()))
                    && !work.fits_socket(path)
                {
                    return Err(format!("{path} is too long for a Unix socket"));
                }
                if lane == Lane::Shm && !Path::new("/dev/shm").is_dir() {
                    return Err(format!("{target} is routed by shared memory, but there is no /dev/shm"));
                }
            }
        }
        Ok(())
    }

    fn prepare(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        self.check(work)?;
        durable::create_dir_all(&work.workspace.path(layout::SOCKETS)).map_err(|error| error.to_string())
    }
}
