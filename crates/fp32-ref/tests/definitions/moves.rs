//! Layers that move values and compute none.

use crate::support::{Array, Draw, Trial, floats, indices, ints, with};

/// A value that tells its place.
fn numbered(dims: &[usize]) -> Array {
    Array::new(dims, (0..dims.iter().product::<usize>()).map(|at| at as f64).collect())
}

/// As an index of the innermost dimension counted from the other side.
fn from_the_end(axis: usize, rank: usize) -> i64 {
    axis as i64 - rank as i64
}

/// `input` from `starts` on.
fn part(input: &Array, starts: &[usize], dims: &[usize]) -> Array {
    Array::build(dims, |index| {
        let place: Vec<usize> = index.iter().zip(starts).map(|(at, start)| at + start).collect();
        input.at(&place)
    })
}

#[test]
fn concat_joins_along_every_axis() {
    let mut draw = Draw::new(1);
    for rank in 1..=4 {
        for axis in 0..rank {
            for count in 1..=4 {
                let dims = draw.dims(rank, 5);
                let blobs: Vec<Array> = (0..count)
                    .map(|_| draw.size(1, 4))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|size| draw.array(&with(&dims, axis, size), -1.0, 1.0))
                    .collect();
                let inputs: Vec<&Array> = blobs.iter().collect();
                let total = blobs.iter().map(|blob| blob.dims[axis]).sum();
                let expected = Array::build(&with(&dims, axis, total), |index| {
                    let mut at = index[axis];
                    let mut from = blobs.iter();
                    loop {
                        let blob = from.next().unwrap();
                        if at < blob.dims[axis] {
                            return blob.at(&with(index, axis, at));
                        }
                        at -= blob.dims[axis];
                    }
                });
                for written in [axis as i64, from_the_end(axis, rank)] {
                    Trial::new("Concat", format!("0={written}"), &inputs).gives(&expected);
                }
            }
        }
    }
}

#[test]
fn concat_refuses_blobs_of_other_sizes_or_ranks() {
    let (a, b) = (numbered(&[2, 3, 4]), numbered(&[2, 3, 5]));
    Trial::new("Concat", "0=0", &[&a, &b]).refused();
    Trial::new("Concat", "0=1", &[&a, &b]).refused();
    Trial::new("Concat", "0=2", &[&a, &b])
        .gives(&[Array::build(&[2, 3, 9], |i| if i[2] < 4 { a.at(i) } else { b.at(&with(i, 2, i[2] - 4)) })]);
    Trial::new("Concat", "0=0", &[&a, &numbered(&[3, 4])]).refused();
    Trial::new("Concat", "0=3", &[&a, &a]).refused();
    Trial::new("Concat", "0=-4", &[&a, &a]).refused();
}

#[test]
fn slice_cuts_along_every_axis_by_sizes_and_by_positions() {
    let mut draw = Draw::new(2);
    for rank in 1..=4 {
        for axis in 0..rank {
            for count in 1..=4_usize {
                let sizes: Vec<usize> = (0..count).map(|_| draw.size(1, 4)).collect();
                let dims = with(&draw.dims(rank, 4), axis, sizes.iter().sum());
                let input = numbered(&dims);
                let ends: Vec<usize> = (1..=count).map(|n| sizes[..n].iter().sum()).collect();
                let pieces: Vec<Array> = sizes
                    .iter()
                    .zip(&ends)
                    .map(|(&size, end)| part(&input, &with(&vec![0; rank], axis, end - size), &with(&dims, axis, size)))
                    .collect();
                let axis = draw.pick(&[axis as i64, from_the_end(axis, rank)]);
                let whole: Vec<i64> = sizes.iter().map(|&size| size as i64).collect();
                let slice = |params: String| Trial::new("Slice", params, &[&input]).outputs(count);
                slice(format!("{} 1={axis}", ints(0, &whole))).gives(&pieces);
                // The last takes what is left.
                let open = [&whole[..count - 1], &[-233]].concat();
                slice(format!("{} 1={axis}", ints(0, &open))).gives(&pieces);
                if count > 1 {
                    let total = ends[count - 1] as i64;
                    let cuts: Vec<i64> = ends[..count - 1].iter().map(|&end| end as i64).collect();
                    slice(format!("{} 1={axis}", ints(2, &cuts))).gives(&pieces);
                    let behind: Vec<i64> = cuts.iter().map(|cut| cut - total).collect();
                    slice(format!("{} 1={axis}", ints(2, &behind))).gives(&pieces);
                }
            }
        }
    }
}

