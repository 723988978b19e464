//! In which order layers run, and how long blobs live.

use std::ops::Range;

use ncnn_format::{BlobId, Error, Graph, Layer, LayerKind, Result};

/// Some layers of a graph, which run in file order, and the blobs that cross their border.
///
/// A part is found once and run as often as one likes, for each sample or each change of a layer.
///
/// ```
/// use fp32_ref::{Graph, Part};
/// use ncnn_format::Model;
///
/// let model = Model::from_param_text(
///     "7767517\n4 4\nInput data 0 1 data\nReLU a 1 1 data a\nAbsVal b 1 1 a b\nReLU c 1 1 b c\n",
/// )?;
/// let graph = Graph::new(&model)?;
/// let part = Part::range(&graph, 2..4);
/// assert_eq!(part.inputs(), [graph.blob("a")?]);
/// assert_eq!(part.outputs(), [graph.blob("c")?]);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// By layer.
    roles: Vec<Role>,
    /// By blob: how many layers of the part read it, and one more if it is to stay.
    readers: Vec<usize>,
    inputs: Vec<BlobId>,
    outputs: Vec<BlobId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Not in the part.
    Outside,
    /// An `Input` layer in the part: its blobs are fed.
    Fed,
    Runs,
}

impl Part {
    /// All layers.
    pub fn whole(graph: &Graph) -> Self {
        Self::of(graph, |_| true)
    }

    /// The layers at these places of the file; what is beyond the last layer is left out.
    pub fn range(graph: &Graph, layers: Range<usize>) -> Self {
        Self::of(graph, |index| layers.contains(&index))
    }

    /// `layers` and all that depend on what they make, directly or not: those whose outputs change when one
    /// of `layers` is replaced.
    pub fn dependents(graph: &Graph, layers: &[usize]) -> Self {
        let mut is_changed = vec![false; graph.blobs().len()];
        let mut runs = vec![false; graph.nodes().len()];
        for (index, node) in graph.nodes().iter().enumerate() {
            runs[index] = layers.contains(&index) || node.inputs.iter().any(|blob| is_changed[blob.0]);
            node.outputs.iter().for_each(|blob| is_changed[blob.0] = runs[index]);
        }
        Self::of(graph, |index| runs[index])
    }

    fn of(graph: &Graph, is_inside: impl Fn(usize) -> bool) -> Self {
        let role = |index: usize| match graph.nodes()[index].outputs.first() {
            _ if !is_inside(index) => Role::Outside,
            Some(blob) if graph.inputs().contains(blob) => Role::Fed,
            _ => Role::Runs,
        };
        let roles: Vec<Role> = (0..graph.nodes().len()).map(role).collect();
        let mut part = Self { roles, readers: vec![0; graph.blobs().len()], inputs: Vec::new(), outputs: Vec::new() };
        for (index, blob) in graph.blobs().iter().enumerate() {
            let inside = blob.consumers.iter().filter(|&&layer| part.roles[layer] == Role::Runs).count();
            let maker = part.roles[blob.producer];
            if maker == Role::Fed || (maker == Role::Outside && inside > 0) {
                part.inputs.push(BlobId(index));
            }
            let is_read_outside = inside < blob.consumers.len() || graph.is_output(BlobId(index));
            let stays = maker != Role::Outside && is_read_outside;
            if stays {
                part.outputs.push(BlobId(index));
            }
            part.readers[index] = inside + usize::from(stays);
        }
        part
    }

    /// The blobs that must be known before the part can run.
    pub fn inputs(&self) -> &[BlobId] {
        &self.inputs
    }

    /// The blobs that running the part gives: those of its layers that other layers read or that are outputs
    /// of the network.
    pub fn outputs(&self) -> &[BlobId] {
        &self.outputs
    }

    /// Whether the layer at this place of the file is run.
    pub fn runs(&self, layer: usize) -> bool {
        self.roles.get(layer) == Some(&Role::Runs)
    }
}

