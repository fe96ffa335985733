//! A set of JSON values as a union of simple shapes: one type each, under a conjunction of keyword nodes.
//!
//! Expansion may only add values, never lose one: what it cannot express it leaves out of the conjunction.

use serde_json::{Number, Value};

use super::document::Node;

/// The most alternatives that one set is split into; a combinator beyond that is left out.
const MAX_SHAPES: usize = 64;

/// How deep required properties are followed to find that no object can exist.
const EMPTINESS_DEPTH: usize = 3;

/// The type of a shape's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    Null,
    Boolean,
    Integer,
    /// All numbers, integers too.
    Number,
    String,
    Array,
    Object,
}

impl Atom {
    const ALL: [Self; 6] = [Self::Null, Self::Boolean, Self::Number, Self::String, Self::Array, Self::Object];

    /// Returns the word of JSON Schema.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// Returns what a type word leaves of this type.
    fn meet(self, word: &str) -> Option<Self> {
        match (self, word) {
            (Self::Number, "integer") | (Self::Integer, "number") => Some(Self::Integer),
            (atom, word) if atom.name() == word => Some(atom),
            _ => None,
        }
    }
}

/// Values of one type that satisfy every node.
pub(super) struct Shape<'d> {
    pub(super) atom: Atom,
    /// All the values there are, where they can be counted out; the type then says nothing.
    pub(super) values: Option<Vec<Value>>,
    /// Objects only; none is a boolean schema.
    pub(super) nodes: Vec<Node<'d>>,
}

/// One end of an interval of numbers.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) at: f64,
    pub(super) open: bool,
}

/// Splits the values that satisfy all nodes into shapes; none: there is no such value.
pub(super) fn expand<'d>(nodes: &[Node<'d>]) -> Vec<Shape<'d>> {
    expand_to(nodes, EMPTINESS_DEPTH)
}

/// Tells whether no value is in the shape and satisfies the node as well. False: it could not be shown.
pub(super) fn disjoint(shape: &Shape, other: &Node) -> bool {
    if let Some(values) = &shape.values {
        return values.iter().all(|value| other.accepts(value) == Some(false));
    }
    let mut nodes: Vec<Node> = shape.nodes.clone();
    nodes.push(other.clone());
    expand(&nodes).iter().all(|both| match &both.values {
        Some(values) => values.iter().all(|value| shape.atom.meet(crate::json::type_name(value)).is_none()),
        None => both.atom.meet(shape.atom.name()).is_none(),
    })
}

fn expand_to<'d>(nodes: &[Node<'d>], depth: usize) -> Vec<Shape<'d>> {
    let mut conjunctions: Vec<Vec<Node<'d>>> = vec![Vec::new()];
    for node in nodes {
        let alternatives = flatten(node);
        conjunctions = product(conjunctions, alternatives);
    }
    conjunctions.into_iter().flat_map(|nodes| shapes(nodes, depth)).collect()
}

fn flatten<'d>(node: &Node<'d>) -> Vec<Vec<Node<'d>>> {
    match node.value {
        Value::Bool(true) => return vec![Vec::new()],
        Value::Bool(false) => return Vec::new(),
        _ => {}
    }
    let mut all = vec![vec![node.clone()]];
    if !node.step() {
        return all;
    }
    if let Ok(Some(target)) = node.target() {
        all = product(all, flatten(&target));
    }
    for part in node.list("allOf") {
        all = product(all, flatten(&part));
    }
    for key in ["anyOf", "oneOf"] {
        if node.get(key).is_some() {
            all = product(all, node.list(key).iter().flat_map(flatten).collect());
        }
    }
    all
}

fn product<'d>(left: Vec<Vec<Node<'d>>>, right: Vec<Vec<Node<'d>>>) -> Vec<Vec<Node<'d>>> {
    if !right.is_empty() && left.len() * right.len() > MAX_SHAPES {
        return left;
    }
    left.iter().flat_map(|head| right.iter().map(|tail| [head.as_slice(), tail].concat())).collect()
}

