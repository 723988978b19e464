//! Tables of every dialect, written, read, remapped and damaged.

use ncnn_format::{ErrorKind, Limits, Model, ScaleTable, TableDialect, TableRow};

use crate::support::Draw;

/// A chain of layers with and without scales: names of layers, of their blobs, and their outputs.
struct Chain {
    model: Model,
    /// Quantized layers: name, input blob, outputs.
    quantized: Vec<(String, String, usize)>,
    /// All blobs, in order.
    blobs: Vec<String>,
}

fn chain(draw: &mut Draw) -> Chain {
    let mut lines = vec!["Input data 0 1 data".to_owned()];
    let mut quantized = Vec::new();
    let mut blobs = vec!["data".to_owned()];
    for number in 0..draw.size(2, 6) {
        let (input, output) = (blobs.last().unwrap().clone(), format!("blob{number}"));
        let outputs = draw.size(2, 5);
        let (kind, params) = [
            ("Convolution", format!("0={outputs} 1=1 6={outputs}")),
            ("ConvolutionDepthWise", format!("0={outputs} 1=1 6={outputs} 7={outputs}")),
            ("InnerProduct", format!("0={outputs} 2={outputs}")),
            ("Pooling", "0=0 1=2".to_owned()),
        ][if number == 0 { 0 } else { draw.size(0, 3) }]
        .clone();
        lines.push(format!("{kind} layer{number} 1 1 {input} {output} {params}"));
        if kind != "Pooling" {
            quantized.push((format!("layer{number}"), input, outputs));
        }
        blobs.push(output);
    }
    let text = format!("7767517\n{} {}\n{}\n", lines.len(), lines.len(), lines.join("\n"));
    Chain { model: Model::from_param_text(&text).unwrap(), quantized, blobs }
}

/// Scales with up to three decimals, which six decimals hold.
fn scales(draw: &mut Draw, count: usize) -> Vec<f32> {
    (0..count).map(|_| draw.size(1, 100_000) as f32 / 1000.0).collect()
}

/// Today's table for a chain.
fn current(draw: &mut Draw, chain: &Chain) -> ScaleTable {
    let mut table = ScaleTable::default();
    for (layer, _, outputs) in &chain.quantized {
        table.push(format!("{layer}_param_0"), scales(draw, *outputs));
    }
    for (layer, ..) in &chain.quantized {
        table.push(layer.clone(), scales(draw, 1));
    }
    table
}

/// A table of July 2018: one weight scale per layer, a row per blob.
fn producer(draw: &mut Draw, chain: &Chain) -> ScaleTable {
    let mut table = ScaleTable::default();
    for (layer, ..) in &chain.quantized {
        table.push(format!("{layer}_param_0"), scales(draw, 1));
    }
    for blob in &chain.blobs {
        table.push(blob.clone(), scales(draw, 1));
    }
    table
}

/// Block scales: attributes between key and values.
fn block(draw: &mut Draw, chain: &Chain) -> ScaleTable {
    let mut table = ScaleTable::default();
    for (layer, ..) in &chain.quantized {
        let count = draw.size(1, 6);
        let mut row = TableRow::new(format!("{layer}_param_0"), scales(draw, count));
        row.attributes = vec![("bits".to_owned(), draw.size(4, 8).to_string()), ("block".to_owned(), "64".to_owned())];
        table.rows.push(row);
    }
    table
}

#[test]
fn a_table_written_and_read_again_is_the_same_in_every_dialect() {
    for case in 0..40 {
        let mut draw = Draw::new(case);
        let chain = chain(&mut draw);
        for table in [current(&mut draw, &chain), producer(&mut draw, &chain), block(&mut draw, &chain)] {
            let text = table.to_text();
            let again = ScaleTable::parse(&text).unwrap();
            assert_eq!(again.rows, table.rows);
            assert_eq!(again.to_text(), text);
            assert_eq!(text.lines().count(), table.rows.len());
        }
    }
}

#[test]
fn the_dialect_is_known_by_the_model() {
    for case in 100..140 {
        let mut draw = Draw::new(case);
        let chain = chain(&mut draw);
        let mut today = current(&mut draw, &chain);
        assert_eq!(today.dialect(&chain.model), TableDialect::Current);
        today.check_dialect(&chain.model).unwrap();

        let old = producer(&mut draw, &chain);
        assert_eq!(old.dialect(&chain.model), TableDialect::Producer);
        assert_eq!(old.check_dialect(&chain.model).unwrap_err().kind(), ErrorKind::Unsupported);

        let packed = block(&mut draw, &chain);
        assert_eq!(packed.dialect(&chain.model), TableDialect::Block);
        assert_eq!(packed.check_dialect(&chain.model).unwrap_err().kind(), ErrorKind::Unsupported);

        for row in today.rows.iter_mut().filter(|row| row.is_weight_row()) {
            row.values.truncate(1);
        }
        assert_eq!(today.dialect(&chain.model), TableDialect::PerLayer);
        today.check_dialect(&chain.model).unwrap();
    }
}

