//! Windows of pixels, copied into the order in which a dense kernel reads them.

use super::taps::Taps;

/// Depths of a pixel that are gathered at once: one vector of them.
pub(crate) const COLUMN: usize = 16;

/// Copies windows of pixels to where all panels of weights then read them, one run after the other
/// without gaps, in an order of the kernel's own. The strip that a kernel gets then has one half and one
/// run ([`Taps::gathered`]), whose reach is also the step between pixels.
#[derive(Debug)]
pub(crate) struct Gather {
    /// Pixels of a tile: those of the dense kernel.
    pub(crate) pixels: usize,
    /// Tiles that a run takes at most.
    pub(crate) tiles: usize,
    /// Bytes that an activation becomes.
    pub(crate) copies: usize,
    /// The code of [`Gather::run`].
    ///
    /// # Safety
    /// The CPU has its instructions, and [`Patch::fits`] holds.
    pub(crate) code: unsafe fn(&Patch<'_>, &mut [u8], &mut [u8]),
}

/// The windows of some pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patch<'a> {
    /// Stored activations.
    pub(crate) bytes: &'a [u8],
    /// Where each pixel starts.
    pub(crate) starts: &'a [usize],
    /// The runs of bytes that a window consists of, with groups of one byte.
    pub(crate) taps: &'a Taps,
}

impl Gather {
    /// Writes [`Gather::bytes`] bytes into the last slice; the other is of use on the way. Depths beyond the
    /// windows' become any bytes, since their weights are zeros.
    ///
    /// # Panics
    /// If [`Patch::fits`] does not hold.
    #[inline]
    pub(crate) fn run(&self, patch: &Patch<'_>, spare: &mut [u8], out: &mut [u8]) {
        assert!(patch.fits(self, spare, out), "operands do not fit a gather");
        // SAFETY: they fit, and `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.code)(patch, spare, out) }
    }

    /// Pixels that a run takes at most.
    pub(crate) fn most_pixels(&self) -> usize {
        self.pixels * self.tiles
    }

    /// Bytes of so many windows once they are gathered.
    pub(crate) fn bytes(&self, taps: &Taps, pixels: usize) -> usize {
        row_bytes(taps).saturating_mul(pixels).saturating_mul(self.copies)
    }

    /// Bytes that gathering needs on the way.
    pub(crate) fn spare_bytes(&self, taps: &Taps) -> usize {
        row_bytes(taps).saturating_mul(self.pixels).saturating_add(COLUMN)
    }
}

impl Patch<'_> {
    /// Whether the windows lie within the bytes and the slices for `gather` are as long as they must be.
    pub(crate) fn fits(&self, gather: &Gather, spare: &[u8], out: &[u8]) -> bool {
        let last = self.starts.iter().fold(0, |last, &start| start.max(last));
        (1..=gather.most_pixels()).contains(&self.starts.len())
            && self.taps.depths() == 1
            && self.taps.all_groups() > 0
            && last.checked_add(self.taps.reach()).is_some_and(|end| end <= self.bytes.len())
            && spare.len() >= gather.spare_bytes(self.taps)
            && out.len() == gather.bytes(self.taps, self.starts.len())
    }

    /// Bytes of the gathered window of a pixel before they are copied.
    #[allow(dead_code, reason = "for architectures whose kernels gather")]
    pub(crate) fn row_bytes(&self) -> usize {
        row_bytes(self.taps)
    }
}

/// The depths of a window in whole columns.
fn row_bytes(taps: &Taps) -> usize {
    taps.all_groups().checked_next_multiple_of(COLUMN).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe fn nothing(_: &Patch<'_>, _: &mut [u8], _: &mut [u8]) {}

    const GATHER: Gather = Gather { pixels: 2, tiles: 3, copies: 4, code: nothing };

    #[test]
    fn a_patch_fits_only_with_all_of_its_bytes() {
        let taps = Taps::new(vec![0, 20], 9, 1);
        let bytes = [0; 40];
        let patch = Patch { bytes: &bytes, starts: &[0, 11], taps: &taps };
        // 18 depths are two columns, four times, of two pixels.
        let (spare, out) = (vec![0; 2 * 32 + COLUMN], vec![0; 2 * 32 * 4]);
        assert!(patch.fits(&GATHER, &spare, &out));
        assert!(!patch.fits(&GATHER, &spare[1..], &out));
        assert!(!patch.fits(&GATHER, &spare, &out[1..]));
        assert!(!Patch { bytes: &bytes[1..], ..patch }.fits(&GATHER, &spare, &out));
        assert!(!Patch { starts: &[], ..patch }.fits(&GATHER, &spare, &[]));
        assert!(!Patch { starts: &[usize::MAX, 0], ..patch }.fits(&GATHER, &spare, &out));
    }

    #[test]
    fn taps_made_for_other_groups_or_too_long_ones_do_not_fit() {
        let (spare, out) = (vec![0; 1 << 10], vec![0; 64]);
        for taps in [
            Taps::new(vec![0], 16, 0),
            Taps::new(vec![0], 4, 4),
            Taps::new(vec![0], 0, 1),
            Taps::new(Vec::new(), 16, 1),
            Taps::new(vec![0], usize::MAX, 1),
        ] {
            assert!(!Patch { bytes: &[0; 64], starts: &[0], taps: &taps }.fits(&GATHER, &spare, &out), "{taps:?}");
        }
    }
}
