//! A whole network in 25 lines: convolution, pooling, classifier. `cargo run -p int8-kernels --example network`
use int8_kernels::*;

fn main() -> Result<(), Error> {
    let (isa, mut scratch) = (Isa::detect(), PixelScratch::default());
    let weights = |count: usize| -> Vec<i8> { (0..count).map(|i| (i * 73 % 251) as u8 as i8).collect() };
    let relu = |channels, scale| Epilogue::new(vec![scale; channels], None, Activation::Relu);
    // Quantize a picture of three planes into channels-last pixels.
    let planes: Vec<f32> = (0..3 * 32 * 32).map(|i| (i as f32 * 0.01).sin()).collect();
    let (mut picture, mut features) = (vec![0; 3 * 32 * 32], vec![0; 16 * 32 * 32]);
    quantize_planes(&planes, 3, 127.0, &mut picture, 3, isa)?;
    let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(3, 16) };
    let conv = PixelConv::new(shape, &weights(16 * 27), relu(16, 1e-4)?, isa)?;
    let (input, place) = (Image::new(&picture, 32, 32, 3, 3)?, Place::whole(16));
    let run = Run { input, padding: Padding::uniform(1), rows: 0..32, residual: None };
    conv.run(&run, &mut [Sink::I8 { bytes: &mut features, place, scale: 9.0 }], &mut scratch)?;
    let window = PoolWindow { kernel_h: 8, kernel_w: 8, stride_h: 8, stride_w: 8, padding: Padding::default() };
    let mut pooled = vec![0; 16 * 4 * 4];
    max_pool(&Image::new(&features, 32, 32, 16, 16)?, &window, 0..4, &mut pooled, place, isa)?;
    let mut classes = [0; 10];
    Gemm::new(10, pooled.len(), &weights(10 * 256), isa)?.accumulate(&pooled, &mut classes, &mut scratch)?;
    println!("{classes:?}");
    Ok(())
}
