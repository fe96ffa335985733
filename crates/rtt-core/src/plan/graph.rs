//! A plan for drawing tools, and as a picture: hosts, their NUMA nodes, the instances on them, and the routes.
//!
//! Up to [`MAX_ROUTES`] routes every instance is a box. Beyond that nobody could follow the lines: then each NUMA node is
//! one box, or each host where there are many nodes, and a line stands for all routes of a lane between two of them.

mod svg;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Plan;
use crate::drawing::{dot, mermaid};
use crate::lane::{Lane, LaneTable};
use crate::plan::PlanRoute;
use crate::symbol::InstanceId;
use crate::text::counted;

/// Above so many routes they are drawn together.
const MAX_ROUTES: usize = 200;
/// Above so many NUMA nodes a drawing of routes together shows hosts alone.
const MAX_NODES: usize = 32;
/// So many lines are drawn at most where routes are drawn together, those of most routes first.
const MAX_LINES: usize = 200;

/// A language of drawing tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphFormat {
    /// Graphviz.
    Dot,
    /// Mermaid flow charts.
    Mermaid,
    /// A picture for browsers.
    Svg,
}

impl GraphFormat {
    /// Reads `dot`, `mermaid` or `svg`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "dot" => Some(Self::Dot),
            "mermaid" => Some(Self::Mermaid),
            "svg" => Some(Self::Svg),
            _ => None,
        }
    }
}

/// Draws a plan. Backups are dashed; what violates its bounds, by the lanes' figures, is red.
pub fn graph(plan: &Plan, lanes: &LaneTable, format: GraphFormat) -> String {
    let drawing =
        if plan.routes.len() <= MAX_ROUTES { Drawing::of_routes(plan, lanes) } else { Drawing::of_nodes(plan, lanes) };
    match format {
        GraphFormat::Dot => drawing.dot(),
        GraphFormat::Mermaid => drawing.mermaid(),
        GraphFormat::Svg => drawing.svg(),
    }
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Held,
    Violated,
    Backup,
}

/// A line between two boxes.
struct Arrow {
    from: usize,
    to: usize,
    lane: Lane,
    kind: Kind,
    label: String,
    title: String,
}

struct Drawing<'a> {
    /// The boxes on each NUMA node of each host, by number.
    places: BTreeMap<&'a str, BTreeMap<Option<u32>, Vec<usize>>>,
    /// What each box is called.
    boxes: Vec<String>,
    arrows: Vec<Arrow>,
    /// What is not drawn.
    note: Option<String>,
}

/// Tells whether a route is slower or wider than it may be.
fn is_violated(route: &PlanRoute, lanes: &LaneTable) -> bool {
    route.qos.latency_us().is_some_and(|bound| route.latency_us > bound)
        || route.qos.throughput().unwrap_or(1) > lanes.figures(route.via).bandwidth_mbps
}

fn kind(route: &PlanRoute, lanes: &LaneTable) -> Kind {
    if is_violated(route, lanes) { Kind::Violated } else { Kind::Held }
}

impl<'a> Drawing<'a> {
    /// A box an instance, a line a route or backup.
    fn of_routes(plan: &'a Plan, lanes: &LaneTable) -> Self {
        let mut places: BTreeMap<&str, BTreeMap<Option<u32>, Vec<usize>>> = BTreeMap::new();
        let mut number: BTreeMap<&InstanceId, usize> = BTreeMap::new();
        for (index, placed) in plan.placement.iter().enumerate() {
            number.insert(&placed.agent, index);
            places.entry(&placed.host).or_default().entry(Some(placed.numa_node)).or_default().push(index);
        }
        let mut arrows = Vec::new();
        for route in &plan.routes {
            // In a plan that was checked every end is placed.
            let Some(&from) = number.get(&route.source) else { continue };
            let mut line = |target: &InstanceId, lane: Lane, kind, title| {
                if let Some(&to) = number.get(target) {
                    arrows.push(Arrow { from, to, lane, kind, label: lane.name().to_owned(), title });
                }
            };
            let kind = kind(route, lanes);
            let doubt = if kind == Kind::Violated { ", violates its bounds" } else { "" };
            let title = format!("{} -> {} via {}, {} µs{doubt}", route.from, route.to, route.via, route.latency_us);
            line(&route.target, route.via, kind, title);
            for backup in &route.backups {
                let title = format!("{} -> {}: backup {} via {}", route.from, route.to, backup.target, backup.via);
                line(&backup.target, backup.via, Kind::Backup, title);
            }
        }
        let boxes = plan.placement.iter().map(|placed| placed.agent.to_string()).collect();
        Self { places, boxes, arrows, note: None }
    }

