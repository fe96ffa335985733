//! `rtt-flight`: shows what the flight recorder kept, as a table for people or as JSON for other tools.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, ValueEnum};
use rtt_core::telemetry::{Record, flight};
use rtt_core::text::printable;
use rtt_core::workspace::{Hints, RTT_ROOT, Workspace};

/// Show the history of pipeline runs
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Workspace root [default: $RTT_ROOT, else the nearest parent folder that holds .rtt/]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Which records: `pipeline` (all stages), or a stage's number
    #[arg(long, value_name = "WHAT", value_parser = ["pipeline", "00", "10", "20", "30", "40", "50"], default_value = "pipeline")]
    filter: String,
    /// Only the newest records
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line a run
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
}

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            drop(error.print());
            let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if is_answer { 0 } else { 64 });
        }
    };
    match records(&options) {
        Ok(records) => {
            let text = match options.format {
                Format::Table => table(&records),
                Format::Json => rtt_core::json::pretty(&records),
                Format::Ndjson => records.iter().map(line).collect(),
            };
            // A reader that closes the pipe early has what it wanted.
            drop(std::io::stdout().write_all(text.as_bytes()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            drop(writeln!(std::io::stderr(), "[FAIL] {}", printable(&error.to_string())));
            ExitCode::from(66)
        }
    }
}

fn records(options: &Options) -> Result<Vec<Record>, rtt_core::workspace::Error> {
    let current_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let rtt_root = std::env::var_os(RTT_ROOT).filter(|value| !value.is_empty()).map(PathBuf::from);
    let workspace = Workspace::discover(&Hints { root: options.root.clone(), rtt_root, current_dir })?;
    let mut records = flight::read(&workspace)?;
    records.retain(|record| options.filter == "pipeline" || record.stage == options.filter);
    let surplus = options.last.map_or(0, |count| records.len().saturating_sub(count));
    Ok(records.split_off(surplus))
}

fn line(record: &Record) -> String {
    let mut line = serde_json::to_string(record).expect("string keys and finite numbers");
    line.push('\n');
    line
}

fn table(records: &[Record]) -> String {
    let mut text = format!("{:<24} {:<5} {:>4} {:>10}  {:<20} FIGURES\n", "START", "STAGE", "EXIT", "TIME", "OUTCOME");
    for record in records {
        let figures: Vec<String> = record.figures.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text.push_str(&format!(
            "{:<24} {:<5} {:>4} {:>7} ms  {:<20} {}\n",
            printable(&record.start),
            printable(&record.stage),
            record.exit_code,
            record.duration_ms,
            printable(&record.outcome),
            printable(&figures.join(" ")),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_cannot_be_forged_by_a_record() {
        let record = Record {
            version: "1.0.0".to_owned(),
            start: "2025-10-27T12:00:00.000Z".to_owned(),
            duration_ms: 12,
            stage: "10".to_owned(),
            generator: "test".to_owned(),
            exit_code: 0,
            outcome: "success\n\u{1b}[2J".to_owned(),
            inputs: None,
            figures: [("symbols".to_owned(), 8.into())].into(),
            trace: None,
        };
        let text = table(&[record]);
        assert_eq!(text.lines().count(), 2);
        assert!(text.ends_with("12 ms  success\\n\\u{1b}[2J   symbols=8\n"), "{text}");
    }
}
