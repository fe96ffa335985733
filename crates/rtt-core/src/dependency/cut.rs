//! A smallest set of links without which no circle is left (a minimum feedback arc set).
//!
//! Exact for small components: circles are found one by one, and each is broken at every one of its links in turn. For
//! others, the nodes are put into an order in which few links lead backwards, as by Eades, Lin and Smyth ("A fast and
//! effective heuristic for the feedback arc set problem", 1993); of these, whatever is not needed is put back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::network::Network;

/// Components with more links than this are not solved exactly.
const MAX_EXACT_LINKS: usize = 200;

/// How much of the work that is granted a single component may take.
const MAX_STEPS: usize = 20_000_000;

/// Links to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// By their positions in the network, sorted.
    pub(super) links: Vec<usize>,
    /// Proven: no fewer links do, and no other choice of as few takes more optional ones.
    pub(super) is_smallest: bool,
}

/// Returns a set of links without which the network has no circle, optional ones preferred.
///
/// `steps` limits the work, counted in links looked at, and is reduced by what was spent.
pub(super) fn smallest(network: &Network, steps: &mut usize) -> Cut {
    let granted = MAX_STEPS.min(*steps);
    let mut left = granted;
    let cut = smallest_within(network, &mut left);
    *steps -= granted - left;
    cut
}

fn smallest_within(network: &Network, steps: &mut usize) -> Cut {
    let good = good(network, steps);
    if network.links().len() <= MAX_EXACT_LINKS {
        let mut search = Search::new(network, steps);
        for size in 1..=good.len() {
            search.descend(size, &mut Vec::new(), 0);
            if *search.steps == 0 {
                break;
            }
            if let Some((_, mut links)) = search.best.take() {
                links.sort_unstable();
                return Cut { links, is_smallest: true };
            }
        }
    }
    Cut { links: good, is_smallest: false }
}

/// Tells whether no circle is left without some links, given by their positions.
pub(super) fn breaks_all(network: &Network, removed: &[usize]) -> bool {
    let mut is_removed = vec![false; network.links().len()];
    removed.iter().for_each(|link| is_removed[*link] = true);
    let mut incoming = vec![0_usize; network.n_nodes()];
    let left = || network.links().iter().enumerate().filter(|(position, _)| !is_removed[*position]);
    left().for_each(|(_, link)| incoming[link.to] += 1);
    let mut pending: Vec<usize> = (0..network.n_nodes()).filter(|node| incoming[*node] == 0).collect();
    let mut n_done = 0;
    while let Some(node) = pending.pop() {
        n_done += 1;
        for (position, link) in network.out(node) {
            if !is_removed[position] {
                incoming[link.to] -= 1;
                if incoming[link.to] == 0 {
                    pending.push(link.to);
                }
            }
        }
    }
    n_done == network.n_nodes()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Removed,
    /// Cuts with this link were tried already.
    Kept,
}

struct Search<'a> {
    network: &'a Network,
    state: Vec<State>,
    /// The best cut of the size in question, and how many of its links are not optional.
    best: Option<(usize, Vec<usize>)>,
    circles: CircleFinder<'a>,
    steps: &'a mut usize,
}

impl<'a> Search<'a> {
    fn new(network: &'a Network, steps: &'a mut usize) -> Self {
        let state = vec![State::Free; network.links().len()];
        Self { network, state, best: None, circles: CircleFinder::new(network), steps }
    }

    /// Tries every cut of at most `size` further links.
    fn descend(&mut self, size: usize, cut: &mut Vec<usize>, n_firm: usize) {
        if self.best.as_ref().is_some_and(|(best, _)| n_firm >= *best) {
            return;
        }
        let circle = self.shortest_circle();
        if *self.steps == 0 {
            return;
        }
        let Some(circle) = circle else {
            self.best = Some((n_firm, cut.clone()));
            return;
        };
        if size == 0 {
            return;
        }
        let mut choices: Vec<usize> = circle.into_iter().filter(|link| self.state[*link] == State::Free).collect();
        choices.sort_by_key(|link| (!self.network.links()[*link].optional, *link));
        for link in &choices {
            self.state[*link] = State::Removed;
            cut.push(*link);
            self.descend(size - 1, cut, n_firm + usize::from(!self.network.links()[*link].optional));
            cut.pop();
            self.state[*link] = State::Kept;
        }
        choices.iter().for_each(|link| self.state[*link] = State::Free);
    }

    /// A shortest circle of what is not removed, as links: the fewer there are, the fewer are tried.
    fn shortest_circle(&mut self) -> Option<Vec<usize>> {
        let mut best: Option<Vec<usize>> = None;
        for start in 0..self.network.n_nodes() {
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            let is_usable = |link: usize| self.state[link] != State::Removed;
            if let Some(circle) = self.circles.shortest_through(start, limit, is_usable, self.steps) {
                best = Some(circle);
            }
        }
        best
    }
}