#[test]
fn equal_shares_of_a_slice_leave_the_rest_to_the_last() {
    for (size, count) in [(6, 3), (7, 3), (8, 3), (9, 4), (5, 5), (11, 4)] {
        let input = numbered(&[size, 2, 3]);
        let mut start = 0;
        let pieces: Vec<Array> = (0..count)
            .map(|number| {
                let share = (size - start) / (count - number);
                start += share;
                part(&input, &[start - share, 0, 0], &[share, 2, 3])
            })
            .collect();
        assert_eq!(start, size);
        Trial::new("Slice", ints(0, &vec![-233; count]), &[&input]).outputs(count).gives(&pieces);
    }
}

#[test]
fn a_slice_beyond_the_end_is_refused() {
    let input = numbered(&[4, 3]);
    for sizes in [&[3, 2][..], &[5, -233], &[0, 4], &[4, -233], &[-1, 5]] {
        Trial::new("Slice", ints(0, sizes), &[&input]).outputs(sizes.len()).refused();
    }
    for cuts in [&[0][..], &[4], &[-5], &[5]] {
        Trial::new("Slice", ints(2, cuts), &[&input]).outputs(2).refused();
    }
}

/// Ids of the parameters of `Crop` per axis, outermost first: offset, size, offset from the end.
fn crop_ids(rank: usize) -> &'static [[u8; 3]] {
    const C: [u8; 3] = [2, 5, 8];
    const D: [u8; 3] = [13, 14, 15];
    const H: [u8; 3] = [1, 4, 7];
    const W: [u8; 3] = [0, 3, 6];
    match rank {
        1 => &[W],
        2 => &[H, W],
        3 => &[C, H, W],
        _ => &[C, D, H, W],
    }
}

/// A box inside of a blob.
fn crop_box(draw: &mut Draw, dims: &[usize]) -> (Vec<usize>, Vec<usize>) {
    dims.iter()
        .map(|&size| {
            let len = draw.size(1, size);
            (draw.size(0, size - len), len)
        })
        .unzip()
}

#[test]
fn crop_takes_a_box_however_it_is_given() {
    let mut draw = Draw::new(3);
    for rank in (1..=4).cycle().take(60) {
        let dims = draw.dims(rank, 6);
        let input = numbered(&dims);
        let (starts, sizes) = crop_box(&mut draw, &dims);
        let expected = [part(&input, &starts, &sizes)];
        let crop = |params: String| Trial::new("Crop", params, &[&input]).gives(&expected);
        let axes = || crop_ids(rank).iter().enumerate();
        // Offsets and sizes.
        crop(axes().map(|(i, id)| format!("{}={} {}={} ", id[0], starts[i], id[1], sizes[i])).collect());
        // Offsets from both ends; sizes are limits, or -233 for none. With all sizes and end offsets
        // 0 the box would come from a second blob.
        let end = |i: usize| dims[i] - starts[i] - sizes[i];
        crop(axes().map(|(i, id)| format!("{}={} {}=-233 {}={} ", id[0], starts[i], id[1], id[2], end(i))).collect());
        // A size that is too large is cut.
        crop(axes().map(|(i, id)| format!("{}={} {}=99 {}={} ", id[0], starts[i], id[1], id[2], end(i))).collect());
        // As numpy does, also counted from the end.
        let from: Vec<i64> = starts.iter().map(|&start| start as i64).collect();
        let to: Vec<i64> = starts.iter().zip(&sizes).map(|(start, size)| (start + size) as i64).collect();
        crop(format!("{} {}", ints(9, &from), ints(10, &to)));
        let all: Vec<i64> = (0..rank as i64).collect();
        crop(format!("{} {} {}", ints(9, &from), ints(10, &to), ints(11, &all)));
        let negative = |at: i64, i: usize| if at == 0 || at == dims[i] as i64 { -233 } else { at - dims[i] as i64 };
        let behind: Vec<i64> = (0..rank).map(|i| negative(from[i], i)).collect();
        let until: Vec<i64> = (0..rank).map(|i| negative(to[i], i)).collect();
        let turned: Vec<i64> = (0..rank).map(|i| from_the_end(i, rank)).collect();
        crop(format!("{} {} {}", ints(9, &behind), ints(10, &until), ints(11, &turned)));
        // Ends behind the last element are the end.
        let far: Vec<i64> = (0..rank).map(|i| if to[i] == dims[i] as i64 { 1000 } else { to[i] }).collect();
        crop(format!("{} {}", ints(9, &from), ints(10, &far)));
    }
}

