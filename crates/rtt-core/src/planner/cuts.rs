//! Lower bounds where capacity binds: agents that talk much cannot all be on one node.
//!
//! A route costs more between two nodes than within one. With `X(a,b) = 1` if `a` and `b` are on one node, else 0, the
//! additional cost is `Σ w(a,b) (1 − X(a,b))`. `X` is positive semidefinite, not negative, 1 on its diagonal, and for
//! each agent the demand of what is with it is at most the capacity of a node. The minimum over such matrices is a bound.
//! It is approached from a factor `X = V Vᵀ` of low rank by an augmented Lagrangian (Burer and Monteiro 2003), row by row. That gives multipliers of
//! the constraints; any multipliers give a valid bound once the matrix that they form is positive semidefinite. So they are
//! rounded to integers, the bound is computed in integers, and the matrix is verified by a Cholesky factorisation in
//! floating point with a margin for its rounding errors (Rump 2006). Floats only guide, and a failure only weakens.

use rayon::prelude::*;

use super::numbers::Numbers;
use super::problem::{Problem, Route};
use super::spectral;

/// Vertices of one matrix; larger components are cut into blocks, whose bounds add up.
const MAX_BLOCK: usize = 450;
/// The same where there are more agents than twice as many: work grows with the size of a block.
const MAX_BLOCK_OF_MANY: usize = 200;
/// Vertices of a block whose bound is sought with one constraint for all bins.
const MAX_SPARSE: usize = 6_000;
/// Vertices of the dense part of its matrix.
const MAX_CORE: usize = 2_400;
/// Rank of a factor.
const MAX_RANK: usize = 64;
/// Sweeps before a bound is computed, and at most.
const STRETCH: usize = 60;
const MAX_ROUNDS: usize = 1_800;
/// Sums of a few integers below this are exact in floating point.
pub(super) const EXACT: f64 = (1_u64 << 49) as f64;
/// Binary digits after the point of a multiplier.
pub(super) const DIGITS: u32 = 20;

/// What a level's cost comes to at least if nothing is apart, and what is added by what is.
pub(super) struct Cuts {
    /// What is paid if nothing is apart.
    pub(super) base: i64,
    /// Between nodes, and between hosts.
    cuts: [Cut; 2],
}

/// Pairs that cost more if their ends are not in one bin; bins are the nodes, or the hosts.
pub(super) struct Cut {
    /// Representative of each agent: agents that must share a bin are one vertex.
    pub(super) of: Vec<usize>,
    edges: Vec<(usize, usize, i64)>,
    /// Bin of each node, and what each bin has in millicores and MiB.
    bin: Vec<usize>,
    pub(super) capacity: Vec<[i64; 2]>,
}

/// Where blocks are cut.
pub(super) struct Sizes {
    /// Vertices of a block with a matrix of its own.
    pub(super) dense: usize,
    /// Vertices of a block whose bound is sought with one constraint for all bins, and of what is dense there.
    pub(super) sparse: usize,
    pub(super) core: usize,
}

/// A lower bound at level 1, 2 or 3 (`level` 0 to 2), with at most so many products of two numbers.
pub(super) fn bound(problem: &Problem, level: usize, work: u64, expired: &(dyn Fn() -> bool + Sync)) -> Option<i64> {
    bound_of(problem, level, work, &usual(problem), expired)
}

fn usual(problem: &Problem) -> Sizes {
    let dense = if problem.agents.len() > 2 * MAX_BLOCK { MAX_BLOCK_OF_MANY } else { MAX_BLOCK };
    Sizes { dense, sparse: MAX_SPARSE, core: MAX_CORE }
}

/// The bound with blocks of other sizes.
pub(super) fn bound_of(
    problem: &Problem,
    level: usize,
    work: u64,
    sizes: &Sizes,
    expired: &(dyn Fn() -> bool + Sync),
) -> Option<i64> {
    let Cuts { base, cuts } = Cuts::new(problem, level)?;
    i64::try_from(i128::from(base) + sum(problem, &cuts, work, sizes, expired)).ok()
}

