//! What takes no packed weights: numbers, slices, images, shapes.

use int8_kernels::{
    Activation, ConvShape, Epilogue, Image, Isa, Padding, Place, PoolWindow, dequantize_scale, dequantize_values,
    max_pool, peak_macs_per_second, quantize, quantize_planes, quantize_slice, quantize_values, requantize_values,
    stored, unstored,
};

use super::numbers::{Calls, FLOATS, SIZES, times};

pub(crate) fn activation(calls: &mut Calls) {
    for _ in 0..times(2000) {
        let (activation, x) = (calls.activation(), calls.float());
        calls.made(activation.apply(x));
    }
}

pub(crate) fn quantize_one(calls: &mut Calls) {
    for (x, scale) in FLOATS.into_iter().flat_map(|x| FLOATS.map(|scale| (x, scale))) {
        assert_ne!(calls.made(quantize(x, scale)), i8::MIN, "{x} {scale}");
        calls.made(dequantize_scale(x, scale));
    }
    for byte in 0..=u8::MAX {
        let value = calls.made(unstored(byte));
        assert_eq!(calls.made(stored(value)), byte);
    }
}

pub(crate) fn slices(calls: &mut Calls) {
    for (from, to) in
        (0..70).chain([300]).flat_map(|from| [(from, from), (from, from + 1), (from + 1, from), (from, 0)])
    {
        let (floats, bytes) = (vec![calls.float(); from], vec![calls.below(256) as u8; from]);
        for &isa in Isa::available() {
            let (scale, step) = (calls.float(), calls.float());
            let mut out = vec![0; to];
            let result = calls.made(quantize_values(&floats, scale, &mut out, isa));
            assert_eq!(result.is_ok(), from == to);
            let result = calls.made(requantize_values(&bytes, step, scale, &mut out, isa));
            assert_eq!(result.is_ok(), from == to);
            let result = calls.made(dequantize_values(&bytes, step, &mut vec![0.0; to], isa));
            assert_eq!(result.is_ok(), from == to);
        }
        assert_eq!(calls.made(quantize_slice(&floats, 1.0, &mut vec![0; to])).is_ok(), from == to);
    }
}

pub(crate) fn planes(calls: &mut Calls) {
    for _ in 0..times(4000) {
        let (channels, pixels) = (calls.below(5), calls.pick(&[0, 1, 2, 17, 513]));
        let (planes, stride) = (vec![1.0; calls.length(channels * pixels)], channels + calls.below(2));
        let (channels, stride) = (calls.size(channels, 5), calls.size(stride, 5));
        let mut out = vec![0; calls.length((pixels * stride.min(8)).max(1))];
        let (scale, isa) = (calls.float(), calls.isa());
        let _ = calls.made(quantize_planes(&planes, channels, scale, &mut out, stride, isa));
    }
}

pub(crate) fn epilogue(calls: &mut Calls) {
    for _ in 0..times(4000) {
        let channels = calls.below(4);
        let scales: Vec<f32> = (0..channels).map(|_| calls.float()).collect();
        let bias = (calls.below(2) == 0).then(|| vec![calls.float(); calls.length(channels)]);
        let activation = calls.activation();
        let Ok(epilogue) = calls.made(Epilogue::new(scales, bias, activation)) else { continue };
        let epilogue = if calls.below(2) == 0 { calls.made(epilogue.with_fused_bias()) } else { epilogue };
        assert_eq!(calls.made(epilogue.channels()), channels);
        let channel = calls.below(4);
        let (channel, sums) = (calls.size(channel, 3), [0, i32::MAX, i32::MIN, 7]);
        let length = calls.length(4);
        let fits = channel < channels && length == 4;
        let result = calls.made(epilogue.dequantize(channel, &sums, &mut vec![0.0; length]));
        assert_eq!(result.is_ok(), fits);
        let scale = calls.float();
        let result = calls.made(epilogue.requantize(channel, &sums, scale, &mut vec![0; length]));
        assert_eq!(result.is_ok(), fits);
    }
}

