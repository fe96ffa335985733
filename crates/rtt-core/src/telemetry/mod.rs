//! The flight recorder and the metrics file. Never fails a stage.
