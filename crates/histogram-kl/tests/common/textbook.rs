//! The distributions of the textbook's search, bin by bin.

/// P and Q at `kept` bins, each normalised; `None` if no count is inside.
pub(crate) fn merged(counts: &[u64], kept: usize) -> Option<[Vec<f64>; 2]> {
    let mut p: Vec<f64> = counts[..kept].iter().map(|&count| count as f64).collect();
    p[kept - 1] += counts[kept..].iter().sum::<u64>() as f64;
    let (mut mass, mut filled) = (vec![0.0; 128], vec![0.0; 128]);
    for bin in 0..kept {
        mass[bin * 128 / kept] += counts[bin] as f64;
        filled[bin * 128 / kept] += f64::from(u8::from(p[bin] > 0.0));
    }
    let spread = |bin: usize| if p[bin] > 0.0 { mass[bin * 128 / kept] / filled[bin * 128 / kept] } else { 0.0 };
    let q: Vec<f64> = (0..kept).map(spread).collect();
    mass.iter().any(|&mass| mass > 0.0).then(|| {
        [p, q].map(|values| {
            let sum: f64 = values.iter().sum();
            values.iter().map(|value| value / sum).collect()
        })
    })
}
