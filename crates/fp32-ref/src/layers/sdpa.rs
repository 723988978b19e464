//! `SDPA`: scaled dot-product attention, one channel per head.

use ncnn_format::{Error, Result, typed};

use super::attention::{Attend, FloatAttend, Head};
use super::loading;
use super::matrix::{matrix, matrix_mut};
use crate::{Layer, Shape, Tensor};

/// The layer; `A` is how its heads compute.
#[derive(Debug)]
pub struct Sdpa<A> {
    attend: A,
    masked: bool,
    /// 0 stands for 1 / the root of the head's width.
    scale: f32,
    /// Keys and values of earlier calls are further inputs and outputs.
    cached: bool,
}

/// What belongs together of the inputs.
struct Inputs<T> {
    query: T,
    key: T,
    value: T,
    mask: Option<T>,
    past: Option<(T, T)>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Sdpa<FloatAttend>> {
    loading::refuse_int8(layer, typed::SDPA::read(layer)?.int8_scale_term)?;
    Sdpa::new(layer, FloatAttend)
}

impl<A: Attend> Sdpa<A> {
    /// The layer with the parameters of `layer`.
    ///
    /// # Errors
    /// `Malformed` when they cannot be read.
    pub fn new(layer: &ncnn_format::Layer, attend: A) -> Result<Self> {
        let params = typed::SDPA::read(layer)?;
        Ok(Self { attend, masked: params.attn_mask != 0, scale: params.scale, cached: params.kv_cache != 0 })
    }

    fn sort<T>(&self, inputs: Vec<T>) -> Result<Inputs<T>> {
        let expected = 3 + usize::from(self.masked) + 2 * usize::from(self.cached);
        let found = inputs.len();
        let misfit = || Error::malformed(format!("takes {expected} blobs, the file gives it {found}"));
        if found != expected {
            return Err(misfit());
        }
        let mut rest = inputs.into_iter();
        let mut next = || rest.next().ok_or_else(misfit);
        Ok(Inputs {
            query: next()?,
            key: next()?,
            value: next()?,
            mask: if self.masked { Some(next()?) } else { None },
            past: if self.cached { Some((next()?, next()?)) } else { None },
        })
    }

