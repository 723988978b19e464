//! `Cast`: another type of number in memory. Values here are always f32, so that a cast
//! to a narrower float is its rounding, and a cast from one changes nothing.

use ncnn_format::{Error, Result, typed};

use super::pointwise::Pointwise;
use crate::Layer;

// The types of ncnn.
const F32: i32 = 1;
const F16: i32 = 2;
const BF16: i32 = 4;

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<impl Layer + use<>> {
    let typed::Cast { type_from, type_to, .. } = typed::Cast::read(layer)?;
    let convert: fn(f32) -> f32 = match (type_from, type_to) {
        (F32, F16) => |x| half::f16::from_f32(x).to_f32(),
        // ncnn cuts the lower bits off.
        (F32, BF16) => |x| f32::from_bits(x.to_bits() & 0xffff_0000),
        (F16 | BF16, F32) => |x| x,
        (from, to) if from == to => |x| x,
        (from, to) => return Err(Error::unsupported(format!("a cast from type {from} to type {to}"))),
    };
    Ok(Pointwise(convert))
}

#[cfg(test)]
mod tests {
    use ncnn_format::{LayerKind, typed};

    use crate::{BuildOptions, Tensor, build};

    fn cast(from: i32, to: i32, value: f32) -> Option<f32> {
        let mut layer = ncnn_format::Layer::new(LayerKind::Cast, "cast");
        layer.params.set(typed::Cast::TYPE_FROM, from);
        layer.params.set(typed::Cast::TYPE_TO, to);
        let outputs =
            build(&layer, BuildOptions::default()).ok()?.run(vec![Tensor::new([1], vec![value]).unwrap()]).unwrap();
        Some(outputs[0].as_slice()[0])
    }

    #[test]
    fn narrower_floats_round_and_int8_is_refused() {
        assert_eq!(cast(1, 2, 2049.0), Some(2048.0));
        assert_eq!(cast(1, 4, 1.011_718_7), Some(1.007_812_5));
        assert_eq!([cast(2, 1, 2049.0), cast(0, 0, 0.1)], [Some(2049.0), Some(0.1)]);
        assert_eq!([cast(1, 3, 1.0), cast(3, 1, 1.0), cast(0, 1, 1.0)], [None; 3]);
    }
}
