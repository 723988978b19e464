//! `MemoryData`: a constant.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::exactly;
use super::loading::floats;
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct MemoryData {
    value: Tensor,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<MemoryData> {
    let params = typed::MemoryData::read(layer)?;
    let typed::MemoryData { w, h, d, c, .. } = params;
    let named: &[(&str, i32)] = match (d, c, h, w) {
        (0, 0, 0, 0) => return Ok(MemoryData { value: Tensor::new([1], vec![0.0])? }),
        (0, 0, 0, _) => &[("w", w)],
        (0, 0, ..) => &[("h", h), ("w", w)],
        (0, ..) => &[("c", c), ("h", h), ("w", w)],
        _ => &[("c", c), ("d", d), ("h", h), ("w", w)],
    };
    let dims = named.iter().map(|&(name, size)| positive(name, size)).collect::<Result<Vec<_>>>()?;
    let shape = Shape::new(&dims)?;
    Ok(MemoryData { value: Tensor::new(dims, floats(layer, WeightRole::Data, shape.volume())?)? })
}

impl Layer for MemoryData {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [] = exactly(inputs)?;
        Ok(vec![self.value.shape()])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let [] = exactly(inputs)?;
        Ok(vec![self.value.clone()])
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::{F32Tag, LayerKind, Weight, WeightData};

    use super::*;

    #[test]
    fn gives_its_values_under_the_sizes_of_the_file() {
        let mut layer = ncnn_format::Layer::new(LayerKind::MemoryData, "constant");
        layer.params.set(typed::MemoryData::W, 3);
        layer.params.set(typed::MemoryData::H, 2);
        let values = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        layer.weights.push(Weight { role: WeightRole::Data, data: WeightData::F32(values.clone(), F32Tag::Raw) });
        let output = build(&layer).unwrap().run(vec![]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[2, 3][..], &values[..]));
        layer.params.set(typed::MemoryData::H, 3);
        assert_eq!(build(&layer).err().unwrap().to_string(), "data has 6 elements, expected 9");
    }
}
