//! `rtt-flight`: shows what the flight recorder kept, as a table for people, as JSON for other tools, as a page.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use rtt_cli::ToolOptions;
use rtt_core::clock;
use rtt_core::json;
use rtt_core::stage::{Context, Error, Report, Verdict};
use rtt_core::telemetry::{Record, flight};
use rtt_core::workspace::Workspace;
use rtt_tools::flight::report;
use rtt_tools::flight::{Filter, follow_line, overview, since, table_head, table_line, traces};

/// How often a run that follows looks for new records.
const POLL: Duration = Duration::from_millis(250);

#[derive(Args)]
struct Options {
    /// Which records: `pipeline` (all), stage=10, outcome=success, trace=0af7…; of several all must fit
    #[arg(long, value_name = "WHAT")]
    filter: Vec<Filter>,
    /// Only records from then on: 2026-01-31, 2026-01-31T12:00:00Z, or how long ago, 90m, 12h, 7d
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    since: Option<SystemTime>,
    /// Only the newest records
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Go on printing records as they are written, until the reader or a signal ends it
    #[arg(long, conflicts_with = "html")]
    follow: bool,
    /// Write a page instead: one file, without scripts, for any browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a run, and times and trends of the stages
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// Spans of OpenTelemetry, as its collector takes them
    OtlpJson,
}

fn parse_since(text: &str) -> Result<SystemTime, String> {
    let expected = || "expected 2026-01-31, 2026-01-31T12:00:00Z, or how long ago, 90m, 12h, 7d".to_owned();
    since(text, clock::now()).ok_or_else(expected)
}

impl Options {
    fn selects(&self, record: &Record) -> bool {
        let is_in_time =
            self.since.is_none_or(|since| clock::parse_rfc3339(&record.start).is_some_and(|at| at >= since));
        is_in_time && self.filter.iter().all(|filter| filter.selects(record))
    }

    /// Returns what is printed of the records that were there.
    fn text(&self, records: &[Record]) -> String {
        match self.format {
            Format::Table => {
                let lines: String = records.iter().map(table_line).collect();
                let overview = if records.is_empty() || self.follow { String::new() } else { overview(records) };
                format!("{}{lines}{}{overview}", table_head(), if overview.is_empty() { "" } else { "\n" })
            }
            Format::Json => json::pretty(&records),
            Format::Ndjson => records.iter().map(follow_line).collect(),
            Format::OtlpJson => json::pretty(&traces(records)),
        }
    }

    fn follow(&self, mut tail: flight::Tail) -> Result<(), Error> {
        loop {
            std::thread::sleep(POLL);
            let line = |record: &Record| match self.format {
                Format::Table => table_line(record),
                Format::Json | Format::Ndjson => follow_line(record),
                Format::OtlpJson => traces(std::slice::from_ref(record)).to_string() + "\n",
            };
            let text: String = tail.poll()?.iter().filter(|record| self.selects(record)).map(line).collect();
            if !print(&text) {
                return Ok(());
            }
        }
    }
}

/// Returns whether anybody reads on.
fn print(text: &str) -> bool {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_ok()
}

impl ToolOptions for Options {
    const NAME: &'static str = "rtt-flight";
    const ABOUT: &'static str = "Show the history of pipeline runs";
    const OWN_FORMAT: bool = true;

    fn run(self, workspace: &Workspace, _context: &Context) -> Result<Report, Error> {
        if self.follow && matches!(self.format, Format::Json | Format::OtlpJson) {
            return Err(Error::Usage {
                message: "--follow prints record after record, which makes no one document".to_owned(),
                help: Some("use --format ndjson or table".to_owned()),
            });
        }
        let (tail, mut records) = flight::Tail::begin(workspace)?;
        records.retain(|record| self.selects(record));
        let surplus = self.last.map_or(0, |count| records.len().saturating_sub(count));
        let records = records.split_off(surplus);
        if let Some(file) = &self.html {
            return report::write(workspace, file, &records);
        }
        let mut report = Report::new(Verdict::Success, "");
        let text = self.text(&records);
        if self.follow {
            if print(&text) {
                self.follow(tail)?;
            }
            report.body = Some(String::new());
        } else {
            report.body = Some(text);
        }
        Ok(report)
    }
}

fn main() -> ExitCode {
    rtt_cli::tool_main::<Options>()
}
