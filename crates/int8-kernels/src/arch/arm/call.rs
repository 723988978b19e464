//! Calls of kernels. Unit tests fill the registers that a kernel must keep and look at them afterwards.

/// A kernel in assembly.
pub(super) type Kernel<Work> = unsafe extern "C" fn(*mut Work);

/// Calls a kernel.
///
/// # Safety
/// The CPU has NEON, and all that the kernel reads and writes by `work` is there.
#[cfg(not(test))]
#[inline(always)]
pub(super) unsafe fn call<Work>(kernel: Kernel<Work>, work: &mut Work) {
    // SAFETY: the caller's promise.
    unsafe { kernel(work) }
}

#[cfg(test)]
pub(super) use checked::call;

#[cfg(test)]
mod checked {
    use std::arch::naked_asm;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::Kernel;
    use crate::arch::arm::{KERNELS, dense, depthwise, finish, peak, residual, rows, transforms, winograd};
    use crate::contract::{COEFFICIENTS, KR, MaxWindows, Patches, Product, SIDE, Squares, Strip, Taps, Windows};
    use crate::finish::{Finish, Tile};
    use crate::sink::{Addend, Place, Residual, Sink};
    use crate::{Activation, Isa};

    /// Addresses of the kernels that were called and kept their registers.
    static CHECKED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

    /// The registers that a function must keep: `r4`–`r11` and `d8`–`d15`.
    #[repr(C)]
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Kept {
        core: [u32; 8],
        vector: [u64; 8],
    }

    /// Calls a kernel and asserts that it keeps what it must keep.
    ///
    /// # Safety
    /// As of the kernel.
    pub(in crate::arch::arm) unsafe fn call<Work>(kernel: Kernel<Work>, work: &mut Work) {
        let core = std::array::from_fn(|i| 0xC0DE_0000 + i as u32);
        let vector = std::array::from_fn(|i| 0xD0D0_F00D_0123_4500 + i as u64);
        let before = Kept { core, vector };
        let mut after = before;
        let address = kernel as usize;
        // SAFETY: the caller's promise; the function is called with its one argument.
        unsafe { call_between(address, (work as *mut Work).cast(), &mut after) };
        assert_eq!(after, before, "a kernel does not keep its caller's registers");
        CHECKED.lock().unwrap().insert(address);
    }

    /// Calls `function(argument)` with the registers of `kept`, and leaves there what they hold afterwards.
    #[unsafe(naked)]
    unsafe extern "C" fn call_between(function: usize, argument: *mut (), kept: *mut Kept) {
        naked_asm!(
            neon!(),
            "push {r4-r11, lr}",
            "vpush {d8-d15}",
            "push {r1, r2, r3}", // three, so that the stack stays aligned
            "mov r12, r0",
            "mov r0, r1",
            "ldm r2!, {r4-r11}",
            "vldm r2, {d8-d15}",
            "blx r12",
            "ldr r12, [sp, #4]",
            "stm r12!, {r4-r11}",
            "vstm r12, {d8-d15}",
            "add sp, sp, #12",
            "vpop {d8-d15}",
            "pop {r4-r11, pc}",
            options(raw)
        )
    }

    /// Changes a register of each kind that it should keep.
    #[unsafe(naked)]
    unsafe extern "C" fn careless(work: *mut u32) {
        naked_asm!(neon!(), "ldr r4, [r0]", "vmov.i32 d9, #0", "bx lr", options(raw))
    }

    #[test]
    #[should_panic(expected = "does not keep its caller's registers")]
    fn a_kernel_that_changes_registers_is_found() {
        if Isa::by_name("neon").is_none() {
            panic!("does not keep its caller's registers: not tested without NEON");
        }
        // SAFETY: it reads a word.
        unsafe { call(careless, &mut 7) };
    }

    #[test]
    fn every_kernel_keeps_its_callers_registers() {
        if Isa::by_name("neon").is_none() {
            return;
        }
        run_dense();
        run_depthwise();
        run_finish();
        run_rows();
        run_winograd();
        let all = [
            &dense::kernels()[..],
            &depthwise::kernels(),
            &finish::kernels(),
            &peak::kernels(),
            &residual::kernels(),
            &rows::kernels(),
            &transforms::kernels(),
            &winograd::kernels(),
        ]
        .concat();
        let checked = CHECKED.lock().unwrap().clone();
        for (index, address) in all.iter().enumerate() {
            assert!(checked.contains(address), "kernel {index} was not called");
        }
    }

    fn run_dense() {
        let kernel = &KERNELS.dense;
        KERNELS.spin(3);
        for (pixels, groups) in [(1, 1), (1, 4), (2, 2), (3, 5), (5, 8)] {
            let taps = Taps::new(vec![0, 3], groups, kernel.depths);
            let channels = 2 * kernel.lanes;
            let strip = Strip {
                bytes: &[1; 300],
                starts: [0; 2],
                halves: 1,
                pixels,
                step: 2,
                taps: &taps,
                vectors: 2,
                panel: &vec![2; 2 * groups * channels * kernel.depths],
                ahead: &[],
                initial: &vec![1; channels],
            };
            let mut out = vec![0; pixels * channels];
            kernel.run(&strip, &mut out);
            assert!(out.iter().all(|&sum| sum == (2 * 2 * groups * kernel.depths) as i32 + 1));
        }
    }

