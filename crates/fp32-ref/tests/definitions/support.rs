//! Arrays for definitions, random draws, and the comparison with what a network gives.

use fp32_ref::{Net, NetOptions, Shape, Tensor, validate};
use ncnn_format::{ErrorKind, F32Tag, Model, Result, Weight, WeightData, weight_layout};

/// An array of any rank, outermost dimension first. Inputs hold values that `f32` has exactly.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f64>,
}

impl Array {
    pub(crate) fn new(dims: &[usize], values: Vec<f64>) -> Self {
        assert_eq!(dims.iter().product::<usize>(), values.len(), "{dims:?}");
        Self { dims: dims.to_vec(), values }
    }

    /// The array whose element at each index is what `element` says.
    pub(crate) fn build(dims: &[usize], element: impl FnMut(&[usize]) -> f64) -> Self {
        Self::new(dims, indices(dims).iter().map(Vec::as_slice).map(element).collect())
    }

    /// One dimension.
    pub(crate) fn row(values: &[f64]) -> Self {
        Self::new(&[values.len()], values.to_vec())
    }

    pub(crate) fn rank(&self) -> usize {
        self.dims.len()
    }

    pub(crate) fn at(&self, index: &[usize]) -> f64 {
        assert_eq!(index.len(), self.rank());
        let position = index.iter().zip(&self.dims).fold(0, |position, (&at, &size)| {
            assert!(at < size, "{index:?} is outside of {:?}", self.dims);
            position * size + at
        });
        self.values[position]
    }

    /// The element, or `None` outside of the array.
    pub(crate) fn get(&self, index: &[i64]) -> Option<f64> {
        let inside: Option<Vec<usize>> =
            index.iter().zip(&self.dims).map(|(&at, &size)| usize::try_from(at).ok().filter(|&at| at < size)).collect();
        inside.map(|index| self.at(&index))
    }

    pub(crate) fn map(&self, function: impl Fn(f64) -> f64) -> Self {
        Self::new(&self.dims, self.values.iter().map(|&value| function(value)).collect())
    }

    pub(crate) fn reshaped(&self, dims: &[usize]) -> Self {
        Self::new(dims, self.values.clone())
    }

    fn tensor(&self) -> Tensor {
        Tensor::new(&self.dims, self.values.iter().map(|&value| value as f32).collect()).unwrap()
    }
}

/// An output alone is all outputs.
impl AsRef<[Self]> for Array {
    fn as_ref(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

/// All indices of an array of such sizes, in the order of memory.
pub(crate) fn indices(dims: &[usize]) -> Vec<Vec<usize>> {
    dims.iter().fold(vec![Vec::new()], |outer, &size| {
        outer.iter().flat_map(|index| (0..size).map(move |at| [index.as_slice(), &[at]].concat())).collect()
    })
}

/// The index with the element of one axis replaced.
pub(crate) fn with(index: &[usize], axis: usize, at: usize) -> Vec<usize> {
    let mut index = index.to_vec();
    index[axis] = at;
    index
}

/// A seeded generator of cases (xorshift).
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number of `low..=high`.
    pub(crate) fn size(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.size(0, choices.len() - 1)].clone()
    }

    /// A value between two bounds that `f32` has exactly.
    pub(crate) fn float(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.next() & 0xff_ffff) as f64 / f64::from(1 << 24);
        f64::from((low + unit * (high - low)) as f32)
    }

    pub(crate) fn floats(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.float(low, high)).collect()
    }

    pub(crate) fn array(&mut self, dims: &[usize], low: f64, high: f64) -> Array {
        Array::new(dims, self.floats(dims.iter().product(), low, high))
    }

    /// Sizes of that rank; 1 comes often, for it is where indices go wrong.
    pub(crate) fn dims(&mut self, rank: usize, largest: usize) -> Vec<usize> {
        (0..rank).map(|_| if self.size(0, 3) == 0 { 1 } else { self.size(2, largest) }).collect()
    }
}

/// How a parameter that is a float must be written: with a point or an exponent.
pub(crate) fn float(value: f64) -> String {
    format!("{:e}", value as f32)
}

