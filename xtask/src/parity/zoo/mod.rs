//! ncnn's benchmark networks with random weights, here and in the stock runtime.

mod evidence;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use fp32_ref::{BlobId, Graph, Net, Shape, Tensor, Watch};
use ncnn_format::{Error, LayerKind, Model, Result};
use quantizer::{InputOptions, Preprocess, Samples, write_npy};

use self::evidence::LIMIT;
use super::report::Check;
use crate::batch::results;
use crate::models::Home;
use crate::python::{NetworkJob, Python};

/// Networks with a larger one, and why.
const LOOSE: &[(&str, f32, &str)] = &[];
/// The same weights at every run.
const SEED: u64 = 20_260_526;

/// A network of the zoo.
pub(crate) struct Entry {
    /// `zoo/` and the file's name without its suffix.
    pub(crate) name: String,
    param: PathBuf,
    /// Width, height, channels of the input.
    shape: Option<[usize; 3]>,
}

/// The float networks beside the repository, in order of their names; `None` without a zoo.
///
/// # Errors
/// `Io` when the folder cannot be read.
pub(crate) fn entries() -> Result<Option<Vec<Entry>>> {
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

/// A blob to compare.
struct Compared {
    name: String,
    /// The type of the layer that makes it.
    kind: LayerKind,
}

/// What came out of comparing a blob.
struct Finding {
    blob: String,
    error: f32,
    /// Why agreement says nothing.
    emptiness: Option<&'static str>,
    /// Whether it need not say anything: a softmax over an axis of one value is 1
    /// everywhere, and what goes into it is compared as well.
    excused: bool,
}

impl Entry {
    /// Runs the network in both runtimes; files go to `folder`.
    pub(super) fn compare(&self, python: &Python, folder: &Path) -> Check {
        let (limit, why) =
            LOOSE.iter().find(|(name, ..)| *name == self.name).map_or((LIMIT, ""), |&(_, limit, why)| (limit, why));
        let (found, ok) = match self.findings(python, folder) {
            Ok(findings) => describe(&findings, limit),
            // One network that cannot be run must not hide the others.
            Err(error) => (error.to_string(), false),
        };
        let wanted = format!("{limit:.0e} relative{}{why}", if why.is_empty() { "" } else { ", " });
        Check { model: self.name.clone(), what: "fp32, random weights".to_owned(), found, wanted, ok }
    }

    /// The network with random weights, and the shape of each input.
    ///
    /// # Errors
    /// Those of reading and of preparing each layer.
    pub(crate) fn random_model(&self) -> Result<(Model, Vec<(String, Shape)>)> {
        let input = self.input()?;
        let mut model = Model::load_param(&self.param)?;
        weights::fill(&mut model, &input, SEED)?;
        let inputs = model.layers.iter().filter(|layer| layer.kind == LayerKind::Input);
        let shapes = inputs.flat_map(|layer| &layer.outputs).map(|blob| (blob.clone(), input.shape())).collect();
        Ok((model, shapes))
    }

    /// How every compared blob came out.
    fn findings(&self, python: &Python, folder: &Path) -> Result<Vec<Finding>> {
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
            .map(|(Compared { name, kind }, (ours, theirs))| {
                let theirs = theirs.values.first().ok_or_else(|| Error::invalid(format!("{name} has no values")))?;
                Ok(Finding {
                    blob: name.clone(),
                    error: evidence::error(name, ours, theirs, evidence::is_detection(kind))?,
                    emptiness: evidence::emptiness(theirs),
                    excused: *kind == LayerKind::Softmax,
                })
            })
            .collect()
    }

    /// A photo of the repository, fitted to the network's shape.
    fn input(&self) -> Result<Tensor> {
        let [width, height, channels] =
            self.shape.ok_or_else(|| Error::invalid("shapes.tsv does not say the shape of its input"))?;
        let preprocess = Preprocess::new(
            InputOptions::default()
                .with_mean([123.675, 116.28, 103.53])
                .with_norm([0.017_124_75, 0.017_507_0, 0.017_429_19])
                .with_pixel("RGB".parse()?)
                .with_size(width, height)
                .with_channels(channels),
        )?;
        let photos = Samples::from_path(Home::Fixtures.root().join("imagenet/photos"))?;
        preprocess.load(photos.as_slice().first().ok_or_else(|| Error::invalid("there are no photos"))?)
    }

    fn job(&self, compared: &[Compared], bin: &Path, input: &Tensor, folder: &Path) -> Result<NetworkJob> {
        let model = Model::load_param(&self.param)?;
        let input_file = folder.join("input.npy");
        let dims: Vec<usize> = std::iter::once(1).chain(input.shape().dims().iter().copied()).collect();
        write_npy(&input_file, &input.clone().reshaped(Shape::new(&dims)?)?)?;
        let inputs = model.layers.iter().filter(|layer| layer.kind == LayerKind::Input);
        let outputs = compared.iter().enumerate();
        Ok(NetworkJob {
            param: self.param.clone(),
            bin: bin.to_owned(),
            int8: false,
            fast: false,
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
    let mut watch = Watch::new(&wanted, |slot, value: &fp32_ref::Value| {
        kept[slot] = Some(value.to_tensor());
        Ok(())
    });
    net.run(&feeds, &mut watch)?;
    let compared = wanted.iter().map(|&blob| Compared {
        name: net.graph().blob_name(blob).to_owned(),
        kind: model.layers[net.graph().blobs()[blob.0].producer].kind.clone(),
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
fn describe(findings: &[Finding], limit: f32) -> (String, bool) {
    let empty = |excused| {
        let of = findings.iter().filter(move |finding| finding.excused == excused);
        of.filter_map(|finding| Some(format!("{} {}", finding.blob, finding.emptiness?))).next()
    };
    let Some(worst) = findings.iter().max_by(|a, b| a.error.total_cmp(&b.error)) else {
        return ("no evidence: there are no outputs".to_owned(), false);
    };
    if let Some(empty) = empty(false).or_else(|| empty(true).filter(|_| findings.iter().all(|one| one.excused))) {
        return (format!("no evidence: {empty}"), false);
    }
    let plural = if findings.len() == 1 { "blob" } else { "blobs" };
    let excused = empty(true).map(|empty| format!("; {empty}")).unwrap_or_default();
    let found = format!("{} {plural}, worst {:.1e} in {}{excused}", findings.len(), worst.error, worst.blob);
    (found, worst.error <= limit)
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

    fn finding(blob: &str, error: f32, emptiness: Option<&'static str>, excused: bool) -> Finding {
        Finding { blob: blob.to_owned(), error, emptiness, excused }
    }

    #[test]
    fn a_blob_without_evidence_fails_whatever_the_others_say() {
        let good = || finding("a", 1e-6, None, false);
        let findings = [good(), finding("b", 0.0, Some("is constant"), false)];
        assert_eq!(describe(&findings, LIMIT), ("no evidence: b is constant".to_owned(), false));
        assert_eq!(describe(&[good()], LIMIT), ("1 blob, worst 1.0e-6 in a".to_owned(), true));
        assert!(!describe(&[finding("a", 1e-3, None, false)], LIMIT).1);
        assert!(!describe(&[], LIMIT).1);
    }

    #[test]
    fn a_softmax_may_be_constant_if_what_goes_into_it_is_not() {
        let constant = || finding("prob", 0.0, Some("is constant"), true);
        let (found, ok) = describe(&[constant(), finding("logits", 1e-6, None, false)], LIMIT);
        assert_eq!((found.as_str(), ok), ("2 blobs, worst 1.0e-6 in logits; prob is constant", true));
        assert!(!describe(&[constant()], LIMIT).1);
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
