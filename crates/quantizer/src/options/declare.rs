//! From a table of options to a struct.

use std::path::Path;

use super::word::Word;

/// What is to be known about an option in order to offer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionSpec {
    /// Its name, in lower case with dashes: the key of a job, and a long flag without its dashes.
    pub name: &'static str,
    /// What stands for its value in a help text; empty if it takes none.
    pub value: &'static str,
    /// What it is when it is not given, in words; empty if that needs none.
    pub default: &'static str,
    /// Options that belong together have the same; empty for most.
    pub group: &'static str,
    /// How many values it takes.
    pub takes: Takes,
    /// Whether it may be given for every input of the network: `BLOB=VALUE`, or in a job a key of `[[input]]`.
    pub per_input: bool,
    pub(crate) docs: &'static [&'static str],
}

/// How many values an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Takes {
    /// None: it is on or off.
    Nothing,
    /// One; of several the last.
    Value,
    /// Any number, each given by itself.
    Values,
}

impl OptionSpec {
    /// What it does, in one paragraph with its default at the end.
    pub fn help(&self) -> String {
        let lines: Vec<&str> = self.docs.iter().map(|line| line.trim()).collect();
        let help = lines.join(" ");
        if self.default.is_empty() { help } else { format!("{help} [default: {}]", self.default) }
    }
}

/// A field of the options: a flag, a value or a list.
pub(crate) trait Field: Clone {
    const TAKES: Takes;

    /// Takes a value from its word.
    fn put(&mut self, text: &str) -> Result<(), String>;

    /// Whether it has one.
    fn is_given(&self) -> bool;

    /// Starts relative paths at `folder`.
    fn start_at(&mut self, folder: &Path);

    /// Takes what `other` has, if it has nothing.
    fn fill_from(&mut self, other: &Self) {
        if !self.is_given() {
            self.clone_from(other);
        }
    }
}

impl Field for bool {
    const TAKES: Takes = Takes::Nothing;

    fn put(&mut self, text: &str) -> Result<(), String> {
        *self = text.parse().map_err(|_| format!("expected true or false, found {text}"))?;
        Ok(())
    }

    fn is_given(&self) -> bool {
        *self
    }

    fn start_at(&mut self, _: &Path) {}
}

impl<T: Word> Field for Option<T> {
    const TAKES: Takes = Takes::Value;

    fn put(&mut self, text: &str) -> Result<(), String> {
        *self = Some(T::from_word(text)?);
        Ok(())
    }

    fn is_given(&self) -> bool {
        self.is_some()
    }

    fn start_at(&mut self, folder: &Path) {
        self.iter_mut().for_each(|value| value.start_at(folder));
    }
}

impl<T: Word> Field for Vec<T> {
    const TAKES: Takes = Takes::Values;

    fn put(&mut self, text: &str) -> Result<(), String> {
        self.push(T::from_word(text)?);
        Ok(())
    }

    fn is_given(&self) -> bool {
        !self.is_empty()
    }

    fn start_at(&mut self, folder: &Path) {
        self.iter_mut().for_each(|value| value.start_at(folder));
    }
}

/// `"name" field: Type = "VALUE", "default";` per option, in groups; those of each input last.
macro_rules! options {
    (
        $(#[$about:meta])*
        pub struct $Options:ident {
            $($group:literal { $(
                $(#[doc = $doc:literal])+
                $name:literal $field:ident: $type:ty = $value:literal, $default:literal;
            )* })*
            each input: $input_group:literal { $(
                $(#[doc = $input_doc:literal])+
                $input_name:literal $input_field:ident: $input_type:ty = $input_value:literal, $input_default:literal;
            )* }
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $Options {
            $($( $(#[doc = $doc])+ pub $field: $type, )*)*
            $( $(#[doc = $input_doc])+ pub $input_field: Vec<Named<$input_type>>, )*
        }

        impl $Options {
            /// All options.
            pub const SPECS: &'static [OptionSpec] = &[
                $($( OptionSpec {
                    name: $name,
                    value: $value,
                    default: $default,
                    group: $group,
                    takes: <$type as declare::Field>::TAKES,
                    per_input: false,
                    docs: &[$($doc),+],
                }, )*)*
                $( OptionSpec {
                    name: $input_name,
                    value: $input_value,
                    default: $input_default,
                    group: $input_group,
                    takes: Takes::Values,
                    per_input: true,
                    docs: &[$($input_doc),+],
                }, )*
            ];

            /// Sets the option `name` by the word for its value: `true` or `false` for one that takes none,
            /// `BLOB=VALUE` for one input of several. A list gets one more.
            ///
            /// # Errors
            /// `Invalid` for a name or a word that there is not.
            pub fn set(mut self, name: &str, text: &str) -> ncnn_format::Result<Self> {
                self.put(name, text)?;
                Ok(self)
            }

            /// As [`set`](Self::set), in place.
            ///
            /// # Errors
            /// As [`set`](Self::set).
            pub fn put(&mut self, name: &str, text: &str) -> ncnn_format::Result<()> {
                let put = match name {
                    $($( $name => declare::Field::put(&mut self.$field, text), )*)*
                    $( $input_name => declare::Field::put(&mut self.$input_field, text), )*
                    _ => {
                        let known: Vec<&str> = Self::SPECS.iter().map(|spec| spec.name).collect();
                        let message = format!("no option is called {name}; there are {}", known.join(", "));
                        return Err(ncnn_format::Error::invalid(message));
                    }
                };
                put.map_err(|message| ncnn_format::Error::invalid(format!("option {name}: {message}")))
            }

            /// Whether the option `name` has a value, or is on.
            pub fn is_given(&self, name: &str) -> bool {
                match name {
                    $($( $name => declare::Field::is_given(&self.$field), )*)*
                    $( $input_name => declare::Field::is_given(&self.$input_field), )*
                    _ => false,
                }
            }

            /// Takes the options that `which` agrees to and that are not given from `other`.
            pub fn fill_from(&mut self, other: &Self, which: impl Fn(&str) -> bool) {
                $($( if which($name) {
                    declare::Field::fill_from(&mut self.$field, &other.$field);
                } )*)*
                $( if which($input_name) {
                    declare::Field::fill_from(&mut self.$input_field, &other.$input_field);
                } )*
            }

            /// Starts paths that are not absolute at `folder`.
            pub fn start_paths_at(&mut self, folder: &std::path::Path) {
                $($( declare::Field::start_at(&mut self.$field, folder); )*)*
                $( declare::Field::start_at(&mut self.$input_field, folder); )*
            }
        }

        /// A job as it stands in a file.
        #[cfg(feature = "serde")]
        #[derive(Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Job {
            $($( #[serde(rename = $name, deserialize_with = "read::field")] $field: $type, )*)*
            input: Vec<JobInput>,
        }

        /// One `[[input]]` of a job.
        #[cfg(feature = "serde")]
        #[derive(Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct JobInput {
            /// Needed when the network has several.
            blob: Option<String>,
            $( #[serde(rename = $input_name, deserialize_with = "read::field")] $input_field: Option<$input_type>, )*
        }

        #[cfg(feature = "serde")]
        impl From<Job> for $Options {
            fn from(job: Job) -> Self {
                let mut options = Self { $($( $field: job.$field, )*)* ..Self::default() };
                for input in job.input {
                    $( options.$input_field.extend(
                        input.$input_field.map(|value| Named::new(input.blob.clone(), value))
                    ); )*
                }
                options
            }
        }

        /// The keys are the names of the options; `[[input]]` holds those of an input and its name as `blob`.
        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $Options {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Job::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(super) use options;
