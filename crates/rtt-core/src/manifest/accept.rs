//! The quick way to a manifest: a canonical document in which nothing is to be said.
//!
//! Whatever is accepted here, [`super::read()`] would read to the same manifest without a finding; a document that is not
//! accepted may still be valid, and is read again the long way. A test holds the two against each other.

use std::collections::BTreeMap;

use semver::Version;

use super::schema_text::SchemaText;
use super::{
    Control, Endpoint, Manifest, Method, MethodError, Protocol, ProtocolName, ProtocolRequest, Provides, Qos,
    Requirement, Resources,
};
use crate::json::{Tree, canonical};
use crate::lane::Lane;
use crate::symbol::Symbol;
use crate::version::Range;

/// The longest name of a capability or method, in characters.
const MAX_NAME: usize = 200;

/// Reads a manifest of the canonical form; `None` if anything about it needs a closer look.
pub(super) fn accept(tree: &Tree) -> Option<Manifest> {
    let mut members = Members::of(tree)?;
    let manifest = Manifest {
        symbol: members.take("symbol")?.as_str()?.parse().ok()?,
        version: version(members.take("version")?)?,
        description: members.read("description", text)?.unwrap_or_default(),
        language: members.read("language", language)?,
        provides: members.read("provides", provides)?.unwrap_or_default(),
        requires: members.read("requires", |tree| list(tree, requirement))?.unwrap_or_default(),
        qos: members.read("qos", qos)?.unwrap_or_default(),
        resources: members.read("resources", resources)?.unwrap_or_default(),
        endpoint: members.read("endpoint", endpoint)?.unwrap_or_default(),
        singleton: members.read("singleton", flag)?.unwrap_or_default(),
        metadata: members.read("metadata", |tree| tree.to_value().as_object().cloned())?.unwrap_or_default(),
    };
    members.read("$schema", text)?;
    members.all_taken().then_some(manifest)
}

/// The members of an object, each asked for once.
struct Members<'t, 'a> {
    tree: &'t Tree<'a>,
    count: usize,
    taken: usize,
}

impl<'t, 'a> Members<'t, 'a> {
    fn of(tree: &'t Tree<'a>) -> Option<Self> {
        Some(Self { tree, count: tree.as_object()?.len(), taken: 0 })
    }

    fn take(&mut self, key: &str) -> Option<&'t Tree<'a>> {
        let found = self.tree.get(key)?;
        self.taken += 1;
        Some(found)
    }

    /// Reads a member that may be absent; the outer `None` says that it is there and not plainly right.
    fn read<T>(&mut self, key: &str, read: impl FnOnce(&Tree<'a>) -> Option<T>) -> Option<Option<T>> {
        match self.take(key) {
            Some(found) => read(found).map(Some),
            None => Some(None),
        }
    }

    fn all_taken(&self) -> bool {
        self.taken == self.count
    }
}

fn text(tree: &Tree) -> Option<String> {
    tree.as_str().map(str::to_owned)
}

fn flag(tree: &Tree) -> Option<bool> {
    match tree {
        Tree::Bool(flag) => Some(*flag),
        _ => None,
    }
}

fn number(tree: &Tree, range: impl FnOnce(f64) -> bool) -> Option<f64> {
    match tree {
        Tree::Number(number) => number.as_f64().filter(|number| range(*number)),
        _ => None,
    }
}

fn list<'a, T>(tree: &Tree<'a>, read: impl Fn(&Tree<'a>) -> Option<T>) -> Option<Vec<T>> {
    tree.as_array()?.iter().map(read).collect()
}

fn version(tree: &Tree) -> Option<Version> {
    tree.as_str()?.parse().ok()
}

fn range(tree: &Tree) -> Option<Range> {
    tree.as_str()?.parse().ok()
}

/// `^[a-z][a-z0-9_+#-]*$`, at most 40 characters.
fn language(tree: &Tree) -> Option<String> {
    let name = tree.as_str()?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'+' | b'#' | b'-');
    let is_name =
        name.len() <= 40 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(allowed);
    is_name.then(|| name.to_owned())
}

fn protocol_name(tree: &Tree) -> Option<ProtocolName> {
    match tree.as_str()? {
        "jsonrpc" => Some(ProtocolName::Jsonrpc),
        "mcp" => Some(ProtocolName::Mcp),
        _ => None,
    }
}

fn provides(tree: &Tree) -> Option<Provides> {
    let mut members = Members::of(tree)?;
    let provides = Provides {
        protocol: members.read("protocol", protocol)?,
        lanes: members.read("lanes", lanes)?.unwrap_or_default(),
        capabilities: members.read("capabilities", capabilities)?.unwrap_or_default(),
        methods: members.read("methods", methods)?.unwrap_or_default(),
    };
    members.all_taken().then_some(provides)
}

