//! The times of single layers.

use std::borrow::Cow;
use std::time::Duration;

use int8_exec::StepReport;
use ncnn_format::Layer;
use serde_json::{Value, json};

use super::machine::ms;
use crate::output::{fit, table};

/// How long one layer, with what runs in its epilogue, takes.
#[derive(Debug, Clone)]
pub(super) struct LayerTime {
    layer: String,
    kind: String,
    kernel: Cow<'static, str>,
    fused: usize,
    macs: u64,
    pub(super) time: Duration,
}

impl LayerTime {
    pub(super) fn of_step(step: StepReport, time: Duration) -> Self {
        let StepReport { layer, kind, fused, kernel, macs, .. } = step;
        Self { layer, kind, kernel, fused: fused.len(), macs, time }
    }

    /// A layer whose time is not known yet.
    pub(super) fn of_layer(layer: &Layer) -> Self {
        Self {
            layer: layer.name.clone(),
            kind: layer.kind.to_string(),
            kernel: "fp32-ref".into(),
            fused: 0,
            macs: 0,
            time: Duration::MAX,
        }
    }

    /// Multiply-adds per second.
    fn speed(&self) -> f64 {
        self.macs as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

/// The layers' times as a table; `peak` in multiply-adds per second of one thread.
pub(super) fn layer_table(layers: &[LayerTime], peak: Option<f64>) -> String {
    let layers: Vec<&LayerTime> = layers.iter().filter(|layer| layer.time < Duration::MAX).collect();
    let total: Duration = layers.iter().map(|layer| layer.time).sum();
    let row = |layer: &LayerTime, time: Duration| {
        let has_macs = layer.macs > 0;
        let fused = if layer.fused > 0 { format!(" +{}", layer.fused) } else { String::new() };
        vec![
            fit(&layer.layer, 32) + &fused,
            layer.kind.clone(),
            layer.kernel.to_string(),
            format!("{:.3}", ms(time)),
            format!("{:.1}", 100.0 * time.as_secs_f64() / total.as_secs_f64().max(1e-9)),
            if has_macs { format!("{:.1}", layer.speed() / 1e9) } else { String::new() },
            peak.filter(|_| has_macs).map_or_else(String::new, |peak| format!("{:.0}", 100.0 * layer.speed() / peak)),
        ]
    };
    let mut rows: Vec<Vec<String>> = layers.iter().map(|layer| row(layer, layer.time)).collect();
    let all = LayerTime {
        layer: "all".to_owned(),
        kind: String::new(),
        kernel: "".into(),
        fused: 0,
        macs: layers.iter().map(|layer| layer.macs).sum(),
        time: total,
    };
    rows.push(row(&all, total));
    table(&["layer", "type", "kernel", "ms", "%", "GMAC/s", "% peak"], rows, 3)
}

/// The same facts for machines.
pub(super) fn layers_json(layers: &[LayerTime], peak: Option<f64>) -> Value {
    let layers = layers.iter().filter(|layer| layer.time < Duration::MAX).map(|layer| {
        json!({
            "name": layer.layer,
            "type": layer.kind,
            "kernel": layer.kernel,
            "fused": layer.fused,
            "ms": ms(layer.time),
            "macs": layer.macs,
            "gmacs_per_second": layer.speed() / 1e9,
            "share_of_peak": peak.filter(|_| layer.macs > 0).map(|peak| layer.speed() / peak),
        })
    });
    layers.collect::<Vec<_>>().into()
}
