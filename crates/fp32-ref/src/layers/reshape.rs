//! `Reshape`: the same values under other sizes.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::expression::Expression;
use super::pass_through::{Element, PassThrough, Passing, reshape_first};
use crate::{Shape, Tensor};

pub(super) struct Reshape {
    target: Target,
}

enum Target {
    /// Innermost first; 0 copies the input's size of the same name, -1 is what remains.
    Sizes(Vec<i32>),
    Expression(Expression),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Reshape>> {
    let params = typed::Reshape::read(layer)?;
    if params.input_batch_axis != 233 || params.output_batch_axis != 233 {
        return Err(Error::unsupported("reshaping across the batch axis"));
    }
    if !params.shape_expr.is_empty() {
        let expression = Expression::parse(&params.shape_expr)?;
        let rank = expression.len()?;
        if !(1..=4).contains(&rank) {
            return Err(Error::malformed(format!("the shape \"{}\" has {rank} dimensions", params.shape_expr)));
        }
        return Ok(Passing(Reshape { target: Target::Expression(expression) }));
    }
    let typed::Reshape { w, h, d, c, .. } = params;
    let sizes = match (w, h, c, d) {
        (-233, ..) => return Err(Error::malformed("no sizes are given")),
        (_, -233, ..) => vec![w],
        (_, _, -233, _) => vec![w, h],
        (.., -233) => vec![w, h, c],
        _ => vec![w, h, d, c],
    };
    Ok(Passing(Reshape { target: Target::Sizes(sizes) }))
}

impl PassThrough for Reshape {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![match &self.target {
            Target::Sizes(sizes) => resolve(sizes, only(inputs.iter().copied())?)?,
            Target::Expression(expression) => {
                let sizes = expression.evaluate(inputs)?;
                let first = inputs.first().ok_or_else(|| Error::malformed("takes a blob, the file gives it none"))?;
                resolve(&sizes, *first)?
            }
        }])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        reshape_first(inputs, outputs)
    }
}

/// The shape that `sizes`, innermost first, mean for `input`.
fn resolve(sizes: &[i32], input: Shape) -> Result<Shape> {
    let copied: &[usize] = match sizes.len() {
        4 => &[input.w(), input.h(), input.d(), input.c()],
        _ => &[input.w(), input.h(), input.c()],
    };
    let mut dims = Vec::with_capacity(sizes.len());
    let mut inferred = None;
    for (position, (&size, &copied)) in sizes.iter().zip(copied).enumerate() {
        dims.push(match size {
            0 => copied,
            -1 if inferred.replace(position).is_none() => 1,
            _ => usize::try_from(size)
                .map_err(|_| Error::malformed(format!("the sizes {sizes:?} (innermost first) cannot be resolved")))?,
        });
    }
    if let Some(position) = inferred {
        let known = dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim)).unwrap_or(0);
        if known == 0 || !input.volume().is_multiple_of(known) {
            return Err(Error::invalid(format!(
                "{} values ({input}) cannot take the sizes {sizes:?} (innermost first)",
                input.volume()
            )));
        }
        dims[position] = input.volume() / known;
    }
    dims.reverse();
    let shape = Shape::new(&dims)?;
    if shape.volume() != input.volume() {
        return Err(Error::invalid(format!(
            "{} values ({input}) cannot become {shape} with {}",
            input.volume(),
            shape.volume()
        )));
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(sizes: &[i32]) -> Result<Vec<usize>> {
        Ok(resolve(sizes, Shape::new(&[3, 4, 5]).unwrap())?.dims().to_vec())
    }

    #[test]
    fn zero_copies_and_minus_one_takes_what_remains() {
        assert_eq!(dims(&[-1]).unwrap(), [60]);
        assert_eq!(dims(&[0, -1]).unwrap(), [12, 5]);
        assert_eq!(dims(&[2, 2, 0, -1]).unwrap(), [15, 1, 2, 2]);
    }

    #[test]
    fn says_why_values_do_not_fit() {
        assert_eq!(dims(&[7]).unwrap_err().to_string(), "60 values (3x4x5) cannot become 7 with 7");
        assert_eq!(
            dims(&[7, -1]).unwrap_err().to_string(),
            "60 values (3x4x5) cannot take the sizes [7, -1] (innermost first)"
        );
        assert!(dims(&[-1, -1]).is_err());
    }

    #[test]
    fn formulas_may_refer_to_other_blobs() {
        let reshape = Reshape { target: Target::Expression(Expression::parse("1w,-1").unwrap()) };
        let shapes = [Shape::new(&[3, 4, 5]).unwrap(), Shape::new(&[6]).unwrap()];
        assert_eq!(reshape.shapes(&shapes).unwrap()[0].dims(), [10, 6]);
    }
}
