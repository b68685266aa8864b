//! CPU kernels on plain slices: convolution as matrix products, and sliding windows. They know no tensor type
//! and no network. All of them run in the rayon pool they are called from, and split their work in a way that
//! depends only on the sizes and the number of threads, so equal calls give equal bits.

pub(crate) mod conv;
mod matmul;
pub(crate) mod pool;
