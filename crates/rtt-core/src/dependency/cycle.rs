//! Circles of requirements: strongly connected components, and a shortest circle of each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::graphmap::DiGraphMap;

use super::resolve::{Finding, Judged};
use crate::diagnostic::{Diagnostic, Place};
use crate::stage::Verdict;
use crate::symbol::InstanceId;

/// From how many instances of one component a shortest circle is searched.
const MAX_STARTS: usize = 500;

/// A requirement that leads somewhere.
pub(super) struct Link {
    from: InstanceId,
    to: InstanceId,
    optional: bool,
    place: Place,
}

impl Link {
    /// Takes the link of a requirement; `None` if it leads nowhere.
    pub(super) fn of(judged: &Judged) -> Option<Self> {
        Some(Self {
            from: judged.edge.from.clone(),
            to: judged.toward.clone()?,
            optional: judged.edge.optional,
            place: judged.place.clone(),
        })
    }
}

/// Reports one shortest circle of each component: an error, or an information if an optional requirement opens it.
pub(super) fn find(links: &[Link]) -> Vec<Finding> {
    let firm: Vec<&Link> = links.iter().filter(|link| !link.optional).collect();
    let errors = circles(&firm);
    let in_error: BTreeSet<&InstanceId> = errors.iter().flat_map(|circle| &circle.component).copied().collect();
    let mut findings: Vec<Finding> = errors.iter().map(|circle| finding(circle, links, false)).collect();
    let notes = circles(&links.iter().collect::<Vec<_>>());
    let opened = notes.iter().filter(|circle| circle.component.iter().all(|id| !in_error.contains(id)));
    findings.extend(opened.map(|circle| finding(circle, links, true)));
    findings
}

struct Circle<'a> {
    /// Each instance once, the least first.
    path: Vec<&'a InstanceId>,
    /// All instances that lie on some circle with these.
    component: Vec<&'a InstanceId>,
}

fn circles<'a>(links: &[&'a Link]) -> Vec<Circle<'a>> {
    let ids: BTreeSet<&InstanceId> = links.iter().flat_map(|link| [&link.from, &link.to]).collect();
    let ids: Vec<&InstanceId> = ids.into_iter().collect();
    let number: BTreeMap<&InstanceId, usize> = ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut graph: DiGraphMap<usize, ()> = DiGraphMap::new();
    for link in links {
        graph.add_edge(number[&link.from], number[&link.to], ());
    }
    let mut found = Vec::new();
    for mut component in petgraph::algo::tarjan_scc(&graph) {
        component.sort_unstable();
        if component.len() == 1 && !graph.contains_edge(component[0], component[0]) {
            continue;
        }
        let members: BTreeSet<usize> = component.iter().copied().collect();
        let shortest = component.iter().take(MAX_STARTS).filter_map(|start| through(&graph, &members, *start));
        if let Some(path) = shortest.min_by_key(|path| (path.len(), path.clone())) {
            found.push(Circle {
                path: path.into_iter().map(|index| ids[index]).collect(),
                component: component.into_iter().map(|index| ids[index]).collect(),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Returns a shortest circle through an instance, turned so that the least comes first.
fn through(graph: &DiGraphMap<usize, ()>, members: &BTreeSet<usize>, start: usize) -> Option<Vec<usize>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut pending = VecDeque::from([start]);
    while let Some(node) = pending.pop_front() {
        let mut next: Vec<usize> = graph.neighbors(node).filter(|next| members.contains(next)).collect();
        next.sort_unstable();
        for target in next {
            if target == start {
                let mut path = vec![node];
                while let Some(previous) = path.last().filter(|last| **last != start).and_then(|last| before.get(last))
                {
                    path.push(*previous);
                }
                path.reverse();
                let least = path.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
                path.rotate_left(least);
                return Some(path);
            }
            if !before.contains_key(&target) {
                before.insert(target, node);
                pending.push_back(target);
            }
        }
    }
    None
}

fn finding(circle: &Circle, links: &[Link], optional: bool) -> Finding {
    let symbols: BTreeSet<&str> = circle.path.iter().map(|id| id.symbol.as_str()).collect();
    // Versions only tell where two of one symbol are on the circle.
    let name = |id: &InstanceId| {
        if symbols.len() == circle.path.len() { id.symbol.to_string() } else { id.to_string() }
    };
    let closed = circle.path.iter().chain(circle.path.first());
    let shown = closed.map(|id| name(id)).collect::<Vec<_>>().join(" -> ");
    let mut diagnostic = if optional {
        Diagnostic::info("RTT-D003", format!("Circular dependency with an optional part: {shown}"))
    } else {
        Diagnostic::error("RTT-D003", format!("Circular dependency: {shown}"))
            .help("remove one of these requirements, or make one \"optional\": true if its agent can start without it")
    };
    if circle.component.len() > circle.path.len() {
        let all = circle.component.len();
        diagnostic = diagnostic.help(format!("{all} instances lie on circles with these; this one is the shortest"));
    }
    for (index, from) in circle.path.iter().enumerate() {
        let to = circle.path[(index + 1) % circle.path.len()];
        let link = links.iter().find(|link| link.from == **from && link.to == *to && (optional || !link.optional));
        if let Some(link) = link {
            if index == 0 {
                diagnostic = diagnostic.at(link.place.clone());
            }
            diagnostic = diagnostic.related(link.place.clone(), format!("{from} requires {to}"));
        }
    }
    Finding { class: Verdict::CircularDependency, symbol: Some(circle.path[0].symbol.clone()), diagnostic }
}