/// Finds shortest circles, one after the other in the same memory.
pub(super) struct CircleFinder<'a> {
    network: &'a Network,
    /// For each node, the round in which it was reached last, and the link by which.
    reached: Vec<(usize, usize)>,
    round: usize,
    /// Nodes to go on from, and how many links lie behind each.
    pending: VecDeque<(usize, usize)>,
}

impl<'a> CircleFinder<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        Self { network, reached: vec![(0, 0); network.n_nodes()], round: 0, pending: VecDeque::new() }
    }

    /// Returns the links of a shortest circle through a node, if it has fewer than `limit`; among equals, the first in
    /// the order of links. `None` also if `steps` are used up.
    pub(super) fn shortest_through(
        &mut self,
        start: usize,
        limit: usize,
        is_usable: impl Fn(usize) -> bool,
        steps: &mut usize,
    ) -> Option<Vec<usize>> {
        self.round += 1;
        self.pending.clear();
        self.pending.push_back((start, 0));
        while let Some((node, distance)) = self.pending.pop_front() {
            if distance + 1 >= limit {
                return None;
            }
            for (position, link) in self.network.out(node).filter(|(position, _)| is_usable(*position)) {
                *steps = steps.saturating_sub(1);
                if *steps == 0 {
                    return None;
                }
                if link.to == start {
                    return Some(self.way_back(start, position));
                }
                if self.reached[link.to].0 != self.round {
                    self.reached[link.to] = (self.round, position);
                    self.pending.push_back((link.to, distance + 1));
                }
            }
        }
        None
    }

    fn way_back(&self, start: usize, last: usize) -> Vec<usize> {
        let mut circle = vec![last];
        let mut at = self.network.links()[last].from;
        while at != start {
            let (_, link) = self.reached[at];
            circle.push(link);
            at = self.network.links()[link].from;
        }
        circle.reverse();
        circle
    }
}

/// The links that lead backwards in the better of two orders, without those that are not needed.
fn good(network: &Network, steps: &mut usize) -> Vec<usize> {
    let links = network.links();
    let backward = |priority: Priority| -> Vec<usize> {
        let place = order(network, priority);
        (0..links.len()).filter(|position| place[links[*position].from] > place[links[*position].to]).collect()
    };
    let (mut backward, other) = (backward(surplus), backward(imbalance));
    if other.len() < backward.len() {
        backward = other;
    }
    // Firm ones are put back first, so that optional ones remain.
    let mut candidates = backward.clone();
    candidates.sort_by_key(|position| (links[*position].optional, *position));
    for candidate in candidates {
        if *steps < links.len() {
            break;
        }
        *steps -= links.len();
        let without: Vec<usize> = backward.iter().copied().filter(|position| *position != candidate).collect();
        if breaks_all(network, &without) {
            backward = without;
        }
    }
    backward
}

/// How early a node is taken, given how many links go out and come in.
type Priority = fn(usize, usize) -> i64;

/// That of Eades, Lin and Smyth.
fn surplus(out: usize, into: usize) -> i64 {
    out as i64 - into as i64
}

/// How many links are spared for each that is cut: better where few links close circles in what is otherwise in order.
fn imbalance(out: usize, into: usize) -> i64 {
    (out.max(into) * 1000 / out.min(into).max(1)) as i64
}

