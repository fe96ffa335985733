//! Where stage 30's time goes: making the connectors' texts, and parsing them with the embedded grammars.
//!
//! Usage: `cargo bench -p rtt-core --bench connectors -- ROOT`, ROOT being a workspace after stage 30. Prints the
//! medians of five turns each in ms, on all processors.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod measure;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

use rayon::prelude::*;
use rtt_core::connector::check::{self, Draft};
use rtt_core::connector::index::{Connector, Connectors};
use rtt_core::connector::model;
use rtt_core::connector::render::Renderer;
use rtt_core::connector::stub::Stubs;
use rtt_core::registry::Registry;
use rtt_core::stage::upstream;
use rtt_core::workspace::Workspace;

use measure::median;

const TURNS: usize = 5;

fn main() {
    let root = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(root) = root else { return println!("skipped: no workspace was named") };
    let workspace = Workspace::at(root);
    let stubs = Stubs::load(&workspace).expect("valid stubs");
    let registry = upstream::read_registry(&workspace).expect("readable").expect("there is one").value;
    let index = upstream::read_connectors(&workspace).expect("readable").expect("there is one").value;
    let mut drafts = BTreeMap::new();
    let making = median(TURNS, |_| drafts = black_box(texts(&stubs, &registry, &index)));
    let checking = median(TURNS, |_| {
        drafts.par_iter().for_each(|(name, drafts)| {
            let language = stubs.get(name).expect("it has connectors");
            assert_eq!(check::syntax(language, "drivers", drafts), []);
        });
    });
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!("{:.1} {:.1}", ms(making), ms(checking));
}

/// Makes the text of every connector of the index, by language.
fn texts(stubs: &Stubs, registry: &Registry, index: &Connectors) -> BTreeMap<String, Vec<Draft>> {
    let mut by_language: BTreeMap<&str, BTreeMap<(String, u64), &Connector>> = BTreeMap::new();
    for one in &index.connectors {
        by_language.entry(&one.language).or_default().insert((one.symbol.to_string(), one.major), one);
    }
    let of_language = |(name, connectors): (&str, BTreeMap<(String, u64), &Connector>)| {
        let language = stubs.get(name).expect("it has connectors");
        let renderer = Renderer::new(language).expect("valid templates");
        let names = model::client_names(language, &connectors.keys().cloned().collect());
        let connectors: Vec<_> = connectors.into_values().zip(names).collect();
        let text = |(connector, (client, module)): &(&Connector, (String, String))| {
            let target = connector.serves.iter().map(|served| &served.to).max().expect("an edge");
            let provider = registry.get(target).expect("it is registered");
            let agents: BTreeSet<String> = connector.serves.iter().map(|one| one.from.symbol.to_string()).collect();
            let model = model::build(language, &provider.manifest, client, module, &agents);
            let mut data = serde_json::to_value(&model).expect("string keys");
            data["interface"] = provider.interface.to_string().into();
            let text = renderer.render(&language.stub.template, data).expect("a template that fits");
            Draft { file: module.clone(), text, is_code: true }
        };
        (name.to_owned(), connectors.par_iter().map(text).collect())
    };
    by_language.into_par_iter().map(of_language).collect()
}
