//! The picture for browsers: a column a NUMA node, a frame around those of a host, a row a box. Routes leave a box at its
//! right and enter one at its left. Where the columns would become too wide they go on below.

use super::{Arrow, Drawing, Kind, heading, line};
use crate::drawing::xml;
use crate::lane::Lane;

/// Sizes of the picture in its own units.
const CHARACTER_WIDTH: usize = 7;
const PADDING: usize = 10;
const GAP: usize = 60;
const HEADING: usize = 34;
const ROW_HEIGHT: usize = 54;
const BOX_HEIGHT: usize = 30;
const LEGEND: usize = 30;
const LABEL_WIDTH: usize = 60;
const LABEL_HEIGHT: usize = 11;
/// Columns beyond this go on below; a host's stay together as long as it is not wider alone.
const MAX_WIDTH: usize = 3_000;

const VIOLATION: &str = "#ff0000";

type Corner = (usize, usize);

impl Drawing<'_> {
    pub(super) fn svg(&self) -> String {
        let longest = self.boxes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let headings = self.places.iter().flat_map(|(host, nodes)| nodes.keys().map(move |node| heading(host, *node)));
        let longest = headings.map(|heading| heading.chars().count()).max().unwrap_or(0).max(longest);
        let box_width = (CHARACTER_WIDTH * longest + 2 * PADDING).max(160);
        let step = box_width + 2 * PADDING + GAP;
        let mut corners: Vec<Option<Corner>> = vec![None; self.boxes.len()];
        let mut frames = String::new();
        let (mut x, mut y, mut band, mut width) = (GAP, LEGEND + GAP, 0, 0);
        for (host, nodes) in &self.places {
            if x > GAP && x + nodes.len() * step > MAX_WIDTH {
                (x, y, band) = (GAP, y + band + GAP, 0);
            }
            let (left, rows) = (x, nodes.values().map(Vec::len).max().unwrap_or(0));
            let inner = HEADING + rows * ROW_HEIGHT;
            let columns: String = nodes
                .iter()
                .map(|(node, boxes)| {
                    for (row, &number) in boxes.iter().enumerate() {
                        corners[number] = Some((x + PADDING, y + HEADING + row * ROW_HEIGHT));
                    }
                    let column = rectangle((x, y), (box_width + 2 * PADDING, inner), "#f4f6f8", "#9aa5b1");
                    let label =
                        text((x + PADDING, y + HEADING - PADDING), &heading(host, *node), " font-weight=\"bold\"");
                    x += step;
                    format!("  {column}\n  {label}\n")
                })
                .collect();
            let (corner, size) = ((left - GAP / 3, y - HEADING), (x - left + GAP / 3, inner + HEADING + GAP / 3));
            line(&mut frames, &rectangle(corner, size, "#ffffff", "#52606d"));
            line(&mut frames, &text((left - GAP / 3 + PADDING, y - PADDING), host, " font-weight=\"bold\""));
            frames.push_str(&columns);
            (band, width) = (band.max(inner + HEADING), width.max(x + GAP / 3));
            x += GAP;
        }
        let (width, height) = (width.max(LEGEND_WIDTH), y + band + GAP / 3);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        );
        line(&mut out, "<title>Routing plan</title>");
        self.legend(&mut out);
        out.push_str(&frames);
        for arrow in &self.arrows {
            if let (Some(from), Some(to)) = (corners[arrow.from], corners[arrow.to]) {
                line(&mut out, &curve(arrow, from, to, box_width));
            }
        }
        for (name, corner) in self.boxes.iter().zip(&corners) {
            if let Some((x, y)) = *corner {
                let frame = rectangle((x, y), (box_width, BOX_HEIGHT), "#fff", "#52606d");
                line(&mut out, &format!("{frame}{}", text((x + PADDING, y + BOX_HEIGHT / 2 + 4), name, "")));
            }
        }
        out.push_str("</svg>\n");
        out
    }

    /// The lanes, backups and violations that there are.
    fn legend(&self, out: &mut String) {
        let mut x = GAP;
        let mut entry = |colour: &str, style: &str, label: &str| {
            let stroke = format!("<path d=\"M{x} 20 h30\" stroke=\"{colour}\" stroke-width=\"2\"{style}/>");
            line(out, &format!("{stroke}{}", text((x + 36, 24), label, "")));
            x += 36 + CHARACTER_WIDTH * label.chars().count() + 2 * PADDING;
        };
        for lane in Lane::ALL.into_iter().filter(|lane| self.arrows.iter().any(|arrow| arrow.lane == *lane)) {
            entry(colour(lane), "", lane.name());
        }
        if self.arrows.iter().any(|arrow| arrow.kind == Kind::Backup) {
            entry("#52606d", DASHES, "backup");
        }
        if self.arrows.iter().any(|arrow| arrow.kind == Kind::Violated) {
            entry(VIOLATION, " stroke-opacity=\"0.35\" stroke-linecap=\"round\"", "violates its bounds");
        }
        if let Some(note) = &self.note {
            line(out, &text((x, 24), note, " font-style=\"italic\""));
        }
    }
}

