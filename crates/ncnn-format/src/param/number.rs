//! Numbers, as ncnn's own routines read them (spec §1.2.3 and §1.2.4).

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
