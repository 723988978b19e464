//! Options out of a file: the words that a command line takes, with numbers as numbers.

use std::fmt;

use serde::de::{DeserializeSeed, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::word::{Form, Word};

/// A field that a file can hold.
pub(super) trait Readable: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Reads a field of any kind.
pub(super) fn field<'de, D: Deserializer<'de>, F: Readable>(deserializer: D) -> Result<F, D::Error> {
    F::read(deserializer)
}

impl Readable for bool {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl<T: Word> Readable for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = Text(T::FORM).deserialize(deserializer)?;
        T::from_word(&word).map(Some).map_err(Error::custom)
    }
}

impl<T: Word> Readable for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<String>::deserialize(deserializer)?.iter().map(|word| T::from_word(word).map_err(Error::custom)).collect()
    }
}

/// A value in its form, as the word that a command line takes.
#[derive(Clone, Copy)]
struct Text(Form);

impl<'de> DeserializeSeed<'de> for Text {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Text {
    fn number<E: Error>(self, number: impl fmt::Display) -> Result<String, E> {
        match self.0 {
            Form::Text => Err(E::custom(format!("expected a word in quotes, found the number {number}"))),
            Form::Number | Form::Numbers => Ok(number.to_string()),
        }
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Form::Text => "a word in quotes",
            Form::Number => "a number",
            Form::Numbers => "a number or several in brackets",
        })
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<String, E> {
        match self.0 {
            Form::Text => Ok(word.to_owned()),
            Form::Number | Form::Numbers => Err(E::invalid_type(serde::de::Unexpected::Str(word), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        self.number(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        self.number(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        self.number(number)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<String, A::Error> {
        if self.0 != Form::Numbers {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut words = Vec::new();
        while let Some(word) = sequence.next_element_seed(Text(Form::Number))? {
            words.push(word);
        }
        Ok(words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use crate::ResizeMode;
    use crate::calibrate::Passes;

    fn read(json: &str) -> Options {
        serde_json::from_str(json).unwrap()
    }

    fn message(json: &str) -> String {
        serde_json::from_str::<Options>(json).unwrap_err().to_string()
    }

    #[test]
    fn a_file_has_the_names_and_the_words_of_the_options() {
        let options = read(
            r#"{"param": "net.param", "method": "kl", "passes": 2, "limit": 5, "float-last": true, "exclude": ["fc*"],
                "input": [{"blob": "left", "shape": [4, 3, 1], "pixel": "GRAY", "mean": [1], "norm": 0.5,
                           "resize": "crop:7"}, {"blob": "right", "images": "r"}]}"#,
        );
        assert_eq!((options.passes, options.limit, options.float_last), (Some(Passes::Two), Some(5), true));
        assert_eq!((options.method, options.exclude), ("kl".parse().ok(), vec!["fc*".to_owned()]));
        assert_eq!(options.shape[0].value().sizes(), [4, 3, 1]);
        assert_eq!((&options.mean[0].value().0, &options.norm[0].value().0), (&vec![1.0], &vec![0.5]));
        assert_eq!(*options.resize[0].value(), ResizeMode::Crop { short_side: Some(7) });
        assert_eq!((options.images.len(), options.images[0].blob()), (1, Some("right")));
    }

    #[test]
    fn floats_are_those_of_the_command_line() {
        let options = read(r#"{"input": [{"norm": [0.01712475, 0.0175070, 0.01742919], "mean": 123.675}]}"#);
        let given =
            Options::default().set("norm", "0.01712475,0.0175070,0.01742919").unwrap().set("mean", "123.675").unwrap();
        assert_eq!(options, given);
    }

    #[test]
    fn values_of_the_wrong_kind_are_refused() {
        for (json, expected) in [
            (r#"{"param": 5}"#, "expected a word in quotes, found the number 5"),
            (r#"{"limit": "5"}"#, "invalid type: string \"5\", expected a number"),
            (r#"{"limit": [5]}"#, "invalid type: sequence, expected a number"),
            (r#"{"limit": -5}"#, "invalid digit found in string"),
            (r#"{"optimize": "yes"}"#, "invalid type: string \"yes\", expected a boolean"),
            (r#"{"exclude": "fc"}"#, "expected a sequence"),
            (r#"{"passes": 3}"#, "expected 1 or 2, found 3"),
            (r#"{"checkpoint-every": 0}"#, "number would be zero"),
            (r#"{"input": [{"shape": [0]}]}"#, "expected positive numbers w,h,c, found 0"),
            (r#"{"input": [{"images": ["a"]}]}"#, "expected a word in quotes"),
            (r#"{"images": "a"}"#, "unknown field `images`, expected one of `param`, `bin`"),
            (r#"{"input": [{"limit": 3}]}"#, "unknown field `limit`, expected one of `blob`, `images`"),
        ] {
            assert!(message(json).contains(expected), "{json}: {}", message(json));
        }
    }
}
