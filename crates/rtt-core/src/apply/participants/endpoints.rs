//! The lanes' endpoints: the sockets' folder is there, every socket's path fits, shared memory can be had. Sockets that
//! nobody serves and no route leads to any more are removed.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{Participant, Work};
use crate::apply::routing_table::endpoint;
use crate::apply::wal::Entry;
use crate::lane::Lane;
use crate::lookup::Seen;
use crate::plan::Plan;
use crate::symbol::InstanceId;
use crate::workspace::{durable, layout};

pub(super) struct Endpoints;

impl Participant for Endpoints {
    fn name(&self) -> String {
        "lane endpoints".to_owned()
    }

    fn check(&self, work: &Work) -> Result<(), String> {
        for (target, lane) in targets(work.plan.as_deref()) {
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
        Ok(())
    }

    fn prepare(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        self.check(work)?;
        durable::create_dir_all(&work.workspace.path(layout::SOCKETS)).map_err(|error| error.to_string())
    }

    fn commit(&self, work: &Work, _entry: &Entry) -> Result<(), String> {
        if work.previous.is_none() {
            return Ok(());
        }
        let sockets = |plan| -> BTreeSet<String> {
            targets(plan)
                .filter(|(_, lane)| matches!(lane, Lane::Uds | Lane::Shm))
                .filter_map(|(target, lane)| Some(endpoint(work.registry, target, lane)?.as_str()?.to_owned()))
                .collect()
        };
        for gone in sockets(work.previous.as_deref()).difference(&sockets(work.plan.as_deref())) {
            let path = work.workspace.path(gone);
            let is_socket = std::fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_socket());
            let is_served = UnixStream::connect(&path)
                .map_or_else(|error| error.kind() != std::io::ErrorKind::ConnectionRefused, |_| true);
            if is_socket && !is_served {
                durable::remove_file(&path).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }
}

/// Returns where a plan's routes lead, each once, in the plan's order.
fn targets(plan: Option<&Plan>) -> impl Iterator<Item = (&InstanceId, Lane)> {
    let mut seen = Seen::default();
    plan.into_iter().flat_map(Plan::targets).filter(move |target| seen.insert(*target))
}
