//! Whether a layer computes on integers.

use crate::{Error, Layer, LayerKind, Number, ParamValue, Result, Storage, typed};

/// The names that ncnn gives to the parameter.
const NAMES: [&str; 2] = ["int8_scale_term", "quantize_term"];

/// The parameter of `kind` that says how it computes on integers.
pub(crate) fn int8_param(kind: &LayerKind) -> Option<&'static typed::ParamSpec> {
    typed::param_specs(kind)?.iter().find(|row| NAMES.contains(&row.name))
}

impl Layer {
    /// The parameter that says how the layer computes on integers, 0 being not at all: `int8_scale_term`, in some
    /// types called `quantize_term`. `None` for a type without an int8 form.
    ///
    /// # Errors
    /// `Malformed` when it is no number.
    ///
    /// ```
    /// use ncnn_format::{Layer, LayerKind, typed::InnerProduct};
    ///
    /// let product = Layer::new(LayerKind::InnerProduct, "fc").with(InnerProduct::INT8_SCALE_TERM, 2);
    /// assert_eq!(product.int8_term()?, Some(2));
    /// assert!(product.is_int8()?);
    /// assert_eq!(Layer::new(LayerKind::ReLU, "relu").int8_term()?, None);
    /// # Ok::<(), ncnn_format::Error>(())
    /// ```
    pub fn int8_term(&self) -> Result<Option<i32>> {
        let term = |row: &typed::ParamSpec| Ok(self.params.find(row.id)?.unwrap_or(0));
        int8_param(&self.kind).map(term).transpose().map_err(|error: Error| error.in_layer(&self.name))
    }

    /// Whether the layer computes on integers.
    ///
    /// # Errors
    /// As [`Layer::int8_term`].
    pub fn is_int8(&self) -> Result<bool> {
        Ok(self.int8_term()?.is_some_and(|term| term != 0))
    }

    /// Whether a weight is stored as int8, whatever the parameters say.
    pub fn stores_int8(&self) -> bool {
        self.weights.iter().any(|weight| weight.data.storage() == Storage::I8)
    }

    /// Sets the parameter that [`Layer::int8_term`] reads.
    ///
    /// # Errors
    /// `Invalid` for a type without an int8 form.
    pub fn set_int8_term(&mut self, term: i32) -> Result<()> {
        let row = int8_param(&self.kind).ok_or_else(|| {
            Error::invalid(format!("a layer of type {} has no int8 form", self.kind)).in_layer(&self.name)
        })?;
        self.params.set_raw(row.id, ParamValue::Number(Number::Int(term)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WeightRole;

    #[test]
    fn the_types_with_an_int8_form_are_ncnns() {
        let with_form = LayerKind::BUILTIN.iter().filter(|kind| {
            let layer = Layer::new((*kind).clone(), "x");
            layer.int8_term().unwrap().is_some()
        });
        let names: Vec<&str> = with_form.map(LayerKind::as_str).collect();
        let expected = "Convolution Embed InnerProduct RNN LSTM ConvolutionDepthWise Gemm GRU MultiHeadAttention SDPA";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn a_term_can_be_set_where_there_is_one() {
        let mut gemm = Layer::new(LayerKind::Gemm, "g");
        gemm.set_int8_term(2).unwrap();
        assert_eq!(gemm.gemm().unwrap().quantize_term, 2);
        assert!(gemm.is_int8().unwrap());
        let error = Layer::new(LayerKind::ReLU, "r").set_int8_term(2).unwrap_err();
        assert_eq!(error.to_string(), "layer r: a layer of type ReLU has no int8 form");
    }

    #[test]
    fn a_term_that_is_no_number_names_the_layer() {
        let model = crate::Model::from_param_text("7767517\n1 1\nSDPA s 0 1 a -23318=1,2\n").unwrap();
        let error = model.layers[0].int8_term().unwrap_err();
        assert_eq!(error.to_string(), "layer s: parameter 18 should be a number, found an array of 1");
    }

    #[test]
    fn storage_and_parameters_are_asked_apart() {
        let layer = Layer::new(LayerKind::Convolution, "c").with_weight(WeightRole::Weight, vec![1_i8]);
        assert!(layer.stores_int8() && !layer.is_int8().unwrap());
    }
}
