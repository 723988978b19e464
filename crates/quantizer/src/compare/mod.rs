//! Running the fp32 and the int8 network side by side.

mod comparison;
#[cfg(feature = "serde")]
mod record;
mod scores;

use fp32_ref::{BlobId, Graph, Net, Tensor, Workspace};
use int8_exec::{Int8Net, Value};
use ncnn_format::{Error, LayerKind, Model, Result};

pub use comparison::{BlobComparison, Comparison};
pub use scores::Scores;

use crate::dataset::Dataset;
use crate::labels::Labels;
use crate::metrics::{Cosine, Sqnr};
use crate::network::named;
use crate::progress::Progress;
use crate::setters::setters;
use crate::spread::spread;

/// What to compare.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CompareOptions<'a> {
    /// Classes of the samples, by file name.
    pub labels: Option<&'a Labels>,
    /// The output blob to rank; needed only when there are several outputs.
    pub output: Option<&'a str>,
}

impl<'a> CompareOptions<'a> {
    setters! {
        with_labels(labels: impl Into<Option<&'a Labels>>) "classes of the samples";
        with_output(output: impl Into<Option<&'a str>>) "the output blob to rank";
    }
}

/// Runs both networks on every sample of `dataset`.
///
/// Samples are spread over the current rayon pool; sums are merged in sample
/// order, so the result does not depend on the number of threads.
///
/// # Errors
/// `Invalid` when the networks do not have the same inputs and outputs or the
/// data set is empty; those of running either network, naming the sample.
pub fn compare(
    fp32: &Model,
    int8: &Model,
    dataset: &dyn Dataset,
    options: &CompareOptions<'_>,
    progress: &dyn Progress,
) -> Result<Comparison> {
    if dataset.is_empty() {
        return Err(Error::invalid("there are no samples to compare on"));
    }
    let (reference, quantized) = (Net::new(fp32)?, Int8Net::new(int8)?);
    let pairs = pairs(int8, reference.graph(), quantized.graph())?;
    let ranked = ranked_output(reference.graph(), options.output)?;
    check_labels(dataset, options.labels)?;
    let ranked = ranked.as_deref();
    let pair = Pair { reference: &reference, quantized: &quantized, pairs: &pairs, ranked, labels: options.labels };
    let states = spread(
        "comparing",
        dataset.len(),
        progress,
        || (Workspace::default(), Vec::new()),
        |(workspace, seen), index| {
            seen.push((index, pair.run(workspace, dataset, index)?));
            Ok(())
        },
    )?;
    let mut seen: Vec<(usize, Seen)> = states.into_iter().flat_map(|(_, seen)| seen).collect();
    seen.sort_by_key(|(index, _)| *index);
    let seen: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).collect();
    Ok(summarize(pairs, ranked.is_some(), &seen))
}

/// # Errors
/// `Invalid` when labels are given and a sample has none, before anything is run.
fn check_labels(dataset: &dyn Dataset, labels: Option<&Labels>) -> Result<()> {
    let Some(labels) = labels else { return Ok(()) };
    (0..dataset.len()).try_for_each(|index| scores::label_of(&dataset.name(index), labels).map(drop))
}

/// A blob that both networks have.
struct BlobPair {
    fp32: BlobId,
    int8: BlobId,
    layer: String,
    kind: LayerKind,
    blob: String,
    is_int8: bool,
}

/// What one sample showed.
struct Seen {
    errors: Vec<(Sqnr, Cosine)>,
    scores: Scores,
}

struct Pair<'a> {
    reference: &'a Net,
    quantized: &'a Int8Net,
    pairs: &'a [BlobPair],
    ranked: Option<&'a str>,
    labels: Option<&'a Labels>,
}

impl Pair<'_> {
    fn run(&self, workspace: &mut Workspace, dataset: &dyn Dataset, index: usize) -> Result<Seen> {
        let name = dataset.name(index);
        let feeds = named(self.reference.graph(), dataset.feeds(index)?)?;
        let mut expected: Vec<Option<Tensor>> = vec![None; self.pairs.len()];
        let mut watch = |blob: BlobId, value: &fp32_ref::Value| {
            if let Some(at) = self.pairs.iter().position(|pair| pair.fp32 == blob) {
                expected[at] = Some(value.to_tensor());
            }
            Ok(())
        };
        let fp32 = self.reference.run_in(workspace, &feeds, &mut watch).map_err(|error| error.in_file(&name))?;
        let mut errors = vec![(Sqnr::default(), Cosine::default()); self.pairs.len()];
        let int8 = self
            .quantized
            .run(&feeds, &mut |blob: BlobId, value: &Value| {
                let at = self.pairs.iter().position(|pair| pair.int8 == blob);
                if let Some((at, expected)) = at.and_then(|at| Some((at, expected[at].take()?))) {
                    let (sqnr, cosine) = &mut errors[at];
                    add_error(sqnr, cosine, &expected, value).map_err(|error| error.in_layer(&self.pairs[at].layer))?;
                }
                Ok(())
            })
            .map_err(|error| error.in_file(&name))?;
        let mut scores = Scores::default();
        if let Some((fp32, int8)) = self.ranked.and_then(|output| Some((fp32.get(output)?, int8.get(output)?))) {
            scores.add(&name, self.labels, fp32.as_slice(), int8.as_slice())?;
        }
        Ok(Seen { errors, scores })
    }
}

