//! The data that a step keeps from its forward run for its pull-back.

use crate::buffer::Buffer;

/// The data that a step keeps from its forward run for its pull-back.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// A ReLU's, a word a vector.
    pub(crate) gates: Vec<u16>,
    /// The gates of a ReLU6 that are closed because the number is too large; empty until a pull-back redirects.
    pub(crate) high: Vec<u16>,
    /// A max pool's.
    pub(crate) winners: Vec<u16>,
    /// A softmax's output, or what a `NumberStep` needs.
    pub(crate) numbers: Buffer,
    /// More of a `NumberStep`'s.
    pub(crate) factors: Buffer,
}
