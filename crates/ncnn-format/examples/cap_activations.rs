//! Replaces every ReLU of a model by one that is capped at 6, and says what ncnn would stumble over.
//!
//! `cargo run -p ncnn-format --example cap_activations -- net.param net.bin capped.param capped.bin`

use ncnn_format::typed::Clip;
use ncnn_format::{Error, LayerKind, Limits, Model, Result, check};

fn main() -> Result<()> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [param, bin, capped_param, capped_bin] = files.as_slice() else {
        return Err(Error::invalid("expected two files to read and two to write"));
    };
    let (mut model, oddities) = Model::load_with(param, bin, &Limits::default())?;
    for layer in model.layers.iter_mut().filter(|layer| layer.kind == LayerKind::ReLU) {
        layer.kind = LayerKind::Clip;
        layer.params = Default::default();
        layer.params.set(Clip::MIN, 0.0);
        layer.params.set(Clip::MAX, 6.0);
        println!("{} is capped", layer.name);
    }
    for remark in check(&model, &oddities) {
        println!("{}: {remark}", remark.severity);
    }
    // Lines of other layers stay as they were, byte for byte.
    model.save(capped_param, capped_bin)
}
