//! What a plan changes in the active routes, one line a route, as Terraform shows it: `+` new, `-` gone, `~` other.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::plan::Plan;

/// The differences between two active states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// `+ from -> to …`, sorted by route, `-` and `~` among them.
    pub lines: Vec<String>,
    /// How many routes are new.
    pub added: usize,
    /// How many are gone.
    pub removed: usize,
    /// How many are served otherwise.
    pub changed: usize,
}

impl Diff {
    /// Compares the active routes of a document (`None` or without status: nothing active) with those of a plan.
    pub fn new(document: Option<&Value>, plan: Option<&Plan>) -> Self {
        let (old, new) = (active(document), planned(plan));
        let mut diff = Self::default();
        let mut routes: Vec<&(String, String)> = old.keys().chain(new.keys()).collect();
        routes.sort();
        routes.dedup();
        for route in routes {
            let name = format!("{} -> {}", route.0, route.1);
            match (old.get(route), new.get(route)) {
                (Some(before), Some(after)) if before == after => {}
                (Some(before), Some(after)) => {
                    diff.changed += 1;
                    diff.lines.push(format!("~ {name}: {before} → {after}"));
                }
                (Some(before), None) => {
                    diff.removed += 1;
                    diff.lines.push(format!("- {name}: {before}"));
                }
                (None, Some(after)) => {
                    diff.added += 1;
                    diff.lines.push(format!("+ {name}: {after}"));
                }
                (None, None) => unreachable!("every route is in one of the two"),
            }
        }
        diff
    }

    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

type Routes = BTreeMap<(String, String), String>;

fn active(document: Option<&Value>) -> Routes {
    let entries = document.and_then(|document| document.get("routes")?.as_array()).into_iter().flatten();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    entries
        .filter_map(|entry| {
            let (from, to) = super::routing_table::ends(entry)?;
            let status = entry.get("status")?;
            let mut text = format!(
                "{} via {} on {}/{}",
                shown(&status["target"]),
                shown(&status["via"]),
                shown(&status["host"]),
                shown(&status["numa_node"])
            );
            for backup in status["backups"].as_array().into_iter().flatten() {
                text.push_str(&format!(", backup {} via {}", shown(&backup["target"]), shown(&backup["via"])));
            }
            Some(((from.to_string(), to.to_string()), text))
        })
        .collect()
}

fn planned(plan: Option<&Plan>) -> Routes {
    let routes = plan.map(|plan| plan.routes.as_slice()).unwrap_or_default();
    routes
        .iter()
        .map(|route| {
            let mut text = format!("{} via {} on {}/{}", route.target, route.via, route.host, route.numa_node);
            for backup in &route.backups {
                text.push_str(&format!(", backup {} via {}", backup.target, backup.via));
            }
            ((route.from.to_string(), route.to.to_string()), text)
        })
        .collect()
}