    /// The shapes of the output, of all keys and of all values.
    fn shapes(&self, inputs: &Inputs<Shape>) -> Result<[Shape; 3]> {
        let Inputs { query, key, value, .. } = *inputs;
        for blob in [query, key, value] {
            if !(2..=3).contains(&blob.rank()) {
                return Err(Error::invalid(format!("expects heads of matrices, found {blob}")));
            }
        }
        if key.w() != query.w() || !query.c().is_multiple_of(key.c()) {
            return Err(Error::invalid(format!("queries of {query} have no scores with keys of {key}")));
        }
        if (value.c(), value.h()) != (key.c(), key.h()) {
            return Err(Error::invalid(format!("keys of {key} do not go with values of {value}")));
        }
        let (keys, values) = match inputs.past {
            Some((past_key, past_value)) => {
                let (keys, values) = (joined(past_key, key)?, joined(past_value, value)?);
                if keys.h() != values.h() {
                    return Err(Error::invalid(format!(
                        "past keys of {past_key} do not go with values of {past_value}"
                    )));
                }
                (keys, values)
            }
            None => (key, value),
        };
        if let Some(mask) = inputs.mask {
            let one_for_all = mask.c() == 1 || mask.c() == query.c();
            if mask.rank() > 3 || (mask.h(), mask.w()) != (query.h(), keys.h()) || !one_for_all {
                return Err(Error::invalid(format!("a mask of {mask} for {} x {} scores", query.h(), keys.h())));
            }
        }
        Ok([Shape::new(&[query.c(), query.h(), value.w()])?, keys, values])
    }
}

/// The shape of `current` after `past` along the rows of each head.
fn joined(past: Shape, current: Shape) -> Result<Shape> {
    if past.rank() > 3 || (past.c(), past.w()) != (current.c(), current.w()) {
        return Err(Error::invalid(format!("{past} of earlier calls does not go with {current}")));
    }
    Shape::new(&[current.c(), past.h().saturating_add(current.h()), current.w()])
}

fn join(past: &Tensor, current: &Tensor, shape: Shape) -> Result<Tensor> {
    let mut values = Vec::with_capacity(shape.volume());
    let heads = shape.c();
    let parts = |tensor: &Tensor| tensor.shape().volume() / heads;
    for (past, current) in
        past.as_slice().chunks_exact(parts(past)).zip(current.as_slice().chunks_exact(parts(current)))
    {
        values.extend_from_slice(past);
        values.extend_from_slice(current);
    }
    Tensor::new(shape.dims(), values)
}

/// The `index`th run of `len` values.
fn part(tensor: &Tensor, index: usize, len: usize) -> &[f32] {
    &tensor.as_slice()[index * len..][..len]
}

impl<A: Attend> Layer for Sdpa<A> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [output, keys, values] = self.shapes(&self.sort(inputs.to_vec())?)?;
        Ok(if self.cached { vec![output, keys, values] } else { vec![output] })
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let shapes = self.sort(inputs.iter().map(Tensor::shape).collect())?;
        let [shape, all_keys, all_values] = self.shapes(&shapes)?;
        let Inputs { query, mut key, mut value, mask, past } = self.sort(inputs)?;
        if let Some((past_key, past_value)) = past {
            key = join(&past_key, &key, all_keys)?;
            value = join(&past_value, &value, all_values)?;
        }
        let (keys, positions, width) = (all_keys.h(), shape.h(), all_keys.w());
        // In f64 and rounded once, as ncnn does.
        let scale = if self.scale == 0.0 { (1.0 / (width as f64).sqrt()) as f32 } else { self.scale };
        let sharing = shape.c() / all_keys.c();
        let mut output = Tensor::filled(shape, 0.0);
        let mut scratch = A::Scratch::default();
        for (head, out) in output.channels_mut().enumerate() {
            let group = head / sharing;
            let shared_mask = |mask: &Tensor| if mask.shape().c() > 1 { head } else { 0 };
            let parts = Head {
                query: matrix(part(&query, head, positions * width), positions, width)?,
                key: matrix(part(&key, group, keys * width), keys, width)?,
                value: matrix(part(&value, group, keys * shape.w()), keys, shape.w())?,
                mask: mask.as_ref().map(|mask| part(mask, shared_mask(mask), positions * keys)),
                scale,
            };
            self.attend.attend(&parts, &mut scratch, matrix_mut(out, positions, shape.w())?)?;
        }
        Ok(if self.cached { vec![output, key, value] } else { vec![output] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(layer: &Sdpa<FloatAttend>, inputs: &[&[usize]]) -> Result<Vec<Vec<usize>>> {
        let inputs = inputs.iter().map(|dims| Shape::new(dims)).collect::<Result<Vec<_>>>()?;
        Ok(layer.output_shapes(&inputs)?.iter().map(|shape| shape.dims().to_vec()).collect())
    }

    #[test]
    fn heads_may_share_keys() {
        let layer = Sdpa { attend: FloatAttend, masked: true, scale: 0.0, cached: false };
        assert_eq!(shapes(&layer, &[&[4, 2, 8], &[2, 3, 8], &[2, 3, 5], &[2, 3]]).unwrap(), [[4, 2, 5]]);
        let message = shapes(&layer, &[&[4, 2, 8], &[3, 3, 8], &[3, 3, 5], &[2, 3]]).unwrap_err().to_string();
        assert_eq!(message, "queries of 4x2x8 have no scores with keys of 3x3x8");
    }

    #[test]
    fn the_past_comes_before_the_present() {
        let layer = Sdpa { attend: FloatAttend, masked: false, scale: 1.0, cached: true };
        let blob = |values: &[f32]| Tensor::new([1, values.len(), 1], values.to_vec()).unwrap();
        let inputs = vec![blob(&[0.0]), blob(&[1.0]), blob(&[2.0]), blob(&[3.0, 4.0]), blob(&[5.0, 11.0])];
        let outputs = layer.run(inputs).unwrap();
        assert_eq!(outputs[0].as_slice(), [6.0]);
        assert_eq!(outputs[1].as_slice(), [3.0, 4.0, 1.0]);
        assert_eq!(outputs[2].as_slice(), [5.0, 11.0, 2.0]);
    }
}
