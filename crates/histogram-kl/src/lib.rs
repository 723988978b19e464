//! Choose how much of a tensor's range eight bits should cover.

#![forbid(unsafe_code)]
