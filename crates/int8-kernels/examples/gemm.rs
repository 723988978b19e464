//! A fully connected layer from float weights: quantize, multiply, compare with floats.
//!
//! `cargo run --release -p int8-kernels --example gemm`

use int8_kernels::{Activation, Epilogue, Error, Gemm, Isa, PixelScratch, Place, Sink};
use int8_kernels::{dequantize_scale, quantize_slice, quantize_values};

fn main() -> Result<(), Error> {
    const OUTPUTS: usize = 10;
    const DEPTH: usize = 64;
    const BATCH: usize = 3;
    let weights: Vec<f32> = (0..OUTPUTS * DEPTH).map(|i| (i as f32 * 0.37).sin() * 0.2).collect();
    let inputs: Vec<f32> = (0..BATCH * DEPTH).map(|i| (i as f32 * 0.11).cos() * 2.0).collect();

    // A scale is 127 over the largest magnitude: one per output for weights, one for all inputs.
    let scale_of = |values: &[f32]| 127.0 / values.iter().fold(0f32, |most, value| most.max(value.abs()));
    let input_scale = scale_of(&inputs);
    let weight_scales: Vec<f32> = weights.chunks(DEPTH).map(scale_of).collect();
    let mut packed = vec![0; weights.len()];
    for ((row, to), &scale) in weights.chunks(DEPTH).zip(packed.chunks_mut(DEPTH)).zip(&weight_scales) {
        quantize_slice(row, scale, to)?;
    }

    let isa = Isa::detect();
    let scales = weight_scales.iter().map(|&scale| dequantize_scale(input_scale, scale)).collect();
    let epilogue = Epilogue::new(scales, None, Activation::Relu)?;
    let gemm = Gemm::new(OUTPUTS, DEPTH, &packed, isa)?.with_epilogue(epilogue)?;

    let mut bytes = vec![0; inputs.len()];
    quantize_values(&inputs, input_scale, &mut bytes, isa)?;
    let mut outputs = vec![0.0; BATCH * OUTPUTS];
    let mut sinks = [Sink::F32 { values: &mut outputs, place: Place::whole(OUTPUTS) }];
    gemm.run(&bytes, None, &mut sinks, &mut PixelScratch::default())?;

    println!("{BATCH} rows of {DEPTH} values to {OUTPUTS} outputs, by {isa}");
    for (row, (input, found)) in inputs.chunks(DEPTH).zip(outputs.chunks(OUTPUTS)).enumerate() {
        let exact = weights.chunks(DEPTH).map(|w| w.iter().zip(input).map(|(w, x)| w * x).sum::<f32>().max(0.0));
        let worst = exact.zip(found).map(|(exact, found)| (exact - found).abs()).fold(0f32, f32::max);
        println!("row {row}: {:.3?} ..., at most {worst:.4} from floats", &found[..3]);
    }
    Ok(())
}
