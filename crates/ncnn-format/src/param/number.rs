//! Numbers, as the routines of ncnn's `src/paramdict.cpp` read them.

use nom::character::complete::{digit0, digit1, one_of};
use nom::combinator::{opt, recognize};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::Number;

/// A number, and the rest of its token, which ncnn ignores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading<'a> {
    /// What was read.
    pub(super) number: Number,
    /// Whether an integer was taken modulo 2³².
    pub(super) wrapped: bool,
    /// Characters of the token after the number.
    pub(super) rest: &'a str,
}

/// Whether ncnn takes `token` for a float.
pub(super) fn looks_like_float(token: &str) -> bool {
    token.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// The number at the start of `token`; `None` if there is no digit.
pub(super) fn read_number(token: &str, as_float: bool) -> Option<Reading<'_>> {
    if as_float {
        let (rest, value) = float(token).ok()?;
        Some(Reading { number: Number::Float(value), wrapped: false, rest })
    } else {
        let (rest, (value, wrapped)) = integer(token).ok()?;
        Some(Reading { number: Number::Int(value), wrapped, rest })
    }
}

/// A value that ncnn reads as exactly `value`: `%e` with as many digits as that
/// takes, never more than 15 characters. NaN, which ncnn has no word for, becomes
/// 0 × infinity, losing its payload.
pub(super) fn write_float(value: f32) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-0e999".into() } else { "0e999".into() };
    }
    if value.is_infinite() {
        return if value < 0.0 { "-1.000000e+39".into() } else { "1.000000e+39".into() };
    }
    let exact = |text: &String| float(text).is_ok_and(|(_, read)| read.to_bits() == value.to_bits());
    [6, 7].into_iter().map(|digits| c_exponent(value, digits)).find(exact).unwrap_or_else(|| c_exponent(value, 8))
}

/// C's `%.{digits}e`.
fn c_exponent(value: f32, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{mantissa}e-{exponent:0>2}"),
        None => format!("{mantissa}e+{exponent:0>2}"),
    }
}

/// float = [ sign ] , digits , [ "." , digits ] , [ ( "e" | "E" ) , [ sign ] , digits ] ;
///
/// Digits accumulate in 32 unsigned bits and wrap; the rest is binary64. At least
/// one digit must stand before the exponent (ncnn reads 0 without).
fn float(token: &str) -> IResult<&str, f32> {
    let (rest, sign) = opt(one_of("+-")).parse(token)?;
    let (rest, whole) = digit0(rest)?;
    let (rest, fraction) = opt(preceded(nom::character::complete::char('.'), digit0)).parse(rest)?;
    if whole.is_empty() && fraction.unwrap_or("").is_empty() {
        digit1(rest)?;
    }
    let (rest, exponent) = opt((one_of("eE"), opt(one_of("+-")), digit0)).parse(rest)?;

    let mut value = f64::from(wrapping_digits(whole));
    if let Some(fraction) = fraction {
        let power = fraction.bytes().fold(1_u32, |power, _| power.wrapping_mul(10));
        value += f64::from(wrapping_digits(fraction)) / f64::from(power);
    }
    if let Some((_, sign, digits)) = exponent {
        let scale = power_of_ten(wrapping_digits(digits));
        value = if sign == Some('-') { value / scale } else { value * scale };
    }
    // 0 × infinity: which NaN depends on the machine, so say which.
    let value = if value.is_nan() { f64::NAN.abs() } else { value };
    #[allow(clippy::cast_possible_truncation, reason = "rounding to f32 is what ncnn does here")]
    let value = (if sign == Some('-') { -value } else { value }) as f32;
    Ok((rest, value))
}

/// 10 to the `exponent`, in the steps in which ncnn multiplies it up.
fn power_of_ten(mut exponent: u32) -> f64 {
    let mut scale = 1.0_f64;
    // Infinity stays infinity: four thousand million steps would change nothing.
    while exponent >= 8 && scale.is_finite() {
        scale *= 1e8;
        exponent -= 8;
    }
    while exponent > 0 && scale.is_finite() {
        scale *= 10.0;
        exponent -= 1;
    }
    scale
}

