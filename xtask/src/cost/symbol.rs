//! What a function of the counted program is for.

use std::fmt;

/// Parts of an inference whose instructions are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Sums of dense convolutions and of matrix products.
    Dense,
    /// Winograd's algorithm: its two transforms and its products.
    Winograd,
    /// What brings activations into the order that dense kernels read: the im2col of it.
    Gather,
    /// Sums of depthwise convolutions.
    Depthwise,
    /// Between sums, floats and int8, and pooling of int8.
    Convert,
    /// Everything else: the plan, float layers, the C library.
    Rest,
}

/// All classes, in the order of tables.
pub(crate) const CLASSES: [Class; 6] =
    [Class::Dense, Class::Winograd, Class::Gather, Class::Depthwise, Class::Convert, Class::Rest];

/// Modules of int8-kernels outside `arch` that convert value by value, for kernels that leave it to them.
const CONVERTING: [&str; 6] = ["finish", "convert", "quantize", "activation", "max_pool", "portable"];

impl Class {
    /// The class of a function by its path, as [`path`] gives it.
    pub(crate) fn of(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("int8_kernels::") else { return Self::Rest };
        let Some(kernel) = rest.strip_prefix("arch::") else {
            let module = rest.split("::").next().unwrap_or_default();
            return if CONVERTING.contains(&module) { Self::Convert } else { Self::Rest };
        };
        let parts = || kernel.split("::").skip(1);
        let named = |prefix: &str| parts().any(|part| part.starts_with(prefix));
        if named("gather") {
            Self::Gather
        } else if named("winograd") {
            Self::Winograd
        } else if named("dense") {
            Self::Dense
        } else if named("depthwise") {
            Self::Depthwise
        } else {
            Self::Convert
        }
    }

    /// The name in tables and in the baseline.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Winograd => "winograd",
            Self::Gather => "gather",
            Self::Depthwise => "depthwise",
            Self::Convert => "convert",
            Self::Rest => "rest",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The path of a function from its symbol, without the hash that tells instances of a generic function apart;
/// symbols of other languages stay as they are.
pub(crate) fn path(symbol: &str) -> String {
    let Some(mut rest) = symbol.strip_prefix("_ZN") else { return symbol.to_owned() };
    let mut parts = Vec::new();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (length, after) = rest.split_at(digits);
        let Some((part, next)) = length.parse().ok().and_then(|length: usize| after.split_at_checked(length)) else {
            break;
        };
        parts.push(part);
        rest = next;
    }
    let is_hash = |part: &&str| part.len() == 17 && part.starts_with('h');
    if parts.last().is_some_and(is_hash) {
        parts.pop();
    }
    parts.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_becomes_a_path_without_its_hash() {
        let symbol = "_ZN12int8_kernels4arch3x8610avx512vnni5dense17h73564c12ac5068f3E.llvm.16889202703241296806";
        assert_eq!(path(symbol), "int8_kernels::arch::x86::avx512vnni::dense");
        assert_eq!(path("memcpy"), "memcpy");
        assert_eq!(path("_ZN99short"), "");
    }

    #[test]
    fn kernels_are_told_apart_by_module_or_function() {
        for (path, class) in [
            ("int8_kernels::arch::aarch64::dense_neon::tile", Class::Dense),
            ("int8_kernels::arch::aarch64::winograd::transform_sums", Class::Winograd),
            ("int8_kernels::arch::aarch64::gather::gather_pairs", Class::Gather),
            ("int8_kernels::arch::scalar::depthwise_4x16c4", Class::Depthwise),
            ("int8_kernels::arch::arm::rows::quantize_eights", Class::Convert),
            ("int8_kernels::finish::finish_values", Class::Convert),
            ("int8_kernels::pixel_conv::PixelConv::run", Class::Rest),
            ("fp32_ref::layers::softmax::run", Class::Rest),
        ] {
            assert_eq!(Class::of(path), class, "{path}");
        }
    }

    #[test]
    fn classes_have_names_of_their_own() {
        let names: std::collections::BTreeSet<&str> = CLASSES.map(Class::name).into();
        assert_eq!(names.len(), CLASSES.len());
        assert!(CLASSES.is_sorted());
        assert!(CLASSES.iter().all(|class| class.to_string() == class.name()));
    }

    #[test]
    fn damaged_symbols_lose_what_cannot_be_read() {
        assert_eq!(path("_ZN"), "");
        assert_eq!(path("_ZN3fooE"), "foo");
        assert_eq!(path("_ZN3foo9shortE"), "foo");
        assert_eq!(path("_ZN99999999999999999999999fooE"), "");
        // Not a hash: the length or the letter is another.
        assert_eq!(path("_ZN3foo16h0123456789abcdeE"), "foo::h0123456789abcde");
        assert_eq!(path("_ZN3foo17x0123456789abcdefE"), "foo::x0123456789abcdef");
    }
}
