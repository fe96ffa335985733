//! The alternatives that a schema leaves, down to one kind of value each.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

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
    /// and no tag tells them apart beforehand: a reader would look at that part twice, at each level of a nested value.
    fn is_entangled(&self, leaves: &[Leaf]) -> bool {
        let nodes: Vec<(&Leaf, Rc<Node>)> = leaves.iter().map(|leaf| (leaf, self.node(&leaf.schemas))).collect();
        let of = |kind: Kind| nodes.iter().filter(move |(leaf, _)| leaf.kind == kind).collect::<Vec<_>>();
        let is_twice = |all: &[&(&Leaf, Rc<Node>)], common: for<'n> fn(&'n Node, &'n Node) -> Vec<&'n Schemas>| {
            all.iter().enumerate().any(|(index, (leaf, node))| {
                all[index + 1..].iter().any(|(other_leaf, other)| {
                    common(node, other).into_iter().any(|part| self.leads_back(part, [leaf, other_leaf]))
                })
            })
        };
        let objects = of(Kind::Object);
        let is_tagged = || self.tags(&objects.iter().map(|(leaf, _)| *leaf).collect::<Vec<_>>()).is_some();
        is_twice(&of(Kind::Array), common_items) || (is_twice(&objects, common_members) && !is_tagged())
    }

    /// Returns a required member of which each of several objects allows only one string, another one each, and these
    /// strings.
    pub(super) fn tags(&self, objects: &[&Leaf]) -> Option<(String, Vec<String>)> {
        let nodes: Vec<Rc<Node>> = objects.iter().map(|leaf| self.node(&leaf.schemas)).collect();
        let first = nodes.first().filter(|_| nodes.len() > 1)?;
        first.properties.iter().find_map(|(member, _)| {
            let only = |node: &Rc<Node>| {
                let (_, schemas) = node.properties.iter().find(|(name, _)| name == member)?;
                let member_node = self.node(schemas);
                let allowed = member_node.allowed.as_ref().filter(|_| node.required.contains(member))?;
                if let [Value::String(value)] = &allowed[..] { Some(value.clone()) } else { None }
            };
            let values: Vec<String> = nodes.iter().map(only).collect::<Option<_>>()?;
            (values.iter().collect::<BTreeSet<_>>().len() == values.len()).then(|| (member.clone(), values))
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

/// The schemas of one list's items, if the other describes its items too.
fn common_items<'n>(one: &'n Node, other: &'n Node) -> Vec<&'n Schemas> {
    parts_of_lists(one).filter(|_| parts_of_lists(other).next().is_some()).collect()
}

/// The schemas of a list's items.
fn parts_of_lists(node: &Node) -> impl Iterator<Item = &Schemas> {
    node.prefix.iter().chain(&node.items)
}
