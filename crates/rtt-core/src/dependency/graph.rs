//! The dependency graph for drawing tools.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::resolve::Resolution;
use crate::drawing::{dot, mermaid};
use crate::registry::Registry;

/// A language of drawing tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// Graphviz.
    Dot,
    /// Mermaid flow charts.
    Mermaid,
}

/// Draws every instance and every requirement; an optional one is dashed, one that nothing meets is marked.
pub fn graph(registry: &Registry, resolution: &Resolution, format: GraphFormat) -> String {
    let mut nodes: BTreeMap<String, bool> =
        registry.instances.iter().map(|instance| (instance.id().to_string(), true)).collect();
    let mut arrows = Vec::new();
    for edge in &resolution.edges {
        let (to, met) = match edge.accepted.first() {
            Some(id) => (id.to_string(), true),
            None => (format!("{} {}", edge.symbol, edge.range), false),
        };
        nodes.entry(to.clone()).or_insert(false);
        arrows.push((edge.from.to_string(), to, edge.range.to_string(), edge.optional, met));
    }
    let number: BTreeMap<&String, usize> = nodes.keys().enumerate().map(|(index, name)| (name, index)).collect();
    let mut out = String::new();
    match format {
        GraphFormat::Dot => {
            out.push_str("digraph dependencies {\n  rankdir=LR;\n  node [shape=box];\n");
            for (name, registered) in &nodes {
                let style = if *registered { "" } else { ", style=dashed, color=red" };
                line(&mut out, &format!("n{} [label={}{style}];", number[name], dot(name)));
            }
            for (from, to, range, optional, met) in &arrows {
                let style = if *optional { ", style=dashed" } else { "" };
                let color = if *met { "" } else { ", color=red" };
                let label = dot(range);
                line(&mut out, &format!("n{} -> n{} [label={label}{style}{color}];", number[from], number[to]));
            }
            out.push_str("}\n");
        }
        GraphFormat::Mermaid => {
            out.push_str("flowchart LR\n");
            for (name, registered) in &nodes {
                let class = if *registered { "" } else { ":::missing" };
                line(&mut out, &format!("n{}[{}]{class}", number[name], mermaid(name)));
            }
            for (from, to, range, optional, _) in &arrows {
                let arrow = if *optional { "-.->" } else { "-->" };
                line(&mut out, &format!("n{} {arrow}|{}| n{}", number[from], mermaid(range), number[to]));
            }
            line(&mut out, "classDef missing stroke:#c00,stroke-dasharray:4");
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "  {text}").expect("writing to a string");
}
