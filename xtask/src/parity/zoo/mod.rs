//! ncnn's benchmark networks with random weights, here and in the stock runtime.

mod evidence;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use fp32_ref::{BlobId, Graph, Net, Tensor};
use ncnn_format::{Error, LayerKind, Model, Result};
use quantizer::{InputOptions, Preprocess, Samples, write_npy};

use super::report::Check;
use crate::batch::results;
use crate::models::Home;
use crate::python::{NetworkJob, Python};

/// Largest relative error of a blob.
const LIMIT: f32 = 1e-4;
/// Networks with a larger one, and why.
const LOOSE: &[(&str, f32, &str)] = &[];
/// The same weights at every run.
const SEED: u64 = 20_260_526;

/// A network of the zoo.
pub(super) struct Entry {
    /// `zoo/` and the file's name without its suffix.
    pub(super) name: String,
    param: PathBuf,
    /// Width, height, channels of the input.
    shape: Option<[usize; 3]>,
}

/// The float networks beside the repository, in order of their names; `None` without a zoo.
///
/// # Errors
/// `Io` when the folder cannot be read.
pub(super) fn entries() -> Result<Option<Vec<Entry>>> {
    let folder = Home::Shared.root().join("zoo");
    let table = folder.join("shapes.tsv");
    if !table.is_file() {
        return Ok(None);
    }
    let shapes = fs::read_to_string(&table).map_err(|error| Error::io("cannot read", &table, error))?;
    let files = fs::read_dir(&folder).map_err(|error| Error::io("cannot read", &folder, error))?;
    let mut entries: Vec<Entry> = files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "param"))
        .filter_map(|param| {
            let stem = param.file_stem()?.to_str()?;
            let shape = shape_of(&shapes, stem);
            (!stem.ends_with("_int8")).then(|| Entry { name: format!("zoo/{stem}"), param: param.clone(), shape })
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(entries))
}

/// The row `name w,h,c` of `table`.
fn shape_of(table: &str, name: &str) -> Option<[usize; 3]> {
    let row = table.lines().find_map(|line| line.split_once('\t').filter(|(first, _)| *first == name))?.1;
    let sizes: Vec<usize> = row.split(',').map(|size| size.trim().parse().ok()).collect::<Option<_>>()?;
    sizes.try_into().ok()
}

/// A blob and what is known about it.
struct Compared {
    name: String,
    detections: bool,
}

impl Entry {
    /// Runs the network in both runtimes; files go to `folder`.
    pub(super) fn compare(&self, python: &Python, folder: &Path) -> Check {
        let (limit, why) =
            LOOSE.iter().find(|(name, ..)| *name == self.name).map_or((LIMIT, ""), |&(_, limit, why)| (limit, why));
        let (found, ok) = match self.errors(python, folder) {
            Ok(errors) => describe(&errors, limit),
            // One network that cannot be run must not hide the others.
            Err(error) => (error.to_string(), false),
        };
        let wanted = format!("{limit:.0e} relative{}{why}", if why.is_empty() { "" } else { ", " });
        Check { model: self.name.clone(), what: "fp32, random weights".to_owned(), found, wanted, ok }
    }

    /// The error of every compared blob, or why it is no evidence.
    fn errors(&self, python: &Python, folder: &Path) -> Result<Vec<(String, std::result::Result<f32, &'static str>)>> {
        fs::create_dir_all(folder).map_err(|error| Error::io("cannot create", folder, error))?;
        let input = self.input()?;
        let mut model = Model::load_param(&self.param)?;
        weights::fill(&mut model, &input, SEED)?;
        let bin = folder.join("random.bin");
        model.save(folder.join("random.param"), &bin)?;
        let (compared, ours) = run(&model, &input)?;
        drop(model);
        let job = self.job(&compared, &bin, &input, folder)?;
        let done = python.run(&[job.describe()], &folder.join("jobs.json"));
        // Half a gigabyte for the largest.
        fs::remove_file(&bin).map_err(|error| Error::io("cannot remove", &bin, error))?;
        done?;
        let theirs = results(&job)?;
        compared
            .iter()
            .zip(ours.iter().zip(&theirs))
            .map(|(Compared { name, detections }, (ours, theirs))| {
                let theirs = theirs.values.first().ok_or_else(|| Error::invalid(format!("{name} has no values")))?;
                let verdict = match evidence::emptiness(theirs) {
                    Some(reason) => Err(reason),
                    None => Ok(evidence::error(name, ours, theirs, *detections)?),
                };
                Ok((name.clone(), verdict))
            })
            .collect()
    }

    /// A photo of the repository, fitted to the network's shape.
    fn input(&self) -> Result<Tensor> {
        let [width, height, channels] =
            self.shape.ok_or_else(|| Error::invalid("shapes.tsv does not say the shape of its input"))?;
        let preprocess = Preprocess::new(InputOptions {
            mean: vec![123.675, 116.28, 103.53],
            norm: vec![0.017_124_75, 0.017_507_0, 0.017_429_19],
            pixel: "RGB".parse()?,
            width: Some(width),
            height: Some(height),
            channels: Some(channels),
        })?;
        let photos = Samples::from_path(Home::Fixtures.root().join("imagenet/photos"))?;
        preprocess.load(photos.as_slice().first().ok_or_else(|| Error::invalid("there are no photos"))?)
    }

