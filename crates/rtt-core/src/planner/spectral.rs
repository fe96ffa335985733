//! A lower bound for thousands of agents: the semidefinite relaxation of a cut with one constraint for all bins together.
//!
//! Let `d` be demands scaled to small integers, and `X(a,b) = 1` if `a` and `b` share a bin, else 0. Then `dᵀXd` is the sum of
//! the squares of the bins' loads, which no placement makes larger than `Q`: the fullest bins filled to the brim. For any
//! `c ≥ 0` and `y` for which `M = Diag(y) + c d dᵀ − W` is positive semidefinite, `Σ w − ½ (c Q + Σ y)` is a bound on what the
//! cut costs. `c` and `y` come from a factor of low rank (Burer and Monteiro 2003), whose steps take time in proportion to the
//! edges. `M` is verified by an elimination that is sparse at first, from the vertices with the fewest neighbours; `d dᵀ`, which
//! would fill it, stays outside as a border until the rest is dense.

use super::cuts::{Block, EXACT, certain_margin, dot, normalise};
use super::numbers::Numbers;

/// Rank of a factor.
const RANK: usize = 24;
/// Sweeps at most, and between two changes of `c`.
const SWEEPS: usize = 240;
const STRETCH: usize = 2;
/// What the fullest bin has after scaling.
const SCALE: i64 = 1 << 12;
/// Binary digits after the point of `M`.
const DIGITS: u32 = 28;
/// Factorisations for which there must be work.
const ATTEMPTS: u64 = 9;

/// The bound on a block's cut within so many products of two numbers; `core`: how many vertices may be dense.
pub(super) fn bound(block: &Block, bins: &[[i64; 2]], mut core: usize, work: u64) -> i128 {
    let Some(demand) = Demand::new(block, bins) else { return 0 };
    while ATTEMPTS * (core as u64).pow(3) / 6 > work / 2 {
        core -= 1 + core / 16;
    }
    let count = block.demand.len();
    let mut edges = block.edges.clone();
    edges.sort_unstable_by_key(|&(a, b, weight)| (std::cmp::Reverse(weight), a, b));
    while !edges.is_empty() {
        if let Some(order) = Order::new(count, &edges, core, work / (8 * ATTEMPTS)) {
            return Spectral::new(count, edges, demand, bins).bound(&order, work / 4).unwrap_or(0);
        }
        // Without its lightest edges the cut costs less, and fewer vertices have many neighbours.
        edges.truncate(edges.len() - edges.len().div_ceil(12));
    }
    0
}

/// Demands of the scarcer resource, scaled; which one it is.
struct Demand {
    of: Vec<i64>,
    resource: usize,
    most: i64,
}

impl Demand {
    fn new(block: &Block, bins: &[[i64; 2]]) -> Option<Self> {
        let share = |resource: usize| {
            let wanted: i128 = block.demand.iter().map(|demand| i128::from(demand[resource])).sum();
            let there: i128 = bins.iter().map(|bin| i128::from(bin[resource])).sum();
            wanted * 1_000_000 / there.max(1)
        };
        let resource = usize::from(share(1) > share(0));
        let most = bins.iter().map(|bin| bin[resource]).max().filter(|&most| most > 0)?;
        let of = block.demand.iter().map(|demand| scaled(demand[resource], most)).collect();
        Some(Self { of, resource, most })
    }

    /// The largest sum of squares of loads.
    fn squares(&self, bins: &[[i64; 2]]) -> i128 {
        let mut room: Vec<i64> = bins.iter().map(|bin| scaled(bin[self.resource], self.most)).collect();
        room.sort_unstable_by_key(|&room| std::cmp::Reverse(room));
        let mut left: i128 = self.of.iter().map(|&demand| i128::from(demand)).sum();
        let mut squares = 0;
        for room in room {
            let load = i128::from(room).min(left);
            squares += load * load;
            left -= load;
        }
        squares
    }
}

/// Rounded down, so that what fits still does.
fn scaled(demand: i64, most: i64) -> i64 {
    i64::try_from(i128::from(demand) * i128::from(SCALE) / i128::from(most)).unwrap_or(SCALE)
}

/// In which order vertices are eliminated: the first ones with their later neighbours, then the core.
struct Order {
    first: Vec<(usize, Vec<usize>)>,
    core: Vec<usize>,
    /// Place of each vertex in the whole order.
    place: Vec<usize>,
}

