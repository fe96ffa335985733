//! A node of the tree: a partition of which some vertices are placed. What is placed on one bin is one vertex, the bin's
//! terminal.

use super::dual::{Dual, FROM_PARENT, Layout, Pace, Triangle};

/// How close a vertex is to an empty bin, as an entry of `X`.
const EMPTY: f64 = 0.3;

/// Agents that stay together.
#[derive(Debug, Clone)]
pub(super) struct Vertex {
    /// In millicores and in MiB.
    pub(super) demand: [i64; 2],
    /// Most of each that a bin has on which the vertex may be.
    pub(super) capacity: [i64; 2],
    /// One bit for each bin on which it may be.
    pub(super) allowed: u64,
    /// Which of the vertices before the first decision.
    pub(super) members: Vec<usize>,
}

/// What does not change in a tree.
pub(super) struct Ground {
    /// What each bin has, in millicores and MiB.
    pub(super) bins: Vec<[i64; 2]>,
    /// Bins of a class are interchangeable as long as they are empty.
    pub(super) class: Vec<usize>,
    /// The mean weight at a vertex.
    pub(super) unit: f64,
    /// A common divisor of all weights.
    pub(super) divisor: i64,
}

/// A part of the tree that is still open.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Terminals first, in the order of `opened`.
    pub(super) vertices: Vec<Vertex>,
    /// The bins on which there is something.
    pub(super) opened: Vec<usize>,
    /// Pairs of vertices, lower first, and what is paid if they are apart.
    pub(super) edges: Vec<(usize, usize, i64)>,
    /// The sum of all weights.
    pub(super) total: i64,
    /// Nothing in this part cuts less.
    pub(super) bound: i64,
    /// The vertex to place next.
    branch: usize,
    /// Bin of each vertex before the first decision, by what the bound's `X` suggests.
    pub(super) rounded: Option<Vec<usize>>,
    /// Multipliers, and the triangles that the last of them belong to.
    values: Vec<f64>,
    triangles: Vec<Triangle>,
}

impl Node {
    /// The part before any decision; `None` if a vertex can be nowhere.
    pub(super) fn root(vertices: Vec<Vertex>, edges: Vec<(usize, usize, i64)>, ground: &Ground) -> Option<Self> {
        let mut values = vec![0.0; Layout(vertices.len()).triangles()];
        values[..vertices.len()].fill(-0.5);
        let total = edges.iter().map(|edge| edge.2).sum();
        let (opened, triangles) = (Vec::new(), Vec::new());
        Self { vertices, opened, edges, total, bound: 0, branch: 0, rounded: None, values, triangles }.settle(ground)
    }

    /// Bounds the part, as far as `goal` and with about so much work, and chooses what to place next; returns the work done.
    pub(super) fn look(&mut self, pace: Pace, goal: i64, work: u64, ground: &Ground) -> u64 {
        if self.is_leaf() {
            // Every pair is decided.
            self.bound = self.total;
            return 0;
        }
        let (mut values, mut triangles) = (std::mem::take(&mut self.values), std::mem::take(&mut self.triangles));
        let mut dual = Dual::new(self, ground.unit);
        let bound = dual.ascend(&mut values, &mut triangles, pace, goal, work);
        let (x, work) = (std::mem::take(&mut dual.x), dual.work);
        let rest = bound.rem_euclid(ground.divisor);
        self.bound = self.bound.max(bound + if rest > 0 { ground.divisor - rest } else { 0 });
        (self.values, self.triangles) = (values, triangles);
        self.branch = self.choose(&x);
        self.rounded = self.round(&x, ground);
        work
    }

    /// The same for what comes of a decision.
    pub(super) fn look_again(&mut self, goal: i64, ground: &Ground) -> u64 {
        self.look(FROM_PARENT, goal, u64::MAX, ground)
    }

    /// Tells whether everything is placed.
    pub(super) fn is_leaf(&self) -> bool {
        self.vertices.len() == self.opened.len()
    }

    /// Bin of each vertex before the first decision, where everything is placed.
    pub(super) fn placement(&self) -> Vec<usize> {
        self.spread(&self.opened)
    }

    /// From the bin of each vertex to that of each before the first decision.
    fn spread(&self, bins: &[usize]) -> Vec<usize> {
        let mut all: Vec<(usize, usize)> = Vec::new();
        for (vertex, &bin) in self.vertices.iter().zip(bins) {
            all.extend(vertex.members.iter().map(|&member| (member, bin)));
        }
        all.sort_unstable();
        all.into_iter().map(|(_, bin)| bin).collect()
    }

    /// The parts in which the chosen vertex is placed: on each bin that it fits on, of interchangeable empty ones the first.
    pub(super) fn children(&self, ground: &Ground) -> Vec<Self> {
        let is_new = |bin: usize| !self.opened.contains(&bin);
        let mut tried = Vec::new();
        let mut children = Vec::new();
        for bin in bins(self.vertices[self.branch].allowed) {
            if is_new(bin) {
                if tried.contains(&ground.class[bin]) {
                    continue;
                }
                tried.push(ground.class[bin]);
            }
            children.extend(self.with(self.branch, bin, ground).settle(ground));
        }
        children
    }

