//! Operations on vectors of 16-bit words, and those on lanes that Winograd's algorithm asks for.

macro_rules! word_operations {
    (
        $features:literal, splat $splat:ident, add $add:ident, subtract $subtract:ident $subtract_ints:ident,
        shift $shift:ident $shift_ints:ident $shift_right:ident, multiply $multiply:ident,
        widen $widen:ident $load:ident $xor:ident $splat_bytes:ident
    ) => {
        /// Twice as many words.
        pub(super) type Words = Ints;

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn word_zero() -> Words {
            int_zero()
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn store_words(to: &mut [i32; LANES], words: Words) {
            store_ints(to, words);
        }

        /// The words of as many stored bytes.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn load_stored_words(bytes: &[u8; 2 * LANES]) -> Words {
            // SAFETY: the reference is valid for half a vector; the load needs no alignment.
            let bytes = unsafe { $load(bytes.as_ptr().cast()) };
            $widen($xor(bytes, $splat_bytes(i8::MIN)))
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add_words(a: Words, b: Words) -> Words {
            $add(a, b)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn subtract_words(a: Words, b: Words) -> Words {
            $subtract(a, b)
        }

        /// `a + 2 · b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add_twice_words(a: Words, b: Words) -> Words {
            $add(a, $add(b, b))
        }

        /// `a − 2 · b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn subtract_twice_words(a: Words, b: Words) -> Words {
            $subtract(a, $add(b, b))
        }

        /// `a + 4 · b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add_four_times_words(a: Words, b: Words) -> Words {
            $add(a, $shift::<2>(b))
        }

        /// `a − 4 · b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn subtract_four_times_words(a: Words, b: Words) -> Words {
            $subtract(a, $shift::<2>(b))
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn splat_ints(value: i32) -> Ints {
            $splat(value)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn subtract_ints(a: Ints, b: Ints) -> Ints {
            $subtract_ints(a, b)
        }

        /// `a + 2 · b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add_twice_ints(a: Ints, b: Ints) -> Ints {
            add_ints(a, add_ints(b, b))
        }

        /// `a + 4 · b`.
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn add_four_times_ints(a: Ints, b: Ints) -> Ints {
            add_ints(a, $shift_ints::<2>(b))
        }

        /// The lanes of `576 · sums` as sums (see [`crate::winograd`]).
        #[inline]
        #[target_feature(enable = $features)]
        pub(super) fn unscale_ints(a: Ints) -> Ints {
            $shift_right::<6>($multiply(a, $splat(crate::contract::NINTH)))
        }
    };
}
