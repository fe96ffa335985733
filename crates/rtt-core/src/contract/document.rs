//! One JSON Schema document as containment sees it: local references, sub-validators, and what is out of reach.
//!
//! Everything that could loop or overflow a recursive reader (a reference to itself without descending into the value,
//! endless chains) is refused here, before a validator is built from it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::json::push_token;

/// The longest chain of references and combinators on one value.
const MAX_CHAIN: usize = 100;

/// Keywords beside `$ref` that mean the same whether or not a dialect looks at them.
const BESIDE_REF: [&str; 7] = ["$ref", "$schema", "$id", "$defs", "definitions", "title", "description"];

/// A schema document; lives as long as one question.
pub(super) struct Document<'d> {
    root: &'d Value,
    /// Of a dialect before 2020-12.
    legacy: bool,
    budget: &'d Cell<u32>,
    validators: RefCell<BTreeMap<String, Option<Rc<Validator>>>>,
}

/// One subschema of a document.
#[derive(Clone)]
pub(super) struct Node<'d> {
    document: &'d Document<'d>,
    pointer: String,
    /// The subschema.
    pub(super) value: &'d Value,
}

impl<'d> Document<'d> {
    /// Takes a schema, or says in one sentence why it is out of reach.
    pub(super) fn new(root: &'d Value, budget: &'d Cell<u32>) -> Result<Self, String> {
        if !root.is_object() && !root.is_boolean() {
            return Err("a JSON Schema is an object or a boolean".to_owned());
        }
        let legacy = match root.get("$schema").and_then(Value::as_str) {
            None => false,
            Some(name) if name.contains("2020-12") => false,
            Some(name) if ["2019-09", "draft-07", "draft-06"].iter().any(|known| name.contains(known)) => true,
            Some(name) => return Err(format!("the dialect '{name}' is not supported")),
        };
        let document = Self { root, legacy, budget, validators: RefCell::default() };
        document.scan()?;
        match document.validator("") {
            Some(_) => Ok(document),
            None => Err("it is not a valid JSON Schema".to_owned()),
        }
    }

    /// Returns the whole schema.
    pub(super) fn top(&'d self) -> Node<'d> {
        Node { document: self, pointer: String::new(), value: self.root }
    }

    /// Takes one step of the work that a question may cost; false once it is used up.
    pub(super) fn step(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    /// Returns the validator of the subschema at a pointer, built once.
    pub(super) fn validator(&self, pointer: &str) -> Option<Rc<Validator>> {
        if let Some(known) = self.validators.borrow().get(pointer) {
            return known.clone();
        }
        let built = self.build(pointer).map(Rc::new);
        self.validators.borrow_mut().insert(pointer.to_owned(), built.clone());
        built
    }

    /// A subschema may refer to any place of its document, so the document travels along as an embedded resource.
    fn build(&self, pointer: &str) -> Option<Validator> {
        let mut options = jsonschema::options();
        // Formats are annotations here, in every dialect: agents differ in which ones they check.
        options = options.should_validate_formats(false);
        if pointer.is_empty() {
            return options.build(self.root).ok();
        }
        let mut resource = self.root.clone();
        resource.as_object_mut()?.insert("$id".to_owned(), json!("urn:rtt:contract"));
        let fragment: String = pointer.bytes().map(escape_in_fragment).collect();
        let bundle = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("urn:rtt:contract#{fragment}"),
            "$defs": {"document": resource},
        });
        options.build(&bundle).ok()
    }

