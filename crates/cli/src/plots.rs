//! Histograms and thresholds as pictures.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use histogram_kl::{Histogram, Rule};
use ncnn_format::{Error, Result, write_whole};
use plotters::prelude::*;
use quantizer::calibrate::{Calibration, LayerCalibration};

/// Width and height of a picture in pixels.
const SIZE: (u32, u32) = (880, 400);
/// Bins of a histogram that share a column: more than a picture shows would only make it large.
const SHARED: usize = 8;

/// Writes one SVG per blob into `folder`: the histogram of its magnitudes and where every rule cuts. The name of
/// a file is the number and name of the first layer that reads the blob.
///
/// # Errors
/// `Io` when the folder or a file cannot be written.
pub fn save_plots(calibration: &Calibration, folder: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io("cannot create the folder", folder, error))?;
    let mut paths = Vec::new();
    for (index, layer) in calibration.layers.iter().enumerate() {
        let is_first = calibration.layers[..index].iter().all(|other| other.blob != layer.blob);
        if !is_first || layer.histogram.total() == 0 {
            continue;
        }
        let name: String = layer.layer.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let path = folder.join(format!("{index:03}_{name}.svg"));
        write_whole(&path, plot(layer)?.as_bytes())?;
        paths.push(path);
    }
    Ok(paths)
}

/// The picture of a layer's input as SVG text.
///
/// # Errors
/// `Invalid` when it cannot be drawn.
pub fn plot(layer: &LayerCalibration) -> Result<String> {
    let mut svg = String::new();
    draw(layer, &mut svg).map_err(|error| Error::invalid(format!("cannot draw: {error}")).in_layer(&layer.layer))?;
    Ok(svg)
}

/// A threshold and the rules that choose it.
struct Mark {
    threshold: f32,
    label: String,
}

/// The thresholds of all rules, from the smallest; those within a column of each other are one.
fn marks(layer: &LayerCalibration) -> Vec<Mark> {
    let histogram = &layer.histogram;
    let elements = layer.range.values().max(1);
    let mut thresholds: Vec<(f32, String)> = Rule::ALL
        .iter()
        .filter(|rule| **rule != Rule::AciqNcnn)
        .filter_map(|rule| Some((rule.threshold_of(histogram, elements)?.value(), rule.to_string())))
        .collect();
    thresholds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut marks: Vec<Mark> = Vec::new();
    for (threshold, rule) in thresholds {
        match marks.last_mut() {
            Some(mark) if threshold - mark.threshold < histogram.bin_width() * SHARED as f32 / 2.0 => {
                // Writing to a String cannot fail.
                let _ = write!(mark.label, ", {rule}");
            }
            _ => marks.push(Mark { threshold, label: format!("{threshold:.3}  {rule}") }),
        }
    }
    marks
}

/// Left edge, right edge and mean count of every column that is not empty.
fn columns(histogram: &Histogram) -> impl Iterator<Item = (f64, f64, f64)> {
    let width = f64::from(histogram.bin_width()) * SHARED as f64;
    histogram.counts().chunks(SHARED).enumerate().filter_map(move |(index, counts)| {
        let mean = counts.iter().map(|&count| count as f64).sum::<f64>() / counts.len() as f64;
        (mean > 0.0).then(|| (index as f64 * width, (index + 1) as f64 * width, mean))
    })
}

fn draw(layer: &LayerCalibration, svg: &mut String) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let histogram = &layer.histogram;
    let highest = columns(histogram).fold(1.0, |highest, (_, _, count)| count.max(highest)) * 2.0;
    let lowest = 0.5 / SHARED as f64;
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let title = format!("{}: |x| of {} (values per bin)", layer.layer, layer.blob);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..f64::from(histogram.absmax()) * 1.01, (lowest..highest).log_scale())?;
    chart.configure_mesh().disable_mesh().y_label_formatter(&|count| format!("{count:.0e}")).draw()?;
    let bar = |(left, right, count)| Rectangle::new([(left, lowest), (right, count)], RGBColor(170, 190, 220).filled());
    chart.draw_series(columns(histogram).map(bar))?;
    for (index, mark) in marks(layer).into_iter().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let is_chosen = mark.threshold == layer.reported_threshold()
            || (mark.threshold - layer.reported_threshold()).abs() < histogram.bin_width() * SHARED as f32 / 2.0;
        let x = f64::from(mark.threshold);
        let label = if is_chosen { format!("{} (taken)", mark.label) } else { mark.label };
        chart
            .draw_series(LineSeries::new(
                [(x, lowest), (x, highest)],
                color.stroke_width(if is_chosen { 3 } else { 1 }),
            ))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .label_font(("sans-serif", 12))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use histogram_kl::Range;
    use quantizer::WeightScales;

    #[test]
    fn a_picture_names_every_rule_and_stays_small() {
        let counts: Vec<u64> = (0..Histogram::BINS).map(|bin| (1e6 * (-(bin as f64) / 90.0).exp()) as u64).collect();
        let histogram = Histogram::from_counts(4.0, &counts).unwrap();
        let layer = LayerCalibration {
            layer: "conv<1>".to_owned(),
            blob: "data".to_owned(),
            range: Range::from_extremes(Some((0.0, 4.0)), 1000, 0).unwrap(),
            threshold: Rule::Mse.threshold(&histogram),
            histogram,
            rule: Rule::Mse.to_string(),
            choice: None,
            similarity: None,
            input_scale: 1.0,
            weights: WeightScales::default(),
        };
        let svg = plot(&layer).unwrap();
        for rule in ["kl-ncnn", "kl-merge", "js", "percentile:99.99", "aciq-gauss", "aciq-laplace", "absmax", "(taken)"]
        {
            assert!(svg.contains(rule), "{rule}");
        }
        assert!(svg.contains("conv&lt;1&gt;") && svg.len() < 60_000, "{}", svg.len());
    }
}
