//! What is said about one value of one kind, sorted into facts, which the theory of the kind works out, and choices,
//! which are true in one of several ways.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use super::claim::{Claim, Demand, Names};
use super::schema::{Id, Kind, Node, Rule};
use super::search::obstructing;

/// Claims about one value that are all to be true.
#[derive(Clone)]
pub(super) struct State<'a> {
    pub(super) kind: Kind,
    /// Claims that the theory of the kind knows; their conjunction has a value or has none.
    pub(super) facts: Vec<Claim<'a>>,
    /// Claims that have alternatives.
    pub(super) choices: Vec<Claim<'a>>,
    /// The only values that there may be, where they are listed.
    pub(super) listed: Option<&'a [Value]>,
    valid: Vec<Node<'a>>,
    invalid: Vec<Node<'a>>,
}

/// The claims cannot all be true.
pub(super) struct Contradiction;

/// Ways in which a claim may be true; within each, all claims are to be.
pub(super) type Alternatives<'a> = Vec<Vec<Claim<'a>>>;

impl<'a> State<'a> {
    pub(super) fn new(kind: Kind) -> Self {
        static TRUTHS: [Value; 2] = [Value::Bool(true), Value::Bool(false)];
        static NOTHING: [Value; 1] = [Value::Null];
        let listed: Option<&'static [Value]> = match kind {
            Kind::Null => Some(&NOTHING),
            Kind::Boolean => Some(&TRUTHS),
            _ => None,
        };
        Self { kind, facts: Vec::new(), choices: Vec::new(), listed, valid: Vec::new(), invalid: Vec::new() }
    }

    /// Adds claims and what follows from them without a choice.
    pub(super) fn assume(&mut self, claims: Vec<Claim<'a>>) -> Result<(), Contradiction> {
        let mut pending = claims;
        while let Some(claim) = pending.pop() {
            match claim {
                Claim::Demand(Demand::Is(node)) => self.assume_valid(node, &mut pending)?,
                Claim::Demand(Demand::IsNot(node)) => self.assume_invalid(node, &mut pending)?,
                Claim::Demand(Demand::Differs(value)) => {
                    if Kind::of(&value) != self.kind {
                        continue;
                    }
                    let claim = Claim::Demand(Demand::Differs(value));
                    match self.kind {
                        Kind::Array | Kind::Object => self.choices.push(claim),
                        _ => self.facts.push(claim),
                    }
                }
                Claim::AnyOf(_) => self.choose(claim, &mut pending)?,
                Claim::Holds(node, rule) => match rule {
                    _ if !rule.kinds().has(self.kind) => {}
                    Rule::All(parts) => pending.extend(parts.iter().map(|part| is(node.to(*part)))),
                    Rule::Not(part) => pending.push(is_not(node.to(*part))),
                    Rule::Values(values) => {
                        // A second list is checked against each value of the first.
                        if self.listed.is_none_or(|listed| listed.len() > values.len()) {
                            self.listed = Some(values);
                        }
                        self.facts.push(claim);
                    }
                    Rule::Pattern(index) => self.facts.push(Claim::Matches(node, node.pattern(*index), true)),
                    Rule::Any(_)
                    | Rule::One(_)
                    | Rule::If { .. }
                    | Rule::DependentRequired(..)
                    | Rule::DependentSchema(..) => self.choose(claim, &mut pending)?,
                    _ => self.facts.push(claim),
                },
                Claim::Fails(node, rule) => match rule {
                    _ if !rule.kinds().has(self.kind) => return Err(Contradiction),
                    Rule::Pattern(index) => self.facts.push(Claim::Matches(node, node.pattern(*index), false)),
                    Rule::Least { .. } | Rule::Most { .. } | Rule::Multiple(_) | Rule::Unique | Rule::Opaque(..) => {
                        self.facts.push(claim);
                    }
                    _ => self.choose(claim, &mut pending)?,
                },
                fact => self.facts.push(fact),
            }
        }
        Ok(())
    }

    fn assume_valid(&mut self, node: Node<'a>, pending: &mut Vec<Claim<'a>>) -> Result<(), Contradiction> {
        if !node.kinds().has(self.kind) || self.invalid.iter().any(|other| other.same_as(node)) {
            return Err(Contradiction);
        }
        if !self.valid.iter().any(|other| other.same_as(node)) {
            self.valid.push(node);
            pending.extend(node.rules().iter().map(|rule| Claim::Holds(node, rule)));
        }
        Ok(())
    }

    fn assume_invalid(&mut self, node: Node<'a>, pending: &mut Vec<Claim<'a>>) -> Result<(), Contradiction> {
        if !node.kinds().has(self.kind) || self.invalid.iter().any(|other| other.same_as(node)) {
            return Ok(());
        }
        if self.valid.iter().any(|other| other.same_as(node)) {
            return Err(Contradiction);
        }
        self.invalid.push(node);
        self.choose(is_not(node), pending)
    }

    /// Keeps a claim for later unless there is but one way in which it may be true.
    fn choose(&mut self, claim: Claim<'a>, pending: &mut Vec<Claim<'a>>) -> Result<(), Contradiction> {
        // The alternatives of a whole negated schema are counted by its rules; working them all out can wait.
        if let Claim::Demand(Demand::IsNot(node)) = &claim {
            let mut rules = node.rules().iter().filter(|rule| rule.kinds().has(self.kind));
            match (rules.next(), rules.next()) {
                (None, _) => return Err(Contradiction),
                (Some(rule), None) => pending.push(Claim::Fails(*node, rule)),
                _ => self.choices.push(claim),
            }
            return Ok(());
        }
        let mut ways = self.alternatives(&claim);
        match ways.len() {
            0 => Err(Contradiction),
            1 => {
                pending.append(&mut ways[0]);
                Ok(())
            }
            _ => {
                self.choices.push(claim);
                Ok(())
            }
        }
    }

    /// Returns the ways in which a choice may be true, without those that are obviously closed.
    pub(super) fn alternatives(&self, claim: &Claim<'a>) -> Alternatives<'a> {
        match claim {
            Claim::Demand(Demand::IsNot(node)) => {
                let rules = node.rules().iter().filter(|rule| rule.kinds().has(self.kind));
                rules.flat_map(|rule| self.failures(*node, rule)).collect()
            }
            Claim::Demand(Demand::Differs(value)) => differences(value),
            Claim::AnyOf(nodes) => {
                nodes.iter().filter(|node| self.is_open(**node)).map(|node| vec![is(*node)]).collect()
            }
            Claim::Holds(node, rule) => self.fulfilments(*node, rule),
            Claim::Fails(node, rule) => self.failures(*node, rule),
            other => vec![vec![other.clone()]],
        }
    }

    fn fulfilments(&self, node: Node<'a>, rule: &'a Rule<'a>) -> Alternatives<'a> {
        match rule {
            Rule::Any(parts) => self.alternatives(&Claim::AnyOf(parts.iter().map(|part| node.to(*part)).collect())),
            Rule::One(parts) => {
                let open = parts.iter().enumerate().filter(|(_, part)| self.is_open(node.to(**part)));
                open.map(|(index, part)| {
                    let others = parts.iter().enumerate().filter(|(other, _)| *other != index);
                    let mut claims: Vec<Claim> = others.map(|(_, other)| is_not(node.to(*other))).collect();
                    claims.push(is(node.to(*part)));
                    claims
                })
                .collect()
            }
            Rule::If { test, then, otherwise } => {
                let branch = |id: &Option<Id>| id.map(|id| is(node.to(id)));
                vec![
                    [is(node.to(*test))].into_iter().chain(branch(then)).collect(),
                    [is_not(node.to(*test))].into_iter().chain(branch(otherwise)).collect(),
                ]
            }
            Rule::DependentRequired(name, others) => vec![
                vec![Claim::Absent(Cow::Borrowed(name))],
                others.iter().map(|other| Claim::Present(Cow::Borrowed(other))).collect(),
            ],
            Rule::DependentSchema(name, schema) => {
                vec![vec![Claim::Absent(Cow::Borrowed(name))], vec![is(node.to(*schema))]]
            }
            _ => vec![vec![Claim::Holds(node, rule)]],
        }
    }

    fn failures(&self, node: Node<'a>, rule: &'a Rule<'a>) -> Alternatives<'a> {
        let fails = |id: Id| is_not(node.to(id));
        let all_fail = |ids: &[Id]| ids.iter().map(|id| fails(*id)).collect::<Vec<_>>();
        match rule {
            Rule::Values(values) => {
                let alike = values.iter().filter(|value| Kind::of(value) == self.kind);
                vec![alike.map(|value| Claim::Demand(Demand::Differs(Rc::new(value.clone())))).collect()]
            }
            Rule::All(parts) => parts.iter().map(|part| vec![fails(*part)]).collect(),
            Rule::Any(parts) => vec![all_fail(parts)],
            Rule::One(parts) => {
                // Two hold: some part, and another one after it.
                let pairs = parts.iter().enumerate().filter_map(|(index, part)| {
                    let later = parts[index + 1..].iter().map(|part| node.to(*part));
                    let later: Vec<Node> = later.filter(|part| self.is_open(*part)).collect();
                    let possible = !later.is_empty() && self.is_open(node.to(*part));
                    possible.then(|| vec![Claim::AnyOf(later), is(node.to(*part))])
                });
                [all_fail(parts)].into_iter().chain(pairs).collect()
            }
            Rule::Not(part) => vec![vec![is(node.to(*part))]],
            Rule::If { test, then, otherwise } => {
                let first = then.map(|then| vec![is(node.to(*test)), fails(then)]);
                let second = otherwise.map(|otherwise| vec![fails(*test), fails(otherwise)]);
                first.into_iter().chain(second).collect()
            }
            Rule::AtLeast(_, 0) => Vec::new(),
            Rule::AtLeast(_, least) => vec![vec![Claim::AtMost(least - 1)]],
            Rule::AtMost(_, most) => match most.checked_add(1) {
                Some(least) => vec![vec![Claim::AtLeast(least)]],
                None => Vec::new(),
            },
            Rule::Items { prefix, rest } => {
                let each = prefix.iter().enumerate().map(|(index, id)| vec![Claim::Element(index, refused(node, *id))]);
                let rest = rest.map(|id| vec![Claim::SomeElement(prefix.len(), refused(node, id))]);
                each.chain(rest).collect()
            }
            Rule::Contains { schema, least, most } => {
                let fewer = least.checked_sub(1).map(|most| vec![Claim::Count(node.to(*schema), 0, Some(most))]);
                let more = most.and_then(|most| most.checked_add(1));
                let more = more.map(|least| vec![Claim::Count(node.to(*schema), least, None)]);
                fewer.into_iter().chain(more).collect()
            }
            Rule::Properties(properties) => {
                let each = properties.named.iter();
                let each = each.map(|(name, id)| vec![Claim::Property(Cow::Borrowed(name), refused(node, *id))]);
                let matching = properties.patterns.iter().map(|(index, id)| {
                    vec![Claim::SomeProperty(Names::Matching(node, node.pattern(*index)), Some(refused(node, *id)))]
                });
                let rest = properties
                    .rest
                    .map(|id| vec![Claim::SomeProperty(Names::Outside(node, properties), Some(refused(node, id)))]);
                each.chain(matching).chain(rest).collect()
            }
            Rule::Required(names) => {
                let missing = names.iter().filter(|name| !self.requires(name));
                missing.map(|name| vec![Claim::Absent(Cow::Borrowed(name))]).collect()
            }
            Rule::Names(schema) => vec![vec![Claim::SomeProperty(Names::Refused(node.to(*schema)), None)]],
            Rule::DependentRequired(name, others) => {
                let pair =
                    |other: &&'a str| vec![Claim::Present(Cow::Borrowed(name)), Claim::Absent(Cow::Borrowed(other))];
                others.iter().map(pair).collect()
            }
            Rule::DependentSchema(name, schema) => vec![vec![Claim::Present(Cow::Borrowed(name)), fails(*schema)]],
            Rule::Pattern(_)
            | Rule::Least { .. }
            | Rule::Most { .. }
            | Rule::Multiple(_)
            | Rule::Unique
            | Rule::Opaque(..) => vec![vec![Claim::Fails(node, rule)]],
        }
    }

    /// Names the keyword that stands in the way, and its place: the first rule of this sort, or else of any.
    pub(super) fn obstacle(&self, is_telling: impl Fn(&Rule) -> bool) -> String {
        let claims = || self.facts.iter().chain(&self.choices);
        let telling = claims().find(|claim| match claim {
            Claim::Holds(_, rule) | Claim::Fails(_, rule) => is_telling(rule),
            _ => false,
        });
        telling.or_else(|| claims().next()).map_or_else(|| "'type' is not worked out".to_owned(), obstructing)
    }

    /// Tells whether a node may hold, as far as that is seen at once.
    fn is_open(&self, node: Node<'a>) -> bool {
        node.kinds().has(self.kind) && !self.invalid.iter().any(|other| other.same_as(node))
    }

    fn requires(&self, name: &str) -> bool {
        self.facts.iter().any(|fact| match fact {
            Claim::Holds(_, Rule::Required(names)) => names.contains(&name),
            Claim::Present(known) | Claim::Property(known, _) => known == name,
            _ => false,
        })
    }
}

/// Claims that a value is valid under a node.
pub(super) fn is(node: Node) -> Claim {
    Claim::Demand(Demand::Is(node))
}

/// Claims that a value is not valid under a node.
pub(super) fn is_not(node: Node) -> Claim {
    Claim::Demand(Demand::IsNot(node))
}

fn refused<'a>(node: Node<'a>, id: Id) -> Demand<'a> {
    Demand::IsNot(node.to(id))
}

/// Returns the ways in which another array or object may differ from this one.
fn differences<'a>(value: &Rc<Value>) -> Alternatives<'a> {
    let differs = |part: &Value| Demand::Differs(Rc::new(part.clone()));
    match value.as_ref() {
        Value::Array(items) => {
            let length = items.len() as u64;
            let shorter = length.checked_sub(1).map(|most| vec![Claim::AtMost(most)]);
            let each = items.iter().enumerate().map(|(index, item)| vec![Claim::Element(index, differs(item))]);
            [vec![Claim::AtLeast(length + 1)]].into_iter().chain(shorter).chain(each).collect()
        }
        Value::Object(members) => {
            let other = vec![Claim::SomeProperty(Names::OtherThan(value.clone()), None)];
            let absent = members.keys().map(|name| vec![Claim::Absent(Cow::Owned(name.clone()))]);
            let each =
                members.iter().map(|(name, member)| vec![Claim::Property(Cow::Owned(name.clone()), differs(member))]);
            [other].into_iter().chain(absent).chain(each).collect()
        }
        _ => vec![vec![Claim::Demand(Demand::Differs(value.clone()))]],
    }
}
