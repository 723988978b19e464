//! How far a blob of ours is from ncnn's, and why.

use int8_exec::{Roundings, Value};
use ncnn_format::{Layer, LayerKind, LinearLayer, Result, WeightRole, typed, typed::Convolution};

use super::case::Values;

/// How a case came out, from good to bad; of several values the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// The same bits.
    Equal,
    /// The same values, some of them 0 with another sign.
    Zero,
    /// Floats within 2 units in the last place of the largest of value and bias: a product and a sum
    /// rounded twice here and once there. Not allowed where both round as on x86, but for curves.
    Ulps,
    /// ncnn's vector code approximates Sigmoid and Mish and orders HardSwish otherwise: floats within
    /// 10⁻⁵, or 2·10⁻⁶ where these functions lose digits themselves (ln(1 + eˣ) far below 0).
    Activation,
    /// Integers one apart where the exact value is within 10⁻⁴ of a tie (10⁻³ after approximated activations).
    Tie,
    /// ncnn's packed depthwise code multiplies by an approximate reciprocal: floats within 4·10⁻⁴,
    /// integers one apart near a tie.
    Reciprocal,
    /// ncnn's Requantize, packed by 4, gives every channel the scales and the bias of the first.
    FirstScale,
    /// ncnn's padding, packed by 8, spoils negative pad values.
    PadValue,
    /// ncnn's Winograd wraps around; our sums are exact.
    Overflow,
    /// None of the others: wrong.
    Miss,
}

/// Floats may be this many units in the last place apart.
const MOST_ULPS: f32 = 2.0;
/// Distance from a tie, in steps.
const TIE: f64 = 1e-4;
/// The same after an approximated activation.
const ACTIVATION_TIE: f64 = 1e-3;
/// Relative error of approximated activations.
const ACTIVATION: f32 = 1e-5;
/// Absolute error of the same.
const ACTIVATION_REST: f32 = 2e-6;
/// Up to this value the curves make small values of large ones, whose error they keep.
const BEND: f32 = 1.5;
/// Relative error of a scale of ncnn's packed depthwise layers: 1.5 · 2⁻¹², and a little.
const RECIPROCAL: f32 = 4e-4;

impl Class {
    /// In a report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Zero => "equal but for the sign of 0",
            Self::Ulps => "within 2 ulp",
            Self::Activation => "approximated activation",
            Self::Tie => "tie",
            Self::Reciprocal => "approximated reciprocal",
            Self::FirstScale => "first scale for all there",
            Self::PadValue => "pad value spoilt there",
            Self::Overflow => "overflow there",
            Self::Miss => "WRONG",
        }
    }
}

/// What allows a blob to differ.
pub(crate) struct Circumstances<'a> {
    /// Units in the last place that floats may be apart.
    ulps: f32,
    /// The layer approximates its activation.
    has_curve: bool,
    /// The layer may use reciprocals.
    has_reciprocals: bool,
    /// What ncnn does wrong here.
    fault: Option<Class>,
    /// What is added, by channel; and which channel a value is of.
    biases: Vec<f32>,
    channel_of: Box<dyn Fn(usize) -> usize>,
    /// The values that integers were rounded from.
    exact: &'a [f64],
}

