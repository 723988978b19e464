//! `Gemm`: `alpha · (A · B + beta · C)`, each of them a blob or a weight.

use ncnn_format::{Error, Result, WeightRole, typed};
use ndarray::ArrayView2;
use ndarray::linalg::general_mat_mul;

use super::loading::{self, floats};
use super::matrix::{matrix, matrix_mut};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct Gemm {
    alpha: f32,
    beta: f32,
    a: Operand,
    b: Operand,
    c: Addend,
    /// The output has the shape `[M, 1, N]`.
    spread: bool,
    transpose_output: bool,
}

/// A factor of the product.
struct Operand {
    constant: Option<Tensor>,
    transposed: bool,
}

enum Addend {
    None,
    Constant(Vec<f32>, Spread),
    /// A further input, if the file names one.
    Input,
}

/// What C's values belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// The first value, to everything.
    Single,
    Rows,
    Columns,
    Elements,
}

/// Rows and columns of the product.
struct Sizes {
    m: usize,
    n: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Gemm> {
    let params = typed::Gemm::read(layer)?;
    loading::refuse_int8(layer, params.quantize_term)?;
    let constant = |flag: i32, role, rows: (&str, i32), columns: (&str, i32)| -> Result<Option<Tensor>> {
        if flag == 0 {
            return Ok(None);
        }
        let shape = Shape::new(&[positive(rows.0, rows.1)?, positive(columns.0, columns.1)?])?;
        Ok(Some(Tensor::new(shape.dims(), floats(layer, role, shape.volume())?)?))
    };
    let (m, n, k) =
        (("constantM", params.constant_m), ("constantN", params.constant_n), ("constantK", params.constant_k));
    let (trans_a, trans_b) = (params.trans_a != 0, params.trans_b != 0);
    let (a_rows, a_columns) = if trans_a { (k, m) } else { (m, k) };
    let (b_rows, b_columns) = if trans_b { (n, k) } else { (k, n) };
    Ok(Gemm {
        alpha: params.alpha,
        beta: params.beta,
        a: Operand {
            constant: constant(params.constant_a, WeightRole::MatrixA, a_rows, a_columns)?,
            transposed: trans_a,
        },
        b: Operand {
            constant: constant(params.constant_b, WeightRole::MatrixB, b_rows, b_columns)?,
            transposed: trans_b,
        },
        c: Addend::read(layer, &params)?,
        spread: params.output_n1m != 0,
        transpose_output: params.output_transpose != 0,
    })
}

impl Addend {
    fn read(layer: &ncnn_format::Layer, params: &typed::Gemm) -> Result<Self> {
        if params.constant_c == 0 {
            return Ok(Self::Input);
        }
        let (m, n) = (|| positive("constantM", params.constant_m), || positive("constantN", params.constant_n));
        let (spread, len) = match params.constant_broadcast_type_c {
            -1 => return Ok(Self::None),
            0 => (Spread::Single, 1),
            1 | 2 => (Spread::Rows, m()?),
            3 => (Spread::Elements, Shape::new(&[m()?, n()?])?.volume()),
            4 => (Spread::Columns, n()?),
            other => {
                return Err(Error::malformed(format!("constant_broadcast_type_C is {other}, expected -1 to 4")));
            }
        };
        Ok(Self::Constant(floats(layer, WeightRole::MatrixC, len)?, spread))
    }
}

impl Spread {
    /// What an input of `shape` is; later matches go before earlier ones, and what
    /// matches nothing gives its first value, as in ncnn.
    fn of(shape: Shape, sizes: &Sizes) -> Self {
        let Sizes { m, n } = *sizes;
        match *shape.dims() {
            [w] if w == n => Self::Columns,
            [w] if w == m => Self::Rows,
            [1, w] if w == n => Self::Columns,
            [h, w] if (h, w) == (m, n) => Self::Elements,
            [h, 1] if h == m => Self::Rows,
            _ => Self::Single,
        }
    }

