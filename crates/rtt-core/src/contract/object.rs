//! Objects: required and absent properties, properties by name, by pattern and all others, counts.
//!
//! Names that some schema mentions are looked at one by one. All others fall into cells: those that the same patterns
//! match are alike.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::claim::{Applies, Claim, Demand, Names, accepts, of_name};
use super::pattern::Pattern;
use super::schema::{Id, Kind, Node, Properties, Rule};
use super::search::{Outcome, Search, Ways, not_worked_out, obstructing};
use super::state::State;

/// The most properties that are made up.
const MAX_MEMBERS: u64 = 1_000;

/// The most patterns by which names are told apart.
const MAX_TESTS: usize = 8;

/// What the facts say.
#[derive(Clone, Default)]
struct Objects<'a> {
    least: u64,
    most: Option<u64>,
    properties: Vec<(Node<'a>, &'a Properties<'a>)>,
    names: Vec<Node<'a>>,
    /// Properties that exist, and what is demanded of them beyond what is demanded of all of that name.
    present: BTreeMap<Cow<'a, str>, Vec<Demand<'a>>>,
    absent: BTreeSet<Cow<'a, str>>,
    some: Vec<(Names<'a>, Option<Demand<'a>>)>,
    doubt: Option<String>,
}

/// Looks for an object of which the facts are true.
pub(super) fn solve<'a>(search: &mut Search<'a>, state: &State<'a>) -> Outcome {
    let objects = Objects::of(state);
    if objects.least > MAX_MEMBERS && objects.most.is_none_or(|most| most >= objects.least) {
        return Outcome::unknown(state.obstacle(|rule| matches!(rule, Rule::AtLeast(..))), None);
    }
    objects.solve(search)
}

/// What tells names apart that no schema mentions.
#[derive(Clone, Copy)]
enum Test<'a> {
    Pattern(Node<'a>, &'a Pattern),
    Node(Node<'a>),
}

/// Names that all tests answer alike.
struct Cell<'a> {
    answers: Vec<(Test<'a>, bool)>,
    /// One of the names, if any.
    name: Outcome,
}

/// An object in the making.
struct Made {
    members: Map<String, Value>,
    count: u64,
    doubt: Option<String>,
}

impl Made {
    /// Adds a property; false if there is no value for it.
    fn add(&mut self, name: &str, value: Outcome) -> bool {
        let value = match value {
            Outcome::Empty => None,
            Outcome::Found(value) => Some(value),
            Outcome::Unknown(obstacle) => {
                self.doubt.get_or_insert(obstacle.reason);
                obstacle.candidate
            }
        };
        let Some(value) = value else { return false };
        self.members.insert(name.to_owned(), value);
        self.count += 1;
        true
    }
}

impl<'a> Objects<'a> {
    fn of(state: &State<'a>) -> Self {
        let mut objects = Self::default();
        for fact in &state.facts {
            match fact {
                Claim::AtLeast(least) | Claim::Holds(_, Rule::AtLeast(_, least)) => {
                    objects.least = objects.least.max(*least);
                }
                Claim::AtMost(most) | Claim::Holds(_, Rule::AtMost(_, most)) => {
                    objects.most = Some(objects.most.map_or(*most, |known| known.min(*most)));
                }
                Claim::Holds(node, Rule::Properties(properties)) => objects.properties.push((*node, properties)),
                Claim::Holds(node, Rule::Names(schema)) => objects.names.push(node.to(*schema)),
                Claim::Holds(_, Rule::Required(names)) => {
                    for name in names {
                        objects.present.entry(Cow::Borrowed(name)).or_default();
                    }
                }
                Claim::Present(name) => {
                    objects.present.entry(name.clone()).or_default();
                }
                Claim::Absent(name) => {
                    objects.absent.insert(name.clone());
                }
                Claim::Property(name, demand) => {
                    objects.present.entry(name.clone()).or_default().push(demand.clone());
                }
                Claim::SomeProperty(names, demand) => objects.some.push((names.clone(), demand.clone())),
                Claim::Holds(_, Rule::Opaque(..)) | Claim::Fails(_, Rule::Opaque(..)) => {
                    objects.doubt = Some(obstructing(fact));
                }
                _ => {}
            }
        }
        objects
    }

    fn solve(mut self, search: &mut Search<'a>) -> Outcome {
        if self.absent.iter().any(|name| self.present.contains_key(name))
            || self.most.is_some_and(|most| most < self.least.max(self.present.len() as u64))
        {
            return Outcome::Empty;
        }
        let mut made = Made { members: Map::new(), count: 0, doubt: self.doubt.clone() };
        // Those of which something of its own is demanded are the likeliest to be impossible.
        let (own, plain): (Vec<_>, Vec<_>) = self.present.iter().partition(|(_, demands)| !demands.is_empty());
        for (name, demands) in own.into_iter().chain(plain) {
            match self.property(search, name, demands) {
                Outcome::Empty => return Outcome::Empty,
                outcome => {
                    made.add(name, outcome);
                }
            }
        }
        if let Some((names, demand)) = self.some.pop() {
            return self.place(search, &names, demand.as_ref());
        }
        // Also those count for which no value was found: it was not shown that there is none.
        made.count = self.present.len() as u64;
        if made.count < self.least {
            return self.complete(search, made);
        }
        Outcome::doubted(Value::Object(made.members), made.doubt)
    }

