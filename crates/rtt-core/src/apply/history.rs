//! What was applied when, by whom it was signed, and how it ended: `--status --history`.

use serde_json::{Value, json};

use super::log::Log;
use super::wal::{Decision, Entry};

/// Returns a table for people, newest first.
pub fn lines(log: &Log) -> Vec<String> {
    let row = |cells: [&str; 7]| {
        let [sequence, generation, kind, at, plan, changes, outcome] = cells;
        format!("{sequence:>8}  {generation:>10}  {kind:<8}  {at:<24}  {plan:<16}  {changes:<16}  {outcome}")
    };
    let mut lines = vec![row(["sequence", "generation", "kind", "at", "plan", "changes", "outcome"])];
    lines.extend(log.entries().rev().map(|entry| {
        let changes = entry.begin.changes;
        row([
            &entry.sequence.to_string(),
            &if entry.decision() == Some(Decision::Commit) {
                entry.begin.generation.to_string()
            } else {
                "-".to_owned()
            },
            entry.begin.kind.as_str(),
            &entry.begin.at,
            &entry.begin.plan.map_or("none".to_owned(), |plan| plan.hex()[..16].to_owned()),
            &format!("+{} ~{} -{}", changes.added, changes.changed, changes.removed),
            &outcome(entry),
        ])
    }));
    lines
}

/// Returns the same for programs.
pub fn json(log: &Log) -> Value {
    let entries = log.entries().rev().map(|entry| {
        json!({
            "sequence": entry.sequence,
            "generation": entry.begin.generation,
            "kind": entry.begin.kind,
            "at": entry.begin.at,
            "plan": entry.begin.plan,
            "signers": entry.begin.signers,
            "verified": entry.begin.verified,
            "changes": entry.begin.changes,
            "outcome": outcome(entry),
        })
    });
    entries.collect()
}

/// Returns who voted and did what, one line a participant.
pub fn table(entry: &Entry) -> Vec<String> {
    let width = entry.begin.participants.iter().map(String::len).max().unwrap_or_default();
    let vote = |name: &str| match entry.votes().iter().find(|vote| vote.participant == *name) {
        None => "no vote".to_owned(),
        Some(vote) => vote.abort.as_ref().map_or("READY".to_owned(), |reason| format!("ABORT: {reason}")),
    };
    let done = |name: &str| match (entry.decision(), entry.is_acknowledged(name)) {
        (None, _) => "undecided",
        (Some(Decision::Commit), true) => "committed",
        (Some(Decision::Commit), false) => "pending",
        (Some(Decision::Abort), true) => "rolled back",
        (Some(Decision::Abort), false) => "rollback pending",
    };
    let lines = entry.begin.participants.iter();
    lines.map(|name| format!("{name:<width$}  {:<16}  {}", done(name), vote(name))).collect()
}

fn outcome(entry: &Entry) -> String {
    let ended = match (entry.decision(), entry.end()) {
        (None, _) => "interrupted",
        (Some(Decision::Commit), Some([])) => "committed",
        (Some(Decision::Commit), Some(_)) => "committed, not in effect",
        (Some(Decision::Commit), None) => "to be committed",
        (Some(Decision::Abort), Some(_)) => "aborted",
        (Some(Decision::Abort), None) => "to be aborted",
    };
    if entry.begin.verified { ended.to_owned() } else { format!("{ended}, not verified") }
}