fn shapes(nodes: Vec<Node<'_>>, depth: usize) -> Vec<Shape<'_>> {
    let listed = nodes.iter().find_map(|node| match (node.value.get("const"), node.value.get("enum")) {
        (Some(one), _) => Some(vec![one.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    });
    let allowed = |values: Vec<Value>| -> Vec<Value> {
        values.into_iter().filter(|value| nodes.iter().all(|node| node.accepts(value) != Some(false))).collect()
    };
    if let Some(values) = listed {
        let values = allowed(values);
        let shape = Shape { atom: Atom::Null, values: Some(values.clone()), nodes };
        return if values.is_empty() { Vec::new() } else { vec![shape] };
    }
    let mut found = Vec::new();
    for mut atom in Atom::ALL {
        let permitted = nodes.iter().all(|node| match types(node) {
            Some(words) => {
                let met: Vec<Atom> = words.iter().filter_map(|word| atom.meet(word)).collect();
                // `["integer", "number"]` leaves all numbers.
                met.iter().max().is_some_and(|widest| {
                    atom = *widest;
                    true
                })
            }
            None => true,
        });
        if !permitted {
            continue;
        }
        let values = match atom {
            Atom::Null => Some(allowed(vec![Value::Null])),
            Atom::Boolean => Some(allowed(vec![Value::Bool(false), Value::Bool(true)])),
            _ => None,
        };
        let shape = Shape { atom, values, nodes: nodes.clone() };
        if !shape.is_empty(depth) {
            found.push(shape);
        }
    }
    found
}

/// Returns the words of `type`; `None` without it.
pub(super) fn types<'d>(node: &Node<'d>) -> Option<Vec<&'d str>> {
    match node.value.get("type")? {
        Value::String(word) => Some(vec![word]),
        Value::Array(words) => Some(words.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// Returns a number as a double if it is one exactly.
pub(super) fn exact(value: &Value) -> Option<f64> {
    const SAFE: u64 = 1 << 53;
    let Value::Number(number) = value else { return None };
    let safe = |number: &Number| match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => integer.unsigned_abs() <= SAFE,
        (None, Some(_)) => false,
        (None, None) => true,
    };
    if safe(number) { number.as_f64() } else { None }
}

/// Returns a length or count.
pub(super) fn count(value: &Value) -> Option<u64> {
    exact(value).filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as u64)
}

impl<'d> Shape<'d> {
    /// Returns the greatest value of a keyword that says "at least"; 0 without it.
    pub(super) fn at_least(&self, key: &str) -> u64 {
        self.nodes.iter().filter_map(|node| count(node.value.get(key)?)).max().unwrap_or(0)
    }

    /// Returns the least value of a keyword that says "at most".
    pub(super) fn at_most(&self, key: &str) -> Option<u64> {
        self.nodes.iter().filter_map(|node| count(node.value.get(key)?)).min()
    }

    /// Returns the tightest lower end of the numbers.
    pub(super) fn low(&self) -> Option<End> {
        let ends = self.ends("minimum", "exclusiveMinimum");
        let mut end = ends.into_iter().reduce(|a, b| if (b.at, b.open) > (a.at, a.open) { b } else { a })?;
        if self.atom == Atom::Integer {
            let up = end.at.ceil();
            end = End { at: if end.open && up == end.at { up + 1.0 } else { up }, open: false };
        }
        Some(end)
    }

    /// Returns the tightest upper end of the numbers.
    pub(super) fn high(&self) -> Option<End> {
        let ends = self.ends("maximum", "exclusiveMaximum");
        let mut end = ends.into_iter().reduce(|a, b| if (b.at, !b.open) < (a.at, !a.open) { b } else { a })?;
        if self.atom == Atom::Integer {
            let down = end.at.floor();
            end = End { at: if end.open && down == end.at { down - 1.0 } else { down }, open: false };
        }
        Some(end)
    }

    fn ends(&self, closed: &str, open: &str) -> Vec<End> {
        let read = |key: &str, open: bool| {
            let ends = self.nodes.iter().filter_map(|node| exact(node.value.get(key)?));
            ends.map(|at| End { at, open }).collect::<Vec<_>>()
        };
        [read(closed, false), read(open, true)].concat()
    }

    /// Tells whether a property is always there.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.required().contains(&name)
    }

    /// Returns the names of all properties that are always there.
    pub(super) fn required(&self) -> Vec<&'d str> {
        let lists = self.nodes.iter().filter_map(|node| node.value.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    /// Returns the names of all properties that a node mentions.
    pub(super) fn named(&self) -> Vec<&'d str> {
        let groups = self.nodes.iter().filter_map(|node| node.value.get("properties")?.as_object());
        let mut names: Vec<&str> = groups.flat_map(|group| group.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns what the values of a property satisfy.
    pub(super) fn property(&self, name: &str) -> Vec<Node<'d>> {
        let of = |node: &Node<'d>| match node.get("properties").and_then(|group| group.schema(name)) {
            Some(own) => Some(own),
            None => additional(node),
        };
        self.nodes.iter().filter_map(of).collect()
    }

    /// Returns what the values of a property satisfy that no node names.
    pub(super) fn other_properties(&self) -> Vec<Node<'d>> {
        self.nodes.iter().filter_map(additional).collect()
    }

    /// Returns what the element of an index satisfies.
    pub(super) fn item(&self, index: usize) -> Vec<Node<'d>> {
        let of = |node: &Node<'d>| match node.get("prefixItems").and_then(|prefix| prefix.at(index)) {
            Some(own) => Some(own),
            None => node.schema("items"),
        };
        self.nodes.iter().filter_map(of).collect()
    }

    /// Returns how many leading elements have schemas of their own.
    pub(super) fn prefix(&self) -> usize {
        let lengths = self.nodes.iter().filter_map(|node| node.value.get("prefixItems")?.as_array().map(Vec::len));
        lengths.max().unwrap_or(0)
    }

    fn is_empty(&self, depth: usize) -> bool {
        let crossed = |low: u64, high: Option<u64>| high.is_some_and(|high| low > high);
        if let Some(values) = &self.values {
            return values.is_empty();
        }
        match self.atom {
            Atom::Null | Atom::Boolean => false,
            Atom::Integer | Atom::Number => match (self.low(), self.high()) {
                (Some(low), Some(high)) => low.at > high.at || (low.at == high.at && (low.open || high.open)),
                _ => false,
            },
            Atom::String => crossed(self.at_least("minLength"), self.at_most("maxLength")),
            Atom::Array => crossed(self.at_least("minItems"), self.at_most("maxItems")),
            Atom::Object => {
                crossed(self.at_least("minProperties"), self.at_most("maxProperties"))
                    || (depth > 0
                        && self.required().iter().any(|name| {
                            let nodes = self.property(name);
                            nodes.iter().all(Node::step) && expand_to(&nodes, depth - 1).is_empty()
                        }))
            }
        }
    }
}

/// Returns what a node says about properties that it does not name. Which ones patterns match is not worked out here,
/// so next to patterns nothing is said.
fn additional<'d>(node: &Node<'d>) -> Option<Node<'d>> {
    if node.value.get("patternProperties").is_some() { None } else { node.schema("additionalProperties") }
}
