//! A registry of 2,000 instances with 200 seeded faults of all kinds: all of them are found, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;

const N_INSTANCES: usize = 2000;
/// Faults of each kind.
const N_EACH: usize = 20;

/// A registry in the making, and what is to be found in it.
struct Seeded {
    manifests: Vec<Value>,
    expected: BTreeSet<(&'static str, Option<String>, String)>,
    random: u64,
}

fn schema(kind: &str) -> Value {
    json!({"type": "object", "properties": {"value": {"type": kind}}, "required": ["value"], "additionalProperties": false})
}

impl Seeded {
    /// A healthy registry: each instance requires up to three earlier ones, in terms that they meet.
    fn healthy(count: usize) -> Self {
        let mut seeded = Self { manifests: Vec::new(), expected: BTreeSet::new(), random: 1 };
        for index in 0..count {
            let targets: BTreeSet<usize> = (0..index.min(3)).map(|_| seeded.below(index)).collect();
            let requires: Vec<Value> = targets.into_iter().map(|target| seeded.requirement(target)).collect();
            seeded.manifests.push(json!({
                "symbol": format!("team{}.agent{index:04}", index % 40),
                "version": format!("1.{}.0", index % 5),
                "provides": {
                    "protocol": {"name": "jsonrpc", "version": "2.1.0"},
                    "capabilities": [format!("work.read-{index}")],
                    "methods": {"get": {"params": schema("string"), "result": schema("number")}},
                },
                "requires": requires,
            }));
        }
        seeded
    }

    /// A linear congruential generator, so that every run sees the same registry.
    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.random >> 33) % limit as u64).expect("below a usize")
    }

    fn symbol(&self, index: usize) -> String {
        self.manifests[index]["symbol"].as_str().expect("a symbol").to_owned()
    }

    fn id(&self, index: usize) -> String {
        format!("{}@{}", self.symbol(index), self.manifests[index]["version"].as_str().expect("a version"))
    }

    /// A requirement that the target meets.
    fn requirement(&self, target: usize) -> Value {
        json!({
            "symbol": self.symbol(target),
            "version": "^1",
            "protocol": {"name": "jsonrpc", "version": "^2"},
            "capabilities": [format!("work.read-{target}")],
            "methods": {"get": {"params": schema("string"), "result": schema("number")}},
        })
    }

    /// Gives a consumer another requirement, which has a fault of the given rule.
    fn seed(&mut self, rule: &'static str, consumer: usize, requirement: Value) {
        let symbol = requirement["symbol"].as_str().expect("a symbol").to_owned();
        self.expected.insert((rule, Some(self.id(consumer)), symbol));
        self.manifests[consumer]["requires"].as_array_mut().expect("a list").push(requirement);
    }

    fn add(&mut self, manifest: Value) {
        self.manifests.push(manifest);
    }

    /// Faults of one requirement each, of consumers in the second half on targets in the first.
    fn seed_requirements(&mut self) {
        for round in 0..N_EACH {
            let mut place = 1000 + round * 30;
            // Consumer and target of the next fault; no consumer requires the same symbol twice.
            let mut next = |seeded: &mut Self| loop {
                place += 1;
                let target = seeded.below(900);
                let requires = seeded.manifests[place]["requires"].as_array().expect("a list");
                if requires.iter().all(|one| one["symbol"] != seeded.symbol(target)) {
                    return (place, target);
                }
            };
            let (consumer, _) = next(self);
            self.seed("RTT-D001", consumer, json!({"symbol": format!("absent.quxzzyvw{}", round * 7919)}));
            let (consumer, target) = next(self);
            let misspelt = format!("{}q", self.symbol(target));
            self.seed("RTT-D001", consumer, json!({"symbol": misspelt}));
            let mut faulty = |rule: &'static str, member: &str, value: Value| {
                let (consumer, target) = next(self);
                let mut requirement = self.requirement(target);
                requirement[member] = value;
                self.seed(rule, consumer, requirement);
            };
            faulty("RTT-D002", "version", json!("^9"));
            let protocol =
                if round % 2 == 0 { json!({"name": "mcp"}) } else { json!({"name": "jsonrpc", "version": "^3"}) };
            faulty("RTT-D004", "protocol", protocol);
            faulty("RTT-D005", "capabilities", json!(["nobody.flies"]));
            faulty("RTT-D004", "methods", json!({"get": {"params": schema("integer"), "result": schema("number")}}));
            faulty("RTT-D004", "methods", json!({"get": {"params": schema("string"), "result": schema("string")}}));
            let (consumer, _) = next(self);
            let own = self.symbol(consumer);
            self.seed("RTT-D010", consumer, json!({"symbol": own}));
        }
    }

    /// Rings of two to five agents, each of which also requires somebody healthy.
    fn seed_circles(&mut self) {
        for round in 0..N_EACH {
            let length = 2 + round % 4;
            let symbol = |step: usize| format!("ring{round}.agent{}", step % length);
            for step in 0..length {
                let healthy = self.below(900);
                let requires = [json!({"symbol": symbol(step + 1)}), self.requirement(healthy)];
                self.add(json!({"symbol": symbol(step), "version": "1.0.0", "requires": requires}));
            }
            self.expected.insert(("RTT-D003", Some(format!("{}@1.0.0", symbol(0))), symbol(1)));
        }
    }

    /// Singletons whose consumers want different ones of two versions, or one that is there and one that could not be
    /// published beside it.
    fn seed_singletons(&mut self) {
        for round in 0..N_EACH {
            let symbol = format!("single.agent{round}");
            let (versions, ranges) =
                if round % 2 == 0 { (vec!["1.2.0", "1.3.0"], ["~1.2", "~1.3"]) } else { (vec!["1.2.0"], ["^1", "^2"]) };
            for version in versions {
                self.add(json!({"symbol": symbol, "version": version, "singleton": true}));
            }
            for (index, range) in ranges.iter().chain(&["*"]).enumerate() {
                let requires = [json!({"symbol": symbol, "version": range})];
                self.add(
                    json!({"symbol": format!("wants{round}.agent{index}"), "version": "1.0.0", "requires": requires}),
                );
            }
            self.expected.insert(("RTT-D008", None, symbol));
        }
    }
}

