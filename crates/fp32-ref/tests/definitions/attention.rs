//! Attention: `SDPA`, `MultiHeadAttention` and the rotation of positions.

use crate::support::{Array, Draw, Trial, float};

/// `softmax(scale · q · kᵀ + mask) · v` for one head; all are matrices of rows.
fn attend(q: &Array, k: &Array, v: &Array, mask: Option<&Array>, scale: f64) -> Array {
    let (queries, keys) = (q.dims[0], k.dims[0]);
    Array::build(&[queries, v.dims[1]], |index| {
        let row = index[0];
        let scores: Vec<f64> = (0..keys)
            .map(|key| {
                let score: f64 = (0..q.dims[1]).map(|i| q.at(&[row, i]) * k.at(&[key, i])).sum();
                scale * score + mask.map_or(0.0, |mask| mask.at(&[row, key]))
            })
            .collect();
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
        let total: f64 = shares.iter().sum();
        (0..keys).map(|key| shares[key] / total * v.at(&[key, index[1]])).sum()
    })
}

/// One matrix of an array of rank 3.
fn channel(array: &Array, at: usize) -> Array {
    Array::build(&array.dims[1..], |i| array.at(&[at, i[0], i[1]]))
}

/// `first` and `second` one after another along the rows of each channel.
fn behind(first: &Array, second: &Array) -> Array {
    let rows = first.dims[1];
    Array::build(&[first.dims[0], rows + second.dims[1], first.dims[2]], |i| {
        if i[1] < rows { first.at(i) } else { second.at(&[i[0], i[1] - rows, i[2]]) }
    })
}

fn stacked(heads: &[Array]) -> Array {
    let values = heads.iter().flat_map(|head| head.values.clone()).collect();
    Array::new(&[&[heads.len()], &heads[0].dims[..]].concat(), values)
}

#[test]
fn scaled_dot_product_attention_is_its_formula() {
    for case in 0..120 {
        let mut draw = Draw::new(case);
        let (kv_heads, sharing) = (draw.size(1, 3), draw.size(1, 3));
        let heads = kv_heads * sharing;
        let [queries, keys, width, value_width] = [draw.size(1, 5), draw.size(1, 6), draw.size(1, 8), draw.size(1, 8)];
        let q = draw.array(&[heads, queries, width], -1.0, 1.0);
        let k = draw.array(&[kv_heads, keys, width], -1.0, 1.0);
        let v = draw.array(&[kv_heads, keys, value_width], -1.0, 1.0);
        let scale = draw.pick(&[0.0, 0.5, 2.0]);
        let factor = if scale == 0.0 { 1.0 / (width as f64).sqrt() } else { scale };
        let past = draw.flag().then(|| {
            let before = draw.size(1, 4);
            (draw.array(&[kv_heads, before, width], -1.0, 1.0), draw.array(&[kv_heads, before, value_width], -1.0, 1.0))
        });
        let (all_k, all_v) = match &past {
            Some((past_k, past_v)) => (behind(past_k, &k), behind(past_v, &v)),
            None => (k.clone(), v.clone()),
        };
        // One mask for all heads, or one per head.
        let mask = match draw.size(0, 2) {
            0 => None,
            1 => Some(draw.array(&[queries, all_k.dims[1]], -2.0, 2.0)),
            _ => Some(draw.array(&[heads, queries, all_k.dims[1]], -2.0, 2.0)),
        };
        let outputs: Vec<Array> = (0..heads)
            .map(|head| {
                let own = mask.as_ref().map(|mask| if mask.rank() == 3 { channel(mask, head) } else { mask.clone() });
                let shared = head / sharing;
                attend(&channel(&q, head), &channel(&all_k, shared), &channel(&all_v, shared), own.as_ref(), factor)
            })
            .collect();
        let mut inputs = vec![&q, &k, &v];
        inputs.extend(&mask);
        let mut expected = vec![stacked(&outputs)];
        if let Some((past_k, past_v)) = &past {
            inputs.extend([past_k, past_v]);
            expected.extend([all_k, all_v]);
        }
        let params = format!("5={} 6={} 7={}", u8::from(mask.is_some()), float(scale), u8::from(past.is_some()));
        Trial::new("SDPA", params, &inputs).outputs(expected.len()).gives(&expected);
    }
}

