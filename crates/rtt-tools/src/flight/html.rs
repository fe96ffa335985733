//! The history as one page: no script, no network, readable in light and dark, by keyboard and by screen readers. Every
//! picture has its numbers in a table as well, and no meaning rests on colour alone.
//!
//! Equal records give equal bytes. Whatever comes from records and plans goes through [`xml`].

use std::fmt::Write as _;
use std::time::Duration;

use rtt_core::clock;
use rtt_core::drawing::xml;
use rtt_core::telemetry::Record;
use rtt_core::text::counted;

use super::runs::{PipelineRun, group, start_of};
use super::statistics::{StageStatistics, summarize, two_phase_commit};
use super::table::figures_line;

/// How many runs of the pipeline have a timeline.
const TIMELINES: usize = 20;
/// How many runs of a stage its chart shows.
const BARS: usize = 60;
/// How many records the log lists.
const LOGGED: usize = 500;
/// Sizes of the pictures in their own units.
const WIDTH: u64 = 720;
const CHART_HEIGHT: u64 = 90;
const ROW_HEIGHT: u64 = 24;
const LABEL_WIDTH: u64 = 150;

const STYLE: &str = include_str!("page.css");

/// The newest plan, as far as there is one.
pub enum PlanPicture {
    /// There is none.
    None,
    /// It cannot be drawn, for this reason.
    Undrawn(String),
    /// An SVG and the plan's name.
    Drawn {
        /// `plans/<id>.plan.json`.
        name: String,
        /// The picture, made by [`rtt_core::plan::graph`].
        svg: String,
        /// What it shows in one line.
        caption: String,
    },
}

