//! Detection heads: default boxes, decoding, and what stays when overlaps go.

use crate::support::{Array, Draw, Trial, float, floats};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Left, top, right, bottom.
type Corners = [f64; 4];

fn centered(x: f64, y: f64, w: f64, h: f64) -> Corners {
    [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]
}

fn area([left, top, right, bottom]: Corners) -> f64 {
    (right - left) * (bottom - top)
}

/// Intersection over union.
fn overlap(a: Corners, b: Corners) -> f64 {
    let shared = [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])];
    if shared[2] < shared[0] || shared[3] < shared[1] {
        return 0.0;
    }
    area(shared) / (area(a) + area(b) - area(shared))
}

#[derive(Debug, Clone, Copy)]
struct Found {
    label: f64,
    score: f64,
    corners: Corners,
}

/// The strongest first, without those that overlap a stronger one of the list by more than `limit`.
fn suppressed(mut found: Vec<Found>, limit: f64, before: usize) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(before);
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.iter().all(|other| overlap(one.corners, other.corners) <= limit) {
            kept.push(one);
        }
    }
    kept
}

/// One row per box; a row of -1 stands for none.
fn rows(found: &[Found]) -> Array {
    if found.is_empty() {
        return Array::new(&[1, 6], vec![-1.0; 6]);
    }
    let values = found.iter().flat_map(|one| [&[one.label, one.score], &one.corners[..]].concat()).collect();
    Array::new(&[found.len(), 6], values)
}

#[test]
fn prior_boxes_stand_around_the_centre_of_every_cell() {
    for case in 0..80 {
        let mut draw = Draw::new(case);
        let [h, w] = [draw.size(1, 4), draw.size(1, 4)];
        let (image_h, image_w) = (draw.size(16, 64), draw.size(16, 64));
        let count = draw.size(1, 3);
        let mins = draw.floats(count, 2.0, 10.0);
        let maxes = draw.flag().then(|| draw.floats(count, 10.0, 30.0));
        let ratio_count = draw.size(0, 2);
        let ratios = draw.floats(ratio_count, 1.5, 3.0);
        let (flip, clip, whole, from_step) = (draw.flag(), draw.flag(), draw.flag(), draw.flag());
        let offset = draw.pick(&[0.0, 0.5]);
        let variances = draw.floats(4, 0.05, 0.5);
        let own_step = draw.flag().then(|| [draw.pick(&[4.0, 8.0]), draw.pick(&[4.0, 16.0])]);
        let by_blob = draw.flag();
        let step = own_step.unwrap_or_else(|| {
            [image_w as f64 / w as f64, image_h as f64 / h as f64].map(|step| if whole { step.ceil() } else { step })
        });
        let mut sizes = Vec::new();
        for (at, &min) in mins.iter().enumerate() {
            sizes.push([min, min]);
            sizes.extend(maxes.as_ref().map(|maxes| [(min * maxes[at]).sqrt(); 2]));
            for ratio in &ratios {
                sizes.push([min * ratio.sqrt(), min / ratio.sqrt()]);
                if flip {
                    sizes.push([min / ratio.sqrt(), min * ratio.sqrt()]);
                }
            }
        }
        let mut values = Vec::new();
        for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
            let first = step.map(|step| offset * if from_step { step - 1.0 } else { step });
            let (x, y) = (first[0] + column as f64 * step[0], first[1] + row as f64 * step[1]);
            for [box_w, box_h] in &sizes {
                let [left, top, right, bottom] = centered(x, y, *box_w, *box_h);
                let (image_w, image_h) = (image_w as f64, image_h as f64);
                values.extend([left / image_w, top / image_h, right / image_w, bottom / image_h]);
            }
        }
        if clip {
            values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        }
        let len = values.len();
        values.extend(variances.iter().cycle().take(len));
        let mut params = format!(
            "{} 3={} 4={} 5={} 6={} 7={} 8={} 13={} 14={} 15={}",
            floats(0, &mins),
            float(variances[0]),
            float(variances[1]),
            float(variances[2]),
            float(variances[3]),
            u8::from(flip),
            u8::from(clip),
            float(offset),
            u8::from(whole),
            u8::from(from_step)
        );
        if let Some(maxes) = &maxes {
            params += &format!(" {}", floats(1, maxes));
        }
        if !ratios.is_empty() {
            params += &format!(" {}", floats(2, &ratios));
        }
        if let Some([x, y]) = own_step {
            params += &format!(" 11={} 12={}", float(x), float(y));
        }
        params += &if by_blob { " 9=-233 10=-233".to_owned() } else { format!(" 9={image_w} 10={image_h}") };
        let map = Array::build(&[3, h, w], |_| 0.0);
        let image = Array::build(&[1, image_h, image_w], |_| 0.0);
        Trial::new("PriorBox", params, &[&map, &image]).gives(&[Array::new(&[2, len], values)]);
    }
}

