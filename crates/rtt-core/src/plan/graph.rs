//! A plan for drawing tools, and as a picture: hosts, their NUMA nodes, the instances on them, and the routes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Plan;
use crate::drawing::{dot, mermaid, xml};
use crate::lane::Lane;
use crate::symbol::InstanceId;

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

/// Draws a plan. Backups are dashed.
pub fn graph(plan: &Plan, format: GraphFormat) -> String {
    let drawing = Drawing::new(plan);
    match format {
        GraphFormat::Dot => drawing.dot(),
        GraphFormat::Mermaid => drawing.mermaid(),
        GraphFormat::Svg => drawing.svg(),
    }
}

struct Arrow<'a> {
    from: &'a InstanceId,
    to: &'a InstanceId,
    lane: Lane,
    is_backup: bool,
    title: String,
}

struct Drawing<'a> {
    /// The instances of each host and node.
    places: BTreeMap<(&'a str, u32), Vec<&'a InstanceId>>,
    number: BTreeMap<&'a InstanceId, usize>,
    arrows: Vec<Arrow<'a>>,
}

impl<'a> Drawing<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut places: BTreeMap<(&str, u32), Vec<&InstanceId>> = BTreeMap::new();
        for placed in &plan.placement {
            places.entry((&placed.host, placed.numa_node)).or_default().push(&placed.agent);
        }
        let mut arrows = Vec::new();
        for route in &plan.routes {
            let title = format!("{} -> {} via {}, {} µs", route.from, route.to, route.via, route.latency_us);
            arrows.push(Arrow { from: &route.source, to: &route.target, lane: route.via, is_backup: false, title });
            for backup in &route.backups {
                let title = format!("{} -> {}: backup {} via {}", route.from, route.to, backup.target, backup.via);
                arrows.push(Arrow {
                    from: &route.source,
                    to: &backup.target,
                    lane: backup.via,
                    is_backup: true,
                    title,
                });
            }
        }
        let number = plan.placement.iter().enumerate().map(|(index, placed)| (&placed.agent, index)).collect();
        Self { places, number, arrows }
    }

    /// The arrows whose two ends are placed, which are all in a plan that was checked.
    fn numbered(&self) -> impl Iterator<Item = (&Arrow<'a>, usize, usize)> {
        self.arrows.iter().filter_map(|arrow| Some((arrow, *self.number.get(arrow.from)?, *self.number.get(arrow.to)?)))
    }

    fn dot(&self) -> String {
        let mut out = "digraph plan {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        for (cluster, ((host, node), agents)) in self.places.iter().enumerate() {
            line(&mut out, &format!("subgraph cluster_{cluster} {{"));
            line(&mut out, &format!("  label={};", dot(&format!("{host} node {node}"))));
            for agent in agents {
                line(&mut out, &format!("  n{} [label={}];", self.number[agent], dot(&agent.to_string())));
            }
            line(&mut out, "}");
        }
        for (arrow, from, to) in self.numbered() {
            let style = if arrow.is_backup { ", style=dashed" } else { "" };
            line(&mut out, &format!("n{from} -> n{to} [label={}{style}];", dot(arrow.lane.name())));
        }
        out.push_str("}\n");
        out
    }

    fn mermaid(&self) -> String {
        let mut out = "flowchart LR\n".to_owned();
        for (cluster, ((host, node), agents)) in self.places.iter().enumerate() {
            line(&mut out, &format!("subgraph c{cluster}[{}]", mermaid(&format!("{host} node {node}"))));
            for agent in agents {
                line(&mut out, &format!("  n{}[{}]", self.number[agent], mermaid(&agent.to_string())));
            }
            line(&mut out, "end");
        }
        for (arrow, from, to) in self.numbered() {
            let shaft = if arrow.is_backup { "-.->" } else { "-->" };
            line(&mut out, &format!("n{from} {shaft}|{}| n{to}", arrow.lane));
        }
        out
    }

    /// A column a node, a row an instance; routes leave a box at its right and enter one at its left.
    fn svg(&self) -> String {
        let longest = self.number.keys().map(|agent| agent.to_string().chars().count()).max().unwrap_or(0);
        let box_width = (CHARACTER_WIDTH * longest + 2 * PADDING).max(160);
        let rows = self.places.values().map(Vec::len).max().unwrap_or(0);
        let column_width = box_width + 2 * PADDING;
        let width = self.places.len() * (column_width + GAP) + GAP;
        let height = HEADING + rows * ROW_HEIGHT + 2 * GAP;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        );
        line(&mut out, "<title>Routing plan</title>");
        let mut corner: BTreeMap<&InstanceId, (usize, usize)> = BTreeMap::new();
        for (column, ((host, node), agents)) in self.places.iter().enumerate() {
            let x = GAP + column * (column_width + GAP);
            let inner = HEADING + rows * ROW_HEIGHT;
            line(
                &mut out,
                &format!(
                    "<rect x=\"{x}\" y=\"{GAP}\" width=\"{column_width}\" height=\"{inner}\" rx=\"6\" fill=\"#f4f6f8\" \
                     stroke=\"#9aa5b1\"/>"
                ),
            );
            let (label, y) = (xml(&format!("{host} node {node}")), GAP + HEADING - PADDING);
            line(&mut out, &format!("<text x=\"{}\" y=\"{y}\" font-weight=\"bold\">{label}</text>", x + PADDING));
            for (row, agent) in agents.iter().enumerate() {
                corner.insert(agent, (x + PADDING, GAP + HEADING + row * ROW_HEIGHT));
            }
        }
        for arrow in &self.arrows {
            if let (Some(&from), Some(&to)) = (corner.get(arrow.from), corner.get(arrow.to)) {
                line(&mut out, &curve(arrow, from, to, box_width));
            }
        }
        for (agent, (x, y)) in &corner {
            let label = xml(&agent.to_string());
            line(
                &mut out,
                &format!(
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{box_width}\" height=\"{BOX_HEIGHT}\" rx=\"4\" fill=\"#fff\" \
                     stroke=\"#52606d\"/><text x=\"{}\" y=\"{}\">{label}</text>",
                    x + PADDING,
                    y + BOX_HEIGHT / 2 + 4
                ),
            );
        }
        out.push_str("</svg>\n");
        out
    }
}

