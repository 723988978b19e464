//! What the parameters of a `Gemm` say, floats and int8 alike.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::loading::floats;
use super::matrix::matrix;
use super::window::positive;
use crate::{Shape, Tensor};

/// The shape of `alpha · (A · B + beta · C)`, each of them a blob or a weight.
#[derive(Debug)]
pub struct GemmForm {
    /// Multiplier of everything.
    pub alpha: f32,
    /// Multiplier of C.
    beta: f32,
    /// The first factor, rows by depth.
    pub a: GemmFactor,
    /// The second factor, depth by columns.
    pub b: GemmFactor,
    c: Addend,
    /// The output has the shape `[M, 1, N]`.
    spread: bool,
    transpose_output: bool,
}

/// A factor of the product.
#[derive(Debug, Clone, Copy)]
pub struct GemmFactor {
    /// The shape of a weight as stored; `None` for a blob.
    pub constant: Option<Shape>,
    /// Whether it is stored transposed.
    pub transposed: bool,
}

/// Rows and columns of the product.
#[derive(Debug, Clone, Copy)]
pub struct GemmSizes {
    /// Rows.
    pub m: usize,
    /// Columns.
    pub n: usize,
    /// Values of a row of A and of a column of B.
    pub k: usize,
}

/// The inputs by what they are for.
#[derive(Debug)]
pub struct GemmInputs<T> {
    /// The first factor.
    pub a: T,
    /// The second factor.
    pub b: T,
    /// What is added, if it is an input.
    pub c: Option<T>,
}

#[derive(Debug)]
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

impl GemmForm {
    /// Reads the parameters of `layer` and its C.
    ///
    /// # Errors
    /// `Malformed` when a size is not positive or C has another one.
    pub fn read(layer: &ncnn_format::Layer) -> Result<Self> {
        let params = typed::Gemm::read(layer)?;
        let factor = |flag: i32, transposed: i32, rows: (&str, i32), columns: (&str, i32)| -> Result<GemmFactor> {
            let transposed = transposed != 0;
            let (rows, columns) = if transposed { (columns, rows) } else { (rows, columns) };
            let constant = if flag == 0 {
                None
            } else {
                Some(Shape::new(&[positive(rows.0, rows.1)?, positive(columns.0, columns.1)?])?)
            };
            Ok(GemmFactor { constant, transposed })
        };
        let (m, n, k) =
            (("constantM", params.constant_m), ("constantN", params.constant_n), ("constantK", params.constant_k));
        Ok(Self {
            alpha: params.alpha,
            beta: params.beta,
            a: factor(params.constant_a, params.trans_a, m, k)?,
            b: factor(params.constant_b, params.trans_b, k, n)?,
            c: Addend::read(layer, &params)?,
            spread: params.output_n1m != 0,
            transpose_output: params.output_transpose != 0,
        })
    }

    /// Sorts the inputs; `a` and `b` are given where they are weights.
    ///
    /// # Errors
    /// `Malformed` when there are too few or too many.
    pub fn sort<T>(&self, inputs: Vec<T>, a: Option<T>, b: Option<T>) -> Result<GemmInputs<T>> {
        let found = inputs.len();
        let mut rest = inputs.into_iter();
        let (Some(a), Some(b)) = (a.or_else(|| rest.next()), b.or_else(|| rest.next())) else {
            return Err(Error::malformed(format!("takes more than the {found} blobs that the file gives it")));
        };
        let c = if matches!(self.c, Addend::Input) { rest.next() } else { None };
        if rest.next().is_some() {
            return Err(Error::malformed(format!("takes fewer than the {found} blobs that the file gives it")));
        }
        Ok(GemmInputs { a, b, c })
    }