/// Runs `step` for every layer of `part` in order, except `Input` layers: the one schedule of both executors.
///
/// `known` has the values of [`Part::inputs`]; others are not looked at.
/// `step` takes a layer's index and its inputs and returns its outputs. `observe` sees every blob that the part
/// makes or is fed, as soon as it exists. A value is moved to its last reader, so that reader may overwrite it.
/// Returns the values of [`Part::outputs`], in their order.
///
/// # Errors
/// Those of `step` and of `observe`, at once, those of `step` with the layer's name added; `Invalid` when a value
/// is missing; `Malformed` when a layer makes another number of blobs than the file names.
pub fn execute<V: Clone>(
    graph: &Graph,
    part: &Part,
    known: impl IntoIterator<Item = (BlobId, V)>,
    mut step: impl FnMut(usize, Vec<V>) -> Result<Vec<V>>,
    mut observe: impl FnMut(BlobId, &V) -> Result<()>,
) -> Result<Vec<(BlobId, V)>> {
    let mut values: Vec<Option<V>> = vec![None; graph.blobs().len()];
    for (blob, value) in known {
        values[blob.0] = Some(value);
    }
    check_known(graph, part, |blob| values[blob.0].is_some())?;
    let mut readers_left = part.readers.clone();
    for (index, node) in graph.nodes().iter().enumerate() {
        match part.roles[index] {
            Role::Outside => continue,
            Role::Fed => {
                for &blob in &node.outputs {
                    values[blob.0].as_ref().map_or(Ok(()), |value| observe(blob, value))?;
                }
                continue;
            }
            Role::Runs => {}
        }
        let mut inputs = Vec::with_capacity(node.inputs.len());
        for &blob in &node.inputs {
            readers_left[blob.0] -= 1;
            let value = if readers_left[blob.0] == 0 { values[blob.0].take() } else { values[blob.0].clone() };
            inputs.extend(value);
        }
        let outputs = step(index, inputs).map_err(|error| error.in_layer(graph.layer_name(index)))?;
        if outputs.len() != node.outputs.len() {
            return Err(Error::malformed(format!(
                "makes {} blobs, the file names {}",
                outputs.len(),
                node.outputs.len()
            ))
            .in_layer(graph.layer_name(index)));
        }
        for (&blob, value) in node.outputs.iter().zip(outputs) {
            observe(blob, &value)?;
            values[blob.0] = Some(value);
        }
    }
    Ok(part.outputs.iter().filter_map(|&blob| values[blob.0].take().map(|value| (blob, value))).collect())
}

/// # Errors
/// `Invalid` unless all of [`Part::inputs`] are known.
pub(crate) fn check_known(graph: &Graph, part: &Part, is_known: impl Fn(BlobId) -> bool) -> Result<()> {
    let Some(&missing) = part.inputs.iter().find(|blob| !is_known(**blob)) else { return Ok(()) };
    let what = if graph.inputs().contains(&missing) { "input" } else { "blob" };
    let whole = if graph.inputs() == part.inputs { "network" } else { "part of the network" };
    let (name, needed) = (graph.blob_name(missing), graph.list(&part.inputs));
    Err(Error::invalid(format!("no value for the {what} {name}; the {whole} needs {needed}")))
}

/// # Errors
/// `Invalid` unless `layer` can stand at the place `index`: it reads and makes the blobs of the layer there, and
/// neither is an `Input` layer.
pub fn check_replacement(graph: &Graph, index: usize, layer: &Layer) -> Result<()> {
    let Some(node) = graph.nodes().get(index) else {
        return Err(Error::invalid(format!("there is no layer {index}, the network has {}", graph.nodes().len())));
    };
    let wrong = |message: String| Err(Error::invalid(message).in_layer(&layer.name));
    if layer.kind == LayerKind::Input || node.outputs.iter().any(|blob| graph.inputs().contains(blob)) {
        return wrong("an Input layer cannot be replaced or take the place of another".to_owned());
    }
    for (what, found, expected) in [("reads", &layer.inputs, &node.inputs), ("makes", &layer.outputs, &node.outputs)] {
        if !found.iter().map(String::as_str).eq(expected.iter().map(|&blob| graph.blob_name(blob))) {
            let (found, expected) = (found.join(", "), graph.list(expected));
            return wrong(format!("{what} {found}, the layer that it replaces {what} {expected}"));
        }
    }
    Ok(())
}

/// `inputs` by blob, checked to be inputs of the network, each given once.
///
/// # Errors
/// `Invalid` for a name that is no input, or is given twice.
pub fn feeds<'a, T>(graph: &Graph, inputs: impl IntoIterator<Item = (&'a str, T)>) -> Result<Vec<(BlobId, T)>> {
    let mut feeds: Vec<(BlobId, T)> = Vec::new();
    for (name, value) in inputs {
        let blob = graph.blob(name)?;
        if !graph.inputs().contains(&blob) {
            let inputs = graph.list(graph.inputs());
            let message = format!("the blob {name} is not an input; the inputs are {inputs}");
            return Err(Error::invalid(message));
        }
        if feeds.iter().any(|(fed, _)| *fed == blob) {
            return Err(Error::invalid(format!("the input {name} was given twice")));
        }
        feeds.push((blob, value));
    }
    Ok(feeds)
}
