//! How long a later stage needs to load a registry, against parsing the same bytes with serde_json alone.
//!
//! Usage: `cargo bench -p rtt-core --bench registry -- ROOT`, ROOT being a workspace after stage 10. Prints the medians
//! of five turns each in ms: loading, parsing, and parsing together with the connectors index, if there is one.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod measure;

use std::hint::black_box;
use std::time::Duration;

use rtt_core::stage::upstream;
use rtt_core::workspace::{Workspace, layout};

use measure::median;

const TURNS: usize = 5;

fn main() {
    let root = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let Some(root) = root else { return println!("skipped: no workspace was named") };
    let workspace = Workspace::at(root);
    let loading = median(TURNS, |_| {
        let file = upstream::read_registry(&workspace).expect("readable").expect("there is one");
        black_box(file.value.instances.len());
    });
    let parse = |path: &str| {
        let bytes = std::fs::read(workspace.path(path)).expect("readable");
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        black_box(&value);
    };
    let parsing = median(TURNS, |_| parse(layout::REGISTRY));
    let both = median(TURNS, |_| {
        parse(layout::REGISTRY);
        if workspace.path(layout::CONNECTORS).exists() {
            parse(layout::CONNECTORS);
        }
    });
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!("{:.1} {:.1} {:.1}", ms(loading), ms(parsing), ms(both));
}
