//! `--explain`: who needs a symbol, what is chosen for them, and why each other candidate was refused.

use std::fmt::Write as _;

use super::resolve::Resolution;
use crate::registry::Registry;
use crate::symbol::{InstanceId, SymbolRange};
use crate::text::counted;

/// Explains a symbol: its instances, those who require it, and what it requires itself. `None` if nobody knows it.
pub fn explain(registry: &Registry, resolution: &Resolution, wanted: &SymbolRange) -> Option<String> {
    let instances =
        registry.versions(&wanted.symbol).iter().filter(|instance| wanted.range.contains(&instance.manifest.version));
    let instances: Vec<InstanceId> = instances.map(|instance| instance.id()).collect();
    let needed: Vec<_> = resolution.edges.iter().filter(|edge| edge.symbol == wanted.symbol).collect();
    if instances.is_empty() && needed.is_empty() {
        return None;
    }
    let mut out = String::new();
    let mut say = |text: String| writeln!(out, "{text}").expect("writing to a string");
    if instances.is_empty() {
        say(format!("{wanted} is not registered"));
    } else {
        let names: Vec<String> = instances.iter().map(|id| id.version.to_string()).collect();
        say(format!("{} is registered in {}: {}", wanted.symbol, counted(names.len(), "version"), names.join(", ")));
    }
    if needed.is_empty() {
        say("nobody requires it".to_owned());
    } else {
        say("required by:".to_owned());
    }
    for edge in needed {
        let optional = if edge.optional { ", optional" } else { "" };
        say(format!("  {} ({}{optional})", edge.from, edge.range));
        match edge.accepted.split_first() {
            Some((chosen, others)) => {
                say(format!("    chosen: {chosen}, the highest version that meets the requirement"));
                for other in others {
                    say(format!("    also meets it: {other}"));
                }
            }
            None => say("    chosen: nothing".to_owned()),
        }
        for refusal in &edge.refused {
            say(format!("    refused: {}: {}", refusal.instance, refusal.reason));
        }
        if edge.accepted.is_empty() && edge.refused.is_empty() {
            say("    no version of it is registered".to_owned());
        }
    }
    let own: Vec<_> = resolution.edges.iter().filter(|edge| instances.contains(&edge.from)).collect();
    if !own.is_empty() {
        say("requires:".to_owned());
    }
    for edge in own {
        let target = edge.accepted.first().map_or_else(|| "nothing that meets it".to_owned(), InstanceId::to_string);
        say(format!("  {}: {} {} -> {target}", edge.from, edge.symbol, edge.range));
    }
    Some(out)
}