/// The sum of the bounds of some cuts.
fn sum(problem: &Problem, cuts: &[Cut], work: u64, sizes: &Sizes, expired: &(dyn Fn() -> bool + Sync)) -> i128 {
    let parts: Vec<Vec<Block>> = cuts.iter().map(|cut| blocks(problem, cut, sizes.dense)).collect();
    let mut total = 0;
    let all: u64 = parts.iter().flatten().map(Block::sweep).sum();
    let rounds = usize::try_from(work / all.max(1)).unwrap_or(MAX_ROUNDS).min(MAX_ROUNDS);
    for (cut, parts) in cuts.iter().zip(parts) {
        // Each block's bound is an integer that depends on the block alone, so the number of threads changes nothing.
        let fine = || -> i128 {
            let parts = if rounds < STRETCH { &[] } else { &parts[..] };
            parts.par_iter().map(|block| block.bound(rounds, expired)).sum()
        };
        let coarse = || -> i128 {
            let parts = blocks(problem, cut, sizes.sparse);
            let is_large = |block: &&Block| block.demand.len() > sizes.dense;
            let large: Vec<&Block> = parts.iter().filter(is_large).collect();
            let share = work / 2 / large.len().max(1) as u64;
            large.par_iter().map(|block| spectral::bound(block, &cut.capacity, sizes.core, share)).sum()
        };
        total += fine().max(coarse());
    }
    total
}

/// Kinds of pairs of nodes: one node, two of a host, two of different hosts.
const KINDS: usize = 3;

/// Per route the least cost between nodes of each kind.
fn least(problem: &Problem, route: &Route, level: usize, pairs: &[(usize, usize)]) -> [Option<i64>; KINDS] {
    let mut least = [None::<i64>; KINDS];
    for &(from, to) in pairs {
        let kind = if from == to { 0 } else { 1 + usize::from(problem.nodes[from].host != problem.nodes[to].host) };
        for &candidate in &route.candidates {
            let Some(service) = problem.admissible(route, candidate, from, to) else { continue };
            let cost = problem.cost(route, candidate, service)[level];
            least[kind] = Some(least[kind].map_or(cost, |least| least.min(cost)));
        }
    }
    least
}

impl Cuts {
    /// What is between nodes.
    pub(super) fn between_nodes(&self) -> &Cut {
        &self.cuts[0]
    }

    /// A bound on what is paid between hosts, beside what is paid between nodes.
    pub(super) fn between_hosts(&self, problem: &Problem, work: u64, expired: &(dyn Fn() -> bool + Sync)) -> i128 {
        sum(problem, &self.cuts[1..], work, &usual(problem), expired)
    }

    /// Takes the routes apart; `None` if some route has no way to be served, or figures are too large.
    pub(super) fn new(problem: &Problem, level: usize) -> Option<Self> {
        let pairs = pairs(problem);
        let alone = || (0..problem.agents.len()).collect::<Vec<usize>>();
        let capacity = |node: &super::problem::Node| [node.millicores, node.memory_mib];
        let mut hosts = vec![[0_i64; 2]; problem.hosts.len()];
        for node in &problem.nodes {
            for (sum, own) in hosts[node.host].iter_mut().zip(capacity(node)) {
                *sum = sum.checked_add(own)?;
            }
        }
        let mut nodes = Cut {
            of: alone(),
            edges: Vec::new(),
            bin: (0..problem.nodes.len()).collect(),
            capacity: problem.nodes.iter().map(capacity).collect(),
        };
        let mut hosts = Cut {
            of: alone(),
            edges: Vec::new(),
            bin: problem.nodes.iter().map(|node| node.host).collect(),
            capacity: hosts,
        };
        let mut base = 0_i64;
        for route in &problem.routes {
            let target = route.candidates.first()?.target;
            let [mut local, near, far] = least(problem, route, level, &pairs);
            if route.candidates.iter().any(|candidate| candidate.target != target) {
                base = base.checked_add([local, near, far].into_iter().flatten().min()?)?;
                continue;
            }
            let (a, b) = (&problem.agents[route.source].allowed, &problem.agents[target].allowed);
            let meet = a.len() == problem.nodes.len()
                || b.len() == problem.nodes.len()
                || a.iter().any(|node| b.binary_search(node).is_ok());
            local = local.filter(|_| meet);
            // What is further apart costs at least as much: the minima are made so.
            let apart = [near, far].into_iter().flatten().min();
            let together = [local, apart].into_iter().flatten().min()?;
            base = base.checked_add(together)?;
            match apart {
                None => nodes.join(route.source, target),
                Some(apart) if apart > together => nodes.edges.push((route.source, target, apart - together)),
                Some(_) => {}
            }
            match (apart, far) {
                (_, None) => hosts.join(route.source, target),
                (Some(apart), Some(far)) if far > apart => hosts.edges.push((route.source, target, far - apart)),
                _ => {}
            }
        }
        nodes.of = alone().into_iter().map(|agent| find(&mut nodes.of, agent)).collect();
        hosts.of = alone().into_iter().map(|agent| find(&mut hosts.of, agent)).collect();
        Some(Self { base, cuts: [nodes, hosts] })
    }
}

