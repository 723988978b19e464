//! The documented parameters of every type, and lines of a `.param` with random ones.

use std::collections::BTreeMap;

use ncnn_format::{Layer, LayerKind, Model, Result};

/// A row of `docs/layer-parameters.md`.
#[derive(Debug, Clone)]
pub(crate) struct Documented {
    pub(crate) id: u8,
    pub(crate) name: String,
    /// int, float, ints, floats or text.
    pub(crate) kind: String,
    pub(crate) default: String,
}

/// A type in that document.
#[derive(Debug, Clone)]
pub(crate) struct DocumentedType {
    pub(crate) kind: LayerKind,
    /// The number in `.param.bin`.
    pub(crate) number: usize,
    /// The method of `Layer` that reads it.
    pub(crate) method: String,
    pub(crate) params: Vec<Documented>,
}

/// All types of the document, in its order.
pub(crate) fn documented() -> Vec<DocumentedType> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layer-parameters.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\n## ").skip(1).map(section).collect()
}

fn section(text: &str) -> DocumentedType {
    let (name, rest) = text.split_once('\n').unwrap();
    let between = |start: &str, end: &str| {
        let (_, from) = rest.split_once(start).unwrap_or_else(|| panic!("no {start:?} in {name}"));
        from.split_once(end).unwrap().0.to_owned()
    };
    let params = rest
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| id "))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            Documented {
                id: cells[1].parse().unwrap(),
                name: cells[2].to_owned(),
                kind: cells[3].to_owned(),
                default: cells[4].to_owned(),
            }
        })
        .collect();
    DocumentedType {
        kind: LayerKind::from(name),
        number: between("Number ", ",").parse().unwrap(),
        method: between("`layer.", "()`"),
        params,
    }
}

/// The values that a typed reader gives, by the names of its fields.
pub(crate) type Fields = BTreeMap<String, String>;

