//! Blobs: who makes them and who reads them.

use std::collections::HashMap;

use crate::{LayerKind, Model, Remark};

/// Makers and readers of a blob so far.
struct Blob {
    maker: usize,
    readers: usize,
}

/// Findings for each layer of `model`.
pub(super) fn check(model: &Model) -> Vec<Vec<Remark>> {
    let mut findings = Vec::with_capacity(model.layers.len());
    let mut blobs: HashMap<&str, Blob> = HashMap::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, layer) in model.layers.iter().enumerate() {
        let mut found = Vec::new();
        for name in &layer.inputs {
            match blobs.get_mut(name.as_str()) {
                None => found.push(unknown(model, index, name)),
                Some(blob) => {
                    blob.readers += 1;
                    if blob.readers == 2 {
                        let fed = model.layers.get(blob.maker).is_some_and(|maker| maker.kind == LayerKind::Input);
                        found.push(read_twice(name, fed));
                    }
                }
            }
        }
        for name in &layer.outputs {
            if blobs.contains_key(name.as_str()) {
                found.push(
                    Remark::error(
                        "blob-made-twice",
                        format!("makes the blob {name}, which exists already; readers get the first one"),
                    )
                    .advise("give the blob another name"),
                );
            } else {
                blobs.insert(name, Blob { maker: index, readers: 0 });
            }
        }
        if names.insert(&layer.name, index).is_some() {
            found.push(
                Remark::warning(
                    "repeated-layer-name",
                    "another layer above has the same name; a table cannot tell them apart",
                )
                .advise("give the layer another name"),
            );
        }
        if layer.name.contains("_param_") {
            found.push(
                Remark::warning(
                    "layer-name-like-a-row",
                    "ncnn2int8 takes a table row whose key contains _param_ for weight scales",
                )
                .advise("give the layer another name, or it stays float"),
            );
        }
        if layer.inputs.is_empty() && reads_something(&layer.kind) {
            found.push(Remark::error("no-input", format!("a {} without an input crashes", layer.kind)));
        }
        findings.push(found);
    }
    findings
}

/// Findings about the model as a whole.
pub(super) fn check_whole(model: &Model) -> Vec<Remark> {
    let mut findings = Vec::new();
    if !model.layers.iter().any(|layer| layer.kind == LayerKind::Input) {
        findings.push(Remark::warning("no-input-layer", "there is no Input layer: nothing can be fed"));
    }
    if let Err(error) = model.check_param_text() {
        findings.push(Remark::from(&error));
    }
    findings
}

fn unknown(model: &Model, reader: usize, name: &str) -> Remark {
    let below = model.layers.iter().skip(reader).find(|layer| layer.outputs.iter().any(|output| output == name));
    match below {
        Some(maker) => Remark::error(
            "blob-made-below",
            format!("reads the blob {name}, which layer {} makes only below", maker.name),
        )
        .advise("move the layer that makes a blob above those that read it"),
        None => Remark::error("unknown-blob", format!("reads the blob {name}, which no layer makes"))
            .advise("ncnn logs this, loads the model and fails when it runs"),
    }
}

fn read_twice(name: &str, fed: bool) -> Remark {
    let advice = "put a Split layer behind the blob, with an output for each reader";
    let message = format!("is the second reader of the blob {name}; ncnn frees a blob after its first reader");
    if fed {
        Remark::error("blob-read-twice", format!("{message}, and cannot make a fed one again")).advise(advice)
    } else {
        Remark::warning("blob-read-twice", format!("{message} and makes it a second time")).advise(advice)
    }
}

fn reads_something(kind: &LayerKind) -> bool {
    !matches!(kind, LayerKind::Input | LayerKind::MemoryData | LayerKind::Noop | LayerKind::Custom(_))
}
