//! Parameters: `id=value` (spec §1.2).

use nom::Parser;
use nom::bytes::complete::take_while;
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{opt, recognize};
use nom::sequence::{preceded, terminated};

use super::fault::{Fault, Notes, Scanned, between, shown};
use super::number::{looks_like_float, read_number};
use crate::{Number, ParamDict, ParamValue};

/// A parameter and the text it was read from.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) id: u8,
    pub(super) value: ParamValue,
    /// From the id to the end of the value.
    pub(super) text: &'a str,
}

/// The longest value that ncnn reads in one piece.
const CHUNK: usize = 15;
/// From here on ncnn calls the part of a text behind its first chunk too long.
const TEXT_TOO_LONG: usize = 242;

/// parameters = { parameter } ;
///
/// The list ends at the first token that does not start like a parameter.
pub(super) fn parameters<'a>(input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, Vec<Entry<'a>>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut rest = input;
    while let Ok((after_id, (start, id))) = id(rest) {
        let (after, entry) = parameter(start, id, after_id, notes)?;
        if entries.iter().any(|earlier| earlier.id == entry.id) {
            notes.odd(start, || format!("parameter {} is given again; the later value counts", entry.id));
        }
        entries.push(entry);
        rest = after;
    }
    Ok((rest, entries))
}

/// id = { white } , signed digits , "=" ;
///
/// Gives the place of its first character as well.
fn id(input: &str) -> Scanned<'_, (&str, i64)> {
    let (start, _) = take_while(is_white)(input)?;
    let (rest, number) = terminated(signed_digits, char('=')).parse(start)?;
    // Whatever does not fit is out of range anyway.
    Ok((rest, (start, number.parse().unwrap_or(i64::MAX))))
}

/// signed digits = [ sign ] , digit , { digit } ;
fn signed_digits(input: &str) -> Scanned<'_, &str> {
    recognize((opt(one_of("+-")), digit1)).parse(input)
}

/// Whether ncnn would take `token` for (the start of) a parameter.
pub(super) fn starts_like_parameter(token: &str) -> bool {
    id(token).is_ok()
}

/// parameter = id , value | old id , old array ;   (* old id = -23300 - id *)
fn parameter<'a>(start: &'a str, id: i64, rest: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, Entry<'a>> {
    let old_array = id <= -23300;
    let real = if old_array { id.saturating_add(23300).saturating_neg() } else { id };
    let Some(id) = u8::try_from(real).ok().filter(|id| *id < ParamDict::MAX_ID) else {
        return Fault::malformed(start, format!("parameter id {real} is not in 0..{}", ParamDict::MAX_ID));
    };
    let (rest, value) = if old_array { old_style_array(id, rest, notes)? } else { value(id, rest, notes)? };
    if rest.chars().next().is_some_and(|c| !is_white(c)) {
        let token = until_blank(rest);
        return Fault::malformed(start, format!("unexpected {} after the value of parameter {id}", shown(token)));
    }
    Ok((rest, Entry { id, value, text: between(start, start, rest) }))
}

/// old array = { white } , signed digits , { "," , element } ;
fn old_style_array<'a>(id: u8, input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, ParamValue> {
    let Ok((mut rest, count)) = preceded(take_while(is_white), signed_digits).parse(input) else {
        let found = shown(until_blank(input));
        return Fault::malformed(input, format!("array {id} should start with its length, found {found}"));
    };
    let Ok(len) = count.parse::<usize>() else {
        return Fault::malformed(input, format!("array {id} has length {count}"));
    };
    if len > notes.limits.array_len {
        let most = notes.limits.array_len;
        return Fault::too_large(input, format!("array {id} has length {len}, the limit is {most}"));
    }
    let mut numbers = Vec::new();
    while numbers.len() < len {
        let Some(element) = rest.strip_prefix(',').filter(|element| !chunk(element).is_empty()) else {
            let found = numbers.len();
            return Fault::malformed(input, format!("array {id} should have {len} elements, found {found}"));
        };
        let (after, number) = number(id, element, looks_like_float(chunk(element)), notes)?;
        numbers.push(number);
        rest = after;
    }
    Ok((rest, ParamValue::Array(numbers)))
}

/// value = text | number | new array ;
/// new array = number , "," , [ number , { "," , number } , [ "," ] ] ;
///
/// The first element decides whether all are floats.
fn value<'a>(id: u8, input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, ParamValue> {
    let first = chunk(input);
    match first.bytes().next() {
        None => return Fault::malformed(input, format!("parameter {id} has no value right after the '='")),
        Some(b'"') => return quoted_text(id, input, notes),
        Some(byte) if byte.is_ascii_alphabetic() => return bare_text(id, input, notes),
        Some(_) => {}
    }
    let as_float = looks_like_float(first);
    let (mut rest, scalar) = number(id, input, as_float, notes)?;
    if !rest.starts_with(',') {
        return Ok((rest, ParamValue::Number(scalar)));
    }
    let mut numbers = vec![scalar];
    while let Some(element) = rest.strip_prefix(',') {
        rest = element;
        if chunk(element).is_empty() {
            break;
        }
        if numbers.len() >= notes.limits.array_len {
            return Fault::too_large(input, format!("array {id} has more elements than the limit {}", numbers.len()));
        }
        let (after, number) = number(id, element, as_float, notes)?;
        numbers.push(number);
        rest = after;
    }
    Ok((rest, ParamValue::Array(numbers)))
}