impl Cut {
    /// The weight of each pair of vertices, by their representatives, lower first.
    pub(super) fn merged(&self) -> Vec<(i64, usize, usize)> {
        let mut weights = std::collections::BTreeMap::new();
        for &(a, b, weight) in &self.edges {
            let (a, b) = (self.of[a], self.of[b]);
            if a != b {
                *weights.entry((a.min(b), a.max(b))).or_insert(0_i64) += weight;
            }
        }
        weights.into_iter().map(|((a, b), weight)| (weight, a, b)).collect()
    }

    /// Two agents must share a bin.
    fn join(&mut self, one: usize, other: usize) {
        let (a, b) = (find(&mut self.of, one), find(&mut self.of, other));
        self.of[a.max(b)] = a.min(b);
    }
}

fn find(of: &mut [usize], mut agent: usize) -> usize {
    while of[agent] != agent {
        of[agent] = of[of[agent]];
        agent = of[agent];
    }
    agent
}

/// One pair of nodes of each kind: same or other node, distance, and link.
fn pairs(problem: &Problem) -> Vec<(usize, usize)> {
    let mut seen = std::collections::BTreeMap::new();
    for from in 0..problem.nodes.len() {
        for to in 0..problem.nodes.len() {
            let (a, b) = (problem.nodes[from].host, problem.nodes[to].host);
            let latency = (a != b).then(|| problem.links[problem.link(a, b)].latency_us);
            seen.entry((from == to, problem.distance[from][to], latency)).or_insert((from, to));
        }
    }
    seen.into_values().collect()
}

/// A part of the graph: its vertices' demands and capacities, and the weight of its edges.
pub(super) struct Block {
    /// Demand in millicores and in MiB.
    pub(super) demand: Vec<[i64; 2]>,
    /// Most of each that a node has on which the vertex may be.
    capacity: Vec<[i64; 2]>,
    pub(super) edges: Vec<(usize, usize, i64)>,
}

/// Cuts the graph into blocks along its lightest edges: the heaviest join first.
fn blocks(problem: &Problem, cut: &Cut, most: usize) -> Vec<Block> {
    let count = problem.agents.len();
    let mut edges = cut.merged();
    edges.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.cmp(other)));
    let mut of: Vec<usize> = (0..count).collect();
    let mut size = vec![1_usize; count];
    for &(_, a, b) in &edges {
        let (a, b) = (find(&mut of, a), find(&mut of, b));
        if a != b && size[a] + size[b] <= most {
            of[a.max(b)] = a.min(b);
            size[a.min(b)] = size[a] + size[b];
        }
    }
    let all: Vec<usize> = (0..count).map(|agent| find(&mut of, agent)).collect();
    let mut index = vec![usize::MAX; count];
    let mut blocks: std::collections::BTreeMap<usize, Block> = std::collections::BTreeMap::new();
    let most = [0, 1].map(|resource| cut.capacity.iter().map(|bin| bin[resource]).max().unwrap_or(0));
    let empty = || Block { demand: Vec::new(), capacity: Vec::new(), edges: Vec::new() };
    for (agent, demand) in problem.agents.iter().enumerate() {
        let vertex = cut.of[agent];
        let block = blocks.entry(all[vertex]).or_insert_with(empty);
        if index[vertex] == usize::MAX {
            index[vertex] = block.demand.len();
            block.demand.push([0, 0]);
            block.capacity.push(most);
        }
        let vertex = index[vertex];
        block.demand[vertex][0] += demand.millicores;
        block.demand[vertex][1] += demand.memory_mib;
        if demand.allowed.len() < problem.nodes.len() {
            let bins = || demand.allowed.iter().map(|&node| cut.capacity[cut.bin[node]]);
            let own = [0, 1].map(|resource| bins().map(|bin| bin[resource]).max());
            for (capacity, own) in block.capacity[vertex].iter_mut().zip(own) {
                *capacity = (*capacity).min(own.unwrap_or(0));
            }
        }
    }
    for (weight, a, b) in edges {
        if all[a] == all[b]
            && let Some(block) = blocks.get_mut(&all[a])
        {
            block.edges.push((index[a], index[b], weight));
        }
    }
    blocks.into_values().filter(|block| !block.edges.is_empty()).collect()
}

