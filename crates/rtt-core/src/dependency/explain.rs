//! `--explain`: who needs a symbol, through whom, what is chosen for them, and why each other candidate was refused.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use super::finding::Finding;
use super::judge::Resolved;
use super::resolve::{Resolution, reason_words};
use crate::diagnostic::Severity;
use crate::symbol::SymbolRange;
use crate::text::counted;

/// Explains a symbol: its instances, those who require it, what it requires itself, and what is wrong with it. `None`
/// if nobody knows it.
pub fn explain(resolution: &Resolution, wanted: &SymbolRange) -> Option<String> {
    let judge = &resolution.judge;
    let is_wanted = |position: &usize| wanted.range.contains(&judge.instance(*position).manifest.version);
    let instances: Vec<usize> = judge.versions(&wanted.symbol).filter(is_wanted).collect();
    let needed: Vec<&Resolved> =
        resolution.edges.iter().filter(|edge| judge.requirement(edge).symbol == wanted.symbol).collect();
    if instances.is_empty() && needed.is_empty() {
        return None;
    }
    let mut story = Story { resolution, ways: Ways::new(resolution), out: String::new() };
    if instances.is_empty() {
        story.say(format!("{wanted} is not registered"));
    } else {
        let names: Vec<String> =
            instances.iter().map(|position| judge.instance(*position).manifest.version.to_string()).collect();
        let versions = counted(names.len(), "version");
        story.say(format!("{} is registered in {versions}: {}", wanted.symbol, names.join(", ")));
    }
    if needed.is_empty() {
        story.say("nobody requires it".to_owned());
    } else {
        story.say("required by:".to_owned());
    }
    needed.into_iter().for_each(|edge| story.consumer(edge));
    let own: Vec<&Resolved> = resolution.edges.iter().filter(|edge| instances.contains(&edge.consumer)).collect();
    if !own.is_empty() {
        story.say("requires:".to_owned());
    }
    for edge in own {
        let edge = resolution.edge(edge);
        let target = edge.accepted.first().map_or_else(|| "nothing that meets it".to_owned(), ToString::to_string);
        story.say(format!("  {}: {} {} -> {target}", edge.from, edge.symbol, edge.range));
    }
    story.problems(wanted);
    Some(story.out)
}

struct Story<'a> {
    resolution: &'a Resolution<'a>,
    ways: Ways,
    out: String,
}

impl Story<'_> {
    fn say(&mut self, text: String) {
        writeln!(self.out, "{text}").expect("writing to a string");
    }

    fn consumer(&mut self, resolved: &Resolved) {
        let edge = self.resolution.edge(resolved);
        let optional = if edge.optional { ", optional" } else { "" };
        self.say(format!("  {} ({}{optional})", edge.from, edge.range));
        let way = self.ways.to(resolved.consumer);
        if way.len() > 1 {
            let names: Vec<String> = way.into_iter().map(|position| self.resolution.id(position).to_string()).collect();
            self.say(format!("    needed through: {}", names.join(" -> ")));
        }
        match edge.accepted.split_first() {
            Some((chosen, others)) => {
                self.say(format!("    chosen: {chosen}, the highest version that meets the requirement"));
                for other in others {
                    self.say(format!("    also meets it: {other}"));
                }
            }
            None => self.say("    chosen: nothing".to_owned()),
        }
        for (position, reason) in &resolved.refused {
            let words = reason_words(&self.resolution.judge, resolved, *position, reason);
            self.say(format!("    refused: {}: {words}", self.resolution.id(*position)));
        }
        if edge.accepted.is_empty() && edge.refused.is_empty() {
            self.say("    no version of it is registered".to_owned());
        }
    }

    fn problems(&mut self, wanted: &SymbolRange) {
        let concerns = |finding: &&Finding| {
            finding.symbol.as_ref() == Some(&wanted.symbol)
                || finding.instance.as_ref().is_some_and(|instance| wanted.contains(instance))
        };
        let (found, ignored) = (&self.resolution.findings, &self.resolution.ignored);
        let found = found.iter().filter(concerns).map(|finding| (finding, ""));
        let mut lines: Vec<(Severity, String)> = found
            .chain(ignored.iter().filter(concerns).map(|finding| (finding, ", ignored")))
            .map(|(finding, ignored)| {
                let diagnostic = &finding.diagnostic;
                (diagnostic.severity, format!("  {}{ignored}: {}", diagnostic.rule, diagnostic.message))
            })
            .collect();
        lines.sort();
        if !lines.is_empty() {
            self.say("findings:".to_owned());
        }
        lines.into_iter().for_each(|(_, line)| self.say(line));
    }
}

/// Who is needed by whom, upwards.
struct Ways {
    /// Of each instance, those whose requirements lead to it.
    above: BTreeMap<usize, Vec<usize>>,
}

impl Ways {
    fn new(resolution: &Resolution) -> Self {
        let mut above: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for edge in &resolution.edges {
            if let Some(to) = edge.toward {
                above.entry(to).or_default().push(edge.consumer);
            }
        }
        Self { above }
    }

    /// Returns a shortest way from an instance that nobody requires; only the instance itself where there is none.
    fn to(&self, instance: usize) -> Vec<usize> {
        let mut below: BTreeMap<usize, usize> = BTreeMap::from([(instance, instance)]);
        let mut pending = VecDeque::from([instance]);
        while let Some(node) = pending.pop_front() {
            let Some(above) = self.above.get(&node) else {
                let mut way = vec![node];
                let mut at = node;
                while at != instance {
                    at = below[&at];
                    way.push(at);
                }
                return way;
            };
            for consumer in above {
                below.entry(*consumer).or_insert_with(|| {
                    pending.push_back(*consumer);
                    node
                });
            }
        }
        vec![instance]
    }
}