#[test]
fn crop_leaves_axes_alone_that_are_not_named() {
    let mut draw = Draw::new(4);
    for rank in 1..=4 {
        for axis in 0..rank {
            let dims = vec![5; rank];
            let input = numbered(&dims);
            let (start, len) = (draw.size(0, 3), 1);
            let expected = part(&input, &with(&vec![0; rank], axis, start), &with(&dims, axis, len));
            let params = format!(
                "{} {} {}",
                ints(9, &[start as i64]),
                ints(10, &[(start + len) as i64]),
                ints(11, &[draw.pick(&[axis as i64, from_the_end(axis, rank)])])
            );
            Trial::new("Crop", params, &[&input]).gives(&[expected]);
        }
    }
}

#[test]
fn crop_takes_its_size_from_a_second_blob() {
    let mut draw = Draw::new(5);
    for rank in (1..=4).cycle().take(24) {
        let dims = draw.dims(rank, 6);
        let input = numbered(&dims);
        let (starts, sizes) = crop_box(&mut draw, &dims);
        let params: String =
            crop_ids(rank).iter().zip(&starts).map(|(id, start)| format!("{}={start} ", id[0])).collect();
        let reference = numbered(&sizes);
        Trial::new("Crop", params, &[&input, &reference]).gives(&[part(&input, &starts, &sizes)]);
    }
}

#[test]
fn a_crop_outside_of_the_blob_is_refused() {
    let input = numbered(&[4, 5]);
    for params in ["0=5 3=1 4=1", "1=4 3=1 4=1", "0=-1 3=1 4=1", "6=5 3=-233 4=-233", "1=2 7=2 3=-233 4=-233"] {
        Trial::new("Crop", params, &[&input]).refused();
    }
    for (starts, ends) in [(&[3][..], &[3][..]), (&[4], &[5]), (&[2], &[1]), (&[-5], &[2]), (&[0], &[-4])] {
        Trial::new("Crop", format!("{} {}", ints(9, starts), ints(10, ends)), &[&input]).refused();
        Trial::new("Crop", format!("{} {} {}", ints(9, starts), ints(10, ends), ints(11, &[0])), &[&input]).refused();
    }
    Trial::new("Crop", "0=1", &[&input, &numbered(&[4, 5])]).refused();
}

#[test]
fn reshape_gives_every_shape_of_the_same_volume() {
    let volume = 24;
    let sources: [&[usize]; 5] = [&[24], &[4, 6], &[2, 3, 4], &[1, 24, 1], &[2, 1, 3, 4]];
    // Ids of the sizes, outermost first.
    let ids: [&[u8]; 4] = [&[0], &[1, 0], &[2, 1, 0], &[2, 11, 1, 0]];
    for source in sources {
        let input = numbered(source);
        for rank in 1..=4 {
            for dims in indices(&vec![volume; rank])
                .into_iter()
                .map(|at| at.iter().map(|at| at + 1).collect::<Vec<_>>())
                .filter(|dims| dims.iter().product::<usize>() == volume)
            {
                // Half of the shapes of rank 4 tell as much as all.
                if rank == 4 && dims[0] + dims[3] > 8 {
                    continue;
                }
                let written = |skipped: Option<usize>| -> String {
                    let size = |(at, id): (usize, &u8)| {
                        if skipped == Some(at) { format!("{id}=-1 ") } else { format!("{id}={} ", dims[at]) }
                    };
                    ids[rank - 1].iter().enumerate().map(size).collect()
                };
                Trial::new("Reshape", written(None), &[&input]).gives(&[input.reshaped(&dims)]);
                let skipped = (dims[0] + rank) % rank;
                Trial::new("Reshape", written(Some(skipped)), &[&input]).gives(&[input.reshaped(&dims)]);
            }
        }
    }
}

