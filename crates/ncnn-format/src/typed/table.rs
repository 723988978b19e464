//! The table from which a layer type's parameters, keys, readers and writers are made.

macro_rules! layer_params {
    ($($kind:ident $method:ident $summary:literal {
        $($id:literal $key:ident $name:ident: $ty:ident = $default:expr, $meaning:literal;)*
    })*) => {
        $(
            #[doc = concat!("Parameters of a `", stringify!($kind), "` layer: ", $summary, ".")]
            #[derive(Debug, Clone, PartialEq)]
            #[non_exhaustive]
            pub struct $kind {
                $(
                    #[doc = concat!("Parameter ", $id, ", default `", stringify!($default), "`: ", $meaning, ".")]
                    pub $name: $crate::typed::table::layer_params!(@rust $ty),
                )*
            }

            impl $kind {
                /// The rows of the table, in the order of the fields.
                pub const PARAMS: &[$crate::typed::ParamSpec] = &[$($crate::typed::ParamSpec {
                    id: $id,
                    name: stringify!($name),
                    kind: $crate::typed::ParamKind::$ty,
                    default: stringify!($default),
                    meaning: $meaning,
                }),*];

                $(
                    #[doc = concat!("Key of [`", stringify!($name), "`](Self::", stringify!($name), ").")]
                    pub const $key: $crate::typed::ParamKey<$crate::typed::table::layer_params!(@rust $ty)> =
                        $crate::typed::ParamKey::new($id, stringify!($name));
                )*

                /// Reads the parameters of `layer`.
                ///
                /// # Errors
                /// `Invalid` when the layer is of another type, naming both;
                /// `Malformed` when a parameter has another form (text for a
                /// number, say), naming the layer and what was found.
                pub fn read(layer: &$crate::Layer) -> $crate::Result<Self> {
                    if layer.kind != $crate::LayerKind::$kind {
                        return Err($crate::typed::table::other_type(layer, stringify!($kind)));
                    }
                    Self::read_params(&layer.params).map_err(|error| error.in_layer(&layer.name))
                }

                /// Makes these the parameters of `layer`.
                ///
                /// Set are those that mean another value so far, in the order in which ncnn reads them;
                /// the others stay as they are written, or absent. A default that follows another
                /// parameter follows the one that is written here.
                ///
                /// # Errors
                /// `Invalid` when the layer is of another type, naming both.
                pub fn write(&self, layer: &mut $crate::Layer) -> $crate::Result<()> {
                    if layer.kind != $crate::LayerKind::$kind {
                        return Err($crate::typed::table::other_type(layer, stringify!($kind)));
                    }
                    self.write_params(&mut layer.params);
                    Ok(())
                }

                fn write_params(&self, params: &mut $crate::ParamDict) {
                    let _ = &params;
                    $(
                        let $name = Clone::clone(&self.$name);
                        params.set_unless_meant(Self::$key, &$name, $default);
                    )*
                }

                fn read_params(params: &$crate::ParamDict) -> $crate::Result<Self> {
                    let _ = params;
                    $(let $name: $crate::typed::table::layer_params!(@rust $ty) = params.find($id)?.unwrap_or_else(|| $default);)*
                    Ok(Self { $($name),* })
                }
            }

            impl Default for $kind {
                /// What a layer without any parameters means. Defaults that follow another parameter
                /// are worked out: to build a layer, set [keys]($crate::typed::ParamKey) instead.
                fn default() -> Self {
                    $(let $name: $crate::typed::table::layer_params!(@rust $ty) = $default;)*
                    Self { $($name),* }
                }
            }

            impl $crate::Layer {
                #[doc = concat!("The parameters of a `", stringify!($kind), "` layer: ", $summary, ".")]
                ///
                /// # Errors
                #[doc = concat!("As [`typed::", stringify!($kind), "::read`](crate::typed::", stringify!($kind), "::read).")]
                pub fn $method(&self) -> $crate::Result<$kind> {
                    $kind::read(self)
                }
            }
        )*

        /// What is known about `kind` if it is one of this family.
        pub(in crate::typed) fn in_family(kind: &$crate::LayerKind) -> Option<$crate::typed::LayerSpec> {
            match kind {
                $($crate::LayerKind::$kind => Some($crate::typed::LayerSpec {
                    name: stringify!($kind),
                    method: stringify!($method),
                    summary: $summary,
                    params: $kind::PARAMS,
                }),)*
                _ => None,
            }
        }

        /// What `layer` reads as, and `into` with that written to it: for tests over all types.
        #[cfg(test)]
        pub(in crate::typed) fn rewritten(
            layer: &$crate::Layer,
            mut into: $crate::Layer,
        ) -> Option<$crate::Result<(String, $crate::Layer)>> {
            match layer.kind {
                $($crate::LayerKind::$kind => Some($kind::read(layer).and_then(|params| {
                    params.write(&mut into)?;
                    Ok((format!("{params:?}"), into))
                })),)*
                _ => None,
            }
        }

        /// The constants of `kind` with their keys, and its defaults, for the same.
        #[cfg(test)]
        pub(in crate::typed) fn keys(kind: &$crate::LayerKind) -> Option<(Vec<(&'static str, String)>, String)> {
            match kind {
                $($crate::LayerKind::$kind => Some((
                    vec![$((stringify!($key), format!("{:?}", $kind::$key))),*],
                    format!("{:?}", $kind::default()),
                )),)*
                _ => None,
            }
        }
    };
    (@rust Int) => { i32 };
    (@rust Float) => { f32 };
    (@rust Ints) => { Vec<i32> };
    (@rust Floats) => { Vec<f32> };
    (@rust Text) => { String };
}
pub(super) use layer_params;

/// The error of who asks a layer for the parameters of another type.
pub(super) fn other_type(layer: &crate::Layer, expected: &str) -> crate::Error {
    crate::Error::invalid(format!("expected a layer of type {expected}, found {}", layer.kind)).in_layer(&layer.name)
}