impl<'a> Circumstances<'a> {
    /// Of a blob with these sizes that `layer` made with ncnn's `options` and our `roundings`, in a case
    /// with a label.
    pub(crate) fn new(
        layer: &Layer,
        dims: &[usize],
        label: &str,
        options: &[String],
        roundings: Roundings,
        exact: &'a [f64],
    ) -> Result<Self> {
        let activation = match layer.kind {
            LayerKind::Requantize => layer.requantize()?.activation_type,
            _ => LinearLayer::of(layer)?.map_or(0, |linear| linear.activation_type),
        };
        // Of options that give the same values, each must allow what the other does.
        let is_packed = options.iter().all(|name| name == "packed" || name == "fast");
        let wraps = options.iter().all(|name| name == "unpacked" || name == "fast");
        let fault = if label == "overflow" && wraps {
            Some(Class::Overflow)
        } else if is_packed && layer.kind == LayerKind::Requantize && dims.len() > 1 && dims[0] % 8 == 4 {
            Some(Class::FirstScale)
        } else if is_packed && layer.params.get(Convolution::PAD_VALUE)?.is_some_and(|value| value < 0.0) {
            Some(Class::PadValue)
        } else {
            None
        };
        let biases = layer.weight_f32(WeightRole::Bias).map(|bias| bias.into_owned()).unwrap_or_default();
        let (outputs, slice) = (biases.len().max(1), dims.iter().product::<usize>() / dims[0].max(1));
        let is_product = layer.kind == LayerKind::InnerProduct;
        Ok(Self {
            ulps: if activation < 4 && roundings == Roundings::NcnnX86 { 0.0 } else { MOST_ULPS },
            has_curve: activation >= 4,
            has_reciprocals: is_packed && is_depthwise(layer)?,
            fault,
            biases,
            channel_of: Box::new(move |at| if is_product { at % outputs } else { at / slice.max(1) }),
            exact,
        })
    }

    /// The worst class of all values of `ours` against `theirs`.
    pub(crate) fn compare(&self, ours: &Value, theirs: &Values) -> Class {
        match (ours, theirs) {
            (Value::F32(ours), Values::F32(theirs)) => {
                worst(ours.as_slice(), theirs, |at, a, b| self.of_floats(at, a, b))
            }
            (Value::I8 { tensor, .. }, Values::I8(theirs)) => {
                worst(tensor.as_slice(), theirs, |at, a, b| self.of_integers(at, a, b))
            }
            _ => Class::Miss,
        }
    }

    fn of_floats(&self, at: usize, ours: f32, theirs: f32) -> Class {
        if ours.to_bits() == theirs.to_bits() {
            return Class::Equal;
        }
        let bias = self.biases.get((self.channel_of)(at)).or(self.biases.first()).copied().unwrap_or_default();
        let largest = ours.abs().max(theirs.abs()).max(bias.abs());
        let bend = if self.has_curve { BEND } else { 0.0 };
        let (error, ulp) = ((ours - theirs).abs(), largest.next_up() - largest);
        if error == 0.0 {
            Class::Zero
        } else if error <= self.ulps * ulp {
            Class::Ulps
        } else if self.has_curve && error <= ACTIVATION * largest + ACTIVATION_REST {
            Class::Activation
        } else if self.has_reciprocals && error <= RECIPROCAL * (2.0 * largest + bend) {
            Class::Reciprocal
        } else {
            self.fault.unwrap_or(Class::Miss)
        }
    }

    fn of_integers(&self, at: usize, ours: i8, theirs: i8) -> Class {
        if ours == theirs {
            return Class::Equal;
        }
        let exact = self.exact.get(at).copied().unwrap_or(f64::NAN);
        let from_tie = (exact.abs().fract() - 0.5).abs();
        let is_next = ours.abs_diff(theirs) == 1;
        if is_next && from_tie <= if self.has_curve { ACTIVATION_TIE } else { TIE } {
            Class::Tie
        } else if self.has_reciprocals && is_next && from_tie <= 127.0 * 2.0 * f64::from(RECIPROCAL) {
            Class::Reciprocal
        } else {
            self.fault.unwrap_or(Class::Miss)
        }
    }
}

fn worst<T: Copy>(ours: &[T], theirs: &[T], class: impl Fn(usize, T, T) -> Class) -> Class {
    if ours.len() != theirs.len() {
        return Class::Miss;
    }
    let classes = ours.iter().zip(theirs).enumerate().map(|(at, (&ours, &theirs))| class(at, ours, theirs));
    classes.max().unwrap_or(Class::Equal)
}

/// One input and one output channel per group, in packs of eight.
fn is_depthwise(layer: &Layer) -> Result<bool> {
    if layer.kind != LayerKind::ConvolutionDepthWise {
        return Ok(false);
    }
    let params = typed::ConvolutionDepthWise::read(layer)?;
    let taps = params.kernel_w * params.kernel_h;
    Ok(params.group == params.num_output && params.weight_data_size == params.group * taps && params.group % 8 == 0)
}
