//! A value that one schema accepts and another refuses: found by trying the values that the keywords suggest.
//!
//! Whatever is tried is checked by validators, so a witness is always a true one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::Node;
use super::shape::{Atom, Shape, exact, expand};

/// How deep samples are nested; beyond it only what is required.
const MAX_DEPTH: usize = 4;
/// The most samples of one place.
const MAX_SAMPLES: usize = 24;
/// The longest string or array that is tried.
const MAX_LENGTH: u64 = 2_000;

/// Returns the shortest sample that `given` accepts and `refusing` does not.
pub(super) fn find(given: &Node, refusing: &Node) -> Option<Value> {
    let mut hints = Hints::default();
    hints.collect(given.value);
    hints.collect(refusing.value);
    hints.lengths.extend([0, 1, 2]);
    let samples = samples(&[given.clone()], &hints, MAX_DEPTH);
    let witnesses = samples
        .into_iter()
        .filter(|sample| given.accepts(sample) == Some(true) && refusing.accepts(sample) == Some(false));
    witnesses.min_by_key(|sample| {
        let text = sample.to_string();
        (text.len(), text)
    })
}

/// Constants of both schemas, whose neighbourhood tells them apart.
#[derive(Default)]
struct Hints {
    numbers: BTreeSet<i64>,
    lengths: BTreeSet<u64>,
    names: BTreeSet<String>,
    constants: Vec<Value>,
}

impl Hints {
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    match (key.as_str(), member) {
                        ("const", one) => self.constant(one),
                        ("enum", Value::Array(values)) => values.iter().for_each(|one| self.constant(one)),
                        ("properties", Value::Object(group)) => {
                            self.names.extend(group.keys().cloned());
                            group.values().for_each(|schema| self.collect(schema));
                        }
                        (_, Value::Number(_)) => self.number(member),
                        _ => self.collect(member),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }

    fn constant(&mut self, value: &Value) {
        if self.constants.len() < 32 {
            self.constants.push(value.clone());
        }
    }

    fn number(&mut self, value: &Value) {
        let Some(number) = exact(value) else { return };
        let whole = number.trunc() as i64;
        if self.numbers.len() < 32 {
            self.numbers.extend([whole.saturating_sub(1), whole, whole.saturating_add(1)]);
        }
        if let Ok(length) = u64::try_from(whole)
            && length <= MAX_LENGTH
            && self.lengths.len() < 16
        {
            self.lengths.extend([length.saturating_sub(1), length, length + 1]);
        }
    }
}

/// Returns values that satisfy all nodes, simple ones first; without nodes, one of each type.
fn samples(nodes: &[Node], hints: &Hints, depth: usize) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let shapes = expand(nodes);
    let share = (MAX_SAMPLES / shapes.len().max(1)).max(4);
    for shape in &shapes {
        if !nodes.iter().all(Node::step) {
            break;
        }
        let valid = |value: &Value| shape.nodes.iter().chain(nodes).all(|node| node.accepts(value) == Some(true));
        // The top level is not cut off: only there the witness must show up among the samples.
        let limit = if depth == MAX_DEPTH { 20 * MAX_SAMPLES } else { share };
        for value in of_shape(shape, hints, depth).into_iter().filter(valid).take(limit) {
            if !found.contains(&value) {
                found.push(value);
            }
        }
    }
    found
}

fn of_shape(shape: &Shape, hints: &Hints, depth: usize) -> Vec<Value> {
    if let Some(values) = &shape.values {
        return values.clone();
    }
    let like = |test: fn(&Value) -> bool| hints.constants.iter().filter(move |value| test(value)).cloned();
    match shape.atom {
        Atom::Null | Atom::Boolean => Vec::new(),
        Atom::Integer | Atom::Number => {
            let ends = [shape.low(), shape.high()].into_iter().flatten().map(|end| end.at.trunc() as i64);
            let near = ends.flat_map(|end| [end, end.saturating_sub(1), end.saturating_add(1)]);
            let mut whole: Vec<i64> = [0, 1, -1].into_iter().chain(near).collect();
            whole.extend(&hints.numbers);
            let mut all: Vec<Value> = whole.iter().map(|number| json!(number)).collect();
            if shape.atom == Atom::Number {
                all.extend(whole.iter().map(|number| json!(*number as f64 + 0.5)));
            }
            all.extend(like(Value::is_number));
            all
        }
        Atom::String => {
            let mut all: Vec<Value> = ["", "a", "text", "A1"].iter().map(|text| json!(text)).collect();
            all.extend(like(Value::is_string));
            let bounds = [Some(shape.at_least("minLength")), shape.at_most("maxLength")];
            for length in bounds.into_iter().flatten().chain(hints.lengths.iter().copied()) {
                if length <= MAX_LENGTH {
                    all.push(json!("x".repeat(length as usize)));
                }
            }
            all
        }
        Atom::Array => arrays(shape, hints, depth),
        Atom::Object => objects(shape, hints, depth),
    }
}

