//! Parameters: `id=value`, as ncnn's `src/paramdict.cpp` reads them.

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
    /// Whether there was something odd about it.
    pub(super) odd: bool,
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
    let mut met = [false; ParamDict::MAX_ID as usize];
    let mut rest = input;
    while let Ok((after_id, (start, id))) = id(rest) {
        let before = notes.count();
        let (after, mut entry) = parameter(start, id, after_id, notes)?;
        entry.odd = notes.count() > before;
        if met.get_mut(usize::from(entry.id)).is_some_and(|met| std::mem::replace(met, true)) {
            notes.odd(start, "repeated-parameter", || {
                format!("parameter {} is given again; the later value counts", entry.id)
            });
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
    Ok((rest, Entry { id, value, text: between(start, start, rest), odd: false }))
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
            if element.starts_with('\r') {
                notes.misread(element, "carriage-return", || {
                    format!("ncnn takes the carriage return for an element of array {id}")
                });
            }
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
        // A tab does not end a value.
        let whole = input.split([',', ' ', '\n']).next().unwrap_or(input).trim_end_matches('\r');
        return Fault::malformed(
            input,
            format!("{} in parameter {id} is longer than the {CHUNK} characters that ncnn reads", shown(whole)),
        );
    }
    let Some(reading) = read_number(token, as_float) else {
        return Fault::malformed(input, format!("parameter {id} should be a number, found {}", shown(token)));
    };
    if reading.wrapped {
        notes.odd(input, "number-overflow", || {
            format!("{} in parameter {id} does not fit 32 bits and wraps around", shown(token))
        });
    }
    if !reading.rest.is_empty() {
        notes.odd(input, "number-with-rest", || {
            format!("{} in parameter {id}: ncnn ignores {}", shown(token), shown(reading.rest))
        });
    }
    Ok((rest, reading.number))
}

/// bare text = letter , { any character but space and newline } ;
fn bare_text<'a>(id: u8, input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, ParamValue> {
    let text = before_carriage_return(input.split([' ', '\n']).next().unwrap_or(input), input);
    let rest = input.get(text.len()..).unwrap_or("");
    check_length(id, text, text.len().saturating_sub(chunk(input).len()), input)?;
    if rest.starts_with('\r') {
        notes.misread(rest, "carriage-return", || {
            format!("ncnn adds the carriage return to the text of parameter {id}")
        });
    }
    Ok((rest, ParamValue::Text(text.strip_suffix('"').unwrap_or(text).to_owned())))
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
            notes.odd(input, "unclosed-text", || format!("the text of parameter {id} is not closed by a quote"));
            let text = before_carriage_return(text, inside);
            (text, inside.get(text.len()..).unwrap_or(""))
        }
    };
    let first = chunk(input);
    if first.len() == 1 && !text.is_empty() {
        notes.misread(input, "unreadable-text", || {
            format!("ncnn cannot read a text that starts with a blank or a comma (parameter {id})")
        });
    }
    if first.len() == CHUNK && text.len() == CHUNK - 1 {
        notes.misread(input, "unreadable-text", || {
            format!("ncnn cannot read a quoted text of exactly 14 characters (parameter {id})")
        });
    }
    let closed_in_first = first.len() >= text.len() + 2;
    if closed_in_first && rest.starts_with(['\t', '\r', '\x0b', '\x0c']) {
        notes.misread(rest, "unended-text", || {
            format!("ncnn reads on behind the text of parameter {id}: only a space or newline ends it")
        });
    }
    let behind = (1 + text.len()).saturating_sub(first.len());
    check_length(id, text, behind, input)?;
    Ok((rest, ParamValue::Text(text.to_owned())))
}

/// `behind` counts the bytes of `text` that ncnn reads in its second piece.
fn check_length<'a>(id: u8, text: &str, behind: usize, input: &'a str) -> Scanned<'a, ()> {
    if behind >= TEXT_TOO_LONG {
        return Fault::malformed(input, format!("the text of parameter {id} is too long: {} characters", text.len()));
    }
    Ok((input, ()))
}

