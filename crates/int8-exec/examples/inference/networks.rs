//! Lines of `.param` files.

/// The layers of a network that is known by name: those of ncnn's benchmark with these names.
pub(crate) fn by_name(name: &str) -> Option<String> {
    match name {
        "squeezenet_int8" => Some(squeezenet()),
        "mobilenet_int8" => Some(mobilenet()),
        _ => None,
    }
}

/// The layers in a `.param` file.
pub(crate) fn of_file(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(2).collect::<Vec<_>>().join("\n")
}

/// Width, height and channels that the first line, an Input layer, gives.
pub(crate) fn input(lines: &str) -> [usize; 3] {
    let first = lines.lines().next().unwrap();
    ["0=", "1=", "2="].map(|key| {
        let value = first.split_whitespace().find_map(|word| word.strip_prefix(key));
        value.unwrap().parse().unwrap()
    })
}

/// A convolution with bias and ReLU from `inputs` channels; `form` is its parameter 8.
fn convolution(name: &str, [from, to]: [&str; 2], [inputs, outputs]: [usize; 2], kernel: &str, form: usize) -> String {
    let side: usize = kernel.split_whitespace().next().unwrap().strip_prefix("1=").unwrap().parse().unwrap();
    let weights = inputs * outputs * side * side;
    format!("Convolution {name} 1 1 {from} {to} 0={outputs} {kernel} 5=1 6={weights} 8={form} 9=1\n")
}

/// SqueezeNet 1.1 for 227×227 images.
fn squeezenet() -> String {
    let mut lines = String::from("Input data 0 1 data 0=227 1=227 2=3\n");
    lines += &convolution("conv1", ["data", "conv1"], [3, 64], "1=3 3=2", 2);
    let mut from = "conv1".to_owned();
    let mut channels = 64;
    for (index, [squeeze, expand]) in
        [[16, 64], [16, 64], [32, 128], [32, 128], [48, 192], [48, 192], [64, 256], [64, 256]].into_iter().enumerate()
    {
        let fire = index + 2;
        if [2, 4, 6].contains(&fire) {
            lines += &format!("Pooling pool{fire} 1 1 {from} pool{fire} 1=3 2=2\n");
            from = format!("pool{fire}");
        }
        let [squeezed, a, b] = ["s", "a", "b"].map(|part| format!("fire{fire}_{part}"));
        lines += &convolution(&squeezed, [&from, &squeezed], [channels, squeeze], "1=1", 102);
        lines += &format!("Split split{fire} 1 2 {squeezed} {squeezed}0 {squeezed}1\n");
        lines += &convolution(&a, [&format!("{squeezed}1"), &a], [squeeze, expand], "1=1", 2);
        lines += &convolution(&b, [&format!("{squeezed}0"), &b], [squeeze, expand], "1=3 4=1", 2);
        from = format!("fire{fire}");
        lines += &format!("Concat {from} 2 1 {a} {b} {from}\n");
        channels = 2 * expand;
    }
    lines += &convolution("conv10", [&from, "conv10"], [channels, 1000], "1=1 4=1", 2);
    lines + "Pooling pool10 1 1 conv10 pool10 0=1 4=1\nSoftmax prob 1 1 pool10 output\n"
}

/// MobileNet 1 for 224×224 images.
fn mobilenet() -> String {
    let mut lines = String::from("Input data 0 1 data 0=224 1=224 2=3\n");
    lines += &convolution("conv1", ["data", "conv1"], [3, 32], "1=3 3=2 4=1", 102);
    let mut from = "conv1".to_owned();
    let mut channels = 32;
    let blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)].into_iter().chain([(512, 1); 5]);
    for (index, (outputs, stride)) in blocks.chain([(1024, 2), (1024, 1)]).enumerate() {
        let [depthwise, pointwise] = ["dw", "pw"].map(|part| format!("{part}{index}"));
        let weights = 9 * channels;
        lines += &format!(
            "ConvolutionDepthWise {depthwise} 1 1 {from} {depthwise} \
             0={channels} 1=3 3={stride} 4=1 5=1 6={weights} 7={channels} 8=101 9=1\n"
        );
        let form = if index == 12 { 2 } else { 102 };
        lines += &convolution(&pointwise, [&depthwise, &pointwise], [channels, outputs], "1=1", form);
        (from, channels) = (pointwise, outputs);
    }
    lines += &format!("Pooling pool6 1 1 {from} pool6 0=1 4=1\n");
    lines + "InnerProduct fc7 1 1 pool6 fc7 0=1000 1=1 2=1024000 8=2\nSoftmax prob 1 1 fc7 output\n"
}
