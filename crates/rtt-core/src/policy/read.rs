//! Reading `.rtt/policy.json`: strict JSON, schema, then one canonical form for today's and the older spellings.

use std::str::FromStr;

use serde_json::Value;

use super::pattern::version_or_range;
use super::{Acl, AclRule, Effect, FailoverRule, Pattern, Pin, Policy, QosRule, Spread};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::digest::Digest;
use crate::json::push_token;
use crate::lane::Lane;
use crate::manifest::Qos;
use crate::schema::Schema;
use crate::symbol::{InvalidName, Symbol, SymbolRange, from_address};
use crate::version::Range;
use crate::workspace::state::{self, StateError};
use crate::workspace::{Workspace, layout};

/// The rule of findings about what a policy says.
pub const POLICY_RULE: &str = "RTT-P001";

/// Reads the policy; without a file everything is allowed. The findings are warnings and information.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn read(workspace: &Workspace) -> Result<(Policy, Vec<Diagnostic>), StateError> {
    match workspace.read_optional(layout::POLICY)? {
        Some(bytes) => parse(&bytes),
        None => {
            let finding = Diagnostic::info(POLICY_RULE, format!("no {}: every call is allowed", layout::POLICY));
            Ok((Policy::none(), vec![finding]))
        }
    }
}

/// Reads a policy's bytes; the findings are warnings and information.
///
/// # Errors
/// [`StateError::Invalid`] with every error in it.
pub fn parse(bytes: &[u8]) -> Result<(Policy, Vec<Diagnostic>), StateError> {
    let (document, text) = state::parse_value(layout::POLICY, bytes, Schema::Policy)?;
    let mut reader = Reader { text: &text, findings: Vec::new() };
    let policy = Policy {
        acl: reader.acl(&document),
        qos: reader.qos(&document),
        pins: reader.pins(&document),
        failover: reader.failover(&document),
        threshold: document
            .pointer("/trust/threshold")
            .and_then(Value::as_u64)
            .map_or(1, |threshold| usize::try_from(threshold).unwrap_or(usize::MAX)),
        digest: Digest::of_bytes(bytes),
        text: String::new(),
    };
    let findings = reader.findings;
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(StateError::Invalid(findings));
    }
    Ok((Policy { text, ..policy }, findings))
}

/// Reads a target as policies name one: a symbol, and after `@` a version, which means exactly it, or a range.
///
/// # Errors
/// What is wrong with it, in words.
pub fn target(text: &str) -> Result<SymbolRange, String> {
    let dotted = from_address(text).unwrap_or_else(|| text.to_owned());
    let (name, range) = dotted.split_once('@').map_or((dotted.as_str(), None), |(name, range)| (name, Some(range)));
    let symbol: Symbol = name.parse().map_err(|error: InvalidName| error.to_string())?;
    let range = match range {
        None => Range::any(),
        Some(range) => match version_or_range(range) {
            Some(range) => range,
            None => range.parse().map_err(|error: <Range as FromStr>::Err| error.to_string())?,
        },
    };
    Ok(SymbolRange { symbol, range })
}

