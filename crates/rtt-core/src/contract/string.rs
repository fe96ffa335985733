//! Texts: lengths, exclusions and patterns, decided by running all automata side by side.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::claim::{Claim, Demand, is_true};
use super::pattern::{Automaton, Pattern, Position, alphabet};
use super::schema::Rule;
use super::search::{Outcome, Search, obstructing};
use super::state::State;

/// The longest text that is made up.
const MAX_LENGTH: u64 = 10_000;

/// What the facts say.
#[derive(Default)]
struct Texts<'s> {
    least: u64,
    most: Option<u64>,
    others: Vec<&'s str>,
    patterns: Vec<(&'s Claim<'s>, &'s Pattern, bool)>,
}

/// Looks for a text of which the facts are true.
pub(super) fn solve<'a>(search: &mut Search<'a>, state: &State<'a>) -> Outcome {
    let texts = Texts::of(state);
    if texts.most.is_some_and(|most| texts.least > most) || texts.contradict() {
        return Outcome::Empty;
    }
    let is_fit = |text: &str| {
        let value = Value::from(text);
        state.facts.iter().all(|fact| is_true(fact, &value) == Some(true)).then_some(value)
    };
    let irregular = texts.patterns.iter().find(|(_, pattern, _)| pattern.automaton().is_none());
    let outcome = if texts.least > MAX_LENGTH {
        Outcome::unknown(state.obstacle(|rule| matches!(rule, Rule::AtLeast(..))), None)
    } else if texts.patterns.is_empty() {
        texts.spell()
    } else {
        texts.run(search)
    };
    let Some((claim, ..)) = irregular else { return outcome };
    // What the regular part of it excludes is excluded; what it allows is put to the other patterns.
    let proposed = match &outcome {
        Outcome::Empty => return outcome,
        Outcome::Found(value) => value.as_str(),
        Outcome::Unknown(_) => None,
    };
    match proposed.into_iter().chain(search.words()).find_map(is_fit) {
        Some(value) => Outcome::Found(value),
        None => Outcome::unknown(obstructing(claim), None),
    }
}

impl<'s> Texts<'s> {
    fn of(state: &'s State) -> Self {
        let mut texts = Self::default();
        for fact in &state.facts {
            match fact {
                Claim::AtLeast(least) | Claim::Holds(_, Rule::AtLeast(_, least)) => {
                    texts.least = texts.least.max(*least);
                }
                Claim::AtMost(most) | Claim::Holds(_, Rule::AtMost(_, most)) => {
                    texts.most = Some(texts.most.map_or(*most, |known| known.min(*most)));
                }
                Claim::Matches(_, pattern, expected) => texts.patterns.push((fact, pattern, *expected)),
                Claim::Demand(Demand::Differs(value)) => texts.others.extend(value.as_str()),
                _ => {}
            }
        }
        texts
    }

    /// Tells whether one pattern is both to match and not to match.
    fn contradict(&self) -> bool {
        self.patterns.iter().any(|(_, one, expected)| {
            *expected && self.patterns.iter().any(|(_, other, expected)| !expected && one.text() == other.text())
        })
    }

    /// Makes up a text where there are no patterns.
    fn spell(&self) -> Outcome {
        // One more than there are exclusions, so that one is left; of the empty text there is but one.
        let variants = self.others.len() as u32 + 1;
        let of_length = |length: u64| {
            let base = "a".repeat(length.saturating_sub(1) as usize);
            let last = (0..variants).filter_map(|index| char::from_u32(u32::from('a') + index));
            let texts = last.map(move |last| format!("{base}{last}"));
            [String::new()].into_iter().filter(move |_| length == 0).chain(texts.filter(move |_| length > 0))
        };
        let lengths = [self.least, self.least + 1].into_iter();
        let lengths = lengths.filter(|length| self.most.is_none_or(|most| *length <= most));
        match lengths.flat_map(of_length).find(|text| !self.others.contains(&text.as_str())) {
            Some(text) => Outcome::Found(Value::String(text)),
            None => Outcome::Empty,
        }
    }

    /// Looks for a shortest text that the automata agree on; patterns without one are left out.
    fn run(&self, search: &mut Search) -> Outcome {
        let automata: Vec<(&Automaton, bool)> = self
            .patterns
            .iter()
            .filter_map(|(_, pattern, expected)| pattern.automaton().map(|automaton| (automaton, *expected)))
            .collect();
        let characters = alphabet(&automata.iter().map(|(automaton, _)| *automaton).collect::<Vec<_>>(), &self.others);
        let start = Reading {
            positions: automata.iter().map(|(automaton, _)| automaton.begin()).collect(),
            spelled: self.others.iter().map(|_| true).collect(),
            text: String::new(),
            length: 0,
        };
        let mut seen = BTreeSet::new();
        let mut pending = VecDeque::from([start]);
        while let Some(reading) = pending.pop_front() {
            // Longer than the least length, a text differs by its positions only; shorter ones come first.
            if !seen.insert(reading.key(self.least)) {
                continue;
            }
            if reading.length >= self.least && self.is_accepted(&automata, &reading) {
                return Outcome::Found(Value::String(reading.text));
            }
            if self.most.is_some_and(|most| reading.length >= most) {
                continue;
            }
            for character in &characters {
                let obstacle = || self.patterns.first().map_or_else(String::new, |(claim, ..)| obstructing(claim));
                if let Err(spent) = search.step(obstacle) {
                    return spent;
                }
                pending.extend(self.read_on(&automata, &reading, *character));
            }
        }
        Outcome::Empty
    }

    fn is_accepted(&self, automata: &[(&Automaton, bool)], reading: &Reading) -> bool {
        let agree = automata.iter().zip(&reading.positions).all(|((automaton, expected), position)| {
            automaton.matches_at_end(position, reading.length == 0) == *expected
        });
        agree && self.others.iter().all(|other| *other != reading.text)
    }

    /// Reads one more character; `None` if no text that begins like this can be accepted.
    fn read_on(&self, automata: &[(&Automaton, bool)], reading: &Reading, character: char) -> Option<Reading> {
        let mut positions = Vec::with_capacity(automata.len());
        for ((automaton, expected), position) in automata.iter().zip(&reading.positions) {
            let next = automaton.step(position, character);
            if (*expected && Automaton::is_stuck(&next)) || (!expected && Automaton::has_matched(&next)) {
                return None;
            }
            positions.push(next);
        }
        let mut text = reading.text.clone();
        text.push(character);
        let spelled = self.others.iter().map(|other| other.starts_with(&text)).collect();
        Some(Reading { positions, spelled, text, length: reading.length + 1 })
    }
}

/// How far a text has been read by all automata.
struct Reading {
    positions: Vec<Position>,
    /// Which exclusions the text is a beginning of.
    spelled: Vec<bool>,
    text: String,
    length: u64,
}

impl Reading {
    /// Two readings with one key are continued by the same texts.
    fn key(&self, least: u64) -> (Vec<Position>, Option<String>, u64) {
        let spelled = self.spelled.contains(&true).then(|| self.text.clone());
        (self.positions.clone(), spelled, self.length.min(least))
    }
}