/// Sizes of the picture in its own units.
const CHARACTER_WIDTH: usize = 7;
const PADDING: usize = 10;
const GAP: usize = 60;
const HEADING: usize = 34;
const ROW_HEIGHT: usize = 54;
const BOX_HEIGHT: usize = 30;

fn curve(arrow: &Arrow, from: (usize, usize), to: (usize, usize), box_width: usize) -> String {
    let middle = BOX_HEIGHT / 2;
    // Between columns the curve runs from side to side; within one it bows out at the right, the farther the more.
    let (start, end, bow) = if from.0 == to.0 {
        let bow = (GAP / 3 + from.1.abs_diff(to.1) / 6).min(GAP) as i64;
        ((from.0 + box_width, from.1 + middle), (to.0 + box_width, to.1 + middle), [bow, bow])
    } else if from.0 < to.0 {
        ((from.0 + box_width, from.1 + middle), (to.0, to.1 + middle), [GAP as i64, -(GAP as i64)])
    } else {
        ((from.0, from.1 + middle), (to.0 + box_width, to.1 + middle), [-(GAP as i64), GAP as i64])
    };
    let (c1, c2) = (start.0 as i64 + bow[0], end.0 as i64 + bow[1]);
    let colour = match arrow.lane {
        Lane::Shm => "#0b7285",
        Lane::Uds => "#2b8a3e",
        Lane::Tcp => "#c92a2a",
        Lane::Stdio => "#862e9c",
    };
    let dashes = if arrow.is_backup { " stroke-dasharray=\"5 4\"" } else { "" };
    format!(
        "<path d=\"M{} {} C{c1} {}, {c2} {}, {} {}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}>\
         <title>{}</title></path><circle cx=\"{}\" cy=\"{}\" r=\"3\" fill=\"{colour}\"/>",
        start.0,
        start.1,
        start.1,
        end.1,
        end.0,
        end.1,
        xml(&arrow.title),
        end.0,
        end.1
    )
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "  {text}").expect("writing to a string");
}
