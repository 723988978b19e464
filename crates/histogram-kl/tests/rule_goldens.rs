//! Every rule against an independent version of it in numpy and scipy (xtask/python/rule_goldens.py).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Rule, divergence};

#[path = "common/textbook.rs"]
mod textbook;

const BINS: usize = Histogram::BINS;

struct Lcg(u32);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u64::from(self.0 >> 8)
    }
}

/// The histogram of that number, with a range of one per bin, and the elements of a tensor.
fn histogram(number: usize) -> (Histogram, u64) {
    let mut lcg = Lcg(77 * (number as u32 + 1));
    let height = 1 << (6 + lcg.next() % 30);
    let factor = 1023 - lcg.next() % 40;
    let mut counts: Vec<u64> =
        std::iter::successors(Some(height), |value| Some((value * factor) >> 10)).take(BINS).collect();
    match number % 8 {
        1 => counts.iter_mut().for_each(|count| *count += lcg.next() % 3),
        2 => {
            let bin = (lcg.next() % BINS as u64) as usize;
            counts[bin] += height * (1 + lcg.next() % 8);
        }
        3 => counts.iter_mut().for_each(|count| {
            let value = lcg.next();
            *count = value >> (lcg.next() % 20);
        }),
        4 => {
            counts.fill(0);
            for _ in 0..=lcg.next() % 60 {
                let count = 1 + lcg.next() % 1000;
                counts[(lcg.next() % BINS as u64) as usize] = count;
            }
        }
        5 => {
            let start = (lcg.next() % 1500) as usize;
            counts[start..start + 200].iter_mut().for_each(|count| *count += (height >> 4) + 1);
        }
        6 => {
            let end = (200 + lcg.next() % 600) as usize;
            counts[end..].fill(0);
            counts[BINS - 1] = 1 + lcg.next() % 5;
        }
        7 => counts.iter_mut().for_each(|count| *count = 100 + lcg.next() % 10),
        _ => {}
    }
    let zeros = if number % 2 == 1 { lcg.next() % (1 << 20) } else { 0 };
    let elements = 2 + lcg.next();
    (Histogram::from_counts(BINS as f32, &counts).unwrap().with_unbinned(zeros, 0), elements)
}

/// Whether two numbers of bins cost the same but for the last digits of a sum in another order.
fn is_tie(rule: Rule, counts: &[u64], kept: [usize; 2]) -> bool {
    let cost = |kept| {
        let [p, q] = textbook::merged(counts, kept).unwrap();
        let middle: Vec<f64> = p.iter().zip(&q).map(|(p, q)| (p + q) / 2.0).collect();
        match rule {
            Rule::KlMerge => divergence(&p, &q),
            Rule::Js => (divergence(&p, &middle) + divergence(&q, &middle)) / 2.0,
            _ => f64::NAN,
        }
    };
    let [a, b] = kept.map(cost);
    (a - b).abs() < 1e-13
}

#[test]
fn every_rule_says_what_numpy_and_scipy_say() {
    let rules = [
        "kl-ncnn",
        "kl-merge",
        "js",
        "mse",
        "percentile:99.9",
        "percentile:99.99",
        "percentile:99.999",
        "aciq-gauss",
        "aciq-laplace",
        "aciq-ncnn",
    ]
    .map(|name| name.parse::<Rule>().unwrap());
    let rows = include_str!("data/rules.tsv").lines().filter(|line| !line.starts_with('#'));
    // The kinds of histogram take turns: every seventh is of every kind, and enough for an emulator.
    let rows: Vec<&str> = rows.step_by(if cfg!(target_arch = "x86_64") { 1 } else { 7 }).collect();
    let count = rows.len();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in rows {
        let mut fields = row.split('\t');
        let number: usize = fields.next().unwrap().parse().unwrap();
        let (histogram, elements) = histogram(number);
        for (rule, expected) in rules.iter().zip(fields) {
            let threshold = rule.threshold_of(&histogram, elements).unwrap();
            let expected: f64 = expected.parse().unwrap();
            let is_search = !rule.to_string().starts_with("aciq");
            let found = if is_search { threshold.bin().unwrap_or(BINS) as f64 } else { f64::from(threshold.value()) };
            let is_same = (found - expected).abs() <= if is_search { 0.0 } else { expected * 1e-6 };
            if !is_same && !is_tie(*rule, histogram.counts(), [found as usize, expected as usize]) {
                wrong.push(format!("{number} {rule}: {found} instead of {expected}"));
            }
            seen += 1;
        }
    }
    assert_eq!(seen, count * rules.len());
    assert!(count == 200 || count == 29);
    assert!(wrong.is_empty(), "{} of {seen}: {wrong:#?}", wrong.len());
}
