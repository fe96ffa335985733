//! What may be said about one value, and whether it is true of a value at hand.
//!
//! Truth has three answers: `None` where a keyword is not worked out.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use super::decimal::Decimal;
use super::pattern::Pattern;
use super::schema::{Id, Kind, Node, Properties, Rule};
use super::search::not_worked_out;

/// Something said about a whole value, of whatever kind.
#[derive(Debug, Clone)]
pub(super) enum Demand<'a> {
    /// It is valid under the node.
    Is(Node<'a>),
    /// It is not.
    IsNot(Node<'a>),
    /// It is another value than this.
    Differs(Rc<Value>),
}

/// Something said about a value whose kind is known.
#[derive(Debug, Clone)]
pub(super) enum Claim<'a> {
    Demand(Demand<'a>),
    /// It is valid under at least one of the nodes.
    AnyOf(Vec<Node<'a>>),
    /// It meets one rule of the node.
    Holds(Node<'a>, &'a Rule<'a>),
    /// It does not.
    Fails(Node<'a>, &'a Rule<'a>),
    /// Its length or count is at least this.
    AtLeast(u64),
    /// Its length or count is at most this.
    AtMost(u64),
    /// The text matches the pattern of the node, or does not.
    Matches(Node<'a>, &'a Pattern, bool),
    /// The element of that index exists, and this is said of it.
    Element(usize, Demand<'a>),
    /// This is said of an element of at least that index.
    SomeElement(usize, Demand<'a>),
    /// That many elements are valid under the node, from the least to the most.
    Count(Node<'a>, u64, Option<u64>),
    /// The property exists.
    Present(Cow<'a, str>),
    /// The property does not exist.
    Absent(Cow<'a, str>),
    /// The property exists, and this is said of its value.
    Property(Cow<'a, str>, Demand<'a>),
    /// A property with such a name exists, and this is said of its value, if anything.
    SomeProperty(Names<'a>, Option<Demand<'a>>),
}

/// A set of property names.
#[derive(Debug, Clone)]
pub(super) enum Names<'a> {
    /// Those that match the pattern of the node.
    Matching(Node<'a>, &'a Pattern),
    /// Those about which the rule of the node says `rest`.
    Outside(Node<'a>, &'a Properties<'a>),
    /// All but the members of this object.
    OtherThan(Rc<Value>),
    /// Those that are not valid under the node.
    Refused(Node<'a>),
}

impl Names<'_> {
    /// Names the keyword that says which names belong to the set, and its place.
    pub(super) fn obstacle(&self) -> String {
        match self {
            Self::Matching(node, _) => not_worked_out("patternProperties", *node),
            Self::Outside(node, _) => not_worked_out("additionalProperties", *node),
            Self::Refused(node) => not_worked_out("propertyNames", *node),
            Self::OtherThan(_) => "'patternProperties' is not worked out".to_owned(),
        }
    }

    /// Tells whether a name belongs to the set.
    pub(super) fn has(&self, name: &str) -> Option<bool> {
        match self {
            Self::Matching(_, pattern) => pattern.matches(name),
            Self::Outside(_, properties) if properties.named(name).is_some() => Some(false),
            Self::Outside(node, properties) => {
                any(properties.patterns.iter().map(|(index, _)| node.pattern(*index).matches(name))).map(|any| !any)
            }
            Self::OtherThan(object) => Some(object.get(name).is_none()),
            Self::Refused(node) => accepts(*node, &Value::from(name)).map(|accepted| !accepted),
        }
    }
}

/// Tells whether a value is valid under a node.
pub(super) fn accepts(node: Node, value: &Value) -> Option<bool> {
    if !node.kinds().has(Kind::of(value)) {
        return Some(false);
    }
    all(node.rules().iter().map(|rule| meets(node, rule, value)))
}

/// Tells whether a demand is met.
pub(super) fn is_met(demand: &Demand, value: &Value) -> Option<bool> {
    match demand {
        Demand::Is(node) => accepts(*node, value),
        Demand::IsNot(node) => accepts(*node, value).map(|accepted| !accepted),
        Demand::Differs(other) => Some(!equal(value, other)),
    }
}

/// Tells whether a claim is true.
pub(super) fn is_true(claim: &Claim, value: &Value) -> Option<bool> {
    let is_met_by_any =
        |values: &mut dyn Iterator<Item = &Value>, demand: &Demand| any(values.map(|value| is_met(demand, value)));
    match claim {
        Claim::Demand(demand) => is_met(demand, value),
        Claim::AnyOf(nodes) => any(nodes.iter().map(|node| accepts(*node, value))),
        Claim::Holds(node, rule) => meets(*node, rule, value),
        Claim::Fails(node, rule) => meets(*node, rule, value).map(|met| !met),
        Claim::AtLeast(least) => Some(size(value) >= *least),
        Claim::AtMost(most) => Some(size(value) <= *most),
        Claim::Matches(_, pattern, expected) => {
            pattern.matches(value.as_str().unwrap_or_default()).map(|matches| matches == *expected)
        }
        Claim::Element(index, demand) => match value.get(*index) {
            Some(element) => is_met(demand, element),
            None => Some(false),
        },
        Claim::SomeElement(from, demand) => is_met_by_any(&mut elements(value).skip(*from), demand),
        Claim::Count(node, least, most) => counts(*node, *least, *most, value),
        Claim::Present(name) => Some(value.get(name.as_ref()).is_some()),
        Claim::Absent(name) => Some(value.get(name.as_ref()).is_none()),
        Claim::Property(name, demand) => match value.get(name.as_ref()) {
            Some(property) => is_met(demand, property),
            None => Some(false),
        },
        Claim::SomeProperty(names, demand) => any(members(value).map(|(name, property)| {
            let demanded = demand.as_ref().map_or(Some(true), |demand| is_met(demand, property));
            all([names.has(name), demanded].into_iter())
        })),
    }
}

/// Tells whether a value meets a rule of a node; a value of another kind does.
pub(super) fn meets(node: Node, rule: &Rule, value: &Value) -> Option<bool> {
    let kind = Kind::of(value);
    if !rule.kinds().has(kind) {
        return Some(true);
    }
    let valid = |id: Id| accepts(node.to(id), value);
    let valid_or_absent = |id: Option<Id>| id.map_or(Some(true), valid);
    let has = |name: &str| value.get(name).is_some();
    match rule {
        Rule::Values(values) => Some(values.iter().any(|one| equal(one, value))),
        Rule::All(parts) => all(parts.iter().map(|part| valid(*part))),
        Rule::Any(parts) => any(parts.iter().map(|part| valid(*part))),
        Rule::One(parts) => {
            let answers: Vec<Option<bool>> = parts.iter().map(|part| valid(*part)).collect();
            match answers.iter().filter(|answer| **answer == Some(true)).count() {
                0 | 1 if answers.contains(&None) => None,
                count => Some(count == 1),
            }
        }
        Rule::Not(part) => valid(*part).map(|accepted| !accepted),
        Rule::If { test, then, otherwise } => match valid(*test) {
            Some(true) => valid_or_absent(*then),
            Some(false) => valid_or_absent(*otherwise),
            None => match (valid_or_absent(*then), valid_or_absent(*otherwise)) {
                (one, other) if one == other => one,
                _ => None,
            },
        },
        Rule::Least { at, open } => decimal(value).map(|number| number > *at || (!open && number == *at)),
        Rule::Most { at, open } => decimal(value).map(|number| number < *at || (!open && number == *at)),
        Rule::Multiple(unit) => decimal(value).map(|number| number.is_multiple_of(*unit)),
        Rule::AtLeast(_, least) => Some(size(value) >= *least),
        Rule::AtMost(_, most) => Some(size(value) <= *most),
        Rule::Pattern(index) => node.pattern(*index).matches(value.as_str().unwrap_or_default()),
        Rule::Items { prefix, rest } => all(elements(value).enumerate().map(|(index, element)| {
            let id = prefix.get(index).copied().or(*rest);
            id.map_or(Some(true), |id| accepts(node.to(id), element))
        })),
        Rule::Unique => Some(!repeats(value)),
        Rule::Contains { schema, least, most } => counts(node.to(*schema), *least, *most, value),
        Rule::Properties(properties) => all(members(value).map(|(name, property)| {
            all(of_name(node, properties, name).into_iter().map(|(node, applies)| match applies {
                Applies::Surely => accepts(node, property),
                Applies::Perhaps => accepts(node, property).filter(|accepted| *accepted),
            }))
        })),
        Rule::Required(names) => Some(names.iter().all(|name| has(name))),
        Rule::Names(schema) => {
            all(members(value).map(|(name, _)| accepts(node.to(*schema), &Value::from(name.as_str()))))
        }
        Rule::DependentRequired(name, others) => Some(!has(name) || others.iter().all(|other| has(other))),
        Rule::DependentSchema(name, schema) => {
            if has(name) {
                valid(*schema)
            } else {
                Some(true)
            }
        }
        Rule::Opaque(..) => None,
    }
}

/// Whether a property is one of those that something is said about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applies {
    Surely,
    /// It depends on a pattern on which engines differ.
    Perhaps,
}

/// Returns what the value of a property of that name must satisfy.
pub(super) fn of_name<'a>(node: Node<'a>, properties: &Properties<'a>, name: &str) -> Vec<(Node<'a>, Applies)> {
    let mut found: Vec<(Node, Applies)> = Vec::new();
    found.extend(properties.named(name).map(|id| (node.to(id), Applies::Surely)));
    for (index, id) in &properties.patterns {
        match node.pattern(*index).matches(name) {
            Some(true) => found.push((node.to(*id), Applies::Surely)),
            Some(false) => {}
            None => found.push((node.to(*id), Applies::Perhaps)),
        }
    }
    if found.iter().all(|(_, applies)| *applies == Applies::Perhaps) {
        let applies = if found.is_empty() { Applies::Surely } else { Applies::Perhaps };
        found.extend(properties.rest.map(|id| (node.to(id), applies)));
    }
    found
}

/// Tells whether two values are the same to JSON Schema: `1` and `1.0` are, the order of members does not count.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Decimal::of(one) == Decimal::of(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, member)| other.get(name).is_some_and(|other| equal(member, other)))
        }
        _ => one == other,
    }
}

/// Returns a number's value.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(Decimal::of(number)),
        _ => None,
    }
}

/// Returns the elements of an array; none of anything else.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Returns the members of an object; none of anything else.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn size(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.chars().count() as u64,
        Value::Array(items) => items.len() as u64,
        Value::Object(members) => members.len() as u64,
        _ => 0,
    }
}

fn counts(node: Node, least: u64, most: Option<u64>, value: &Value) -> Option<bool> {
    let answers: Vec<Option<bool>> = elements(value).map(|element| accepts(node, element)).collect();
    let certain = answers.iter().filter(|answer| **answer == Some(true)).count() as u64;
    let possible = certain + answers.iter().filter(|answer| answer.is_none()).count() as u64;
    if possible < least || most.is_some_and(|most| certain > most) {
        return Some(false);
    }
    (certain >= least && most.is_none_or(|most| possible <= most)).then_some(true)
}

fn repeats(value: &Value) -> bool {
    let items: Vec<&Value> = elements(value).collect();
    items.iter().enumerate().any(|(index, item)| items[..index].iter().any(|earlier| equal(earlier, item)))
}

fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

fn any(mut answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for answer in answers.by_ref() {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = false,
        }
    }
    if known { Some(false) } else { None }
}