    fn job(&self, compared: &[Compared], bin: &Path, input: &Tensor, folder: &Path) -> Result<NetworkJob> {
        let model = Model::load_param(&self.param)?;
        let input_file = folder.join("input.npy");
        let dims: Vec<usize> = std::iter::once(1).chain(input.shape().dims().iter().copied()).collect();
        write_npy(&input_file, &input.clone().reshaped(fp32_ref::Shape::new(&dims)?)?)?;
        let inputs = model.layers.iter().filter(|layer| layer.kind == LayerKind::Input);
        let outputs = compared.iter().enumerate();
        Ok(NetworkJob {
            param: self.param.clone(),
            bin: bin.to_owned(),
            int8: false,
            inputs: inputs.flat_map(|layer| &layer.outputs).map(|blob| (blob.clone(), input_file.clone())).collect(),
            outputs: outputs.map(|(index, blob)| (blob.name.clone(), folder.join(format!("{index}.npy")))).collect(),
        })
    }
}

/// What is compared of `model`, and our values of it.
fn run(model: &Model, input: &Tensor) -> Result<(Vec<Compared>, Vec<Tensor>)> {
    let net = Net::new(model)?;
    let wanted = wanted(net.graph(), model);
    let mut kept = vec![None; wanted.len()];
    let feeds: Vec<(&str, Tensor)> =
        net.graph().inputs().iter().map(|&blob| (net.graph().blob_name(blob), input.clone())).collect();
    net.run(&feeds, &mut |blob: BlobId, value: &Tensor| {
        if let Some(slot) = wanted.iter().position(|&id| id == blob) {
            kept[slot] = Some(value.clone());
        }
    })?;
    let compared = wanted.iter().map(|&blob| Compared {
        name: net.graph().blob_name(blob).to_owned(),
        detections: evidence::is_detection(&model.layers[net.graph().blobs()[blob.0].producer].kind),
    });
    let values = kept.into_iter().map(|value| value.ok_or_else(|| Error::invalid("an output was never made")));
    Ok((compared.collect(), values.collect::<Result<_>>()?))
}

/// The outputs, and what goes into a last layer that hides it: softmax flattens,
/// detection layers drop, Noop passes its first input alone.
fn wanted(graph: &Graph, model: &Model) -> Vec<BlobId> {
    let mut wanted = graph.outputs().to_vec();
    for &output in graph.outputs() {
        let producer = graph.blobs()[output.0].producer;
        let kind = &model.layers[producer].kind;
        if evidence::is_detection(kind) || matches!(kind, LayerKind::Softmax | LayerKind::Noop) {
            wanted.extend(graph.nodes()[producer].inputs.iter().filter(|input| !graph.outputs().contains(input)));
        }
    }
    wanted
}

/// One line about all blobs, and whether they agree.
fn describe(errors: &[(String, std::result::Result<f32, &'static str>)], limit: f32) -> (String, bool) {
    let empty = errors.iter().find_map(|(blob, error)| error.as_ref().err().map(|reason| format!("{blob} {reason}")));
    let worst = errors.iter().filter_map(|(blob, error)| Some((blob, error.as_ref().ok().copied()?))).fold(
        None,
        |worst: Option<(&String, f32)>, next| match worst {
            Some(worst) if worst.1 >= next.1 => Some(worst),
            _ => Some(next),
        },
    );
    match (empty, worst) {
        (Some(empty), _) => (format!("no evidence: {empty}"), false),
        (None, None) => ("no evidence: there are no outputs".to_owned(), false),
        (None, Some((blob, error))) => {
            let plural = if errors.len() == 1 { "blob" } else { "blobs" };
            (format!("{} {plural}, worst {error:.1e} in {blob}", errors.len()), error <= limit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_network_is_its_own_row() {
        let table = "resnet18\t224,224,3\nresnet18_int8\t1,2,3\n";
        assert_eq!(shape_of(table, "resnet18"), Some([224, 224, 3]));
        assert_eq!(shape_of(table, "resnet"), None);
    }

    #[test]
    fn a_blob_without_evidence_fails_whatever_the_others_say() {
        let errors = [("a".to_owned(), Ok(1e-6)), ("b".to_owned(), Err("is constant"))];
        assert_eq!(describe(&errors, LIMIT), ("no evidence: b is constant".to_owned(), false));
        assert_eq!(describe(&errors[..1], LIMIT), ("1 blob, worst 1.0e-6 in a".to_owned(), true));
        assert!(!describe(&[("a".to_owned(), Ok(1e-3))], LIMIT).1);
    }

    #[test]
    fn what_a_last_layer_hides_is_compared_as_well() {
        let text = "7767517\n3 3\nInput data 0 1 data\nReLU relu 1 1 data relu\nSoftmax prob 1 1 relu prob\n";
        let model = Model::from_param_text(text).unwrap();
        let graph = Graph::new(&model).unwrap();
        let names: Vec<_> = wanted(&graph, &model).iter().map(|&blob| graph.blob_name(blob)).collect();
        assert_eq!(names, ["prob", "relu"]);
    }
}
