//! The search for a value of which a set of demands is true: it finds one, or shows that there is none, or gives up.
//!
//! One schema is contained in another if no value is valid under the first and not under the second; so this search
//! answers the question of containment in both ways. It is a tableau: the demands are split by the kind of the value; of
//! each kind, the facts are worked out by a theory (numbers, texts, arrays, objects), which proposes a value; a choice
//! that the value does not happen to satisfy is then made in each possible way.
//!
//! Recursion is coinductive: a smallest value holds no part of which the same is demanded as of the whole, so a demand
//! that comes back inside itself needs no second look.

use std::collections::BTreeMap;

use serde_json::Value;

use super::claim::{Claim, Demand, is_true};
use super::schema::{Kind, Kinds, Node, Rule, Schema, Side};
use super::state::State;

/// How deep demands are followed into a value and into choices.
const MAX_DEPTH: usize = 300;

/// How many nodes may be looked at inside each other to tell whether a value is valid, which is done recursively.
const MAX_NESTED: usize = 1_000;

const TOO_DEEP: &str = "the schemas are nested too deeply to compare";

/// What is known of a set of demands.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// No value meets them.
    Empty,
    /// This one does.
    Found(Value),
    /// It could not be decided.
    Unknown(Obstacle),
}

/// Why a search gave up.
#[derive(Debug, Clone)]
pub(super) struct Obstacle {
    /// The keyword that is in the way, and where it stands, as a clause.
    pub(super) reason: String,
    /// A value that meets the demands as far as it is known.
    pub(super) candidate: Option<Value>,
}

impl Outcome {
    pub(super) fn unknown(reason: impl Into<String>, candidate: Option<Value>) -> Self {
        Self::Unknown(Obstacle { reason: reason.into(), candidate })
    }

    /// Makes a value uncertain if there is a reason.
    pub(super) fn doubted(value: Value, doubt: Option<String>) -> Self {
        match doubt {
            None => Self::Found(value),
            Some(reason) => Self::unknown(reason, Some(value)),
        }
    }
}

/// The outcome of several ways, of which one is enough.
#[derive(Default)]
pub(super) struct Ways {
    obstacle: Option<Obstacle>,
}

impl Ways {
    /// Takes the outcome of one way; returns it if it settles the matter.
    pub(super) fn add(&mut self, outcome: Outcome) -> Option<Outcome> {
        match outcome {
            Outcome::Found(_) => return Some(outcome),
            Outcome::Empty => {}
            Outcome::Unknown(obstacle) => {
                let has_candidate = |obstacle: &Obstacle| obstacle.candidate.is_some();
                if self.obstacle.as_ref().is_none_or(|known| has_candidate(&obstacle) && !has_candidate(known)) {
                    self.obstacle = Some(obstacle);
                }
            }
        }
        None
    }

    /// Returns the outcome when no way was left that settles the matter.
    pub(super) fn outcome(self) -> Outcome {
        self.obstacle.map_or(Outcome::Empty, Outcome::Unknown)
    }
}

/// Identifies a set of demands: nodes with their sign, in order; other values that it must not be.
type Key = (Vec<(Side, u32, bool)>, Vec<String>);

/// Answers one question.
pub(super) struct Search<'a> {
    sources: [&'a Value; 2],
    /// The deepest value whose validity is looked into.
    deepest: usize,
    /// Work that is left.
    steps: u32,
    /// What was in the way when no work was left.
    last: Option<String>,
    depth: usize,
    /// The demands that the current ones are part of.
    open: Vec<Key>,
    /// The outermost of the open demands that came back since it was last reset.
    recurred: usize,
    known: BTreeMap<Key, Outcome>,
}

impl<'a> Search<'a> {
    /// `steps`: the work that the question may cost.
    pub(super) fn new(given: &'a Schema<'a>, wanted: &'a Schema<'a>, steps: u32) -> Self {
        let deepest = MAX_NESTED / given.chain.max(wanted.chain).max(1);
        let sources = [given.source, wanted.source];
        Self {
            sources,
            deepest,
            steps,
            last: None,
            depth: 0,
            open: Vec::new(),
            recurred: usize::MAX,
            known: BTreeMap::new(),
        }
    }

