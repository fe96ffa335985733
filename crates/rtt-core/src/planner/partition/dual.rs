//! A lower bound on what a partition cuts, from multipliers of its constraints.
//!
//! With `X(i,j) = 1` if vertices `i` and `j` are in one bin, else 0, a partition cuts `Σ w(i,j) (1 − X(i,j))`. `X` is positive semidefinite
//! with 1 on its diagonal, and holds
//!
//! * for each vertex: the demand of what is with it is at most what its bin has;
//! * for each pair: `X(i,j) ≥ 0`, and `= 0` where they cannot be together;
//! * for each three: `X(i,j) + X(j,k) − X(i,k) ≤ 1`, of which only violated ones are used (Grötschel and Wakabayashi 1990);
//! * for each vertex all of whose bins are open: it is in one of them.
//!
//! Any multipliers of these, with one of the diagonal, prove a bound once the matrix `S` of the Lagrangian is positive
//! semidefinite. Good ones are found by ascent on the dual with the penalty `|S₋|² / 8α` in place of that (Malick and Roupin
//! 2013), by quasi-Newton steps of limited memory (Nocedal 1980), with `α` sinking. They are then rounded to integers, and what they
//! prove is computed in integers as in [`super::super::cuts`]. Floats only guide.

use std::collections::BTreeSet;

use super::super::cuts::{DIGITS, EXACT, dot, is_definite};
use super::eigen::decompose;
use super::node::Node;

/// Three vertices of which the middle one is with both others only if these are together.
pub(super) type Triangle = (usize, usize, usize);

/// How the ascent goes on: α at first and at last, its factor per round, rounds, steps in each, and new triangles after it.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    first: f64,
    last: f64,
    factor: f64,
    rounds: usize,
    triangles: usize,
}

/// From no multipliers at all.
pub(super) const FROM_NOTHING: Pace = Pace { first: 0.02, last: 0.000_05, factor: 0.6, rounds: 20, triangles: 400 };
/// From those of a node with one vertex more.
pub(super) const FROM_PARENT: Pace = Pace { first: 0.002, last: 0.000_2, factor: 0.5, rounds: 6, triangles: 200 };

/// Steps per round.
const STEPS: usize = 40;
/// Steps whose differences guide the next.
const MEMORY: usize = 12;
/// A round ends when no constraint is violated by more.
const TOLERANCE: f64 = 0.02;
/// Shorter steps that are tried before a direction is given up, and by what they become shorter.
const SHORTER: usize = 12;
const SHORTEN: f64 = 0.4;

/// Where the multipliers of each kind are: of the diagonal, of two resources, of being somewhere, of pairs, of triangles.
#[derive(Clone, Copy)]
pub(super) struct Layout(pub(super) usize);

impl Layout {
    pub(super) fn capacity(self, resource: usize) -> usize {
        self.0 * (1 + resource)
    }
    pub(super) fn once(self) -> usize {
        self.0 * 3
    }
    /// Pairs come row by row of a lower triangle.
    pub(super) fn pairs(self) -> usize {
        self.0 * 4
    }
    pub(super) fn pair(self, one: usize, other: usize) -> usize {
        let (low, high) = (one.min(other), one.max(other));
        self.pairs() + high * (high - 1) / 2 + low
    }
    pub(super) fn triangles(self) -> usize {
        self.pairs() + self.0 * self.0.saturating_sub(1) / 2
    }
}

/// What an ascent on the multipliers of a node needs, in units of the mean weight at a vertex, and shares of capacities.
pub(super) struct Dual<'n> {
    node: &'n Node,
    layout: Layout,
    unit: f64,
    weights: Vec<f64>,
    scarce: [bool; 2],
    /// Demand of the second as a share of the capacity for the first, per resource; 0 where it is not scarce.
    shares: [Vec<f64>; 2],
    apart: Vec<bool>,
    /// Multipliers that may be negative.
    is_free: Vec<bool>,
    /// The matrix that the last multipliers make, an approximation of a best `X`, and the least eigenvalue of `S`.
    pub(super) x: Vec<f64>,
    least: f64,
    /// Products of two numbers so far.
    pub(super) work: u64,
}