fn wrapping_digits(digits: &str) -> u32 {
    digits.bytes().fold(0, |value: u32, digit| value.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0'))))
}

/// integer = { white } , [ sign ] , digit , { digit } ;   (* C's %d *)
///
/// Values beyond 32 bits wrap, as where ncnn's releases run (64-bit `long`).
fn integer(token: &str) -> IResult<&str, (i32, bool)> {
    let (rest, digits) =
        preceded(nom::character::complete::multispace0, recognize((opt(one_of("+-")), digit1))).parse(token)?;
    let negative = digits.starts_with('-');
    let wide = digits.parse::<i64>().unwrap_or(if negative { i64::MIN } else { i64::MAX });
    #[allow(clippy::cast_possible_truncation, reason = "C narrows long to int in the same way")]
    let value = wide as i32;
    Ok((rest, (value, i64::from(value) != wide)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_float(token: &str) -> f32 {
        match read_number(token, true).unwrap().number {
            Number::Float(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ordinary_floats_are_what_they_say() {
        for (token, value) in [
            ("0.5", 0.5),
            ("-1.25", -1.25),
            ("+2.", 2.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("-1.234567e+00", -1.234_567),
            ("3.402823e+38", 3.402_823e38),
            ("0.0", 0.0),
        ] {
            assert_eq!(read_float(token), value, "{token}");
        }
    }

    #[test]
    fn ten_decimals_wrap_the_power_of_ten() {
        // 10^10 mod 2^32 = 1410065408: the value that ncnn loads.
        assert_eq!(read_float("0.0000000001"), (1.0_f64 / 1_410_065_408.0) as f32);
        assert_eq!(format!("{:.5e}", read_float("0.0000000001")), "7.09187e-10");
        // 5000000000 mod 2^32.
        assert_eq!(read_float("5000000000.0"), 705_032_704.0);
    }

    #[test]
    fn a_minus_counts_for_zero_too() {
        assert_eq!(read_float("-0.0").to_bits(), (-0.0_f32).to_bits());
    }

    #[test]
    fn huge_exponents_end_at_infinity_or_zero_at_once() {
        assert_eq!(read_float("1e999999999"), f32::INFINITY);
        assert_eq!(read_float("-1e4294967295"), f32::NEG_INFINITY);
        assert_eq!(read_float("1e-4294967295"), 0.0);
        assert!(read_float("0e4294967295").is_nan());
    }

    #[test]
    fn integers_stop_at_the_first_other_character() {
        let reading = read_number("0x10", false).unwrap();
        assert_eq!((reading.number, reading.rest, reading.wrapped), (Number::Int(0), "x10", false));
        assert_eq!(read_number("-7", false).unwrap().number, Number::Int(-7));
        assert_eq!(read_number("+7", false).unwrap().number, Number::Int(7));
    }

    #[test]
    fn integers_beyond_32_bits_wrap_and_say_so() {
        let reading = read_number("4294967297", false).unwrap();
        assert_eq!((reading.number, reading.wrapped), (Number::Int(1), true));
        assert_eq!(read_number("-2147483648", false).unwrap().number, Number::Int(i32::MIN));
    }

    #[test]
    fn a_number_needs_a_digit() {
        for token in ["", "-", "+", "-inf", "x", "-."] {
            assert_eq!(read_number(token, false), None, "{token}");
        }
        for token in [".", "-.", "-e5", "+.e", "e"] {
            assert_eq!(read_number(token, true), None, "{token}");
        }
    }

    #[test]
    fn floats_are_written_as_c_writes_them() {
        for (value, text) in [
            (0.1_f32, "1.000000e-01"),
            (-0.0, "-0.000000e+00"),
            (6.0, "6.000000e+00"),
            (1e-10, "1.000000e-10"),
            (1e10, "1.000000e+10"),
            (16_777_217.0, "1.6777216e+07"),
            (f32::MAX, "3.4028235e+38"),
            (f32::INFINITY, "1.000000e+39"),
            (f32::NEG_INFINITY, "-1.000000e+39"),
            (f32::NAN, "0e999"),
            (-f32::NAN, "-0e999"),
        ] {
            assert_eq!(write_float(value), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_float_is_read_back_from_at_most_fifteen_characters(bits: u32) {
            let value = f32::from_bits(bits);
            let text = write_float(value);
            proptest::prop_assert!(text.len() <= 15, "{text}");
            proptest::prop_assert!(looks_like_float(&text));
            let read = read_float(&text);
            proptest::prop_assert!(read.to_bits() == bits || (read.is_nan() && value.is_nan()), "{text} {value:e} {read:e}");
        }
    }
}
