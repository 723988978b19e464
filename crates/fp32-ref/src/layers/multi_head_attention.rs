//! `MultiHeadAttention`: attention between projections of its inputs.

use ncnn_format::{Error, Result, WeightRole, typed};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};

use super::attention::{Attend, FloatAttend, Head};
use super::loading::{self, floats, share};
use super::matrix::{matrix, matrix_mut};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

/// The layer; `P` and `A` are how its projections and heads compute.
#[derive(Debug)]
pub struct MultiHeadAttention<P, A> {
    attend: A,
    heads: usize,
    scale: f32,
    query: P,
    key: P,
    value: P,
    output: P,
    masked: bool,
    /// Projected keys and values of earlier calls are further inputs and outputs.
    cached: bool,
}

/// `weights · x + bias` of every row of a blob.
pub trait Projection: Send + Sync {
    /// Values of a row that is given.
    fn inputs(&self) -> usize;

    /// Values of a row that is made.
    fn outputs(&self) -> usize;

    /// Writes `[rows][outputs]` for the rows of `input`; `output` may be any view.
    ///
    /// # Errors
    /// None where the sizes are those of the layer.
    fn apply(&self, input: ArrayView2<'_, f32>, output: ArrayViewMut2<'_, f32>) -> Result<()>;
}

/// A projection of a layer, as its parameters describe it.
#[derive(Debug)]
pub struct ProjectionForm {
    /// What the weights are in the file.
    pub weight: WeightRole,
    /// What the bias is in the file.
    pub bias: WeightRole,
    /// Values of a row that is made.
    pub outputs: usize,
    /// Values of a row that is given.
    pub inputs: usize,
}

/// A projection by floats.
pub(super) struct FloatProjection {
    /// Row-major `[outputs][inputs]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// The inputs by what they are for. Keys and values default to the queries, values to the keys.
struct Inputs<T> {
    query: T,
    key: Option<T>,
    value: Option<T>,
    mask: Option<T>,
    past: Option<(T, T)>,
}

/// Numbers of positions.
struct Lengths {
    queries: usize,
    keys: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<MultiHeadAttention<FloatProjection, FloatAttend>> {
    loading::refuse_int8(layer, typed::MultiHeadAttention::read(layer)?.quantize_term)?;
    MultiHeadAttention::new(layer, FloatAttend, |form| {
        let len = Shape::new(&[form.outputs, form.inputs])?.volume();
        Ok(FloatProjection { weights: floats(layer, form.weight, len)?, bias: floats(layer, form.bias, form.outputs)? })
    })
}

impl Projection for FloatProjection {
    fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    fn outputs(&self) -> usize {
        self.bias.len()
    }

    fn apply(&self, input: ArrayView2<'_, f32>, mut output: ArrayViewMut2<'_, f32>) -> Result<()> {
        for (mut column, &bias) in output.columns_mut().into_iter().zip(&self.bias) {
            column.fill(bias);
        }
        let weights = matrix(&self.weights, self.outputs(), self.inputs())?;
        general_mat_mul(1.0, &input, &weights.t(), 1.0, &mut output);
        Ok(())
    }
}

/// Refuses a blob whose rows do not fit `projection`.
fn expect(projection: &impl Projection, what: &str, blob: Shape) -> Result<()> {
    if blob.rank() > 2 || blob.w() != projection.inputs() {
        return Err(Error::invalid(format!("expects {what} of {} values each, found {blob}", projection.inputs())));
    }
    Ok(())
}

/// The projections of `current` as `[outputs][positions]`, behind those of `past`.
fn remember(projection: &impl Projection, past: Option<&Tensor>, current: &Tensor) -> Result<Tensor> {
    let (outputs, before) = (projection.outputs(), past.map_or(0, |past| past.shape().w()));
    let after = current.shape().h();
    let mut all = Tensor::filled(Shape::new(&[outputs, before.saturating_add(after)])?, 0.0);
    let mut view = matrix_mut(all.as_mut_slice(), outputs, before + after)?;
    if let Some(past) = past {
        view.slice_axis_mut(Axis(1), Slice::from(..before)).assign(&rows(past)?);
    }
    projection.apply(rows(current)?, view.slice_axis_mut(Axis(1), Slice::from(before..)).reversed_axes())?;
    Ok(all)
}

/// A vector or matrix as a matrix.
fn rows(tensor: &Tensor) -> Result<ArrayView2<'_, f32>> {
    matrix(tensor.as_slice(), tensor.shape().h(), tensor.shape().w())
}

impl<P: Projection, A: Attend> MultiHeadAttention<P, A> {
    /// The layer with the parameters of `layer`, whose projections `projection` makes.
    ///
    /// # Errors
    /// Those of `projection`; `Malformed` when a size is not positive or contradicts another one.
    pub fn new(
        layer: &ncnn_format::Layer,
        attend: A,
        projection: impl Fn(ProjectionForm) -> Result<P>,
    ) -> Result<Self> {
        let params = typed::MultiHeadAttention::read(layer)?;
        let embed = positive("embed_dim", params.embed_dim)?;
        let heads = positive("num_heads", params.num_heads)?;
        share("width per head", embed, heads)?;
        let query_width = share("width of a query", positive("weight_data_size", params.weight_data_size)?, embed)?;
        let (key_width, value_width) = (positive("kdim", params.kdim)?, positive("vdim", params.vdim)?);
        let made = |weight, bias, outputs, inputs| projection(ProjectionForm { weight, bias, outputs, inputs });
        Ok(Self {
            attend,
            heads,
            scale: params.scale,
            query: made(WeightRole::QueryWeight, WeightRole::QueryBias, embed, query_width)?,
            key: made(WeightRole::KeyWeight, WeightRole::KeyBias, embed, key_width)?,
            value: made(WeightRole::ValueWeight, WeightRole::ValueBias, embed, value_width)?,
            output: made(WeightRole::OutWeight, WeightRole::OutBias, query_width, embed)?,
            masked: params.attn_mask != 0,
            cached: params.kv_cache != 0,
        })
    }

