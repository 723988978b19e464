//! A case run here in every way that there is, and compared with ncnn.

use fp32_ref::{Tensor, Watch};
use int8_exec::{Int8Net, Options, Roundings, Value};
use int8_kernels::Isa;
use ncnn_format::{Error, Layer, Model, Result};

use super::case::Case;
use super::unrounded::unrounded;
use super::verdict::{Circumstances, Class};

/// The worst class of a case's outputs for each of ncnn's options.
pub(crate) type Verdicts = Vec<(String, Class)>;

/// Runs `case` with every instruction set, with and without a plan, and compares each output with
/// each of ncnn's.
///
/// # Errors
/// `Invalid` when our own ways do not give the same bits; otherwise those of running.
pub(crate) fn replay(case: &Case, roundings: Roundings) -> Result<Verdicts> {
    let (model, feeds) = case.network()?;
    let ours = ours(case, &model, &feeds, roundings)?;
    let mut verdicts: Verdicts = Vec::new();
    for (golden, ours) in case.outputs.iter().zip(&ours) {
        if ours.shape().dims() != golden.dims {
            return Err(Error::invalid(format!("{}: the shape {}, not {:?}", golden.blob, ours.shape(), golden.dims)));
        }
        let exact = if golden.is_i8 { unrounded(&model, &golden.blob, &feeds)? } else { Vec::new() };
        let layer = producer(&model, &golden.blob)?;
        for run in &golden.runs {
            let circumstances = Circumstances::new(layer, &golden.dims, &case.label, &run.options, roundings, &exact)?;
            let class = circumstances.compare(ours, &run.values);
            run.options.iter().for_each(|options| note(&mut verdicts, options, class));
        }
    }
    Ok(verdicts)
}

/// Keeps the worst class. What an integer that fell to the other side of a tie does to the layers below
/// it says nothing more.
fn note(verdicts: &mut Verdicts, options: &str, class: Class) {
    match verdicts.iter_mut().find(|(known, _)| known == options) {
        Some((_, Class::Tie)) => {}
        Some((_, known)) => *known = class.max(*known),
        None => verdicts.push((options.to_owned(), class)),
    }
}

fn producer<'a>(model: &'a Model, blob: &str) -> Result<&'a Layer> {
    let found = model.layers.iter().find(|layer| layer.outputs.iter().any(|output| output == blob));
    found.ok_or_else(|| Error::invalid(format!("nobody makes {blob}")))
}

/// Our value of each output of the case, the same bits in every way of running.
fn ours(case: &Case, model: &Model, feeds: &[(String, Tensor)], roundings: Roundings) -> Result<Vec<Value>> {
    let feeds: Vec<(&str, Tensor)> = feeds.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
    let mut first: Option<Vec<Value>> = None;
    for &isa in Isa::available() {
        let net = Int8Net::with_options(model, Options::default().with_isa(isa).with_roundings(roundings))?;
        let wanted = case.outputs.iter().map(|golden| net.graph().blob(&golden.blob)).collect::<Result<Vec<_>>>()?;
        let mut seen = vec![None; wanted.len()];
        // Who watches makes the network run layer by layer.
        let mut watch = Watch::new(&wanted, |slot, value: &Value| {
            seen[slot] = Some(value.clone());
            Ok(())
        });
        net.run(&feeds, &mut watch)?;
        let seen: Vec<Value> = seen.into_iter().flatten().collect();
        let expected = first.get_or_insert_with(|| seen.clone());
        let fused = net.run(&feeds, &mut ())?;
        for (golden, (value, expected)) in case.outputs.iter().zip(seen.iter().zip(&*expected)) {
            let of_plan = fused.get(&golden.blob);
            let floats = value.to_f32()?;
            if !same(value, expected) || of_plan.is_some_and(|fused| !same_floats(fused, &floats)) {
                return Err(Error::invalid(format!("{} is not the same with {isa} or with a plan", golden.blob)));
            }
        }
    }
    first.ok_or_else(|| Error::invalid("no instruction set"))
}

/// Whether both have the same bits.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => same_floats(a, b),
        (Value::I8 { tensor: a, .. }, Value::I8 { tensor: b, .. }) => a == b,
        _ => false,
    }
}

fn same_floats(a: &Tensor, b: &Tensor) -> bool {
    let bits = |tensor: &Tensor| tensor.as_slice().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    a.shape() == b.shape() && bits(a) == bits(b)
}
