//! Gemm on integers: A with a scale per row, B with one scale, those of blobs found while running.

use std::borrow::Cow;

use fp32_ref::sequence::{GemmFactor, GemmForm};
use fp32_ref::{Layer, Shape, Tensor};
use ncnn_format::{Result, WeightRole};

use super::integers::{as_rows, dot, floats, int8s, largest, quantize_into, scale_of};

pub(super) struct Int8Gemm {
    form: GemmForm,
    a: Option<Factor>,
    b: Option<Factor>,
}

/// A factor as rows of integers along the depth: the rows of A, the columns of B.
#[derive(Clone)]
struct Factor {
    integers: Vec<i8>,
    /// One for all rows, or one per row.
    scales: Vec<f32>,
}

impl Factor {
    /// Quantizes row-major `values`.
    fn with_scales_per(values: &[f32], len: usize) -> Self {
        let scales: Vec<f32> = values.chunks_exact(len).map(|part| scale_of(largest(part))).collect();
        let mut integers = Vec::with_capacity(values.len());
        let mut part_integers = Vec::new();
        for (part, &scale) in values.chunks_exact(len).zip(&scales) {
            quantize_into(part, scale, &mut part_integers);
            integers.extend_from_slice(&part_integers);
        }
        Self { integers, scales }
    }
}

/// Which factor, with what that says of its scales.
#[derive(Clone, Copy)]
enum Side {
    A,
    B,
}

impl Side {
    /// Whether the factor must be turned to have rows along the depth.
    fn turns(self, factor: GemmFactor) -> bool {
        match self {
            Self::A => factor.transposed,
            Self::B => !factor.transposed,
        }
    }

    /// Quantizes a matrix of floats.
    fn quantize(self, factor: GemmFactor, stored: &[f32], rows: usize, depth: usize) -> Factor {
        let values = as_rows(stored, rows, depth, self.turns(factor));
        match self {
            Self::A => Factor::with_scales_per(&values, depth),
            Self::B => Factor::with_scales_per(&values, values.len()),
        }
    }

    /// Takes a weight; floats, which ncnn quantizes in every run, are quantized here.
    fn constant(self, layer: &ncnn_format::Layer, factor: GemmFactor) -> Result<Option<Factor>> {
        let Some(shape) = factor.constant else { return Ok(None) };
        let (rows, depth) = if self.turns(factor) { (shape.w(), shape.h()) } else { (shape.h(), shape.w()) };
        let (role, scales, count) = match self {
            Self::A => (WeightRole::MatrixA, WeightRole::MatrixAScales, rows),
            Self::B => (WeightRole::MatrixB, WeightRole::MatrixBScale, 1),
        };
        if layer.weight_i8(role).is_err() {
            return Ok(Some(self.quantize(factor, &floats(layer, role, shape.volume())?, rows, depth)));
        }
        let stored = int8s(layer, role, shape.volume())?;
        let integers = as_rows(stored, rows, depth, self.turns(factor)).into_owned();
        Ok(Some(Factor { integers, scales: floats(layer, scales, count)?.into_owned() }))
    }
}

impl Int8Gemm {
    pub(super) fn new(layer: &ncnn_format::Layer) -> Result<Self> {
        let form = GemmForm::read(layer)?;
        Ok(Self { a: Side::A.constant(layer, form.a)?, b: Side::B.constant(layer, form.b)?, form })
    }
}

/// The weight, or the blob quantized.
fn factor<'a>(
    side: Side,
    (weight, form): (&'a Option<Factor>, GemmFactor),
    blob: Option<&Tensor>,
    (rows, depth): (usize, usize),
) -> Cow<'a, Factor> {
    match (weight, blob) {
        (Some(weight), _) => Cow::Borrowed(weight),
        (None, blob) => {
            let stored = blob.map(Tensor::as_slice).unwrap_or_default();
            Cow::Owned(side.quantize(form, stored, rows, depth))
        }
    }
}

impl Layer for Int8Gemm {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.form.output_shapes(inputs)
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let form = &self.form;
        // Weights have no tensor.
        let weight = |weight: &Option<Factor>| weight.as_ref().map(|_| None);
        let inputs = form.sort(inputs.into_iter().map(Some).collect(), weight(&self.a), weight(&self.b))?;
        let shape = |blob: &Option<Tensor>, factor: GemmFactor| blob.as_ref().map(Tensor::shape).or(factor.constant);
        let (Some(a_shape), Some(b_shape)) = (shape(&inputs.a, form.a), shape(&inputs.b, form.b)) else {
            return Ok(Vec::new());
        };
        let sizes = form.sizes(a_shape, b_shape)?;
        // Checks the size of the product before it is allocated.
        let volume = form.shape(&sizes)?.volume();
        let a = factor(Side::A, (&self.a, form.a), inputs.a.as_ref(), (sizes.m, sizes.k));
        let b = factor(Side::B, (&self.b, form.b), inputs.b.as_ref(), (sizes.n, sizes.k));
        let addend = form.addend(inputs.c.flatten().as_ref(), &sizes);
        let mut product = addend.unwrap_or_else(|| vec![0.0; volume]);
        let rows = product.chunks_exact_mut(sizes.n).zip(a.integers.chunks_exact(sizes.k)).zip(&a.scales);
        for ((row, left), scale) in rows {
            let step = 1.0 / (scale * b.scales[0]);
            for (value, right) in row.iter_mut().zip(b.integers.chunks_exact(sizes.k)) {
                *value = (dot(left, right) as f32 * step + *value) * form.alpha;
            }
        }
        Ok(vec![form.finish(product, &sizes)?])
    }
}
