//! Tables of what an inference costs.

use std::collections::BTreeMap;

use ncnn_quant::output::{count, table};

use super::count::Counts;
use super::symbol::{CLASSES, Class};

/// Functions with fewer instructions than this share of the whole are not listed.
const LEAST_SHARE: f64 = 0.002;

/// By class: instructions, share, multiply-accumulates, and those per instruction.
pub(crate) fn classes(counts: &Counts) -> String {
    let total = counts.total();
    let row = |class: Class| {
        let (instructions, macs) = (counts.class(class), counts.macs(class));
        vec![class.to_string(), instructions.to_string(), percent(instructions, total), ratio(macs, instructions)]
    };
    let mut rows: Vec<Vec<String>> = CLASSES.map(row).to_vec();
    rows.push(vec!["all".into(), total.to_string(), String::new(), String::new()]);
    table(&["class", "instructions", "share", "MACs/instruction"], rows, 1)
}

/// By function of a kernel, with modelled cycles where there are.
pub(crate) fn kernels(counts: &Counts, cycles: &BTreeMap<String, u64>, model: Option<&str>) -> String {
    let total = counts.total();
    let mut functions: Vec<(&String, u64)> = counts.kernels().map(|(path, count)| (path, *count)).collect();
    functions.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    functions.retain(|&(_, count)| count as f64 >= LEAST_SHARE * total as f64);
    let rows = functions.into_iter().map(|(path, instructions)| {
        let modelled = cycles.get(path).map_or_else(String::new, u64::to_string);
        vec![short(path).to_owned(), instructions.to_string(), percent(instructions, total), modelled]
    });
    let modelled = model.map_or_else(String::new, |cpu| format!("cycles on {cpu} (modelled)"));
    table(&["kernel", "instructions", "share", &modelled], rows.collect(), 1)
}

/// By step of the plan.
pub(crate) fn layers(counts: &Counts) -> String {
    let rows = counts.steps.iter().map(|step| {
        let of = |class: Class| step.classes.get(&class).copied().unwrap_or(0);
        let sums = of(Class::Dense) + of(Class::Depthwise);
        let mut row = vec![step.layer.clone(), step.kernel.clone()];
        row.extend(CLASSES.map(|class| if of(class) == 0 { "-".to_owned() } else { count(of(class)) }));
        row.extend([count(step.macs), ratio(step.macs, sums)]);
        row
    });
    let mut heading = vec!["layer", "kernel"];
    heading.extend(CLASSES.map(Class::name));
    heading.extend(["MACs", "MACs/instruction"]);
    table(&heading, rows.collect(), 2)
}

/// A kernel's path without what all of them start with.
pub(crate) fn short(path: &str) -> &str {
    let path = path.strip_prefix("int8_kernels::").unwrap_or(path);
    path.strip_prefix("arch::").unwrap_or(path)
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

fn ratio(macs: u64, instructions: u64) -> String {
    if macs == 0 || instructions == 0 { String::new() } else { format!("{:.2}", macs as f64 / instructions as f64) }
}