    /// The sizes of the product of factors that are stored with these shapes.
    ///
    /// # Errors
    /// `Invalid` when they cannot be multiplied or C does not fit the product.
    pub fn sizes(&self, a: Shape, b: Shape) -> Result<GemmSizes> {
        let ((m, k), (depth, n)) = (self.a.sizes(a)?, self.b.sizes(b)?);
        if k != depth {
            return Err(Error::invalid(format!("a matrix of {m} x {k} cannot be multiplied by one of {depth} x {n}")));
        }
        let sizes = GemmSizes { m, n, k };
        match &self.c {
            Addend::Constant(values, spread) if values.len() != spread.len(&sizes) => {
                Err(Error::invalid(format!("C has {} values, the product is {m} x {n}", values.len())))
            }
            _ => Ok(sizes),
        }
    }

    /// The shapes of the outputs for inputs of these shapes.
    ///
    /// # Errors
    /// Those of [`GemmForm::sort`] and [`GemmForm::sizes`]; `TooLarge` for too large an output.
    pub fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let inputs = self.sort(inputs.to_vec(), self.a.constant, self.b.constant)?;
        Ok(vec![self.shape(&self.sizes(inputs.a, inputs.b)?)?])
    }

    /// The shape of the output for a product of these sizes.
    ///
    /// # Errors
    /// `TooLarge` for too large an output.
    pub fn shape(&self, sizes: &GemmSizes) -> Result<Shape> {
        let (rows, columns) = if self.transpose_output { (sizes.n, sizes.m) } else { (sizes.m, sizes.n) };
        if self.spread { Shape::new(&[rows, 1, columns]) } else { Shape::new(&[rows, columns]) }
    }

    /// C times beta under the shape of the product; `None` without a C.
    pub fn addend(&self, c: Option<&Tensor>, sizes: &GemmSizes) -> Option<Vec<f32>> {
        let (values, spread) = match (&self.c, c) {
            (Addend::Constant(values, spread), _) => (values.as_slice(), *spread),
            (Addend::Input, Some(c)) => (c.as_slice(), Spread::of(c.shape(), sizes)),
            _ => return None,
        };
        let mut product = vec![0.0; sizes.m * sizes.n];
        spread.fill(values, self.beta, sizes.n, &mut product);
        Some(product)
    }

    /// The output of the row-major `product`.
    ///
    /// # Errors
    /// None where `product` has the sizes.
    pub fn finish(&self, product: Vec<f32>, sizes: &GemmSizes) -> Result<Tensor> {
        let shape = self.shape(sizes)?;
        if self.transpose_output {
            let transposed = matrix(&product, sizes.m, sizes.n)?.reversed_axes();
            return Tensor::from_view(transposed.into_dyn())?.reshaped(shape);
        }
        Tensor::new(shape.dims(), product)
    }
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
    fn of(shape: Shape, sizes: &GemmSizes) -> Self {
        let GemmSizes { m, n, .. } = *sizes;
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
    fn len(self, sizes: &GemmSizes) -> usize {
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

impl GemmFactor {
    /// Rows and columns as multiplied. A 3-D blob is the matrix of its channels, which
    /// must be single rows.
    fn sizes(&self, shape: Shape) -> Result<(usize, usize)> {
        let (rows, columns) = stored_sizes(shape)?;
        Ok(if self.transposed { (columns, rows) } else { (rows, columns) })
    }
}

/// Rows and columns of a factor as it is stored.
pub(super) fn stored_sizes(shape: Shape) -> Result<(usize, usize)> {
    match *shape.dims() {
        [w] => Ok((1, w)),
        [h, w] | [h, 1, w] => Ok((h, w)),
        _ => Err(Error::invalid(format!("expects a matrix, the input is {shape}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_as_long_as_both_sides_belongs_to_the_columns() {
        let sizes = GemmSizes { m: 2, n: 2, k: 1 };
        let spread = |dims: &[usize]| Spread::of(Shape::new(dims).unwrap(), &sizes);
        assert_eq!(spread(&[2]), Spread::Columns);
        assert_eq!(spread(&[2, 1]), Spread::Rows);
        assert_eq!([spread(&[1]), spread(&[2, 3])], [Spread::Single; 2]);
    }
}
