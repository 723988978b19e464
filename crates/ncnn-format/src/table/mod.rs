//! The `.table` file.
