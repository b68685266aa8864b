//! Whether what a model is asked fits its network, and which nodes it takes: the same for every model.

use crate::{Array, Error, LayerId, Network, Result};

impl Network {
    /// Fails for images or layers that do not fit the network.
    pub fn check_request(&self, images: &Array, at: &[LayerId]) -> Result<()> {
        let (n, shape) = images.dims4()?;
        if n == 0 || shape.channels != 3 {
            return Err(Error::ShapeMismatch {
                what: "the images".into(),
                expected: vec![n.max(1), 3, shape.height, shape.width],
                found: images.shape().to_vec(),
            });
        }
        for id in at {
            self.node(*id)?;
        }
        match at.iter().max() {
            Some(deepest) => self.shapes(shape.height, shape.width, *deepest).map(drop),
            None => Ok(()),
        }
    }

    /// The number of reads of each node's output, up to the deepest layer in `at`: by the nodes after it, and by the caller
    /// for those in `at`. A node that nobody reads need not run.
    pub fn needed(&self, at: &[LayerId]) -> Vec<usize> {
        self.needed_from(&[], at)
    }
}

/// Fails unless there is one cotangent for each activation at `at`, of its shape.
pub fn check_cotangents(
    network: &Network,
    at: &[LayerId],
    activations: &[Array],
    cotangents: &[Array],
) -> Result<()> {
    if cotangents.len() != at.len() {
        return Err(Error::ShapeMismatch {
            what: "cotangents, one a layer".into(),
            expected: vec![at.len()],
            found: vec![cotangents.len()],
        });
    }
    for ((id, activation), cotangent) in at.iter().zip(activations).zip(cotangents) {
        if activation.shape() != cotangent.shape() {
            return Err(Error::ShapeMismatch {
                what: format!("the cotangent of \"{}\"", network.node(*id)?.name),
                expected: activation.shape().to_vec(),
                found: cotangent.shape().to_vec(),
            });
        }
    }
    Ok(())
}