/// The factor and the multipliers.
struct State<'a> {
    rank: usize,
    rows: &'a [f64],
    /// Multipliers of capacities, per unit of demand, and of signs.
    capacity: Vec<[f64; 2]>,
    sign: &'a [f64],
}

impl Block {
    /// Tells whether everything fits on one node; then nothing needs to be cut.
    fn fits(&self) -> bool {
        (0..2).all(|resource| {
            let sum: i64 = self.demand.iter().map(|demand| demand[resource]).sum();
            self.capacity.iter().all(|capacity| sum <= capacity[resource])
        })
    }

    /// What a sweep takes.
    fn sweep(&self) -> u64 {
        let count = self.demand.len() as u64;
        count * count * (2 * count.min(MAX_RANK as u64) + 16)
    }

    /// The best bound met; ends when a stretch of sweeps adds less than a thousandth.
    fn bound(&self, rounds: usize, expired: &(dyn Fn() -> bool + Sync)) -> i128 {
        if self.fits() {
            return 0;
        }
        let mut best = 0;
        let mut approach = Approach::new(self);
        let mut idle = 0;
        for _ in 0..rounds / STRETCH {
            approach.sweep(STRETCH);
            let bound = self.verify(&approach.state()).unwrap_or(0);
            idle = if bound > best + best / 1000 { 0 } else { idle + 1 };
            best = best.max(bound);
            if expired() || (best > 0 && idle >= 4) {
                break;
            }
        }
        best
    }

    fn weights(&self) -> Vec<f64> {
        let count = self.demand.len();
        let mut weights = vec![0.0; count * count];
        for &(a, b, weight) in &self.edges {
            weights[a * count + b] += weight as f64;
            weights[b * count + a] += weight as f64;
        }
        weights
    }

    /// The bound that the multipliers prove.
    fn verify(&self, state: &State) -> Option<i128> {
        let count = self.demand.len();
        let scale = f64::from(1_u32 << DIGITS);
        let round = |value: f64| (value * scale).round();
        let kappa: Vec<[f64; 2]> = state.capacity.iter().map(|pair| pair.map(|value| round(value).max(0.0))).collect();
        // Twice the matrix, in units of the last digit. All entries are integers.
        let mut matrix = vec![0.0; count * count];
        let mut is_exact = self.edges.iter().all(|edge| edge.2 as f64 * scale < EXACT);
        for i in 0..count {
            for j in 0..i {
                let mut entry = -round(state.sign[i * count + j].max(state.sign[j * count + i])).max(0.0);
                for (kappa, of) in [(kappa[i], self.demand[j]), (kappa[j], self.demand[i])] {
                    for (kappa, demand) in kappa.into_iter().zip(of) {
                        let product = kappa * demand as f64;
                        is_exact &= product < EXACT;
                        entry += product;
                    }
                }
                matrix[i * count + j] = entry;
                matrix[j * count + i] = entry;
            }
        }
        for &(a, b, weight) in &self.edges {
            matrix[a * count + b] -= weight as f64 * scale;
            matrix[b * count + a] -= weight as f64 * scale;
        }
        // NaN is not less either.
        if !(is_exact && matrix.iter().all(|entry| entry.abs() < EXACT)) {
            return None;
        }
        // The multipliers of the diagonal, of which the optimal ones make the factor's rows a kernel.
        let mut diagonal = Vec::with_capacity(count);
        for i in 0..count {
            let row = &state.rows[i * state.rank..][..state.rank];
            let sum: f64 = (0..count)
                .filter(|&j| j != i)
                .map(|j| matrix[i * count + j] * dot(row, &state.rows[j * state.rank..][..state.rank]))
                .sum();
            diagonal.push(sum.round());
        }
        let trace: f64 = diagonal.iter().map(|value| value.abs()).sum::<f64>();
        let mut shift = (trace / count as f64 / 65_536.0).max(1.0).round();
        let mut refused = 0.0;
        while !is_definite(&matrix, &diagonal, shift) {
            if shift > 1e15 {
                return None;
            }
            refused = shift;
            shift *= 2.0;
        }
        for _ in 0..5 {
            let middle = ((refused + shift) / 2.0).round();
            if is_definite(&matrix, &diagonal, middle) { shift = middle } else { refused = middle }
        }
        // In integers: Σ w − Σ κ (C − c) + ½ Σ (y − shift).
        let mut twice: i128 = 0;
        for &(_, _, weight) in &self.edges {
            twice += i128::from(weight) << (DIGITS + 1);
        }
        for i in 0..count {
            for (kappa, (capacity, demand)) in
                kappa[i].into_iter().zip(self.capacity[i].into_iter().zip(self.demand[i]))
            {
                twice -= 2 * kappa as i128 * i128::from(capacity - demand);
            }
            twice += diagonal[i] as i128 - shift as i128;
        }
        let unit = 1_i128 << (DIGITS + 1);
        Some(twice.div_euclid(unit) + i128::from(twice.rem_euclid(unit) != 0))
    }
}

