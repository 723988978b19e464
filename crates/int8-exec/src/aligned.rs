//! Floats that start at a cache line.

/// Values whose first lies at the start of a cache line: vectors that cross two lines take twice as long, and
/// large allocations begin 16 bytes behind one.
#[derive(Default)]
pub(crate) struct AlignedFloats {
    values: Vec<f32>,
    /// Before the first value.
    skipped: usize,
    len: usize,
}

const LINE_BYTES: usize = 64;

impl AlignedFloats {
    /// Makes room for `len` values.
    pub(crate) fn resize(&mut self, len: usize) {
        const MOST_SKIPPED: usize = LINE_BYTES / size_of::<f32>() - 1;
        self.values.resize(len + MOST_SKIPPED, 0.0);
        self.skipped = self.values.as_ptr().align_offset(LINE_BYTES).min(MOST_SKIPPED);
        self.len = len;
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.values[self.skipped..][..self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.values[self.skipped..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_start_at_a_line_and_stay_when_moved() {
        let mut floats = AlignedFloats::default();
        for len in [0, 1, 1000, 1 << 20] {
            floats.resize(len);
            assert_eq!(floats.as_slice().as_ptr() as usize % LINE_BYTES, 0);
            floats.as_mut_slice().fill(1.0);
            let moved = std::mem::take(&mut floats);
            assert_eq!((moved.as_slice().as_ptr() as usize % LINE_BYTES, moved.as_slice().len()), (0, len));
            assert!(moved.as_slice().iter().all(|&value| value == 1.0));
            floats = moved;
        }
    }
}
