//! `rtt-flight`, the recorder and the metrics, as other programs see them: fifty writers at once and some of them killed, one
//! trace from stage to stage, Prometheus' own reader, and the page in a browser.

mod export;
mod exposition;
mod page;
mod recorder;

use rtt_tests::{Run, STAGES, Scratch};

/// The tool.
const FLIGHT: &str = "rtt-flight";
/// A trace and a span of somebody who starts the pipeline.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// The quickstart after a whole run in one trace.
fn flown(name: &str) -> Scratch {
    let scratch = Scratch::copy_of("quickstart", name);
    for stage in STAGES {
        let mut command = scratch.command(stage);
        Run::of(command.env("TRACEPARENT", format!("00-{TRACE}-{PARENT}-01"))).expect_code(0);
    }
    scratch
}
