//! Several samples through one network, ours and the stock one.

use std::path::{Path, PathBuf};

use fp32_ref::{BlobId, Net, Tensor, Watch};
use int8_exec::{Int8Net, Options, Roundings, Value};
use ncnn_format::{Error, Model, Result};
use quantizer::{Dataset, FileDataset, InputOptions, Preprocess, Samples, decode_image, read_npy, write_npy};
use rayon::prelude::*;

use crate::models::ModelSpec;
use crate::python::{NetworkJob, PictureJob};

/// The files of a folder, prepared as the network of `spec` wants them.
///
/// # Errors
/// Those of listing the folder, and a spec that contradicts itself.
pub(crate) fn images(spec: &ModelSpec, folder: &str, at_most: usize) -> Result<FileDataset> {
    let (width, height, channels) = spec.shape;
    let preprocess = Preprocess::new(
        InputOptions::default()
            .with_mean(spec.mean)
            .with_norm(spec.norm)
            .with_pixel(spec.pixel.parse()?)
            .with_size(width, height)
            .with_channels(channels),
    )?;
    Ok(FileDataset::new(Samples::from_path(spec.path(folder))?.truncated(at_most), preprocess))
}

/// Samples in memory, by name.
pub(crate) struct Batch {
    /// File names without folders.
    pub names: Vec<String>,
    /// The network's input, a tensor per sample.
    pub inputs: Vec<Tensor>,
}

/// The values of one blob, a tensor per sample.
pub(crate) struct BlobValues {
    /// The blob's name.
    pub blob: String,
    /// One tensor per sample.
    pub values: Vec<Tensor>,
}

impl Batch {
    /// Loads all samples of `dataset`.
    pub(crate) fn load(dataset: &FileDataset) -> Result<Self> {
        let load = |index: usize| Ok((file_name(&dataset.name(index)), dataset.load(index)?));
        let loaded = (0..dataset.len()).into_par_iter().map(load).collect::<Result<Vec<_>>>()?;
        let (names, inputs) = loaded.into_iter().unzip();
        Ok(Self { names, inputs })
    }

    /// Runs our fp32 executor and keeps the output blobs of `spec`.
    pub(crate) fn run_fp32(&self, spec: &ModelSpec, model: &Model) -> Result<Vec<BlobValues>> {
        let net = Net::new(model)?;
        let wanted = wanted(spec, |name| net.graph().blob(name))?;
        self.gather(spec, |input| {
            let mut kept = vec![None; wanted.len()];
            let mut watch = Watch::new(&wanted, |slot, value: &fp32_ref::Value| {
                kept[slot] = Some(value.to_tensor());
                Ok(())
            });
            net.run(&[(spec.input, input)], &mut watch)?;
            Ok(kept)
        })
    }

    /// Runs our int8 executor and keeps the output blobs of `spec`.
    pub(crate) fn run_int8(&self, spec: &ModelSpec, model: &Model, roundings: Roundings) -> Result<Vec<BlobValues>> {
        let net = Int8Net::with_options(model, Options::default().with_roundings(roundings))?;
        let wanted = wanted(spec, |name| net.graph().blob(name))?;
        self.gather(spec, |input| {
            let mut kept = vec![None; wanted.len()];
            let mut watch = Watch::new(&wanted, |slot, value: &Value| {
                kept[slot] = Some(value.to_f32()?);
                Ok(())
            });
            net.run(&[(spec.input, input)], &mut watch)?;
            Ok(kept)
        })
    }

    /// A job for the stock runtime; its files go to `folder`, named with `tag`, which says by starting
    /// with `int8` that the network is quantized.
    pub(crate) fn job(
        &self,
        spec: &ModelSpec,
        (param, bin): (PathBuf, PathBuf),
        tag: &str,
        folder: &Path,
    ) -> Result<NetworkJob> {
        let input = folder.join("input.npy");
        write_npy(&input, &stack(&self.inputs)?)?;
        let output = |(index, &blob): (usize, &&str)| (blob.to_owned(), folder.join(format!("{tag}.{index}.npy")));
        Ok(NetworkJob {
            param,
            bin,
            int8: tag.starts_with("int8"),
            fast: false,
            inputs: vec![(spec.input.to_owned(), input)],
            outputs: spec.outputs.iter().enumerate().map(output).collect(),
        })
    }