fn seeded() -> Seeded {
    let added = N_EACH / 4 * (2 + 3 + 4 + 5) + N_EACH / 2 * (2 + 3) + N_EACH / 2 * (1 + 3);
    let mut seeded = Seeded::healthy(N_INSTANCES - added);
    seeded.seed_requirements();
    seeded.seed_circles();
    seeded.seed_singletons();
    seeded
}

#[test]
fn every_seeded_fault_is_found_and_nothing_else() {
    let healthy = registry(&Seeded::healthy(N_INSTANCES).manifests);
    assert_eq!(resolve(&healthy).findings, []);

    let Seeded { manifests, expected, .. } = seeded();
    assert_eq!((manifests.len(), expected.len()), (N_INSTANCES, 200));
    let registry = registry(&manifests);
    let resolution = resolve(&registry);
    let found: Vec<_> = resolution
        .findings
        .iter()
        .map(|finding| {
            let symbol = finding.symbol.as_ref().map_or_else(String::new, ToString::to_string);
            (finding.diagnostic.rule, finding.instance.as_ref().map(ToString::to_string), symbol)
        })
        .collect();
    let set: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(set.difference(&expected).collect::<Vec<_>>(), Vec::<&_>::new(), "found, but not seeded");
    assert_eq!(expected.difference(&set).collect::<Vec<_>>(), Vec::<&_>::new(), "seeded, but not found");
    assert_eq!(found.len(), 200, "each once");

    let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
    found.iter().for_each(|(rule, ..)| *by_rule.entry(*rule).or_default() += 1);
    let each = N_EACH;
    assert_eq!(
        by_rule.into_iter().collect::<Vec<_>>(),
        [
            ("RTT-D001", 2 * each),
            ("RTT-D002", each),
            ("RTT-D003", each),
            ("RTT-D004", 3 * each),
            ("RTT-D005", each),
            ("RTT-D008", each),
            ("RTT-D010", each)
        ]
    );
    // Every name that misses by a letter is recognised, and no other.
    let recognised =
        resolution.findings.iter().filter(|finding| finding.diagnostic.help[0].starts_with("did you mean"));
    assert_eq!(recognised.count(), N_EACH);
}

#[test]
fn what_fix_changes_is_found_no_more_and_brings_nothing_new() {
    let Seeded { manifests, expected, .. } = seeded();
    let registry = registry(&manifests);
    let resolution = resolve(&registry);
    let fix = fix::choose(&resolution);
    assert!(fix.edits.len() >= 2 * N_EACH, "misspelt names and ranges: {}", fix.edits.len());
    let left = resolve(&fix.registry).findings;
    assert_eq!(left.len(), expected.len() - fix.edits.len());
    let before: BTreeSet<_> = resolution.findings.iter().map(Finding::identity).collect();
    assert!(left.iter().all(|finding| before.contains(&finding.identity())));
}

#[test]
fn threads_change_nothing() {
    let registry = registry(&seeded().manifests);
    let [one, many] = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let resolution = resolve(&registry);
            let text = resolution.report(Stage::DepDoctor.fingerprint([]));
            (resolution.findings, text)
        })
    });
    assert_eq!(one, many);
}
