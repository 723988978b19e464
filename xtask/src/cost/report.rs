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

#[cfg(test)]
mod tests {
    use super::super::count::Step;
    use super::*;

    const DENSE: &str = "int8_kernels::arch::aarch64::dense_neon::tile";
    const QUANTIZE: &str = "int8_kernels::quantize::quantize_pixels";

    fn counts() -> Counts {
        let step = |layer: &str, kernel: &str, macs: u64, classes: &[(Class, u64)]| Step {
            layer: layer.to_owned(),
            kernel: kernel.to_owned(),
            macs,
            classes: classes.iter().copied().collect(),
        };
        Counts {
            steps: vec![
                step("conv1", "dense_8x8c4__neon", 3_000_000, &[(Class::Dense, 1_500_000), (Class::Rest, 10)]),
                step("prob", "fp32-ref", 0, &[(Class::Rest, 498_990)]),
            ],
            functions: [(DENSE, 1_500_000), (QUANTIZE, 1_000), ("expf", 499_000)]
                .map(|(path, count)| (path.to_owned(), count))
                .into(),
            ..Counts::default()
        }
    }

    /// The words of each line.
    fn words(table: &str) -> Vec<Vec<&str>> {
        table.lines().map(|line| line.split_whitespace().collect()).collect()
    }

    #[test]
    fn classes_have_their_share_and_their_products_per_instruction() {
        let table = classes(&counts());
        let rows = words(&table);
        assert!(rows.contains(&vec!["dense", "1500000", "75.0", "%", "2.00"]), "{table}");
        assert!(rows.contains(&vec!["convert", "1000", "0.1", "%"]), "{table}");
        assert!(rows.contains(&vec!["winograd", "0", "0.0", "%"]), "{table}");
        assert_eq!(rows.last().unwrap(), &["all", "2000000"], "{table}");
    }

    #[test]
    fn kernels_are_sorted_without_their_common_path_and_small_ones_are_left_out() {
        let mut counts = counts();
        let cycles = BTreeMap::from([(DENSE.to_owned(), 700_000)]);
        let table = kernels(&counts, &cycles, Some("cortex-a53"));
        assert!(table.contains("cycles on cortex-a53 (modelled)"), "{table}");
        assert!(
            words(&table).contains(&vec!["aarch64::dense_neon::tile", "1500000", "75.0", "%", "700000"]),
            "{table}"
        );
        assert!(!table.contains("quantize_pixels") && !table.contains("expf"), "{table}");
        // From a fifth of a percent on a kernel is shown, the dearest first.
        counts.functions.insert(QUANTIZE.to_owned(), 2_000_000);
        let table = kernels(&counts, &BTreeMap::new(), None);
        let place = |name: &str| table.find(name).unwrap();
        assert!(place("quantize::quantize_pixels") < place("dense_neon::tile"), "{table}");
        assert!(!table.contains("modelled"), "{table}");
    }

    #[test]
    fn layers_show_the_classes_that_they_have() {
        let table = layers(&counts());
        let rows = words(&table);
        let dense = vec!["conv1", "dense_8x8c4__neon", "1.50", "M", "-", "-", "-", "-", "10", "3.00", "M", "2.00"];
        assert!(rows.contains(&dense), "{table}");
        let float = vec!["prob", "fp32-ref", "-", "-", "-", "-", "-", "499.0", "k", "0"];
        assert!(rows.contains(&float), "{table}");
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        let table = classes(&Counts::default());
        assert!(!table.contains("NaN") && !table.contains("inf"), "{table}");
        assert_eq!([ratio(0, 5), ratio(5, 0), ratio(3, 2)], ["", "", "1.50"]);
        assert_eq!([percent(0, 0), percent(1, 8)], ["0.0 %", "12.5 %"]);
    }

    #[test]
    fn only_the_common_start_of_a_path_is_cut() {
        assert_eq!(short("int8_kernels::arch::x86::avx2::dense"), "x86::avx2::dense");
        assert_eq!(short("int8_kernels::finish::finish_values"), "finish::finish_values");
        assert_eq!([short("memcpy"), short("arch::neon")], ["memcpy", "neon"]);
    }
}
