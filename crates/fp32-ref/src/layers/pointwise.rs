//! Layers that apply a function to every element.

use ncnn_format::Result;

use super::arity::only;
use crate::shares::each_share;
use crate::simd::vectorized;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

/// Applies a function to every element, in place.
pub(super) struct Pointwise<F>(pub(super) F);

impl<F: Fn(f32) -> f32 + Send + Sync> Layer for Pointwise<F> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![only(inputs.iter().copied())?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        each_share(tensor.as_mut_slice(), 1, OPERATIONS, |_, values| {
            vectorized(
                #[inline(always)]
                || {
                    for value in values {
                        *value = (self.0)(*value);
                    }
                },
            );
        });
        Ok(vec![tensor])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::either_for_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, _: &mut Workspace) -> Result<Vec<Value>> {
        Pixels::pass(inputs, |inputs| self.run(inputs))
    }
}

/// What a value takes, with its way from and to memory.
const OPERATIONS: usize = 8;

#[cfg(test)]
pub(super) mod tests {
    use ncnn_format::{LayerKind, typed::ParamKey};

    use crate::{BuildOptions, Tensor, build};

    /// What the layer of `kind` with float parameters `params` makes of `inputs`.
    pub(in crate::layers) fn apply(kind: LayerKind, params: &[(ParamKey<f32>, f32)], inputs: &[f32]) -> Vec<f32> {
        let mut layer = ncnn_format::Layer::new(kind, "layer");
        for &(key, value) in params {
            layer.params.set(key, value);
        }
        let input = Tensor::new([inputs.len()], inputs.to_vec()).unwrap();
        build(&layer, BuildOptions::default()).unwrap().run(vec![input]).unwrap().remove(0).as_slice().to_vec()
    }

    #[track_caller]
    pub(in crate::layers) fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "found {found:?}, expected {expected:?}");
        }
    }
}