#[test]
fn prior_boxes_of_mxnet_have_the_first_size_in_the_other_ratios() {
    for case in 0..40 {
        let mut draw = Draw::new(300 + case);
        let [h, w] = [draw.size(1, 4), draw.size(1, 4)];
        let (size_count, ratio_count) = (draw.size(1, 3), draw.size(0, 2));
        let sizes = draw.floats(size_count, 0.1, 0.6);
        // The first ratio is taken to be 1, whatever it is.
        let ratios = [&[1.0], &draw.floats(ratio_count, 0.5, 3.0)[..]].concat();
        let (offset, clip) = (draw.pick(&[0.0, 0.5]), draw.flag());
        let mut values = Vec::new();
        for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
            let (x, y) = ((column as f64 + offset) / w as f64, (row as f64 + offset) / h as f64);
            let squeeze = h as f64 / w as f64;
            for size in &sizes {
                values.extend(centered(x, y, size * squeeze, *size));
            }
            for ratio in &ratios[1..] {
                values.extend(centered(x, y, sizes[0] * squeeze * ratio.sqrt(), sizes[0] / ratio.sqrt()));
            }
        }
        if clip {
            values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        }
        let params = format!(
            "{} {} 8={} 9=-233 10=-233 13={}",
            floats(0, &sizes),
            floats(2, &ratios),
            u8::from(clip),
            float(offset)
        );
        let map = Array::build(&[1, h, w], |_| 0.0);
        Trial::new("PriorBox", params, &[&map]).gives(&[Array::row(&values)]);
    }
}

