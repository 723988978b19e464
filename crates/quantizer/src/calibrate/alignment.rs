//! How two vectors lie to each other, in sums that can be put together.

use std::iter::Sum;
use std::ops::{Add, Sub};

/// What the cosine of two vectors is made of; sums of parts are those of the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Alignment {
    /// Σ expected · found.
    pub product: f64,
    /// Σ found².
    pub found: f64,
    /// Σ expected².
    pub expected: f64,
}

impl Alignment {
    /// The cosine, from -1 to 1; 1 where nothing is expected, 0 where nothing is found.
    pub fn cosine(self) -> f64 {
        if self.expected == 0.0 {
            return 1.0;
        }
        if self.found == 0.0 { 0.0 } else { self.product / (self.expected * self.found).sqrt() }
    }
}

impl Add for Alignment {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            product: self.product + other.product,
            found: self.found + other.found,
            expected: self.expected + other.expected,
        }
    }
}

impl Sub for Alignment {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            product: self.product - other.product,
            found: self.found - other.found,
            expected: self.expected - other.expected,
        }
    }
}

impl Sum for Alignment {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pairs: &[(f64, f64)]) -> Alignment {
        let one = |&(expected, found): &(f64, f64)| Alignment {
            product: expected * found,
            found: found * found,
            expected: expected * expected,
        };
        pairs.iter().map(one).sum()
    }

    #[test]
    fn cosines_of_plain_vectors() {
        for (pairs, cosine) in [
            (&[(1.0, 2.0), (2.0, 4.0)][..], 1.0),
            (&[(1.0, -1.0)], -1.0),
            (&[(1.0, 0.0), (0.0, 1.0)], 0.0),
            (&[(3.0, 3.0), (4.0, 0.0)], 0.6),
        ] {
            assert!((of(pairs).cosine() - cosine).abs() < 1e-12, "{pairs:?}");
        }
    }

    #[test]
    fn nothing_expected_is_right_and_nothing_found_is_not() {
        assert_eq!(Alignment::default().cosine(), 1.0);
        assert_eq!(of(&[(0.0, 5.0)]).cosine(), 1.0);
        assert_eq!(of(&[(5.0, 0.0)]).cosine(), 0.0);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_can_be_taken_away(
            pairs in proptest::collection::vec((-8i8..8, -8i8..8), 1..30),
            cut in 0usize..30,
        ) {
            // Small integers: every sum is exact.
            let pairs: Vec<(f64, f64)> = pairs.into_iter().map(|(a, b)| (a.into(), b.into())).collect();
            let (first, rest) = pairs.split_at(cut.min(pairs.len()));
            prop_assert_eq!(of(first) + of(rest), of(&pairs));
            prop_assert_eq!(of(&pairs) - of(first), of(rest));
        }
    }
}
