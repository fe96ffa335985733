//! Arrays: lengths, elements by place, counted elements, repetition.
//!
//! Beyond the last place that is named, all places are alike, and of the elements there only those are needed that
//! something counts, asks for or repeats; so only finitely many lengths differ.

use serde_json::Value;

use super::claim::{Claim, Demand};
use super::schema::{Id, Node, Rule};
use super::search::{Outcome, Search, Ways, obstructing};
use super::state::State;

/// The longest array that is made up.
const MAX_LENGTH: u64 = 1_000;

/// What the facts say.
#[derive(Default)]
struct Arrays<'a> {
    least: u64,
    most: Option<u64>,
    items: Vec<(Node<'a>, &'a [Id], Option<Id>)>,
    elements: Vec<(usize, Demand<'a>)>,
    some: Vec<(usize, Demand<'a>)>,
    counts: Vec<(Node<'a>, u64, Option<u64>)>,
    is_unique: bool,
    repeats: bool,
    doubt: Option<String>,
}

/// Looks for an array of which the facts are true.
pub(super) fn solve<'a>(search: &mut Search<'a>, state: &State<'a>) -> Outcome {
    let arrays = Arrays::of(state);
    if arrays.is_unique && arrays.repeats {
        return Outcome::Empty;
    }
    // Places that every array has, up to one that stands for all the others.
    let named = arrays.named();
    let shortest = arrays.shortest();
    if arrays.most.is_some_and(|most| shortest > most) {
        return Outcome::Empty;
    }
    for place in 0..=named.min(usize::try_from(shortest).unwrap_or(usize::MAX).saturating_sub(1)) {
        if (place as u64) < shortest && matches!(search.solve(arrays.at(place)), Outcome::Empty) {
            return Outcome::Empty;
        }
    }
    let longest = shortest.max(named as u64 + arrays.needed());
    let longest = arrays.most.map_or(longest, |most| most.min(longest));
    if longest > MAX_LENGTH {
        let is_telling = |rule: &Rule| matches!(rule, Rule::AtLeast(..) | Rule::Contains { .. });
        return Outcome::unknown(state.obstacle(is_telling), None);
    }
    let mut ways = Ways::default();
    for length in shortest as usize..=longest as usize {
        let plan = Plan {
            places: (0..length).map(|place| arrays.at(place)).collect(),
            is_taken: vec![false; length],
            some: arrays.some.clone(),
            repeats: arrays.repeats,
            twins: None,
        };
        let outcome = arrays.arrange(search, plan);
        if let Some(found) = ways.add(outcome) {
            return found;
        }
    }
    ways.outcome()
}

/// An array of a certain length in the making.
#[derive(Clone)]
struct Plan<'a> {
    /// What is demanded at each place.
    places: Vec<Vec<Demand<'a>>>,
    /// Places that something of its own was demanded of.
    is_taken: Vec<bool>,
    /// Demands that are still without a place, and from which place on.
    some: Vec<(usize, Demand<'a>)>,
    /// Two places are still to be made equal.
    repeats: bool,
    /// The two places that are equal; the demands of both are with the first.
    twins: Option<(usize, usize)>,
}

/// The elements chosen so far.
#[derive(Clone)]
struct Filling {
    values: Vec<Value>,
    counted: Vec<u64>,
    /// Of each element, which counts it adds to.
    signs: Vec<Vec<bool>>,
    doubt: Option<String>,
}

impl<'a> Arrays<'a> {
    fn of(state: &State<'a>) -> Self {
        let mut arrays = Self::default();
        for fact in &state.facts {
            match fact {
                Claim::AtLeast(least) | Claim::Holds(_, Rule::AtLeast(_, least)) => {
                    arrays.least = arrays.least.max(*least);
                }
                Claim::AtMost(most) | Claim::Holds(_, Rule::AtMost(_, most)) => {
                    arrays.most = Some(arrays.most.map_or(*most, |known| known.min(*most)));
                }
                Claim::Holds(node, Rule::Items { prefix, rest }) => arrays.items.push((*node, prefix, *rest)),
                Claim::Element(place, demand) => arrays.elements.push((*place, demand.clone())),
                Claim::SomeElement(from, demand) => arrays.some.push((*from, demand.clone())),
                Claim::Holds(node, Rule::Contains { schema, least, most }) => {
                    arrays.counts.push((node.to(*schema), *least, *most));
                }
                Claim::Count(node, least, most) => arrays.counts.push((*node, *least, *most)),
                Claim::Holds(_, Rule::Unique) => arrays.is_unique = true,
                Claim::Fails(_, Rule::Unique) => arrays.repeats = true,
                Claim::Holds(_, Rule::Opaque(..)) | Claim::Fails(_, Rule::Opaque(..)) => {
                    arrays.doubt = Some(obstructing(fact));
                }
                _ => {}
            }
        }
        arrays
    }

    /// Returns the first place from which on all are alike.
    fn named(&self) -> usize {
        let prefixes = self.items.iter().map(|(_, prefix, _)| prefix.len());
        let elements = self.elements.iter().map(|(place, _)| place + 1);
        let some = self.some.iter().map(|(from, _)| *from);
        prefixes.chain(elements).chain(some).max().unwrap_or(0)
    }

    /// Returns a length that no array falls below.
    fn shortest(&self) -> u64 {
        let elements = self.elements.iter().map(|(place, _)| *place as u64 + 1);
        let some = self.some.iter().map(|(from, _)| *from as u64 + 1);
        let counts = self.counts.iter().map(|(_, least, _)| *least);
        let shortest = elements.chain(some).chain(counts).max().unwrap_or(0).max(self.least);
        if self.repeats { shortest.max(2) } else { shortest }
    }

    /// Returns how many elements beyond the named places something needs.
    fn needed(&self) -> u64 {
        let counted = self.counts.iter().map(|(_, least, _)| *least).fold(0, u64::saturating_add);
        counted.saturating_add(self.some.len() as u64 + if self.repeats { 2 } else { 0 })
    }

    /// Returns what is demanded at a place.
    fn at(&self, place: usize) -> Vec<Demand<'a>> {
        let of_node = |(node, prefix, rest): &(Node<'a>, &'a [Id], Option<Id>)| {
            prefix.get(place).copied().or(*rest).map(|id| Demand::Is(node.to(id)))
        };
        let own = self.elements.iter().filter(|(own, _)| *own == place).map(|(_, demand)| demand.clone());
        self.items.iter().filter_map(of_node).chain(own).collect()
    }

    /// Returns places that differ: all that are named or taken, and some of those that are alike.
    fn different(&self, plan: &Plan, from: usize, alike: usize) -> Vec<usize> {
        let named = self.named();
        let is_own = |place: &usize| *place < named || plan.is_taken[*place];
        let own = (from..plan.places.len()).filter(is_own);
        let others = (from..plan.places.len()).filter(|place| !is_own(place)).take(alike);
        own.chain(others).collect()
    }

    /// Finds places for the demands that have none, then fills the places.
    fn arrange(&self, search: &mut Search<'a>, mut plan: Plan<'a>) -> Outcome {
        let mut ways = Ways::default();
        if let Some((from, demand)) = plan.some.pop() {
            for place in self.different(&plan, from, 1) {
                let mut next = plan.clone();
                next.places[place].push(demand.clone());
                next.is_taken[place] = true;
                let outcome = self.arrange(search, next);
                if let Some(found) = ways.add(outcome) {
                    return found;
                }
            }
            return ways.outcome();
        }
        if plan.repeats {
            let mut places = self.different(&plan, 0, 2);
            places.sort_unstable();
            let pairs =
                places.iter().enumerate().flat_map(|(at, first)| places[at + 1..].iter().map(|one| (*first, *one)));
            for (first, second) in pairs {
                let mut next = plan.clone();
                next.repeats = false;
                next.twins = Some((first, second));
                let also = std::mem::take(&mut next.places[second]);
                next.places[first].extend(also);
                let outcome = self.arrange(search, next);
                if let Some(found) = ways.add(outcome) {
                    return found;
                }
            }
            return ways.outcome();
        }
        let counted = vec![0; self.counts.len()];
        self.fill(search, &plan, Filling { values: Vec::new(), counted, signs: Vec::new(), doubt: self.doubt.clone() })
    }

    /// Chooses the next element in every way that matters.
    fn fill(&self, search: &mut Search<'a>, plan: &Plan<'a>, filling: Filling) -> Outcome {
        let place = filling.values.len();
        let left = (plan.places.len() - place) as u64;
        let is_short = |((_, least, _), counted): (&(Node, u64, Option<u64>), &u64)| counted + left < *least;
        let is_over =
            |((_, _, most), counted): (&(Node, u64, Option<u64>), &u64)| most.is_some_and(|most| *counted > most);
        if self.counts.iter().zip(&filling.counted).any(|count| is_short(count) || is_over(count)) {
            return Outcome::Empty;
        }
        if left == 0 {
            return Outcome::doubted(Value::Array(filling.values), filling.doubt);
        }
        let obstacle = || match self.counts.first() {
            Some((node, ..)) => obstructing(&Claim::Count(*node, 0, None)),
            None => "'uniqueItems' is not worked out".to_owned(),
        };
        if let Err(spent) = search.step(obstacle) {
            return spent;
        }
        if let Some((first, second)) = plan.twins
            && second == place
        {
            let next = filling.with(filling.values[first].clone(), filling.signs[first].clone(), None);
            return self.fill(search, plan, next);
        }
        let mut ways = Ways::default();
        for signs in self.signs(&filling) {
            let mut demands = plan.places[place].clone();
            for ((node, ..), sign) in self.counts.iter().zip(&signs) {
                demands.push(if *sign { Demand::Is(*node) } else { Demand::IsNot(*node) });
            }
            // Where elements must differ, as many as there are places are tried: with fewer there are no others, and
            // with as many one is always left.
            let tries = if self.is_unique { plan.places.len() } else { 1 };
            if self.is_unique {
                demands.extend(filling.values.iter().map(|value| Demand::Differs(value.clone().into())));
            }
            for _ in 0..tries {
                let (value, doubt) = match search.solve(demands.clone()) {
                    Outcome::Empty => break,
                    Outcome::Found(value) => (value, None),
                    Outcome::Unknown(obstacle) => match obstacle.candidate {
                        Some(value) => (value, Some(obstacle.reason)),
                        None => {
                            ways.add(Outcome::unknown(obstacle.reason, None));
                            break;
                        }
                    },
                };
                demands.push(Demand::Differs(value.clone().into()));
                let is_certain = doubt.is_none();
                let outcome = self.fill(search, plan, filling.with(value, signs.clone(), doubt.clone()));
                if let (Outcome::Empty, Some(reason)) = (&outcome, doubt) {
                    ways.add(Outcome::unknown(reason, None));
                }
                if let Some(found) = ways.add(outcome) {
                    return found;
                }
                if !is_certain {
                    break;
                }
            }
        }
        ways.outcome()
    }

    /// Returns the ways in which an element adds to the counts, those first that bring the least counts nearer.
    fn signs(&self, filling: &Filling) -> Vec<Vec<bool>> {
        let mut all = vec![Vec::new()];
        for ((_, least, _), counted) in self.counts.iter().zip(&filling.counted) {
            let first = counted < least;
            all = [first, !first]
                .iter()
                .flat_map(|sign| all.iter().map(|signs: &Vec<bool>| [signs.as_slice(), &[*sign]].concat()))
                .collect();
        }
        all
    }
}

impl Filling {
    fn with(&self, value: Value, signs: Vec<bool>, doubt: Option<String>) -> Self {
        let mut next = self.clone();
        for (counted, sign) in next.counted.iter_mut().zip(&signs) {
            *counted += u64::from(*sign);
        }
        next.values.push(value);
        next.signs.push(signs);
        next.doubt = next.doubt.or(doubt);
        next
    }
}
