//! Adds a layer type that ncnn does not have: `Mirror`, which adds to every value the one on the other side of the
//! image, `weight` (parameter 0) times.

use fp32_ref::{Layer, Net, NetOptions, Registry, Shape, Tensor};
use ncnn_format::typed::ParamKey;
use ncnn_format::{Error, Model, Result};

/// Parameter 0; 1 unless the file says otherwise.
const WEIGHT: ParamKey<f32> = ParamKey::custom(0, "weight");

struct Mirror {
    weight: f32,
}

/// Checks the parameters of a layer of a file.
fn build(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
    Ok(Box::new(Mirror { weight: layer.params.get(WEIGHT)?.unwrap_or(1.0) }))
}

impl Layer for Mirror {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        match inputs {
            [image] if image.rank() == 3 => Ok(vec![*image]),
            _ => Err(Error::invalid("expects one image")),
        }
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        inputs.into_iter().map(|image| self.mirrored(image)).collect()
    }
}

impl Mirror {
    fn mirrored(&self, image: Tensor) -> Result<Tensor> {
        self.output_shapes(&[image.shape()])?;
        let rows = image.as_slice().chunks_exact(image.shape().w());
        let sums = rows.flat_map(|row| row.iter().zip(row.iter().rev()).map(|(x, other)| x + self.weight * other));
        Tensor::new(image.shape().dims(), sums.collect())
    }
}

fn main() -> Result<()> {
    let text = "7767517\n3 3\nInput data 0 1 data 0=4 1=1 2=1\nMirror m 1 1 data both 0=0.5\nReLU act 1 1 both out\n";
    let model = Model::from_param_text(text)?;
    println!("without it: {}", Net::new(&model).map_or_else(|error| error.to_string(), |_| "runs".to_owned()));

    let mut registry = Registry::default();
    registry.register("Mirror", build);
    let net = Net::with_options(&model, NetOptions::default().with_registry(registry))?;
    let outputs = net.run(&[("data", Tensor::new([1, 1, 4], vec![1.0, -4.0, 2.0, 0.0])?)], &mut ())?;
    for (name, value) in outputs.iter() {
        println!("{name}: {:?}", value.as_slice());
    }
    Ok(())
}
