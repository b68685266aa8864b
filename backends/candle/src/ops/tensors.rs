//! Sliding windows made of candle's own tensor operations, which exist for every device: nothing here copies to the
//! host, and there is no device code of ours. Not for the CPU, where the kernels are many times faster; but the
//! conformance suite runs this way there too, since there is no other proof of it without a GPU.

mod conv;
mod grid;
mod pool;

pub(super) use conv::{convolve, turned_round};
pub(super) use pool::{average, max};
