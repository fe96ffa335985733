//! The proof that every value of one schema is valid under another, keyword by keyword.
//!
//! A proof is sound: a gap means "not shown", never "shown to be false". Refutations are the witness's part.

use std::cell::RefCell;

use serde_json::Value;

use super::document::Node;
use super::shape::{Atom, Shape, count, disjoint, exact, expand, types};

/// Where the proof did not go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// The way to the value: property names, `[]` for elements; empty at the top.
    pub(super) path: String,
    /// What could not be shown, as a clause.
    pub(super) reason: String,
}

type Proof = Result<(), Gap>;

/// One node set, type and goal that a proof is under way for.
type Goal = (Vec<(usize, String)>, Atom, (usize, String));

/// Proves one containment.
#[derive(Default)]
pub(super) struct Prover {
    active: RefCell<Vec<Goal>>,
}

impl Prover {
    /// Shows that every value that satisfies all of `given` is valid under `goal`.
    pub(super) fn contained(&self, given: &[Node], goal: &Node, path: &str) -> Proof {
        if given.iter().any(|node| node.same_as(goal)) {
            return Ok(());
        }
        expand(given).iter().try_for_each(|shape| self.shape(shape, goal, path))
    }

    fn shape(&self, shape: &Shape, goal: &Node, path: &str) -> Proof {
        let gap = |reason: String| Err(Gap { path: path.to_owned(), reason });
        if !goal.step() {
            return gap("the schemas are too large to compare".to_owned());
        }
        match goal.value {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return gap("nothing is accepted here".to_owned()),
            _ => {}
        }
        if let Some(values) = &shape.values {
            let refused = values.iter().find(|value| goal.accepts(value) != Some(true));
            return refused.map_or(Ok(()), |value| gap(format!("{value} is not accepted")));
        }
        if shape.nodes.iter().any(|node| node.same_as(goal)) {
            return Ok(());
        }
        // Documents hold no circle on one value, so coming back to a goal means that a property or an element lies
        // between: the proof proceeds by induction over the value, which is finite.
        let key: Goal = (shape.nodes.iter().map(Node::key).collect(), shape.atom, goal.key());
        if self.active.borrow().contains(&key) {
            return Ok(());
        }
        self.active.borrow_mut().push(key);
        let proof = self.keywords(shape, goal, path);
        self.active.borrow_mut().pop();
        proof
    }

    fn keywords(&self, shape: &Shape, goal: &Node, path: &str) -> Proof {
        let gap = |reason: String| Err(Gap { path: path.to_owned(), reason });
        match goal.target() {
            Ok(Some(target)) => self.shape(shape, &target, path)?,
            Ok(None) => {}
            Err(reason) => return gap(reason),
        }
        if let Some(words) = types(goal)
            && !words
                .iter()
                .any(|word| *word == shape.atom.name() || (*word == "number" && shape.atom == Atom::Integer))
        {
            let whole = shape.atom == Atom::Number && words.contains(&"integer");
            if !(whole && stays_multiple(shape, 1.0)) {
                return gap(format!("{} is not {}", shape.atom.name(), words.join(" or ")));
            }
        }
        if let Some(only) = goal.value.get("const") {
            return gap(format!("only {only} is accepted"));
        }
        if goal.value.get("enum").is_some() {
            return gap("only listed values are accepted".to_owned());
        }
        for part in goal.list("allOf") {
            self.shape(shape, &part, path)?;
        }
        if goal.get("anyOf").is_some() && !goal.list("anyOf").iter().any(|part| self.shape(shape, part, path).is_ok()) {
            return gap("no alternative of 'anyOf' accepts all of it".to_owned());
        }
        if goal.get("oneOf").is_some() {
            let parts = goal.list("oneOf");
            let one = parts.iter().enumerate().any(|(index, part)| {
                let others = || parts.iter().enumerate().filter(|(other, _)| *other != index);
                self.shape(shape, part, path).is_ok() && others().all(|(_, other)| disjoint(shape, other))
            });
            if !one {
                return gap("no alternative of 'oneOf' alone accepts all of it".to_owned());
            }
        }
        if let Some(excluded) = goal.schema("not")
            && !stated(shape, goal, &["not"])
            && !disjoint(shape, &excluded)
        {
            return gap("'not' may exclude some of it".to_owned());
        }
        if goal.value.get("if").is_some() && !stated(shape, goal, &["if", "then", "else"]) {
            return gap("'if' is not compared".to_owned());
        }
        match shape.atom {
            Atom::Null | Atom::Boolean => Ok(()),
            Atom::Integer | Atom::Number => number(shape, goal, path),
            Atom::String => string(shape, goal, path),
            Atom::Array => self.array(shape, goal, path),
            Atom::Object => self.object(shape, goal, path),
        }
    }

