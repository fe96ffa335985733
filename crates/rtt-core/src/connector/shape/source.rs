//! One schema document, and the places that its references lead to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::node::{Node, Schemas};
use crate::json::push_token;

/// A schema document in which references have been found a target. Remote documents are never fetched: what leads
/// there is any value.
pub struct Source<'v> {
    root: &'v Value,
    /// Pointers of the schemas that carry an identifier, by the identifier without a fragment.
    identified: BTreeMap<String, String>,
    /// Pointers of the schemas that carry an anchor, by the pointer of their resource and the anchor.
    anchored: BTreeMap<(String, String), String>,
    /// What has been read already.
    pub(super) nodes: RefCell<BTreeMap<Schemas, Rc<Node>>>,
}

impl<'v> Source<'v> {
    /// Looks for identifiers and anchors (JSON Schema 2020-12, core, section 8.2; `$id` with a fragment as in draft 7).
    pub fn new(root: &'v Value) -> Self {
        let mut source =
            Self { root, identified: BTreeMap::new(), anchored: BTreeMap::new(), nodes: RefCell::default() };
        source.walk(root, "", "", "");
        source
    }

    /// Returns the schema at a pointer.
    pub fn get(&self, pointer: &str) -> Option<&'v Value> {
        self.root.pointer(pointer)
    }

    /// Returns the pointer that a reference in the schema at `pointer` leads to, if it stays in the document.
    pub fn follow(&self, pointer: &str, reference: &str) -> Option<String> {
        let (base, resource) = self.resource_of(pointer);
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = match uri {
            "" => resource,
            uri => self.identified.get(&joined(base, uri)).or_else(|| self.identified.get(uri))?,
        };
        let fragment = decoded(fragment)?;
        let target = if fragment.is_empty() || fragment.starts_with('/') {
            format!("{resource}{fragment}")
        } else {
            self.anchored.get(&(resource.to_owned(), fragment))?.clone()
        };
        self.get(&target).is_some().then_some(target)
    }

    /// The identifier and the pointer of the innermost identified schema around a pointer.
    fn resource_of(&self, pointer: &str) -> (&str, &str) {
        let around = |at: &&String| {
            pointer.strip_prefix(at.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let innermost = self.identified.iter().filter(|(_, at)| around(at)).max_by_key(|(_, at)| at.len());
        innermost.map_or(("", ""), |(id, at)| (id, at))
    }

    fn walk(&mut self, value: &'v Value, at: &str, base: &str, resource: &str) {
        match value {
            Value::Object(members) => {
                let id = members.get("$id").and_then(Value::as_str).unwrap_or_default();
                let (uri, fragment) = id.split_once('#').unwrap_or((id, ""));
                let base = joined(base, uri);
                let resource = if uri.is_empty() { resource } else { at };
                if !uri.is_empty() {
                    self.identified.entry(base.clone()).or_insert_with(|| at.to_owned());
                }
                let anchors = ["$anchor", "$dynamicAnchor"].map(|key| members.get(key).and_then(Value::as_str));
                for anchor in anchors.into_iter().flatten().chain(Some(fragment).filter(|name| !name.is_empty())) {
                    self.anchored.entry((resource.to_owned(), anchor.to_owned())).or_insert_with(|| at.to_owned());
                }
                for (key, member) in members {
                    self.walk(member, &push_token(at, key), &base, resource);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, &push_token(at, &index.to_string()), base, resource);
                }
            }
            _ => {}
        }
    }
}

/// A relative identifier beside its base; enough of RFC 3986 for identifiers that are only names.
fn joined(base: &str, uri: &str) -> String {
    if uri.is_empty() {
        base.to_owned()
    } else if uri.contains(':') {
        uri.to_owned()
    } else {
        let folder = base.rfind('/').map_or("", |end| &base[..=end]);
        format!("{folder}{uri}")
    }
}

/// Undoes percent-encoding; `None` if the result is no text.
fn decoded(fragment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let number = (*first == b'%').then(|| tail.get(..2)).flatten();
        let number = number.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match number {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_find_pointers_anchors_and_identifiers() {
        let root = json!({
            "$id": "http://example.net/root.json",
            "$defs": {
                "a/b": {"$anchor": "named"}, "c": {"$id": "#old"},
                "inner": {"$id": "inner.json", "$defs": {"d": {}}, "properties": {"x": {"$ref": "#/$defs/d"}}}
            }
        });
        let source = Source::new(&root);
        for (from, reference, expected) in [
            ("", "#", Some("")),
            ("", "#/$defs/a~1b", Some("/$defs/a~1b")),
            ("", "#/%24defs/c", Some("/$defs/c")),
            ("", "#named", Some("/$defs/a~1b")),
            ("", "#old", Some("/$defs/c")),
            ("", "http://example.net/root.json#/$defs/c", Some("/$defs/c")),
            ("", "inner.json#/$defs/d", Some("/$defs/inner/$defs/d")),
            ("/$defs/inner/properties/x", "#/$defs/d", Some("/$defs/inner/$defs/d")),
            ("/$defs/inner", "root.json", Some("")),
            ("", "#/nowhere", None),
            ("", "other.json", None),
            ("", "#%ff", None),
        ] {
            assert_eq!(source.follow(from, reference).as_deref(), expected, "{reference} from {from:?}");
        }
    }
}