/// The iteration that looks for good multipliers.
struct Approach<'b> {
    block: &'b Block,
    rank: usize,
    weights: Vec<f64>,
    /// Demand of the second as a share of the capacity for the first.
    shares: Vec<[f64; 2]>,
    rows: Vec<f64>,
    gram: Vec<f64>,
    /// How far the constraints of capacity are exceeded.
    excess: Vec<[f64; 2]>,
    capacity: Vec<[f64; 2]>,
    sign: Vec<f64>,
    step: f64,
    sign_step: f64,
}

impl<'b> Approach<'b> {
    fn new(block: &'b Block) -> Self {
        let count = block.demand.len();
        let rank = count.clamp(2, MAX_RANK);
        let weights = block.weights();
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut rows: Vec<f64> = (0..count * rank).map(|_| numbers.below(2001) as f64 / 1000.0 - 1.0).collect();
        for row in rows.chunks_mut(rank) {
            normalise(row);
        }
        let total: f64 = block.edges.iter().map(|edge| edge.2 as f64).sum();
        let mean = 2.0 * total / count as f64;
        // Rows of capacity are scaled to a right side of 1.
        let share = |i: usize, j: usize, resource: usize| {
            block.demand[j][resource] as f64 / (block.capacity[i][resource].max(1)) as f64
        };
        let mut shares = vec![[0.0; 2]; count * count];
        for i in 0..count {
            for j in 0..count {
                shares[i * count + j] = [share(i, j, 0), share(i, j, 1)];
            }
        }
        let mut gram = vec![0.0; count * count];
        for i in 0..count {
            for j in 0..count {
                gram[i * count + j] = dot(&rows[i * rank..][..rank], &rows[j * rank..][..rank]);
            }
        }
        let mut excess = vec![[-1.0; 2]; count];
        for i in 0..count {
            for j in 0..count {
                for resource in 0..2 {
                    excess[i][resource] += shares[i * count + j][resource] * gram[i * count + j];
                }
            }
        }
        let capacity = vec![[0.0_f64; 2]; count];
        let sign = vec![0.0_f64; count * count];
        let (step, sign_step) = (mean * 0.5, mean * 0.1);
        Self { block, rank, weights, shares, rows, gram, excess, capacity, sign, step, sign_step }
    }