struct Reader<'a> {
    text: &'a str,
    findings: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn place(&self, pointer: &str) -> Place {
        Place::value(layout::POLICY, self.text, pointer)
    }

    fn error(&mut self, pointer: &str, message: String) {
        let place = self.place(pointer);
        self.findings.push(Diagnostic::error(POLICY_RULE, message).at(place));
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, pointer: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.error(pointer, error.to_string())).ok()
    }

    /// The member as a pattern; `**` if it is absent, `None` if it is wrong, which is then reported.
    fn pattern(&mut self, at: &str, rule: &Value, key: &str) -> Option<Pattern> {
        match rule.get(key).and_then(Value::as_str) {
            Some(text) => self.parsed(&push_token(at, key), text),
            None => Some(Pattern::any()),
        }
    }

    fn acl(&mut self, document: &Value) -> Option<Acl> {
        let list = |key: &str| document.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (allow, deny) = (list("allow"), list("deny"));
        let acl = document.get("acl");
        if acl.is_none() && allow.is_empty() && deny.is_empty() {
            let message = format!("{} has no acl: every call is allowed", layout::POLICY);
            self.findings.push(Diagnostic::info(POLICY_RULE, message));
            return None;
        }
        let mut rules = Vec::new();
        for (index, rule) in acl.and_then(|acl| acl["rules"].as_array()).into_iter().flatten().enumerate() {
            let at = format!("/acl/rules/{index}");
            let effect = if rule["effect"] == "allow" { Effect::Allow } else { Effect::Deny };
            let (from, to) = (self.pattern(&at, rule, "from"), self.pattern(&at, rule, "to"));
            if let (Some(from), Some(to)) = (from, to) {
                rules.push(AclRule { effect, from, to, via: lanes(rule), pointer: at });
            }
        }
        for (key, effect, items) in [("allow", Effect::Allow, allow), ("deny", Effect::Deny, deny)] {
            for (index, item) in items.iter().enumerate() {
                self.older_acl(&format!("/{key}/{index}"), effect, item, &mut rules);
            }
        }
        let (default, pointer) = match acl {
            Some(acl) if acl["default"] == "allow" => (Effect::Allow, "/acl/default"),
            Some(acl) if acl.get("default").is_some() => (Effect::Deny, "/acl/default"),
            Some(_) => (Effect::Deny, "/acl"),
            None if allow.is_empty() => (Effect::Allow, "/deny"),
            None => (Effect::Deny, "/allow"),
        };
        Some(Acl { default, rules, pointer: pointer.to_owned() })
    }

    /// A wildcard names whom calls go to; a denied one may not call either.
    fn older_acl(&mut self, at: &str, effect: Effect, item: &Value, rules: &mut Vec<AclRule>) {
        let mut push = |from: Option<Pattern>, to: Option<Pattern>, via: Option<Vec<Lane>>| {
            if let (Some(from), Some(to)) = (from, to) {
                rules.push(AclRule { effect, from, to, via, pointer: at.to_owned() });
            }
        };
        match item.as_str() {
            Some(text) => match text.split_once("->") {
                Some((from, to)) => push(self.parsed(at, from.trim()), self.parsed(at, to.trim()), None),
                None => {
                    let named: Option<Pattern> = self.parsed(at, text.trim());
                    if effect == Effect::Deny {
                        push(named.clone(), Some(Pattern::any()), None);
                    }
                    push(Some(Pattern::any()), named, None);
                }
            },
            None => push(self.pattern(at, item, "from"), self.pattern(at, item, "to"), lanes(item)),
        }
    }

    fn qos(&mut self, document: &Value) -> Vec<QosRule> {
        let mut rules = Vec::new();
        match document.get("qos") {
            Some(Value::Array(items)) => {
                for (index, rule) in items.iter().enumerate() {
                    let at = format!("/qos/{index}");
                    let key =
                        ["to", "symbol", "saddr"].into_iter().find(|key| rule.get(*key).is_some()).unwrap_or("to");
                    let (from, to) = (self.pattern(&at, rule, "from"), self.pattern(&at, rule, key));
                    rules.extend(self.qos_rule(at, from, to, rule));
                }
            }
            Some(Value::Object(members)) => {
                for (key, rule) in members {
                    let at = push_token("/qos", key);
                    let (from, to) = match key.split_once("->") {
                        Some((from, to)) => (self.parsed(&at, from.trim()), self.parsed(&at, to.trim())),
                        None => (Some(Pattern::any()), self.parsed(&at, key)),
                    };
                    rules.extend(self.qos_rule(at, from, to, rule));
                }
            }
            _ => {}
        }
        rules
    }

    fn qos_rule(&mut self, at: String, from: Option<Pattern>, to: Option<Pattern>, rule: &Value) -> Option<QosRule> {
        if rule.get("throughput_qps").is_some() {
            let place = Place::key(layout::POLICY, self.text, &format!("{at}/throughput_qps"));
            self.findings.push(
                Diagnostic::warning(POLICY_RULE, "throughput_qps is not used: it says nothing of Mbit/s")
                    .at(place)
                    .help("say throughput_mbps"),
            );
        }
        Some(QosRule {
            from: from?,
            to: to?,
            qos: qos_of(rule),
            strict: rule.get("strict").and_then(Value::as_bool).unwrap_or(false),
            priority: rule.get("priority").and_then(Value::as_i64).unwrap_or(1),
            pointer: at,
        })
    }

    fn pins(&mut self, document: &Value) -> Vec<Pin> {
        let mut pins = Vec::new();
        for key in ["pins", "pin"] {
            for (at, item) in items(document, key) {
                match item {
                    Item::Canonical(pin) => pins.extend(self.pin(at, pin)),
                    Item::Older(steps) => pins.extend(self.older_pin(at, &steps)),
                }
            }
        }
        pins
    }

    fn pin(&mut self, at: String, pin: &Value) -> Option<Pin> {
        let has = |key: &str| pin.get(key).is_some();
        let host = pin.get("host").and_then(Value::as_str).map(str::to_owned);
        let numa_node = pin.get("numa_node").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        let route_keys: Vec<&str> = ["from", "to", "via", "target"].into_iter().filter(|key| has(key)).collect();
        if has("agent") {
            if let [first, ..] = route_keys[..] {
                self.error(&at, format!("a pin is of an agent or of a route: it has 'agent' and '{first}'"));
                return None;
            }
            if host.is_none() && numa_node.is_none() {
                self.error(&at, "a pin of an agent needs 'host' or 'numa_node'".to_owned());
                return None;
            }
            return Some(Pin::Agent { agent: self.pattern(&at, pin, "agent")?, host, numa_node, pointer: at });
        }
        if host.is_some() || numa_node.is_some() || !(has("from") || has("to")) || !(has("via") || has("target")) {
            self.error(
                &at,
                "a pin needs 'agent' with 'host' or 'numa_node', or 'from' and 'to' with 'via' or 'target'".to_owned(),
            );
            return None;
        }
        let via = pin.get("via").and_then(Value::as_str).and_then(|lane| lane.parse().ok());
        let target = match pin.get("target").and_then(Value::as_str) {
            Some(text) => Some(self.target(&push_token(&at, "target"), text)?),
            None => None,
        };
        let (from, to) = (self.pattern(&at, pin, "from")?, self.pattern(&at, pin, "to")?);
        Some(Pin::Route { from, to, via, target, pointer: at })
    }

    /// `from -> to` fixes the target; a version after `@` fixes its version, too.
    fn older_pin(&mut self, at: String, steps: &[String]) -> Option<Pin> {
        let [from, to] = steps else {
            self.error(&at, "expected 'from -> to'".to_owned());
            return None;
        };
        let (from, target) = (self.parsed::<Pattern>(&at, from)?, self.target(&at, to)?);
        let to = self.parsed(&at, target.symbol.as_str())?;
        Some(Pin::Route { from, to, via: None, target: Some(target), pointer: at })
    }

    fn target(&mut self, at: &str, text: &str) -> Option<SymbolRange> {
        target(text).map_err(|message| self.error(at, message)).ok()
    }

    fn failover(&mut self, document: &Value) -> Vec<FailoverRule> {
        let mut rules = Vec::new();
        for (at, item) in items(document, "failover") {
            let rule = match item {
                Item::Canonical(rule) => self.failover_rule(at, rule),
                Item::Older(steps) => self.older_failover(at, &steps),
            };
            rules.extend(rule);
        }
        rules
    }

    fn failover_rule(&mut self, at: String, rule: &Value) -> Option<FailoverRule> {
        let mut alternates = Vec::new();
        for (index, text) in rule["alternates"].as_array().into_iter().flatten().filter_map(Value::as_str).enumerate() {
            alternates.extend(self.target(&format!("{at}/alternates/{index}"), text));
        }
        Some(FailoverRule {
            from: self.pattern(&at, rule, "from")?,
            to: self.pattern(&at, rule, "to")?,
            alternates,
            spread: if rule["spread"] == "host" { Spread::Host } else { Spread::Numa },
            required: rule.get("required").and_then(Value::as_bool).unwrap_or(false),
            pointer: at,
        })
    }

    fn older_failover(&mut self, at: String, steps: &[String]) -> Option<FailoverRule> {
        let [to, alternates @ ..] = steps else { return None };
        if alternates.is_empty() {
            self.error(&at, "expected 'to -> alternate'".to_owned());
            return None;
        }
        let alternates = alternates.iter().map(|text| self.target(&at, text)).collect::<Option<Vec<_>>>()?;
        let to = self.parsed(&at, to)?;
        Some(FailoverRule { from: Pattern::any(), to, alternates, spread: Spread::Numa, required: false, pointer: at })
    }
}

