//! What this machine can do: instruction sets and speeds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use clap::Args;
use int8_exec::Options;
use int8_kernels::{Algorithm, Isa, peak_macs_per_second};
use ncnn_format::{Error, Result};

/// The choice of instructions.
#[derive(Debug, Clone, Default, Args)]
pub struct IsaArgs {
    /// Instructions of the int8 kernels, such as avx2; never more than the CPU has
    /// [default: the environment variable INT8_ISA, else the best]
    #[arg(long, value_name = "NAME")]
    pub isa: Option<String>,
    /// Compute 3x3 convolutions of int8 layers product by product; results are the same
    #[arg(long)]
    pub no_winograd: bool,
}

impl IsaArgs {
    /// How an int8 network is to be run.
    ///
    /// # Errors
    /// Those of [`IsaArgs::choose`].
    pub fn options(&self) -> Result<Options> {
        let algorithm = if self.no_winograd { Algorithm::Direct } else { Algorithm::Fastest };
        Ok(Options::default().with_isa(self.choose()?).with_algorithm(algorithm))
    }

    /// The instruction set to use.
    ///
    /// # Errors
    /// `Invalid` for a name that is unknown or that this CPU does not have.
    pub fn choose(&self) -> Result<Isa> {
        let name = self.isa.clone().or_else(|| std::env::var("INT8_ISA").ok().filter(|name| !name.is_empty()));
        let Some(name) = name else { return Ok(Isa::detect()) };
        Isa::by_name(&name).ok_or_else(|| {
            let available: Vec<String> = Isa::available().iter().map(ToString::to_string).collect();
            Error::invalid(format!("this CPU has no instruction set {name}; it has {}", available.join(", ")))
        })
    }
}

/// Multiply-adds per second of one thread that does nothing else; `None` where that is not known.
pub(crate) fn peak(isa: Isa) -> Option<f64> {
    Some(peak_macs_per_second(isa)).filter(|&peak| peak > 0.0)
}

/// Bytes per second that one thread copies from and to its caches, read and written counted.
pub(crate) fn bandwidth() -> f64 {
    const BYTES: usize = 1 << 21;
    let (from, mut to) = (vec![1_u8; BYTES], vec![0_u8; BYTES]);
    let best = (0..20).map(|_| time(|| black_box(&mut to).copy_from_slice(black_box(&from)))).min();
    2.0 * BYTES as f64 / best.unwrap_or_default().as_secs_f64().max(1e-9)
}

/// How long `work` takes.
pub(crate) fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
