//! JSON numbers, exactly: a whole number times a power of ten.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// A number as its shortest text says it. Two that are equal have equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    /// At most 20 digits, the last of them not 0 unless it is the only one.
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// Returns a number's value.
    pub(super) fn of(number: &Number) -> Self {
        if let Some(whole) = number.as_i64() {
            return Self::new(whole.into(), 0);
        }
        if let Some(whole) = number.as_u64() {
            return Self::new(whole.into(), 0);
        }
        // The shortest text that reads back as the same double: "-1.25e-7".
        let text = format!("{:e}", number.as_f64().unwrap_or_default());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().unwrap_or_default();
        let exponent: i32 = exponent.parse().unwrap_or_default();
        Self::new(digits, exponent - fraction.len() as i32)
    }

    /// Returns `digits` times ten to the power of `exponent`.
    pub(super) fn new(mut digits: i128, mut exponent: i32) -> Self {
        if digits == 0 {
            return Self { digits: 0, exponent: 0 };
        }
        while digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Self { digits, exponent }
    }

    pub(super) fn is_positive(self) -> bool {
        self.digits > 0
    }

    /// Returns the power of ten of the last digit that is not 0.
    pub(super) fn exponent(self) -> i32 {
        self.exponent
    }

    /// Returns the number in units of ten to the power of `exponent`; `None` if it is no whole number of them, or too many.
    pub(super) fn in_units(self, exponent: i32) -> Option<i128> {
        if self.digits == 0 {
            return Some(0);
        }
        let places = u32::try_from(self.exponent - exponent).ok()?;
        self.digits.checked_mul(10_i128.checked_pow(places)?)
    }

    /// Tells whether the number is a whole multiple of a unit, which is not 0.
    pub(super) fn is_multiple_of(self, unit: Self) -> bool {
        let shift = self.exponent - unit.exponent;
        if shift < 0 {
            let scaled = 10_i128.checked_pow(shift.unsigned_abs()).and_then(|scale| unit.digits.checked_mul(scale));
            return self.digits == 0 || scaled.is_some_and(|scaled| self.digits % scaled == 0);
        }
        (0..shift).fold(self.digits % unit.digits, |rest, _| rest * 10 % unit.digits) == 0
    }

    /// Returns the number as JSON; `None` if a double would round it.
    pub(super) fn to_json(self) -> Option<Value> {
        let number = match self.in_units(0) {
            Some(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(whole), _) => Number::from(whole),
                (_, Ok(whole)) => Number::from(whole),
                _ => Number::from_f64(self.to_double()?)?,
            },
            None => Number::from_f64(self.to_double()?)?,
        };
        (Self::of(&number) == self).then_some(Value::Number(number))
    }

    fn to_double(self) -> Option<f64> {
        format!("{}e{}", self.digits, self.exponent).parse().ok()
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.digits.signum();
        if sign != other.digits.signum() || sign == 0 {
            return sign.cmp(&other.digits.signum());
        }
        let width = |number: &Self| i64::from(number.digits.unsigned_abs().ilog10()) + i64::from(number.exponent);
        let magnitude = width(self).cmp(&width(other)).then_with(|| {
            // Equally wide, so their exponents differ by less than the digits of the longer one.
            let least = self.exponent.min(other.exponent);
            let scaled =
                |number: &Self| number.digits.unsigned_abs() * 10_u128.pow((number.exponent - least).unsigned_abs());
            scaled(self).cmp(&scaled(other))
        });
        if sign < 0 { magnitude.reverse() } else { magnitude }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