#[test]
fn reshape_copies_sizes_and_counts_what_is_left() {
    let table: [(&[usize], &str, &[usize]); 9] = [
        (&[2, 3, 4], "0=0 1=0 2=0", &[2, 3, 4]),
        (&[2, 3, 4], "0=0 1=-1", &[6, 4]),
        (&[2, 3, 4], "0=-1 1=0", &[3, 8]),
        (&[2, 3, 4], "0=-1 1=1 2=0", &[2, 1, 12]),
        (&[2, 3, 4], "0=-1", &[24]),
        (&[4, 6], "0=0 1=2 2=-1", &[2, 2, 6]),
        (&[2, 3, 4, 5], "0=0 1=0 11=0 2=0", &[2, 3, 4, 5]),
        (&[2, 3, 4, 5], "0=0 1=-1 2=0", &[2, 12, 5]),
        (&[2, 3, 4, 5], "0=20 1=0 11=-1 2=1", &[1, 1, 4, 20]),
    ];
    for (source, params, dims) in table {
        let input = numbered(source);
        // The last of the table has a volume that does not fit.
        if dims.iter().product::<usize>() == input.values.len() {
            Trial::new("Reshape", params, &[&input]).gives(&[input.reshaped(dims)]);
        }
    }
    let input = numbered(&[2, 3, 4]);
    for params in ["0=5", "0=5 1=-1", "0=-1 1=-1", "0=0 1=0", "0=7 1=-1 2=0", "1=4"] {
        Trial::new("Reshape", params, &[&input]).refused();
    }
}

#[test]
fn reshape_calculates_sizes_from_the_inputs() {
    let input = numbered(&[2, 6, 4]);
    let other = numbered(&[3, 8]);
    let table: [(&str, &[usize]); 10] = [
        ("0w,0h,0c", &[2, 6, 4]),
        ("*(0w,0h),0c", &[2, 24]),
        ("-1,0c", &[2, 24]),
        ("//(0w,2),*(0h,2),0c", &[2, 12, 2]),
        ("1w,-1", &[6, 8]),
        ("1w,1h,-1", &[2, 3, 8]),
        ("+(0w,0h),-1", &[0]),
        ("-(0h,0c),-1", &[12, 4]),
        ("max(0w,0h),min(0w,0h),0c", &[2, 4, 6]),
        ("0w,0h,0c,1", &[1, 2, 6, 4]),
    ];
    for (expression, dims) in table {
        let trial = Trial::new("Reshape", format!("6=\"{expression}\""), &[&input, &other]);
        if dims == [0] {
            // 48 values do not divide by 10.
            trial.refused();
        } else {
            trial.gives(&[input.reshaped(dims)]);
        }
    }
}

/// Orders of ncnn by rank and number; innermost first.
const ORDERS: [&[&str]; 3] = [
    &["wh", "hw"],
    &["whc", "hwc", "wch", "cwh", "hcw", "chw"],
    &[
        "whdc", "hwdc", "wdhc", "dwhc", "hdwc", "dhwc", "whcd", "hwcd", "wchd", "cwhd", "hcwd", "chwd", "wdch", "dwch",
        "wcdh", "cwdh", "dcwh", "cdwh", "hdcw", "dhcw", "hcdw", "chdw", "dchw", "cdhw",
    ],
];

#[test]
fn permute_has_every_order() {
    let mut draw = Draw::new(6);
    let row = numbered(&[5]);
    Trial::new("Permute", "0=0", &[&row]).gives(&row);
    for rank in 2..=4 {
        let names: Vec<char> = ["hw", "chw", "cdhw"][rank - 2].chars().collect();
        for (number, order) in ORDERS[rank - 2].iter().enumerate() {
            // Which axis of the input each axis of the output is.
            let axes: Vec<usize> =
                order.chars().rev().map(|name| names.iter().position(|&own| own == name).unwrap()).collect();
            for _ in 0..3 {
                let dims = draw.dims(rank, 5);
                let input = numbered(&dims);
                let turned: Vec<usize> = axes.iter().map(|&axis| dims[axis]).collect();
                let expected = Array::build(&turned, |index| {
                    let mut place = vec![0; rank];
                    for (&axis, &at) in axes.iter().zip(index) {
                        place[axis] = at;
                    }
                    input.at(&place)
                });
                Trial::new("Permute", format!("0={number}"), &[&input]).gives(&[expected]);
            }
        }
        let input = numbered(&vec![2; rank]);
        for number in [ORDERS[rank - 2].len() as i64, -1, 99] {
            Trial::new("Permute", format!("0={number}"), &[&input]).refused();
        }
    }
}