    /// Runs `run` on every sample and turns samples × blobs into blobs × samples.
    fn gather(
        &self,
        spec: &ModelSpec,
        run: impl Fn(Tensor) -> Result<Vec<Option<Tensor>>> + Sync,
    ) -> Result<Vec<BlobValues>> {
        let runs = self.inputs.par_iter().map(|input| run(input.clone())).collect::<Result<Vec<_>>>()?;
        let mut blobs: Vec<_> = spec
            .outputs
            .iter()
            .map(|&blob| BlobValues { blob: blob.to_owned(), values: Vec::with_capacity(runs.len()) })
            .collect();
        for values in runs {
            for (blob, value) in blobs.iter_mut().zip(values) {
                let missing = || Error::invalid(format!("the blob {} was never made", blob.blob));
                blob.values.push(value.ok_or_else(missing)?);
            }
        }
        Ok(blobs)
    }
}

/// A job that turns the files of `dataset` into inputs by ncnn's code; the decoded
/// pictures and the result go to `folder`.
///
/// # Errors
/// Those of decoding and of writing.
pub(crate) fn picture_job(spec: &'static ModelSpec, dataset: &FileDataset, folder: &Path) -> Result<PictureJob> {
    let mut pictures = Vec::with_capacity(dataset.len());
    for (index, file) in dataset.samples().iter().enumerate() {
        let image = decode_image(file)?;
        let values = image.pixels().iter().map(|&byte| f32::from(byte)).collect();
        let picture = folder.join(format!("picture.{index}.npy"));
        write_npy(&picture, &Tensor::new([image.height(), image.width(), 3], values)?)?;
        pictures.push(picture);
    }
    Ok(PictureJob { spec, pictures, tensors: folder.join("tensors.npy") })
}

/// The inputs that ncnn's code made of the pictures of `job`.
///
/// # Errors
/// Those of reading the array.
pub(crate) fn picture_results(job: &PictureJob) -> Result<Vec<Tensor>> {
    unstack(&read_npy(&job.tensors)?)
}

/// What the stock runtime wrote for `job`.
///
/// # Errors
/// Those of reading the arrays.
pub(crate) fn results(job: &NetworkJob) -> Result<Vec<BlobValues>> {
    job.outputs
        .iter()
        .map(|(blob, path)| Ok(BlobValues { blob: blob.clone(), values: unstack(&read_npy(path)?)? }))
        .collect()
}

fn wanted(spec: &ModelSpec, find: impl Fn(&str) -> Result<BlobId>) -> Result<Vec<BlobId>> {
    spec.outputs.iter().map(|name| find(name)).collect()
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Tensors of one shape as one tensor, first axis: sample.
fn stack(tensors: &[Tensor]) -> Result<Tensor> {
    let first = tensors.first().ok_or_else(|| Error::invalid("there are no samples to run"))?.shape();
    if let Some(other) = tensors.iter().find(|tensor| tensor.shape() != first) {
        return Err(Error::invalid(format!("samples have different shapes, {first} and {}", other.shape())));
    }
    let dims: Vec<usize> = std::iter::once(tensors.len()).chain(first.dims().iter().copied()).collect();
    Tensor::new(dims, tensors.iter().flat_map(Tensor::as_slice).copied().collect())
}

/// The inverse of [`stack`].
fn unstack(tensor: &Tensor) -> Result<Vec<Tensor>> {
    let shape = tensor.shape();
    let dims = match shape.dims() {
        [_, rest @ ..] if !rest.is_empty() => rest,
        _ => return Err(Error::invalid(format!("expected an array of samples, found the shape {shape}"))),
    };
    let volume = dims.iter().product::<usize>().max(1);
    tensor.as_slice().chunks(volume).map(|values| Tensor::new(dims, values.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stacked_comes_apart_again() {
        let samples: Vec<_> = (0..3).map(|i| Tensor::new([2, 2], vec![i as f32, 1.0, 2.0, 3.0]).unwrap()).collect();
        let stacked = stack(&samples).unwrap();
        assert_eq!(stacked.shape().dims(), [3, 2, 2]);
        assert_eq!(unstack(&stacked).unwrap(), samples);
    }

    #[test]
    fn samples_of_different_shapes_are_refused() {
        let samples = [Tensor::new([2], vec![0.0; 2]).unwrap(), Tensor::new([3], vec![0.0; 3]).unwrap()];
        assert!(stack(&samples).unwrap_err().to_string().contains("2 and 3"));
    }
}