impl Order {
    /// Fewest neighbours first; `None` if more than `most` are left when the work is done.
    fn new(count: usize, edges: &[(usize, usize, i64)], most: usize, work: u64) -> Option<Self> {
        let mut near: Vec<Vec<usize>> = vec![Vec::new(); count];
        for &(a, b, _) in edges {
            near[a].push(b);
            near[b].push(a);
        }
        near.iter_mut().for_each(|list| list.sort_unstable());
        let mut queue: std::collections::BTreeSet<(usize, usize)> =
            near.iter().enumerate().map(|(vertex, list)| (list.len(), vertex)).collect();
        let mut first = Vec::new();
        let mut spent = 0;
        while queue.len() > most {
            let (_, vertex) = queue.pop_first()?;
            let list = std::mem::take(&mut near[vertex]);
            spent += (list.len() as u64 + 1).pow(2);
            if spent > work {
                return None;
            }
            for &other in &list {
                queue.remove(&(near[other].len(), other));
                near[other] = merged(&near[other], &list, [vertex, other]);
                queue.insert((near[other].len(), other));
            }
            first.push((vertex, list));
        }
        let mut core: Vec<usize> = queue.into_iter().map(|(_, vertex)| vertex).collect();
        core.sort_unstable();
        let mut place = vec![0; count];
        let all = first.iter().map(|(vertex, _)| vertex).chain(&core);
        all.enumerate().for_each(|(at, &vertex)| place[vertex] = at);
        first.iter_mut().for_each(|(_, list)| list.sort_unstable_by_key(|&other| place[other]));
        Some(Self { first, core, place })
    }
}

/// The union of two sorted lists, without two vertices.
fn merged(one: &[usize], other: &[usize], without: [usize; 2]) -> Vec<usize> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut i, mut j) = (0, 0);
    while i < one.len() || j < other.len() {
        let next = match (one.get(i), other.get(j)) {
            (Some(a), Some(b)) => *a.min(b),
            (Some(a), None) => *a,
            (_, b) => *b.expect("one list goes on"),
        };
        i += usize::from(one.get(i) == Some(&next));
        j += usize::from(other.get(j) == Some(&next));
        if !without.contains(&next) {
            all.push(next);
        }
    }
    all
}

/// The iteration and what it has found.
struct Spectral {
    edges: Vec<(usize, usize, i64)>,
    /// Of each vertex its neighbours and weights.
    near: Vec<Vec<(usize, f64)>>,
    demand: Vec<f64>,
    squares: i128,
    rows: Vec<f64>,
    sum: Vec<f64>,
    /// The multiplier `c`.
    capacity: f64,
}

impl Spectral {
    fn new(count: usize, edges: Vec<(usize, usize, i64)>, demand: Demand, bins: &[[i64; 2]]) -> Self {
        let squares = demand.squares(bins);
        let mut near = vec![Vec::new(); count];
        for &(a, b, weight) in &edges {
            near[a].push((b, weight as f64));
            near[b].push((a, weight as f64));
        }
        let own: Vec<f64> = demand.of.iter().map(|&demand| demand as f64).collect();
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut rows: Vec<f64> = (0..count * RANK).map(|_| numbers.below(2001) as f64 / 1000.0 - 1.0).collect();
        rows.chunks_mut(RANK).for_each(normalise);
        let weight: f64 = edges.iter().map(|edge| edge.2 as f64).sum();
        let total: f64 = own.iter().sum();
        let capacity = weight / (total * total).max(1.0);
        let mut spectral = Self { edges, near, demand: own, squares, rows, sum: vec![0.0; RANK], capacity };
        spectral.recount();
        spectral
    }