    fn scan(&self) -> Result<(), String> {
        let mut pending = vec![Node { document: self, pointer: String::new(), value: self.root }];
        let mut checked = BTreeSet::new();
        while let Some(node) = pending.pop() {
            match node.value {
                Value::Object(members) => {
                    let text = |key: &str| members.get(key).filter(|value| value.is_string()).is_some();
                    if text("$dynamicRef") || text("$recursiveRef") || (text("$id") && !node.pointer.is_empty()) {
                        return Err("dynamic references and embedded resources are not supported".to_owned());
                    }
                    let alone = members.keys().all(|key| BESIDE_REF.contains(&key.as_str()));
                    if self.legacy && (members.contains_key("prefixItems") || (text("$ref") && !alone)) {
                        return Err("keywords that mean different things in different dialects".to_owned());
                    }
                    if text("$ref") {
                        node.target()?;
                        node.check_chain(&mut Vec::new(), &mut checked)?;
                    }
                    pending.extend(members.keys().filter_map(|key| node.get(key)));
                }
                Value::Array(items) => pending.extend((0..items.len()).filter_map(|index| node.at(index))),
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'d> Node<'d> {
    /// Tells subschemas of all documents apart.
    pub(super) fn key(&self) -> (usize, String) {
        (std::ptr::from_ref(self.document) as usize, self.pointer.clone())
    }

    /// See [`Document::step`].
    pub(super) fn step(&self) -> bool {
        self.document.step()
    }

    /// Tells whether `self` and `other` say the same: the same place of equal documents, or equal text without references.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        if self.value != other.value {
            return false;
        }
        if self.document.legacy != other.document.legacy {
            // Some keywords exist in one dialect only; numbers and texts mean the same in all.
            return self.value.is_number() || self.value.is_string();
        }
        let same_place = self.pointer == other.pointer && self.document.root == other.document.root;
        same_place || !self.value.to_string().contains("\"$ref\"")
    }

    /// Returns the member of that name, whatever it is.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        Some(Node { document: self.document, pointer: push_token(&self.pointer, key), value })
    }

    /// Returns the array element of that index.
    pub(super) fn at(&self, index: usize) -> Option<Self> {
        let value = self.value.get(index)?;
        Some(Node { document: self.document, pointer: format!("{}/{index}", self.pointer), value })
    }

    /// Returns the member of that name if it is a schema.
    pub(super) fn schema(&self, key: &str) -> Option<Self> {
        self.get(key).filter(|node| node.value.is_object() || node.value.is_boolean())
    }

    /// Returns the elements of the member of that name; empty if there is none.
    pub(super) fn list(&self, key: &str) -> Vec<Self> {
        let Some(list) = self.get(key) else { return Vec::new() };
        let length = list.value.as_array().map_or(0, Vec::len);
        (0..length).filter_map(|index| list.at(index)).collect()
    }

    /// Returns what `$ref` names; `None` without one.
    pub(super) fn target(&self) -> Result<Option<Self>, String> {
        let Some(reference) = self.value.get("$ref").and_then(Value::as_str) else { return Ok(None) };
        let unresolved = || format!("the reference '{reference}' does not lead to a place in the same schema");
        let pointer = unescape(reference.strip_prefix('#').ok_or_else(unresolved)?).ok_or_else(unresolved)?;
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(unresolved());
        }
        let value = self.document.root.pointer(&pointer).ok_or_else(unresolved)?;
        Ok(Some(Node { document: self.document, pointer, value }))
    }

    /// Tells whether the value is valid; `None` if no validator can be built.
    pub(super) fn accepts(&self, value: &Value) -> Option<bool> {
        match self.value {
            Value::Bool(all) => Some(*all),
            _ => Some(self.document.validator(&self.pointer)?.is_valid(value)),
        }
    }

    /// Follows what applies to the same value: a circle there has no meaning, and validators do not end on it.
    fn check_chain(&self, chain: &mut Vec<String>, checked: &mut BTreeSet<String>) -> Result<(), String> {
        if chain.contains(&self.pointer) {
            return Err(format!("'#{}' refers to itself without end", self.pointer));
        }
        if chain.len() > MAX_CHAIN {
            return Err("its references form too long a chain".to_owned());
        }
        if checked.contains(&self.pointer) {
            return Ok(());
        }
        chain.push(self.pointer.clone());
        let mut next: Vec<Self> = self.target()?.into_iter().collect();
        next.extend(["allOf", "anyOf", "oneOf"].iter().flat_map(|key| self.list(key)));
        next.extend(["not", "if", "then", "else"].iter().filter_map(|key| self.schema(key)));
        for key in ["dependentSchemas", "dependencies"] {
            if let Some(group) = self.get(key)
                && let Some(members) = group.value.as_object()
            {
                next.extend(members.keys().filter_map(|name| group.schema(name)));
            }
        }
        for node in next {
            node.check_chain(chain, checked)?;
        }
        chain.pop();
        checked.insert(self.pointer.clone());
        Ok(())
    }
}

fn escape_in_fragment(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b'$' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
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