    /// Places what has one bin left, and then what has one left for that; `None` if something has none.
    fn settle(mut self, ground: &Ground) -> Option<Self> {
        loop {
            let is_stuck = |vertex: &Vertex| vertex.allowed == 0;
            if self.vertices.iter().any(is_stuck) {
                return None;
            }
            let mut open = self.vertices.iter().enumerate().skip(self.opened.len());
            let Some((vertex, only)) = open.find(|(_, vertex)| vertex.allowed.is_power_of_two()) else {
                return Some(self);
            };
            let bin = only.allowed.trailing_zeros() as usize;
            self = self.with(vertex, bin, ground);
        }
    }

    /// The part in which a vertex is on a bin.
    fn with(&self, vertex: usize, bin: usize, ground: &Ground) -> Self {
        let terminal = self.opened.iter().position(|&opened| opened == bin);
        let mut order: Vec<usize> = (0..self.vertices.len()).filter(|&other| other != vertex).collect();
        let mut opened = self.opened.clone();
        if terminal.is_none() {
            order.insert(opened.len(), vertex);
            opened.push(bin);
        }
        let mut place = vec![0; self.vertices.len()];
        order.iter().enumerate().for_each(|(at, &old)| place[old] = at);
        let mut vertices: Vec<Vertex> = order.iter().map(|&old| self.vertices[old].clone()).collect();
        if let Some(terminal) = terminal {
            place[vertex] = terminal;
            let placed = &self.vertices[vertex];
            (0..2).for_each(|resource| vertices[terminal].demand[resource] += placed.demand[resource]);
            vertices[terminal].members.extend(&placed.members);
        }
        let at = place[vertex];
        vertices[at].allowed = 1 << bin;
        vertices[at].capacity = ground.bins[bin];
        let load = vertices[at].demand;
        for open in &mut vertices[opened.len()..] {
            let fits = (0..2).all(|resource| load[resource] + open.demand[resource] <= ground.bins[bin][resource]);
            if open.allowed & 1 << bin != 0 && !fits {
                open.allowed &= !(1 << bin);
                open.narrow(ground);
            }
        }
        let mut weights = std::collections::BTreeMap::new();
        for &(a, b, weight) in &self.edges {
            let (a, b) = (place[a].min(place[b]), place[a].max(place[b]));
            if a != b {
                *weights.entry((a, b)).or_insert(0) += weight;
            }
        }
        let edges: Vec<(usize, usize, i64)> = weights.into_iter().map(|((a, b), weight)| (a, b, weight)).collect();
        let total = edges.iter().map(|edge| edge.2).sum();
        let (values, triangles) = self.inherited(vertex, terminal, &place, vertices.len(), ground);
        Self { vertices, opened, edges, total, bound: self.bound, branch: 0, rounded: None, values, triangles }
    }

    /// The multipliers after a vertex was placed: those of merged vertices add up.
    fn inherited(
        &self,
        vertex: usize,
        terminal: Option<usize>,
        place: &[usize],
        size: usize,
        ground: &Ground,
    ) -> (Vec<f64>, Vec<Triangle>) {
        let (before, after) = (Layout(place.len()), Layout(size));
        let mut values = vec![0.0; after.triangles()];
        for (old, &new) in place.iter().enumerate() {
            values[new] += self.values[old];
            for resource in 0..2 {
                values[after.capacity(resource) + new] += self.values[before.capacity(resource) + old];
            }
            values[after.once() + new] += self.values[before.once() + old];
            for (other, &with) in place.iter().enumerate().take(old) {
                if with != new {
                    values[after.pair(new, with)] += self.values[before.pair(old, other)];
                }
            }
        }
        if let Some(terminal) = terminal {
            // What was between them is on the diagonal.
            let entry = Dual::new(self, ground.unit).entry(&self.values, &self.triangles, vertex, terminal);
            values[terminal] -= 2.0 * entry;
        }
        let mut merged = std::collections::BTreeMap::new();
        for (&(i, j, k), multiplier) in self.triangles.iter().zip(&self.values[before.triangles()..]) {
            let (i, j, k) = (place[i].min(place[k]), place[j], place[i].max(place[k]));
            if i != j && j != k && i != k {
                *merged.entry((i, j, k)).or_insert(0.0) += multiplier;
            }
        }
        let triangles = merged.keys().copied().collect();
        values.extend(merged.into_values());
        (values, triangles)
    }

