//! Layers and models made by hand.

use crate::typed::{ParamKey, ParamType};
use crate::weight_layout::{Encoding, WeightSpec, weight_layout};
use crate::{F32Tag, Layer, Model, Result, Weight, WeightData, WeightRole};

/// A layer is written down as its line in a `.param` is, and its weights after it:
///
/// ```
/// use ncnn_format::{Layer, LayerKind, Model, WeightRole, typed::Input, typed::InnerProduct};
///
/// let model = Model::new([
///     Layer::new(LayerKind::Input, "data").makes("data").with(Input::W, 3),
///     Layer::new(LayerKind::InnerProduct, "fc")
///         .reads("data")
///         .makes("out")
///         .with(InnerProduct::NUM_OUTPUT, 2)
///         .with(InnerProduct::BIAS_TERM, 1)
///         .with(InnerProduct::WEIGHT_DATA_SIZE, 6)
///         .with_weight(WeightRole::Weight, vec![1.0, 0.0, 0.0, 0.0, 1.0, -1.0])
///         .with_weight(WeightRole::Bias, vec![0.5, 0.5]),
/// ]);
/// assert_eq!(model.to_param_text().lines().count(), 4);
/// assert_eq!(model.bin_bytes()?.len(), 4 + 24 + 8);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
impl Layer {
    /// The layer with one more blob that it reads.
    #[must_use]
    pub fn reads(mut self, blob: impl Into<String>) -> Self {
        self.inputs.push(blob.into());
        self
    }

    /// The layer with one more blob that it makes.
    #[must_use]
    pub fn makes(mut self, blob: impl Into<String>) -> Self {
        self.outputs.push(blob.into());
        self
    }

    /// The layer with a parameter set. See [`ParamDict::set`](crate::ParamDict::set).
    #[must_use]
    pub fn with<T: ParamType>(mut self, key: ParamKey<T>, value: T) -> Self {
        self.params.set(key, value);
        self
    }

    /// The layer with one more weight: floats, int8 values, or [`WeightData`].
    ///
    /// Floats get the tag that [`weight_layout`] asks for; if the parameters that are set so far do not say, none.
    #[must_use]
    pub fn with_weight(mut self, role: WeightRole, data: impl Into<WeightData>) -> Self {
        let mut data = data.into();
        if let WeightData::F32(_, tag @ F32Tag::Raw) = &mut data {
            let specs = weight_layout(&self).unwrap_or_default();
            *tag = specs.iter().find(|spec| spec.role == role).map_or(F32Tag::Raw, WeightSpec::f32_tag);
        }
        self.weights.push(Weight { role, data });
        self
    }

    /// Gives the layer floats for every weight that its parameters call for, in place of those that it has.
    ///
    /// `value` is asked once per element, in the order of the file, with the index of the element in its weight.
    ///
    /// # Errors
    /// As [`weight_layout`].
    ///
    /// ```
    /// use ncnn_format::{Layer, LayerKind, WeightRole, typed::BatchNorm};
    ///
    /// let mut layer = Layer::new(LayerKind::BatchNorm, "bn").with(BatchNorm::CHANNELS, 2);
    /// layer.fill_weights(|spec, _| if spec.role == WeightRole::Variance { 1.0 } else { 0.0 })?;
    /// assert_eq!(*layer.weight_f32(WeightRole::Variance)?, [1.0, 1.0]);
    /// assert_eq!(layer.weights.len(), 4);
    /// # Ok::<(), ncnn_format::Error>(())
    /// ```
    pub fn fill_weights(&mut self, mut value: impl FnMut(&WeightSpec, usize) -> f32) -> Result<()> {
        let specs = weight_layout(self)?;
        let mut fill = |spec: &WeightSpec| {
            let values = (0..spec.len).map(|index| value(spec, index)).collect();
            Weight { role: spec.role, data: WeightData::F32(values, spec.f32_tag()) }
        };
        self.weights = specs.iter().map(&mut fill).collect();
        Ok(())
    }
}

impl WeightSpec {
    /// What stands in front of these values when they are written as f32.
    pub fn f32_tag(&self) -> F32Tag {
        if self.encoding == Encoding::Raw { F32Tag::Raw } else { F32Tag::Tagged }
    }
}

impl Model {
    /// A model of these layers, in this order.
    pub fn new(layers: impl IntoIterator<Item = Layer>) -> Self {
        Self { layers: layers.into_iter().collect(), ..Self::default() }
    }
}

impl From<Vec<f32>> for WeightData {
    /// Plain floats without a tag.
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values, F32Tag::Raw)
    }
}

impl From<Vec<i8>> for WeightData {
    fn from(values: Vec<i8>) -> Self {
        Self::I8(values)
    }
}
