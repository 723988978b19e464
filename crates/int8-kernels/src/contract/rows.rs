//! Routines over whole slices.

/// Routines over whole slices; slices that belong together are equally long. What one has more of than the other
/// is left alone.
///
/// All of the code may be called wherever the CPU has its instructions.
#[derive(Debug)]
pub(crate) struct RowKernels {
    /// The code of [`RowKernels::quantize`].
    pub(crate) quantize: unsafe fn(&[f32], f32, &mut [u8]),
    /// The code of [`RowKernels::dequantize`].
    pub(crate) dequantize: unsafe fn(&[u8], f32, &mut [f32]),
    /// The code of [`RowKernels::requantize`].
    pub(crate) requantize: unsafe fn(&[u8], f32, f32, &mut [u8]),
    /// The code of [`RowKernels::interleave`].
    pub(crate) interleave: unsafe fn([&[u8]; 3], &mut [u8]),
    /// The code of [`RowKernels::max`].
    pub(crate) max: unsafe fn(&MaxWindows<'_>, &mut [u8]),
}

/// Windows of one size, `step` bytes apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaxWindows<'a> {
    /// Stored values.
    pub(crate) bytes: &'a [u8],
    /// First channel of the first pixel of the first window.
    pub(crate) start: usize,
    /// Rows of a window and bytes between them.
    pub(crate) rows: (usize, usize),
    /// Columns of a window and bytes between them.
    pub(crate) columns: (usize, usize),
    /// Number of windows.
    pub(crate) count: usize,
    /// Bytes from one window to the next.
    pub(crate) step: usize,
    /// Channels.
    pub(crate) channels: usize,
    /// Bytes from one pixel of the output to the next.
    pub(crate) out_step: usize,
}

impl RowKernels {
    /// [`quantize_values`](crate::quantize_values).
    #[inline]
    pub(crate) fn quantize(&self, values: &[f32], scale: f32, out: &mut [u8]) {
        // SAFETY: `kernels_of` gives out kernels only where the CPU has their instructions.
        unsafe { (self.quantize)(values, scale, out) }
    }

    /// [`dequantize_values`](crate::dequantize_values).
    #[inline]
    pub(crate) fn dequantize(&self, bytes: &[u8], step: f32, out: &mut [f32]) {
        // SAFETY: as in `quantize`.
        unsafe { (self.dequantize)(bytes, step, out) }
    }

    /// [`requantize_values`](crate::requantize_values).
    #[inline]
    pub(crate) fn requantize(&self, bytes: &[u8], step: f32, scale: f32, out: &mut [u8]) {
        // SAFETY: as in `quantize`.
        unsafe { (self.requantize)(bytes, step, scale, out) }
    }

    /// Three planes to pixels of three bytes.
    ///
    /// # Panics
    /// If a plane has fewer bytes than `out` has pixels.
    #[inline]
    pub(crate) fn interleave(&self, planes: [&[u8]; 3], out: &mut [u8]) {
        // SAFETY: as in `quantize`.
        unsafe { (self.interleave)(planes, out) }
    }

    /// The largest bytes of windows.
    ///
    /// # Panics
    /// If `out` has no room for them.
    #[inline]
    pub(crate) fn max(&self, windows: &MaxWindows<'_>, out: &mut [u8]) {
        // SAFETY: as in `quantize`.
        unsafe { (self.max)(windows, out) }
    }
}
