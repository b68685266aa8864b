//! The data that a step keeps from its forward run for its pull-back.

use crate::buffer::Buffer;

/// The data that a step keeps from its forward run for its pull-back. It is empty until a run makes room for it, so that a
/// plan can be made, and its memory reckoned, where there is no room.
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

/// The lengths that the parts of a [`Kept`] need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeptLengths {
    pub(crate) gates: usize,
    pub(crate) winners: usize,
    pub(crate) numbers: usize,
    pub(crate) factors: usize,
}

impl KeptLengths {
    /// Bytes that a [`Kept`] of these lengths takes.
    pub(crate) fn bytes(&self) -> usize {
        (self.gates + self.winners) * size_of::<u16>() + (self.numbers + self.factors) * size_of::<f32>()
    }
}

impl Kept {
    /// Makes it as long as a run needs it. What it has already stays.
    pub(crate) fn make_room(&mut self, lengths: &KeptLengths) {
        for (words, length) in [(&mut self.gates, lengths.gates), (&mut self.winners, lengths.winners)] {
            if words.len() < length {
                *words = vec![0; length];
            }
        }
        self.numbers.grow(lengths.numbers);
        self.factors.grow(lengths.factors);
    }
}