/// A parameter that is an array of floats.
pub(crate) fn floats(id: i32, values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|&value| float(value)).collect();
    format!("{}={},{}", -23300 - id, values.len(), values.join(","))
}

/// A parameter that is an array of ints.
pub(crate) fn ints(id: i32, values: &[i64]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("{}={},{}", -23300 - id, values.len(), values.join(","))
}

/// A layer with what it is fed.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    kind: &'static str,
    params: String,
    inputs: Vec<Array>,
    weights: Vec<Vec<f64>>,
    outputs: usize,
    tolerance: f64,
    /// A weight that the model does not get.
    left_out: Option<usize>,
}

impl Trial {
    /// A layer of one output.
    pub(crate) fn new(kind: &'static str, params: impl Into<String>, inputs: &[&Array]) -> Self {
        let inputs = inputs.iter().map(|&input| input.clone()).collect();
        Self { kind, params: params.into(), inputs, weights: Vec::new(), outputs: 1, tolerance: 1e-5, left_out: None }
    }

    /// The layer's weights in the order of the `.bin`.
    pub(crate) fn weights(mut self, weights: &[&[f64]]) -> Self {
        self.weights = weights.iter().map(|weight| weight.to_vec()).collect();
        self
    }

    pub(crate) fn outputs(mut self, outputs: usize) -> Self {
        self.outputs = outputs;
        self
    }

