//! The Kullback–Leibler divergence, in the precision of each search, and what the searches share.

/// Levels of the int8 code that hold positive values.
pub(crate) const LEVELS: usize = 128;

/// `D(P‖Q) = Σ p · ln(p / q)` in nats: how much longer messages from P become when they are coded
/// for Q (cross entropy minus entropy).
///
/// Terms with p = 0 are 0; a term with p > 0 and q = 0 is infinite, since no code for Q can express
/// it. Both slices should sum to 1; surplus elements of the longer one are not looked at.
///
/// ```
/// use histogram_kl::divergence;
/// assert_eq!(divergence(&[0.5, 0.5], &[0.5, 0.5]), 0.0);
/// assert!((divergence(&[1.0, 0.0], &[0.5, 0.5]) - 2f64.ln()).abs() < 1e-15);
/// assert_eq!(divergence(&[0.5, 0.5], &[1.0, 0.0]), f64::INFINITY);
/// ```
pub fn divergence(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).filter(|&(&p, _)| p > 0.0).map(|(&p, &q)| p * (p / q).ln()).sum()
}

/// The sum of ncnn's search: `Σ p · ln(p / q)` from the first element to the last, every operation
/// f32, nothing normalised. All elements must be positive.
pub(crate) fn divergence_f32(p: &[f32], q: &[f32]) -> f32 {
    let mut sum = 0f32;
    // Equal terms follow each other where a tail holds few distinct counts: a logarithm saved.
    let (mut last_p, mut last_q, mut term) = (1f32, 1f32, 0f32);
    for (&p, &q) in p.iter().zip(q) {
        if p != last_p || q != last_q {
            (last_p, last_q) = (p, q);
            term = p * (p / q).ln();
        }
        sum += term;
    }
    sum
}

/// `x · ln x`, continued to 0 at 0.
pub(crate) fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_single_precision_sum_is_close_to_the_double_precision_one() {
        let p = [0.5, 0.25, 0.25, 0.25];
        let q = [0.25, 0.5, 0.125, 0.125];
        let exact = divergence(&p.map(f64::from), &q.map(f64::from));
        assert!((f64::from(divergence_f32(&p, &q)) - exact).abs() < 1e-6);
    }
}