fn arrays(shape: &Shape, hints: &Hints, depth: usize) -> Vec<Value> {
    let least = shape.at_least("minItems");
    if least > MAX_LENGTH.min(64) {
        return Vec::new();
    }
    let mut all = Vec::new();
    if least == 0 {
        all.push(json!([]));
    }
    if depth == 0 {
        return all;
    }
    let of_index: Vec<Vec<Value>> =
        (0..=shape.prefix()).map(|index| samples(&shape.item(index), hints, depth - 1)).collect();
    let lengths: BTreeSet<u64> =
        hints.lengths.iter().copied().chain([least, least.max(1), least + 1]).filter(|length| *length <= 64).collect();
    let pick = |index: usize, variant: usize| -> Option<Value> {
        let choices = &of_index[index.min(of_index.len() - 1)];
        choices.get(variant % choices.len().max(1)).cloned()
    };
    for length in lengths.into_iter().filter(|length| *length >= least.max(1)) {
        let length = length as usize;
        // All elements alike, then each its own.
        all.extend((0..length).map(|index| pick(index, 0)).collect::<Option<Vec<_>>>().map(Value::Array));
        all.extend((0..length).map(|index| pick(index, index)).collect::<Option<Vec<_>>>().map(Value::Array));
        for place in 0..length.min(of_index.len()) {
            for variant in 1..of_index[place].len() {
                let one = |index: usize| pick(index, if index == place { variant } else { index });
                all.extend((0..length).map(one).collect::<Option<Vec<_>>>().map(Value::Array));
            }
        }
    }
    all
}

fn objects(shape: &Shape, hints: &Hints, depth: usize) -> Vec<Value> {
    let required: BTreeSet<&str> = shape.required().into_iter().collect();
    if depth == 0 && !required.is_empty() {
        return Vec::new();
    }
    let mut base = Map::new();
    let mut variants = Vec::new();
    for name in &required {
        let choices = samples(&shape.property(name), hints, depth - 1);
        let Some(first) = choices.first() else { return Vec::new() };
        base.insert((*name).to_owned(), first.clone());
        variants.push(((*name).to_owned(), choices));
    }
    let mut all = vec![Value::Object(base.clone())];
    if depth == 0 {
        return all;
    }
    let named: BTreeSet<&str> =
        shape.named().into_iter().chain(hints.names.iter().map(String::as_str)).take(64).collect();
    let mut full = base.clone();
    for name in named.into_iter().filter(|name| !required.contains(name)) {
        let choices = samples(&shape.property(name), hints, depth - 1);
        if let Some(first) = choices.first() {
            full.insert(name.to_owned(), first.clone());
        }
        variants.push((name.to_owned(), choices));
    }
    let others = samples(&shape.other_properties(), hints, depth - 1);
    variants.push(("other".to_owned(), others));
    for (name, choices) in variants {
        for choice in choices {
            let mut object = base.clone();
            object.insert(name.clone(), choice);
            all.push(Value::Object(object));
        }
    }
    let least = shape.at_least("minProperties").max(hints.lengths.iter().copied().max().unwrap_or(0)).min(64);
    let other = samples(&shape.other_properties(), hints, 0);
    if let Some(filler) = other.first() {
        let mut object = base.clone();
        while (object.len() as u64) < least {
            object.insert(format!("p{}", object.len()), filler.clone());
            all.push(Value::Object(object.clone()));
        }
    }
    all.push(Value::Object(full));
    all
}
