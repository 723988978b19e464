//! `cargo xtask ncnn-parity`: the same networks here and in the stock runtime.
//!
//! Six questions per network: are the inputs the same, the fp32 outputs, the outputs
//! of our int8 files, and the answers (top-1); does our calibration print
//! ncnn2table's table; does our conversion write ncnn2int8's bytes? Of ncnn's benchmark
//! networks, which have no weights, it asks only whether the fp32 outputs are the same. Of its Winograd
//! convolution it asks whether it is exact up to our bound on the weights, and not beyond. Before all
//! that, small int8 networks of one or a few layers are run with every instruction set.

mod closeness;
mod conversion;
mod int8_layers;
mod report;
mod tables;
mod tie;
pub(crate) mod zoo;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use fp32_ref::Tensor;
use int8_exec::Roundings;
use ncnn_format::{Error, Model, Result};
use quantizer::calibrate::{Method, calibrate};
use quantizer::{ConvertOptions, Labels, convert};

use crate::batch::{Batch, BlobValues, images, picture_job, picture_results, results};
use crate::models::{Home, ModelSpec, fixtures, shared};
use crate::python::{Python, target_folder};
use closeness::{correct, top1, worst};
use conversion::Golden;
use report::{Check, Report};

/// Largest relative error of an output.
const LIMIT: f32 = 1e-4;
/// Calibration images for networks outside the repository without a golden table:
/// their int8 files must be equal in both runtimes, not good.
const QUICK_CALIBRATION: usize = 20;

/// Pictures per network whose way to the input is compared.
const PICTURES: usize = 10;

/// Options of `ncnn-parity`.
#[derive(Debug, Args)]
pub(crate) struct ParityArgs {
    /// Only this network (repeatable), `zoo` for all benchmark networks or `int8-layers` for
    /// single int8 layers; default: these, all fixtures and, if present, the folder of networks
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// At most this many test images per network
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    images: usize,
}

/// Compares everything, prints a line per comparison and writes the report.
///
/// # Errors
/// `Invalid` when a comparison missed; otherwise those of getting Python or of
/// running a network.
pub(crate) fn run(args: &ParityArgs) -> Result<()> {
    let zoo = zoo::entries()?;
    let (models, entries) = chosen(&args.model, zoo.as_deref().unwrap_or_default())?;
    let python = Python::with_ncnn()?;
    let folder = target_folder().join("ncnn-parity");
    let mut report = Report { ncnn_version: python.ncnn_version.clone(), ..Report::default() };
    println!("ncnn {}, {} networks", report.ncnn_version, models.len() + entries.len());
    if args.model.is_empty() || args.model.iter().any(|name| name == int8_layers::NAME) {
        let started = Instant::now();
        int8_layers::compare(&python, &folder.join(int8_layers::NAME), &mut report)?;
        print!("{}", report.lines(0));
        println!("     {:<22} {:.1} s", int8_layers::NAME, started.elapsed().as_secs_f64());
    }
    for spec in models {
        let started = Instant::now();
        let from = report.checks.len();
        let folder = folder.join(spec.name);
        fs::create_dir_all(&folder).map_err(|error| Error::io("cannot create", &folder, error))?;
        let mut parity = Parity { spec, folder, report: &mut report };
        if let Err(error) = parity.run(&python, args.images) {
            // One network that cannot be run must not hide the others.
            parity.check("run", error.to_string(), "no error", false);
        }
        print!("{}", report.lines(from));
        println!("     {:<22} {:.1} s", spec.name, started.elapsed().as_secs_f64());
    }
    for entry in entries {
        let started = Instant::now();
        report.checks.push(entry.compare(&python, &folder.join(&entry.name)));
        print!("{}", report.lines(report.checks.len() - 1));
        println!("     {:<22} {:.1} s", entry.name, started.elapsed().as_secs_f64());
    }
    if args.model.is_empty() {
        fs::create_dir_all(&folder).map_err(|error| Error::io("cannot create", &folder, error))?;
        print!("{}", python.script("winograd_bound.py", &[&folder])?);
    }
    if zoo.is_none() {
        println!("skipped the benchmark networks: the folder of networks (--networks) has no zoo");
    }
    report.save(&folder)?;
    for note in &report.notes {
        println!("note: {note}");
    }
    println!("wrote {}", folder.join("report.txt").display());
    match report.misses() {
        0 => Ok(()),
        misses => Err(Error::invalid(format!("{misses} of {} comparisons missed", report.checks.len()))),
    }
}