impl<'n> Dual<'n> {
    pub(super) fn new(node: &'n Node, unit: f64) -> Self {
        let size = node.vertices.len();
        let mut weights = vec![0.0; size * size];
        for &(a, b, weight) in &node.edges {
            weights[a * size + b] += weight as f64 / unit;
            weights[b * size + a] += weight as f64 / unit;
        }
        let scarce = node.scarce();
        let shares = [0, 1].map(|resource| {
            let mut shares = vec![0.0; size * size];
            for i in (0..size).filter(|_| scarce[resource]) {
                for j in 0..size {
                    let capacity = node.vertices[i].capacity[resource].max(1);
                    shares[i * size + j] = node.vertices[j].demand[resource] as f64 / capacity as f64;
                }
            }
            shares
        });
        let apart = node.apart();
        let layout = Layout(size);
        let mut is_free = vec![false; layout.triangles()];
        is_free[..size].fill(true);
        is_free[layout.once()..layout.pairs()].fill(true);
        for i in 0..size {
            for j in 0..i {
                is_free[layout.pair(i, j)] = apart[i * size + j];
            }
        }
        Self { node, layout, unit, weights, scarce, shares, apart, is_free, x: Vec::new(), least: 0.0, work: 0 }
    }

    /// Climbs from multipliers until the bound reaches `goal`, it stays, or the work is used up; the best bound met.
    pub(super) fn ascend(
        &mut self,
        values: &mut Vec<f64>,
        triangles: &mut Vec<Triangle>,
        pace: Pace,
        goal: i64,
        work: u64,
    ) -> i64 {
        let (mut alpha, mut best) = (pace.first, 0);
        for round in 0..pace.rounds {
            self.climb(values, triangles, alpha);
            let bound = self.verify(values, triangles).unwrap_or(0);
            let gain = bound - best;
            best = best.max(bound);
            let left = goal - best;
            self.separate(values, triangles, pace.triangles);
            let is_last = alpha <= pace.last && gain.saturating_mul(50) < left;
            let is_hopeless = round > 1 && alpha <= 4.0 * pace.last && gain.saturating_mul(30) < left;
            if left <= 0 || is_last || is_hopeless || self.work > work {
                break;
            }
            alpha = (alpha * pace.factor).max(pace.last);
        }
        best
    }

    /// The matrix `S` without the diagonal's multipliers, and what comes beside the product with `X`.
    fn lagrangian(&self, values: &[f64], triangles: &[Triangle]) -> (Vec<f64>, f64) {
        let (size, layout) = (self.layout.0, self.layout);
        let mut matrix = vec![0.0; size * size];
        let mut constant = self.node.total as f64 / self.unit;
        let capacity = [0, 1].map(|resource| &values[layout.capacity(resource)..][..size]);
        for i in 0..size {
            for (of, shares) in capacity.iter().zip(&self.shares) {
                constant -= of[i] * (1.0 - shares[i * size + i]);
            }
            for j in 0..i {
                let mut entry = -self.weights[i * size + j] - values[layout.pair(i, j)];
                for (of, shares) in capacity.iter().zip(&self.shares) {
                    entry += of[i] * shares[i * size + j] + of[j] * shares[j * size + i];
                }
                matrix[i * size + j] = entry;
                matrix[j * size + i] = entry;
            }
        }
        for (vertex, opened) in self.node.settled() {
            let once = values[layout.once() + vertex];
            constant += once;
            for terminal in opened {
                matrix[vertex * size + terminal] -= once;
                matrix[terminal * size + vertex] -= once;
            }
        }
        for (&(i, j, k), &multiplier) in triangles.iter().zip(&values[layout.triangles()..]) {
            constant -= multiplier;
            for (a, b, sign) in [(i, j, 1.0), (j, k, 1.0), (i, k, -1.0)] {
                matrix[a * size + b] += sign * multiplier;
                matrix[b * size + a] += sign * multiplier;
            }
        }
        (matrix, constant)
    }

    /// The penalised dual at some multipliers, and its gradient.
    fn evaluate(&mut self, values: &[f64], triangles: &[Triangle], alpha: f64, gradient: &mut [f64]) -> f64 {
        let (size, layout) = (self.layout.0, self.layout);
        let (mut matrix, mut value) = self.lagrangian(values, triangles);
        for i in 0..size {
            matrix[i * size + i] = -values[i];
            value += 0.5 * values[i];
        }
        let eigenvalues = decompose(&mut matrix, size);
        self.work += 12 * (size as u64).pow(3);
        self.least = eigenvalues.iter().copied().fold(f64::MAX, f64::min);
        let mut x = vec![0.0; size * size];
        for (eigenvalue, vector) in eigenvalues.iter().zip(matrix.chunks(size)).filter(|(value, _)| **value < 0.0) {
            value -= eigenvalue * eigenvalue / (8.0 * alpha);
            let factor = -eigenvalue / (2.0 * alpha);
            for i in 0..size {
                let by = factor * vector[i];
                x[i * size..=i * size + i].iter_mut().zip(vector).for_each(|(sum, value)| *sum += by * value);
            }
        }
        for i in 0..size {
            (0..i).for_each(|j| x[j * size + i] = x[i * size + j]);
        }
        for i in 0..size {
            gradient[i] = 0.5 - 0.5 * x[i * size + i];
            for resource in (0..2).filter(|&resource| self.scarce[resource]) {
                let shares = &self.shares[resource][i * size..][..size];
                let with = dot(shares, &x[i * size..][..size]) - shares[i] * x[i * size + i];
                gradient[layout.capacity(resource) + i] = with - (1.0 - shares[i]);
            }
            (0..i).for_each(|j| gradient[layout.pair(i, j)] = -x[i * size + j]);
        }
        gradient[layout.once()..layout.pairs()].fill(0.0);
        for (vertex, opened) in self.node.settled() {
            gradient[layout.once() + vertex] = 1.0 - opened.map(|terminal| x[vertex * size + terminal]).sum::<f64>();
        }
        for (&triangle, slope) in triangles.iter().zip(&mut gradient[layout.triangles()..]) {
            *slope = excess(&x, size, triangle);
        }
        self.x = x;
        value - 0.5 * alpha * (size * size) as f64
    }