    /// A box a NUMA node, or a host; a line all routes of a lane between two of them, those that hold apart from those
    /// that do not.
    fn of_nodes(plan: &'a Plan, lanes: &LaneTable) -> Self {
        let nodes: BTreeSet<_> = plan.placement.iter().map(|placed| (placed.host.as_str(), placed.numa_node)).collect();
        let shown = |node: u32| (nodes.len() <= MAX_NODES).then_some(node);
        let mut guests: BTreeMap<(&str, Option<u32>), usize> = BTreeMap::new();
        let mut at: BTreeMap<&InstanceId, (&str, Option<u32>)> = BTreeMap::new();
        for placed in &plan.placement {
            let place = (placed.host.as_str(), shown(placed.numa_node));
            *guests.entry(place).or_default() += 1;
            at.insert(&placed.agent, place);
        }
        let number: BTreeMap<_, usize> = guests.keys().enumerate().map(|(index, place)| (*place, index)).collect();
        let mut bundles: BTreeMap<(usize, usize, Lane, Kind), (usize, i64)> = BTreeMap::new();
        for route in &plan.routes {
            let (Some(from), Some(to)) = (at.get(&route.source), at.get(&route.target)) else { continue };
            let bundle = bundles.entry((number[from], number[to], route.via, kind(route, lanes))).or_default();
            *bundle = (bundle.0 + 1, bundle.1.saturating_add(route.qos.throughput().unwrap_or(1)));
        }
        let mut bundles: Vec<_> = bundles.into_iter().collect();
        bundles.sort_by_key(|(ends, (count, _))| (std::cmp::Reverse(*count), *ends));
        let rest: usize = bundles.iter().skip(MAX_LINES).map(|(_, (count, _))| count).sum();
        bundles.truncate(MAX_LINES);
        let backups: usize = plan.routes.iter().map(|route| route.backups.len()).sum();
        let hidden = [(rest, "route"), (backups, "backup")].into_iter().filter(|(count, _)| *count > 0);
        let hidden: Vec<String> = hidden.map(|(count, what)| counted(count, what)).collect();
        let boxes: Vec<String> = guests.values().map(|count| counted(*count, "instance")).collect();
        let name = |number: usize| {
            let (host, node) = guests.keys().nth(number).expect("it is numbered");
            node.map_or((*host).to_owned(), |node| format!("{host} node {node}"))
        };
        let arrows = bundles.into_iter().map(|((from, to, lane, kind), (count, mbps))| Arrow {
            from,
            to,
            lane,
            kind,
            label: format!("{count} {lane}"),
            title: format!(
                "{} to {}: {} via {lane}, {mbps} Mbit/s{}",
                name(from),
                name(to),
                counted(count, "route"),
                if kind == Kind::Violated { ", violate their bounds" } else { "" }
            ),
        });
        let arrows = arrows.collect();
        let mut places: BTreeMap<&str, BTreeMap<Option<u32>, Vec<usize>>> = BTreeMap::new();
        for ((host, node), index) in number {
            places.entry(host).or_default().entry(node).or_default().push(index);
        }
        let note = (!hidden.is_empty()).then(|| format!("not drawn: {}", hidden.join(" and ")));
        Self { places, boxes, arrows, note }
    }

    fn dot(&self) -> String {
        let mut out = "digraph plan {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        if let Some(note) = &self.note {
            line(&mut out, &format!("label={};", dot(note)));
        }
        let mut cluster = 0;
        for (host, nodes) in &self.places {
            line(&mut out, &format!("subgraph cluster_h{cluster} {{"));
            line(&mut out, &format!("  label={};", dot(host)));
            for (node, boxes) in nodes {
                line(&mut out, &format!("  subgraph cluster_{cluster} {{"));
                line(&mut out, &format!("    label={};", dot(&heading(host, *node))));
                for &number in boxes {
                    line(&mut out, &format!("    n{number} [label={}];", dot(&self.boxes[number])));
                }
                line(&mut out, "  }");
                cluster += 1;
            }
            line(&mut out, "}");
        }
        for Arrow { from, to, kind, label, .. } in &self.arrows {
            let style = match kind {
                Kind::Held => "",
                Kind::Violated => ", color=red, fontcolor=red, penwidth=2",
                Kind::Backup => ", style=dashed",
            };
            line(&mut out, &format!("n{from} -> n{to} [label={}{style}];", dot(label)));
        }
        out.push_str("}\n");
        out
    }

    fn mermaid(&self) -> String {
        let mut out = "flowchart LR\n".to_owned();
        if let Some(note) = &self.note {
            line(&mut out, &format!("note[{}]", mermaid(note)));
        }
        let mut cluster = 0;
        for (host, nodes) in &self.places {
            line(&mut out, &format!("subgraph h{cluster}[{}]", mermaid(host)));
            for (node, boxes) in nodes {
                line(&mut out, &format!("  subgraph c{cluster}[{}]", mermaid(&heading(host, *node))));
                for &number in boxes {
                    line(&mut out, &format!("    n{number}[{}]", mermaid(&self.boxes[number])));
                }
                line(&mut out, "  end");
                cluster += 1;
            }
            line(&mut out, "end");
        }
        let mut violated = Vec::new();
        for (index, Arrow { from, to, kind, label, .. }) in self.arrows.iter().enumerate() {
            let shaft = if *kind == Kind::Backup { "-.->" } else { "-->" };
            line(&mut out, &format!("n{from} {shaft}|{label}| n{to}"));
            if *kind == Kind::Violated {
                violated.push(index.to_string());
            }
        }
        if !violated.is_empty() {
            line(&mut out, &format!("linkStyle {} stroke:red,stroke-width:3px;", violated.join(",")));
        }
        out
    }
}

fn heading(host: &str, node: Option<u32>) -> String {
    node.map_or_else(|| host.to_owned(), |node| format!("{host} node {node}"))
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "  {text}").expect("writing to a string");
}