    fn recount(&mut self) {
        self.sum.fill(0.0);
        for (row, demand) in self.rows.chunks(RANK).zip(&self.demand) {
            self.sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += demand * value);
        }
    }

    /// What a vertex is drawn to: its neighbours, and away from where there is too much.
    fn pull(&self, vertex: usize) -> [f64; RANK] {
        let mut pull = [0.0; RANK];
        for &(other, weight) in &self.near[vertex] {
            let row = &self.rows[other * RANK..][..RANK];
            pull.iter_mut().zip(row).for_each(|(pull, value)| *pull += weight * value);
        }
        let push = self.capacity * self.demand[vertex];
        pull.iter_mut().zip(&self.sum).for_each(|(pull, sum)| *pull -= push * sum);
        pull
    }

    fn sweep(&mut self) {
        for vertex in 0..self.near.len() {
            let demand = self.demand[vertex];
            let mut pull = self.pull(vertex);
            // Its own part of the sum is no reason to move.
            let own = self.capacity * demand * demand;
            let row = &mut self.rows[vertex * RANK..][..RANK];
            pull.iter_mut().zip(row.iter()).for_each(|(pull, value)| *pull += own * value);
            normalise(&mut pull);
            for ((sum, value), new) in self.sum.iter_mut().zip(row.iter_mut()).zip(pull) {
                *sum += demand * (new - *value);
                *value = new;
            }
        }
        self.recount();
    }

    fn bound(&mut self, order: &Order, work: u64) -> Option<i128> {
        let sweep = RANK as u64 * 2 * (self.edges.len() + self.near.len()) as u64;
        let rounds = usize::try_from(work / sweep.max(1)).unwrap_or(SWEEPS).min(SWEEPS) / STRETCH;
        let squares = self.squares as f64;
        for round in 0..rounds {
            (0..STRETCH).for_each(|_| self.sweep());
            // Towards the `c` at which the constraint just holds, in ever smaller steps.
            let excess = (dot(&self.sum, &self.sum) / squares.max(1.0)).sqrt().clamp(0.25, 4.0);
            let step = 1.0 / (1.0 + round as f64 / 8.0);
            if round + rounds / 4 < rounds {
                self.capacity *= 1.0 + step * (excess.sqrt() - 1.0);
            }
        }
        self.verify(order)
    }

    /// The bound that the multipliers prove.
    fn verify(&self, order: &Order) -> Option<i128> {
        let scale = f64::from(1_u32 << DIGITS);
        let heaviest = self.edges.iter().map(|edge| edge.2 as f64).fold(0.0, f64::max);
        let largest = self.demand.iter().copied().fold(0.0, f64::max);
        // `c d dᵀ` is `b bᵀ / t` with integers `b = g d` and `t`, of a size at which rounding errors of both weigh alike.
        let capacity = (self.capacity * scale).max(1.0);
        let length = dot(&self.demand, &self.demand).sqrt();
        let border = (capacity * length).round().max(1.0);
        let corner = (border * border / capacity).round().max(1.0);
        if !(heaviest * scale < EXACT && border * largest < EXACT && corner < EXACT) {
            return None;
        }
        let mut matrix = Matrix { spectral: self, order, scale, border, corner, diagonal: Vec::new() };
        matrix.diagonal = (0..self.near.len())
            .map(|vertex| (dot(&self.rows[vertex * RANK..][..RANK], &self.pull(vertex)) * scale).round())
            .collect();
        let trace: f64 = matrix.diagonal.iter().map(|value| value.abs()).sum();
        let mut shift = (trace / self.near.len() as f64 / 256.0).max(1.0).round();
        let mut refused = 0.0;
        while !matrix.is_definite(shift) {
            if shift > trace {
                return None;
            }
            refused = shift;
            shift *= 4.0;
        }
        for _ in 0..3 {
            let middle = ((refused + shift) / 2.0).round();
            if matrix.is_definite(middle) { shift = middle } else { refused = middle }
        }
        // In integers: Σ w − ½ (c Q + Σ (y + shift)).
        let (border, corner) = (border as i128, corner as i128);
        let mut twice: i128 = -(border * border).checked_mul(self.squares)?.div_euclid(corner) - 1;
        twice += self.edges.iter().map(|edge| i128::from(edge.2) << (DIGITS + 1)).sum::<i128>();
        twice -= matrix.diagonal.iter().map(|value| *value as i128 + shift as i128).sum::<i128>();
        let unit = 1_i128 << (DIGITS + 1);
        Some((twice.div_euclid(unit) + i128::from(twice.rem_euclid(unit) != 0)).max(0))
    }
}

/// `M` in units of its last digit, as `A + b bᵀ / t`. It is positive definite if and only if the matrix of `A` bordered by
/// `b`, with `−t` in the corner, has one negative eigenvalue; all entries of that are integers.
struct Matrix<'s> {
    spectral: &'s Spectral,
    order: &'s Order,
    scale: f64,
    /// `g`, of which `b` is the product with the demands.
    border: f64,
    /// `t`.
    corner: f64,
    /// Of `A`.
    diagonal: Vec<f64>,
}

