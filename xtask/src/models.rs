//! The networks that the chores work on, with the input each of them expects.
//!
//! One table for everybody: `calibrate`, `golden` and `ncnn-parity` read it. The
//! numbers come from whoever trained the network; `fixtures/README.md` says who.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A network, its images, and how an image becomes its input.
///
/// All paths are relative to the [`Home`]; use [`ModelSpec::path`] to resolve them.
#[derive(Debug)]
pub(crate) struct ModelSpec {
    /// Short name, unique in the table.
    pub name: &'static str,
    /// Where the paths start.
    pub home: Home,
    /// The `.param` file.
    pub param: &'static str,
    /// The `.bin` file.
    pub bin: &'static str,
    /// Folder of images for calibration.
    pub images_calib: &'static str,
    /// Folder of images for scoring and comparing.
    pub images_test: &'static str,
    /// TSV of `file`, `class` and perhaps accepted alternates for `images_test`;
    /// `None` where the network does not classify.
    pub labels: Option<&'static str>,
    /// Subtracted per channel, in the order of `pixel`.
    pub mean: &'static [f32],
    /// Multiplied per channel after the subtraction.
    pub norm: &'static [f32],
    /// Order of the input's channels as the command line spells it.
    pub pixel: &'static str,
    /// Width, height, channels of the input.
    pub shape: (usize, usize, usize),
    /// The input blob.
    pub input: &'static str,
    /// The output blobs, the one to classify by first.
    pub outputs: &'static [&'static str],
    /// Prefix of ncnn2table's and ncnn2int8's files for this network
    /// (`<prefix>.kl.table`, `<prefix>.kl.int8.bin`, …), where they were made.
    pub golden: Option<&'static str>,
}

/// Where a network's files live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// `fixtures/` of this repository.
    Fixtures,
    /// The folder of further networks; it may be absent.
    Shared,
}

/// The folder of further networks, if it is not the usual one.
static NETWORKS: OnceLock<PathBuf> = OnceLock::new();

/// Takes further networks from `folder`.
pub(crate) fn take_networks_from(folder: PathBuf) {
    // Set once, before any network is looked for.
    let _ = NETWORKS.set(folder);
}

impl Home {
    /// The folder that paths are relative to.
    pub(crate) fn root(self) -> PathBuf {
        match self {
            Self::Fixtures => repository().join("fixtures"),
            Self::Shared => NETWORKS.get().cloned().unwrap_or_else(|| repository().join("..").join("shared")),
        }
    }
}

impl ModelSpec {
    /// `relative` as a path that can be opened.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.home.root().join(relative)
    }

    /// Whether the network's files are here.
    pub(crate) fn is_present(&self) -> bool {
        self.path(self.param).is_file() && self.path(self.bin).is_file()
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The networks of the repository; the first is the default job.
pub(crate) fn fixtures() -> &'static [ModelSpec] {
    FIXTURES
}

/// The larger networks in the folder of networks, as far as they are present.
pub(crate) fn shared() -> impl Iterator<Item = &'static ModelSpec> {
    SHARED.iter().filter(|model| model.is_present())
}

const IMAGENET_RGB: ModelSpec = ModelSpec {
    name: "",
    home: Home::Shared,
    param: "",
    bin: "",
    images_calib: "models/images/photos_calib",
    images_test: "models/images/photos_labelled",
    labels: Some("models/images/photos_labelled/labels.tsv"),
    mean: &[123.675, 116.28, 103.53],
    norm: &[0.017_124_75, 0.017_507_0, 0.017_429_19],
    pixel: "RGB",
    shape: (224, 224, 3),
    input: "data",
    outputs: &["logits", "prob"],
    golden: None,
};

const FASHION_MNIST: ModelSpec = ModelSpec {
    images_calib: "models/images/fmnist/calib_png",
    images_test: "models/fixtures/fmnist/test",
    labels: Some("models/fixtures/fmnist/test/labels.tsv"),
    mean: &[73.0],
    norm: &[0.011_111_1],
    pixel: "GRAY",
    shape: (28, 28, 1),
    ..IMAGENET_RGB
};