/// Up to 15 bytes without comma, space and newline; the carriage return of a
/// line's end does not count as part of a value.
fn chunk(input: &str) -> &str {
    let end = input.bytes().take(CHUNK).position(|byte| matches!(byte, b',' | b' ' | b'\n'));
    let is_end = |at: &usize| input.is_char_boundary(*at);
    let end = end.or_else(|| (0..=CHUNK.min(input.len())).rev().find(is_end)).unwrap_or(0);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    /// The parameters in `text` as `id:value`, then what was odd, or the error.
    fn read(text: &str) -> String {
        let limits = Limits { array_len: 4, ..Limits::default() };
        let mut notes = Notes::new(&limits);
        match parameters(text, &mut notes) {
            Ok((rest, entries)) => {
                let mut words: Vec<String> = entries.iter().map(|e| format!("{}:{:?}", e.id, e.value)).collect();
                words.extend(notes.into_remarks(text).into_iter().map(|remark| format!("({})", remark.message)));
                words.push(shown(rest));
                words.join(" ").replace("Number(", "(")
            }
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => fault.into_error(text).to_string(),
            Err(nom::Err::Incomplete(_)) => unreachable!(),
        }
    }

    #[test]
    fn numbers_are_integers_unless_they_have_a_point_or_an_e() {
        assert_eq!(read("0=1 1=-2.5 2=1e2"), "0:(Int(1)) 1:(Float(-2.5)) 2:(Float(100.0)) ''");
    }

    #[test]
    fn parameters_may_stand_on_several_lines() {
        assert_eq!(read(" 0=1\n\n 1=2\r\nReLU x"), "0:(Int(1)) 1:(Int(2)) '\\r\\nReLU x'");
    }

    #[test]
    fn the_list_ends_at_the_first_other_token() {
        assert_eq!(read("0=1 2 =3"), "0:(Int(1)) ' 2 =3'");
        assert_eq!(read(""), "''");
    }

    #[test]
    fn old_arrays_judge_each_element_alone() {
        assert_eq!(read("-23301=3,1,2.5,-3"), "1:Array([Int(1), Float(2.5), Int(-3)]) ''");
        assert_eq!(read("-23301= 1,7"), "1:Array([Int(7)]) ''");
        assert_eq!(read("-23301=0"), "1:Array([]) ''");
    }

    #[test]
    fn new_arrays_are_what_their_first_element_is() {
        assert_eq!(read("1=0.0,6"), "1:Array([Float(0.0), Float(6.0)]) ''");
        assert_eq!(read("1=0,6.0"), "1:Array([Int(0), Int(6)]) ('6.0' in parameter 1: ncnn ignores '.0') ''");
        assert_eq!(read("1=4, 2=5"), "1:Array([Int(4)]) 2:(Int(5)) ''");
    }

    #[test]
    fn texts_are_bare_or_quoted() {
        assert_eq!(read("6=abc,d 9=\"0w,1h d\""), "6:Text(\"abc,d\") 9:Text(\"0w,1h d\") ''");
        assert_eq!(read("6=\"\" 7=nan"), "6:Text(\"\") 7:Text(\"nan\") ''");
        assert_eq!(read("6=abc\""), "6:Text(\"abc\") ''");
        assert_eq!(
            read("6=\"a very long expression, twice as long\""),
            "6:Text(\"a very long expression, twice as long\") ''"
        );
    }

    #[test]
    fn what_ncnn_reads_otherwise_is_noted() {
        insta::assert_snapshot!(read("0=1 0=2"), @"0:(Int(1)) 0:(Int(2)) (parameter 0 is given again; the later value counts) ''");
        insta::assert_snapshot!(read("0=0x10"), @"0:(Int(0)) ('0x10' in parameter 0: ncnn ignores 'x10') ''");
        insta::assert_snapshot!(read("0=1\t1=2"), @r#"0:(Int(1)) ('1\t1=2' in parameter 0: ncnn ignores '\t1=2') ''"#);
        insta::assert_snapshot!(read("0=4294967297"), @"0:(Int(1)) ('4294967297' in parameter 0 does not fit 32 bits and wraps around) ''");
        insta::assert_snapshot!(read("6=\"12345678901234\""), @r#"6:Text("12345678901234") (ncnn cannot read a quoted text of exactly 14 characters (parameter 6)) ''"#);
        insta::assert_snapshot!(read("6=\",0w\""), @r#"6:Text(",0w") (ncnn cannot read a text that starts with a blank or a comma (parameter 6)) ''"#);
        insta::assert_snapshot!(read("6=\"abc\"\r\n"), @r#"6:Text("abc") (ncnn reads on behind the text of parameter 6: only a space or newline ends it) '\r\n'"#);
        insta::assert_snapshot!(read("6=abc\r\n"), @r#"6:Text("abc") (ncnn adds the carriage return to the text of parameter 6) '\r\n'"#);
        insta::assert_snapshot!(read("6=\"abc 1=2\r\n"), @r#"6:Text("abc 1=2") (the text of parameter 6 is not closed by a quote) '\r\n'"#);
        insta::assert_snapshot!(read("6=\"abc\"\t1=2"), @r#"6:Text("abc") 1:(Int(2)) (ncnn reads on behind the text of parameter 6: only a space or newline ends it) ''"#);
        insta::assert_snapshot!(read("6=\"abc def\"\r\n"), @r#"6:Text("abc def") '\r\n'"#);
        insta::assert_snapshot!(read("1=4,\r\n"), @r#"1:Array([Int(4)]) (ncnn takes the carriage return for an element of array 1) '\r\n'"#);
    }

    #[test]
    fn what_ncnn_refuses_or_misreads_is_an_error() {
        insta::assert_snapshot!(read("0= 5"), @"line 1: parameter 0 has no value right after the '='");
        insta::assert_snapshot!(read("0="), @"line 1: parameter 0 has no value right after the '='");
        insta::assert_snapshot!(read("32=5"), @"line 1: parameter id 32 is not in 0..32");
        insta::assert_snapshot!(read("-1=5"), @"line 1: parameter id -1 is not in 0..32");
        insta::assert_snapshot!(read("-23332=1,5"), @"line 1: parameter id 32 is not in 0..32");
        insta::assert_snapshot!(read("99999999999999999999=5"), @"line 1: parameter id 9223372036854775807 is not in 0..32");
        insta::assert_snapshot!(read("0=1.0000000000000001"), @"line 1: '1.0000000000000001' in parameter 0 is longer than the 15 characters that ncnn reads");
        insta::assert_snapshot!(read("0=-inf"), @"line 1: parameter 0 should be a number, found '-inf'");
        insta::assert_snapshot!(read("0=123\t1=4567890123"), @r#"line 1: '123\t1=4567890123' in parameter 0 is longer than the 15 characters that ncnn reads"#);
        insta::assert_snapshot!(read("0=(1)"), @"line 1: parameter 0 should be a number, found '(1)'");
        insta::assert_snapshot!(read("0=1,,2"), @"line 1: unexpected ',2' after the value of parameter 0");
        insta::assert_snapshot!(read("0=1,x"), @"line 1: parameter 0 should be a number, found 'x'");
        insta::assert_snapshot!(read("6=\"abc\"d"), @"line 1: unexpected 'd' after the value of parameter 6");
        insta::assert_snapshot!(read("-23300=2,1"), @"line 1: array 0 should have 2 elements, found 1");
        insta::assert_snapshot!(read("-23300=2,1,2,3"), @"line 1: unexpected ',3' after the value of parameter 0");
        insta::assert_snapshot!(read("-23300=x"), @"line 1: array 0 should start with its length, found 'x'");
        insta::assert_snapshot!(read("-23300=-1"), @"line 1: array 0 has length -1");
        insta::assert_snapshot!(read("-23300=5,1,2,3,4,5"), @"line 1: array 0 has length 5, the limit is 4");
        insta::assert_snapshot!(read("0=1,2,3,4,5"), @"line 1: array 0 has more elements than the limit 4");
    }

    #[test]
    fn a_text_may_be_as_long_as_ncnns_two_pieces() {
        let text = "a".repeat(15 + 241);
        assert!(read(&format!("6={text}")).starts_with("6:Text"));
        assert_eq!(read(&format!("6={text}a")), "line 1: the text of parameter 6 is too long: 257 characters");
        assert_eq!(read(&format!("6=\"{text}\"")), "line 1: the text of parameter 6 is too long: 256 characters");
    }

    #[test]
    fn characters_of_several_bytes_are_not_cut() {
        assert_eq!(read("6=\"ääääääääääääääää\""), "6:Text(\"ääääääääääääääää\") ''");
        assert_eq!(read("6=aääääääääääää"), "6:Text(\"aääääääääääää\") ''");
    }
}