#[test]
fn a_mask_of_minus_infinity_hides_keys() {
    let mut draw = Draw::new(1);
    let q = draw.array(&[2, 3, 4], -1.0, 1.0);
    let k = draw.array(&[2, 3, 4], -1.0, 1.0);
    let v = draw.array(&[2, 3, 4], -1.0, 1.0);
    // A query sees what is not behind it; the first one sees one value and gives it.
    let mask = Array::build(&[3, 3], |i| if i[1] <= i[0] { 0.0 } else { f64::NEG_INFINITY });
    let outputs: Vec<Array> = (0..2)
        .map(|head| {
            Array::build(&[3, 4], |i| {
                let seen = Array::build(&[i[0] + 1, 4], |j| k.at(&[head, j[0], j[1]]));
                let values = Array::build(&[i[0] + 1, 4], |j| v.at(&[head, j[0], j[1]]));
                attend(&channel(&q, head), &seen, &values, None, 0.5).at(i)
            })
        })
        .collect();
    Trial::new("SDPA", "5=1", &[&q, &k, &v, &mask]).gives(&[stacked(&outputs)]);
}

/// `x · wᵀ + b` for every row.
fn projected(x: &Array, weights: &Array, bias: &[f64]) -> Array {
    Array::build(&[x.dims[0], weights.dims[0]], |i| {
        bias[i[1]] + (0..weights.dims[1]).map(|k| x.at(&[i[0], k]) * weights.at(&[i[1], k])).sum::<f64>()
    })
}

fn columns(matrix: &Array, from: usize, count: usize) -> Array {
    Array::build(&[matrix.dims[0], count], |i| matrix.at(&[i[0], from + i[1]]))
}

#[test]
fn multi_head_attention_attends_between_projections() {
    for case in 0..100 {
        let mut draw = Draw::new(1000 + case);
        let (heads, each) = (draw.size(1, 4), draw.size(1, 4));
        let embed = heads * each;
        // Keys default to the queries, values to the keys.
        let sources = draw.size(1, 3);
        let q_width = draw.size(1, 7);
        let k_width = if sources == 1 { q_width } else { draw.size(1, 7) };
        let v_width = if sources < 3 { k_width } else { draw.size(1, 7) };
        let queries = draw.size(1, 5);
        let keys = if sources == 1 { queries } else { draw.size(1, 5) };
        let q = draw.array(&[queries, q_width], -1.0, 1.0);
        let k = if sources == 1 { q.clone() } else { draw.array(&[keys, k_width], -1.0, 1.0) };
        let v = if sources < 3 { k.clone() } else { draw.array(&[keys, v_width], -1.0, 1.0) };
        let [wq, wk, wv] = [q_width, k_width, v_width].map(|width| draw.array(&[embed, width], -1.0, 1.0));
        let wo = draw.array(&[q_width, embed], -1.0, 1.0);
        let [bq, bk, bv] = [(); 3].map(|()| draw.floats(embed, -1.0, 1.0));
        let bo = draw.floats(q_width, -1.0, 1.0);
        let scale = draw.flag().then(|| draw.pick(&[0.25, 1.5]));
        let mask = match draw.size(0, 2) {
            0 => None,
            1 => Some(draw.array(&[queries, keys], -2.0, 2.0)),
            _ => Some(draw.array(&[heads, queries, keys], -2.0, 2.0)),
        };
        let (pq, pk, pv) = (projected(&q, &wq, &bq), projected(&k, &wk, &bk), projected(&v, &wv, &bv));
        let factor = scale.unwrap_or(1.0 / (each as f64).sqrt());
        let attended: Vec<Array> = (0..heads)
            .map(|head| {
                let [pq, pk, pv] = [&pq, &pk, &pv].map(|all| columns(all, head * each, each));
                let own = mask.as_ref().map(|mask| if mask.rank() == 3 { channel(mask, head) } else { mask.clone() });
                attend(&pq, &pk, &pv, own.as_ref(), factor)
            })
            .collect();
        let context = Array::build(&[queries, embed], |i| attended[i[1] / each].at(&[i[0], i[1] % each]));
        let expected = projected(&context, &wo, &bo);
        let mut params = format!("0={embed} 1={heads} 2={} 3={k_width} 4={v_width}", embed * q_width);
        if let Some(scale) = scale {
            params += &format!(" 6={}", float(scale));
        }
        let mut inputs = vec![&q, &k, &v];
        inputs.truncate(sources);
        if let Some(mask) = &mask {
            params += " 5=1";
            inputs.push(mask);
        }
        let weights = [&wq.values[..], &bq, &wk.values, &bk, &wv.values, &bv, &wo.values, &bo];
        Trial::new("MultiHeadAttention", params, &inputs).weights(&weights).gives(&[expected]);
    }
}