pub(crate) fn shapes(calls: &mut Calls) {
    for (height, width) in SIZES.into_iter().flat_map(|height| SIZES.map(|width| (height, width))) {
        let shape = calls.made(ConvShape::pointwise(height, width));
        let _ = calls.made(shape.validate());
        let place = calls.made(Place::whole(height));
        assert_eq!(place.first_channel, 0);
        let padding = calls.made(Padding::uniform(height));
        assert_eq!(calls.made(padding.is_empty()), height == 0);
        for _ in 0..20 {
            let shape = calls.shape();
            let shape = calls.spoilt(shape);
            let padding = calls.padding(1);
            let _ = calls.made(shape.validate());
            let _ = calls.made(shape.depth());
            calls.made(shape.is_depthwise());
            calls.made(shape.output_size(height, width, &padding));
        }
    }
}

pub(crate) fn image(calls: &mut Calls) {
    let bytes = [7; 100];
    for sizes in SIZES.into_iter().flat_map(|a| SIZES.into_iter().flat_map(move |b| SIZES.map(|c| [a, b, c]))) {
        for (stride, length) in SIZES.into_iter().flat_map(|stride| [0, 1, 99, 100].map(|length| (stride, length))) {
            let [height, width, channels] = sizes;
            let Ok(image) = calls.made(Image::new(&bytes[..length], height, width, channels, stride)) else { continue };
            let found = [calls.made(image.height()), calls.made(image.width()), calls.made(image.channels())];
            assert_eq!(found, sizes);
            assert_eq!(calls.made(image.pixel_stride()), stride);
            assert_eq!(calls.made(image.bytes()).len(), length);
            assert!((height * width - 1) * stride + channels <= length, "{sizes:?} {stride} in {length} bytes");
        }
    }
}

pub(crate) fn isa(calls: &mut Calls) {
    for name in ["", "scalar", "neon", "avx512vnni", "no such thing", "\0"] {
        let found = calls.made(Isa::by_name(name));
        assert!(found.is_none_or(|isa| isa.name() == name));
    }
    for isa in calls.made(Isa::available()).iter().copied().chain([Isa::detect(), Isa::scalar()]) {
        assert!(!calls.made(isa.name()).is_empty());
        assert!(calls.made(peak_macs_per_second(isa)) > 0.0);
    }
}

pub(crate) fn pool(calls: &mut Calls) {
    for _ in 0..times(30_000) {
        let channels = calls.pick(&[1, 2, 16, 17, 70]);
        let (height, width, stride) = (1 + calls.below(5), 1 + calls.below(5), channels + calls.below(3));
        let mut bytes = vec![9; (height * width - 1) * stride + channels];
        bytes.shrink_to_fit();
        // The stride of a single pixel may be any.
        let stride = if height * width == 1 { calls.size(stride, 3).max(channels) } else { stride };
        let input = Image::new(&bytes, height, width, channels, stride).unwrap();
        let mut side = || 1 + calls.below(3);
        let [kernel_h, kernel_w, stride_h, stride_w] = [side(), side(), side(), side()];
        let window = PoolWindow {
            kernel_h: calls.size(kernel_h, 30),
            kernel_w: calls.size(kernel_w, 30),
            stride_h: calls.size(stride_h, 30),
            stride_w: calls.size(stride_w, 30),
            padding: calls.padding(10),
        };
        let (rows, columns) = calls.made(window.output_size(height, width)).unwrap_or((1, 1));
        let (first, count) = (calls.below(rows.min(4)), 1 + calls.below(2));
        let (first, end) = (calls.size(first, 20), calls.size(first.saturating_add(count), 20));
        let place = calls.place(channels);
        let fitting = end.saturating_sub(first).min(4) * columns.min(16) * place.pixel_stride.min(80);
        let mut out = vec![0; calls.length(fitting)];
        let isa = calls.isa();
        let _ = calls.made(max_pool(&input, &window, first..end, &mut out, place, isa));
    }
}

#[test]
fn an_activation_of_nan_is_no_surprise() {
    assert_eq!(Activation::Relu.apply(f32::NAN), 0.0);
    assert!(Activation::None.apply(f32::NAN).is_nan());
}
