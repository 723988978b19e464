//! What no layer may do, whatever the file or the inputs say: panic, hang, or run where its
//! shapes were not foretold.

use ncnn_format::{Layer, LayerKind};

use crate::lines::LAYERS;
use crate::support::{Array, Draw, Trial, survives};

fn blobs(shapes: &[&[usize]], draw: &mut Draw) -> Vec<Array> {
    shapes.iter().map(|dims| draw.array(dims, 0.125, 1.0)).collect()
}

#[test]
fn every_type_runs_on_what_it_is_for() {
    let mut draw = Draw::new(1);
    for &(kind, params, shapes) in LAYERS {
        let inputs = blobs(shapes, &mut draw);
        let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
        trial.run().unwrap_or_else(|error| panic!("{trial}: {error}"));
    }
}

#[test]
fn every_type_that_can_be_run_has_a_line_here() {
    for kind in LayerKind::BUILTIN.iter().filter(|&kind| *kind != LayerKind::Input) {
        let known = match fp32_ref::build(&Layer::new(kind.clone(), "layer"), Default::default()) {
            Err(error) => !error.to_string().contains(&format!("layers of type {kind} cannot be run")),
            Ok(_) => true,
        };
        let listed = LAYERS.iter().any(|layer| layer.0 == kind.as_str());
        assert_eq!(known, listed, "{kind} can be run or not, the table says otherwise");
    }
}

#[test]
fn another_number_of_inputs_is_an_error_that_names_the_layer() {
    let mut draw = Draw::new(2);
    for &(kind, params, shapes) in LAYERS {
        let inputs = blobs(shapes, &mut draw);
        let all: Vec<&Array> = inputs.iter().collect();
        for count in 0..=shapes.len() + 2 {
            let mut given: Vec<&Array> = all.iter().copied().cycle().take(count).collect();
            if all.is_empty() {
                given = vec![];
            }
            let trial = Trial::new(kind, params, &given).with_any_weights(&mut draw);
            if let Err(error) = trial.run() {
                assert!(error.to_string().contains("layer"), "{trial}: {error}");
                assert!(count != shapes.len(), "{trial}: {error}");
            }
        }
    }
}

#[test]
fn inputs_of_every_rank_and_size_run_or_are_refused_beforehand() {
    let mut draw = Draw::new(3);
    for &(kind, params, shapes) in LAYERS {
        for case in 0..32 {
            let inputs: Vec<Array> = shapes
                .iter()
                .map(|dims| {
                    // One in three keeps what the layer is for, so that only one input is odd.
                    let dims = match case % 3 {
                        0 if draw.flag() => dims.to_vec(),
                        _ => {
                            let rank = draw.size(1, 4);
                            draw.dims(rank, 5)
                        }
                    };
                    draw.array(&dims, 0.125, 1.0)
                })
                .collect();
            let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
            // What can be foretold and cannot run fails in there; errors are fine.
            let _ = trial.run();
        }
    }
}

#[test]
fn hostile_parameters_are_errors_or_harmless() {
    const INTS: [&str; 9] = ["0", "-1", "1", "2", "7", "-233", "1000000", "2147483647", "-2147483648"];
    const FLOATS: [&str; 7] = ["0.0", "-1.0", "1e30", "-1e30", "1e-30", "nan", "inf"];
    let mut draw = Draw::new(4);
    for &(kind, params, shapes) in LAYERS {
        let words: Vec<&str> = params.split_whitespace().collect();
        let inputs = blobs(shapes, &mut draw);
        let inputs: Vec<&Array> = inputs.iter().collect();
        for (place, word) in words.iter().enumerate() {
            let (id, value) = word.split_once('=').unwrap();
            let array = id.starts_with("-23");
            let values: &[&str] = if value.contains(['.', 'e']) { &FLOATS } else { &INTS };
            for hostile in values {
                let mut changed: Vec<String> = words.iter().map(ToString::to_string).collect();
                changed[place] = if array { format!("{id}=1,{hostile}") } else { format!("{id}={hostile}") };
                survives(&Trial::new(kind, changed.join(" "), &inputs), &mut draw);
            }
            // Without it, and an array without elements.
            let mut changed = words.clone();
            changed.remove(place);
            survives(&Trial::new(kind, changed.join(" "), &inputs), &mut draw);
            if array {
                let mut changed: Vec<String> = words.iter().map(ToString::to_string).collect();
                changed[place] = format!("{id}=0");
                survives(&Trial::new(kind, changed.join(" "), &inputs), &mut draw);
            }
        }
    }
}

#[test]
fn missing_weights_are_an_error_that_names_layer_and_role() {
    let mut draw = Draw::new(5);
    let mut types = 0;
    for &(kind, params, shapes) in LAYERS {
        let inputs = blobs(shapes, &mut draw);
        let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
        for missing in 0..trial.weight_count() {
            let error = trial.clone().without_weight(missing).build_error();
            assert!(error.starts_with("layer layer: ") && error.contains("no "), "{trial}: {error}");
            types += usize::from(missing == 0);
        }
    }
    assert!(types > 20, "only {types} types with weights");
}

#[test]
fn numbers_that_are_none_pass_through_without_harm() {
    let mut draw = Draw::new(6);
    for &(kind, params, shapes) in LAYERS {
        for strange in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)] {
            let mut inputs = blobs(shapes, &mut draw);
            for input in &mut inputs {
                for value in input.values.iter_mut().step_by(3) {
                    *value = strange;
                }
            }
            let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
            // ROIs of infinite size and the like may be refused, and that is all.
            let _ = trial.run_values();
        }
    }
}
