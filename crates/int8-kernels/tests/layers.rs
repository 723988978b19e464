//! Layers whose sizes are next to those at which kernels, panels and tiles change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use int8_kernels::{Activation, Algorithm, ConvShape, Epilogue, Isa, Padding, PixelScratch, Run};
use layer::{Layer, square, ways};

mod layer;

fn plain(channels: usize) -> Epilogue {
    Epilogue::new(vec![1.0; channels], None, Activation::None).unwrap()
}

/// Compares all sums with the definition, in one scratch for all.
fn check(layer: &Layer, scratch: &mut PixelScratch) {
    let (expected, (rows, _)) = (layer.sums(), layer.out_size());
    for (isa, algorithm) in ways() {
        let conv = layer.conv(plain(layer.shape.out_channels), isa, algorithm);
        let mut found = vec![-1; expected.len()];
        let run = Run { input: layer.input(), padding: layer.padding, rows: 0..rows, residual: None };
        conv.accumulate(&run, &mut found, scratch).unwrap();
        let place = || format!("{isa} {algorithm:?} {:?} {}x{}", layer.shape, layer.height, layer.width);
        assert!(found == expected, "{}", place());
    }
}

#[test]
fn every_number_of_output_channels_up_to_two_panels_is_right() {
    let mut scratch = PixelScratch::default();
    for outputs in 1..=66 {
        check(&Layer::new(ConvShape::pointwise(9, outputs), (2, 3), Padding::default()), &mut scratch);
    }
}

#[test]
fn every_number_of_input_channels_up_to_two_vectors_is_right() {
    let mut scratch = PixelScratch::default();
    for inputs in 1..=66 {
        check(&Layer::new(ConvShape::pointwise(inputs, 5), (2, 3), Padding::default()), &mut scratch);
        check(&Layer::new(square(inputs, 5, 1, 3, 1), (3, 4), Padding::uniform(1)), &mut scratch);
    }
}

#[test]
fn every_number_of_pixels_up_to_two_strips_is_right() {
    let mut scratch = PixelScratch::default();
    for width in 1..=65 {
        check(&Layer::new(ConvShape::pointwise(8, 20), (1, width), Padding::default()), &mut scratch);
        check(&Layer::new(square(8, 20, 1, 3, 1), (1, width), Padding::uniform(1)), &mut scratch);
    }
}

#[test]
fn every_size_of_output_up_to_three_tiles_of_winograd_is_right() {
    let mut scratch = PixelScratch::default();
    for (height, width) in (1..=9).flat_map(|height| (1..=9).map(move |width| (height, width))) {
        check(&Layer::new(square(5, 9, 1, 3, 1), (height, width), Padding::uniform(1)), &mut scratch);
    }
}

#[test]
fn every_number_of_depthwise_channels_up_to_two_blocks_is_right() {
    let mut scratch = PixelScratch::default();
    for channels in (1..=70).chain([127, 128, 129]) {
        check(&Layer::new(square(channels, channels, channels, 3, 1), (3, 6), Padding::uniform(1)), &mut scratch);
        check(&Layer::new(square(channels, channels, channels, 3, 2), (4, 7), Padding::uniform(1)), &mut scratch);
    }
}

#[test]
fn depthwise_kernels_of_every_size_are_right() {
    let mut scratch = PixelScratch::default();
    for (kernel_h, kernel_w) in (1..=6).flat_map(|h| (1..=6).map(move |w| (h, w))) {
        for (stride_w, dilation_w) in [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2)] {
            let shape = ConvShape { kernel_h, kernel_w, stride_w, dilation_w, ..square(20, 20, 20, 1, 1) };
            let padding = Padding { top: 2, bottom: 1, left: 3, right: 9, value: 11 };
            check(&Layer::new(shape, (5, 6), padding), &mut scratch);
        }
    }
}

#[test]
fn groups_of_every_width_are_right() {
    let mut scratch = PixelScratch::default();
    for (in_group, out_group) in (1..=9).flat_map(|i| (1..=9).map(move |o| (i, o))) {
        let shape = square(3 * in_group, 3 * out_group, 3, 3, 2);
        check(&Layer::new(shape, (5, 5), Padding::uniform(1)), &mut scratch);
    }
}

#[test]
fn kernels_that_cover_the_padding_alone_see_its_value() {
    let mut scratch = PixelScratch::default();
    for value in [-127, -1, 0, 1, 127] {
        let padding = Padding { top: 4, bottom: 5, left: 6, right: 3, value };
        check(&Layer::new(square(3, 4, 1, 2, 1), (1, 1), padding), &mut scratch);
        check(&Layer::new(square(4, 4, 4, 2, 3), (1, 2), padding), &mut scratch);
        check(&Layer::new(square(3, 4, 1, 3, 1), (2, 1), padding), &mut scratch);
    }
}