/// The networks called `names`, or all; `zoo` stands for all of its entries.
fn chosen<'a>(names: &[String], zoo: &'a [zoo::Entry]) -> Result<(Vec<&'static ModelSpec>, Vec<&'a zoo::Entry>)> {
    let all: Vec<_> = fixtures().iter().chain(shared()).collect();
    let known = || {
        let networks = all.iter().map(|spec| spec.name).chain(zoo.iter().map(|entry| entry.name.as_str()));
        networks.chain([int8_layers::NAME])
    };
    if let Some(unknown) = names.iter().find(|name| *name != "zoo" && known().all(|other| other != **name)) {
        let known: Vec<_> = known().collect();
        return Err(Error::invalid(format!("no network is called {unknown}; there are {}", known.join(", "))));
    }
    let asked = |name: &str| names.is_empty() || names.iter().any(|asked| asked == name);
    let entries = zoo.iter().filter(|entry| asked(&entry.name) || asked("zoo")).collect();
    Ok((all.into_iter().filter(|spec| asked(spec.name)).collect(), entries))
}

/// A quantized network.
struct Quantized {
    /// How the report calls it.
    tag: &'static str,
    model: Model,
    /// The `.param` and the `.bin`.
    files: (PathBuf, PathBuf),
}

impl Quantized {
    /// Reads what was written.
    fn load(tag: &'static str, files: (PathBuf, PathBuf)) -> Result<Self> {
        Ok(Self { tag, model: Model::load(&files.0, &files.1)?, files })
    }
}

/// One network's comparisons.
struct Parity<'a> {
    spec: &'static ModelSpec,
    /// Where its files go.
    folder: PathBuf,
    report: &'a mut Report,
}