    fn sort<T>(&self, inputs: Vec<T>) -> Result<Inputs<T>> {
        let others = usize::from(self.masked) + 2 * usize::from(self.cached);
        let found = inputs.len();
        let misfit = || {
            let (least, most) = (others + 1, others + 3);
            Error::malformed(format!("takes {least} to {most} blobs, the file gives it {found}"))
        };
        let sources = found.checked_sub(others).filter(|sources| (1..=3).contains(sources)).ok_or_else(misfit)?;
        let mut rest = inputs.into_iter();
        let mut next = || rest.next().ok_or_else(misfit);
        Ok(Inputs {
            query: next()?,
            key: if sources >= 2 { Some(next()?) } else { None },
            value: if sources == 3 { Some(next()?) } else { None },
            mask: if self.masked { Some(next()?) } else { None },
            past: if self.cached { Some((next()?, next()?)) } else { None },
        })
    }

    fn lengths(&self, inputs: &Inputs<Shape>) -> Result<Lengths> {
        let key = inputs.key.unwrap_or(inputs.query);
        let value = inputs.value.unwrap_or(key);
        expect(&self.query, "queries", inputs.query)?;
        expect(&self.key, "keys", key)?;
        expect(&self.value, "values", value)?;
        if value.h() != key.h() {
            return Err(Error::invalid(format!("keys of {key} do not go with values of {value}")));
        }
        let mut keys = key.h();
        if let Some((past_key, past_value)) = inputs.past {
            if past_key != past_value || past_key.rank() != 2 || past_key.h() != self.query.outputs() {
                return Err(Error::invalid(format!(
                    "keys of {past_key} and values of {past_value} from earlier calls, expected {} rows",
                    self.query.outputs()
                )));
            }
            // Keys and values of their own were projected in an earlier call, once and for all.
            keys = if inputs.key.is_some() { past_key.w() } else { keys.saturating_add(past_key.w()) };
        }
        let lengths = Lengths { queries: inputs.query.h(), keys };
        if let Some(mask) = inputs.mask {
            let for_all_heads = mask.rank() == 2 || (mask.rank() == 3 && mask.c() == self.heads);
            if !for_all_heads || (mask.h(), mask.w()) != (lengths.queries, lengths.keys) {
                return Err(Error::invalid(format!("a mask of {mask} for {} x {keys} scores", lengths.queries)));
            }
        }
        Ok(lengths)
    }

    /// All projected keys and values, `[embed][positions]`.
    fn keys_and_values(&self, inputs: &Inputs<Tensor>) -> Result<[Tensor; 2]> {
        let key = inputs.key.as_ref().unwrap_or(&inputs.query);
        let value = inputs.value.as_ref().unwrap_or(key);
        Ok(match (&inputs.past, &inputs.key) {
            (Some((past_key, past_value)), Some(_)) => [past_key.clone(), past_value.clone()],
            (Some((past_key, past_value)), None) => {
                [remember(&self.key, Some(past_key), key)?, remember(&self.value, Some(past_value), value)?]
            }
            (None, _) => [remember(&self.key, None, key)?, remember(&self.value, None, value)?],
        })
    }