/// Rows that take more than the second cache are computed in bands.
#[test]
fn images_of_several_bands_are_right() {
    let mut scratch = PixelScratch::default();
    for shape in
        [ConvShape::pointwise(64, 70), square(64, 40, 1, 3, 1), square(64, 64, 64, 3, 2), square(16, 8, 2, 5, 3)]
    {
        check(&Layer::new(shape, (70, 61), Padding::uniform(1)), &mut scratch);
        if !cfg!(target_arch = "x86_64") {
            // Emulators take minutes for the others.
            break;
        }
    }
}

/// Whoever splits an image among threads may split it anywhere.
#[test]
fn rows_are_the_same_whatever_is_computed_with_them() {
    for shape in
        [square(12, 10, 1, 3, 1), square(12, 10, 1, 3, 2), square(12, 12, 12, 3, 1), ConvShape::pointwise(12, 10)]
    {
        let layer = Layer::new(shape, (13, 11), Padding::uniform(1));
        let (expected, (rows, width)) = (layer.sums(), layer.out_size());
        let row = width * shape.out_channels;
        for (isa, algorithm) in ways() {
            let conv = layer.conv(plain(shape.out_channels), isa, algorithm);
            let mut scratch = PixelScratch::default();
            for (first, end) in (0..=rows).flat_map(|first| (first..=rows).map(move |end| (first, end))) {
                let mut found = vec![-1; (end - first) * row];
                let run = Run { input: layer.input(), padding: layer.padding, rows: first..end, residual: None };
                conv.accumulate(&run, &mut found, &mut scratch).unwrap();
                assert!(found == expected[first * row..end * row], "{isa} {algorithm:?} {first}..{end}");
            }
        }
    }
}

#[test]
fn threads_that_share_a_layer_get_its_rows() {
    let layer = Layer::new(square(40, 33, 1, 3, 1), (32, 17), Padding::uniform(1));
    let (expected, (rows, width)) = (layer.sums(), layer.out_size());
    for (isa, algorithm) in ways() {
        let conv = layer.conv(plain(33), isa, algorithm);
        let mut found = vec![-1; expected.len()];
        std::thread::scope(|scope| {
            for (index, out) in found.chunks_mut(8 * width * 33).enumerate() {
                let (conv, layer) = (&conv, &layer);
                scope.spawn(move || {
                    let rows = 8 * index..(8 * index + 8).min(rows);
                    let run = Run { input: layer.input(), padding: layer.padding, rows, residual: None };
                    conv.accumulate(&run, out, &mut PixelScratch::default()).unwrap();
                });
            }
        });
        assert!(found == expected, "{isa} {algorithm:?}");
    }
}

#[test]
fn the_algorithm_that_is_named_is_what_sizes_and_choice_allow() {
    let three = Layer::new(square(64, 64, 1, 3, 1), (56, 56), Padding::uniform(1));
    let one = Layer::new(ConvShape::pointwise(64, 64), (56, 56), Padding::default());
    for &isa in Isa::available() {
        let of = |layer: &Layer, algorithm| layer.conv(plain(64), isa, algorithm);
        assert_eq!(of(&three, Algorithm::Direct).algorithm(56, 56), Algorithm::Direct);
        assert_eq!(of(&one, Algorithm::Winograd).algorithm(56, 56), Algorithm::Direct);
        let conv = of(&three, Algorithm::Winograd);
        let is_winograd = conv.kernel(56, 56).starts_with("winograd_");
        assert_eq!(is_winograd, conv.algorithm(56, 56) == Algorithm::Winograd);
        assert_eq!(conv.rows_together(56, 56), if is_winograd { 4 } else { 1 });
        // Made-up weights are too large to prove that sums are exact, so the direct kernels take them.
        let light = Layer { weights: vec![1; three.weights.len()], ..three.clone() };
        assert_eq!(
            of(&light, Algorithm::Winograd).algorithm(56, 56) == Algorithm::Winograd,
            isa != Isa::scalar() && isa.name() != "dotprod" && isa.name() != "i8mm"
        );
        assert!(conv.kernel(56, 56).ends_with(&format!("__{isa}")));
    }
}

#[test]
fn preparing_a_layer_changes_nothing_but_when_its_weights_are_transformed() {
    let layer = Layer::new(square(32, 32, 1, 3, 1), (28, 28), Padding::uniform(1));
    for (isa, algorithm) in ways() {
        let prepared = layer.conv(plain(32), isa, algorithm);
        prepared.prepare(28, 28);
        let copy = prepared.clone();
        let mut sums = [vec![0; 28 * 28 * 32], vec![1; 28 * 28 * 32]];
        for (conv, sums) in [prepared, copy].iter().zip(&mut sums) {
            let run = Run { input: layer.input(), padding: layer.padding, rows: 0..28, residual: None };
            conv.accumulate(&run, sums, &mut PixelScratch::default()).unwrap();
        }
        assert!(sums[0] == sums[1] && sums[0] == layer.sums(), "{isa} {algorithm:?}");
    }
}
