//! The operations that differ between widths only in the names of their instructions.

/// Loads, stores and arithmetic of vectors of `$lanes` lanes.
macro_rules! operations {
    (
        $features:literal, lanes $lanes:literal, $ints:ty, $floats:ty,
        load $load:ident $load_floats:ident, store $store:ident $store_floats:ident,
        zero $zero:ident, splat $splat:ident, add $add_ints:ident $add:ident, multiply $multiply:ident,
        max $max:ident, min $min:ident, convert $convert:ident, unpack $low8:ident $high8:ident $low16:ident $high16:ident,
        register $register:ident
    ) => {
        /// 32-bit lanes of a vector.
        pub(super) const LANES: usize = $lanes;
        /// Bytes of a vector.
        pub(super) const BYTES: usize = 4 * LANES;
        /// The largest float below 0.5.
        const HALF: f32 = f32::from_bits(0x3EFF_FFFF);

        pub(super) type Ints = $ints;
        pub(super) type Floats = $floats;

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn load_bytes(bytes: &[i8; BYTES]) -> Ints {
            // SAFETY: the reference is valid for a vector; the load needs no alignment.
            unsafe { $load(bytes.as_ptr().cast()) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn load_ints(values: &[i32; LANES]) -> Ints {
            // SAFETY: the reference is valid for a vector; the load needs no alignment.
            unsafe { $load(values.as_ptr().cast()) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn store_ints(to: &mut [i32; LANES], values: Ints) {
            // SAFETY: the reference is valid for a vector; the store needs no alignment.
            unsafe { $store(to.as_mut_ptr().cast(), values) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn load_floats(values: &[f32; LANES]) -> Floats {
            // SAFETY: the reference is valid for a vector; the load needs no alignment.
            unsafe { $load_floats(values.as_ptr()) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn store_floats(to: &mut [f32; LANES], values: Floats) {
            // SAFETY: the reference is valid for a vector; the store needs no alignment.
            unsafe { $store_floats(to.as_mut_ptr(), values) }
        }

        /// Asks for the line of memory at `place`, wherever that is.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn hint_at(place: *const f32) {
            _mm_prefetch::<_MM_HINT_T0>(place.cast());
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn int_zero() -> Ints {
            $zero()
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add_ints(a: Ints, b: Ints) -> Ints {
            $add_ints(a, b)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn splat(value: f32) -> Floats {
            $splat(value)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn to_floats(values: Ints) -> Floats {
            $convert(values)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn multiply(a: Floats, b: Floats) -> Floats {
            $multiply(a, b)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add(a: Floats, b: Floats) -> Floats {
            $add(a, b)
        }

        /// `a > b ? a : b`; `b` if either is NaN or both are zero.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn larger(a: Floats, b: Floats) -> Floats {
            $max(a, b)
        }

        /// `a < b ? a : b`; `b` if either is NaN or both are zero.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn smaller(a: Floats, b: Floats) -> Floats {
            $min(a, b)
        }

        /// Stored int8 values of `product`s, already multiplied by the scale (see `quantize`): adding the
        /// largest float below 0.5 with the value's sign and cutting the fraction off rounds halves away
        /// from zero, for all values whose sum is exact enough, which those up to 2^22 are.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn store_stored(to: &mut [u8; LANES], product: Floats) {
            // NaN is the second operand, so it stays.
            store_cut(to, larger(splat(-127.0), add(product, half_like(product))));
        }

        /// As [`store_stored`] for products that are positive, zero or NaN.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn store_positive(to: &mut [u8; LANES], product: Floats) {
            store_cut(to, add(product, splat(HALF)));
        }

        /// Four vectors of bytes as four of lanes that hold one byte of each: lane `i` of part `j` of the
        /// 128-bit block `b` holds byte `16 b + 4 j + i`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn interleave(rows: [Ints; 4]) -> [Ints; 4] {
            let (low, high) = ($low8(rows[0], rows[1]), $high8(rows[0], rows[1]));
            let (low2, high2) = ($low8(rows[2], rows[3]), $high8(rows[2], rows[3]));
            [$low16(low, low2), $high16(low, low2), $low16(high, high2), $high16(high, high2)]
        }

        /// The same value, of which the compiler knows nothing.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn opaque(mut values: Ints) -> Ints {
            // SAFETY: the assembly is a comment.
            unsafe { std::arch::asm!("/* {0} */", inout($register) values, options(nomem, nostack, preserves_flags)) };
            values
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn sum_lanes(values: Ints) -> i32 {
            let mut lanes = [0; LANES];
            store_ints(&mut lanes, values);
            lanes.iter().fold(0, |sum, &lane| sum.wrapping_add(lane))
        }
    };
}

/// Products by `vpdpbusd`: unsigned by signed bytes, four to a lane, added without saturation.
macro_rules! byte_products {
    ($features:literal, dot $dot:ident $dot_words:ident, splat $splat:ident) => {
        pub(super) mod vnni {
            use super::*;
            use crate::contract::WeightForm;

            pub(in super::super) const FORM: WeightForm = WeightForm::Bytes;
            /// Bytes of the weights of one vector of lanes.
            pub(in super::super) const WEIGHT_BYTES: usize = BYTES;

            pub(in super::super) type Weights = Ints;
            pub(in super::super) type Activations = Ints;

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
                load_bytes(bytes)
            }

            /// Four stored bytes for every lane.
            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn spread(bytes: i32) -> Activations {
                $splat(bytes)
            }

            /// Four stored bytes per lane.
            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn widen(bytes: Ints) -> Activations {
                bytes
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
                opaque(activations)
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
                $dot(sums, activations, weights)
            }

            /// Two words per lane.
            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add_word_products(sums: Ints, a: Ints, b: Ints) -> Ints {
                $dot_words(sums, a, b)
            }
        }
    };
}

/// Products by `pmaddwd`: bytes become words by masking and shifting, which pairs depths `(k, k + 2)` and
/// `(k + 1, k + 3)`. (`pmaddubsw` would saturate.)
macro_rules! word_products {
    (
        $features:literal, dot $dot:ident, splat $splat:ident $splat_words:ident, and $and:ident,
        shift $shift:ident
    ) => {
        pub(super) mod words {
            use super::*;
            use crate::contract::WeightForm;

            pub(in super::super) const FORM: WeightForm = WeightForm::WordPairs;
            /// Bytes of the weights of one vector of lanes.
            pub(in super::super) const WEIGHT_BYTES: usize = 2 * BYTES;

            pub(in super::super) type Weights = [Ints; 2];
            pub(in super::super) type Activations = [Ints; 2];

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
                let (halves, _) = bytes.as_chunks();
                [load_bytes(&halves[0]), load_bytes(&halves[1])]
            }

            /// Four stored bytes for every lane.
            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn spread(bytes: i32) -> Activations {
                widen($splat(bytes))
            }

            /// Four stored bytes per lane.
            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn widen(bytes: Ints) -> Activations {
                [$and(bytes, $splat_words(0xFF)), $shift::<8>(bytes)]
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
                [opaque(activations[0]), opaque(activations[1])]
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
                let [even, odd] = [$dot(activations[0], weights[0]), $dot(activations[1], weights[1])];
                add_ints(sums, add_ints(even, odd))
            }

            /// Two words per lane.
            #[inline]
            #[target_feature(enable = $features)]
            pub(in super::super) fn add_word_products(sums: Ints, a: Ints, b: Ints) -> Ints {
                add_ints(sums, $dot(a, b))
            }
        }
    };
}