    fn sweep(&mut self, rounds: usize) {
        let Self { block, rank, weights, shares, rows, gram, excess, capacity, sign, step, sign_step } = self;
        let (count, rank, step, sign_step) = (block.demand.len(), *rank, *step, *sign_step);
        let mut gradient = vec![0.0; rank];
        let mut fresh = vec![0.0; count];
        for round in 0..rounds {
            for i in 0..count {
                gradient.fill(0.0);
                let own = [0, 1].map(|resource| (capacity[i][resource] + step * excess[i][resource]).max(0.0));
                let mut inertia = 0.0;
                for j in 0..count {
                    if i == j {
                        continue;
                    }
                    let at = i * count + j;
                    let mut factor = -weights[at] - (sign[at] - sign_step * gram[at]).max(0.0);
                    if sign[at] > sign_step * gram[at] {
                        inertia += sign_step;
                    }
                    for resource in 0..2 {
                        let other = (capacity[j][resource] + step * excess[j][resource]).max(0.0);
                        let (mine, its) = (shares[at][resource], shares[j * count + i][resource]);
                        factor += own[resource] * mine + other * its;
                        if own[resource] > 0.0 {
                            inertia += step * mine * mine;
                        }
                        if other > 0.0 {
                            inertia += step * its * its;
                        }
                    }
                    for (sum, value) in gradient.iter_mut().zip(&rows[j * rank..][..rank]) {
                        *sum += factor * value;
                    }
                }
                let row = &mut rows[i * rank..][..rank];
                for (value, slope) in row.iter_mut().zip(&gradient) {
                    *value = *value * inertia - slope;
                }
                normalise(row);
                let row = &rows[i * rank..][..rank];
                for j in 0..count {
                    fresh[j] = dot(row, &rows[j * rank..][..rank]);
                }
                for j in 0..count {
                    let change = fresh[j] - gram[i * count + j];
                    for resource in 0..2 {
                        excess[i][resource] += shares[i * count + j][resource] * change;
                        if i != j {
                            excess[j][resource] += shares[j * count + i][resource] * change;
                        }
                    }
                    gram[i * count + j] = fresh[j];
                    gram[j * count + i] = fresh[j];
                }
            }
            if round % 3 == 2 {
                for i in 0..count {
                    for resource in 0..2 {
                        capacity[i][resource] = (capacity[i][resource] + step * excess[i][resource]).max(0.0);
                    }
                    for j in 0..count {
                        let at = i * count + j;
                        sign[at] = if i == j { 0.0 } else { (sign[at] - sign_step * gram[at]).max(0.0) };
                    }
                }
            }
        }
    }

    fn state(&self) -> State<'_> {
        let mut capacity = self.capacity.clone();
        for (multiplier, most) in capacity.iter_mut().zip(&self.block.capacity) {
            for resource in 0..2 {
                multiplier[resource] /= most[resource].max(1) as f64;
            }
        }
        State { rank: self.rank, rows: &self.rows, capacity, sign: &self.sign }
    }
}

/// The scalar product, summed in eight lanes: an order that compilers can turn into vector operations, and that is the
/// same on every machine.
pub(super) fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (one, one_rest) = one.as_chunks::<8>();
    let (other, other_rest) = other.as_chunks::<8>();
    for (a, b) in one.iter().zip(other) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + one_rest.iter().zip(other_rest).map(|(a, b)| a * b).sum::<f64>()
}

pub(super) fn normalise(row: &mut [f64]) {
    let length = dot(row, row).sqrt();
    if length > 1e-300 {
        row.iter_mut().for_each(|value| *value /= length);
    } else {
        row.fill(0.0);
        row[0] = 1.0;
    }
}

/// More than what rounding errors of a Cholesky factorisation can come to: (n + 2) 2^-53 / (1 − …) times the trace.
pub(super) fn certain_margin(trace: f64, count: usize) -> f64 {
    (trace * (count as f64 + 4.0) * f64::EPSILON * 2.0).ceil() + 1.0
}

/// Tells whether the matrix with `shift − diagonal` on its diagonal is certainly positive semidefinite: its Cholesky
/// factorisation succeeds even after the diagonal was lowered by more than rounding errors can come to.
pub(super) fn is_definite(matrix: &[f64], diagonal: &[f64], shift: f64) -> bool {
    let count = diagonal.len();
    let trace: f64 = diagonal.iter().map(|value| (shift - value).max(0.0)).sum();
    let margin = certain_margin(trace, count);
    let mut factor = matrix.to_vec();
    for j in 0..count {
        let mut pivot = shift - diagonal[j] - margin;
        let row = j * count;
        pivot -= dot(&factor[row..row + j], &factor[row..row + j]);
        if pivot.is_nan() || pivot <= 0.0 {
            return false;
        }
        let root = pivot.sqrt();
        factor[row + j] = root;
        let (head, tail) = factor.split_at_mut(row + count);
        let pivot_row = &head[row..row + j];
        for below in tail.chunks_exact_mut(count) {
            let sum = dot(&below[..j], pivot_row);
            below[j] = (below[j] - sum) / root;
        }
    }
    true
}