    /// Takes one step of the work.
    ///
    /// # Errors
    /// The outcome of a search that has none left, with what was in the way when it took the last one.
    pub(super) fn step(&mut self, obstacle: impl FnOnce() -> String) -> Result<(), Outcome> {
        if self.steps == 0 {
            let last = self.last.get_or_insert_with(|| format!("the schemas are too large to compare: {}", obstacle()));
            return Err(Outcome::unknown(last.as_str(), None));
        }
        self.steps -= 1;
        Ok(())
    }

    /// Returns the texts that occur in the schemas: what an engine is asked about where a pattern is not regular.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        self.sources.into_iter().flat_map(words)
    }

    /// Looks for a value that meets all demands.
    pub(super) fn solve(&mut self, demands: Vec<Demand<'a>>) -> Outcome {
        let mut kinds = Kinds::ALL;
        for demand in &demands {
            if let Demand::Is(node) = demand {
                kinds = kinds.and(node.kinds());
            }
        }
        if kinds == Kinds::NONE {
            return Outcome::Empty;
        }
        let key = key(&demands);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        if let Some(index) = self.open.iter().position(|open| *open == key) {
            self.recurred = self.recurred.min(index);
            return Outcome::Empty;
        }
        let before = std::mem::replace(&mut self.recurred, usize::MAX);
        self.open.push(key);
        let outcome = self.solve_kinds(kinds, demands);
        let key = self.open.pop().expect("what was pushed above");
        // What rests on the absence of an outer value says nothing elsewhere.
        let rests_on_outer = self.recurred < self.open.len();
        if !rests_on_outer || matches!(outcome, Outcome::Found(_)) {
            self.known.insert(key, outcome.clone());
        }
        self.recurred = if rests_on_outer { before.min(self.recurred) } else { before };
        outcome
    }

    fn solve_kinds(&mut self, kinds: Kinds, demands: Vec<Demand<'a>>) -> Outcome {
        let mut ways = Ways::default();
        let claims: Vec<Claim> = demands.into_iter().map(Claim::Demand).collect();
        for kind in Kind::ALL.into_iter().filter(|kind| kinds.has(*kind)) {
            let outcome = self.solve_kind(kind, claims.clone());
            if let Some(found) = ways.add(outcome) {
                return found;
            }
        }
        ways.outcome()
    }

    /// Looks for a value of one kind of which all claims are true.
    pub(super) fn solve_kind(&mut self, kind: Kind, claims: Vec<Claim<'a>>) -> Outcome {
        let mut state = State::new(kind);
        match state.assume(claims) {
            Ok(()) => self.refine(&state),
            Err(_) => Outcome::Empty,
        }
    }

    fn refine(&mut self, state: &State<'a>) -> Outcome {
        if let Err(spent) = self.step(|| state.obstacle(|_| true)) {
            return spent;
        }
        if self.depth >= MAX_DEPTH {
            return Outcome::unknown(format!("{TOO_DEEP}: {}", state.obstacle(|_| true)), None);
        }
        if let Some(listed) = state.listed {
            return self.one_of(state, listed);
        }
        self.depth += 1;
        let outcome = self.choose(state);
        self.depth -= 1;
        outcome
    }

    fn choose(&mut self, state: &State<'a>) -> Outcome {
        let outcome = match state.kind {
            Kind::Integer | Kind::Fraction => super::number::solve(state),
            Kind::String => super::string::solve(self, state),
            Kind::Array => super::array::solve(self, state),
            Kind::Object => super::object::solve(self, state),
            Kind::Null | Kind::Boolean => unreachable!("their values are listed"),
        };
        let proposed = match &outcome {
            Outcome::Empty => return outcome,
            Outcome::Found(value) => Some(value),
            Outcome::Unknown(obstacle) => obstacle.candidate.as_ref(),
        };
        if proposed.is_some_and(|value| depth(value) > self.deepest) {
            return Outcome::unknown(TOO_DEEP, None);
        }
        let is_open = |choice: &&Claim| proposed.is_none_or(|value| is_true(choice, value) != Some(true));
        let Some(index) = state.choices.iter().position(|choice| is_open(&choice)) else { return outcome };
        let mut ways = Ways::default();
        for way in state.alternatives(&state.choices[index]) {
            let mut next = state.clone();
            next.choices.remove(index);
            if next.assume(way).is_err() {
                continue;
            }
            let outcome = self.refine(&next);
            if let Some(found) = ways.add(outcome) {
                return found;
            }
        }
        ways.outcome()
    }

    /// Takes the first of the listed values of which everything is true.
    fn one_of(&self, state: &State, listed: &[Value]) -> Outcome {
        let mut ways = Ways::default();
        for value in listed.iter().filter(|value| Kind::of(value) == state.kind) {
            let outcome =
                if depth(value) > self.deepest { Outcome::unknown(TOO_DEEP, None) } else { is_fit(state, value) };
            if let Some(found) = ways.add(outcome) {
                return found;
            }
        }
        ways.outcome()
    }
}

