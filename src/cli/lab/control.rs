//! The control of maps and attributions: the same network with each layer's weights in a random order. A result that stays the
//! same does not come from what the network has learned.

use anyhow::Result;
use trepang_api::{Array, Weights};
use trepang_weights::words;

/// Each tensor's numbers in a random order, so that they have the same sizes and nothing that was learned.
pub(super) fn in_random_order(weights: &Weights, seed: u64) -> Result<Weights> {
    let mut shuffled = Weights::default();
    for (name, tensor) in weights.iter() {
        let mut numbers: Vec<(u64, f32)> =
            words(&format!("shuffled/{seed}/{name}")).zip(tensor.data().iter().copied()).collect();
        numbers.sort_by_key(|(key, _)| *key);
        let numbers = numbers.into_iter().map(|(_, number)| number).collect();
        shuffled.insert(name, Array::new(tensor.shape(), numbers)?);
    }
    Ok(shuffled)
}
