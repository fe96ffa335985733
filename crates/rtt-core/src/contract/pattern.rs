//! Regular expressions as automata, so that it can be decided whether a text matches some of them and not others.
//!
//! Patterns are read as the validator reads them. What is not regular (look-around, back references, word boundaries)
//! is left to the validator's own engine, which can only be asked about one text at a time. Of control escapes such as
//! `\cA` nothing is said: the engines of many languages refuse them, so the other side may not read them alike.

use std::collections::BTreeMap;
use std::fmt;

use jsonschema::Validator;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use serde_json::{Value, json};

/// The largest automaton, in states; beyond it the pattern is left to the engine.
const MAX_STATES: usize = 2_000;

/// A regular expression.
pub(super) struct Pattern {
    text: String,
    automaton: Option<Automaton>,
    /// Where there is no automaton; without either, nothing is said about what matches.
    engine: Option<Validator>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

impl Pattern {
    /// Reads a regular expression; `None` if it is none.
    pub(super) fn new(text: &str) -> Option<Self> {
        let is_contested = text.contains("\\c");
        let automaton = Automaton::new(text).filter(|_| !is_contested);
        let engine = match automaton {
            Some(_) => None,
            None => Some(jsonschema::options().build(&json!({"pattern": text})).ok()?),
        };
        Some(Self { text: text.to_owned(), automaton, engine: engine.filter(|_| !is_contested) })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the automaton, if the pattern is regular and small enough.
    pub(super) fn automaton(&self) -> Option<&Automaton> {
        self.automaton.as_ref()
    }

    /// Tells whether a text matches somewhere; `None` if engines differ on it.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        match (&self.automaton, &self.engine) {
            (Some(automaton), _) => Some(automaton.matches(text)),
            (None, Some(engine)) => Some(engine.is_valid(&Value::from(text))),
            (None, None) => None,
        }
    }
}

/// A nondeterministic automaton over characters that looks for a match anywhere in a text.
pub(super) struct Automaton {
    states: Vec<State>,
    start: usize,
}

#[derive(Clone)]
enum State {
    /// Reads one character of these ranges.
    Read(Vec<(char, char)>, usize),
    /// Goes on at any of these.
    Fork(Vec<usize>),
    /// Goes on at the start of the text only.
    AtStart(usize),
    /// Goes on at the end of the text only.
    AtEnd(usize),
    /// Has found a match.
    Match,
}

/// Where an automaton is after a part of a text: the states that may read on or wait for the end, in order.
pub(super) type Position = Vec<usize>;

impl Automaton {
    fn new(text: &str) -> Option<Self> {
        let translated = jsonschema_regex::to_rust_regex(text).ok()?;
        let expression = regex_syntax::parse(&translated).ok()?;
        let mut automaton = Self { states: vec![State::Match], start: 0 };
        automaton.start = automaton.add(&expression, 0)?;
        Some(automaton)
    }

