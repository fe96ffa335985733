//! Tool definitions are pinned: who calls a tool trusts what its description and schemas said. A server that says
//! something else under the same version is reported, with the difference.

use std::collections::BTreeMap;

use super::assemble::earlier_instances;
use super::record::FileRecord;
use crate::diagnostic::{Diagnostic, Place};
use crate::manifest::{self, Method, Sourced};
use crate::registry::Instance;
use crate::symbol::InstanceId;
use crate::workspace::Workspace;

/// Compares the tools of files that were read in this run with those of the earlier registry.
pub(super) fn changed_tools(workspace: &Workspace, files: &[FileRecord]) -> Vec<Diagnostic> {
    let is_of_interest = |file: &&FileRecord| file.is_fresh && file.instances.iter().any(|record| record.is_mcp);
    let fresh: Vec<&FileRecord> = files.iter().filter(is_of_interest).collect();
    if fresh.is_empty() {
        return Vec::new();
    }
    let now: BTreeMap<&InstanceId, ()> =
        fresh.iter().flat_map(|file| &file.instances).filter(|one| one.is_mcp).map(|one| (&one.id, ())).collect();
    let earlier = earlier_instances(workspace, |instance| now.contains_key(&instance.id()));
    if earlier.is_empty() {
        return Vec::new();
    }
    let earlier: BTreeMap<InstanceId, Instance> =
        earlier.into_iter().map(|instance| (instance.id(), instance)).collect();
    let mut findings = Vec::new();
    for file in fresh {
        let bytes = workspace.read_optional(&*file.path).ok().flatten().unwrap_or_default();
        for sourced in manifest::read(&file.path, &bytes).manifests {
            if let Some(before) = earlier.get(&sourced.manifest.id()) {
                compare(before, sourced, &mut findings);
            }
        }
    }
    findings
}

fn compare(before: &Instance, sourced: Sourced, findings: &mut Vec<Diagnostic>) {
    let (pointer, place) = (sourced.pointer.clone(), sourced.place.clone());
    let now = Instance::new(sourced);
    for (name, digest) in &now.methods {
        if before.methods.get(name).is_none_or(|earlier| earlier == digest) {
            continue;
        }
        let methods = [before, &now].map(|instance| instance.manifest.provides.methods.get(name));
        let [Some(old), Some(new)] = methods else { continue };
        let mut finding = Diagnostic::warning(
            "RTT-M020",
            format!("tool '{name}' of {} is defined otherwise than before under the same version", now.id()),
        )
        .at(if pointer.is_empty() { place.clone() } else { Place::pointer(&place.file, &pointer) });
        for difference in differences(old, new) {
            finding = finding.help(difference);
        }
        findings
            .push(finding.help(
                "read the new definition before you trust it; whoever changed it should have raised the version",
            ));
    }
}

fn differences(old: &Method, new: &Method) -> Vec<String> {
    let value = |method: &Method| serde_json::to_value(method).expect("methods have string keys and finite numbers");
    manifest::differences(&value(old), &value(new))
}