    fn run_depthwise() {
        let kernel = &KERNELS.depthwise;
        let three: Vec<usize> = (0..3).flat_map(|x| [x, x + 100, x + 200, 0]).collect();
        for (offsets, step) in [(three.clone(), 1), (three, 2), (vec![0, 5, 7, 9], 3)] {
            for pixels in [1, 2, 3, 7] {
                let taps = Taps::new(offsets.clone(), 0, KR);
                let windows = Windows {
                    bytes: &[1; 400],
                    start: 0,
                    pixels,
                    step,
                    taps: &taps,
                    panel: &vec![1; offsets.len() * kernel.channels],
                    initial: &vec![1; kernel.channels],
                };
                let mut out = vec![0; pixels * kernel.channels];
                kernel.run(&windows, &mut out);
                let real = if offsets.len() == 12 { 9 } else { 4 };
                assert!(out.iter().all(|&sum| sum == real + 1));
            }
        }
    }

    fn run_winograd() {
        let kernel = &winograd::WINOGRAD;
        let (grid, vectors) = (kernel.grid(1, 14).unwrap(), 3);
        let (mut inputs, row_stride) = (vec![0; grid.inputs()], 6 * 16);
        let bytes = [1; 6 * 6 * 16];
        let patches = Patches { bytes: &bytes, start: 0, row_stride, pixel_stride: 16, tiles: 1, first: 0, grid };
        kernel.transform_inputs(&patches, &mut inputs);
        let channels = vectors * kernel.lanes;
        let sum_stride = grid.sum_stride(channels).unwrap();
        let mut sums = vec![0; COEFFICIENTS * sum_stride];
        let panel = vec![0; COEFFICIENTS * 7 * channels * size_of::<i32>()];
        let product = Product { inputs: &inputs, grid, pairs: 7, vectors, panel: &panel, sum_stride };
        kernel.multiply(&product, &mut sums);
        let mut out = vec![7; SIDE * SIDE * channels];
        kernel.transform_sums(&Squares { sums: &sums, stride: sum_stride, channels, tiles: 1 }, &mut out);
        assert!(out.iter().all(|&sum| sum == 0));
    }

    fn run_finish() {
        let activations = [
            Activation::None,
            Activation::Relu,
            Activation::LeakyRelu { slope: 0.5 },
            Activation::Clip { min: 0.0, max: 100.0 },
        ];
        for activation in activations {
            let (scales, bias) = ([0.5; 8], [1.0; 8]);
            let finish = Finish { scales: &scales, bias: &bias, fused_bias: false, activation, residual: None };
            let sums = [6; 16];
            let tile =
                Tile { sums: &sums, stride: 8, pixels: 2, lane: 0, channel: 0, channels: 8, pixel: 0, whole_pixel: 0 };
            let (mut floats, mut bytes) = ([0.0; 16], [0; 16]);
            let place = Place::whole(8);
            // SAFETY: the sums and both sinks have two pixels of eight channels.
            unsafe { KERNELS.finish(&finish, &tile, &mut [Sink::F32 { values: &mut floats, place }]) };
            // SAFETY: as above.
            unsafe { KERNELS.finish(&finish, &tile, &mut [Sink::I8 { bytes: &mut bytes, place, scale: 2.0 }]) };
            assert_eq!((floats, bytes), ([4.0; 16], [8; 16]));
            let residual = Some(Residual { addend: Addend::InSink, then: activation });
            let finish = Finish { residual, ..finish };
            // SAFETY: the sums and both sinks have two pixels of eight channels.
            unsafe { KERNELS.finish(&finish, &tile, &mut [Sink::F32 { values: &mut floats, place }]) };
            assert_eq!(floats, [8.0; 16]);
        }
    }

    fn run_rows() {
        let rows = &KERNELS.rows;
        let (mut floats, mut bytes, mut pixels) = ([0.0; 24], [0; 24], [0; 72]);
        rows.quantize(&[1.5; 24], 2.0, &mut bytes);
        assert_eq!(bytes, [3; 24]);
        rows.dequantize(&bytes, 0.5, &mut floats);
        assert_eq!(floats, [1.5; 24]);
        rows.requantize(&[3; 24], 0.5, 4.0, &mut bytes);
        assert_eq!(bytes, [6; 24]);
        rows.interleave([&[1; 24], &[2; 24], &[3; 24]], &mut pixels);
        assert!(pixels.chunks(3).all(|pixel| pixel == [1, 2, 3]));
        let windows = MaxWindows {
            bytes: &pixels,
            start: 0,
            rows: (2, 4),
            columns: (2, 2),
            count: 2,
            step: 3,
            channels: 16,
            out_step: 20,
        };
        let mut largest = [0; 40];
        rows.max(&windows, &mut largest);
        assert_eq!(largest[..16], [3; 16]);
    }
}
