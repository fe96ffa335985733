//! Reading a JSON Schema document into nodes and rules.
//!
//! References are followed as far as they stay in the document. A reference that comes back to a place without
//! descending into the value says nothing there, which is how the validator takes it; such a circle through a negation
//! has no meaning and is refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::evaluated;
use super::pattern::Pattern;
use super::schema::{Dialect, Entry, Id, Kind, Kinds, Properties, Rule, Schema, pointer_of};

/// The most nodes that one document is read into.
const MAX_NODES: usize = 20_000;

/// The longest chain of references and combinators on one value.
const MAX_CHAIN: usize = 64;

static ANYTHING: Value = Value::Bool(true);

/// Reads a schema, or says in one sentence why it cannot be read.
pub(super) fn read(root: &Value) -> Result<Schema<'_>, String> {
    let mut schema = Reader::new(root, false)?.run()?;
    if longest_chain(&schema).is_none() {
        // Something refers to itself on the same value: read it once more and cut each circle where it closes.
        schema = Reader::new(root, true)?.run()?;
    }
    match longest_chain(&schema) {
        Some(length) if length <= MAX_CHAIN => Ok(Schema { chain: length, ..schema }),
        _ => Err("its references form too long a chain".to_owned()),
    }
}

/// A node that is still to be read.
struct Task<'v> {
    id: Id,
    value: &'v Value,
    /// The references that led here on the same value, and whether a negation lies behind each.
    chain: Vec<(usize, bool)>,
}

struct Reader<'v> {
    root: &'v Value,
    dialect: Dialect,
    /// Circles are cut, so a place is read once for each way that leads to it.
    cuts: bool,
    entries: Vec<Entry<'v>>,
    patterns: Vec<Pattern>,
    known_patterns: BTreeMap<&'v str, usize>,
    known: BTreeMap<(usize, Vec<(usize, bool)>), Id>,
    pending: VecDeque<Task<'v>>,
}

/// How a subschema applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// To a part of the value.
    Into,
    /// To the same value.
    Same,
    /// To the same value, not in the same sense.
    Turned,
}

type Read<T> = Result<T, String>;

impl<'v> Reader<'v> {
    fn new(root: &'v Value, cuts: bool) -> Read<Self> {
        let dialect = Dialect::of(root).map_err(|name| format!("the dialect '{name}' is not supported"))?;
        let mut reader = Self {
            root,
            dialect,
            cuts,
            entries: Vec::new(),
            patterns: Vec::new(),
            known_patterns: BTreeMap::new(),
            known: BTreeMap::new(),
            pending: VecDeque::new(),
        };
        reader.refer(root, &[], Step::Into)?;
        Ok(reader)
    }

