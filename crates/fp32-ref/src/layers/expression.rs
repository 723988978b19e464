//! Sizes written as formulas: `+(0w,2),-1`.
//!
//! Prefix notation; `0w` is the width of the first input, likewise `h`, `d`, `c`
//! and `n` (batch, always 1 here). Brackets and commas only separate. A formula
//! keeps whole numbers whole until an operation needs floats.
//!
//! Source: `eval_list_expression` of ncnn, whose results these are.

use ncnn_format::{Error, Result};

use crate::{Shape, tanh};

/// A list of formulas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Size { input: usize, dimension: u8 },
    Literal(Value),
    Operation(Box<str>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Int(i32),
    Float(f32),
}

impl Expression {
    /// # Errors
    /// `Malformed` for a word that is neither an operation nor a number.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let words = text.split(['(', ')', ',']).filter(|word| !word.is_empty());
        Ok(Self { tokens: words.map(Token::parse).collect::<Result<_>>()? })
    }

    /// Whether there are no formulas.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The values for inputs of these shapes, truncated to integers.
    ///
    /// # Errors
    /// `Malformed` when an operation lacks operands, divides by zero or
    /// overflows; `Invalid` when there are fewer inputs than the formulas need.
    pub(super) fn evaluate(&self, inputs: &[Shape]) -> Result<Vec<i32>> {
        self.evaluate_with(|input, dimension| {
            let shape = inputs.get(input).ok_or_else(|| {
                Error::invalid(format!("a formula refers to input {input}, there are {}", inputs.len()))
            })?;
            let size = match dimension {
                b'w' => shape.w(),
                b'h' => shape.h(),
                b'd' => shape.d(),
                b'c' => shape.c(),
                _ => 1,
            };
            i32::try_from(size).map_err(|_| Error::invalid(format!("the size {size} is too large for a formula")))
        })
    }

    /// The number of values, found as ncnn finds it: by calculating with sizes of 0.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub(super) fn len(&self) -> Result<usize> {
        Ok(self.evaluate_with(|_, _| Ok(0))?.len())
    }

    fn evaluate_with(&self, size: impl Fn(usize, u8) -> Result<i32>) -> Result<Vec<i32>> {
        let mut stack = Vec::new();
        for token in self.tokens.iter().rev() {
            let value = match token {
                Token::Size { input, dimension } => Value::Int(size(*input, *dimension)?),
                Token::Literal(value) => *value,
                Token::Operation(name) => {
                    let mut operand = || {
                        stack.pop().ok_or_else(|| Error::malformed(format!("the formula lacks an operand of {name}")))
                    };
                    let first = operand()?;
                    match one_operand(name, first) {
                        Some(value) => value,
                        None => two_operands(name, first, operand()?),
                    }
                    .ok_or_else(|| Error::malformed(format!("the formula's {name} has no result for its operands")))?
                }
            };
            stack.push(value);
        }
        Ok(stack.into_iter().rev().map(Value::truncate).collect())
    }
}

impl Token {
    fn parse(word: &str) -> Result<Self> {
        if let [digit @ b'0'..=b'9', dimension @ (b'w' | b'h' | b'd' | b'c' | b'n')] = *word.as_bytes() {
            return Ok(Self::Size { input: usize::from(digit - b'0'), dimension });
        }
        if OPERATIONS.contains(&word) {
            return Ok(Self::Operation(word.into()));
        }
        match literal(word) {
            Some(value) => Ok(Self::Literal(value)),
            None => Err(Error::malformed(format!("the formula has the unknown word '{word}'"))),
        }
    }
}

/// The number at the start of `word`, as C's `scanf` finds it.
fn literal(word: &str) -> Option<Value> {
    let word = word.trim_start();
    let longest =
        |number: fn(&str) -> Option<f32>| (1..=word.len()).rev().filter_map(|end| word.get(..end)).find_map(number);
    let float = longest(|text| text.parse().ok())?;
    let int = (1..=word.len()).rev().filter_map(|end| word.get(..end)).find_map(|text| text.parse::<i32>().ok());
    Some(match int {
        Some(int) if int as f32 == float => Value::Int(int),
        _ => Value::Float(float),
    })
}

impl Value {
    fn float(self) -> f32 {
        match self {
            Self::Int(value) => value as f32,
            Self::Float(value) => value,
        }
    }

    fn truncate(self) -> i32 {
        match self {
            Self::Int(value) => value,
            Self::Float(value) => value as i32,
        }
    }
}

const OPERATIONS: [&str; 44] = [
    "+",
    "-",
    "*",
    "//",
    "max",
    "min",
    "/",
    "atan2",
    "fmod",
    "pow",
    "remainder",
    "logaddexp",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "abs",
    "neg",
    "sign",
    "square",
    "trunc",
    "ceil",
    "floor",
    "round",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "erf",
    "exp",
    "log",
    "log10",
    "reciprocal",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
];