fn protocol(tree: &Tree) -> Option<Protocol> {
    let mut members = Members::of(tree)?;
    let protocol = Protocol { name: protocol_name(members.take("name")?)?, version: members.read("version", version)? };
    members.all_taken().then_some(protocol)
}

fn lanes(tree: &Tree) -> Option<Vec<Lane>> {
    let lanes: Vec<Lane> = list(tree, |lane| lane.as_str()?.parse().ok())?;
    (!lanes.is_empty() && each_once(&lanes)).then_some(lanes)
}

fn capabilities(tree: &Tree) -> Option<Vec<String>> {
    let names = list(tree, |name| name.as_str().filter(|name| is_short(name)).map(str::to_owned))?;
    (names.len() <= 64 && each_once(&names)).then_some(names)
}

fn each_once<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))
}

fn is_short(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME
}

fn methods(tree: &Tree) -> Option<BTreeMap<String, Method>> {
    let is_name = |name: &str| is_short(name) && !name.bytes().any(|byte| byte < 0x20 || byte == 0x7f);
    let members = tree.as_object()?.iter();
    members.map(|(name, tree)| Some((name.to_string(), method(tree).filter(|_| is_name(name))?))).collect()
}

fn method(tree: &Tree) -> Option<Method> {
    let mut members = Members::of(tree)?;
    let method = Method {
        description: members.read("description", text)?.unwrap_or_default(),
        params: members.read("params", schema)?,
        result: members.read("result", schema)?,
        errors: members.read("errors", |tree| list(tree, method_error))?.unwrap_or_default(),
    };
    members.all_taken().then_some(method)
}

fn schema(tree: &Tree) -> Option<SchemaText> {
    matches!(tree, Tree::Object(_) | Tree::Bool(_)).then(|| SchemaText::of_tree(tree))
}

fn method_error(tree: &Tree) -> Option<MethodError> {
    let mut members = Members::of(tree)?;
    let code = match members.take("code")? {
        Tree::Number(number) => number.as_i64().filter(|code| code.unsigned_abs() <= canonical::MAX_SAFE_INTEGER)?,
        _ => return None,
    };
    let error = MethodError { code, message: members.read("message", text)?.unwrap_or_default() };
    members.all_taken().then_some(error)
}

fn requirement(tree: &Tree) -> Option<Requirement> {
    let mut members = Members::of(tree)?;
    let requirement = Requirement {
        symbol: members.take("symbol")?.as_str()?.parse::<Symbol>().ok()?,
        version: members.read("version", range)?.unwrap_or_default(),
        protocol: members.read("protocol", protocol_request)?,
        capabilities: members.read("capabilities", capabilities)?.unwrap_or_default(),
        methods: members.read("methods", methods)?.unwrap_or_default(),
        optional: members.read("optional", flag)?.unwrap_or_default(),
    };
    members.all_taken().then_some(requirement)
}

fn protocol_request(tree: &Tree) -> Option<ProtocolRequest> {
    let mut members = Members::of(tree)?;
    let name = protocol_name(members.take("name")?)?;
    let request = ProtocolRequest { name, version: members.read("version", range)?.unwrap_or_default() };
    members.all_taken().then_some(request)
}

fn qos(tree: &Tree) -> Option<Qos> {
    let mut members = Members::of(tree)?;
    let qos = Qos {
        latency_ms: members.read("latency_ms", |tree| number(tree, |ms| ms > 0.0 && ms <= 1e9))?,
        throughput_mbps: members.read("throughput_mbps", |tree| number(tree, |mbps| mbps > 0.0 && mbps <= 1e7))?,
    };
    members.all_taken().then_some(qos)
}

fn resources(tree: &Tree) -> Option<Resources> {
    let mut members = Members::of(tree)?;
    let resources = Resources {
        cpu: members.read("cpu", |tree| number(tree, |cpu| (0.0..=1e6).contains(&cpu)))?,
        memory_mb: members.read("memory_mb", |tree| number(tree, |mb| (0.0..=1e9).contains(&mb)))?,
    };
    members.all_taken().then_some(resources)
}

