//! A progress bar on a terminal; nothing in pipes and CI.

use std::io::IsTerminal as _;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use rtt_core::stage::Progress;

use crate::options::{Common, Format};

/// Draws on stderr if that is a terminal that a person looks at.
pub(crate) struct TerminalProgress {
    enabled: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl TerminalProgress {
    pub(crate) fn new(common: &Common, format: Format) -> Self {
        let in_ci = std::env::var_os("CI").is_some();
        let enabled = std::io::stderr().is_terminal() && !in_ci && !common.quiet && format == Format::Human;
        Self { enabled, bar: Mutex::new(None) }
    }

    fn with_bar(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut self.bar.lock().expect("no holder of this lock panics"));
    }
}

impl Progress for TerminalProgress {
    fn start(&self, label: &str, total: u64) {
        if !self.enabled {
            return;
        }
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}").expect("a constant template");
        let bar = ProgressBar::new(total).with_style(style.progress_chars("=> ")).with_message(label.to_owned());
        self.with_bar(|slot| *slot = Some(bar));
    }

    fn advance(&self, steps: u64) {
        self.with_bar(|slot| {
            if let Some(bar) = slot {
                bar.inc(steps);
            }
        });
    }

    fn finish(&self) {
        self.with_bar(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
    }
}
