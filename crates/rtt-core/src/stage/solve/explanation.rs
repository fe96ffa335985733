//! `--explain FROM TO`: what became of every way to serve a route.

use std::fmt::Write as _;

use crate::diagnostic::Place;
use crate::plan::Inputs;
use crate::planner::problem::{Candidate, OBJECTIVES};
use crate::planner::{Built, Options, Reason, Rejection, Solution, explain};
use crate::stage::Error;
use crate::stage::places::Resolver;
use crate::symbol::{InvalidName, SymbolRange};
use crate::text;
use crate::version::Range;

/// Explains every planned route from one symbol to another.
///
/// # Errors
/// [`Error::Usage`] if one of the two is no symbol, or no route is planned between them.
pub(super) fn text(
    inputs: &Inputs,
    built: &Built,
    solution: &Solution,
    (from, to): (&str, &str),
    options: &Options,
    resolver: &mut Resolver,
) -> Result<String, Error> {
    let parse = |name: &str| {
        name.parse::<SymbolRange>().map_err(|error: InvalidName| Error::Usage {
            message: error.to_string(),
            help: Some("--explain takes two symbols, such as agent.api.metrics agent.storage.tsdb".to_owned()),
        })
    };
    let (wanted_from, wanted_to) = (parse(from)?, parse(to)?);
    let names = |route: &usize| {
        let wanted = &built.routes[*route].wanted;
        let is = |asked: &SymbolRange, planned: &SymbolRange| {
            asked.symbol == planned.symbol && (asked == planned || asked.range == Range::any())
        };
        is(&wanted_from, &wanted.from) && is(&wanted_to, &wanted.to)
    };
    let routes: Vec<usize> = (0..built.routes.len()).filter(names).collect();
    if routes.is_empty() {
        return Err(no_such_route(built, &wanted_from, &wanted_to));
    }
    let mut out = String::new();
    for route in routes {
        explain_route(inputs, built, solution, route, options, resolver, &mut out);
    }
    Ok(out)
}

fn no_such_route(built: &Built, from: &SymbolRange, to: &SymbolRange) -> Error {
    let of_source = built.routes.iter().filter(|notes| notes.wanted.from.symbol == from.symbol);
    let targets: Vec<String> = of_source.map(|notes| notes.wanted.to.to_string()).collect();
    let help = if targets.is_empty() {
        let known = built.routes.iter().map(|notes| notes.wanted.from.symbol.as_str());
        text::nearest(from.symbol.as_str(), known).map(|near| format!("did you mean '{near}'?"))
    } else {
        Some(format!("from {from} there are routes to {}", targets.join(", ")))
    };
    Error::Usage { message: format!("no route from '{from}' to '{to}' is planned"), help }
}

fn explain_route(
    inputs: &Inputs,
    built: &Built,
    solution: &Solution,
    route: usize,
    options: &Options,
    resolver: &mut Resolver,
    out: &mut String,
) {
    let mut say = |text: String| writeln!(out, "{text}").expect("writing to a string");
    let problem = &built.problem;
    let name = |candidate: &Candidate| format!("{} via {}", built.instances[candidate.target], candidate.lane);
    let notes = &built.routes[route];
    say(format!("{} -> {}", notes.wanted.from, notes.wanted.to));
    let bounds = [
        notes.qos.latency_ms.map(|ms| format!("latency {ms} ms")),
        notes.qos.throughput_mbps.map(|mbps| format!("throughput {mbps} Mbit/s")),
        problem.routes[route].strict.then(|| "strict".to_owned()),
    ];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    say(format!("  bounds: {}", if bounds.is_empty() { "none".to_owned() } else { bounds.join(", ") }));
    for verdict in explain(problem, solution, route, options) {
        let reason = match verdict.reason {
            Reason::Chosen => {
                let node = &problem.nodes[solution.assignment.placement[verdict.candidate.target]];
                let host = &problem.hosts[node.host];
                format!("chosen, {} µs, on {host} node {}", solution.evaluation.latencies[route], node.id)
            }
            Reason::Infeasible => "no plan that meets every constraint uses it".to_owned(),
            Reason::Worse { level, chosen, with, is_proven } => {
                let proof = if is_proven { "" } else { " in the best plan that was found" };
                format!("worse: {} would be {with}, not {chosen}{proof}", OBJECTIVES[level])
            }
            Reason::AsGood => "as good; of equal plans always the same one is taken".to_owned(),
            Reason::Unknown => "undecided within the work limit".to_owned(),
        };
        say(format!("  {}: {reason}", name(&verdict.candidate)));
    }
    for backup in &solution.evaluation.backups[route] {
        say(format!("  {}: backup", name(backup)));
    }
    for rejected in &notes.rejected {
        let (text, place) = rejection(inputs, rejected);
        let place = place.map(|mut place| {
            resolver.place(&mut place);
            place
        });
        let place = place.map(|place| match place.at {
            Some(at) => format!(" ({}:{}:{})", place.file, at.line, at.column),
            None => format!(" ({})", place.file),
        });
        say(format!("  {text}{}", place.unwrap_or_default()));
    }
}

/// Words why something is not a candidate, and where that was written.
pub(super) fn rejection(inputs: &Inputs, rejection: &Rejection) -> (String, Option<Place>) {
    let lane = rejection.lane.map(|lane| format!(" via {lane}")).unwrap_or_default();
    let text = format!("{}{lane}: not possible: {}", rejection.target, rejection.reason);
    (text, rejection.written.as_ref().map(|written| inputs.place(written)))
}
