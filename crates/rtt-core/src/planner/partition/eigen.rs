//! Eigenvalues and eigenvectors of small symmetric matrices: Householder's reduction to a tridiagonal matrix, then QL steps
//! with implicit shifts (Golub and Van Loan, *Matrix Computations*, 8.3). Only additions, products, quotients and square
//! roots, in an order of our own: the same bits on every machine, which libraries with fused operations do not promise.

/// Steps for one eigenvalue; three are usual.
const MAX_STEPS: usize = 60;

/// Eigenvalues, and the orthonormal eigenvector of each as a row of what was the matrix. Only the lower triangle is read.
pub(super) fn decompose(matrix: &mut [f64], size: usize) -> Vec<f64> {
    let mut values = vec![0.0; size];
    let mut off = vec![0.0; size];
    reduce(matrix, size, &mut values, &mut off);
    accumulate(matrix, size, &mut values);
    off.rotate_left(1);
    diagonalise(matrix, size, &mut values, &mut off);
    values
}

/// Reduces to a tridiagonal matrix, with the subdiagonal in `off` from 1 on. The reflections stay below the diagonal, those over the
/// squares of their lengths above it, and the squares in `norms`.
fn reduce(a: &mut [f64], size: usize, norms: &mut [f64], off: &mut [f64]) {
    for i in (1..size).rev() {
        let (head, tail) = a.split_at_mut(i * size);
        let row = &mut tail[..i];
        let scale: f64 = if i > 1 { row.iter().map(|value| value.abs()).sum() } else { 0.0 };
        if scale == 0.0 {
            off[i] = row[i - 1];
            continue;
        }
        row.iter_mut().for_each(|value| *value /= scale);
        let square: f64 = row.iter().map(|value| value * value).sum();
        let last = row[i - 1];
        let length = if last >= 0.0 { -square.sqrt() } else { square.sqrt() };
        off[i] = scale * length;
        let norm = square - last * length;
        row[i - 1] = last - length;
        norms[i] = norm;
        // The product of the rest with the reflection, of whose two halves only the lower is there.
        let mut product = vec![0.0; i];
        for j in 0..i {
            let line = &head[j * size..][..=j];
            let mut sum = line[j] * row[j];
            for k in 0..j {
                sum += line[k] * row[k];
                product[k] += line[k] * row[j];
            }
            product[j] += sum;
        }
        let mut along = 0.0;
        for j in 0..i {
            head[j * size + i] = row[j] / norm;
            product[j] /= norm;
            along += product[j] * row[j];
        }
        let half = along / (norm + norm);
        product.iter_mut().zip(row.iter()).for_each(|(value, of)| *value -= half * of);
        for j in 0..i {
            let (f, g) = (row[j], product[j]);
            let line = &mut head[j * size..][..=j];
            for (k, value) in line.iter_mut().enumerate() {
                *value -= f * product[k] + g * row[k];
            }
        }
    }
}

/// Multiplies the reflections out; the matrix becomes their product, transposed, and `values` the diagonal.
fn accumulate(a: &mut [f64], size: usize, values: &mut [f64]) {
    for i in 0..size {
        if values[i] != 0.0 {
            let mut product = vec![0.0; i];
            for k in 0..i {
                let by = a[i * size + k];
                product.iter_mut().zip(&a[k * size..][..i]).for_each(|(sum, value)| *sum += by * value);
            }
            for k in 0..i {
                let by = a[k * size + i];
                a[k * size..][..i].iter_mut().zip(&product).for_each(|(value, of)| *value -= of * by);
            }
        }
        values[i] = a[i * size + i];
        a[i * size + i] = 1.0;
        for j in 0..i {
            a[j * size + i] = 0.0;
            a[i * size + j] = 0.0;
        }
    }
    for i in 0..size {
        (0..i).for_each(|j| a.swap(i * size + j, j * size + i));
    }
}

/// Rotates the tridiagonal matrix of `values` and `off` to a diagonal one, and the rows of `a` with it.
fn diagonalise(a: &mut [f64], size: usize, values: &mut [f64], off: &mut [f64]) {
    for first in 0..size {
        for _ in 0..MAX_STEPS {
            let is_small = |at: usize| off[at].abs() <= f64::EPSILON * (values[at].abs() + values[at + 1].abs());
            let last = (first..size - 1).find(|&at| is_small(at)).unwrap_or(size - 1);
            if last == first {
                break;
            }
            let slope = (values[first + 1] - values[first]) / (2.0 * off[first]);
            let root = (slope * slope + 1.0).sqrt();
            let mut g = values[last] - values[first] + off[first] / (slope + if slope >= 0.0 { root } else { -root });
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            let mut is_split = false;
            for i in (first..last).rev() {
                let (f, b) = (sine * off[i], cosine * off[i]);
                let length = (f * f + g * g).sqrt();
                off[i + 1] = length;
                if length == 0.0 {
                    values[i + 1] -= shift;
                    off[last] = 0.0;
                    is_split = true;
                    break;
                }
                (sine, cosine) = (f / length, g / length);
                g = values[i + 1] - shift;
                let step = (values[i] - g) * sine + 2.0 * cosine * b;
                shift = sine * step;
                values[i + 1] = g + shift;
                g = cosine * step - b;
                let (head, tail) = a.split_at_mut((i + 1) * size);
                for (one, other) in head[i * size..].iter_mut().zip(&mut tail[..size]) {
                    (*one, *other) = (cosine * *one - sine * *other, sine * *one + cosine * *other);
                }
            }
            if !is_split {
                values[first] -= shift;
                off[first] = g;
                off[last] = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::numbers::Numbers;
    use super::decompose;

    /// `A = Vᵀ Λ V` and `V Vᵀ = 1`, also with equal eigenvalues and none but 0.
    #[test]
    fn eigenvectors_are_orthonormal_and_make_up_the_matrix() {
        let mut numbers = Numbers(7);
        for (size, most) in [(1, 9), (2, 9), (3, 2), (12, 1_000_001), (40, 3), (57, 2_000), (9, 1)] {
            let mut matrix = vec![0.0; size * size];
            for i in 0..size {
                for j in 0..=i {
                    let value = numbers.below(most) as f64 - (most / 2) as f64;
                    matrix[i * size + j] = value;
                    matrix[j * size + i] = value;
                }
            }
            let mut vectors = matrix.clone();
            let values = decompose(&mut vectors, size);
            for i in 0..size {
                for j in 0..size {
                    let back: f64 = (0..size).map(|k| values[k] * vectors[k * size + i] * vectors[k * size + j]).sum();
                    assert!((back - matrix[i * size + j]).abs() < 1e-9 * (size * most) as f64, "{size}: {back}");
                    let product: f64 = (0..size).map(|k| vectors[i * size + k] * vectors[j * size + k]).sum();
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12 * size as f64, "{size}: {product}");
                }
            }
        }
    }
}
