//! Numbers: bounds, multiples and exclusions, exactly, as whole numbers of a unit that divides all of them.

use super::claim::{Claim, Demand, decimal, is_true};
use super::decimal::Decimal;
use super::schema::{Kind, Rule};
use super::search::Outcome;
use super::state::State;

/// How many multiples are tried before giving up.
const MAX_TRIES: i128 = 2_000;

/// How many decimal places finer than all that is given the search for a number between others becomes.
const EXTRA_PLACES: i32 = 4;

/// How many numbers are tried for each number of decimal places.
const TRIES_PER_PLACE: i128 = 8;

/// One end of an interval.
#[derive(Clone, Copy)]
struct End {
    at: Decimal,
    open: bool,
}

/// What the facts say.
struct Numbers {
    low: Option<End>,
    high: Option<End>,
    units: Vec<Decimal>,
    foreign_units: Vec<Decimal>,
    others: Vec<Decimal>,
}

/// Looks for a number of which the facts are true.
pub(super) fn solve(state: &State) -> Outcome {
    let numbers = Numbers::of(state);
    if let (Some(low), Some(high)) = (numbers.low, numbers.high)
        && (low.at > high.at || (low.at == high.at && (low.open || high.open)))
    {
        return Outcome::Empty;
    }
    let mut found = None;
    // What is found is checked against every fact: a bound too far out to count with is left out until then.
    let exhausted = numbers.search(&mut |number| {
        found = number.to_json().filter(|value| state.facts.iter().all(|fact| is_true(fact, value) == Some(true)));
        found.is_some()
    });
    match (found, exhausted) {
        (Some(value), _) => Outcome::Found(value),
        (None, true) => Outcome::Empty,
        (None, false) => Outcome::unknown(state.obstacle(|rule| matches!(rule, Rule::Multiple(_))), None),
    }
}

impl Numbers {
    fn of(state: &State) -> Self {
        let mut numbers =
            Self { low: None, high: None, units: Vec::new(), foreign_units: Vec::new(), others: Vec::new() };
        let one = Decimal::new(1, 0);
        match state.kind {
            Kind::Integer => numbers.units.push(one),
            _ => numbers.foreign_units.push(one),
        }
        for fact in &state.facts {
            match fact {
                Claim::Holds(_, Rule::Least { at, open }) => numbers.raise(End { at: *at, open: *open }),
                Claim::Holds(_, Rule::Most { at, open }) => numbers.lower(End { at: *at, open: *open }),
                Claim::Fails(_, Rule::Least { at, open }) => numbers.lower(End { at: *at, open: !open }),
                Claim::Fails(_, Rule::Most { at, open }) => numbers.raise(End { at: *at, open: !open }),
                Claim::Holds(_, Rule::Multiple(unit)) => numbers.units.push(*unit),
                Claim::Fails(_, Rule::Multiple(unit)) => numbers.foreign_units.push(*unit),
                Claim::Demand(Demand::Differs(value)) => numbers.others.extend(decimal(value)),
                _ => {}
            }
        }
        numbers
    }

    fn raise(&mut self, end: End) {
        if self.low.is_none_or(|low| (end.at, end.open) > (low.at, low.open)) {
            self.low = Some(end);
        }
    }

    fn lower(&mut self, end: End) {
        if self.high.is_none_or(|high| (end.at, !end.open) < (high.at, !high.open)) {
            self.high = Some(end);
        }
    }

