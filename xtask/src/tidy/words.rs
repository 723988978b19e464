//! Words that must not come back.

/// What only those can read who were there when it was written.
const OUTSIDE: [&str; 4] = ["spec §", "ncnn-int8-spec", "../shared", "`shared/"];

/// What `line` cites that is not here.
pub(super) fn outside(line: &str) -> Option<&'static str> {
    OUTSIDE.into_iter().find(|citation| line.contains(citation))
}

/// The call in `line` of the file `name` that sets or reads a parameter by a bare number instead of a key. The crate of
/// the format is where numbers get their names.
pub(super) fn bare_parameter(name: &str, line: &str) -> Option<&'static str> {
    let is_bare = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let reads = !name.starts_with("crates/ncnn-format/") && line.split(".raw(").skip(1).any(is_bare);
    let sets = [".set_int(", ".set_float("].into_iter().find(|call| line.contains(call));
    sets.or(reads.then_some(".raw("))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_here_is_found_and_publications_are_not() {
        assert_eq!(outside("//! The grammar (spec §1.1)."), Some("spec §"));
        assert_eq!(outside("see `../shared/zoo`"), Some("../shared"));
        assert_eq!(outside("the folder `shared/` beside it"), Some("`shared/"));
        assert_eq!(outside("Wu et al., 2020, §3.3; shared/common"), None);
    }

    #[test]
    fn a_parameter_without_a_name_is_found() {
        let found = |line| bare_parameter("crates/cli/src/a.rs", line);
        assert_eq!(found("layer.params.set_int(9, 1);"), Some(".set_int("));
        assert_eq!(found("params.raw(id).or(params.raw(7))"), Some(".raw("));
        assert_eq!(found("layer.params.raw(id)"), None);
        assert_eq!(found("layer.params.set(Convolution::ACTIVATION_TYPE, 1);"), None);
        assert_eq!(bare_parameter("crates/ncnn-format/src/a.rs", "params.raw(7)"), None);
    }
}