const LEGEND_WIDTH: usize = 700;
const DASHES: &str = " stroke-dasharray=\"5 4\"";

fn colour(lane: Lane) -> &'static str {
    match lane {
        Lane::Shm => "#0b7285",
        Lane::Uds => "#2b8a3e",
        Lane::Tcp => "#a0522d",
        Lane::Stdio => "#862e9c",
    }
}

fn rectangle((x, y): Corner, (width, height): (usize, usize), fill: &str, stroke: &str) -> String {
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\" fill=\"{fill}\" stroke=\"{stroke}\"/>"
    )
}

fn text((x, y): Corner, label: &str, style: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\"{style}>{}</text>", xml(label))
}

fn curve(arrow: &Arrow, from: Corner, to: Corner, box_width: usize) -> String {
    let middle = BOX_HEIGHT / 2;
    let gap = GAP as i64;
    // Between columns the curve runs from side to side; within one it bows out at the right, the farther the more.
    let (start, end, bow) = if from == to {
        ((from.0 + box_width, from.1 + middle / 2), (from.0 + box_width, from.1 + BOX_HEIGHT - middle / 2), [gap, gap])
    } else if from.0 == to.0 {
        let bow = (GAP / 3 + from.1.abs_diff(to.1) / 6).min(GAP) as i64;
        ((from.0 + box_width, from.1 + middle), (to.0 + box_width, to.1 + middle), [bow, bow])
    } else if from.0 < to.0 {
        ((from.0 + box_width, from.1 + middle), (to.0, to.1 + middle), [gap, -gap])
    } else {
        ((from.0, from.1 + middle), (to.0 + box_width, to.1 + middle), [-gap, gap])
    };
    let (c1, c2) = (start.0 as i64 + bow[0], end.0 as i64 + bow[1]);
    let path = format!("M{} {} C{c1} {}, {c2} {}, {} {}", start.0, start.1, start.1, end.1, end.0, end.1);
    let halo = match arrow.kind {
        Kind::Violated => {
            format!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{VIOLATION}\" stroke-width=\"6\" stroke-opacity=\"0.35\"/>"
            )
        }
        Kind::Held | Kind::Backup => String::new(),
    };
    let dashes = if arrow.kind == Kind::Backup { DASHES } else { "" };
    // A lane's colour says enough of a single route; how many a line stands for has to be written. Lines between the same
    // boxes differ in lane and kind, and so do the places of their labels.
    let label = if arrow.label == arrow.lane.name() {
        String::new()
    } else {
        let lane = Lane::ALL.iter().position(|lane| *lane == arrow.lane).unwrap_or_default();
        let below = usize::from(arrow.kind == Kind::Violated) * LABEL_HEIGHT;
        let corner = if from == to {
            (from.0 + lane * LABEL_WIDTH, from.1 + BOX_HEIGHT + LABEL_HEIGHT + below)
        } else {
            // The middle of a cubic curve.
            let x = (start.0 as i64 + 3 * c1 + 3 * c2 + end.0 as i64) / 8;
            (usize::try_from(x).unwrap_or_default(), (start.1 + end.1) / 2 + 2 * lane * LABEL_HEIGHT + below)
        };
        text(corner, &arrow.label, " font-size=\"10\"")
    };
    let colour = colour(arrow.lane);
    format!(
        "{halo}<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}><title>{}</title></path>\
         <circle cx=\"{}\" cy=\"{}\" r=\"3\" fill=\"{colour}\"/>{label}",
        xml(&arrow.title),
        end.0,
        end.1
    )
}