    /// The largest error, relative to the largest value of an output.
    pub(crate) fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The network; with `as_pixels` every image passes a pooling over single pixels first, which
    /// changes no value but hands it on in channels-last order.
    fn model(&self, as_pixels: bool) -> Result<Model> {
        // The executor wants an input even for a constant.
        let mut lines = vec!["Input none 0 1 none".to_owned()];
        let mut names = Vec::new();
        for (number, input) in self.inputs.iter().enumerate() {
            lines.push(format!("Input fed{number} 0 1 fed{number}"));
            if as_pixels && input.rank() == 3 {
                lines.push(format!("Pooling turned{number} 1 1 fed{number} turned{number} 0=0 1=1 2=1"));
                names.push(format!("turned{number}"));
            } else {
                names.push(format!("fed{number}"));
            }
        }
        names.extend((0..self.outputs).map(|number| format!("out{number}")));
        lines.push(format!(
            "{} layer {} {} {} {}",
            self.kind,
            self.inputs.len(),
            self.outputs,
            names.join(" "),
            self.params
        ));
        let blobs = lines.len() - 1 + self.outputs;
        let text = format!("7767517\n{} {blobs}\n{}\n", lines.len(), lines.join("\n"));
        let mut model = Model::from_param_text(&text)?;
        let layer = model.layers.last_mut().unwrap();
        let layout = weight_layout(layer)?;
        let expected: Vec<usize> = layout.iter().map(|spec| spec.len).collect();
        let found: Vec<usize> = self.weights.iter().map(Vec::len).collect();
        let drawn = !self.weights.iter().any(Vec::is_empty);
        assert!(!drawn || found == expected, "{} {} takes {expected:?}, found {found:?}", self.kind, self.params);
        for (number, (spec, weight)) in layout.iter().zip(&self.weights).enumerate() {
            if self.left_out == Some(number) {
                continue;
            }
            let values = weight.iter().map(|&value| value as f32).collect();
            layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, F32Tag::Tagged) });
        }
        Ok(model)
    }

    /// What the network gives, or why it does not run.
    pub(crate) fn run(&self) -> Result<Vec<Array>> {
        self.run_in(false, true)
    }

    /// What the network gives for images in that order of memory.
    pub(crate) fn run_as(&self, as_pixels: bool) -> Result<Vec<Array>> {
        self.run_in(as_pixels, true)
    }

    /// What the network gives, where shapes may be foretold for values that cannot run.
    pub(crate) fn run_values(&self) -> Result<()> {
        let net = Net::new(&self.model(false)?)?;
        net.run(&borrowed(&self.feeds()?), &mut ()).map(|_| ())
    }

    fn feeds(&self) -> Result<Vec<(String, Tensor)>> {
        let mut feeds = vec![("none".to_owned(), Tensor::new([1], vec![0.0])?)];
        feeds.extend(self.inputs.iter().enumerate().map(|(number, input)| (format!("fed{number}"), input.tensor())));
        Ok(feeds)
    }

    /// Takes weights of the lengths that the parameters ask for, if that is not too much.
    pub(crate) fn with_any_weights(mut self, draw: &mut Draw) -> Self {
        let line = format!("7767517\n1 1\n{} layer 0 1 out {}\n", self.kind, self.params);
        self.weights = Model::from_param_text(&line)
            .and_then(|model| weight_layout(&model.layers[0]))
            .map(|layout| {
                let lengths = layout.iter().map(|spec| if spec.len > 1 << 16 { 0 } else { spec.len });
                lengths.map(|len| draw.floats(len, 0.125, 1.0)).collect()
            })
            .unwrap_or_default();
        self
    }

    /// The layer as the model has it.
    pub(crate) fn layer(&self) -> ncnn_format::Layer {
        self.model(false).unwrap().layers.pop().unwrap()
    }

    /// The same with other inputs.
    pub(crate) fn fed(&self, inputs: Vec<Array>) -> Self {
        Self { inputs, ..self.clone() }
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn params(&self) -> &str {
        &self.params
    }

    pub(crate) fn weights_of(&self) -> &[Vec<f64>] {
        &self.weights
    }

    /// The output with the layer changed first.
    pub(crate) fn changed(&self, change: impl Fn(&mut ncnn_format::Layer)) -> Result<Array> {
        let mut model = self.model(false)?;
        change(model.layers.last_mut().unwrap());
        let outputs = Net::new(&model)?.run(&borrowed(&self.feeds()?), &mut ())?;
        Ok(array(outputs.get("out0").unwrap()))
    }

    pub(crate) fn inputs(&self) -> &[Array] {
        &self.inputs
    }

    /// The same with more parameters behind the others.
    pub(crate) fn with_params(mut self, params: &str) -> Self {
        self.params = format!("{} {params}", self.params);
        self
    }

    pub(crate) fn weight_count(&self) -> usize {
        self.weights.len()
    }

    pub(crate) fn without_weight(mut self, number: usize) -> Self {
        self.left_out = Some(number);
        self
    }

    /// Why the network cannot be built.
    #[track_caller]
    pub(crate) fn build_error(&self) -> String {
        match self.model(false).and_then(|model| Net::new(&model)) {
            Ok(_) => panic!("{self} builds"),
            Err(error) => error.to_string(),
        }
    }

    fn run_in(&self, as_pixels: bool, winograd: bool) -> Result<Vec<Array>> {
        let options = NetOptions::default().with_winograd(winograd);
        let net = Net::with_options(&self.model(as_pixels)?, options)?;
        let feeds = self.feeds()?;
        let feeds = borrowed(&feeds);
        let shapes: Vec<(&str, Shape)> = feeds.iter().map(|(name, value)| (*name, value.shape())).collect();
        let inferred = net.infer_shapes(&shapes);
        // Who asks beforehand hears of just what fails.
        let remarks = validate(&self.model(as_pixels)?, &shapes, &NetOptions::default());
        let foretold = inferred.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::Unsupported);
        assert_eq!(remarks.is_empty(), foretold, "{self}: {remarks:?} of {inferred:?}");
        let outputs = match net.run(&feeds, &mut ()) {
            Ok(outputs) => outputs,
            Err(error) => {
                // What cannot run for its shapes must not be foretold either.
                assert!(inferred.is_err(), "{self}: shapes {inferred:?} are foretold, but {error}");
                return Err(error);
            }
        };
        let mut found = Vec::new();
        for number in 0..self.outputs {
            let name = format!("out{number}");
            let output = outputs.get(&name).unwrap();
            match &inferred {
                Ok(shapes) => assert_eq!(shapes[net.graph().blob(&name)?.0], output.shape(), "{self}"),
                // Shapes that depend on values cannot be known beforehand.
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{self}: {error}"),
            }
            found.push(array(output));
        }
        Ok(found)
    }

    /// The error of a layer that must not run.
    #[track_caller]
    pub(crate) fn refused(&self) -> ncnn_format::Error {
        match self.run() {
            Err(error) => error,
            Ok(outputs) => panic!("{self} gives {outputs:?}"),
        }
    }

    /// Fails where the network gives anything but `expected`, in whichever order of memory and
    /// with whichever algorithm it works.
    #[track_caller]
    pub(crate) fn gives(&self, expected: impl AsRef<[Array]>) {
        let expected = expected.as_ref();
        let images = self.inputs.iter().any(|input| input.rank() == 3);
        let convolves = self.kind == "Convolution";
        for as_pixels in [false, true] {
            for winograd in [true, false] {
                if (as_pixels && !images) || (!winograd && !convolves) {
                    continue;
                }
                // Winograd's sums are known to be off by a few more bits.
                let tolerance = if convolves && winograd { self.tolerance.max(1e-4) } else { self.tolerance };
                let found = self
                    .run_in(as_pixels, winograd)
                    .unwrap_or_else(|error| panic!("{self} (pixels {as_pixels}): {error}"));
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    if let Some(difference) = difference(found, expected, tolerance) {
                        panic!("{self} (pixels {as_pixels}, Winograd {winograd}): {difference}");
                    }
                }
            }
        }
    }
}

