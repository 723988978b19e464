//! Words that must not come back.

/// What only those can read who were there when it was written.
const OUTSIDE: [&str; 4] = ["spec §", "ncnn-int8-spec", "../shared", "`shared/"];

/// What `line` cites that is not here.
pub(super) fn outside(line: &str) -> Option<&'static str> {
    OUTSIDE.into_iter().find(|citation| line.contains(citation))
}

/// The call in `line` that sets a parameter by a bare number instead of a key.
pub(super) fn bare_parameter(line: &str) -> Option<&'static str> {
    [".set_int(", ".set_float("].into_iter().find(|call| line.contains(call))
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
        assert_eq!(bare_parameter("layer.params.set_int(9, 1);"), Some(".set_int("));
        assert_eq!(bare_parameter("layer.params.set(Convolution::ACTIVATION_TYPE, 1);"), None);
    }
}