    /// Adds states that match `expression` and go on at `next`; returns the first of them.
    fn add(&mut self, expression: &Hir, next: usize) -> Option<usize> {
        match expression.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).ok()?;
                text.chars()
                    .rev()
                    .try_fold(next, |next, character| self.push(State::Read(vec![(character, character)], next)))
            }
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges().iter().map(|range| (range.start(), range.end())).collect();
                self.push(State::Read(ranges, next))
            }
            HirKind::Class(Class::Bytes(_)) => None,
            HirKind::Look(Look::Start) => self.push(State::AtStart(next)),
            HirKind::Look(Look::End) => self.push(State::AtEnd(next)),
            HirKind::Look(_) => None,
            HirKind::Capture(capture) => self.add(&capture.sub, next),
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.add(part, next)),
            HirKind::Alternation(parts) => {
                let starts = parts.iter().map(|part| self.add(part, next)).collect::<Option<Vec<_>>>()?;
                self.push(State::Fork(starts))
            }
            HirKind::Repetition(repetition) => {
                let mut at = match repetition.max {
                    None => {
                        let again = self.push(State::Fork(vec![next]))?;
                        let body = self.add(&repetition.sub, again)?;
                        self.states[again] = State::Fork(vec![body, next]);
                        again
                    }
                    Some(max) => (repetition.min..max).try_fold(next, |at, _| {
                        let body = self.add(&repetition.sub, at)?;
                        self.push(State::Fork(vec![body, next]))
                    })?,
                };
                for _ in 0..repetition.min {
                    at = self.add(&repetition.sub, at)?;
                }
                Some(at)
            }
        }
    }

    fn push(&mut self, state: State) -> Option<usize> {
        self.states.push(state);
        (self.states.len() <= MAX_STATES).then_some(self.states.len() - 1)
    }

    /// Returns the position before the first character.
    pub(super) fn begin(&self) -> Position {
        self.close(vec![self.start], true, false)
    }

    /// Returns the position after one more character.
    pub(super) fn step(&self, position: &Position, character: char) -> Position {
        if Self::has_matched(position) {
            return position.clone();
        }
        let follows = |ranges: &[(char, char)]| ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
        let mut next: Vec<usize> = position
            .iter()
            .filter_map(|state| match &self.states[*state] {
                State::Read(ranges, next) if follows(ranges) => Some(*next),
                _ => None,
            })
            .collect();
        next.push(self.start);
        self.close(next, false, false)
    }

    /// Tells whether a match was found, so that any text that begins like this matches.
    pub(super) fn has_matched(position: &Position) -> bool {
        position.first() == Some(&0)
    }

    /// Tells whether the text matches if it ends here.
    pub(super) fn matches_at_end(&self, position: &Position, is_empty: bool) -> bool {
        Self::has_matched(position) || Self::has_matched(&self.close(position.clone(), is_empty, true))
    }

    /// Tells whether no longer text can match.
    pub(super) fn is_stuck(position: &Position) -> bool {
        position.is_empty()
    }

    fn matches(&self, text: &str) -> bool {
        let end = text.chars().fold(self.begin(), |position, character| self.step(&position, character));
        self.matches_at_end(&end, text.is_empty())
    }

    /// Follows what reads no character. A match makes everything else superfluous.
    fn close(&self, mut pending: Vec<usize>, at_start: bool, at_end: bool) -> Position {
        let mut seen = vec![false; self.states.len()];
        let mut position = Vec::new();
        while let Some(state) = pending.pop() {
            if std::mem::replace(&mut seen[state], true) {
                continue;
            }
            match &self.states[state] {
                State::Match => return vec![0],
                State::Read(..) => position.push(state),
                State::Fork(next) => pending.extend(next),
                State::AtStart(next) if at_start => pending.push(*next),
                State::AtStart(_) => {}
                State::AtEnd(next) => {
                    if at_end {
                        pending.push(*next);
                    }
                    position.push(state);
                }
            }
        }
        position.sort_unstable();
        position
    }

    fn ranges(&self) -> impl Iterator<Item = &[(char, char)]> {
        self.states.iter().filter_map(|state| match state {
            State::Read(ranges, _) => Some(ranges.as_slice()),
            _ => None,
        })
    }
}

/// Returns one character of each set that some of the automata or texts tell apart, the most readable one.
pub(super) fn alphabet(automata: &[&Automaton], texts: &[&str]) -> Vec<char> {
    let single: Vec<Vec<(char, char)>> =
        texts.iter().flat_map(|text| text.chars()).map(|character| vec![(character, character)]).collect();
    let sets: Vec<&[(char, char)]> =
        automata.iter().flat_map(|automaton| automaton.ranges()).chain(single.iter().map(Vec::as_slice)).collect();
    // Between two neighbouring starts all characters are in the same sets.
    let mut starts: Vec<u32> = vec![0, 0xe000];
    for (low, high) in sets.iter().flat_map(|set| set.iter()) {
        starts.extend([u32::from(*low), u32::from(*high) + 1]);
    }
    // Readable ones stand for themselves, so that they are at hand wherever one of them fits.
    starts.extend((0x20..=0x7f).chain([0xa0]));
    starts.sort_unstable();
    starts.dedup();
    let mut chosen: BTreeMap<Vec<u64>, char> = BTreeMap::new();
    for character in starts.into_iter().filter_map(char::from_u32) {
        let mut signature = vec![0; sets.len().div_ceil(64)];
        for (index, set) in sets.iter().enumerate() {
            let after = set.partition_point(|(low, _)| *low <= character);
            if after > 0 && character <= set[after - 1].1 {
                signature[index / 64] |= 1_u64 << (index % 64);
            }
        }
        let best = chosen.entry(signature).or_insert(character);
        if readability(character) < readability(*best) {
            *best = character;
        }
    }
    let mut characters: Vec<char> = chosen.into_values().collect();
    characters.sort_by_key(|character| readability(*character));
    characters
}

fn readability(character: char) -> (u8, char) {
    let class = match character {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        '-' | '_' | '.' | '/' | ':' => 3,
        '!'..='~' => 4,
        ' ' => 5,
        _ if !character.is_control() => 6,
        _ => 7,
    };
    (class, character)
}
