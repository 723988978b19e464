//! Blobs: who makes them and who reads them.

use std::collections::HashMap;

use crate::{Graph, LayerKind, Model, Remark};

/// Findings for each layer of `model`.
pub(super) fn check(model: &Model) -> Vec<Vec<Remark>> {
    let (graph, _) = Graph::scan(model);
    let mut findings = Vec::with_capacity(model.layers.len());
    let mut readers = vec![0; graph.blobs().len()];
    let mut is_made = vec![false; graph.blobs().len()];
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, layer) in model.layers.iter().enumerate() {
        let mut found = Vec::new();
        for name in &layer.inputs {
            match graph.find(name) {
                Some(blob) if is_made[blob.0] => {
                    readers[blob.0] += 1;
                    if readers[blob.0] == 2 {
                        found.push(read_twice(name, graph.inputs().binary_search(&blob).is_ok()));
                    }
                }
                Some(blob) => found.push(made_below(name, graph.layer_name(graph.blobs()[blob.0].producer))),
                None => found.push(
                    Remark::error("unknown-blob", format!("reads the blob {name}, which no layer makes"))
                        .advise("ncnn logs this, loads the model and fails when it runs"),
                ),
            }
        }
        for name in &layer.outputs {
            let Some(blob) = graph.find(name) else { continue };
            if std::mem::replace(&mut is_made[blob.0], true) {
                found.push(
                    Remark::error(
                        "blob-made-twice",
                        format!("makes the blob {name}, which exists already; readers get the first one"),
                    )
                    .advise("give the blob another name"),
                );
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

fn made_below(name: &str, maker: &str) -> Remark {
    Remark::error("blob-made-below", format!("reads the blob {name}, which layer {maker} makes only below"))
        .advise("move the layer that makes a blob above those that read it")
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
