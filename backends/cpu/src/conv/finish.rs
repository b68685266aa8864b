//! The input and output of kernels, and the work on a sum on its way to memory: bias, ReLU, its gates, accumulation.

use crate::lanes::Lanes;

/// The activation function that follows a convolution or a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    Relu,
    Relu6,
}

/// Numbers, seen through the gates of a ReLU if there are any: one bit a number, that of a closed gate hides it.
/// Gates are `[blocks, N, H, W]`, a word for each vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) gates: Option<&'a [u16]>,
}

impl Input<'_> {
    /// Vector `index` of `data`, which is the same memory as vectors.
    #[inline(always)]
    pub(crate) fn at<S: Lanes>(&self, simd: S, data: &[S::f32s], index: usize) -> S::f32s {
        match self.gates {
            Some(gates) => simd.keep(data[index], gates[index]),
            None => data[index],
        }
    }
}

/// The places of results, and of the gates if an activation has any.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) gates: Option<&'a mut [u16]>,
}

impl<'a> Output<'a> {
    /// The result of [`shares`]: no gates is an empty slice there.
    pub(crate) fn of(data: &'a mut [f32], gates: &'a mut [u16]) -> Self {
        Self { data, gates: Some(gates).filter(|gates| !gates.is_empty()) }
    }
}

/// The work on a sum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// One number a channel, zeros up to a whole block.
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: Activation,
    /// Add to what is there.
    pub(crate) accumulate: bool,
}

impl Finish<'_> {
    /// As it is, added to what is there or not.
    pub(crate) fn plain(accumulate: bool) -> Self {
        Self { bias: None, activation: Activation::None, accumulate }
    }

    /// The bias of a block of channels.
    #[inline(always)]
    pub(crate) fn bias<S: Lanes>(self, simd: S, block: usize) -> S::f32s {
        match self.bias {
            Some(bias) => S::as_simd_f32s(bias).0[block],
            None => simd.splat_f32s(0.0),
        }
    }

    /// Finishes one vector, `bias` being that of its block.
    #[inline(always)]
    pub(crate) fn store<S: Lanes>(
        self,
        simd: S,
        sum: S::f32s,
        bias: S::f32s,
        y: &mut S::f32s,
        gate: Option<&mut u16>,
    ) {
        let zero = simd.splat_f32s(0.0);
        let mut value = simd.add_f32s(sum, bias);
        if self.activation != Activation::None {
            let mut open = simd.positive(value);
            value = simd.max_f32s(zero, value); // in this order a NaN stays one
            if self.activation == Activation::Relu6 {
                let six = simd.splat_f32s(6.0);
                open &= simd.positive(simd.sub_f32s(six, value));
                value = simd.min_f32s(six, value);
            }
            if let Some(gate) = gate {
                *gate = open;
            }
        }
        *y = if self.accumulate { simd.add_f32s(*y, value) } else { value };
    }
}

/// Nothing but a name: `gates[index]` where there are gates.
#[inline(always)]
pub(crate) fn gate(gates: &mut [u16], index: usize) -> Option<&mut u16> {
    gates.get_mut(index)
}

/// Cuts `output` into stretches of `blocks` blocks of channels, `vectors` each, which threads may write to side by side.
pub(crate) fn shares(
    output: Output<'_>,
    blocks: usize,
    vectors: usize,
    lanes: usize,
) -> Vec<(&mut [f32], &mut [u16])> {
    let data = output.data.chunks_mut(blocks * vectors * lanes);
    match output.gates {
        Some(gates) => data.zip(gates.chunks_mut(blocks * vectors)).collect(),
        None => data.map(|data| (data, &mut [][..])).collect(),
    }
}

/// The number of blocks of channels that a thread takes at a time: an even number, a quarter of its share; or its whole
/// share where that would leave threads without work.
pub(crate) fn share(blocks: usize, threads: usize) -> usize {
    match blocks / (2 * threads) {
        0 | 1 => blocks.div_ceil(threads).max(1),
        pairs => 2 * pairs.div_ceil(4),
    }
}
