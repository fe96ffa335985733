//! What a plan changes in the active routes, by agent, as Terraform shows it: `+` new, `-` gone, `~` other.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::wal::Changes;
use crate::plan::Plan;
use crate::routes::{Active, Document, Served};

/// The differences between two active states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Sorted by the two ends.
    pub changes: Vec<Change>,
}

/// One route that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Who calls.
    pub from: String,
    /// Whom.
    pub to: String,
    /// How it was served; none if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Served>,
    /// How it will be served; none if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Served>,
}

impl Served {
    fn parts(&self) -> [(&'static str, String); 4] {
        let backups = if self.backups.is_empty() { "none".to_owned() } else { self.backups.join(" then ") };
        [
            ("target", self.target.clone()),
            ("lane", self.via.to_string()),
            ("node", self.node.clone()),
            ("backup", backups),
        ]
    }
}

impl std::fmt::Display for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} via {} on {}", self.target, self.via, self.node)?;
        self.backups.iter().try_for_each(|backup| write!(f, ", backup {backup}"))
    }
}

impl Diff {
    /// Compares the active routes of a document with those of a plan.
    pub fn new(document: &Document, plan: Option<&Plan>) -> Self {
        Self::of(document.active(), planned(plan))
    }

    fn of(old: impl Iterator<Item = Active>, new: impl Iterator<Item = Active>) -> Self {
        let old = old.map(|((from, to), served)| Change { from, to, old: Some(served), new: None });
        let new = new.map(|((from, to), served)| Change { from, to, old: None, new: Some(served) });
        let mut changes: Vec<Change> = old.chain(new).collect();
        // A first plan's routes are in order, and sorting takes memory.
        if !changes.is_sorted_by(|one, other| (&one.from, &one.to) <= (&other.from, &other.to)) {
            changes.sort_by(|one, other| (&one.from, &one.to).cmp(&(&other.from, &other.to)));
        }
        // Of several that serve the same ends the last counts.
        changes.dedup_by(|next, kept| {
            let is_same = (&next.from, &next.to) == (&kept.from, &kept.to);
            if is_same {
                kept.old = next.old.take().or(kept.old.take());
                kept.new = next.new.take().or(kept.new.take());
            }
            is_same
        });
        changes.retain(|change| change.old != change.new);
        Self { changes }
    }

    /// Compares the routes of two plans.
    pub fn between(old: Option<&Plan>, new: Option<&Plan>) -> Self {
        Self::of(planned(old), planned(new))
    }

    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Counts the differences.
    pub fn counts(&self) -> Changes {
        let mut counts = Changes::default();
        for change in &self.changes {
            match (&change.old, &change.new) {
                (None, _) => counts.added += 1,
                (_, None) => counts.removed += 1,
                _ => counts.changed += 1,
            }
        }
        counts
    }

    /// Returns lines for people, each after an indentation: each agent that calls, then its routes; of a changed one what
    /// it was and will be.
    pub fn lines(&self, indentation: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut agent = None;
        for change in &self.changes {
            if agent != Some(&change.from) {
                lines.push(format!("{indentation}{}", change.from));
                agent = Some(&change.from);
            }
            lines.push(format!("{indentation}  {}", change.line()));
        }
        lines
    }

    /// Returns one line a route, as the log keeps them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            let line = change.line();
            let (sign, rest) = line.split_at(1);
            writeln!(text, "{sign} {} ->{rest}", change.from).expect("a string takes everything");
        }
        text
    }

    /// Returns the differences as JSON.
    pub fn json(&self) -> Value {
        serde_json::to_value(&self.changes).expect("strings")
    }
}

impl Change {
    fn line(&self) -> String {
        let to = &self.to;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                let pairs = old.parts().into_iter().zip(new.parts()).filter(|(old, new)| old != new);
                let parts: Vec<String> = pairs.map(|((name, old), (_, new))| format!("{name} {old} → {new}")).collect();
                format!("~ {to}: {}", parts.join(", "))
            }
            (Some(old), None) => format!("- {to}: {old}"),
            (None, Some(new)) => format!("+ {to}: {new}"),
            (None, None) => to.clone(),
        }
    }
}

fn planned(plan: Option<&Plan>) -> impl Iterator<Item = Active> {
    plan.into_iter().flat_map(|plan| &plan.routes).map(|route| {
        let served = Served {
            target: route.target.to_string(),
            via: Cow::Borrowed(route.via.name()),
            node: format!("{}/{}", route.host, route.numa_node),
            backups: route.backups.iter().map(|backup| format!("{} via {}", backup.target, backup.via)).collect(),
        };
        ((route.from.to_string(), route.to.to_string()), served)
    })
}