    fn array(&self, shape: &Shape, goal: &Node, path: &str) -> Proof {
        let gap = |reason: String| Err(Gap { path: path.to_owned(), reason });
        sizes(shape, goal, "minItems", "maxItems", None, path)?;
        let longest = shape.at_most("maxItems");
        if goal.value.get("uniqueItems") == Some(&Value::Bool(true))
            && longest.is_none_or(|longest| longest > 1)
            && !stated(shape, goal, &["uniqueItems"])
        {
            return gap("elements may repeat".to_owned());
        }
        for group in [&["contains", "minContains", "maxContains"][..], &["unevaluatedItems"][..]] {
            let at = goal.value.get(group[0]);
            if at.is_some_and(|value| *value != Value::Bool(true)) && (group.len() == 1 || !stated(shape, goal, group))
            {
                return gap(format!("'{}' is not compared", group[0]));
            }
        }
        if goal.value.get("items").is_some_and(Value::is_array) {
            return gap("'items' as a list is not compared".to_owned());
        }
        let own = goal.list("prefixItems");
        let rest = goal.schema("items");
        let prefix = own.len().max(shape.prefix());
        for index in 0..=prefix {
            if longest.is_some_and(|longest| longest <= index as u64) {
                return Ok(());
            }
            let Some(wanted) = own.get(index).or(rest.as_ref()) else { continue };
            let given = shape.item(index);
            self.contained(&given, wanted, &format!("{path}[]"))?;
        }
        Ok(())
    }

    fn object(&self, shape: &Shape, goal: &Node, path: &str) -> Proof {
        let gap = |reason: String| Err(Gap { path: path.to_owned(), reason });
        for name in goal.value.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !shape.requires(name) {
                return gap(format!("the property '{name}' may be missing"));
            }
        }
        let rest_is_empty = expand(&shape.other_properties()).is_empty();
        let closed = rest_is_empty && shape.nodes.iter().all(|node| node.value.get("patternProperties").is_none());
        sizes(shape, goal, "minProperties", "maxProperties", closed.then(|| shape.named().len() as u64), path)?;
        for keyword in
            ["propertyNames", "dependentSchemas", "dependencies", "patternProperties", "unevaluatedProperties"]
        {
            let trivial = goal.value.get(keyword).is_none_or(|value| *value == Value::Bool(true));
            if !trivial && (keyword == "unevaluatedProperties" || !stated(shape, goal, &[keyword])) {
                return gap(format!("'{keyword}' is not compared"));
            }
        }
        self.dependents(shape, goal, path)?;
        let own = goal.get("properties").and_then(|group| group.value.as_object());
        for name in own.into_iter().flat_map(|members| members.keys()) {
            if let Some(wanted) = goal.get("properties").and_then(|group| group.schema(name)) {
                self.contained(&shape.property(name), &wanted, &join(path, name))?;
            }
        }
        let Some(others) = goal.schema("additionalProperties").filter(|schema| *schema.value != Value::Bool(true))
        else {
            return Ok(());
        };
        // A property that a pattern matches is no additional one: asking the same of it as of the others is too much,
        // which leaves gaps but proves nothing false.
        for name in shape.named() {
            if own.is_none_or(|members| !members.contains_key(name)) {
                let proof = self.contained(&shape.property(name), &others, &join(path, name));
                if *others.value == Value::Bool(false) && proof.is_err() {
                    return Err(Gap {
                        path: path.to_owned(),
                        reason: format!("the property '{name}' is not accepted"),
                    });
                }
                proof?;
            }
        }
        match self.contained(&shape.other_properties(), &others, &join(path, "*")) {
            Err(_) if *others.value == Value::Bool(false) => gap("other properties are not accepted".to_owned()),
            proof => proof,
        }
    }

    fn dependents(&self, shape: &Shape, goal: &Node, path: &str) -> Proof {
        let Some(group) = goal.value.get("dependentRequired").and_then(Value::as_object) else { return Ok(()) };
        if stated(shape, goal, &["dependentRequired"]) {
            return Ok(());
        }
        for (name, wanted) in group {
            let never = expand(&shape.property(name)).is_empty();
            let missing =
                wanted.as_array().into_iter().flatten().filter_map(Value::as_str).find(|one| !shape.requires(one));
            if let (false, Some(missing)) = (never, missing) {
                let reason = format!("the property '{name}' may appear without '{missing}'");
                return Err(Gap { path: path.to_owned(), reason });
            }
        }
        Ok(())
    }
}