/// Returns each node's place in an order in which few links lead backwards: sources first, sinks last, and what is left
/// by priority, in front if more links go out than come in, else at the back.
fn order(network: &Network, priority: Priority) -> Vec<usize> {
    let n_nodes = network.n_nodes();
    let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); n_nodes];
    network.links().iter().for_each(|link| incoming[link.to].push(link.from));
    let mut degrees: Vec<(usize, usize)> =
        (0..n_nodes).map(|node| (network.out(node).count(), incoming[node].len())).collect();
    let entry = |node: usize, (out, into): (usize, usize)| (priority(out, into), Reverse(node));
    // Entries grow old when degrees change; a new one is pushed each time, and old ones are skipped.
    let mut heap: BinaryHeap<(i64, Reverse<usize>)> = (0..n_nodes).map(|node| entry(node, degrees[node])).collect();
    let mut sinks: Vec<usize> = (0..n_nodes).filter(|node| degrees[*node].0 == 0).collect();
    let mut sources: Vec<usize> = (0..n_nodes).filter(|node| degrees[*node].1 == 0).collect();
    let mut place = vec![usize::MAX; n_nodes];
    let (mut front, mut back) = (0, n_nodes);
    loop {
        let next = sinks.pop().or_else(|| sources.pop());
        let Some(node) = next.or_else(|| {
            let is_current = |(value, Reverse(node)): &(i64, Reverse<usize>)| {
                place[*node] == usize::MAX && (*value, Reverse(*node)) == entry(*node, degrees[*node])
            };
            std::iter::from_fn(|| heap.pop()).find(is_current).map(|(_, Reverse(node))| node)
        }) else {
            return place;
        };
        if place[node] != usize::MAX {
            continue;
        }
        let (out, into) = degrees[node];
        if out >= into && out > 0 {
            place[node] = front;
            front += 1;
        } else {
            back -= 1;
            place[node] = back;
        }
        for target in network.out(node).map(|(_, link)| link.to).filter(|target| place[*target] == usize::MAX) {
            degrees[target].1 -= 1;
            heap.push(entry(target, degrees[target]));
            if degrees[target].1 == 0 {
                sources.push(target);
            }
        }
        for source in incoming[node].iter().copied().filter(|source| place[*source] == usize::MAX) {
            degrees[source].0 -= 1;
            heap.push(entry(source, degrees[source]));
            if degrees[source].0 == 0 {
                sinks.push(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::network::{Link, circular_components};
    use super::*;

    fn network(n_nodes: usize, mut arcs: Vec<(usize, usize, bool)>) -> Network {
        arcs.sort_unstable();
        arcs.dedup_by_key(|(from, to, _)| (*from, *to));
        let link = |(edge, (from, to, optional))| Link { from, to, edge, optional };
        Network::new(n_nodes, arcs.into_iter().enumerate().map(link).collect())
    }

    /// The least number of links, then of firm ones among them, over all subsets.
    fn by_brute_force(network: &Network) -> (usize, usize) {
        let n_links = network.links().len();
        (0_u32..1 << n_links)
            .filter_map(|set| {
                let removed: Vec<usize> = (0..n_links).filter(|link| set >> link & 1 == 1).collect();
                breaks_all(network, &removed)
                    .then(|| (removed.len(), removed.iter().filter(|link| !network.links()[**link].optional).count()))
            })
            .min()
            .expect("without any link there is no circle")
    }

    fn random() -> impl Strategy<Value = Network> {
        let arc = (0..6_usize, 0..6_usize, any::<bool>()).prop_filter("no loops", |(from, to, _)| from != to);
        proptest::collection::vec(arc, 1..14).prop_map(|arcs| network(6, arcs))
    }

    proptest! {
        #[test]
        fn cuts_are_smallest_and_prefer_optional_links(network in random()) {
            for component in circular_components(6, network.links().iter().copied()) {
                let network = component.network;
                let cut = smallest(&network, &mut 1_000_000);
                prop_assert!(cut.is_smallest && breaks_all(&network, &cut.links));
                let n_firm = cut.links.iter().filter(|link| !network.links()[**link].optional).count();
                prop_assert_eq!((cut.links.len(), n_firm), by_brute_force(&network));
            }
        }

        #[test]
        fn the_quick_way_breaks_all_circles_with_nothing_to_spare(network in random()) {
            let links = good(&network, &mut 1_000_000);
            prop_assert!(breaks_all(&network, &links));
            for link in &links {
                let rest: Vec<usize> = links.iter().copied().filter(|other| other != link).collect();
                prop_assert!(!breaks_all(&network, &rest));
            }
        }
    }

    #[test]
    fn large_components_are_cut_well() {
        // A ring of rings: each of the 100 inner rings must be cut, and the outer one then is.
        let ring = |first: usize| (0..10).map(move |step| (first + step, first + (step + 1) % 10, false));
        let mut arcs: Vec<(usize, usize, bool)> = (0..100).flat_map(|index| ring(index * 10)).collect();
        arcs.extend((0..100).map(|index| (index * 10, (index + 1) % 100 * 10, false)));
        let rings = network(1000, arcs);
        // Agents that require earlier ones, but for the first ten, which require the last ten.
        let mut arcs: Vec<(usize, usize, bool)> =
            (10..2000).flat_map(|node| [7, 11, 13].map(|step| (node, node * step % node.min(600), false))).collect();
        arcs.extend((0..10).map(|node| (node, 1999 - node, false)));
        let layers = network(2000, arcs);
        for (network, limit) in [(rings, 102), (layers, 10)] {
            let cut = smallest(&network, &mut 10_000_000);
            assert!(breaks_all(&network, &cut.links));
            assert!(!cut.is_smallest && cut.links.len() <= limit, "{} of at most {limit}", cut.links.len());
        }
    }
}
