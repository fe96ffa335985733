//! Names of a connector, for every language.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::model::{self, Model};
use super::name::identifier;
use super::stub::{Language, Stubs};
use crate::manifest::Manifest;
use crate::workspace::Workspace;

fn stubs() -> &'static Stubs {
    static EMBEDDED: OnceLock<Stubs> = OnceLock::new();
    // A folder without stubs of its own.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    EMBEDDED.get_or_init(|| Stubs::load(&Workspace::at(folder)).expect("valid stubs"))
}

/// One language for each set of case rules.
fn rules() -> impl Iterator<Item = &'static Language> {
    let mut seen = Vec::new();
    stubs().languages().filter(move |language| {
        let names = &language.stub.names;
        let is_new = !seen.contains(&names);
        seen.push(names);
        is_new
    })
}

fn provider(methods: &BTreeSet<String>) -> Manifest {
    let object = json!({"type": "object", "properties": {"item": {"enum": ["a"]}}});
    let members = json!({"x": object, "params": object, "params_x": object, "result_x": object});
    let schema = json!({"type": "object", "properties": members});
    let described = |name: &String| (name.clone(), json!({"params": schema, "result": schema}));
    let methods: Map<String, Value> = methods.iter().map(described).collect();
    serde_json::from_value(json!({"symbol": "a.b", "version": "1.0.0", "provides": {"methods": methods}}))
        .expect("a manifest")
}

/// The identifier and the types' names of each method.
fn names(model: &Model) -> BTreeMap<String, (String, String, String)> {
    let named =
        |method: &model::MethodModel| (method.name.clone(), method.params_type.clone(), method.result_type.clone());
    model.methods.iter().map(|method| (method.wire.clone(), named(method))).collect()
}

/// Words that run into one another, and into the names of types.
fn method_name() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("get"),
        Just("params"),
        Just("result"),
        Just("x"),
        Just("1"),
        Just("item"),
        Just("class"),
        Just("Get"),
        Just("é")
    ];
    let glue = prop_oneof![Just(""), Just("_"), Just("-"), Just(".")];
    prop::collection::vec((word, glue), 1..4).prop_map(|parts| {
        let last = parts.len() - 1;
        parts
            .iter()
            .enumerate()
            .map(|(at, (word, glue))| if at == last { (*word).to_owned() } else { format!("{word}{glue}") })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Only a name that spells the same identifier can take it from another one.
    #[test]
    fn a_further_method_renames_no_other(mut methods in prop::collection::btree_set(method_name(), 1..8), further in method_name()) {
        methods.remove(&further);
        let mut more = methods.clone();
        more.insert(further.clone());
        for language in rules() {
            let build = |methods| model::build(language, &provider(methods), "ABV1", "a_b_v1", &BTreeSet::new());
            let (before, after) = (build(&methods), build(&more));
            let (old, new) = (names(&before), names(&after));
            let case = language.stub.names.method;
            for (wire, named) in &old {
                if identifier(wire, case) != identifier(&further, case) {
                    prop_assert_eq!(named, &new[wire], "{}: {} beside {}", &language.name, wire, &further);
                }
            }
            let identifiers: BTreeSet<&str> = after.methods.iter().map(|method| method.name.as_str()).collect();
            prop_assert_eq!(identifiers.len(), after.methods.len(), "{}", &language.name);
            let types: BTreeSet<&str> = after.types.iter().map(|declared| declared.name.as_str()).collect();
            prop_assert_eq!(types.len(), after.types.len(), "{}", &language.name);
        }
    }
}