impl Matrix<'_> {
    /// Tells whether the matrix with `shift` added to its diagonal is certainly positive definite: the elimination of
    /// the bordered one meets one negative pivot, that of the corner, even with the diagonal lowered by a margin.
    ///
    /// The computed factors are those of a matrix that differs by at most `(n + 2) 2^-53 (1 + …) |L| |D| |L|ᵀ` (Higham 2002,
    /// theorem 9.3), whose norm is at most the sum of the squares of each row over its pivot. That sum is computed too, and
    /// what differs in `b bᵀ / t` is at most four times as much, since `‖b‖` and `t` are about the same.
    fn is_definite(&self, shift: f64) -> bool {
        let Self { spectral, order, .. } = self;
        let (count, head, size) = (self.diagonal.len(), order.first.len(), order.core.len());
        let full = |vertex: usize| self.diagonal[vertex] + shift;
        let length = spectral.demand.iter().map(|demand| (demand * self.border).powi(2)).sum::<f64>();
        let expected =
            8.0 * ((0..count).map(|vertex| full(vertex).abs()).sum::<f64>() + self.corner + length / self.corner);
        let margin = 8.0 * certain_margin(expected, count + 1);
        // Rows of the upper triangle: of the first vertices at their later neighbours, of the core in full.
        let mut pivots: Vec<f64> = order.first.iter().map(|(vertex, _)| full(*vertex) - margin).collect();
        let mut values: Vec<Vec<f64>> = order.first.iter().map(|(_, list)| vec![0.0; list.len()]).collect();
        let mut border: Vec<f64> = spectral.demand.iter().map(|demand| demand * self.border).collect();
        let mut dense = vec![0.0; size * size];
        for (i, &vertex) in order.core.iter().enumerate() {
            dense[i * size + i] = full(vertex) - margin;
        }
        for &(a, b, weight) in &spectral.edges {
            let (a, b) = if order.place[a] < order.place[b] { (a, b) } else { (b, a) };
            let (i, j) = (order.place[a], order.place[b]);
            if i >= head {
                dense[(i - head) * size + j - head] -= weight as f64 * self.scale;
            } else {
                let list = &order.first[i].1;
                let at = list.partition_point(|&other| order.place[other] < j);
                values[i][at] -= weight as f64 * self.scale;
            }
        }
        let mut corner = self.corner;
        let mut squares = 0.0;
        for pivot in 0..head {
            let value = pivots[pivot];
            if value.is_nan() || value <= 0.0 {
                return false;
            }
            let (vertex, list) = &order.first[pivot];
            let row = std::mem::take(&mut values[pivot]);
            let edge = border[*vertex];
            corner += edge * edge / value;
            squares += value + (dot(&row, &row) + edge * edge) / value;
            for (at, (&one, &entry)) in list.iter().zip(&row).enumerate() {
                let factor = entry / value;
                let i = order.place[one];
                border[one] -= factor * edge;
                let rest = list[at + 1..].iter().zip(&row[at + 1..]);
                if i >= head {
                    let target = &mut dense[(i - head) * size..][..size];
                    target[i - head] -= factor * entry;
                    rest.for_each(|(&other, &value)| target[order.place[other] - head] -= factor * value);
                } else {
                    pivots[i] -= factor * entry;
                    let (names, target) = (&order.first[i].1, &mut values[i]);
                    let mut to = 0;
                    for (&other, &value) in rest {
                        while names[to] != other {
                            to += 1;
                        }
                        target[to] -= factor * value;
                    }
                }
            }
        }
        let border: Vec<f64> = order.core.iter().map(|&vertex| border[vertex]).collect();
        for (i, row) in dense.chunks_mut(size.max(1)).enumerate() {
            let factor = border[i] / corner;
            row[i..].iter_mut().zip(&border[i..]).for_each(|(value, edge)| *value += factor * edge);
        }
        squares += corner + dot(&border, &border) / corner;
        dense_squares(&mut dense, size).is_some_and(|rest| squares + rest <= expected)
    }
}

/// Rows that are eliminated together.
const PANEL: usize = 8;

/// Eliminates a dense matrix, of which the upper triangle is given; returns the sum of the squares of each row over its
/// pivot, or `None` at a pivot that is not positive.
fn dense_squares(matrix: &mut [f64], size: usize) -> Option<f64> {
    let mut start = 0;
    let mut squares = 0.0;
    while start < size {
        let end = (start + PANEL).min(size);
        for k in start..end {
            let pivot = matrix[k * size + k];
            if pivot.is_nan() || pivot <= 0.0 {
                return None;
            }
            let (head, tail) = matrix.split_at_mut((k + 1) * size);
            let row = &head[k * size..];
            squares += dot(&row[k..], &row[k..]) / pivot;
            for i in k + 1..end {
                let factor = row[i] / pivot;
                let target = &mut tail[(i - k - 1) * size..][..size];
                target[i..].iter_mut().zip(&row[i..]).for_each(|(value, above)| *value -= factor * above);
            }
        }
        let (head, tail) = matrix.split_at_mut(end * size);
        let panel = &head[start * size..];
        for i in end..size {
            let target = &mut tail[(i - end) * size..][i..size];
            let row = |k: usize| &panel[k * size + i..(k + 1) * size];
            let factor = |k: usize| panel[k * size + i] / panel[k * size + start + k];
            if end - start == PANEL {
                let factors: [f64; PANEL] = std::array::from_fn(factor);
                let rows: [&[f64]; PANEL] = std::array::from_fn(row);
                for (j, value) in target.iter_mut().enumerate() {
                    let mut sum = *value;
                    for k in 0..PANEL {
                        sum -= factors[k] * rows[k][j];
                    }
                    *value = sum;
                }
            } else {
                for k in 0..end - start {
                    let by = factor(k);
                    target.iter_mut().zip(row(k)).for_each(|(value, above)| *value -= by * above);
                }
            }
        }
        start = end;
    }
    Some(squares)
}
