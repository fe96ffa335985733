//! `.rtt/routes.json`, read: what people wrote as it is, and in short what stage 50 added, which may be a hundred thousand
//! entries.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::is_automatic;
use crate::json;
use crate::schema::Schema;
use crate::symbol::SymbolRange;
use crate::workspace::layout;
use crate::workspace::state::{self, StateError};

/// The document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// All but the entries that stage 50 added.
    pub written: Value,
    /// Where each entry of `written` stands in the file's list.
    pub positions: Vec<usize>,
    /// What is active of the entries that stage 50 added.
    pub added: Vec<Active>,
}

/// An active route: its ends, as text, and how it is served.
pub type Active = ((String, String), Served);

/// How a route is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Served {
    /// The instance.
    pub target: String,
    /// The lane.
    pub via: Cow<'static, str>,
    /// Host and node, `local/0`.
    pub node: String,
    /// Other targets, `target via lane`, best first.
    pub backups: Vec<String>,
}

impl Document {
    /// Reads the bytes of the file; where there is none, everything is routed automatically.
    ///
    /// # Errors
    /// [`StateError::Invalid`] with line and column of every violation.
    pub fn read(bytes: Option<&[u8]>) -> Result<Self, StateError> {
        let bytes = bytes.unwrap_or(super::DEFAULT.as_bytes());
        match Self::sifted(bytes) {
            Some(document) => Ok(document),
            None => Ok(Self::of(state::parse_value(layout::ROUTES, bytes, Schema::Routes)?.0)),
        }
    }

    /// Reads entry by entry, so that no more than a batch of those that stage 50 added is held as it is; `None` where
    /// something is wrong.
    fn sifted(bytes: &[u8]) -> Option<Self> {
        let mut sieve = Sieve { is_valid: true, ..Sieve::default() };
        let written = json::sifted(bytes, "routes", &mut |entry| sieve.keep(entry))?;
        sieve.check_batch();
        let Sieve { positions, added, is_valid, .. } = sieve;
        (is_valid && Schema::Routes.accepts(&written)).then_some(Self { written, positions, added })
    }

    fn of(mut whole: Value) -> Self {
        let mut sieve = Sieve::default();
        if let Some(entries) = whole.get_mut("routes").and_then(Value::as_array_mut) {
            *entries = std::mem::take(entries).into_iter().filter_map(|entry| sieve.keep(entry)).collect();
        }
        sieve.check_batch();
        Self { written: whole, positions: sieve.positions, added: sieve.added }
    }

    /// What people wrote, in the order of the file.
    pub fn entries(&self) -> &[Value] {
        self.written.get("routes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The active routes.
    pub fn active(&self) -> impl Iterator<Item = Active> {
        self.entries().iter().filter_map(active).chain(self.added.iter().cloned())
    }
}

/// How many entries are held as they are.
const BATCH: usize = 1024;

/// Keeps what people wrote, and of everything else only what is active.
#[derive(Default)]
struct Sieve {
    seen: usize,
    positions: Vec<usize>,
    batch: Vec<Value>,
    added: Vec<Active>,
    /// Everything so far is as the schema says.
    is_valid: bool,
}

impl Sieve {
    fn keep(&mut self, entry: Value) -> Option<Value> {
        self.seen += 1;
        if !is_automatic(&entry) {
            self.positions.push(self.seen - 1);
            return Some(entry);
        }
        self.batch.push(entry);
        if self.batch.len() == BATCH {
            self.check_batch();
        }
        None
    }

    fn check_batch(&mut self) {
        self.added.extend(self.batch.iter().filter_map(active));
        let batch = json!({"routes": std::mem::take(&mut self.batch)});
        self.is_valid &= Schema::Routes.accepts(&batch);
    }
}

/// Returns an entry's two ends; `None` if it has none that can be read.
pub fn ends(entry: &Value) -> Option<(SymbolRange, SymbolRange)> {
    let end = |name: &str| entry.get(name)?.as_str()?.parse().ok();
    Some((end("from")?, end("to")?))
}

/// What is active of an entry; `None` if nothing is.
fn active(entry: &Value) -> Option<Active> {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (from, to) = ends(entry)?;
    let status = entry.get("status")?;
    let served = Served {
        target: shown(&status["target"]),
        via: shown(&status["via"]).into(),
        node: format!("{}/{}", shown(&status["host"]), shown(&status["numa_node"])),
        backups: status["backups"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|backup| format!("{} via {}", shown(&backup["target"]), shown(&backup["via"])))
            .collect(),
    };
    Some(((from.to_string(), to.to_string()), served))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: usize, is_automatic: bool) -> Value {
        let status = json!({"plan": "p", "source": "a.b@1.0.0", "target": format!("c.d{index}@1.0.0"), "via": "uds",
            "host": "local", "numa_node": index, "backups": [{"target": "e.f@1.0.0", "via": "tcp"}]});
        let mut entry = json!({"from": format!("a.b{index}"), "to": "c.d", "status": status});
        if is_automatic {
            entry["auto"] = true.into();
        }
        entry
    }

    #[test]
    fn entry_by_entry_comes_to_the_same_as_all_at_once() {
        let entries: Vec<Value> = (0..3 * BATCH + 7).map(|index| entry(index, index % 1000 != 500)).collect();
        let whole =
            json!({"version": "1.0.0", "auto": true, "generation": 3, "note": {"routes": []}, "routes": entries});
        let text = whole.to_string();
        let document = Document::sifted(text.as_bytes()).expect("nothing is wrong with it");
        assert_eq!(document.positions, [500, 1500, 2500]);
        assert_eq!((document.entries().len(), document.added.len()), (3, 3 * BATCH + 4));
        assert_eq!(document.active().count(), 3 * BATCH + 7);
        assert_eq!(document.added[7].0, ("a.b7".to_owned(), "c.d".to_owned()));
        assert_eq!(document.added[7].1.node, "local/7");
        assert_eq!(document.added[7].1.backups, ["e.f@1.0.0 via tcp"]);
        assert_eq!(Document::of(whole), document);
        assert_eq!(Document::read(Some(text.as_bytes())).expect("valid"), document);
    }

    #[test]
    fn what_is_wrong_anywhere_is_left_to_the_thorough_reader() {
        let read = |text: &str| {
            assert_eq!(Document::sifted(text.as_bytes()), None, "{text}");
            Document::read(Some(text.as_bytes())).expect_err("invalid").to_string()
        };
        let in_batch = json!({"routes": [entry(1, true), {"from": "a.b", "to": 5, "auto": true}]}).to_string();
        read(&in_batch);
        read(r#"{"routes": [{"from": "a.b", "to": "c.d", "auto": true, "auto": true}]}"#);
        read(r#"{"routes": [], "routes": []}"#);
        read(r#"{"routes": 5}"#);
        read(r#"{"routes": [5]}"#);
        read(r#"{"generation": "x", "routes": []}"#);
        read("[]");
        read("");
        assert!(Document::read(None).expect("the default").entries().is_empty());
    }
}
