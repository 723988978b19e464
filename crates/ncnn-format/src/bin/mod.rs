//! The `.bin` file.
