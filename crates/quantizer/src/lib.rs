//! Turn an fp32 network and sample inputs into an int8 network, and say how good it is.

#![forbid(unsafe_code)]
