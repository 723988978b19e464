//! Operands: mostly small ones that fit, sometimes one that cannot.

use int8_kernels::{Activation, Algorithm, ConvShape, Isa, Padding, Place};

/// Sizes that somebody may compute wrongly.
pub(crate) const SIZES: [usize; 12] =
    [0, 1, 2, 3, 5, 64, 1 << 31, usize::MAX / 64, usize::MAX / 2, usize::MAX / 2 + 1, usize::MAX - 1, usize::MAX];

/// Floats of every kind.
pub(crate) const FLOATS: [f32; 10] =
    [0.0, -0.0, 1.0, -3.5, 1e-40, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];

/// So many, or fewer where the test runs in an emulator.
pub(crate) const fn times(count: usize) -> usize {
    if cfg!(target_arch = "x86_64") { count } else { count.div_ceil(10) }
}

/// Counts calls and draws operands.
#[derive(Debug)]
pub(crate) struct Calls {
    count: usize,
    state: u32,
}

impl Default for Calls {
    fn default() -> Self {
        Self { count: 0, state: 1 }
    }
}

impl Calls {
    /// Counts a call; takes its result, so that the compiler does not leave it out.
    pub(crate) fn made<T>(&mut self, result: T) -> T {
        self.count += 1;
        std::hint::black_box(result)
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.state >> 8) as usize % end
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A number that fits, or once in so many times one of [`SIZES`].
    pub(crate) fn size(&mut self, fitting: usize, rarity: usize) -> usize {
        if self.below(rarity) == 0 { self.pick(&SIZES) } else { fitting }
    }

    /// A length that fits, or one that is off by one, or none at all.
    pub(crate) fn length(&mut self, fitting: usize) -> usize {
        match self.below(8) {
            0 => fitting.saturating_sub(1),
            1 => fitting + 1,
            2 => 0,
            _ => fitting,
        }
    }

    pub(crate) fn isa(&mut self) -> Isa {
        self.pick(Isa::available())
    }

    pub(crate) fn algorithm(&mut self) -> Algorithm {
        self.pick(&[Algorithm::Fastest, Algorithm::Direct, Algorithm::Winograd])
    }

    pub(crate) fn float(&mut self) -> f32 {
        self.pick(&FLOATS)
    }

    pub(crate) fn activation(&mut self) -> Activation {
        let (a, b) = (self.float(), self.float());
        self.pick(&[
            Activation::None,
            Activation::Relu,
            Activation::LeakyRelu { slope: a },
            Activation::Clip { min: a, max: b },
            Activation::Sigmoid,
            Activation::Mish,
            Activation::HardSwish { alpha: a, beta: b },
        ])
    }

    /// Dense, grouped or depthwise.
    pub(crate) fn shape(&mut self) -> ConvShape {
        let (groups, in_group, out_group) = match self.below(3) {
            0 => (1, 1 + self.below(40), 1 + self.below(40)),
            1 => (1 + self.below(3), 1 + self.below(5), 1 + self.below(9)),
            _ => (1 + self.below(70), 1, 1),
        };
        let mut small = || 1 + self.below(3);
        ConvShape {
            in_channels: groups * in_group,
            out_channels: groups * out_group,
            groups,
            kernel_h: small(),
            kernel_w: small(),
            stride_h: small(),
            stride_w: small(),
            dilation_h: small(),
            dilation_w: small(),
        }
    }

    /// The same with one size that may be any.
    pub(crate) fn spoilt(&mut self, mut shape: ConvShape) -> ConvShape {
        let size = self.pick(&SIZES);
        let fields = [
            &mut shape.in_channels,
            &mut shape.out_channels,
            &mut shape.groups,
            &mut shape.kernel_h,
            &mut shape.kernel_w,
            &mut shape.stride_h,
            &mut shape.stride_w,
            &mut shape.dilation_h,
            &mut shape.dilation_w,
        ];
        let index = self.below(fields.len());
        for (_, field) in fields.into_iter().enumerate().filter(|(at, _)| *at == index) {
            *field = size;
        }
        shape
    }

    /// None, a little, or once in `rarity` times on one side any.
    pub(crate) fn padding(&mut self, rarity: usize) -> Padding {
        let mut side = || {
            let little = self.below(3);
            self.size(little, 4 * rarity)
        };
        let [top, bottom, left, right] = [side(), side(), side(), side()];
        Padding { top, bottom, left, right, value: self.pick(&[0, 0, 0, -3, 127, -127, i8::MIN]) }
    }

    /// Where so many channels lie in a pixel, possibly nowhere.
    pub(crate) fn place(&mut self, channels: usize) -> Place {
        let first_channel = self.below(3);
        let pixel_stride = channels + first_channel + self.below(3);
        Place { pixel_stride: self.size(pixel_stride, 10), first_channel: self.size(first_channel, 10) }
    }
}
