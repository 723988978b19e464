//! Counting slot numbers fast.

/// Zeros come in long runs, and a count waits for the one before it in the same slot:
/// neighbours count their zeros in different slots.
pub(crate) const ZERO_LANES: usize = 8;

/// Adds 1 to the slot of every value. `slot` takes a value and its lane,
/// `0..`[`ZERO_LANES`], and returns an index into `slots`.
#[inline(always)]
pub(crate) fn count(slots: &mut [u64], values: &[f32], slot: impl Fn(f32, u32) -> u32) {
    // The indices of a block first: that part has no dependencies and becomes vector code.
    const BLOCK: usize = 64;
    let mut indices = [0; BLOCK];
    for block in values.chunks(BLOCK) {
        for (position, (index, &x)) in indices.iter_mut().zip(block).enumerate() {
            *index = slot(x, position as u32 % ZERO_LANES as u32);
        }
        for &index in &indices[..block.len()] {
            let count = &mut slots[index as usize];
            *count = count.saturating_add(1);
        }
    }
}

/// Moves the counts of all lanes to the first, so that equal counts are equal bits.
pub(crate) fn join_lanes(lanes: &mut [u64]) {
    let total = lanes.iter().fold(0u64, |sum, &count| sum.saturating_add(count));
    lanes.fill(0);
    if let [first, ..] = lanes {
        *first = total;
    }
}