enum Item<'a> {
    Canonical(&'a Value),
    /// The parts between the arrows.
    Older(Vec<String>),
}

/// The items of a list that may also be a map from the left of an arrow to its right.
fn items<'a>(document: &'a Value, key: &str) -> Vec<(String, Item<'a>)> {
    let steps = |text: &str| text.split("->").map(|step| step.trim().to_owned()).collect::<Vec<_>>();
    let root = push_token("", key);
    match document.get(key) {
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let at = format!("{root}/{index}");
                (at, item.as_str().map_or(Item::Canonical(item), |text| Item::Older(steps(text))))
            })
            .collect(),
        Some(Value::Object(members)) => members
            .iter()
            .map(|(left, right)| {
                let mut all = steps(left);
                match right {
                    Value::Array(items) => all.extend(items.iter().filter_map(Value::as_str).flat_map(steps)),
                    other => all.extend(other.as_str().into_iter().flat_map(steps)),
                }
                (push_token(&root, left), Item::Older(all))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The bounds of a rule or route in today's or the older spelling.
pub(crate) fn qos_of(rule: &Value) -> Qos {
    let number = |keys: [&str; 2]| keys.into_iter().find_map(|key| rule.get(key).and_then(Value::as_f64));
    Qos {
        latency_ms: number(["latency_ms", "latency_budget_ms"]),
        throughput_mbps: rule.get("throughput_mbps").and_then(Value::as_f64),
    }
}

fn lanes(rule: &Value) -> Option<Vec<Lane>> {
    let names = rule.get("via")?.as_array()?;
    Some(names.iter().filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect())
}
