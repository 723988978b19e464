//! A list of weights in the making, with its arithmetic checked.

use super::spec::{Encoding, WeightSpec};
use crate::{Error, Result, WeightRole};

/// A size with its name, for messages.
pub(super) type Size = (&'static str, i32);

/// The weights found so far.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) specs: Vec<WeightSpec>,
}

impl Plan {
    /// A weight with a tag, of as many elements as the product of `sizes`.
    pub(super) fn tagged(&mut self, role: WeightRole, sizes: &[Size]) -> Result<()> {
        self.add(role, Encoding::Tagged, sizes)
    }

    /// Plain floats, as many as the product of `sizes`.
    pub(super) fn raw(&mut self, role: WeightRole, sizes: &[Size]) -> Result<()> {
        self.add(role, Encoding::Raw, sizes)
    }

    /// Packed values, as many bytes as the product of `sizes`.
    pub(super) fn packed(&mut self, role: WeightRole, sizes: &[Size]) -> Result<()> {
        self.add(role, Encoding::Packed, sizes)
    }

    /// A single plain float.
    pub(super) fn raw_single(&mut self, role: WeightRole) {
        self.specs.push(WeightSpec { role, len: 1, encoding: Encoding::Raw });
    }

    fn add(&mut self, role: WeightRole, encoding: Encoding, sizes: &[Size]) -> Result<()> {
        let len = product(sizes).map_err(|error| Error::malformed(format!("{role}: {}", error.message())))?;
        self.specs.push(WeightSpec { role, len, encoding });
        Ok(())
    }
}

/// The product of `sizes`, all of which must be positive (ncnn fails to load
/// an empty weight).
pub(super) fn product(sizes: &[Size]) -> Result<usize> {
    sizes.iter().try_fold(1_usize, |product, &size| {
        let value = usize::try_from(size.1).ok().filter(|value| *value > 0);
        let value = value.ok_or_else(|| Error::malformed(format!("{} should be positive", in_words(&[size]))))?;
        product.checked_mul(value).ok_or_else(|| Error::malformed(format!("{} is too large", in_words(sizes))))
    })
}

/// `whole` / product of `parts`, which must leave no remainder.
pub(super) fn quotient(whole: Size, parts: &[Size]) -> Result<i32> {
    let divisor = product(parts)?;
    let dividend = product(&[whole])?;
    if dividend % divisor != 0 {
        return Err(Error::malformed(format!("{} is not a multiple of {}", in_words(&[whole]), in_words(parts))));
    }
    // Smaller than `whole`, which is an i32.
    Ok(i32::try_from(dividend / divisor).unwrap_or(i32::MAX))
}

fn in_words(sizes: &[Size]) -> String {
    let words: Vec<String> = sizes.iter().map(|(name, value)| format!("{name} {value}")).collect();
    words.join(" x ")
}
