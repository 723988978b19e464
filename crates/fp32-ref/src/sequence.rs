//! The layers for sequences without their arithmetic, for executors that multiply integers.
//!
//! Parameters, shapes, the meaning of inputs and outputs, caches and directions are the
//! same for floats and int8; products are what differs.

pub use crate::layers::attention::{Attend, Head};
pub use crate::layers::embed::Embed;
pub use crate::layers::gemm_form::{GemmFactor, GemmForm, GemmInputs, GemmSizes};
pub use crate::layers::lstm::LstmOutput;
pub use crate::layers::multi_head_attention::{MultiHeadAttention, Projection, ProjectionForm};
pub use crate::layers::recurrent::{Cell, Recurrent, RecurrentForm, sigmoid};
pub use crate::layers::sdpa::Sdpa;
