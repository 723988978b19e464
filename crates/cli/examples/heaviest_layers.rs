//! The layers of a model with the most multiply-adds, from what `ncnn-quant inspect` knows.
//!
//! `cargo run -p ncnn-quant --example heaviest_layers -- net.param`

use clap::Parser;
use ncnn_format::{Error, Result};
use ncnn_quant::{Cli, run};

fn main() -> Result<()> {
    let param = std::env::args().nth(1).ok_or_else(|| Error::invalid("expected a .param file"))?;
    let output = run(&Cli::parse_from(["ncnn-quant", "inspect", &param]))?;
    let layers = output.json[0]["layers"].as_array().cloned().unwrap_or_default();
    let mut layers: Vec<(u64, String)> = layers
        .iter()
        .map(|layer| (layer["macs"].as_u64().unwrap_or(0), format!("{} {}", layer["type"], layer["name"])))
        .collect();
    layers.sort_by_key(|(macs, _)| std::cmp::Reverse(*macs));
    for (macs, layer) in layers.iter().take(5) {
        println!("{macs:>12} {layer}");
    }
    Ok(())
}