/// Adds the difference of one blob to its sums.
fn add_error(sqnr: &mut Sqnr, cosine: &mut Cosine, expected: &Tensor, found: &Value) -> Result<()> {
    let found = found.to_f32()?;
    sqnr.add(expected.as_slice(), found.as_slice())?;
    cosine.add(expected.as_slice(), found.as_slice())
}

/// The outputs of quantized layers and of the network, in the int8 model's order.
///
/// # Errors
/// `Invalid` when the two networks are not the same network.
fn pairs(model: &Model, fp32: &Graph, int8: &Graph) -> Result<Vec<BlobPair>> {
    check_same("inputs", (fp32, fp32.inputs()), (int8, int8.inputs()))?;
    check_same("outputs", (fp32, fp32.outputs()), (int8, int8.outputs()))?;
    let mut pairs = Vec::new();
    for (layer, node) in model.layers.iter().zip(int8.nodes()) {
        let is_int8 = layer.is_int8()?;
        for &blob in &node.outputs {
            if !is_int8 && !int8.outputs().contains(&blob) {
                continue;
            }
            let name = int8.blob_name(blob);
            let other = fp32.blob(name).map_err(|_| {
                Error::invalid(format!(
                    "the int8 model has a blob {name} that the fp32 model lacks; are they the same network?"
                ))
            })?;
            pairs.push(BlobPair {
                fp32: other,
                int8: blob,
                layer: layer.name.clone(),
                kind: layer.kind.clone(),
                blob: name.to_owned(),
                is_int8,
            });
        }
    }
    Ok(pairs)
}

/// # Errors
/// `Invalid` unless both networks have blobs of the same names there.
fn check_same(what: &str, fp32: (&Graph, &[BlobId]), int8: (&Graph, &[BlobId])) -> Result<()> {
    let names = |(graph, blobs): (&Graph, &[BlobId])| {
        let mut names: Vec<_> = blobs.iter().map(|&blob| graph.blob_name(blob).to_owned()).collect();
        names.sort();
        names
    };
    let (fp32, int8) = (names(fp32), names(int8));
    if fp32 == int8 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the {what} differ: {} in the fp32 model, {} in the int8 model; are they the same network?",
        fp32.join(", "),
        int8.join(", ")
    )))
}

/// The output whose largest value is the answer: the named one, or the only one.
fn ranked_output(graph: &Graph, named: Option<&str>) -> Result<Option<String>> {
    match named {
        Some(name) if graph.outputs().contains(&graph.blob(name)?) => Ok(Some(name.to_owned())),
        Some(name) => Err(Error::invalid(format!("the blob {name} is not an output of the network"))),
        None => match graph.outputs() {
            [only] => Ok(Some(graph.blob_name(*only).to_owned())),
            _ => Ok(None),
        },
    }
}

fn summarize(pairs: Vec<BlobPair>, is_ranked: bool, seen: &[Seen]) -> Comparison {
    let mut sums = vec![(Sqnr::default(), Cosine::default()); pairs.len()];
    let mut scores = Scores::default();
    for sample in seen {
        for (sum, error) in sums.iter_mut().zip(&sample.errors) {
            sum.0.merge(error.0);
            sum.1.merge(error.1);
        }
        scores.merge(sample.scores);
    }
    let blobs = pairs
        .into_iter()
        .zip(sums)
        .map(|(pair, (sqnr, cosine))| BlobComparison {
            layer: pair.layer,
            kind: pair.kind,
            blob: pair.blob,
            int8: pair.is_int8,
            sqnr_db: sqnr.db(),
            cosine: cosine.value(),
        })
        .collect();
    Comparison { samples: seen.len(), blobs, scores: is_ranked.then_some(scores) }
}