fn array(tensor: &Tensor) -> Array {
    Array::new(tensor.shape().dims(), tensor.as_slice().iter().map(|&value| f64::from(value)).collect())
}

fn borrowed(feeds: &[(String, Tensor)]) -> Vec<(&str, Tensor)> {
    feeds.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

/// Builds and runs what may be nonsense: nothing panics, and what is foretold and small can run.
pub(crate) fn survives(trial: &Trial, draw: &mut Draw) {
    let trial = trial.clone().with_any_weights(draw);
    let Ok(model) = trial.model(false) else { return };
    let layer = model.layers.last().unwrap();
    // Weights that were too long to draw.
    if trial.weights.iter().any(Vec::is_empty) || layer.weights.len() < trial.weights.len() {
        return;
    }
    let Ok(net) = Net::new(&model) else { return };
    let Ok(feeds) = trial.feeds() else { return };
    let feeds = borrowed(&feeds);
    let shapes: Vec<(&str, Shape)> = feeds.iter().map(|(name, value)| (*name, value.shape())).collect();
    match net.infer_shapes(&shapes) {
        Ok(shapes) if shapes.iter().all(|shape| shape.volume() < 1 << 20) => {
            let found = net.run(&feeds, &mut ()).unwrap_or_else(|error| panic!("{trial}: foretold, but {error}"));
            let (output, blob) = (found.get("out0").unwrap(), net.graph().blob("out0").unwrap());
            assert_eq!(output.shape(), shapes[blob.0], "{trial}");
        }
        // Shapes that depend on values.
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            let _ = net.run(&feeds, &mut ());
        }
        _ => {}
    }
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shapes: Vec<_> = self.inputs.iter().map(|input| &input.dims).collect();
        write!(f, "{} {} of {shapes:?}", self.kind, self.params)
    }
}

fn difference(found: &Array, expected: &Array, tolerance: f64) -> Option<String> {
    if found.dims != expected.dims {
        return Some(format!("found the shape {:?}, expected {:?}", found.dims, expected.dims));
    }
    let finite = |value: &&f64| value.is_finite();
    let largest = expected.values.iter().filter(finite).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let place = found.values.iter().zip(&expected.values).position(|(&a, &b)| {
        let same = a == b || (a.is_nan() && b.is_nan());
        // Below the smallest normal number f32 has no relative precision.
        !same && ((a - b).abs().is_nan() || (a - b).abs() > tolerance * largest + 1e-37)
    })?;
    let (a, b) = (found.values[place], expected.values[place]);
    Some(format!("element {place} of {:?} is {a}, expected {b} (largest {largest})", expected.dims))
}
