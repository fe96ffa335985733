//! `--marginal`: per node, what one more processor or a GiB more would improve.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::planner::problem::{OBJECTIVES, Problem};
use crate::planner::{Built, Options, Solution, Worth, marginal};
use crate::stage::{Report, Verdict};

/// One processor and a GiB.
const STEPS: (i64, i64) = (1_000, 1_024);

/// Answers as text and as JSON.
pub(super) fn report(built: &Built, solution: &Solution, options: &Options) -> Report {
    let problem = &built.problem;
    let worths = marginal(problem, solution, STEPS, options);
    let mut text = String::new();
    let mut nodes = Vec::new();
    for (index, (node, [cpu, memory])) in problem.nodes.iter().zip(&worths).enumerate() {
        let host = &problem.hosts[node.host];
        let used = used(problem, solution, index);
        writeln!(
            text,
            "{host} node {}: {} of {} millicores and {} of {} MiB are used\n  1 CPU more:    {}\n  1024 MiB more: {}",
            node.id,
            used.0,
            node.millicores,
            used.1,
            node.memory_mib,
            words(cpu),
            words(memory)
        )
        .expect("writing to a string");
        nodes.push(json!({
            "host": host, "numa_node": node.id,
            "cpu": {"used": used.0, "capacity": node.millicores, "step": STEPS.0, "worth": value(cpu)},
            "memory": {"used": used.1, "capacity": node.memory_mib, "step": STEPS.1, "worth": value(memory)},
        }));
    }
    let mut report = Report::new(Verdict::Success, "What more capacity would improve");
    report.body = Some(text);
    report.answer = Some(json!({"nodes": nodes}));
    report
}

fn used(problem: &Problem, solution: &Solution, node: usize) -> (i64, i64) {
    let here = problem.agents.iter().zip(&solution.assignment.placement).filter(|(_, at)| **at == node);
    here.fold((0, 0), |sum, (agent, _)| (sum.0 + agent.millicores, sum.1 + agent.memory_mib))
}

fn words(worth: &Worth) -> String {
    match worth {
        Worth::Improves { level, from, to, is_proven } => {
            let doubt = if *is_proven { "" } else { " (found; the plan is not proven to be the best without it)" };
            format!("{} {from} → {to}{doubt}", OBJECTIVES[*level])
        }
        Worth::Nothing => "nothing".to_owned(),
        Worth::Unknown => "unknown within the work limit".to_owned(),
    }
}

fn value(worth: &Worth) -> Value {
    match worth {
        Worth::Improves { level, from, to, is_proven } => {
            json!({"kind": "improves", "objective": OBJECTIVES[*level], "from": from, "to": to, "proven": is_proven})
        }
        Worth::Nothing => json!({"kind": "nothing"}),
        Worth::Unknown => json!({"kind": "unknown"}),
    }
}
