//! Lists the layers of a network with what they do and their weights, and what ncnn would stumble over:
//!
//! `cargo run -p ncnn-format --example list_layers -- net.param [net.bin]`

use std::process::ExitCode;

use ncnn_format::{Graph, Limits, LinearLayer, Model, check};

fn main() -> ExitCode {
    let mut paths = std::env::args().skip(1);
    let Some(param) = paths.next() else {
        eprintln!("usage: list_layers net.param [net.bin]");
        return ExitCode::from(2);
    };
    match list(&param, paths.next().as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list(param: &str, bin: Option<&str>) -> ncnn_format::Result<()> {
    let (mut model, remarks) = Model::load_param_with(param, &Limits::default())?;
    if let Some(bin) = bin {
        model.load_bin_with(bin, &Limits::default())?;
    }
    for layer in &model.layers {
        println!("{:<24} {:<24} {:?}", layer.kind, layer.name, layer.effect()?);
        if let Some(linear) = LinearLayer::of(layer)? {
            let (outputs, depth, activation) = (linear.outputs, linear.depth(), linear.activation()?);
            println!("    {outputs} outputs of {depth} weights, then {activation:?}");
        }
        for weight in &layer.weights {
            println!("    {}: {} x {}", weight.role, weight.data.len(), weight.data.storage());
        }
    }
    let graph = Graph::new(&model)?;
    println!("from {} to {}", graph.list(graph.inputs()), graph.list(graph.outputs()));
    for remark in check(&model, &remarks) {
        println!("{:?}: {}", remark.severity, remark.message);
    }
    Ok(())
}