#[test]
fn a_cache_of_keys_and_values_gives_what_one_long_call_gives() {
    for case in 0..20 {
        let mut draw = Draw::new(2000 + case);
        let (heads, each) = (draw.size(1, 3), draw.size(1, 4));
        let embed = heads * each;
        let rows = draw.size(2, 6);
        let first = draw.size(1, rows - 1);
        let x = draw.array(&[rows, embed], -1.0, 1.0);
        let weights: Vec<Vec<f64>> =
            (0..8).map(|at| draw.floats(if at % 2 == 0 { embed * embed } else { embed }, -1.0, 1.0)).collect();
        let weights: Vec<&[f64]> = weights.iter().map(Vec::as_slice).collect();
        let params = format!("0={embed} 1={heads} 2={} 5=1 7=1", embed * embed);
        // Both calls see all rows up to their last one; the past begins with one row that nobody sees.
        let part = |from: usize, to: usize| Array::build(&[to - from, embed], |i| x.at(&[from + i[0], i[1]]));
        let hidden = |queries: usize, keys: usize| {
            Array::build(&[queries, keys], |i| if i[1] == 0 { f64::NEG_INFINITY } else { 0.0 })
        };
        let none = Array::build(&[embed, 1], |_| 0.0);
        let run = |x: &Array, past: [&Array; 2]| {
            let keys = past[0].dims[1] + x.dims[0];
            let mask = hidden(x.dims[0], keys);
            Trial::new("MultiHeadAttention", params.clone(), &[x, &mask, past[0], past[1]])
                .weights(&weights)
                .outputs(3)
                .run()
                .unwrap()
        };
        let whole = run(&x, [&none, &none]);
        let begin = run(&part(0, first), [&none, &none]);
        let end = run(&part(first, rows), [&begin[1], &begin[2]]);
        assert_eq!((&end[1], &end[2]), (&whole[1], &whole[2]), "caches of case {case}");
        let tail = Array::build(&end[0].dims, |i| whole[0].at(&[first + i[0], i[1]]));
        for (found, expected) in end[0].values.iter().zip(&tail.values) {
            assert!((found - expected).abs() < 1e-5, "case {case}: {found} is not {expected}");
        }
    }
}

#[test]
fn rotary_embed_turns_pairs_of_values() {
    let mut draw = Draw::new(3);
    for interleaved in [0, 1] {
        for _ in 0..20 {
            let [heads, rows, half] = [draw.size(1, 4), draw.size(1, 5), draw.size(1, 5)];
            let x = draw.array(&[heads, rows, 2 * half], -1.0, 1.0);
            let angles = draw.array(&[rows, half], -3.0, 3.0);
            let [cos, sin] = [f64::cos as fn(f64) -> f64, f64::sin].map(|f| angles.map(|x| f64::from(f(x) as f32)));
            let expected = Array::build(&x.dims, |i| {
                let (pair, second) =
                    if interleaved == 1 { (i[2] / 2, i[2] % 2 == 1) } else { (i[2] % half, i[2] >= half) };
                let (low, high) = if interleaved == 1 { (2 * pair, 2 * pair + 1) } else { (pair, pair + half) };
                let [a, b] = [low, high].map(|at| x.at(&[i[0], i[1], at]));
                let [c, s] = [&cos, &sin].map(|table| table.at(&[i[1], pair]));
                if second { a * s + b * c } else { a * c - b * s }
            });
            Trial::new("RotaryEmbed", format!("0={interleaved}"), &[&x, &cos, &sin]).gives(&[expected]);
        }
    }
}
