//! Setters of structs of options, which other crates cannot write as literals because fields may come.

/// `with_field(field: type) "what it sets"` for each field, in an `impl` block.
macro_rules! setters {
    ($($name:ident($field:ident: $type:ty) $what:literal;)*) => {$(
        #[doc = concat!("The same with ", $what, ".")]
        #[must_use]
        pub fn $name(mut self, $field: $type) -> Self {
            self.$field = $field.into();
            self
        }
    )*};
}
pub(crate) use setters;
