//! A convolution as a matrix product: `im2col` and `Gemm` give what `PixelConv` gives without the matrix.
//!
//! `cargo run --release -p int8-kernels --example im2col`

use int8_kernels::{
    Activation, ConvShape, Epilogue, Error, Gemm, Image, Isa, Padding, PixelConv, PixelScratch, Run, im2col,
    im2col_len, stored,
};

fn main() -> Result<(), Error> {
    let (height, width) = (32, 32);
    let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(8, 16) };
    let padding = Padding::uniform(1);
    let (outputs, depth, isa) = (shape.out_channels, shape.depth()?, Isa::detect());
    let weights: Vec<i8> = (0..outputs * depth).map(|i| (i * 37 % 255) as u8 as i8).collect();
    let bytes: Vec<u8> = (0..height * width * shape.in_channels).map(|i| stored((i % 127) as i8)).collect();
    let image = Image::new(&bytes, height, width, shape.in_channels, shape.in_channels)?;

    // One row of the matrix per output pixel, in the order of the weights of one output channel.
    let mut matrix = vec![0; im2col_len(&shape, height, width, &padding)?];
    im2col(&shape, &image, &padding, &mut matrix)?;
    let mut sums = vec![0; matrix.len() / depth * outputs];
    let mut scratch = PixelScratch::default();
    Gemm::new(outputs, depth, &weights, isa)?.accumulate(&matrix, &mut sums, &mut scratch)?;

    let epilogue = Epilogue::new(vec![1.0; outputs], None, Activation::None)?;
    let conv = PixelConv::new(shape, &weights, epilogue, isa)?;
    let mut direct = vec![0; sums.len()];
    let run = Run { input: image, padding, rows: 0..height, residual: None };
    conv.accumulate(&run, &mut direct, &mut scratch)?;

    println!("a matrix of {} bytes for an image of {}", matrix.len(), bytes.len());
    println!("{} sums, {} of them equal", sums.len(), sums.iter().zip(&direct).filter(|(a, b)| a == b).count());
    Ok(())
}
