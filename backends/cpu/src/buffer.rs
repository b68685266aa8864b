//! Memory for activations: whole cache lines, kept from call to call.

use bytemuck::{Pod, Zeroable, cast_slice, cast_slice_mut};

/// Numbers in a cache line, which is also the widest vector.
const LINE: usize = 16;

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// `f32`s that begin at a cache line. Its length is the largest that was asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<Line>);

impl Buffer {
    /// At least `len` numbers, zero where they are new.
    pub(crate) fn new(len: usize) -> Self {
        let mut buffer = Self::default();
        buffer.grow(len);
        buffer
    }

    /// Makes it at least `len` numbers long. What it held stays.
    pub(crate) fn grow(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if self.0.len() < lines {
            self.0.reserve_exact(lines - self.0.len());
            self.0.resize(lines, Line([0.0; LINE]));
        }
    }

    /// The numbers that it has room for.
    pub(crate) fn len(&self) -> usize {
        self.0.len() * LINE
    }

    /// All of it.
    pub(crate) fn numbers(&self) -> &[f32] {
        cast_slice(&self.0)
    }

    /// All of it.
    pub(crate) fn numbers_mut(&mut self) -> &mut [f32] {
        cast_slice_mut(&mut self.0)
    }
}