    /// The heads' outputs beside each other, `[queries][embed]`.
    fn attend(&self, inputs: &Inputs<Tensor>, keys: &Tensor, values: &Tensor, lengths: &Lengths) -> Result<Vec<f32>> {
        let embed = self.query.outputs();
        let len = Shape::new(&[lengths.queries, embed])?.volume();
        let (mut queries, mut context) = (vec![0.0; len], vec![0.0; len]);
        self.query.apply(rows(&inputs.query)?, matrix_mut(&mut queries, lengths.queries, embed)?)?;
        let queries = matrix(&queries, lengths.queries, embed)?;
        let mut context_view = matrix_mut(&mut context, lengths.queries, embed)?;
        let (keys, values) = (rows(keys)?.reversed_axes(), rows(values)?.reversed_axes());
        let (width, mask_len) = (embed / self.heads, lengths.queries * lengths.keys);
        let mut scratch = A::Scratch::default();
        for head in 0..self.heads {
            let columns = Slice::from(head * width..(head + 1) * width);
            let mask = inputs.mask.as_ref().map(|mask| {
                let index = if mask.shape().rank() == 3 { head } else { 0 };
                &mask.as_slice()[index * mask_len..][..mask_len]
            });
            let parts = Head {
                query: queries.slice_axis(Axis(1), columns),
                key: keys.slice_axis(Axis(1), columns),
                value: values.slice_axis(Axis(1), columns),
                mask,
                scale: self.scale,
            };
            self.attend.attend(&parts, &mut scratch, context_view.slice_axis_mut(Axis(1), columns))?;
        }
        Ok(context)
    }
}

impl<P: Projection, A: Attend> Layer for MultiHeadAttention<P, A> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let lengths = self.lengths(&self.sort(inputs.to_vec())?)?;
        let mut shapes = vec![Shape::new(&[lengths.queries, self.output.outputs()])?];
        if self.cached {
            shapes.extend([Shape::new(&[self.query.outputs(), lengths.keys])?; 2]);
        }
        Ok(shapes)
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let lengths = self.lengths(&self.sort(inputs.iter().map(Tensor::shape).collect())?)?;
        let inputs = self.sort(inputs)?;
        let [keys, values] = self.keys_and_values(&inputs)?;
        let context = self.attend(&inputs, &keys, &values, &lengths)?;
        let mut output = Tensor::filled(Shape::new(&[lengths.queries, self.output.outputs()])?, 0.0);
        let view = matrix_mut(output.as_mut_slice(), lengths.queries, self.output.outputs())?;
        self.output.apply(matrix(&context, lengths.queries, self.query.outputs())?, view)?;
        Ok(if self.cached { vec![output, keys, values] } else { vec![output] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One head of width 1 whose projections change nothing.
    fn plain(masked: bool, cached: bool) -> MultiHeadAttention<FloatProjection, FloatAttend> {
        let same = || FloatProjection { weights: vec![1.0], bias: vec![0.0] };
        let (query, key, value, output) = (same(), same(), same(), same());
        MultiHeadAttention { attend: FloatAttend, heads: 1, scale: 0.0, query, key, value, output, masked, cached }
    }

    fn blob(dims: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(dims, values.to_vec()).unwrap()
    }

    #[test]
    fn one_input_attends_to_itself() {
        let outputs = plain(false, false).run(vec![blob(&[2, 1], &[1.0, 3.0])]).unwrap();
        assert_eq!(outputs, [blob(&[2, 1], &[2.0, 2.0])]);
    }

    #[test]
    fn the_past_grows_in_self_attention_and_stays_in_cross_attention() {
        let (new, past) = (blob(&[1, 1], &[6.0]), blob(&[1, 2], &[1.0, 2.0]));
        let outputs = plain(false, true).run(vec![new.clone(), past.clone(), past.clone()]).unwrap();
        assert_eq!(outputs[..2], [blob(&[1, 1], &[3.0]), blob(&[1, 3], &[1.0, 2.0, 6.0])]);
        let outputs = plain(false, true).run(vec![new.clone(), new, past.clone(), past.clone()]).unwrap();
        assert_eq!(outputs, [blob(&[1, 1], &[1.5]), past.clone(), past]);
    }

    #[test]
    fn names_what_does_not_fit() {
        let shape = |dims: &[usize]| Shape::new(dims).unwrap();
        let message = |inputs: &[Shape]| plain(true, false).output_shapes(inputs).unwrap_err().to_string();
        assert_eq!(message(&[shape(&[2, 1])]), "takes 2 to 4 blobs, the file gives it 1");
        assert_eq!(message(&[shape(&[2, 1]), shape(&[1, 2])]), "a mask of 1x2 for 2 x 2 scores");
        assert_eq!(message(&[shape(&[2, 3]), shape(&[2, 2])]), "expects queries of 1 values each, found 2x3");
    }
}
