//! Operands that a kernel must not see.

use crate::Isa;
use crate::arch::kernels_of;
use crate::contract::{DenseKernel, KR, Strip, Taps, Windows};

/// Operands for one pixel of a kernel, which fit.
fn one_pixel(kernel: &DenseKernel, check: impl FnOnce(Strip<'_>, &[i32])) {
    let taps = match kernel.gather {
        Some(_) => kernel.gathered_taps(kernel.depths),
        None => Taps::new(vec![0], 1, kernel.depths),
    };
    let lanes = kernel.least_vectors * kernel.lanes;
    let strip = Strip {
        bytes: &[0; 128],
        starts: [0; 2],
        halves: 1,
        pixels: 1,
        step: taps.reach(),
        taps: &taps,
        vectors: kernel.least_vectors,
        panel: &vec![0; lanes * kernel.form.bytes_per_lane(kernel.depths)],
        ahead: &[],
        initial: &vec![0; lanes],
    };
    check(strip, &vec![0; lanes]);
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        let kernel = &kernels.dense;
        one_pixel(kernel, |strip, out| {
            assert!(strip.fits(kernel, out));
            assert!(!strip.fits(kernel, &out[1..]));
            let no = |strip: Strip<'_>| assert!(!strip.fits(kernel, out), "{}: {strip:?}", kernel.name);
            no(Strip { starts: [usize::MAX, 0], ..strip });
            no(Strip { pixels: 0, ..strip });
            no(Strip { pixels: kernel.most_pixels() + 1, ..strip });
            no(Strip { pixels: usize::MAX, ..strip });
            no(Strip { halves: 0, ..strip });
            no(Strip { halves: 3, ..strip });
            no(Strip { halves: usize::MAX, ..strip });
            no(Strip { vectors: kernel.vectors + 1, ..strip });
            no(Strip { vectors: usize::MAX, ..strip });
            no(Strip { panel: &strip.panel[1..], ..strip });
            no(Strip { initial: &strip.initial[1..], ..strip });
            no(Strip { bytes: &[], ..strip });
        });
    }
}

/// What a window reaches must be counted in the depths of the kernel that reads it: two pixels of taps that were
/// made for fewer depths once passed, and the kernel read beyond the bytes.
#[test]
fn taps_of_other_depths_are_refused() {
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        let kernel = &kernels.dense;
        one_pixel(kernel, |strip, out| {
            for depths in [0, 1, kernel.depths - 1, kernel.depths + 1, usize::MAX] {
                let taps = Taps::new(vec![0], 1, depths);
                assert!(!Strip { taps: &taps, ..strip }.fits(kernel, out), "{} {depths}", kernel.name);
            }
            for taps in [
                Taps::new(vec![usize::MAX], 1, kernel.depths),
                Taps::new(vec![0], usize::MAX / kernel.depths, kernel.depths),
                Taps::new(vec![0, usize::MAX - 1], 1, kernel.depths),
                Taps::new(vec![0; 2], 1, kernel.depths),
                Taps::new(Vec::new(), 1, kernel.depths),
            ] {
                assert!(!Strip { taps: &taps, ..strip }.fits(kernel, out), "{} {taps:?}", kernel.name);
            }
        });
    }
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        let kernel = &kernels.depthwise;
        let taps = Taps::new(vec![0, 1, 2, 3], 0, KR);
        let windows = Windows {
            bytes: &vec![0; kernel.channels + 3],
            start: 0,
            pixels: 1,
            step: 1,
            taps: &taps,
            panel: &vec![0; kernel.channels * kernel.form.bytes_per_lane(KR)],
            initial: &vec![0; kernel.channels],
        };
        let out = vec![0; kernel.channels];
        assert!(windows.fit(kernel, &out));
        let no = |windows: Windows<'_>| assert!(!windows.fit(kernel, &out), "{}: {windows:?}", kernel.name);
        no(Windows { start: 1, ..windows });
        no(Windows { start: usize::MAX, ..windows });
        no(Windows { pixels: 0, ..windows });
        no(Windows { pixels: 2, ..windows });
        no(Windows { pixels: usize::MAX, step: usize::MAX, ..windows });
        no(Windows { panel: &windows.panel[1..], ..windows });
        no(Windows { initial: &windows.initial[1..], ..windows });
        for offsets in [vec![0], vec![0; 8], vec![0, 1, 2, 4], vec![usize::MAX; 4]] {
            no(Windows { taps: &Taps::new(offsets, 0, KR), ..windows });
        }
        assert!(std::panic::catch_unwind(|| kernel.run(&Windows { pixels: 0, ..windows }, &mut [])).is_err());
    }
}