#[test]
fn an_ssd_head_decodes_priors_and_drops_overlaps_class_by_class() {
    for case in 0..120 {
        let mut draw = Draw::new(600 + case);
        let (classes, priors) = (draw.size(2, 4), draw.size(1, 24));
        let threshold = draw.pick(&[0.3, 0.45, 0.7]);
        let (nms, top, keep) = (draw.pick(&[0.1, 0.3, 0.6]), draw.pick(&[2, 5, 300]), draw.pick(&[1, 4, 100]));
        let location = draw.array(&[4 * priors], -1.0, 1.0);
        // Scores of the classes, which sum to 1 in a network but need not here.
        let confidence = draw.array(&[classes * priors], 0.0, 1.0);
        let boxes: Vec<f64> = (0..priors)
            .flat_map(|_| {
                let (x, y) = (draw.float(0.2, 0.8), draw.float(0.2, 0.8));
                let (w, h) = (draw.float(0.1, 0.5), draw.float(0.1, 0.5));
                centered(x, y, w, h).map(|edge| f64::from(edge as f32))
            })
            .collect();
        let variances = draw.floats(4 * priors, 0.05, 0.3);
        let prior = Array::new(&[2, 4 * priors], [&boxes[..], &variances].concat());
        let decoded: Vec<Corners> = (0..priors)
            .map(|at| {
                let of = |values: &[f64]| [0, 1, 2, 3].map(|part| values[4 * at + part]);
                let ([left, top, right, bottom], moves, v) = (of(&boxes), of(&location.values), of(&variances));
                // Where the background is certain the box stays empty.
                if confidence.values[at * classes] >= 1.0 - threshold {
                    return [0.0; 4];
                }
                let (w, h) = (right - left, bottom - top);
                centered(
                    (left + right) / 2.0 + v[0] * moves[0] * w,
                    (top + bottom) / 2.0 + v[1] * moves[1] * h,
                    (v[2] * moves[2]).exp() * w,
                    (v[3] * moves[3]).exp() * h,
                )
            })
            .collect();
        let mut found = Vec::new();
        let mut empty = false;
        for class in 1..classes {
            let strong: Vec<Found> = (0..priors)
                .map(|at| Found {
                    label: class as f64,
                    score: confidence.values[at * classes + class],
                    corners: decoded[at],
                })
                .filter(|one| one.score > threshold)
                .collect();
            empty |= strong.iter().filter(|one| area(one.corners) == 0.0).count() > 1;
            found.extend(suppressed(strong, nms, top));
        }
        // Several boxes without an area hide each other in ncnn, which is no overlap.
        if empty {
            continue;
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(keep);
        let params = format!("0={classes} 1={} 2={top} 3={keep} 4={}", float(nms), float(threshold));
        Trial::new("DetectionOutput", params, &[&location, &confidence, &prior]).gives(&[rows(&found)]);
    }
}

#[test]
fn a_proposal_moves_anchors_and_keeps_the_strongest() {
    for case in 0..40 {
        let mut draw = Draw::new(900 + case);
        let [h, w] = [draw.size(1, 3), draw.size(1, 3)];
        let (stride, base) = (draw.pick(&[8, 16]), 16.0_f64);
        let (before, after) = (draw.pick(&[5, 30, 6000]), draw.pick(&[1, 4, 300]));
        let (nms, least) = (draw.pick(&[0.3, 0.7]), draw.pick(&[4, 16]));
        let scores = draw.array(&[18, h, w], 0.0, 1.0);
        let moves = draw.array(&[36, h, w], -0.4, 0.4);
        let info = Array::row(&[draw.pick(&[128.0, 300.0]), draw.pick(&[160.0, 400.0]), draw.pick(&[1.0, 1.5])]);
        let mut found = Vec::new();
        for (number, (ratio, scale)) in
            [0.5_f64, 1.0, 2.0].iter().flat_map(|ratio| [8.0, 16.0, 32.0].map(|scale| (ratio, scale))).enumerate()
        {
            let width = (base / ratio.sqrt()).round();
            let height = (width * ratio).round();
            let (width, height) = (width * scale, height * scale);
            for (row, column) in (0..h).flat_map(|row| (0..w).map(move |column| (row, column))) {
                let change = |part: usize| moves.at(&[4 * number + part, row, column]);
                let corners = centered(
                    base / 2.0 + (column * stride) as f64 + width * change(0),
                    base / 2.0 + (row * stride) as f64 + height * change(1),
                    width * change(2).exp(),
                    height * change(3).exp(),
                );
                let [image_h, image_w, zoom] = info.values[..] else { unreachable!() };
                let limits = [image_w, image_h, image_w, image_h];
                let corners = [0, 1, 2, 3].map(|at: usize| corners[at].clamp(0.0, limits[at] - 1.0));
                let smallest = least as f64 * zoom;
                if corners[2] - corners[0] + 1.0 >= smallest && corners[3] - corners[1] + 1.0 >= smallest {
                    found.push(Found { label: 0.0, score: scores.at(&[9 + number, row, column]), corners });
                }
            }
        }
        let mut kept = suppressed(found, nms, before);
        kept.truncate(after);
        let params = format!("0={stride} 1=16 2={before} 3={after} 4={} 5={least}", float(nms));
        let trial = Trial::new("Proposal", params, &[&scores, &moves, &info]);
        if kept.is_empty() {
            trial.refused();
            continue;
        }
        let corners = kept.iter().flat_map(|one| one.corners).collect();
        let strengths = kept.iter().map(|one| one.score).collect();
        trial.outputs(2).gives(&[Array::new(&[kept.len(), 1, 4], corners), Array::new(&[kept.len(), 1, 1], strengths)]);
    }
}

/// A value of an anchor at a cell of a YOLO head.
fn yolo(head: &Array, classes: usize, anchor: usize, part: usize, [row, column]: [usize; 2]) -> f64 {
    head.at(&[anchor * (5 + classes) + part, row, column])
}

/// Every anchor at every cell.
fn places(anchors: usize, head: &Array) -> Vec<(usize, [usize; 2])> {
    let (h, w) = (head.dims[1], head.dims[2]);
    (0..anchors).flat_map(|anchor| (0..h * w).map(move |cell| (anchor, [cell / w, cell % w]))).collect()
}

#[test]
fn a_yolo_v2_head_gives_boxes_by_confidence_and_class() {
    for case in 0..80 {
        let mut draw = Draw::new(1200 + case);
        let (classes, anchors) = (draw.size(1, 4), draw.size(1, 3));
        let biases = draw.floats(2 * anchors, 0.5, 3.0);
        let (confidence, nms) = (draw.pick(&[0.01, 0.2, 0.5]), draw.pick(&[0.2, 0.45, 0.8]));
        let mut found = Vec::new();
        let heads: Vec<Array> = (0..draw.size(1, 2))
            .collect::<Vec<_>>()
            .iter()
            .map(|_| {
                let (h, w) = (draw.size(1, 4), draw.size(1, 4));
                draw.array(&[anchors * (5 + classes), h, w], -2.0, 2.0)
            })
            .collect();
        for head in &heads {
            let (h, w) = (head.dims[1] as f64, head.dims[2] as f64);
            for (anchor, place) in places(anchors, head) {
                let value = |part: usize| yolo(head, classes, anchor, part, place);
                let total: f64 = (0..classes).map(|class| value(5 + class).exp()).sum();
                let shares: Vec<f64> = (0..classes).map(|class| value(5 + class).exp() / total).collect();
                let class = (0..classes).max_by(|&a, &b| shares[a].total_cmp(&shares[b])).unwrap();
                let score = sigmoid(value(4)) * shares[class];
                if score >= confidence {
                    let corners = centered(
                        (place[1] as f64 + sigmoid(value(0))) / w,
                        (place[0] as f64 + sigmoid(value(1))) / h,
                        value(2).exp() * biases[2 * anchor] / w,
                        value(3).exp() * biases[2 * anchor + 1] / h,
                    );
                    found.push(Found { label: class as f64 + 1.0, score, corners });
                }
            }
        }
        let kept = suppressed(found, nms, usize::MAX);
        let params = format!("0={classes} 1={anchors} 2={} 3={} {}", float(confidence), float(nms), floats(4, &biases));
        let inputs: Vec<&Array> = heads.iter().collect();
        Trial::new("YoloDetectionOutput", params, &inputs).gives(&[rows(&kept)]);
    }
}

#[test]
fn yolo_v3_heads_share_anchors_by_mask() {
    for case in 0..80 {
        let mut draw = Draw::new(1500 + case);
        let (classes, boxes, inputs) = (draw.size(1, 4), draw.size(1, 3), draw.size(1, 3));
        let anchors = boxes * inputs;
        let biases = draw.floats(2 * anchors, 8.0, 60.0);
        let mask: Vec<f64> = (0..anchors).map(|_| draw.size(0, anchors - 1) as f64).collect();
        let scales: Vec<f64> = (0..inputs).map(|_| draw.pick(&[8.0, 16.0, 32.0])).collect();
        let (confidence, nms) = (draw.pick(&[0.01, 0.2, 0.5]), draw.pick(&[0.2, 0.45, 0.8]));
        let heads: Vec<Array> = (0..inputs)
            .map(|_| {
                let (h, w) = (draw.size(1, 4), draw.size(1, 4));
                draw.array(&[boxes * (5 + classes), h, w], -2.0, 2.0)
            })
            .collect();
        let mut found = Vec::new();
        for (number, head) in heads.iter().enumerate() {
            let (h, w) = (head.dims[1] as f64, head.dims[2] as f64);
            for (anchor, place) in places(boxes, head) {
                let value = |part: usize| yolo(head, classes, anchor, part, place);
                let class = (0..classes).max_by(|&a, &b| value(5 + a).total_cmp(&value(5 + b))).unwrap();
                // 1 / ((1 + e^-a) (1 + e^-b)) without the middle term, as ncnn computes it.
                let score = 1.0 / (1.0 + (-value(4)).exp() * (1.0 + (-value(5 + class)).exp()));
                if score >= confidence {
                    let bias = mask[number * boxes + anchor] as usize;
                    let corners = centered(
                        (place[1] as f64 + sigmoid(value(0))) / w,
                        (place[0] as f64 + sigmoid(value(1))) / h,
                        value(2).exp() * biases[2 * bias] / (scales[number] * w),
                        value(3).exp() * biases[2 * bias + 1] / (scales[number] * h),
                    );
                    found.push(Found { label: class as f64 + 1.0, score, corners });
                }
            }
        }
        let kept = suppressed(found, nms, usize::MAX);
        let params = format!(
            "0={classes} 1={boxes} 2={} 3={} {} {} {}",
            float(confidence),
            float(nms),
            floats(4, &biases),
            floats(5, &mask),
            floats(6, &scales)
        );
        let inputs: Vec<&Array> = heads.iter().collect();
        Trial::new("Yolov3DetectionOutput", params, &inputs).gives(&[rows(&kept)]);
    }
}

#[test]
fn blobs_that_do_not_belong_together_are_refused() {
    let blob = |dims: &[usize]| Array::build(dims, |_| 0.5);
    let ssd = |location: &[usize], confidence: &[usize], priors: &[usize]| {
        Trial::new("DetectionOutput", "0=3", &[&blob(location), &blob(confidence), &blob(priors)])
    };
    ssd(&[8], &[6], &[2, 8]).run().unwrap();
    ssd(&[4], &[6], &[2, 8]).refused();
    ssd(&[8], &[5], &[2, 8]).refused();
    ssd(&[8], &[6], &[1, 8]).refused();
    Trial::new("DetectionOutput", "0=0", &[&blob(&[8]), &blob(&[6]), &blob(&[2, 8])]).refused();
    let two = floats(4, &[1.0, 1.0]);
    Trial::new("YoloDetectionOutput", format!("0=2 1=1 {two}"), &[&blob(&[6, 2, 2])]).refused();
    Trial::new("YoloDetectionOutput", format!("0=2 1=2 {two}"), &[&blob(&[14, 2, 2])]).refused();
    Trial::new("YoloDetectionOutput", format!("0=2 1=0 {two}"), &[&blob(&[7, 2, 2])]).refused();
    let v3 = |mask: f64, scales: &[f64]| {
        let params = format!("0=2 1=1 {two} {} {}", floats(5, &[mask]), floats(6, scales));
        Trial::new("Yolov3DetectionOutput", params, &[&blob(&[7, 2, 2])])
    };
    v3(0.0, &[8.0]).run().unwrap();
    v3(1.0, &[8.0]).refused();
    v3(-1.0, &[8.0]).refused();
    Trial::new("PriorBox", "9=10 10=10", &[&blob(&[1, 2, 2])]).refused();
    Trial::new("PriorBox", format!("{} {}", floats(0, &[1.0]), floats(1, &[2.0, 3.0])), &[&blob(&[1, 2, 2])]).refused();
    Trial::new("Proposal", "", &[&blob(&[18, 2, 2]), &blob(&[36, 2, 3]), &blob(&[3])]).refused();
    Trial::new("Proposal", "", &[&blob(&[17, 2, 2]), &blob(&[36, 2, 2]), &blob(&[3])]).refused();
}