    /// The product's values before anything is multiplied.
    fn fill(self, c: &[f32], beta: f32, columns: usize, output: &mut [f32]) {
        for (i, row) in output.chunks_exact_mut(columns).enumerate() {
            match self {
                Self::Single => row.fill(c[0] * beta),
                Self::Rows => row.fill(c[i] * beta),
                Self::Columns => scale_into(row, c, beta),
                Self::Elements => scale_into(row, &c[i * columns..], beta),
            }
        }
    }

    /// How many values this takes of C.
    fn len(self, sizes: &Sizes) -> usize {
        match self {
            Self::Single => 1,
            Self::Rows => sizes.m,
            Self::Columns => sizes.n,
            Self::Elements => sizes.m.saturating_mul(sizes.n),
        }
    }
}

fn scale_into(row: &mut [f32], values: &[f32], beta: f32) {
    for (to, from) in row.iter_mut().zip(values) {
        *to = from * beta;
    }
}

impl Operand {
    /// Rows and columns as multiplied. A 3-D blob is the matrix of its channels, which
    /// must be single rows.
    fn sizes(&self, shape: Shape) -> Result<(usize, usize)> {
        let (rows, columns) = stored_sizes(shape)?;
        Ok(if self.transposed { (columns, rows) } else { (rows, columns) })
    }

    /// The matrix as multiplied.
    fn view<'a>(&self, tensor: &'a Tensor) -> Result<ArrayView2<'a, f32>> {
        let (rows, columns) = stored_sizes(tensor.shape())?;
        let stored = matrix(tensor.as_slice(), rows, columns)?;
        Ok(if self.transposed { stored.reversed_axes() } else { stored })
    }
}

fn stored_sizes(shape: Shape) -> Result<(usize, usize)> {
    match *shape.dims() {
        [w] => Ok((1, w)),
        [h, w] | [h, 1, w] => Ok((h, w)),
        _ => Err(Error::invalid(format!("expects a matrix, the input is {shape}"))),
    }
}

/// The inputs by what they are for.
struct Parts<T> {
    a: T,
    b: T,
    c: Option<T>,
}

impl Gemm {
    /// Sorts the inputs; constants come from `of`.
    fn parts<'a, T: Clone>(&'a self, inputs: &[T], of: impl Fn(&'a Tensor) -> T) -> Result<Parts<T>> {
        let mut rest = inputs.iter().cloned();
        let mut take = |operand: &'a Operand| operand.constant.as_ref().map(&of).or_else(|| rest.next());
        let (Some(a), Some(b)) = (take(&self.a), take(&self.b)) else {
            return Err(Error::malformed(format!("takes more than the {} blobs that the file gives it", inputs.len())));
        };
        let c = if matches!(self.c, Addend::Input) { rest.next() } else { None };
        if rest.next().is_some() {
            return Err(Error::malformed(format!(
                "takes fewer than the {} blobs that the file gives it",
                inputs.len()
            )));
        }
        Ok(Parts { a, b, c })
    }

    fn sizes(&self, a: Shape, b: Shape) -> Result<Sizes> {
        let ((m, k), (depth, n)) = (self.a.sizes(a)?, self.b.sizes(b)?);
        if k != depth {
            return Err(Error::invalid(format!("a matrix of {m} x {k} cannot be multiplied by one of {depth} x {n}")));
        }
        let sizes = Sizes { m, n };
        match &self.c {
            Addend::Constant(values, spread) if values.len() != spread.len(&sizes) => {
                Err(Error::invalid(format!("C has {} values, the product is {m} x {n}", values.len())))
            }
            _ => Ok(sizes),
        }
    }

    fn shape(&self, sizes: &Sizes) -> Result<Shape> {
        let (rows, columns) = if self.transpose_output { (sizes.n, sizes.m) } else { (sizes.m, sizes.n) };
        if self.spread { Shape::new(&[rows, 1, columns]) } else { Shape::new(&[rows, columns]) }
    }

