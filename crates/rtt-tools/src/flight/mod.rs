//! `rtt-flight`: the history of runs, as figures, as lines for people, as spans for tracing tools, and as a page.

mod chart;
mod filter;
pub mod html;
mod otlp;
pub mod report;
mod runs;
mod statistics;
mod table;

pub use filter::{Filter, InvalidFilter, since};
pub use otlp::traces;
pub use runs::{PipelineRun, group};
pub use statistics::{StageStatistics, TwoPhaseCommit, summarize, two_phase_commit};
pub use table::{follow_line, overview, table_head, table_line};