#[test]
fn an_old_table_is_remapped_to_the_scale_of_each_layers_input() {
    for case in 200..260 {
        let mut draw = Draw::new(case);
        let chain = chain(&mut draw);
        let old = producer(&mut draw, &chain);
        let new = old.remap_producers(&chain.model).unwrap();
        for (layer, input, _) in &chain.quantized {
            assert_eq!(new.input_scale(layer), old.input_scale(input), "{layer} reads {input}");
            assert_eq!(new.weight_scales(layer), old.weight_scales(layer));
        }
        assert_eq!(new.rows.len(), 2 * chain.quantized.len());
        new.check_dialect(&chain.model).unwrap();
        // Without the row of the first input nothing is guessed.
        let mut short = old.clone();
        short.rows.retain(|row| row.key != "data");
        let error = short.remap_producers(&chain.model).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.place().layer.as_deref(), Some("layer0"));
    }
}

#[test]
fn a_row_that_is_changed_leaves_the_text_of_the_others_alone() {
    for case in 300..330 {
        let mut draw = Draw::new(case);
        let chain = chain(&mut draw);
        let table = current(&mut draw, &chain);
        // Spaced and commented in ways that are not our own.
        let text: String = table
            .rows
            .iter()
            .map(|row| {
                let values: Vec<String> = row.values.iter().map(|value| format!("{value:?}")).collect();
                format!("# about {}\n{}  {}\n", row.key, row.key, values.join("   "))
            })
            .collect();
        let read = ScaleTable::parse(&text).unwrap();
        assert_eq!(read.to_text(), text);
        for changed in 0..read.rows.len() {
            let mut other = read.clone();
            other.rows[changed].values[0] = 777.5;
            let written = other.to_text();
            assert_eq!(ScaleTable::parse(&written).unwrap().rows, other.rows);
            for (number, row) in read.rows.iter().enumerate().filter(|(number, _)| *number != changed) {
                let own = format!("# about {}\n{}  ", row.key, row.key);
                assert!(written.contains(&own), "row {number} of {written}");
            }
        }
    }
}

#[test]
fn the_last_of_equal_keys_counts() {
    let mut table = ScaleTable::default();
    for value in 1..5_u8 {
        table.push("conv_param_0", vec![f32::from(value), 1.0]);
        table.push("conv", vec![f32::from(value)]);
        table.push("mha_param_2", vec![f32::from(value) * 2.0]);
        assert_eq!(table.weight_scales("conv"), Some(&[f32::from(value), 1.0][..]));
        assert_eq!(table.input_scale("conv"), Some(f32::from(value)));
        assert_eq!(table.param_scales("mha", 2), Some(&[f32::from(value) * 2.0][..]));
        assert_eq!(table.param_scales("mha", 1), None);
        assert_eq!(table.weight_scales("con"), None);
    }
}

#[test]
fn a_table_cut_or_changed_at_any_byte_is_read_or_refused_with_its_line() {
    for case in 400..410 {
        let mut draw = Draw::new(case);
        let chain = chain(&mut draw);
        for table in [current(&mut draw, &chain), producer(&mut draw, &chain), block(&mut draw, &chain)] {
            let text = table.to_text();
            let examine = |text: &str| match ScaleTable::parse(text) {
                Ok(table) => {
                    let _ = table.dialect(&chain.model);
                    let _ = table.remap_producers(&chain.model);
                    assert_eq!(ScaleTable::parse(&table.to_text()).unwrap().rows, table.rows);
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
                    assert!(error.place().line.is_some(), "{error} of {text:?}");
                }
            };
            for place in 0..text.len() {
                examine(&text[..place]);
                let mut bytes = text.clone().into_bytes();
                bytes[place] = b"0=. -#x\ne_"[draw.size(0, 9)];
                examine(&String::from_utf8(bytes).unwrap());
            }
        }
    }
}

#[test]
fn a_table_keeps_its_limits() {
    let mut draw = Draw::new(7);
    for count in 1..20 {
        let mut table = ScaleTable::default();
        table.push("layer_param_0", scales(&mut draw, count));
        let text = table.to_text();
        let read = |change: &dyn Fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            ScaleTable::parse_with(&text, &limits).map(|_| ()).map_err(|error| error.kind())
        };
        assert_eq!(read(&|limits| limits.array_len = count), Ok(()));
        assert_eq!(read(&|limits| limits.array_len = count - 1), Err(ErrorKind::TooLarge));
        assert_eq!(read(&|limits| limits.text_bytes = text.len() as u64), Ok(()));
        assert_eq!(read(&|limits| limits.text_bytes = text.len() as u64 - 1), Err(ErrorKind::TooLarge));
    }
}

#[test]
fn keys_that_a_table_cannot_hold_are_refused_on_saving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.table");
    for key in ["", " ", "two words", "#conv", "new\nline"] {
        let mut table = ScaleTable::default();
        table.push(key, vec![1.0]);
        assert_eq!(table.save(&path).unwrap_err().kind(), ErrorKind::Invalid, "{key:?}");
        assert!(!path.exists());
    }
    let mut table = ScaleTable::default();
    table.push("conv", Vec::new());
    assert_eq!(table.save(&path).unwrap_err().kind(), ErrorKind::Invalid);
    table.rows[0].values.push(2.0);
    table.save(&path).unwrap();
    assert_eq!(ScaleTable::load(&path).unwrap().rows, table.rows);
}