    /// C times beta under the shape of the product; `None` without a C.
    fn addend(&self, c: Option<&Tensor>, sizes: &Sizes) -> Option<Vec<f32>> {
        let (values, spread) = match (&self.c, c) {
            (Addend::Constant(values, spread), _) => (values.as_slice(), *spread),
            (Addend::Input, Some(c)) => (c.as_slice(), Spread::of(c.shape(), sizes)),
            _ => return None,
        };
        let mut product = vec![0.0; sizes.m * sizes.n];
        spread.fill(values, self.beta, sizes.n, &mut product);
        Some(product)
    }
}

impl Layer for Gemm {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let parts = self.parts(inputs, Tensor::shape)?;
        Ok(vec![self.shape(&self.sizes(parts.a, parts.b)?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let parts = self.parts(&inputs, Tensor::clone)?;
        let sizes = self.sizes(parts.a.shape(), parts.b.shape())?;
        // Checks the size of the product before it is allocated.
        let shape = self.shape(&sizes)?;
        let addend = self.addend(parts.c.as_ref(), &sizes);
        let beta = if addend.is_some() { self.alpha } else { 0.0 };
        let mut product = addend.unwrap_or_else(|| vec![0.0; shape.volume()]);
        let (a, b) = (self.a.view(&parts.a)?, self.b.view(&parts.b)?);
        general_mat_mul(self.alpha, &a, &b, beta, &mut matrix_mut(&mut product, sizes.m, sizes.n)?);
        if self.transpose_output {
            let transposed = matrix(&product, sizes.m, sizes.n)?.reversed_axes();
            return Ok(vec![Tensor::from_view(transposed.into_dyn())?.reshaped(shape)?]);
        }
        Ok(vec![Tensor::new(shape.dims(), product)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Gemm {
        let operand = || Operand { constant: None, transposed: false };
        Gemm {
            alpha: 2.0,
            beta: 0.5,
            a: operand(),
            b: operand(),
            c: Addend::Input,
            spread: false,
            transpose_output: false,
        }
    }

    fn tensor(dims: &[usize], values: &[f32]) -> Tensor {
        Tensor::new(dims, values.to_vec()).unwrap()
    }

    #[test]
    fn alpha_scales_the_product_and_c() {
        let inputs = vec![tensor(&[1, 2], &[1.0, 2.0]), tensor(&[2, 1], &[3.0, 4.0]), tensor(&[1], &[6.0])];
        assert_eq!(plain().run(inputs).unwrap()[0].as_slice(), [28.0]);
    }

    #[test]
    fn a_vector_as_long_as_both_sides_belongs_to_the_columns() {
        let sizes = Sizes { m: 2, n: 2 };
        let spread = |dims: &[usize]| Spread::of(Shape::new(dims).unwrap(), &sizes);
        assert_eq!(spread(&[2]), Spread::Columns);
        assert_eq!(spread(&[2, 1]), Spread::Rows);
        assert_eq!([spread(&[1]), spread(&[2, 3])], [Spread::Single; 2]);
    }

    #[test]
    fn the_output_may_be_transposed_and_spread_over_channels() {
        let layer = Gemm { spread: true, transpose_output: true, alpha: 1.0, ..plain() };
        let output = layer.run(vec![tensor(&[1], &[2.0]), tensor(&[1, 3], &[1.0, 2.0, 3.0])]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[3, 1, 1][..], &[2.0, 4.0, 6.0][..]));
    }

    #[test]
    fn names_what_does_not_fit() {
        let shape = |dims: &[usize]| Shape::new(dims).unwrap();
        let message = |inputs: &[Shape]| plain().output_shapes(inputs).unwrap_err().to_string();
        assert_eq!(
            message(&[shape(&[2, 3]), shape(&[4, 5])]),
            "a matrix of 2 x 3 cannot be multiplied by one of 4 x 5"
        );
        assert_eq!(message(&[shape(&[2, 3])]), "takes more than the 1 blobs that the file gives it");
    }
}