    /// One round of steps.
    fn climb(&mut self, values: &mut Vec<f64>, triangles: &[Triangle], alpha: f64) {
        let count = values.len();
        let free = |at: usize, is_free: &[bool]| is_free.get(at).copied().unwrap_or(false);
        let mut gradient = vec![0.0; count];
        let mut value = self.evaluate(values, triangles, alpha, &mut gradient);
        let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
        for _ in 0..STEPS {
            // What is at its limit and would go beyond stays there.
            let moves = |at: usize| free(at, &self.is_free) || values[at] > 0.0 || gradient[at] > 0.0;
            let mask: Vec<f64> = (0..count).map(|at| f64::from(u8::from(moves(at)))).collect();
            let steepest: Vec<f64> = gradient.iter().zip(&mask).map(|(slope, mask)| slope * mask).collect();
            if steepest.iter().all(|slope| slope.abs() < TOLERANCE) {
                break;
            }
            let mut direction = turned(&steepest, &mask, &memory, alpha);
            if dot(&direction, &gradient) <= 0.0 {
                memory.clear();
                direction = turned(&steepest, &mask, &memory, alpha);
            }
            let mut length = 1.0;
            let mut is_found = false;
            for _ in 0..SHORTER {
                let next: Vec<f64> = (0..count)
                    .map(|at| {
                        let next = values[at] + length * direction[at];
                        if free(at, &self.is_free) { next } else { next.max(0.0) }
                    })
                    .collect();
                let mut slope = vec![0.0; count];
                let found = self.evaluate(&next, triangles, alpha, &mut slope);
                let step: Vec<f64> = next.iter().zip(values.iter()).map(|(next, value)| next - value).collect();
                if found > value && found >= value + 1e-4 * dot(&step, &gradient) {
                    let change: Vec<f64> = gradient.iter().zip(&slope).map(|(before, after)| before - after).collect();
                    let curvature = dot(&step, &change);
                    if curvature > 1e-14 {
                        if memory.len() == MEMORY {
                            memory.remove(0);
                        }
                        memory.push((step, change, curvature));
                    }
                    (*values, gradient, value, is_found) = (next, slope, found, true);
                    break;
                }
                length *= SHORTEN;
            }
            if !is_found {
                if memory.is_empty() {
                    break;
                }
                memory.clear();
            }
        }
    }

    /// Forgets triangles that do not matter, and takes in those that are violated most.
    fn separate(&self, values: &mut Vec<f64>, triangles: &mut Vec<Triangle>, most: usize) {
        let (size, first) = (self.layout.0, self.layout.triangles());
        let (mut kept, mut multipliers) = (Vec::new(), Vec::new());
        for (&triangle, &multiplier) in triangles.iter().zip(&values[first..]) {
            if multiplier > 1e-9 || excess(&self.x, size, triangle) > -TOLERANCE {
                kept.push(triangle);
                multipliers.push(multiplier);
            }
        }
        let known: BTreeSet<Triangle> = kept.iter().copied().collect();
        let mut violated: Vec<(f64, Triangle)> = Vec::new();
        for j in 0..size {
            for i in (0..size).filter(|&i| i != j && self.x[i * size + j] > TOLERANCE) {
                for k in (i + 1..size).filter(|&k| k != j) {
                    let by = excess(&self.x, size, (i, j, k));
                    if by > TOLERANCE && !known.contains(&(i, j, k)) {
                        violated.push((by, (i, j, k)));
                    }
                }
            }
        }
        violated.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        violated.truncate(most);
        multipliers.resize(multipliers.len() + violated.len(), 0.0);
        kept.extend(violated.into_iter().map(|(_, triangle)| triangle));
        values.truncate(first);
        values.extend(multipliers);
        *triangles = kept;
    }