/// number = chunk ;   (* 1 to 15 characters, see `number.rs` for what they mean *)
fn number<'a>(id: u8, input: &'a str, as_float: bool, notes: &mut Notes<'a, '_>) -> Scanned<'a, Number> {
    let token = chunk(input);
    let rest = input.get(token.len()..).unwrap_or("");
    if rest.chars().next().is_some_and(|c| c != ',' && !is_white(c)) {
        let whole: &str = input.split(|c| c == ',' || is_white(c)).next().unwrap_or(input);
        return Fault::malformed(
            input,
            format!("{} in parameter {id} is longer than the {CHUNK} characters that ncnn reads", shown(whole)),
        );
    }
    let Some(reading) = read_number(token, as_float) else {
        return Fault::malformed(input, format!("parameter {id} should be a number, found {}", shown(token)));
    };
    if reading.wrapped {
        notes.odd(input, || format!("{} in parameter {id} does not fit 32 bits and wraps around", shown(token)));
    }
    if !reading.rest.is_empty() {
        notes.odd(input, || format!("{} in parameter {id}: ncnn ignores {}", shown(token), shown(reading.rest)));
    }
    Ok((rest, reading.number))
}

/// bare text = letter , { any character but space and newline } ;
fn bare_text<'a>(id: u8, input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, ParamValue> {
    let text = before_carriage_return(input.split([' ', '\n']).next().unwrap_or(input), input);
    let rest = input.get(text.len()..).unwrap_or("");
    let behind = text.len().saturating_sub(chunk(input).len());
    finish_text(id, text, behind, input, rest, notes)
}

/// quoted text = '"' , { any character but '"' and newline } , '"' ;
///
/// Where ncnn would lose its way the text is taken as it was meant, and noted.
fn quoted_text<'a>(id: u8, input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, ParamValue> {
    let inside = input.strip_prefix('"').unwrap_or(input);
    let text = inside.split(['"', '\n']).next().unwrap_or(inside);
    let after = inside.get(text.len()..).unwrap_or("");
    let (text, rest) = match after.strip_prefix('"') {
        Some(rest) => (text, rest),
        None => {
            notes.odd(input, || format!("the text of parameter {id} is not closed by a quote"));
            let text = before_carriage_return(text, inside);
            (text, inside.get(text.len()..).unwrap_or(""))
        }
    };
    let first = chunk(input);
    if first.len() == 1 && !text.is_empty() {
        notes.odd(input, || format!("ncnn cannot read a text that starts with a blank or a comma (parameter {id})"));
    }
    if first.len() == CHUNK && text.len() == CHUNK - 1 {
        notes.odd(input, || format!("ncnn cannot read a quoted text of exactly 14 characters (parameter {id})"));
    }
    let behind = (1 + text.len()).saturating_sub(first.len());
    finish_text(id, text, behind, input, rest, notes)
}

/// Checks that bare and quoted texts share; `behind` counts the bytes that ncnn
/// reads in its second piece.
fn finish_text<'a>(
    id: u8,
    text: &'a str,
    behind: usize,
    input: &'a str,
    rest: &'a str,
    notes: &mut Notes<'a, '_>,
) -> Scanned<'a, ParamValue> {
    if behind >= TEXT_TOO_LONG {
        return Fault::malformed(input, format!("the text of parameter {id} is too long: {} characters", text.len()));
    }
    if rest.starts_with('\r') {
        notes.odd(input, || format!("ncnn adds the carriage return to the text of parameter {id}"));
    }
    let text = if input.starts_with('"') { text } else { text.strip_suffix('"').unwrap_or(text) };
    Ok((rest, ParamValue::Text(text.to_owned())))
}

/// Up to 15 bytes without comma, space and newline; the carriage return of a
/// line's end does not count as part of a value.
fn chunk(input: &str) -> &str {
    let end = input.bytes().take(CHUNK).position(|byte| matches!(byte, b',' | b' ' | b'\n'));
    let end = end.unwrap_or_else(|| input.floor_char_boundary(CHUNK));
    before_carriage_return(input.get(..end).unwrap_or(""), input)
}

/// `part` without its last character if that is the carriage return of a line's end.
fn before_carriage_return<'a>(part: &'a str, input: &str) -> &'a str {
    match part.strip_suffix('\r') {
        Some(shorter) if matches!(input.as_bytes().get(part.len()), None | Some(b'\n')) => shorter,
        _ => part,
    }
}

/// The text up to the next blank.
fn until_blank(input: &str) -> &str {
    input.split(is_white).next().unwrap_or(input)
}

/// C's `isspace`.
pub(super) fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}
