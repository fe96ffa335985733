//! From the decimal numbers that people write to the integers that we compute with.
//!
//! The rounding is done on the decimal text, so that `0.29 ms` is 290 µs on every machine, whatever the nearest double is.

/// The largest figure; sums of products of a few of these with the schemas' other limits stay within 64 bits.
const LARGEST: i64 = 1_000_000_000_000;

/// Returns `value × 10^digits`, rounded down; values below zero and not finite give 0, large ones saturate at 10^12.
pub fn scale_down(value: f64, digits: u32) -> i64 {
    scale(value, digits).0
}

/// Returns `value × 10^digits`, rounded up; values below zero and not finite give 0, large ones saturate at 10^12.
pub fn scale_up(value: f64, digits: u32) -> i64 {
    let (whole, rest) = scale(value, digits);
    if rest { whole + 1 } else { whole }
}

/// The integer part of the scaled value, and whether anything was left over.
fn scale(value: f64, digits: u32) -> (i64, bool) {
    if !value.is_finite() || value <= 0.0 {
        return (0, false);
    }
    // Display prints the shortest decimal that reads back as the same double, never in exponent form.
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let cut = fraction.len().min(digits as usize);
    let kept = format!("{whole}{:0<width$}", &fraction[..cut], width = digits as usize);
    let rest = fraction[cut..].bytes().any(|digit| digit != b'0');
    match kept.parse() {
        Ok(scaled) if scaled < LARGEST => (scaled, rest),
        _ => (LARGEST, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_the_decimal_not_the_double() {
        for (value, digits, down, up) in [
            (0.57, 3, 570, 570),
            (5.0, 3, 5000, 5000),
            (0.0001, 3, 0, 1),
            (1.2345, 3, 1234, 1235),
            (-1.0, 3, 0, 0),
            (f64::NAN, 3, 0, 0),
            (0.5, 0, 0, 1),
            (1e300, 3, LARGEST, LARGEST),
        ] {
            assert_eq!((scale_down(value, digits), scale_up(value, digits)), (down, up), "{value}");
        }
    }
}