const FASHION_MNIST_FIXTURE: ModelSpec = ModelSpec {
    home: Home::Fixtures,
    images_calib: "fmnist/calib",
    images_test: "fmnist/test",
    labels: Some("fmnist/test/labels.tsv"),
    ..FASHION_MNIST
};

const UNLABELLED: ModelSpec =
    ModelSpec { images_test: "models/fixtures/imagenet/photos", labels: None, ..IMAGENET_RGB };

static FIXTURES: &[ModelSpec] = &[
    ModelSpec {
        name: "mobilenet_v2",
        home: Home::Fixtures,
        param: "imagenet/mobilenet_v2.param",
        bin: "imagenet/mobilenet_v2.bin",
        images_calib: "imagenet/calib",
        images_test: "imagenet/photos",
        labels: Some("imagenet/photos/labels.tsv"),
        input: "in0",
        outputs: &["out0"],
        golden: Some("golden/mobilenet_v2"),
        ..IMAGENET_RGB
    },
    ModelSpec {
        name: "lenet",
        param: "fmnist/lenet_fp16w.param",
        bin: "fmnist/lenet_fp16w.bin",
        golden: Some("golden/lenet"),
        ..FASHION_MNIST_FIXTURE
    },
    ModelSpec {
        name: "resnet",
        param: "fmnist/resnet_fp16w.param",
        bin: "fmnist/resnet_fp16w.bin",
        golden: Some("golden/resnet"),
        ..FASHION_MNIST_FIXTURE
    },
    ModelSpec {
        name: "mbv2",
        param: "fmnist/mbv2_bn.param",
        bin: "fmnist/mbv2_bn.bin",
        golden: Some("golden/mbv2_bn"),
        ..FASHION_MNIST_FIXTURE
    },
];