    fn run(mut self) -> Read<Schema<'v>> {
        while let Some(task) = self.pending.pop_front() {
            self.node(&task)?;
        }
        let mut schema = Schema {
            source: self.root,
            dialect: self.dialect,
            entries: self.entries,
            patterns: self.patterns,
            chain: 0,
        };
        narrow(&mut schema);
        Ok(schema)
    }

    /// Returns the node of a place that may be read already.
    fn refer(&mut self, value: &'v Value, chain: &[(usize, bool)], step: Step) -> Read<Id> {
        let address = std::ptr::from_ref(value) as usize;
        let mut chain = self.extend(chain, step);
        if let Some((_, turned)) = chain.iter().find(|(place, _)| *place == address) {
            return match turned {
                true => Err(self.wrong(value, "$ref", "refers to its own negation")),
                false => Ok(self.anything()?),
            };
        }
        let key = (address, chain.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        if self.cuts {
            chain.push((address, false));
        }
        let id = self.schedule(value, chain)?;
        self.known.insert(key, id);
        Ok(id)
    }

    fn extend(&self, chain: &[(usize, bool)], step: Step) -> Vec<(usize, bool)> {
        match step {
            Step::Into => Vec::new(),
            Step::Same => chain.to_vec(),
            Step::Turned => chain.iter().map(|(place, _)| (*place, true)).collect(),
        }
    }

    fn schedule(&mut self, value: &'v Value, chain: Vec<(usize, bool)>) -> Read<Id> {
        if self.entries.len() >= MAX_NODES || chain.len() > MAX_CHAIN {
            return Err("it is too large to compare".to_owned());
        }
        let id = self.entries.len() as Id;
        self.entries.push(Entry {
            value,
            kinds: Kinds::ALL,
            rules: Vec::new(),
            is_whole: true,
            digest: OnceLock::new(),
        });
        self.pending.push_back(Task { id, value, chain });
        Ok(id)
    }

    /// Returns a node that accepts everything.
    fn anything(&mut self) -> Read<Id> {
        self.schedule(&ANYTHING, Vec::new())
    }

    fn child(&mut self, task: &Task<'v>, value: &'v Value, step: Step) -> Read<Id> {
        let chain = self.extend(&task.chain, step);
        self.schedule(value, chain)
    }

    fn children(&mut self, task: &Task<'v>, keyword: &str, value: &'v Value, step: Step) -> Read<Vec<Id>> {
        let list = self.list(keyword, value)?;
        if list.is_empty() {
            return Err(self.wrong(value, keyword, "needs at least one schema"));
        }
        list.iter().map(|part| self.child(task, part, step)).collect()
    }

    fn node(&mut self, task: &Task<'v>) -> Read<()> {
        let members = match task.value {
            Value::Bool(all) => {
                self.entries[task.id as usize].kinds = if *all { Kinds::ALL } else { Kinds::NONE };
                return Ok(());
            }
            Value::Object(members) => members,
            _ => return Err(self.wrong(task.value, "schema", "is an object or a boolean")),
        };
        let is_root = std::ptr::eq(task.value, self.root);
        let refers = members.get("$ref").is_some_and(Value::is_string);
        let alone = refers && self.dialect <= Dialect::Draft7;
        if !is_root && !alone && members.get("$id").is_some_and(Value::is_string) {
            return Err(self.wrong(task.value, "$id", "embedded resources are not supported"));
        }
        let mut rules = Vec::new();
        if let Some(reference) = members.get("$ref") {
            let target = self.target(reference)?;
            rules.push(Rule::All(vec![self.refer(target, &task.chain, Step::Same)?]));
            self.entries[task.id as usize].is_whole = false;
        }
        if !alone {
            for (keyword, value) in members {
                self.keyword(task, members, keyword, value, &mut rules)?;
            }
            self.grouped(task, members, &mut rules)?;
        }
        self.entries[task.id as usize].rules = rules;
        Ok(())
    }

    /// Reads a keyword that stands for itself.
    fn keyword(
        &mut self,
        task: &Task<'v>,
        members: &'v Map<String, Value>,
        keyword: &'v str,
        value: &'v Value,
        rules: &mut Vec<Rule<'v>>,
    ) -> Read<()> {
        let is_since = |dialect: Dialect| self.dialect >= dialect;
        let rule = match keyword {
            "$dynamicRef" | "$recursiveRef" => {
                return Err(self.wrong(value, keyword, "dynamic references are not supported"));
            }
            "type" => {
                self.entries[task.id as usize].kinds = self.kinds(value)?;
                return Ok(());
            }
            "const" => Rule::Values(std::slice::from_ref(value)),
            "enum" => Rule::Values(self.list(keyword, value)?),
            "allOf" => Rule::All(self.children(task, keyword, value, Step::Same)?),
            "anyOf" => Rule::Any(self.children(task, keyword, value, Step::Same)?),
            "oneOf" => Rule::One(self.children(task, keyword, value, Step::Turned)?),
            "not" => Rule::Not(self.child(task, value, Step::Turned)?),
            "if" if is_since(Dialect::Draft7) => {
                let mut branch =
                    |name: &str| members.get(name).map(|part| self.child(task, part, Step::Turned)).transpose();
                let (then, otherwise) = (branch("then")?, branch("else")?);
                if then.is_none() && otherwise.is_none() {
                    return Ok(());
                }
                Rule::If { test: self.child(task, value, Step::Turned)?, then, otherwise }
            }
            "minimum" => Rule::Least { at: self.number(keyword, value)?, open: false },
            "exclusiveMinimum" => Rule::Least { at: self.number(keyword, value)?, open: true },
            "maximum" => Rule::Most { at: self.number(keyword, value)?, open: false },
            "exclusiveMaximum" => Rule::Most { at: self.number(keyword, value)?, open: true },
            "multipleOf" => match self.number(keyword, value)? {
                unit if unit.is_positive() => Rule::Multiple(unit),
                _ => return Err(self.wrong(value, keyword, "must be greater than 0")),
            },
            "minLength" => Rule::AtLeast(Kind::String, self.count(keyword, value)?),
            "maxLength" => Rule::AtMost(Kind::String, self.count(keyword, value)?),
            "minItems" => Rule::AtLeast(Kind::Array, self.count(keyword, value)?),
            "maxItems" => Rule::AtMost(Kind::Array, self.count(keyword, value)?),
            "minProperties" => Rule::AtLeast(Kind::Object, self.count(keyword, value)?),
            "maxProperties" => Rule::AtMost(Kind::Object, self.count(keyword, value)?),
            "pattern" => match value.as_str() {
                Some(text) => Rule::Pattern(self.pattern(text, value)?),
                None => return Err(self.wrong(value, keyword, "must be a text")),
            },
            "uniqueItems" => match value {
                Value::Bool(true) => Rule::Unique,
                Value::Bool(false) => return Ok(()),
                _ => return Err(self.wrong(value, keyword, "must be true or false")),
            },
            "required" => match self.names(keyword, value)? {
                names if names.is_empty() => return Ok(()),
                names => Rule::Required(names),
            },
            "propertyNames" => Rule::Names(self.child(task, value, Step::Into)?),
            "dependentRequired" if is_since(Dialect::Draft2019) => {
                for (name, others) in self.object(keyword, value)? {
                    rules.push(Rule::DependentRequired(name, self.names(keyword, others)?));
                }
                return Ok(());
            }
            "dependentSchemas" if is_since(Dialect::Draft2019) => {
                for (name, part) in self.object(keyword, value)? {
                    rules.push(Rule::DependentSchema(name, self.child(task, part, Step::Turned)?));
                }
                return Ok(());
            }
            // Left out of the newest dialects, but the validator still knows it.
            "dependencies" => {
                for (name, part) in self.object(keyword, value)? {
                    rules.push(match part {
                        Value::Array(_) => Rule::DependentRequired(name, self.names(keyword, part)?),
                        _ => Rule::DependentSchema(name, self.child(task, part, Step::Turned)?),
                    });
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        rules.push(rule);
        Ok(())
    }

    /// Reads the keywords that mean something together only.
    fn grouped(&mut self, task: &Task<'v>, members: &'v Map<String, Value>, rules: &mut Vec<Rule<'v>>) -> Read<()> {
        if let Some(part) = members.get("contains") {
            let limits = self.dialect >= Dialect::Draft2019;
            let limit = |name: &str| members.get(name).filter(|_| limits).map(|value| self.count(name, value));
            let (least, most) = (limit("minContains").transpose()?.unwrap_or(1), limit("maxContains").transpose()?);
            if least > 0 || most.is_some() {
                rules.push(Rule::Contains { schema: self.child(task, part, Step::Into)?, least, most });
            }
        }
        self.items(task, members, rules)?;
        let group = |name: &str| members.get(name).map(|value| self.object(name, value)).transpose();
        let (named, patterns) = (group("properties")?, group("patternProperties")?);
        let rest = members.get("additionalProperties");
        if named.is_some() || patterns.is_some() || rest.is_some() {
            let mut properties = Properties { named: Vec::new(), patterns: Vec::new(), rest: None };
            for (name, part) in named.into_iter().flatten() {
                properties.named.push((name, self.child(task, part, Step::Into)?));
            }
            properties.named.sort_unstable_by_key(|(name, _)| *name);
            for (text, part) in patterns.into_iter().flatten() {
                properties.patterns.push((self.pattern(text, part)?, self.child(task, part, Step::Into)?));
            }
            properties.rest = rest.map(|part| self.child(task, part, Step::Into)).transpose()?;
            rules.push(Rule::Properties(properties));
        }
        if self.dialect >= Dialect::Draft2019 {
            self.unevaluated(task, members, rules)?;
        }
        Ok(())
    }

    fn items(&mut self, task: &Task<'v>, members: &'v Map<String, Value>, rules: &mut Vec<Rule<'v>>) -> Read<()> {
        let (list, rest) = match (members.get("items"), self.dialect) {
            (items, Dialect::Draft2020) => (members.get("prefixItems"), items),
            (Some(list @ Value::Array(_)), _) => (Some(list), members.get("additionalItems")),
            (items, _) => (None, items),
        };
        let mut prefix = Vec::new();
        for part in list.map(|list| self.list("prefixItems", list)).transpose()?.into_iter().flatten() {
            prefix.push(self.child(task, part, Step::Into)?);
        }
        let rest = rest.map(|part| self.child(task, part, Step::Into)).transpose()?;
        if rest.is_some() || !prefix.is_empty() {
            rules.push(Rule::Items { prefix, rest });
        }
        Ok(())
    }

    /// What no other keyword has looked at is known where only keywords apply that always do.
    fn unevaluated(&mut self, task: &Task<'v>, members: &'v Map<String, Value>, rules: &mut Vec<Rule<'v>>) -> Read<()> {
        let target = |reference: &'v Value| self.target(reference).ok();
        let properties = members.get("unevaluatedProperties").filter(|part| **part != Value::Bool(true));
        let known = properties.and_then(|_| evaluated::properties(members, &target, MAX_CHAIN));
        let items = members.get("unevaluatedItems").filter(|part| **part != Value::Bool(true));
        let prefix = items.filter(|_| self.dialect == Dialect::Draft2020);
        let prefix = prefix.and_then(|_| evaluated::items(members, &target, MAX_CHAIN));
        if let Some(part) = properties {
            // Also where the others look at everything: it is still a schema.
            let rest = self.child(task, part, Step::Into)?;
            match known {
                Some(known) if known.all => {}
                Some(known) => {
                    let anything = self.anything()?;
                    let mut patterns = Vec::new();
                    for text in known.patterns {
                        patterns.push((self.pattern(text, part)?, anything));
                    }
                    let named = known.names.into_iter().map(|name| (name, anything)).collect();
                    rules.push(Rule::Properties(Properties { named, patterns, rest: Some(rest) }));
                }
                None => rules.push(Rule::Opaque("unevaluatedProperties", Kind::Object)),
            }
        }
        if let Some(part) = items {
            let rest = self.child(task, part, Step::Into)?;
            match prefix {
                Some(known) if known.all => {}
                Some(known) => {
                    let anything = self.anything()?;
                    rules.push(Rule::Items { prefix: vec![anything; known.prefix], rest: Some(rest) });
                }
                None => rules.push(Rule::Opaque("unevaluatedItems", Kind::Array)),
            }
        }
        Ok(())
    }

    /// Returns the place that a reference leads to.
    fn target(&self, reference: &Value) -> Read<&'v Value> {
        let text = reference.as_str().ok_or_else(|| self.wrong(reference, "$ref", "must be a text"))?;
        let unresolved = || format!("the reference '{text}' does not lead to a place in the same schema");
        let own = self.root.get("$id").and_then(Value::as_str).map_or("", |id| id.trim_end_matches('#'));
        let local = text.strip_prefix(own).unwrap_or(text);
        if local.is_empty() {
            return Ok(self.root);
        }
        let pointer = local.strip_prefix('#').and_then(unescape).ok_or_else(unresolved)?;
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return anchored(self.root, &pointer).ok_or_else(unresolved);
        }
        let mut place = self.root;
        for token in pointer.split('/').skip(1) {
            if !std::ptr::eq(place, self.root) && place.get("$id").is_some_and(Value::is_string) {
                return Err(self.wrong(place, "$id", "embedded resources are not supported"));
            }
            let token = token.replace("~1", "/").replace("~0", "~");
            place = match place {
                Value::Object(members) => members.get(&token),
                Value::Array(items) => token.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            }
            .ok_or_else(unresolved)?;
        }
        Ok(place)
    }

    fn kinds(&self, value: &Value) -> Read<Kinds> {
        let word = |word: &Value| word.as_str().and_then(Kinds::of_word);
        let kinds = match value {
            Value::Array(words) if !words.is_empty() => {
                words.iter().try_fold(Kinds::NONE, |kinds, one| Some(kinds.or(word(one)?)))
            }
            one => word(one),
        };
        kinds.ok_or_else(|| self.wrong(value, "type", &format!("has no types such as {value}")))
    }

    fn number(&self, keyword: &str, value: &Value) -> Read<Decimal> {
        match value {
            Value::Number(number) => Ok(Decimal::of(number)),
            _ => Err(self.wrong(value, keyword, "must be a number")),
        }
    }

    fn count(&self, keyword: &str, value: &Value) -> Read<u64> {
        let whole = match value {
            Value::Number(number) => number.as_u64().or_else(|| {
                // Beyond the largest count there is no difference.
                number.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as u64)
            }),
            _ => None,
        };
        whole.ok_or_else(|| self.wrong(value, keyword, "must be a whole number, 0 or more"))
    }

    fn pattern(&mut self, text: &'v str, place: &Value) -> Read<usize> {
        if let Some(known) = self.known_patterns.get(text) {
            return Ok(*known);
        }
        let pattern = Pattern::new(text)
            .ok_or_else(|| self.wrong(place, "pattern", &format!("'{text}' is no regular expression")))?;
        self.patterns.push(pattern);
        self.known_patterns.insert(text, self.patterns.len() - 1);
        Ok(self.patterns.len() - 1)
    }

    fn list(&self, keyword: &str, value: &'v Value) -> Read<&'v [Value]> {
        value.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(value, keyword, "must be a list"))
    }

    fn object(&self, keyword: &str, value: &'v Value) -> Read<&'v Map<String, Value>> {
        value.as_object().ok_or_else(|| self.wrong(value, keyword, "must be an object"))
    }

    fn names(&self, keyword: &str, value: &'v Value) -> Read<Vec<&'v str>> {
        let list = self.list(keyword, value)?;
        let names: Option<BTreeSet<&str>> = list.iter().map(Value::as_str).collect();
        match names {
            Some(names) if names.len() == list.len() => Ok(names.into_iter().collect()),
            _ => Err(self.wrong(value, keyword, "must be a list of names, each once")),
        }
    }

    fn wrong(&self, place: &Value, keyword: &str, what: &str) -> String {
        let pointer = pointer_of(self.root, place).unwrap_or_default();
        format!("'{keyword}' at '{pointer}' {what}")
    }
}

/// Leaves each node only the kinds that its parts leave it; what is read later is mostly a part of what was read before.
fn narrow(schema: &mut Schema) {
    for index in (0..schema.entries.len()).rev() {
        let entry = &schema.entries[index];
        let of = |id: &Id| schema.entries[*id as usize].kinds;
        let mut kinds = entry.kinds;
        for rule in &entry.rules {
            kinds = kinds.and(match rule {
                Rule::All(parts) => parts.iter().map(of).fold(Kinds::ALL, Kinds::and),
                Rule::Any(parts) | Rule::One(parts) => parts.iter().map(of).fold(Kinds::NONE, Kinds::or),
                Rule::Values(values) => {
                    values.iter().map(|value| Kinds::one(Kind::of(value))).fold(Kinds::NONE, Kinds::or)
                }
                _ => Kinds::ALL,
            });
        }
        schema.entries[index].kinds = kinds;
        let is_whole = |id: &Id| schema.entries[*id as usize].is_whole;
        let whole = schema.entries[index].is_whole && parts(&schema.entries[index].rules).iter().all(is_whole);
        schema.entries[index].is_whole = whole;
    }
}

/// Returns all nodes that some rules lead to.
fn parts(rules: &[Rule]) -> Vec<Id> {
    let mut all = same_value_parts(rules);
    for rule in rules {
        match rule {
            Rule::Items { prefix, rest } => all.extend(prefix.iter().chain(rest)),
            Rule::Contains { schema, .. } | Rule::Names(schema) => all.push(*schema),
            Rule::Properties(properties) => {
                all.extend(properties.named.iter().map(|(_, id)| *id));
                all.extend(properties.patterns.iter().map(|(_, id)| *id));
                all.extend(properties.rest);
            }
            _ => {}
        }
    }
    all
}

/// Returns the nodes that some rules apply to the same value.
fn same_value_parts(rules: &[Rule]) -> Vec<Id> {
    let mut all = Vec::new();
    for rule in rules {
        match rule {
            Rule::All(parts) | Rule::Any(parts) | Rule::One(parts) => all.extend(parts),
            Rule::Not(part) | Rule::DependentSchema(_, part) => all.push(*part),
            Rule::If { test, then, otherwise } => all.extend([*test].iter().chain(then).chain(otherwise)),
            _ => {}
        }
    }
    all
}

/// Returns the length of the longest chain of nodes that apply to one value; `None` if one is endless.
fn longest_chain(schema: &Schema) -> Option<usize> {
    /// What the search knows of a node.
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done(usize),
    }
    let mut marks = vec![Mark::New; schema.entries.len()];
    let mut longest = 0;
    for start in 0..schema.entries.len() {
        let mut path = vec![start];
        while let Some(node) = path.last().copied() {
            let next: Vec<usize> =
                same_value_parts(&schema.entries[node].rules).into_iter().map(|id| id as usize).collect();
            match marks[node] {
                Mark::Done(_) => {
                    path.pop();
                }
                Mark::New => {
                    marks[node] = Mark::Open;
                    if next.iter().any(|part| marks[*part] == Mark::Open) {
                        return None;
                    }
                    path.extend(next.into_iter().filter(|part| marks[*part] == Mark::New));
                }
                Mark::Open => {
                    let length = |part: &usize| match marks[*part] {
                        Mark::Done(length) => length,
                        _ => 0,
                    };
                    let length = 1 + next.iter().map(length).max().unwrap_or(0);
                    longest = longest.max(length);
                    marks[node] = Mark::Done(length);
                    path.pop();
                }
            }
        }
    }
    Some(longest)
}

/// Returns the schema that carries an anchor.
fn anchored<'v>(root: &'v Value, name: &str) -> Option<&'v Value> {
    let mut pending = vec![root];
    while let Some(value) = pending.pop() {
        match value {
            Value::Object(members) => {
                if members.get("$anchor").and_then(Value::as_str) == Some(name) {
                    return Some(value);
                }
                pending.extend(members.values());
            }
            Value::Array(items) => pending.extend(items),
            _ => {}
        }
    }
    None
}

fn unescape(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
