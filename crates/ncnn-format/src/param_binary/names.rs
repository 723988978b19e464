//! Names for what has only a number in the file, and back.

use crate::LayerKind;

/// The name of blob `index`: `blob7`.
pub(super) fn blob_name(index: i32) -> String {
    format!("blob{index}")
}

/// The name of the layer at `index`: its type and its position, as in `Convolution_3`.
pub(super) fn layer_name(kind: &LayerKind, index: usize) -> String {
    format!("{kind}_{index}")
}

/// The type of custom layers with number `index`: `custom2`.
pub(super) fn custom_kind(index: i32) -> LayerKind {
    LayerKind::Custom(format!("custom{index}").into())
}

/// The number in a name that [`blob_name`] could have given.
pub(super) fn blob_index(name: &str) -> Option<i32> {
    index_behind(name, "blob")
}

/// The number in a type that [`custom_kind`] could have given.
pub(super) fn custom_index(kind: &str) -> Option<i32> {
    index_behind(kind, "custom")
}

fn index_behind(name: &str, prefix: &str) -> Option<i32> {
    let digits = name.strip_prefix(prefix)?;
    let index: i32 = digits.parse().ok()?;
    // "blob007" and "blob+7" are names that a person chose.
    (index >= 0 && index.to_string() == digits).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_were_given_here_have_a_number() {
        assert_eq!(blob_index(&blob_name(7)), Some(7));
        assert_eq!(custom_index(custom_kind(0).as_str()), Some(0));
        for other in ["blob", "blob-1", "blob+7", "blob007", "blob7x", "Blob7", "blob99999999999", "7"] {
            assert_eq!(blob_index(other), None, "{other}");
        }
    }
}