fn endpoint(tree: &Tree) -> Option<Endpoint> {
    let mut members = Members::of(tree)?;
    let endpoint = Endpoint {
        uds: members.read("uds", text)?,
        tcp: members.read("tcp", text)?,
        stdio: members.read("stdio", |tree| list(tree, text))?,
        control: members.read("control", |tree| (tree.as_str()? == "uds").then_some(Control::Uds))?,
    };
    members.all_taken().then_some(endpoint)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::manifest::read::read_thoroughly;

    /// Reads both ways; returns whether the quick one accepted.
    fn check(bytes: &[u8]) -> bool {
        let Some(manifest) = Tree::parse(bytes).as_ref().and_then(accept) else { return false };
        let thorough = read_thoroughly("agents/x.agent.json", bytes);
        let text = String::from_utf8_lossy(bytes);
        // The quick way is not taken where the checks of meaning find something; nothing else may be found.
        let findings = crate::manifest::check("agents/x.agent.json", &text, "", &manifest);
        if findings.is_empty() {
            assert_eq!(thorough.diagnostics, [], "{text}");
            assert_eq!(thorough.manifests[0].manifest, manifest, "{text}");
            let line = |manifest: &Manifest| serde_json::to_string(manifest).expect("a manifest");
            assert_eq!(line(&thorough.manifests[0].manifest), line(&manifest), "{text}");
        }
        true
    }

    fn full() -> Value {
        json!({
            "$schema": "../x", "symbol": "a.b", "version": "1.2.3-rc.1+x", "description": "é\n", "language": "c++",
            "provides": {"protocol": {"name": "mcp", "version": "1.0.0"}, "lanes": ["tcp", "shm"], "capabilities": ["x.y", "z"],
                "methods": {"m": {"description": "d", "params": {"type": "object", "properties": {"b": {}, "a": true}},
                                  "result": {"$ref": "#/$defs/a", "$defs": {"a": {"maximum": 9223372036854775807_i64}}},
                                  "errors": [{"code": -1, "message": "x"}, {"code": 2}]},
                            "n": {}}},
            "requires": [{"symbol": "c.d", "version": ">=1.0 <2", "protocol": {"name": "jsonrpc", "version": "^2"},
                          "capabilities": ["k"], "methods": {"q": {"params": true}}, "optional": true}, {"symbol": "e.f"}],
            "qos": {"latency_ms": 5, "throughput_mbps": 0.5}, "resources": {"cpu": 0, "memory_mb": 12.5},
            "endpoint": {"uds": "a.sock", "tcp": "127.0.0.1:1", "stdio": ["x", "y"], "control": "uds"},
            "singleton": true, "metadata": {"a": [1, {"b": 18446744073709551615_u64}]}
        })
    }

    #[test]
    fn accepts_the_whole_form() {
        let document = full();
        assert!(check(document.to_string().as_bytes()));
        for member in ["provides", "requires", "qos", "resources", "endpoint", "singleton", "metadata", "description"] {
            let mut document = document.clone();
            document.as_object_mut().expect("an object").remove(member);
            assert!(check(document.to_string().as_bytes()), "without {member}");
        }
    }

    /// Every value replaced by others in turn, every key misspelt: whatever is still accepted must be right.
    #[test]
    fn accepts_nothing_that_the_thorough_reader_objects_to() {
        let document = full();
        let pointers = crate::json::pointers(&document);
        let others = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(1e12),
            json!(""),
            json!("a.b"),
            json!("A"),
            json!("1.0.0"),
            json!("^1"),
            json!("uds"),
            json!("x/../y"),
            json!("\u{1}"),
            json!([]),
            json!(["x", "x"]),
            json!([1]),
            json!({}),
            json!({"name": "jsonrpc"}),
            json!({"type": "nothing"}),
            json!({"pattern": "("}),
            json!({"\u{7f}": {}}),
        ];
        let mut accepted = 0;
        for pointer in &pointers {
            for other in &others {
                let mut changed = document.clone();
                *changed.pointer_mut(pointer).expect("collected") = other.clone();
                accepted += usize::from(check(changed.to_string().as_bytes()));
            }
            let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", ""));
            let mut changed = document.clone();
            if let Some(Value::Object(members)) = changed.pointer_mut(parent)
                && let Some(value) = members.remove(key)
            {
                members.insert(format!("{key}x"), value);
                accepted += usize::from(check(changed.to_string().as_bytes()));
            }
        }
        assert!(accepted > 100, "{accepted} of {}: the test is about what is accepted", pointers.len() * others.len());
    }

    #[test]
    fn agrees_with_the_thorough_reader_on_every_real_file() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut count = 0;
        for file in ["tests/workspaces/quickstart/agents", "../shared/data"] {
            for entry in ignore::Walk::new(folder.join(file)).flatten().filter(|entry| entry.path().is_file()) {
                count += usize::from(check(&std::fs::read(entry.path()).expect("readable")));
            }
        }
        assert!(count >= 5, "the quickstart's manifests are canonical: {count}");
    }
}