/// Renders the page.
pub fn page(records: &[Record], plan: &PlanPicture) -> String {
    let runs = group(records);
    let stages = summarize(records);
    let mut out = String::new();
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing may be fetched, whatever a name in the records looks like.
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<title>RTT flight report</title>\n");
    write(&mut out, &format!("<style>\n{STYLE}</style>\n</head>\n<body>\n"));
    out.push_str("<header><h1>RTT flight report</h1>\n");
    match (records.first(), records.last()) {
        (Some(first), Some(last)) => write(
            &mut out,
            &format!(
                "<p>{} of stages from {} to {}</p></header>\n",
                counted(records.len(), "run"),
                time(&first.start),
                time(&last.start)
            ),
        ),
        _ => out.push_str("<p>No run is recorded.</p></header>\n"),
    }
    out.push_str("<main>\n");
    figures(&mut out, records, &runs);
    stage_table(&mut out, &stages);
    durations(&mut out, records, &stages);
    timelines(&mut out, &runs);
    plan_picture(&mut out, plan);
    log(&mut out, records);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn write(out: &mut String, text: &str) {
    out.push_str(text);
}

fn section(out: &mut String, id: &str, title: &str) {
    writeln!(out, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>").expect("writing to a string");
}

fn figures(out: &mut String, records: &[Record], runs: &[PipelineRun]) {
    section(out, "summary", "Summary");
    out.push_str("<dl class=\"figures\">\n");
    let mut figure = |name: &str, value: &str| {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", xml(value)).expect("writing to a string");
    };
    figure("Pipeline runs", &runs.len().to_string());
    figure("Succeeded", &runs.iter().filter(|run| run.succeeded()).count().to_string());
    let sum = two_phase_commit(records);
    figure("Transactions", &sum.total().to_string());
    let share = sum.success_permille().map(|share| format!("{}.{} %", share / 10, share % 10));
    figure("2PC success", &share.unwrap_or_else(|| "no transaction".to_owned()));
    figure("Newest run", &records.last().map_or_else(|| "none".to_owned(), |record| record.outcome.clone()));
    out.push_str("</dl>\n</section>\n");
}

fn stage_table(out: &mut String, stages: &[StageStatistics]) {
    section(out, "stages", "Stages");
    out.push_str(
        "<div class=\"wide\"><table>\n<caption>Times of all recorded runs, by nearest rank</caption>\n<thead><tr>",
    );
    for head in ["Stage", "Runs", "Succeeded", "p50", "p95", "p99", "Longest"] {
        write(out, &format!("<th scope=\"col\">{head}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for stage in stages {
        let StageStatistics { runs, succeeded, p50_ms, p95_ms, p99_ms, max_ms, .. } = stage;
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{runs}</td><td>{succeeded}</td><td>{p50_ms} ms</td><td>{p95_ms} ms</td>\
             <td>{p99_ms} ms</td><td>{max_ms} ms</td></tr>",
            xml(&stage.stage)
        )
        .expect("writing to a string");
    }
    out.push_str("</tbody></table></div>\n</section>\n");
}

/// One chart a stage: a bar a run, failed ones hatched.
fn durations(out: &mut String, records: &[Record], stages: &[StageStatistics]) {
    section(out, "durations", "Stage durations over time");
    out.push_str(
        "<svg class=\"defs\" aria-hidden=\"true\"><defs><pattern id=\"failed\" width=\"6\" height=\"6\" \
         patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"bad\" width=\"3\" height=\"6\"/>\
         </pattern></defs></svg>\n<p class=\"key\"><span class=\"swatch ok\"></span> succeeded \
         <span class=\"swatch bad\"></span> failed, hatched</p>\n",
    );
    for stage in stages {
        let all: Vec<&Record> = records.iter().filter(|record| record.stage == stage.stage).collect();
        let shown = &all[all.len().saturating_sub(BARS)..];
        let highest = shown.iter().map(|record| record.duration_ms).max().unwrap_or_default();
        let name = xml(&stage.stage);
        let label = format!(
            "Stage {name}: the newest {}, at most {highest} ms; the median of all is {} ms",
            counted(shown.len(), "run"),
            stage.p50_ms
        );
        writeln!(
            out,
            "<figure>\n<figcaption>Stage {name} <span class=\"quiet\">at most {highest} ms</span></figcaption>\n\
             <svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {WIDTH} {CHART_HEIGHT}\">"
        )
        .expect("writing to a string");
        let step = WIDTH / BARS as u64;
        for (record, index) in shown.iter().zip(0_u64..) {
            let height = scaled(record.duration_ms, highest, CHART_HEIGHT - 6).max(2);
            let class = if record.exit_code == 0 { "ok" } else { "failed" };
            writeln!(
                out,
                "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>{}: {} ms, {}</title></rect>",
                index * step,
                CHART_HEIGHT - height,
                step - 2,
                xml(&record.start),
                record.duration_ms,
                xml(&record.outcome)
            )
            .expect("writing to a string");
        }
        writeln!(out, "<line class=\"axis\" x1=\"0\" y1=\"{CHART_HEIGHT}\" x2=\"{WIDTH}\" y2=\"{CHART_HEIGHT}\"/>\n</svg>\n</figure>")
            .expect("writing to a string");
    }
    out.push_str("</section>\n");
}

/// Returns `value` of `highest` as a part of `length`.
fn scaled(value: u64, highest: u64, length: u64) -> u64 {
    let scaled = u128::from(value) * u128::from(length) / u128::from(highest.max(1));
    u64::try_from(scaled).unwrap_or(length).min(length)
}

/// One timeline a run of the pipeline, the newest first.
fn timelines(out: &mut String, runs: &[PipelineRun]) {
    section(out, "timelines", "Timelines");
    let shown = &runs[runs.len().saturating_sub(TIMELINES)..];
    if shown.len() < runs.len() {
        write(out, &format!("<p>The newest {} of {}.</p>\n", shown.len(), counted(runs.len(), "run")));
    }
    for (index, run) in shown.iter().enumerate().rev() {
        timeline(out, run, runs.len() - shown.len() + index + 1);
    }
    out.push_str("</section>\n");
}

fn timeline(out: &mut String, run: &PipelineRun, number: usize) {
    let start = run.start();
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let span = ms(run.span());
    let word = if run.succeeded() { "succeeded" } else { "failed" };
    let height = ROW_HEIGHT * run.records.len() as u64;
    let at = clock::rfc3339(start);
    writeln!(
        out,
        "<article aria-labelledby=\"run-{number}\">\n<h3 id=\"run-{number}\">Run {number}, {} <span class=\"badge {word}\">{word}</span></h3>",
        time(&at)
    )
    .expect("writing to a string");
    if let Some(trace) = run.trace_id {
        write(out, &format!("<p class=\"quiet\">Trace <code>{}</code></p>\n", xml(trace)));
    }
    let label = format!("Run {number}: {} in {span} ms, {word}", counted(run.records.len(), "stage"));
    writeln!(out, "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {WIDTH} {height}\">")
        .expect("writing to a string");
    for (record, row) in run.records.iter().zip(0_u64..) {
        let offset = ms(start_of(record).duration_since(start).unwrap_or_default());
        let length = WIDTH - LABEL_WIDTH;
        let width = scaled(record.duration_ms, span, length).max(3);
        let x = LABEL_WIDTH + scaled(offset, span, length).min(length - width);
        let class = if record.exit_code == 0 { "ok" } else { "failed" };
        writeln!(
            out,
            "<text x=\"0\" y=\"{}\">{} · {} ms</text><rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"14\" rx=\"2\">\
             <title>stage {} began {offset} ms in, took {} ms, ended {}</title></rect>",
            row * ROW_HEIGHT + 16,
            xml(&record.stage),
            record.duration_ms,
            row * ROW_HEIGHT + 5,
            xml(&record.stage),
            record.duration_ms,
            xml(&record.outcome)
        )
        .expect("writing to a string");
    }
    out.push_str("</svg>\n<details><summary>Figures</summary>\n");
    record_table(out, run.records.iter().copied());
    out.push_str("</details>\n</article>\n");
}

fn plan_picture(out: &mut String, plan: &PlanPicture) {
    section(out, "plan", "The newest plan");
    match plan {
        PlanPicture::None => out.push_str("<p>No plan has been made.</p>\n"),
        PlanPicture::Undrawn(reason) => write(out, &format!("<p>{}</p>\n", xml(reason))),
        PlanPicture::Drawn { name, svg, caption } => write(
            out,
            &format!(
                "<figure>\n<figcaption><code>{}</code>: {}. Backups are dashed. This page does not verify signatures.</figcaption>\n\
                 <div class=\"picture\" role=\"img\" aria-label=\"{}\" tabindex=\"0\">\n{svg}</div>\n</figure>\n",
                xml(name),
                xml(caption),
                xml(caption)
            ),
        ),
    }
    out.push_str("</section>\n");
}

fn log(out: &mut String, records: &[Record]) {
    section(out, "log", "Log");
    let shown = &records[records.len().saturating_sub(LOGGED)..];
    if shown.len() < records.len() {
        write(out, &format!("<p>The newest {} of {}.</p>\n", shown.len(), counted(records.len(), "record")));
    }
    out.push_str("<details><summary>All stages, the newest first</summary>\n");
    record_table(out, shown.iter().rev());
    out.push_str("</details>\n</section>\n");
}

fn record_table<'a>(out: &mut String, records: impl Iterator<Item = &'a Record>) {
    out.push_str("<div class=\"wide\"><table>\n<thead><tr>");
    for head in ["Start", "Stage", "Exit", "Time", "Outcome", "Figures"] {
        write(out, &format!("<th scope=\"col\">{head}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for record in records {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{} ms</td><td>{}</td><td class=\"figures\">{}</td></tr>",
            time(&record.start),
            xml(&record.stage),
            record.exit_code,
            record.duration_ms,
            xml(&record.outcome),
            xml(&figures_line(record))
        )
        .expect("writing to a string");
    }
    out.push_str("</tbody></table></div>\n");
}

fn time(text: &str) -> String {
    let text = xml(text);
    format!("<time datetime=\"{text}\">{text}</time>")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::statistics::tests::record;
    use super::*;

    #[test]
    fn nothing_in_a_record_becomes_markup() {
        let hostile = "\"><script>alert(1)</script>&\u{202e}<img src=x onerror=y>";
        let record = Record {
            outcome: hostile.to_owned(),
            stage: hostile.to_owned(),
            start: hostile.to_owned(),
            figures: [(hostile.to_owned(), json!(hostile))].into(),
            ..record("10", "", 5, 1)
        };
        let plan = PlanPicture::Undrawn(hostile.to_owned());
        let page = page(&[record], &plan);
        assert!(page.contains("&lt;script&gt;"), "{page}");
        for harm in ["<script", "<img", "\u{202e}", "\"><script"] {
            assert!(!page.contains(harm), "{harm}");
        }
    }

    #[test]
    fn an_empty_history_is_a_page_too() {
        let page = page(&[], &PlanPicture::None);
        assert!(page.contains("No run is recorded.") && page.contains("No plan has been made."), "{page}");
    }

    #[test]
    fn pictures_are_bounded_whatever_records_say() {
        let mut records: Vec<Record> =
            (0..300).map(|n| record("10", "2026-01-01T00:00:00.000Z", n, u8::from(n % 7 == 0))).collect();
        records.push(record("20", "no time", u64::MAX, 0));
        let page = page(&records, &PlanPicture::None);
        assert_eq!(page.matches("<article").count(), TIMELINES);
        assert!(page.contains("The newest 20 of 300 runs."), "{page}");
        for part in page.split(" x=\"").skip(1) {
            let x: u64 = part.split('"').next().expect("a number").parse().expect("a whole number");
            assert!(x <= WIDTH, "{x}");
        }
    }
}