/// Tells whether everything is true of a value.
fn is_fit(state: &State, value: &Value) -> Outcome {
    let mut doubt = None;
    for claim in state.facts.iter().chain(&state.choices) {
        match is_true(claim, value) {
            Some(true) => {}
            Some(false) => return Outcome::Empty,
            None => doubt = doubt.or_else(|| Some(obstructing(claim))),
        }
    }
    Outcome::doubted(value.clone(), doubt)
}

/// Tells how deep a value is nested; 1 for a scalar.
fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Returns the texts in a document, names of members included.
fn words(document: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut pending = vec![document];
    while let Some(value) = pending.pop() {
        match value {
            Value::String(text) => found.push(text.as_str()),
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => {
                found.extend(members.keys().map(String::as_str));
                pending.extend(members.values());
            }
            _ => {}
        }
    }
    found
}

/// Says that a keyword stands in the way, and where.
pub(super) fn not_worked_out(keyword: &str, node: Node) -> String {
    format!("'{keyword}' {} is not worked out", node.place())
}

/// Names the keyword behind a claim that could not be decided, and its place.
pub(super) fn obstructing(claim: &Claim) -> String {
    match claim {
        Claim::Holds(node, rule) | Claim::Fails(node, rule) => not_worked_out(rule.keyword(), *node),
        Claim::Demand(Demand::Is(node) | Demand::IsNot(node)) => {
            let opaque = node.rules().iter().find(|rule| matches!(rule, Rule::Opaque(..)));
            not_worked_out(opaque.or(node.rules().first()).map_or("$schema", |rule| rule.keyword()), *node)
        }
        Claim::AnyOf(nodes) => nodes.first().map_or_else(String::new, |node| not_worked_out("anyOf", *node)),
        Claim::Count(node, ..) => not_worked_out("contains", *node),
        Claim::Matches(node, pattern, _) => {
            format!("the pattern '{}' {} is not worked out", pattern.text(), node.place())
        }
        Claim::SomeProperty(names, _) => names.obstacle(),
        _ => "'enum' is not worked out".to_owned(),
    }
}

fn key(demands: &[Demand]) -> Key {
    let mut nodes = Vec::with_capacity(demands.len());
    let mut others = Vec::new();
    for demand in demands {
        match demand {
            Demand::Is(node) => nodes.push((node.side, node.id, true)),
            Demand::IsNot(node) => nodes.push((node.side, node.id, false)),
            Demand::Differs(value) => others.push(value.to_string()),
        }
    }
    nodes.sort_unstable();
    nodes.dedup();
    others.sort_unstable();
    (nodes, others)
}
