//! Log lines on stderr: `[Stage] [Level] Message`, or one JSON object a line.

use std::io::{IsTerminal as _, Write as _};

use log::{Level, LevelFilter};
use rtt_core::clock;
use rtt_core::text::printable;

use crate::options::{Common, LogFormat};
use crate::program::Program;

pub(crate) fn start(program: Program, common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::Error,
        (false, 0) => LevelFilter::Info,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    };
    let colored = common.color.enabled(std::io::stderr().is_terminal());
    let format = common.log_format;
    let mut builder = env_logger::Builder::new();
    // Libraries speak only where RUST_LOG asks them to.
    builder
        .filter_module("rtt_core", level)
        .filter_module("rtt_cli", level)
        .filter_module("rtt_tools", level)
        .parse_default_env();
    builder.format(move |out, record| {
        let message = record.args().to_string();
        match format {
            LogFormat::Json => {
                let line = serde_json::json!({
                    "ts": clock::rfc3339_millis(clock::now()),
                    "stage": program.mark(),
                    "level": record.level().as_str(),
                    "message": message,
                    "target": record.target(),
                });
                writeln!(out, "{line}")
            }
            LogFormat::Text => {
                let (on, off) = if colored { (color(record.level()), "\x1b[0m") } else { ("", "") };
                writeln!(out, "[{}] [{on}{}{off}] {}", program.mark(), record.level(), printable(&message))
            }
        }
    });
    builder.init();
}

fn color(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[2m",
    }
}