static SHARED: &[ModelSpec] = &[
    ModelSpec {
        name: "mobilenet_v2_opt",
        param: "models/nets/mobilenet_v2/mobilenet_v2_opt.param",
        bin: "models/nets/mobilenet_v2/mobilenet_v2_opt.bin",
        golden: Some("golden/ncnn_int8/mobilenet_v2"),
        ..IMAGENET_RGB
    },
    ModelSpec {
        name: "mobilenet_v2_bn",
        param: "models/nets/mobilenet_v2/mobilenet_v2_bn.param",
        bin: "models/nets/mobilenet_v2/mobilenet_v2_bn.bin",
        ..IMAGENET_RGB
    },
    ModelSpec {
        name: "mobilenet_v2_pnnx",
        param: "models/nets/mobilenet_v2/mobilenet_v2_pnnx.param",
        bin: "models/nets/mobilenet_v2/mobilenet_v2_pnnx.bin",
        input: "in0",
        outputs: &["out0"],
        ..IMAGENET_RGB
    },
    ModelSpec {
        name: "squeezenet_v1.1",
        param: "models/nets/squeezenet_v1.1/squeezenet_v1.1.param",
        bin: "models/nets/squeezenet_v1.1/squeezenet_v1.1.bin",
        mean: &[104.0, 117.0, 123.0],
        norm: &[1.0, 1.0, 1.0],
        pixel: "BGR",
        shape: (227, 227, 3),
        outputs: &["pool10", "prob"],
        golden: Some("golden/ncnn_int8/squeezenet"),
        ..IMAGENET_RGB
    },
    ModelSpec {
        name: "fmnist_lenet",
        param: "models/nets/fmnist_lenet/fmnist_lenet.param",
        bin: "models/nets/fmnist_lenet/fmnist_lenet.bin",
        ..FASHION_MNIST
    },
    ModelSpec {
        name: "fmnist_lenet_opt",
        param: "models/nets/fmnist_lenet/fmnist_lenet_opt.param",
        bin: "models/nets/fmnist_lenet/fmnist_lenet_opt.bin",
        golden: Some("golden/ncnn_int8/fmnist_lenet"),
        ..FASHION_MNIST
    },
    ModelSpec {
        name: "fmnist_resnet",
        param: "models/nets/fmnist_resnet/fmnist_resnet.param",
        bin: "models/nets/fmnist_resnet/fmnist_resnet.bin",
        ..FASHION_MNIST
    },
    ModelSpec {
        name: "fmnist_resnet_opt",
        param: "models/nets/fmnist_resnet/fmnist_resnet_opt.param",
        bin: "models/nets/fmnist_resnet/fmnist_resnet_opt.bin",
        golden: Some("golden/ncnn_int8/fmnist_resnet"),
        ..FASHION_MNIST
    },
    ModelSpec {
        name: "fmnist_mbv2",
        param: "models/nets/fmnist_mbv2/fmnist_mbv2.param",
        bin: "models/nets/fmnist_mbv2/fmnist_mbv2.bin",
        ..FASHION_MNIST
    },
    ModelSpec {
        name: "fmnist_mbv2_opt",
        param: "models/nets/fmnist_mbv2/fmnist_mbv2_opt.param",
        bin: "models/nets/fmnist_mbv2/fmnist_mbv2_opt.bin",
        golden: Some("golden/ncnn_int8/fmnist_mbv2"),
        ..FASHION_MNIST
    },
    ModelSpec {
        name: "RFB-320",
        param: "models/nets/ultralight_face/RFB-320.param",
        bin: "models/nets/ultralight_face/RFB-320.bin",
        mean: &[127.0, 127.0, 127.0],
        norm: &[1.0 / 128.0, 1.0 / 128.0, 1.0 / 128.0],
        shape: (320, 240, 3),
        input: "input",
        outputs: &["scores", "boxes"],
        ..UNLABELLED
    },
    ModelSpec {
        name: "slim_320",
        param: "models/nets/ultralight_face/slim_320.param",
        bin: "models/nets/ultralight_face/slim_320.bin",
        mean: &[127.0, 127.0, 127.0],
        norm: &[1.0 / 128.0, 1.0 / 128.0, 1.0 / 128.0],
        shape: (320, 240, 3),
        input: "input",
        outputs: &["scores", "boxes"],
        ..UNLABELLED
    },
    ModelSpec {
        name: "FastestDet",
        param: "models/nets/fastestdet/FastestDet.param",
        bin: "models/nets/fastestdet/FastestDet.bin",
        mean: &[0.0, 0.0, 0.0],
        norm: &[1.0 / 255.0, 1.0 / 255.0, 1.0 / 255.0],
        pixel: "BGR",
        shape: (352, 352, 3),
        input: "input.1",
        outputs: &["758"],
        ..UNLABELLED
    },
    ModelSpec {
        name: "waifu2x_upconv7_photo",
        param: "models/nets/waifu2x/upconv7_photo_scale2.0x.param",
        bin: "models/nets/waifu2x/upconv7_photo_scale2.0x.bin",
        mean: &[0.0, 0.0, 0.0],
        norm: &[1.0 / 255.0, 1.0 / 255.0, 1.0 / 255.0],
        shape: (142, 142, 3),
        input: "Input1",
        outputs: &["Eltwise4"],
        ..UNLABELLED
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixture_is_present_with_its_images_and_labels() {
        for model in fixtures() {
            assert!(model.is_present(), "{}", model.name);
            assert!(model.path(model.images_calib).is_dir(), "{}", model.name);
            assert!(model.path(model.images_test).is_dir(), "{}", model.name);
            assert!(model.labels.is_some_and(|labels| model.path(labels).is_file()), "{}", model.name);
        }
    }

    #[test]
    fn names_are_unique_and_mean_and_norm_fit_the_channels() {
        let all: Vec<_> = FIXTURES.iter().chain(SHARED).collect();
        for (index, model) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other.name != model.name), "{}", model.name);
            assert_eq!(model.mean.len(), model.shape.2, "{}", model.name);
            assert_eq!(model.norm.len(), model.shape.2, "{}", model.name);
        }
    }
}