    /// The vertex of which `x` says least where it is, and that has most to pay for.
    fn choose(&self, x: &[f64]) -> usize {
        let size = self.vertices.len();
        let mut all = vec![0.0; size];
        let mut undecided = vec![0.0; size];
        for &(a, b, weight) in &self.edges {
            let with = x[a * size + b].clamp(0.0, 1.0);
            for vertex in [a, b] {
                all[vertex] += weight as f64;
                undecided[vertex] += weight as f64 * with.min(1.0 - with);
            }
        }
        let score = |vertex: usize| {
            let nearest = (0..self.opened.len()).map(|terminal| x[vertex * size + terminal]).fold(0.0, f64::max);
            (1.05 - nearest.min(1.0)) * (undecided[vertex] + all[vertex])
        };
        let open = self.opened.len()..size;
        open.max_by(|&one, &other| score(one).total_cmp(&score(other)).then(other.cmp(&one))).unwrap_or(0)
    }

    /// Places what is open one by one: next is what `x` puts closest to something placed on a bin where it fits. `None` if
    /// something fits nowhere.
    fn round(&self, x: &[f64], ground: &Ground) -> Option<Vec<usize>> {
        let size = self.vertices.len();
        let mut load = vec![[0; 2]; ground.bins.len()];
        let mut at = vec![usize::MAX; size];
        // How close each vertex is to each bin; an empty one is closer than what is hardly ever together.
        let mut close = vec![vec![EMPTY; ground.bins.len()]; size];
        let mut is_used = vec![false; ground.bins.len()];
        let mut next = self.opened.first().map(|&bin| (0, bin));
        for placed in 0..size {
            let (vertex, bin) = next.take().or_else(|| {
                let open = (0..size).filter(|&vertex| at[vertex] == usize::MAX);
                let places = open.flat_map(|vertex| bins(self.vertices[vertex].allowed).map(move |bin| (vertex, bin)));
                let fit = places.filter(|&(vertex, bin)| {
                    let fits = |of| load[bin][of] + self.vertices[vertex].demand[of] <= ground.bins[bin][of];
                    (0..2).all(fits)
                });
                let score = |&(vertex, bin): &(usize, usize)| (close[vertex][bin], self.vertices[vertex].demand);
                fit.max_by(|one, other| {
                    let (a, b) = (score(one), score(other));
                    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(other.cmp(one))
                })
            })?;
            at[vertex] = bin;
            (0..2).for_each(|of| load[bin][of] += self.vertices[vertex].demand[of]);
            for (other, close) in close.iter_mut().enumerate() {
                let known = if is_used[bin] { close[bin] } else { f64::MIN };
                close[bin] = known.max(x[other * size + vertex]);
            }
            is_used[bin] = true;
            next = self.opened.get(placed + 1).map(|&bin| (placed + 1, bin));
        }
        Some(self.spread(&at))
    }

    /// Pairs of vertices that cannot be on one bin, row by row.
    pub(super) fn apart(&self) -> Vec<bool> {
        let size = self.vertices.len();
        let mut apart = vec![false; size * size];
        for (i, one) in self.vertices.iter().enumerate() {
            for (j, other) in self.vertices.iter().enumerate().take(i) {
                let least = |resource: usize| one.capacity[resource].min(other.capacity[resource]);
                let is_full = (0..2).any(|resource| one.demand[resource] + other.demand[resource] > least(resource));
                if is_full || one.allowed & other.allowed == 0 {
                    apart[i * size + j] = true;
                    apart[j * size + i] = true;
                }
            }
        }
        apart
    }

    /// Which resources can run out on some bin.
    pub(super) fn scarce(&self) -> [bool; 2] {
        [0, 1].map(|resource| {
            let sum: i64 = self.vertices.iter().map(|vertex| vertex.demand[resource]).sum();
            self.vertices.iter().any(|vertex| sum > vertex.capacity[resource])
        })
    }

    /// Vertices that have to be with one of the terminals, and with which.
    pub(super) fn settled(&self) -> impl Iterator<Item = (usize, impl Iterator<Item = usize> + '_)> + '_ {
        let all = self.opened.iter().fold(0_u64, |all, bin| all | 1 << bin);
        let open = self.vertices.iter().enumerate().skip(self.opened.len());
        open.filter(move |(_, vertex)| vertex.allowed & !all == 0).map(|(index, vertex)| {
            let terminals = self.opened.iter().enumerate();
            (index, terminals.filter(|(_, bin)| vertex.allowed & 1 << **bin != 0).map(|(terminal, _)| terminal))
        })
    }
}

impl Vertex {
    /// Forgets capacity that no bin has on which it may be, and bins that are too small.
    pub(super) fn narrow(&mut self, ground: &Ground) {
        for bin in bins(self.allowed) {
            if (0..2).any(|resource| self.demand[resource] > ground.bins[bin][resource]) {
                self.allowed &= !(1 << bin);
            }
        }
        self.capacity =
            [0, 1].map(|resource| bins(self.allowed).map(|bin| ground.bins[bin][resource]).max().unwrap_or(0));
    }
}

/// The bits that are set.
fn bins(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bin = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (bin < u64::BITS).then_some(bin as usize)
    })
}
