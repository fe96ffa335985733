//! Which executable speaks: one of the six stages, or a tool around them.

use rtt_core::stage::Stage;

/// An executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// A stage of the pipeline.
    Stage(Stage),
    /// A tool, by the name of its executable, `rtt-flight`.
    Tool(&'static str),
}

impl Program {
    /// Returns the executable's name.
    pub(crate) fn executable(self) -> &'static str {
        match self {
            Self::Stage(stage) => stage.executable(),
            Self::Tool(name) => name,
        }
    }

    /// Returns what log lines begin with: a stage's two digits, or a tool's name without its `rtt-`.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Stage(stage) => stage.number(),
            Self::Tool(name) => name.strip_prefix("rtt-").unwrap_or(name),
        }
    }

    /// Returns executable and version, as state files name it.
    pub(crate) fn generator(self) -> String {
        format!("{} {}", self.executable(), rtt_core::VERSION)
    }
}