/// The fields of a struct by its `Debug` form, whose values are numbers, arrays and texts.
fn fields(debug: &str) -> Fields {
    let Some((_, inside)) = debug.split_once(" { ") else { return Fields::new() };
    let inside = inside.strip_suffix(" }").unwrap();
    let mut found = Fields::new();
    let (mut depth, mut quoted, mut start) = (0, false, 0);
    let mut add = |text: &str| {
        let (name, value) = text.trim().split_once(": ").unwrap();
        found.insert(name.to_owned(), value.to_owned());
    };
    for (place, letter) in inside.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                add(&inside[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    add(&inside[start..]);
    found
}

macro_rules! readers {
    ($($method:ident,)*) => {
        /// The typed reader of every type, by its name.
        const READERS: &[(&str, fn(&Layer) -> Result<String>)] =
            &[$((stringify!($method), |layer| layer.$method().map(|params| format!("{params:?}"))),)*];
    };
}

readers! {
    abs_val, arg_max, batch_norm, bias, binary_op, bnll, cast, celu, clip, concat, convolution, convolution_1d,
    convolution_3d, convolution_depth_wise, convolution_depth_wise_1d, convolution_depth_wise_3d, copy_to, crop,
    cumulative_sum, deconvolution, deconvolution_1d, deconvolution_3d, deconvolution_depth_wise,
    deconvolution_depth_wise_1d, deconvolution_depth_wise_3d, deep_copy, deformable_conv_2d, dequantize,
    detection_output, diag, dropout, einsum, eltwise, elu, embed, erf, exp, expand_dims, flatten, flip, fold, gelu,
    gemm, glu, grid_sample, group_norm, gru, hard_sigmoid, hard_swish, inner_product, input, instance_norm, interp,
    inverse_spectrogram, layer_norm, log, lrn, lstm, mat_mul, memory_data, mish, multi_head_attention, mvn, noop,
    normalize, packing, padding, permute, pixel_shuffle, pooling, pooling_1d, pooling_3d, power, prelu, prior_box,
    proposal, psroi_pooling, quantize, reduction, relu, reorg, requantize, reshape, rms_norm, rnn, roi_align,
    roi_pooling, rotary_embed, scale, sdpa, selu, shrink, shuffle_channel, sigmoid, slice, softmax, softplus,
    spectrogram, split, spp, squeeze, statistics_pooling, swish, tan_h, threshold, tile, unary_op, unfold,
    yolo_detection_output, yolov3_detection_output,
}

/// The names of all readers.
pub(crate) fn reader_names() -> Vec<&'static str> {
    READERS.iter().map(|(name, _)| *name).collect()
}

/// What the reader called `method` finds in a layer.
pub(crate) fn read(method: &str, layer: &Layer) -> Result<Fields> {
    let (_, reader) = READERS.iter().find(|(name, _)| *name == method).unwrap();
    Ok(fields(&reader(layer)?))
}

/// The layer of a line with these parameters.
pub(crate) fn layer(kind: &LayerKind, params: &str) -> Layer {
    let text = format!("7767517\n1 1\n{kind} layer 0 1 out {params}\n");
    Model::from_param_text(&text).unwrap_or_else(|error| panic!("{text}: {error}")).layers.remove(0)
}

/// A seeded generator (xorshift).
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn size(&mut self, low: usize, high: usize) -> usize {
        low + (self.bits() % (high - low + 1) as u64) as usize
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.bits().is_multiple_of(2)
    }

    /// Any integer, small ones more often.
    pub(crate) fn int(&mut self) -> i32 {
        let bits = self.bits() as i32;
        if self.flag() { bits % 300 } else { bits }
    }

    /// A float with few digits, or of any size.
    pub(crate) fn float(&mut self) -> f32 {
        if self.flag() {
            return (self.bits() % 4001) as f32 / 8.0 - 250.0;
        }
        let value = f32::from_bits(self.bits() as u32);
        if value.is_normal() { value } else { 0.5 }
    }

    /// A parameter of such a kind as a word of a line, and as `Debug` shows what was read.
    pub(crate) fn param(&mut self, id: u8, kind: &str) -> (String, String) {
        let array = |words: &[String]| {
            let key = -23300 - i32::from(id);
            let tail: String = words.iter().map(|word| format!(",{word}")).collect();
            format!("{key}={}{tail}", words.len())
        };
        match kind {
            "int" => {
                let value = self.int();
                (format!("{id}={value}"), format!("{value:?}"))
            }
            "float" => {
                let value = self.float();
                (format!("{id}={value:e}"), format!("{value:?}"))
            }
            "ints" => {
                let values: Vec<i32> = (0..self.size(1, 5)).map(|_| 0).collect::<Vec<i32>>();
                let values: Vec<i32> = values.iter().map(|_| self.int()).collect();
                (array(&values.iter().map(ToString::to_string).collect::<Vec<_>>()), format!("{values:?}"))
            }
            "floats" => {
                let count = self.size(1, 5);
                let values: Vec<f32> = (0..count).map(|_| self.float()).collect();
                (array(&values.iter().map(|value| format!("{value:e}")).collect::<Vec<_>>()), format!("{values:?}"))
            }
            _ => {
                let text = ["0w,0h", "*(0w,2),-1", "max(0h,1c)", "a"][self.size(0, 3)];
                (format!("{id}=\"{text}\""), format!("{text:?}"))
            }
        }
    }
}

/// A line of random parameters of a type, and the fields that it sets.
pub(crate) fn random_params(draw: &mut Draw, documented: &DocumentedType) -> (String, Fields) {
    let mut words = Vec::new();
    let mut set = Fields::new();
    for param in &documented.params {
        if draw.flag() {
            let (word, value) = draw.param(param.id, &param.kind);
            words.push(word);
            set.insert(param.name.clone(), value);
        }
    }
    (words.join(" "), set)
}
