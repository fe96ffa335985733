//! The alternatives that a schema leaves, down to one kind of value each.

use std::collections::BTreeSet;

use super::node::{Kind, Schemas};
use super::source::Source;

/// The most alternatives that are told apart; a schema with more is any value.
const MAX_ALTERNATIVES: usize = 32;

/// Values of one kind that meet some schemas.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leaf {
    /// The schemas; their choices are made.
    pub(super) schemas: Schemas,
    /// The kind; never [`Kind::Null`].
    pub(super) kind: Kind,
}

/// All that a schema allows.
#[derive(Debug)]
pub(super) struct Leaves {
    /// The alternatives, in the schema's order, each once; an integer is not listed beside numbers.
    pub(super) all: Vec<Leaf>,
    /// Null is allowed too.
    pub(super) is_nullable: bool,
}

impl Source<'_> {
    /// Returns what a schema allows; `None` for any value, or where there are too many alternatives.
    pub(super) fn leaves(&self, schemas: &Schemas) -> Option<Leaves> {
        let mut leaves = Leaves { all: Vec::new(), is_nullable: false };
        self.collect(schemas, &mut Vec::new(), &mut leaves)?;
        if leaves.all.iter().any(|leaf| leaf.kind == Kind::Number) {
            leaves.all.retain(|leaf| leaf.kind != Kind::Integer);
        }
        (leaves.is_nullable || !leaves.all.is_empty()).then_some(leaves)
    }

    fn collect(&self, schemas: &Schemas, active: &mut Vec<Schemas>, leaves: &mut Leaves) -> Option<()> {
        // An alternative that leads back to the choice adds nothing to it.
        if active.contains(schemas) {
            return Some(());
        }
        let node = self.node(schemas);
        if !node.choice.is_empty() {
            active.push(schemas.clone());
            for alternative in &node.choice {
                self.collect(alternative, active, leaves)?;
            }
            active.pop();
            return Some(());
        }
        if node.kinds == BTreeSet::from(Kind::ALL) {
            return None;
        }
        for &kind in &node.kinds {
            let leaf = Leaf { schemas: schemas.clone(), kind };
            if kind == Kind::Null {
                leaves.is_nullable = true;
            } else if !leaves.all.contains(&leaf) {
                leaves.all.push(leaf);
            }
        }
        (leaves.all.len() <= MAX_ALTERNATIVES).then_some(())
    }
}