    /// The bound that the multipliers prove; `None` if their figures are too large.
    fn verify(&mut self, values: &[f64], triangles: &[Triangle]) -> Option<i64> {
        let (size, layout, node) = (self.layout.0, self.layout, self.node);
        let digits = f64::from(1_u32 << DIGITS);
        let scale = self.unit * digits;
        let positive = |at: usize| (values[at] * scale).round().max(0.0);
        let mut matrix = vec![0.0; size * size];
        let mut add = |a: usize, b: usize, value: f64| {
            matrix[a * size + b] += value;
            matrix[b * size + a] += value;
        };
        // In units of the last digit, all twice.
        let mut twice = i128::from(node.total) << (DIGITS + 1);
        let mut is_exact = true;
        for &(a, b, weight) in &node.edges {
            is_exact &= (weight as f64) * digits < EXACT;
            add(a, b, -(weight as f64) * digits);
        }
        for resource in (0..2).filter(|&resource| self.scarce[resource]) {
            for i in 0..size {
                let capacity = node.vertices[i].capacity[resource];
                let multiplier =
                    (values[layout.capacity(resource) + i] * scale / capacity.max(1) as f64).round().max(0.0);
                for j in (0..size).filter(|&j| j != i) {
                    let product = multiplier * node.vertices[j].demand[resource] as f64;
                    is_exact &= product < EXACT;
                    add(i, j, product);
                }
                twice -= 2 * multiplier as i128 * i128::from(capacity - node.vertices[i].demand[resource]);
            }
        }
        for i in 0..size {
            for j in 0..i {
                let at = layout.pair(i, j);
                let multiplier = if self.apart[i * size + j] { (values[at] * scale).round() } else { positive(at) };
                add(i, j, -multiplier);
            }
        }
        for (vertex, opened) in node.settled() {
            let multiplier = (values[layout.once() + vertex] * scale).round();
            opened.for_each(|terminal| add(vertex, terminal, -multiplier));
            twice += 2 * multiplier as i128;
        }
        for (index, &(i, j, k)) in triangles.iter().enumerate() {
            let multiplier = positive(layout.triangles() + index);
            add(i, j, multiplier);
            add(j, k, multiplier);
            add(i, k, -multiplier);
            twice -= 2 * multiplier as i128;
        }
        let diagonal: Vec<f64> = values[..size].iter().map(|value| (value * scale).round()).collect();
        // NaN is not less either.
        if !(is_exact && matrix.iter().chain(&diagonal).all(|entry| entry.abs() < EXACT)) {
            return None;
        }
        // The least shift that is needed is known from the eigenvalues, but for rounding.
        let mut shift = ((-self.least).max(0.0) * scale * (1.0 + 1e-9) + 16.0 * size as f64).ceil();
        while !is_definite(&matrix, &diagonal, shift) {
            self.work += (size as u64).pow(3) / 3;
            if shift > EXACT {
                return None;
            }
            shift *= 2.0;
        }
        twice += diagonal.iter().map(|value| *value as i128 - shift as i128).sum::<i128>();
        let unit = 1_i128 << (DIGITS + 1);
        i64::try_from(twice.div_euclid(unit) + i128::from(twice.rem_euclid(unit) != 0)).ok()
    }

    /// The entry of `S` for two vertices at some multipliers.
    pub(super) fn entry(&self, values: &[f64], triangles: &[Triangle], one: usize, other: usize) -> f64 {
        self.lagrangian(values, triangles).0[one * self.layout.0 + other]
    }
}

/// By how much `X(i,j) + X(j,k) − X(i,k)` exceeds 1.
fn excess(x: &[f64], size: usize, (i, j, k): Triangle) -> f64 {
    x[i * size + j] + x[j * size + k] - x[i * size + k] - 1.0
}

/// The gradient, turned by what the last steps say about the curvature; `mask` is 1 for what moves, and 0 for the rest.
fn turned(gradient: &[f64], mask: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)], alpha: f64) -> Vec<f64> {
    let mut direction = gradient.to_vec();
    let add = |direction: &mut [f64], by: f64, what: &[f64]| {
        let pairs = direction.iter_mut().zip(what).zip(mask);
        pairs.for_each(|((value, of), mask)| *value = (*value + by * of) * mask);
    };
    let mut factors = Vec::with_capacity(memory.len());
    for (step, change, curvature) in memory.iter().rev() {
        let factor = dot(step, &direction) / curvature;
        add(&mut direction, -factor, change);
        factors.push(factor);
    }
    let scale = memory.last().map_or(alpha, |(_, change, curvature)| curvature / dot(change, change));
    direction.iter_mut().for_each(|value| *value *= scale);
    for ((step, change, curvature), factor) in memory.iter().zip(factors.into_iter().rev()) {
        let by = factor - dot(change, &direction) / curvature;
        add(&mut direction, by, step);
    }
    direction
}