/// Tells whether a node of the shape says the same with these keywords; they must not depend on any other keyword.
fn stated(shape: &Shape, goal: &Node, keywords: &[&str]) -> bool {
    shape.nodes.iter().any(|node| {
        keywords.iter().all(|keyword| match (node.get(keyword), goal.get(keyword)) {
            (Some(given), Some(wanted)) => given.same_as(&wanted),
            (None, None) => true,
            _ => false,
        })
    })
}

fn number(shape: &Shape, goal: &Node, path: &str) -> Proof {
    let gap = |reason: String| Err(Gap { path: path.to_owned(), reason });
    for (keyword, lower, open) in [
        ("minimum", true, false),
        ("exclusiveMinimum", true, true),
        ("maximum", false, false),
        ("exclusiveMaximum", false, true),
    ] {
        let Some(bound) = goal.value.get(keyword) else { continue };
        if stated(shape, goal, &[keyword]) {
            continue;
        }
        let Some(at) = exact(bound) else { return gap(format!("'{keyword}' is not exact as a double")) };
        let end = if lower { shape.low() } else { shape.high() };
        let within = end.is_some_and(|end| {
            let (given, limit) = if lower { (end.at, at) } else { (at, end.at) };
            given > limit || (given == limit && (!open || end.open))
        });
        if !within {
            return gap(format!("the number may lie beyond '{keyword}' {bound}"));
        }
    }
    match goal.value.get("multipleOf") {
        Some(unit)
            if !stated(shape, goal, &["multipleOf"])
                && !exact(unit).is_some_and(|unit| stays_multiple(shape, unit)) =>
        {
            gap(format!("the number may be no multiple of {unit}"))
        }
        _ => Ok(()),
    }
}

/// Tells whether all numbers are multiples of a whole unit.
fn stays_multiple(shape: &Shape, unit: f64) -> bool {
    let units = shape.nodes.iter().filter_map(|node| exact(node.value.get("multipleOf")?));
    let whole = shape.atom == Atom::Integer;
    unit >= 1.0
        && unit.fract() == 0.0
        && units.chain(whole.then_some(1.0)).any(|given| given.fract() == 0.0 && given % unit == 0.0)
}

fn string(shape: &Shape, goal: &Node, path: &str) -> Proof {
    sizes(shape, goal, "minLength", "maxLength", None, path)?;
    match goal.value.get("pattern") {
        Some(pattern) if !stated(shape, goal, &["pattern"]) => {
            Err(Gap { path: path.to_owned(), reason: format!("the text may not match {pattern}") })
        }
        _ => Ok(()),
    }
}

/// Shows that a length or count keeps within the goal's bounds. `most`: what it cannot exceed anyway.
fn sizes(shape: &Shape, goal: &Node, least: &str, largest: &str, most: Option<u64>, path: &str) -> Proof {
    let gap = |reason: String| Err(Gap { path: path.to_owned(), reason });
    if let Some(bound) = goal.value.get(least) {
        let mut given = shape.at_least(least);
        if shape.atom == Atom::Object {
            let mut required = shape.required();
            required.sort_unstable();
            required.dedup();
            given = given.max(required.len() as u64);
        }
        if !count(bound).is_some_and(|bound| given >= bound) {
            return gap(format!("it may fall below '{least}' {bound}"));
        }
    }
    if let Some(bound) = goal.value.get(largest) {
        let given = [shape.at_most(largest), most].into_iter().flatten().min();
        if !matches!((count(bound), given), (Some(bound), Some(given)) if given <= bound) {
            return gap(format!("it may exceed '{largest}' {bound}"));
        }
    }
    Ok(())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