    /// Looks for a value of a property, unless its name is not allowed.
    fn property(&self, search: &mut Search<'a>, name: &str, demands: &[Demand<'a>]) -> Outcome {
        let mut doubt = None;
        for node in &self.names {
            match accepts(*node, &Value::from(name)) {
                Some(true) => {}
                Some(false) => return Outcome::Empty,
                None => doubt = Some(obstructing(&super::state::is(*node))),
            }
        }
        let mut all = demands.to_vec();
        for (owner, properties) in &self.properties {
            for (node, applies) in of_name(*owner, properties, name) {
                match applies {
                    Applies::Surely => all.push(Demand::Is(node)),
                    Applies::Perhaps => doubt = Some(not_worked_out("patternProperties", *owner)),
                }
            }
        }
        match (search.solve(all), doubt) {
            (Outcome::Found(value), doubt) => Outcome::doubted(value, doubt),
            (outcome, _) => outcome,
        }
    }

    /// Finds a property for a demand that some property is to meet.
    fn place(&self, search: &mut Search<'a>, names: &Names<'a>, demand: Option<&Demand<'a>>) -> Outcome {
        let mut ways = Ways::default();
        for name in self.mentioned(names).into_iter().filter(|name| !self.absent.contains(name)) {
            let mut next = self.with(name.clone(), demand);
            match names.has(&name) {
                Some(false) => continue,
                Some(true) => {}
                None => next.doubt = Some(names.obstacle()),
            }
            let outcome = next.solve(search);
            if let Some(found) = ways.add(outcome) {
                return found;
            }
        }
        let cells = self.cells(search, names).unwrap_or_else(|reason| {
            ways.add(Outcome::unknown(reason, None));
            Vec::new()
        });
        for cell in cells.into_iter().filter(|cell| cell.belongs_to(names)) {
            let mut demands: Vec<Demand> = self.properties_of(&cell);
            demands.extend(demand.cloned());
            if matches!(search.solve(demands), Outcome::Empty) {
                continue;
            }
            let outcome = match cell.name {
                Outcome::Found(Value::String(name)) => self.with(Cow::Owned(name), demand).solve(search),
                Outcome::Unknown(obstacle) => Outcome::unknown(obstacle.reason, None),
                _ => Outcome::Empty,
            };
            if let Some(found) = ways.add(outcome) {
                return found;
            }
        }
        ways.outcome()
    }

    fn with(&self, name: Cow<'a, str>, demand: Option<&Demand<'a>>) -> Self {
        let mut next = self.clone();
        next.present.entry(name).or_default().extend(demand.cloned());
        next
    }

    /// Adds properties until there are enough.
    fn complete(&self, search: &mut Search<'a>, mut made: Made) -> Outcome {
        let anything = Names::OtherThan(Value::Null.into());
        let mentioned = self.mentioned(&anything);
        for name in mentioned.iter().filter(|name| !self.absent.contains(*name) && !self.present.contains_key(*name)) {
            if made.count < self.least {
                made.add(name, self.property(search, name, &[]));
            }
        }
        if made.count < self.least {
            let cells = match self.cells(search, &anything) {
                Ok(cells) => cells,
                Err(reason) => return Outcome::unknown(reason, None),
            };
            for cell in cells {
                self.complete_from(search, &cell, &mut made, mentioned.iter().cloned().collect());
            }
        }
        match made.doubt {
            None if made.count < self.least => Outcome::Empty,
            doubt => Outcome::doubted(Value::Object(made.members), doubt),
        }
    }

    /// Adds properties of one cell until there are enough, or the cell has no other names.
    fn complete_from(&self, search: &mut Search<'a>, cell: &Cell<'a>, made: &mut Made, mut taken: Vec<Cow<'a, str>>) {
        let value = search.solve(self.properties_of(cell));
        while made.count < self.least && !matches!(value, Outcome::Empty) {
            match self.fresh(search, &cell.answers, &taken) {
                Outcome::Found(Value::String(name)) => {
                    if !made.add(&name, value.clone()) {
                        return;
                    }
                    taken.push(Cow::Owned(name));
                }
                outcome => {
                    made.add("", outcome);
                    return;
                }
            }
        }
    }

    /// Returns every name that a schema mentions, or that is to exist or not to exist.
    fn mentioned(&self, names: &Names<'a>) -> BTreeSet<Cow<'a, str>> {
        let mut all: BTreeSet<Cow<str>> = self.present.keys().chain(&self.absent).cloned().collect();
        let named = |properties: &'a Properties<'a>| properties.named.iter().map(|(name, _)| Cow::Borrowed(*name));
        all.extend(self.properties.iter().flat_map(|(_, properties)| named(properties)));
        for names in self.some.iter().map(|(names, _)| names).chain([names]) {
            match names {
                Names::Outside(_, properties) => all.extend(named(properties)),
                Names::OtherThan(object) => {
                    all.extend(super::claim::members(object).map(|(name, _)| Cow::Owned(name.clone())));
                }
                Names::Matching(..) | Names::Refused(_) => {}
            }
        }
        all
    }

    /// Sorts the names that nothing mentions.
    fn cells(&self, search: &mut Search<'a>, names: &Names<'a>) -> Result<Vec<Cell<'a>>, String> {
        let mut tests: Vec<Test> = Vec::new();
        let mut add = |test: Test<'a>| {
            if !tests.iter().any(|known| known.same_as(test)) {
                tests.push(test);
            }
        };
        for (node, properties) in &self.properties {
            properties.patterns.iter().for_each(|(index, _)| add(Test::Pattern(*node, node.pattern(*index))));
        }
        for names in self.some.iter().map(|(names, _)| names).chain([names]) {
            match names {
                Names::Matching(node, pattern) => add(Test::Pattern(*node, pattern)),
                Names::Outside(node, properties) => {
                    properties.patterns.iter().for_each(|(index, _)| add(Test::Pattern(*node, node.pattern(*index))));
                }
                Names::Refused(node) => add(Test::Node(*node)),
                Names::OtherThan(_) => {}
            }
        }
        if tests.len() > MAX_TESTS {
            return Err(names.obstacle());
        }
        let taken: Vec<Cow<str>> = self.mentioned(names).into_iter().collect();
        let mut cells = vec![Cell { answers: Vec::new(), name: self.fresh(search, &[], &taken) }];
        for test in tests {
            let mut finer = Vec::new();
            for cell in cells.into_iter().filter(|cell| !matches!(cell.name, Outcome::Empty)) {
                for answer in [false, true] {
                    let answers = [cell.answers.as_slice(), &[(test, answer)]].concat();
                    let name = self.fresh(search, &answers, &taken);
                    finer.push(Cell { answers, name });
                }
            }
            cells = finer;
        }
        cells.retain(|cell| !matches!(cell.name, Outcome::Empty));
        Ok(cells)
    }

    /// Looks for a name that is allowed, not taken, and answers the tests so.
    fn fresh(&self, search: &mut Search<'a>, answers: &[(Test<'a>, bool)], taken: &[Cow<'a, str>]) -> Outcome {
        if answers.is_empty() && self.names.is_empty() {
            let mut names = [String::from("other")].into_iter().chain((2..).map(|index| format!("other{index}")));
            let name = names.find(|name| taken.iter().all(|other| other != name));
            return name.map_or(Outcome::Empty, |name| Outcome::Found(Value::String(name)));
        }
        let differs = taken.iter().map(|name| Claim::Demand(Demand::Differs(Value::from(name.as_ref()).into())));
        let answered = answers.iter().map(|(test, answer)| match (test, answer) {
            (Test::Pattern(node, pattern), _) => Claim::Matches(*node, pattern, *answer),
            (Test::Node(node), true) => super::state::is(*node),
            (Test::Node(node), false) => super::state::is_not(*node),
        });
        let allowed = self.names.iter().map(|node| super::state::is(*node));
        search.solve_kind(Kind::String, differs.chain(answered).chain(allowed).collect())
    }

    /// Returns what is demanded of the values of a cell's properties.
    fn properties_of(&self, cell: &Cell<'a>) -> Vec<Demand<'a>> {
        let of_all = self.properties.iter().flat_map(|(node, properties)| {
            let matched = properties.patterns.iter().filter(|(index, _)| cell.matches(*node, node.pattern(*index)));
            let mut ids: Vec<Id> = matched.map(|(_, id)| *id).collect();
            if ids.is_empty() {
                ids.extend(properties.rest);
            }
            ids.into_iter().map(|id| Demand::Is(node.to(id)))
        });
        of_all.collect()
    }
}

impl<'a> Test<'a> {
    fn same_as(self, other: Self) -> bool {
        match (self, other) {
            (Self::Pattern(_, one), Self::Pattern(_, other)) => one.text() == other.text(),
            (Self::Node(one), Self::Node(other)) => one.same_as(other),
            _ => false,
        }
    }
}

impl<'a> Cell<'a> {
    fn answers(&self, test: Test<'a>) -> bool {
        self.answers.iter().any(|(known, answer)| *answer && known.same_as(test))
    }

    fn matches(&self, node: Node<'a>, pattern: &'a Pattern) -> bool {
        self.answers(Test::Pattern(node, pattern))
    }

    fn belongs_to(&self, names: &Names<'a>) -> bool {
        match names {
            Names::Matching(node, pattern) => self.matches(*node, pattern),
            Names::Outside(node, properties) => {
                !properties.patterns.iter().any(|(index, _)| self.matches(*node, node.pattern(*index)))
            }
            Names::OtherThan(_) => true,
            Names::Refused(node) => !self.answers(Test::Node(*node)),
        }
    }
}