/// The result of an operation of one operand; `None` when `name` takes two.
fn one_operand(name: &str, x: Value) -> Option<Option<Value>> {
    let float = |f: fn(f32) -> f32| Some(Some(Value::Float(f(x.float()))));
    let whole = |f: fn(f32) -> f32| {
        Some(Some(match x {
            Value::Int(_) => x,
            Value::Float(x) => Value::Int(f(x) as i32),
        }))
    };
    let same = |int: fn(i32) -> Option<i32>, float: fn(f32) -> f32| {
        Some(match x {
            Value::Int(x) => int(x).map(Value::Int),
            Value::Float(x) => Some(Value::Float(float(x))),
        })
    };
    match name {
        "abs" => same(i32::checked_abs, f32::abs),
        "neg" => same(i32::checked_neg, |x| -x),
        "sign" => same(|x| Some(x.signum()), |x| if x == 0.0 { 0.0 } else { x.signum() }),
        "square" => same(|x| x.checked_mul(x), |x| x * x),
        "trunc" => whole(f32::trunc),
        "ceil" => whole(f32::ceil),
        "floor" => whole(f32::floor),
        "round" => whole(f32::round),
        "acos" => float(f32::acos),
        "acosh" => float(f32::acosh),
        "asin" => float(f32::asin),
        "asinh" => float(f32::asinh),
        "atan" => float(f32::atan),
        "atanh" => float(f32::atanh),
        "cos" => float(f32::cos),
        "cosh" => float(f32::cosh),
        "erf" => float(libm::erff),
        "exp" => float(f32::exp),
        "log" => float(f32::ln),
        "log10" => float(f32::log10),
        "reciprocal" => float(|x| 1.0 / x),
        "rsqrt" => float(|x| 1.0 / x.sqrt()),
        "sin" => float(f32::sin),
        "sinh" => float(f32::sinh),
        "sqrt" => float(f32::sqrt),
        "tan" => float(f32::tan),
        "tanh" => float(tanh),
        _ => None,
    }
}

/// The result of an operation of two operands; `None` when there is none.
fn two_operands(name: &str, a: Value, b: Value) -> Option<Value> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let shift = |value: fn(i32, u32) -> Option<i32>| u32::try_from(b).ok().and_then(|b| value(a, b));
        let whole = match name {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            "//" => a.checked_div(b),
            "max" => Some(a.max(b)),
            "min" => Some(a.min(b)),
            "and" => Some(a & b),
            "or" => Some(a | b),
            "xor" => Some(a ^ b),
            "lshift" => shift(i32::checked_shl),
            "rshift" => shift(i32::checked_shr),
            _ => return with_floats(name, a as f32, b as f32),
        };
        return whole.map(Value::Int);
    }
    with_floats(name, a.float(), b.float())
}

fn with_floats(name: &str, a: f32, b: f32) -> Option<Value> {
    let value = match name {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "//" => (a / b).floor(),
        "max" => a.max(b),
        "min" => a.min(b),
        "/" => a / b,
        "atan2" => a.atan2(b),
        "fmod" => a % b,
        "pow" => a.powf(b),
        "remainder" if a * b < 0.0 => a % b + b,
        "remainder" => a % b,
        "logaddexp" => (a.exp() + b.exp()).ln(),
        // Bits of floats.
        _ => return None,
    };
    Some(Value::Float(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> Result<Vec<i32>> {
        Expression::parse(text)?.evaluate(&[Shape::new(&[3, 5, 7]).unwrap(), Shape::new(&[2]).unwrap()])
    }

    #[test]
    fn sizes_and_operations_nest() {
        assert_eq!(evaluate("+(0w,*(0h,2)),0c,1w,0n,0d").unwrap(), [17, 3, 2, 1, 1]);
        assert_eq!(evaluate("-(0w,0h)").unwrap(), [2]);
    }

    #[test]
    fn whole_numbers_stay_whole_and_floats_are_truncated() {
        assert_eq!(evaluate("//(-7,2),//(-7.0,2.5),/(0w,2),trunc(3.9),round(2.5)").unwrap(), [-3, -3, 3, 3, 3]);
        assert_eq!(evaluate("*(0w,1.5),1.0,lshift(1,4),remainder(-7,3),sqrt(16)").unwrap(), [10, 1, 16, 2, 4]);
    }

    #[test]
    fn a_size_behind_a_space_is_its_digit() {
        assert_eq!(evaluate("0w, 0w").unwrap(), [7, 0]);
    }

    #[test]
    fn says_what_is_wrong() {
        let message = |text| evaluate(text).unwrap_err().to_string();
        assert_eq!(message("+(0w)"), "the formula lacks an operand of +");
        assert_eq!(message("+(0w,oops)"), "the formula has the unknown word 'oops'");
        assert_eq!(message("//(1,0)"), "the formula's // has no result for its operands");
        assert_eq!(message("*(65536,65536)"), "the formula's * has no result for its operands");
        assert_eq!(message("2w"), "a formula refers to input 2, there are 2");
        assert_eq!(message("and(1.5,1)"), "the formula's and has no result for its operands");
    }

    #[test]
    fn counts_values_without_shapes() {
        assert_eq!(Expression::parse("+(0w,1h),-1").unwrap().len().unwrap(), 2);
        assert!(Expression::parse("//(8,0w)").unwrap().len().is_err());
    }
}