#[test]
fn flatten_keeps_the_order_of_memory() {
    let mut draw = Draw::new(7);
    for rank in (1..=4).cycle().take(16) {
        let input = numbered(&draw.dims(rank, 6));
        Trial::new("Flatten", "", &[&input]).gives(&[input.reshaped(&[input.values.len()])]);
    }
}

#[test]
fn squeeze_drops_named_dimensions_of_size_one() {
    // Parameters of the flags, outermost first.
    let flags: [&[u8]; 4] = [&[0], &[1, 0], &[2, 1, 0], &[2, 11, 1, 0]];
    for rank in 1..=4_usize {
        for ones in 0..1_usize << rank {
            let dims: Vec<usize> = (0..rank).map(|axis| if ones >> axis & 1 == 1 { 1 } else { axis + 2 }).collect();
            let input = numbered(&dims);
            for named in 0..1_usize << rank {
                let axes: Vec<usize> = (0..rank).filter(|axis| named >> axis & 1 == 1).collect();
                let mut left: Vec<usize> =
                    (0..rank).filter(|axis| dims[*axis] != 1 || !axes.contains(axis)).map(|axis| dims[axis]).collect();
                if left.is_empty() {
                    left.push(1);
                }
                let expected = [input.reshaped(&left)];
                let params: String = axes.iter().map(|&axis| format!("{}=1 ", flags[rank - 1][axis])).collect();
                Trial::new("Squeeze", params, &[&input]).gives(&expected);
                if !axes.is_empty() {
                    let positive: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
                    Trial::new("Squeeze", ints(3, &positive), &[&input]).gives(&expected);
                    let negative: Vec<i64> = axes.iter().map(|&axis| from_the_end(axis, rank)).collect();
                    Trial::new("Squeeze", ints(3, &negative), &[&input]).gives(&expected);
                }
            }
        }
    }
}

#[test]
fn expand_dims_inserts_dimensions_where_they_are_named() {
    for rank in 1..=3_usize {
        let dims = &[2, 3, 4][..rank];
        let input = numbered(dims);
        for out_rank in rank + 1..=4 {
            for named in 0..1_usize << out_rank {
                let axes: Vec<i64> = (0..out_rank as i64).filter(|axis| named >> axis & 1 == 1).collect();
                if axes.len() != out_rank - rank {
                    continue;
                }
                let mut sizes = dims.iter();
                let expected: Vec<usize> = (0..out_rank as i64)
                    .map(|axis| if axes.contains(&axis) { 1 } else { *sizes.next().unwrap() })
                    .collect();
                Trial::new("ExpandDims", ints(3, &axes), &[&input]).gives(&[input.reshaped(&expected)]);
                let negative: Vec<i64> = axes.iter().map(|axis| axis - out_rank as i64).collect();
                Trial::new("ExpandDims", ints(3, &negative), &[&input]).gives(&[input.reshaped(&expected)]);
            }
        }
    }
}

#[test]
fn tile_repeats_one_axis_or_as_numpy_does() {
    let mut draw = Draw::new(8);
    let repeated = |input: &Array, times: &[usize]| {
        let dims: Vec<usize> = input.dims.iter().zip(times).map(|(size, times)| size * times).collect();
        Array::build(&dims, |index| {
            let place: Vec<usize> = index.iter().zip(&input.dims).map(|(at, size)| at % size).collect();
            input.at(&place)
        })
    };
    for rank in 1..=4_usize {
        for axis in 0..rank {
            for tiles in 1..=3 {
                let input = numbered(&draw.dims(rank, 4));
                let expected = repeated(&input, &with(&vec![1; rank], axis, tiles));
                Trial::new("Tile", format!("0={axis} 1={tiles}"), &[&input]).gives(&[expected]);
            }
        }
        for count in 1..=4_usize {
            for _ in 0..4 {
                let input = numbered(&draw.dims(rank, 4));
                let times: Vec<usize> = (0..count).map(|_| draw.size(1, 3)).collect();
                // The shorter of both gets ones in front; but the depth that an image lacks is in its channels.
                let out_rank = rank.max(count);
                let own = if (rank, out_rank) == (3, 4) {
                    input.reshaped(&[input.dims[0], 1, input.dims[1], input.dims[2]])
                } else {
                    input.reshaped(&[vec![1; out_rank - rank], input.dims.clone()].concat())
                };
                let full = [vec![1; out_rank - count], times.clone()].concat();
                let written: Vec<i64> = times.iter().map(|&times| times as i64).collect();
                Trial::new("Tile", ints(2, &written), &[&input]).gives(&[repeated(&own, &full)]);
            }
        }
    }
}