impl Parity<'_> {
    fn run(&mut self, python: &Python, at_most: usize) -> Result<()> {
        let spec = self.spec;
        let files = (spec.path(spec.param), spec.path(spec.bin));
        let model = Model::load(&files.0, &files.1)?;
        if let Some(prefix) = spec.golden {
            self.goldens(&model, &Golden::new(&spec.path(prefix)))?;
        }
        let mut quantized = vec![self.quantize(&model)?];
        if spec.golden.is_some() {
            quantized.push(Quantized::load("int8 kl", conversion::files(&self.folder))?);
        }
        let batch = Batch::load(&images(spec, spec.images_test, at_most)?)?;
        let pictures = picture_job(spec, &images(spec, spec.images_test, at_most.min(PICTURES))?, &self.folder)?;
        let fp32_job = batch.job(spec, files, "fp32", &self.folder)?;
        let mut jobs = vec![pictures.describe(), fp32_job.describe()];
        let mut int8_jobs = Vec::new();
        for net in &quantized {
            let job = batch.job(spec, net.files.clone(), net.tag, &self.folder)?;
            let mut fast = batch.job(spec, net.files.clone(), &format!("{} fast", net.tag), &self.folder)?;
            fast.fast = true;
            jobs.extend([job.describe(), fast.describe()]);
            int8_jobs.push([job, fast]);
        }
        python.run(&jobs, &self.folder.join("jobs.json"))?;
        self.inputs(&batch.inputs, &picture_results(&pictures)?);
        let labels = spec.labels.map(|labels| Labels::load(spec.path(labels))).transpose()?;
        let ours = batch.run_fp32(spec, &model)?;
        let theirs = results(&fp32_job)?;
        self.outputs("fp32", &batch, &ours, &theirs, 0)?;
        self.answers("fp32 top-1", &batch, labels.as_ref(), [&ours, &theirs]);
        for (net, [job, fast]) in quantized.iter().zip(&int8_jobs) {
            let (theirs, tag) = (results(job)?, net.tag);
            let x86 = batch.run_int8(spec, &net.model, Roundings::NcnnX86)?;
            self.outputs(tag, &batch, &x86, &theirs, self.tolerated_ties(&batch))?;
            self.answers(&format!("{tag} top-1, x86 order"), &batch, labels.as_ref(), [&x86, &theirs]);
            let plain = batch.run_int8(spec, &net.model, Roundings::Reference)?;
            self.note_reference_order(&batch, &plain, &theirs)?;
            if labels.is_some() {
                self.note_answers(tag, &plain, &theirs, &results(fast)?);
            }
        }
        Ok(())
    }

    /// How many samples may differ because one value fell on the other side of a
    /// rounding tie: none of the repository's own networks. The shared ones have
    /// average pooling, which ncnn sums in another order.
    fn tolerated_ties(&self, batch: &Batch) -> usize {
        if self.spec.home == Home::Fixtures { 0 } else { batch.names.len() / 20 }
    }

    /// What the order of ncnn's plain layers gives instead of that of its x86 kernels.
    fn note_reference_order(&mut self, batch: &Batch, plain: &[BlobValues], theirs: &[BlobValues]) -> Result<()> {
        for (ours, theirs) in plain.iter().zip(theirs) {
            let error = worst(ours, theirs, LIMIT)?;
            if error.above > 0 {
                self.report.notes.push(format!(
                    "{}: int8 {} rounded in ncnn's reference order: {} of {} images above {LIMIT:.0e}, up to {:.1e}",
                    self.spec.name,
                    ours.blob,
                    error.above,
                    batch.names.len(),
                    error.relative
                ));
            }
        }
        Ok(())
    }

    /// Calibrates by the default method and converts; returns what was written, read back.
    fn quantize(&self, model: &Model) -> Result<Quantized> {
        let quick = self.spec.home == Home::Shared;
        let at_most = if quick { QUICK_CALIBRATION } else { usize::MAX };
        let dataset = images(self.spec, self.spec.images_calib, at_most)?;
        let table = calibrate(model, &dataset, Method::default(), &())?.table();
        let files = (self.folder.join("int8.param"), self.folder.join("int8.bin"));
        convert(model, &table, ConvertOptions::default())?.model.save(&files.0, &files.1)?;
        Quantized::load("int8", files)
    }

    /// The scale table and the conversion against ncnn's tools.
    fn goldens(&mut self, model: &Model, golden: &Golden) -> Result<()> {
        let dataset = images(self.spec, self.spec.images_calib, usize::MAX)?;
        let calibration = calibrate(model, &dataset, Method::NcnnKl, &())?;
        let tables::TableDifference { layers, weights, first, same_bin, near, ties, far } =
            tables::compare(&calibration, &golden.table()?, self.spec.input)?;
        let same = |different: &[String]| match different {
            [] => "as printed".to_owned(),
            layers => format!("differ in {}", layers.join(", ")),
        };
        self.check(
            "table: weight scales",
            same(&weights),
            &format!("as printed in {layers} layers"),
            weights.is_empty(),
        );
        self.check("table: first input scale", same(&first), "as printed", first.is_empty());
        let printed = layers - first.len() - same_bin.len() - near.len() - ties.len() - far.len();
        self.check(
            "table: thresholds",
            format!(
                "{printed} as printed, {} same bin, {} near, {} tie, {} far",
                same_bin.len(),
                near.len(),
                ties.len(),
                far.len()
            ),
            "within 2 bins, or a tie",
            far.is_empty(),
        );
        let name = self.spec.name;
        for (layer, bins) in near.iter().chain(&far) {
            self.report.notes.push(format!("{name}: the threshold of {layer} is {bins} bins from ncnn2table's"));
        }
        for (layer, bins) in &ties {
            self.report.notes.push(format!(
                "{name}: the threshold of {layer} is {bins} bins from ncnn2table's; the divergence is the same within 0.1 % at both"
            ));
        }
        let difference = golden.difference(model, &self.folder)?;
        let ok = difference.is_none();
        let found = difference.unwrap_or_else(|| "equal bytes".to_owned());
        self.check("conversion", found, "bytes of ncnn2int8", ok);
        Ok(())
    }

    /// Resizing, channel order, mean and norm, on the same decoded pictures.
    fn inputs(&mut self, ours: &[Tensor], theirs: &[Tensor]) {
        let different = ours.iter().zip(theirs).filter(|(a, b)| a.as_slice() != b.as_slice()).count();
        let found = format!("{different} of {} pictures differ", theirs.len());
        self.check("input", found, "the same bits", different == 0);
    }

    /// Every output blob.
    fn outputs(
        &mut self,
        tag: &str,
        batch: &Batch,
        ours: &[BlobValues],
        theirs: &[BlobValues],
        tolerated: usize,
    ) -> Result<()> {
        for (a, b) in ours.iter().zip(theirs) {
            let error = worst(a, b, LIMIT)?;
            let found = match error.above {
                0 => format!("{:.1e} in {} images", error.relative, batch.names.len()),
                above => format!(
                    "{:.1e} at {}, {above} of {} above",
                    error.relative,
                    batch.names[error.sample],
                    batch.names.len()
                ),
            };
            let wanted = match tolerated {
                0 => format!("{LIMIT:.0e} relative"),
                ties => format!("{LIMIT:.0e} relative but for {ties} ties"),
            };
            self.check(&format!("{tag} {}", a.blob), found, &wanted, error.above <= tolerated);
        }
        Ok(())
    }

    /// The classes with the largest scores, ours and theirs, of networks that classify.
    fn answers(&mut self, what: &str, batch: &Batch, labels: Option<&Labels>, blobs: [&[BlobValues]; 2]) {
        let (Some(labels), [[ours, ..], [theirs, ..]]) = (labels, blobs) else { return };
        let (ours, theirs) = (top1(ours), top1(theirs));
        let same = ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
        let count = |answers| correct(answers, &batch.names, labels);
        let images = batch.names.len();
        let found = format!("same on {same} of {images}; {} right here, {} there", count(&ours), count(&theirs));
        self.check(what, found, "the same answers", same == images);
    }

    /// How often the answer is the same in the plain order, and with ncnn's default options. ncnn does
    /// not always agree with itself, so that neither can be asked of us.
    fn note_answers(&mut self, tag: &str, plain: &[BlobValues], theirs: &[BlobValues], fast: &[BlobValues]) {
        let ([plain, ..], [theirs, ..], [fast, ..]) = (plain, theirs, fast) else { return };
        let (plain, theirs, fast) = (top1(plain), top1(theirs), top1(fast));
        let same = |a: &[_], b: &[_]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        self.report.notes.push(format!(
            "{}: {tag} top-1 of {} images, rounded in ncnn's reference order: the same as ncnn's on {}, as with its \
             default options on {}; ncnn with and without them agrees on {}",
            self.spec.name,
            plain.len(),
            same(&plain, &theirs),
            same(&plain, &fast),
            same(&theirs, &fast)
        ));
    }

    fn check(&mut self, what: &str, found: String, wanted: &str, ok: bool) {
        let check =
            Check { model: self.spec.name.to_owned(), what: what.to_owned(), found, wanted: wanted.to_owned(), ok };
        self.report.checks.push(check);
    }
}
