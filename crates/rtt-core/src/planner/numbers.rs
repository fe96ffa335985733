//! Chance that is the same on every run and every machine.

/// A generator of numbers (xorshift64*, Vigna 2016).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 up to, and without, the limit.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from((self.next() >> 33) % limit.max(1) as u64).unwrap_or_default()
    }

    /// 1024 times a number of nearly exponential distribution: the binary logarithm of a random fraction, negative,
    /// interpolated linearly between powers of two.
    pub(super) fn exponential(&mut self) -> i64 {
        let bits = self.next() | 1;
        let zeros = bits.leading_zeros();
        let fraction = (bits << zeros << 1) >> 54;
        i64::from(zeros) * 1024 + 1024 - i64::try_from(fraction).unwrap_or_default()
    }
}