#[test]
fn shuffle_channel_interleaves_groups_and_undoes_it() {
    let mut draw = Draw::new(9);
    for (groups, each) in [(1, 4), (2, 3), (3, 2), (4, 4), (5, 1), (2, 8)] {
        for rank in [3, 4] {
            let dims = with(&draw.dims(rank, 5), 0, groups * each);
            let input = numbered(&dims);
            let expected = Array::build(&dims, |i| input.at(&with(i, 0, i[0] % groups * each + i[0] / groups)));
            Trial::new("ShuffleChannel", format!("0={groups}"), &[&input]).gives(&expected);
            Trial::new("ShuffleChannel", format!("0={groups} 1=1"), &[&expected]).gives(&[input]);
        }
    }
    Trial::new("ShuffleChannel", "0=4", &[&numbered(&[6, 2, 2])]).refused();
}

#[test]
fn pixels_and_channels_change_into_each_other() {
    let mut draw = Draw::new(10);
    for factor in 1..=4_usize {
        for mode in [0, 1] {
            for _ in 0..3 {
                let [c, h, w] = [draw.size(1, 4), draw.size(1, 5), draw.size(1, 5)];
                let few = numbered(&[c, h * factor, w * factor]);
                let channel = |c_in: usize, y: usize, x: usize| {
                    if mode == 0 { (c_in * factor + y) * factor + x } else { (y * factor + x) * c + c_in }
                };
                let mut many = Array::build(&[c * factor * factor, h, w], |_| f64::NAN);
                for index in indices(&few.dims) {
                    let [c_in, y, x] = index[..] else { unreachable!() };
                    let place = (channel(c_in, y % factor, x % factor) * h + y / factor) * w + x / factor;
                    many.values[place] = few.at(&index);
                }
                Trial::new("PixelShuffle", format!("0={factor} 1={mode}"), &[&many]).gives(&few);
                Trial::new("Reorg", format!("0={factor} 1={mode}"), &[&few]).gives(&[many]);
            }
        }
    }
}

#[test]
fn memory_data_is_the_constant_of_its_weights() {
    let table: [(&str, &[usize]); 5] = [
        ("0=5", &[5]),
        ("0=4 1=3", &[3, 4]),
        ("0=4 1=3 2=2", &[2, 3, 4]),
        ("0=4 1=3 2=2 11=5", &[2, 5, 3, 4]),
        ("0=1 1=1 2=1", &[1, 1, 1]),
    ];
    for (params, dims) in table {
        let constant = numbered(dims);
        Trial::new("MemoryData", params, &[]).weights(&[&constant.values]).gives(&constant);
    }
}

#[test]
fn embed_looks_up_rows_by_the_bits_of_its_input() {
    let mut draw = Draw::new(13);
    for (rows, width, count) in [(1, 1, 1), (5, 3, 4), (9, 8, 7), (3, 1, 6), (16, 5, 1)] {
        let table = draw.array(&[rows, width], -1.0, 1.0);
        let bias = draw.floats(width, -1.0, 1.0);
        let numbers: Vec<usize> = (0..count).map(|_| draw.size(0, rows - 1)).collect();
        let input =
            Array::row(&numbers.iter().map(|&number| f64::from(f32::from_bits(number as u32))).collect::<Vec<_>>());
        let params = format!("0={width} 1={rows} 3={}", rows * width);
        let expected = Array::build(&[count, width], |i| table.at(&[numbers[i[0]], i[1]]));
        Trial::new("Embed", params.clone(), &[&input]).weights(&[&table.values]).gives(&expected);
        let moved = Array::build(&[count, width], |i| expected.at(i) + bias[i[1]]);
        Trial::new("Embed", format!("{params} 2=1"), &[&input]).weights(&[&table.values, &bias]).gives(&[moved]);
    }
}

#[test]
fn arrays_of_floats_where_ints_belong_do_not_change_a_cut() {
    // A file may write whole numbers with a point; ncnn reads an array by its layer's type, and the
    // bits of 2.0 are not 2.
    let input = numbered(&[4]);
    Trial::new("Slice", floats(0, &[2.0, 2.0]), &[&input]).outputs(2).refused();
}
