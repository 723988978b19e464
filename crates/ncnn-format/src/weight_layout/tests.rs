use super::*;
use crate::Model;

/// The layout of the only layer in `line`, as `role*len` with `R` for raw.
fn layout(line: &str) -> String {
    let text = format!("7767517\n1 1\n{line}\n");
    let model = Model::from_param_text(&text).unwrap();
    match weight_layout(&model.layers[0]) {
        Ok(specs) => specs
            .iter()
            .map(|spec| {
                let raw = if spec.encoding == Encoding::Raw { "R" } else { "T" };
                format!("{raw} {}*{}", spec.role, spec.len)
            })
            .collect::<Vec<_>>()
            .join(", "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn convolutions_follow_the_int8_term() {
    let layers = [
        "Convolution c 0 0 0=8 1=3 5=1 6=72",
        "Convolution c 0 0 0=8 1=3 6=72 8=2",
        "Convolution c 0 0 0=8 1=3 5=1 6=72 8=102",
        "Convolution c 0 0 0=8 1=3 6=72 19=1",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=4 8=1",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=4 8=102",
        "ConvolutionDepthWise c 0 0 0=8 1=3 6=72 7=4 8=3",
    ];
    let found: Vec<String> = layers.iter().map(|line| layout(line)).collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    T weight*72, R bias*8
    T weight*72, R weight scales*8, R input scale*1
    T weight*72, R bias*8, R weight scales*8, R input scale*1, R output scale*1

    T weight*72, R weight scales*4, R input scale*1
    T weight*72, R weight scales*1, R input scale*1, R output scale*1
    T weight*72
    ");
}
