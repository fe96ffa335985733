//! The alternatives that a schema leaves, down to one kind of value each.

use std::collections::BTreeSet;

use super::node::{Kind, More, Node, Schemas};
use super::source::Source;

/// The most alternatives that are told apart; a schema with more is any value.
const MAX_ALTERNATIVES: usize = 32;

/// The most schemas that are looked at to find the way back to a choice; beyond them, there is taken to be one.
const MAX_SEEN: usize = 2_000;

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
    /// Returns what a schema allows; `None` for any value, or where there are too many alternatives, or some that take too
    /// long to tell apart.
    pub(super) fn leaves(&self, schemas: &Schemas) -> Option<Leaves> {
        self.all_leaves(schemas).filter(|leaves| !self.is_entangled(&leaves.all))
    }

    fn all_leaves(&self, schemas: &Schemas) -> Option<Leaves> {
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

    /// Tells whether two alternatives of one kind both lead back to the choice between them by the same part of a value,
    /// and no member tells them apart beforehand: a reader would look at that part twice, at each level of a nested value.
    fn is_entangled(&self, leaves: &[Leaf]) -> bool {
        leaves.iter().enumerate().any(|(index, one)| {
            let others = leaves[index + 1..].iter().filter(|other| other.kind == one.kind);
            others.into_iter().any(|other| {
                let nodes = [one, other].map(|leaf| self.node(&leaf.schemas));
                let common = match one.kind {
                    Kind::Object if !self.tells_apart(&nodes[0], &nodes[1]) => common_members(&nodes[0], &nodes[1]),
                    Kind::Array => {
                        parts_of_lists(&nodes[0]).filter(|_| parts_of_lists(&nodes[1]).next().is_some()).collect()
                    }
                    _ => Vec::new(),
                };
                common.into_iter().any(|part| self.leads_back(part, [one, other]))
            })
        })
    }

    /// Tells whether a member that both objects have differs in the strings that it may be.
    fn tells_apart(&self, one: &Node, other: &Node) -> bool {
        let listed = |node: &Node, name: &String| {
            let (_, schemas) = node.properties.iter().find(|(known, _)| known == name)?;
            self.node(schemas).allowed.clone()
        };
        one.required.intersection(&other.required).any(|name| match (listed(one, name), listed(other, name)) {
            (Some(one), Some(other)) => one.iter().all(|value| !other.contains(value)),
            _ => false,
        })
    }

    /// Tells whether a schema, or one inside it, allows both alternatives.
    fn leads_back(&self, start: &Schemas, pair: [&Leaf; 2]) -> bool {
        let mut seen = BTreeSet::from([start.clone()]);
        let mut pending = vec![start.clone()];
        while let Some(schemas) = pending.pop() {
            if seen.len() > MAX_SEEN {
                return true;
            }
            let Some(leaves) = self.all_leaves(&schemas) else { continue };
            if pair.iter().all(|leaf| leaves.all.contains(leaf)) {
                return true;
            }
            for leaf in &leaves.all {
                let node = self.node(&leaf.schemas);
                let members = node.properties.iter().map(|(_, schemas)| schemas).chain(others_of(&node));
                pending.extend(members.chain(parts_of_lists(&node)).filter(|one| seen.insert((*one).clone())).cloned());
            }
        }
        false
    }
}

/// The schemas of one object's members that the other describes too.
fn common_members<'n>(one: &'n Node, other: &'n Node) -> Vec<&'n Schemas> {
    let has = |node: &Node, name: &String| node.properties.iter().any(|(known, _)| known == name);
    let of = |node: &'n Node, beside: &Node| {
        let named = node.properties.iter().filter(|(name, _)| has(beside, name) || others_of(beside).next().is_some());
        named.map(|(_, schemas)| schemas).collect::<Vec<_>>()
    };
    let both = others_of(one).filter(|_| others_of(other).next().is_some());
    of(one, other).into_iter().chain(of(other, one)).chain(both).collect()
}

/// The schema of the members that no property names.
fn others_of(node: &Node) -> impl Iterator<Item = &Schemas> {
    match &node.more {
        More::Of(schemas) => Some(schemas),
        _ => None,
    }
    .into_iter()
}

/// The schemas of a list's items.
fn parts_of_lists(node: &Node) -> impl Iterator<Item = &Schemas> {
    node.prefix.iter().chain(&node.items)
}
