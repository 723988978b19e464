//! A pointwise convolution with a residual sum, to floats and to the next layer's int8 values at once.
//!
//! `cargo run --release -p int8-kernels --example conv1x1`

use int8_kernels::{
    Activation, Addend, Conv1x1, Epilogue, Error, Image, Isa, PixelScratch, Place, Residual, Sink, stored, unstored,
};

fn main() -> Result<(), Error> {
    let (height, width, inputs, outputs) = (4, 5, 16, 8);
    let weights: Vec<i8> = (0..outputs * inputs).map(|i| (i * 7 % 31) as i8 - 15).collect();
    let bytes: Vec<u8> = (0..height * width * inputs).map(|i| stored((i % 100) as i8)).collect();
    let shortcut: Vec<f32> = (0..height * width * outputs).map(|i| i as f32 * 0.01).collect();

    let epilogue = Epilogue::new(vec![0.002; outputs], Some(vec![0.1; outputs]), Activation::None)?;
    let conv = Conv1x1::new(inputs, outputs, &weights, Isa::detect())?.with_epilogue(epilogue)?;

    let image = Image::new(&bytes, height, width, inputs, inputs)?;
    let addend = Addend::F32 { values: &shortcut, pixel_stride: outputs };
    let residual = Residual { addend, then: Activation::Relu };
    let (mut floats, mut quantized) = (vec![0.0; shortcut.len()], vec![0; shortcut.len()]);
    let place = Place::whole(outputs);
    let mut sinks = [Sink::F32 { values: &mut floats, place }, Sink::I8 { bytes: &mut quantized, place, scale: 30.0 }];
    conv.run(&image, Some(residual), &mut sinks, &mut PixelScratch::default())?;

    for (pixel, (floats, bytes)) in floats.chunks(outputs).zip(quantized.chunks(outputs)).enumerate().step_by(7) {
        let values: Vec<i8> = bytes.iter().copied().map(unstored).collect();
        println!("pixel {pixel}: {floats:.2?} is {values:?} / 30");
    }
    Ok(())
}
