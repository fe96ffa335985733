//! Writes the page: the history with the picture of the newest plan.

use std::path::Path;

use rtt_core::lane;
use rtt_core::plan::{GraphFormat, Plan, graph, source};
use rtt_core::schema::Schema;
use rtt_core::stage::{Error, Report, Verdict};
use rtt_core::telemetry::Record;
use rtt_core::text::counted;
use rtt_core::workspace::durable::{self, Mode};
use rtt_core::workspace::{self, Workspace, layout, state};

use super::html::{PlanPicture, page};

/// Writes the page, whole or not at all.
///
/// # Errors
/// [`Error::Workspace`] if it cannot be written or a plan not be read.
pub fn write(workspace: &Workspace, file: &Path, records: &[Record]) -> Result<Report, Error> {
    let text = page(records, &picture(workspace)?);
    durable::write_atomic(file, text.as_bytes(), Mode::Public)
        .map_err(|source| workspace::Error::create(file, source))?;
    let mut report =
        Report::new(Verdict::Success, format!("Wrote {} to {}", counted(records.len(), "record"), file.display()));
    report.outputs.push(workspace.relative(file));
    Ok(report)
}

fn picture(workspace: &Workspace) -> Result<PlanPicture, Error> {
    let Some(source) = source::latest(workspace)? else { return Ok(PlanPicture::None) };
    let Ok(plan) = state::parse::<Plan>(&source.name, &source.bytes, Schema::Plan) else {
        return Ok(PlanPicture::Undrawn(format!("{} is not a valid plan.", source.name)));
    };
    let plan = plan.value;
    let routes = counted(plan.routes.len(), "route");
    let Ok((lanes, _)) = lane::read(workspace) else {
        return Ok(PlanPicture::Undrawn(format!("{} is not valid.", layout::LANES)));
    };
    let svg = graph(&plan, &lanes, GraphFormat::Svg);
    Ok(PlanPicture::Drawn { name: source.name, svg, caption: format!("a plan of {routes}") })
}
