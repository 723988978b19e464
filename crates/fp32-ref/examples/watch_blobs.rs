//! Finds the largest value of every blob, then runs the end of a network again and again from values that were kept.

use fp32_ref::{Blobs, Net, Part, Tensor, Value, Workspace};
use ncnn_format::{BlobId, Error, Model, Result};

fn main() -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist");
    let model = Model::load(format!("{folder}/mbv2_bn.param"), format!("{folder}/mbv2_bn.bin"))?;
    let net = Net::new(&model)?;
    let input = Tensor::new([1, 28, 28], (0..784).map(|index| (index as f32 * 0.37).sin()).collect())?;

    let mut largest = Vec::new();
    net.run(&[("data", input.clone())], &mut |blob: BlobId, value: &Value| {
        // In whatever order they lie in memory: the largest is the same.
        let values = value.unordered();
        match values.iter().find(|x| !x.is_finite()) {
            // An error stops the run.
            Some(found) => return Err(Error::invalid(format!("a value is {found}"))),
            None => largest.push((blob, values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs())))),
        }
        Ok(())
    })?;
    for (blob, largest) in &largest {
        println!("{:<24} {largest:9.3}", net.graph().blob_name(*blob));
    }

    // The last layer with weights, made larger bit by bit; all above it is run once.
    let Some(last) = model.layers.iter().rposition(|layer| !layer.weights.is_empty()) else { return Ok(()) };
    let part = Part::dependents(net.graph(), &[last]);
    let mut kept = Blobs::only(part.inputs());
    net.run(&[("data", input)], &mut kept)?;
    let mut workspace = Workspace::default();
    for factor in [1.0, 1.1, 1.2] {
        let mut layer = model.layers[last].clone();
        let role = layer.weights[0].role;
        let values = layer.weight_f32(role)?.iter().map(|weight| weight * factor).collect();
        layer.set_weight_f32(role, values);
        let made = net.with_layer(last, &layer)?.run_part(&mut workspace, &part, &kept, &mut ())?;
        for (blob, value) in made.iter() {
            println!(
                "times {factor}: {} begins with {:.4}",
                net.graph().blob_name(blob),
                value.to_tensor().as_slice()[0]
            );
        }
    }
    Ok(())
}
