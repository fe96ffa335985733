//! The dependency graph for drawing tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::resolve::Resolution;
use crate::diagnostic::Severity;
use crate::drawing::{dot, mermaid};

/// A language of drawing tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// Graphviz.
    Dot,
    /// Mermaid flow charts.
    Mermaid,
}

/// Draws every instance and every requirement. An optional one is dashed; one with a finding has the colour of the
/// finding's severity, and so has the instance whose finding it is.
pub fn graph(resolution: &Resolution, format: GraphFormat) -> String {
    let drawing = Drawing::of(resolution);
    match format {
        GraphFormat::Dot => drawing.dot(),
        GraphFormat::Mermaid => drawing.mermaid(),
    }
}

struct Node {
    is_registered: bool,
    worst: Option<Severity>,
}

struct Arrow {
    from: String,
    to: String,
    range: String,
    is_optional: bool,
    worst: Option<Severity>,
}

struct Drawing {
    /// By name, in order.
    nodes: BTreeMap<String, Node>,
    arrows: Vec<Arrow>,
}

impl Drawing {
    fn of(resolution: &Resolution) -> Self {
        let instances = &resolution.judge.registry.instances;
        let mut nodes: BTreeMap<String, Node> = instances
            .iter()
            .map(|instance| (instance.id().to_string(), Node { is_registered: true, worst: None }))
            .collect();
        let mut worst: BTreeMap<usize, Severity> = BTreeMap::new();
        for finding in resolution.findings.iter().filter(|finding| finding.diagnostic.severity != Severity::Info) {
            let severity = finding.diagnostic.severity;
            for edge in &finding.edges {
                let of_edge = worst.entry(*edge).or_insert(severity);
                *of_edge = severity.min(*of_edge);
            }
        }
        let mut arrows = Vec::new();
        for (position, resolved) in resolution.edges.iter().enumerate() {
            let edge = resolution.edge(resolved);
            let to = resolved
                .toward
                .map_or_else(|| format!("{} {}", edge.symbol, edge.range), |toward| resolution.id(toward).to_string());
            let worst = worst.get(&position).copied();
            let from = edge.from.to_string();
            if let (Some(severity), Some(node)) = (worst, nodes.get_mut(&from)) {
                node.worst = Some(node.worst.map_or(severity, |known| known.min(severity)));
            }
            nodes.entry(to.clone()).or_insert(Node { is_registered: false, worst });
            arrows.push(Arrow { from, to, range: edge.range.to_string(), is_optional: edge.optional, worst });
        }
        Self { nodes, arrows }
    }

    fn numbers(&self) -> BTreeMap<&String, usize> {
        self.nodes.keys().enumerate().map(|(index, name)| (name, index)).collect()
    }

    fn dot(&self) -> String {
        let number = self.numbers();
        let color = |worst: Option<Severity>| match worst {
            Some(Severity::Error) => ", color=red",
            Some(Severity::Warning) => ", color=orange",
            Some(Severity::Info) | None => "",
        };
        let mut out = String::from("digraph dependencies {\n  rankdir=LR;\n  node [shape=box];\n");
        for (name, node) in &self.nodes {
            let style = if node.is_registered { "" } else { ", style=dashed" };
            line(&mut out, &format!("n{} [label={}{style}{}];", number[name], dot(name), color(node.worst)));
        }
        for arrow in &self.arrows {
            let (from, to, label) = (number[&arrow.from], number[&arrow.to], dot(&arrow.range));
            let style = if arrow.is_optional { ", style=dashed" } else { "" };
            line(&mut out, &format!("n{from} -> n{to} [label={label}{style}{}];", color(arrow.worst)));
        }
        out.push_str("}\n");
        out
    }

    fn mermaid(&self) -> String {
        let number = self.numbers();
        let class = |worst: Option<Severity>| match worst {
            Some(Severity::Error) => ":::error",
            Some(Severity::Warning) => ":::warning",
            Some(Severity::Info) | None => "",
        };
        let mut out = String::from("flowchart LR\n");
        for (name, node) in &self.nodes {
            // What is not registered has round corners.
            let (open, close) = if node.is_registered { ("[", "]") } else { ("(", ")") };
            line(&mut out, &format!("n{}{open}{}{close}{}", number[name], mermaid(name), class(node.worst)));
        }
        for arrow in &self.arrows {
            let shaft = if arrow.is_optional { "-.->" } else { "-->" };
            let label = mermaid(&arrow.range);
            line(&mut out, &format!("n{} {shaft}|{label}| n{}", number[&arrow.from], number[&arrow.to]));
        }
        for (severity, color) in [(Severity::Error, "#c00"), (Severity::Warning, "#e80")] {
            let such = self.arrows.iter().enumerate().filter(|(_, arrow)| arrow.worst == Some(severity));
            let such: BTreeSet<usize> = such.map(|(index, _)| index).collect();
            if !such.is_empty() {
                let list = such.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                line(&mut out, &format!("linkStyle {list} stroke:{color}"));
            }
        }
        line(&mut out, "classDef error stroke:#c00");
        line(&mut out, "classDef warning stroke:#e80");
        out
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "  {text}").expect("writing to a string");
}
