//! Puts the float layer in place of each int8 layer of a network, one by one, and says by how much the outputs move:
//! the layers that move them most are those to leave in float.

use fp32_ref::{Blobs, Part, Tensor};
use int8_exec::{Int8Net, Value};
use ncnn_format::{Model, Result};

fn main() -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures");
    let load = |name: &str| Model::load(format!("{folder}/{name}.param"), format!("{folder}/{name}.bin"));
    let (float, int8) = (load("fmnist/mbv2_bn")?, load("golden/mbv2_bn.kl.int8")?);
    let net = Int8Net::new(&int8)?;
    let image = Tensor::new([1, 28, 28], (0..784).map(|index| (index as f32 * 0.37).sin()).collect())?;

    // One run of the whole network; after that only what is behind the layer.
    let mut kept = Blobs::<Value>::new();
    let before = net.run(&[("data", image)], &mut kept)?;
    for (index, layer) in int8.layers.iter().enumerate() {
        if !layer.is_int8()? {
            continue;
        }
        let mixed = net.with_layer(index, &float.layers[index])?;
        let made = mixed.run_part(&Part::dependents(net.graph(), &[index]), &kept, &mut ())?;
        let mut moved = 0.0_f32;
        for (blob, value) in made.iter() {
            let Some(before) = before.get(net.graph().blob_name(blob)) else { continue };
            let after = value.to_f32()?;
            let differences = after.as_slice().iter().zip(before.as_slice()).map(|(a, b)| (a - b).abs());
            moved = differences.fold(moved, f32::max);
        }
        println!("{:<20} {moved:.5}", layer.name);
    }
    Ok(())
}