    /// Proposes numbers until one is taken; true if none was and there is no other.
    fn search(&self, take: &mut dyn FnMut(Decimal) -> bool) -> bool {
        if let (Some(low), Some(high)) = (self.low, self.high)
            && low.at == high.at
        {
            let at = low.at;
            let is_excluded = self.excludes(at) || self.units.iter().any(|unit| !at.is_multiple_of(*unit));
            if !is_excluded {
                take(at);
            }
            return is_excluded;
        }
        let all = self.low.iter().chain(&self.high).map(|end| end.at);
        let all = all.chain(self.units.iter().chain(&self.foreign_units).chain(&self.others).copied());
        let exponent = all.map(Decimal::exponent).min().unwrap_or(0).min(0);
        if self.units.is_empty() {
            self.search_between(exponent, take);
            return false;
        }
        let Some(grid) = self.units.iter().try_fold(1, |grid, unit| least_common(grid, unit.in_units(exponent)?))
        else {
            return false;
        };
        // All multiples of the grid are multiples of a unit that divides it.
        let foreign = self.foreign_units.iter().filter_map(|unit| unit.in_units(exponent));
        if foreign.into_iter().any(|unit| grid % unit == 0) {
            return true;
        }
        let bound = |end: Option<End>| end.and_then(|end| Some((end.at.in_units(exponent)?, end.open)));
        let low = bound(self.low).map(|(at, open)| at.div_euclid(grid) + i128::from(open || at.rem_euclid(grid) != 0));
        let high =
            bound(self.high).map(|(at, open)| at.div_euclid(grid) - i128::from(open && at.rem_euclid(grid) == 0));
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            return true;
        }
        let nearest = 0.clamp(low.unwrap_or(i128::MIN), high.unwrap_or(i128::MAX));
        let is_inside = |at: &i128| low.is_none_or(|low| low <= *at) && high.is_none_or(|high| *at <= high);
        let number_at = |at: i128| Some(Decimal::new(at.checked_mul(grid)?, exponent));
        for offset in 0..MAX_TRIES {
            let around = [nearest.checked_add(offset), nearest.checked_sub(offset)].into_iter().flatten();
            let mut inside = around.filter(is_inside).peekable();
            if inside.peek().is_none() {
                return true;
            }
            for at in inside {
                let Some(number) = number_at(at) else { return false };
                if self.excludes(number) {
                    continue;
                }
                if take(number) {
                    return false;
                }
                if number.to_json().is_none() {
                    return self.search_far(nearest, &|at| Some(at).filter(is_inside).and_then(number_at), take);
                }
            }
        }
        false
    }

    /// Proposes numbers with few digits where those with many are rounded; never all of them.
    fn search_far(
        &self,
        nearest: i128,
        number: &dyn Fn(i128) -> Option<Decimal>,
        take: &mut dyn FnMut(Decimal) -> bool,
    ) -> bool {
        for scale in (1..i128::MAX.ilog10()).map(|places| 10_i128.pow(places)) {
            let below = nearest.div_euclid(scale).checked_mul(scale);
            let above = below.and_then(|below| below.checked_add(scale));
            let numbers = [below, above].into_iter().flatten().filter_map(number);
            if numbers.into_iter().any(|number| !self.excludes(number) && take(number)) {
                break;
            }
        }
        false
    }

    fn excludes(&self, number: Decimal) -> bool {
        self.foreign_units.iter().any(|unit| number.is_multiple_of(*unit)) || self.others.contains(&number)
    }

    /// Proposes numbers with more and more decimal places, those nearest to zero first.
    fn search_between(&self, exponent: i32, take: &mut dyn FnMut(Decimal) -> bool) {
        let places = [0].into_iter().chain((exponent - EXTRA_PLACES..0).rev());
        for places in places {
            let scaled = |end: Option<End>| end.and_then(|end| floor_in_units(end.at, places));
            let (low, high) = (scaled(self.low), scaled(self.high).map(|high| high.saturating_add(1)));
            let nearest = 0.clamp(low.unwrap_or(i128::MIN), high.unwrap_or(i128::MAX).max(low.unwrap_or(i128::MIN)));
            for offset in 0..TRIES_PER_PLACE {
                for at in [nearest.saturating_add(offset), nearest.saturating_sub(offset)] {
                    let number = Decimal::new(at, places);
                    if !self.excludes(number) && take(number) {
                        return;
                    }
                }
            }
        }
    }
}

/// Returns the largest whole number of units of ten to the power of `exponent` that does not exceed a number.
fn floor_in_units(number: Decimal, exponent: i32) -> Option<i128> {
    if number.exponent() >= exponent {
        return number.in_units(exponent);
    }
    let digits = number.in_units(number.exponent())?;
    let places = (exponent - number.exponent()).unsigned_abs();
    Some(10_i128.checked_pow(places).map_or(if digits < 0 { -1 } else { 0 }, |scale| digits.div_euclid(scale)))
}

fn least_common(one: i128, other: i128) -> Option<i128> {
    let (mut larger, mut smaller) = (one, other);
    while smaller != 0 {
        (larger, smaller) = (smaller, larger % smaller);
    }
    (one / larger).checked_mul(other)
}
