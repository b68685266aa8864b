//! Statistics of photographs as points, one coordinate a channel. Everything in f64, and in order, so that the same points
//! give the same bits.

mod cholesky;
mod ledoit_wolf;
mod moments;
mod spearman;
mod summary;

pub use ledoit_wolf::{TiedCovariance, Whitened};
pub(super) use moments::second_moments;
pub use spearman::spearman;
pub use summary::{Bins, Interval};
pub(super) use summary::{bins, empirical_rank, interval, mean_and_deviation};
