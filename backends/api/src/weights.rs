//! Named tensors on the host, and their check against a network. Not a file reader: the `weights` crate is.

use std::collections::BTreeMap;

use crate::{Array, Error, Network, Result};

/// Tensors by name: convolutions OIHW, linear layers `[out, in]`, batch norm already folded.
#[derive(Debug, Clone, Default)]
pub struct Weights(BTreeMap<String, Array>);

impl Weights {
    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Array) {
        self.0.insert(name.into(), tensor);
    }

    /// Takes a tensor away.
    pub fn remove(&mut self, name: &str) -> Option<Array> {
        self.0.remove(name)
    }

    /// A tensor, if it is there.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// The tensors in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Fails unless every tensor that `network` needs is there, has its shape and holds finite numbers.
    /// Tensors that the network does not need are no fault.
    pub fn check(&self, network: &Network) -> Result<()> {
        for (name, expected) in network.tensors() {
            let tensor = self.0.get(&name).ok_or_else(|| Error::MissingWeight {
                network: network.name().into(),
                tensor: name.clone(),
                found: self.0.len(),
            })?;
            if tensor.shape() != expected {
                let found = tensor.shape().to_vec();
                return Err(Error::WeightShape {
                    network: network.name().into(),
                    tensor: name,
                    expected,
                    found,
                });
            }
            if let Some(index) = tensor.data().iter().position(|value| !value.is_finite()) {
                return Err(Error::NonFiniteWeight { tensor: name, index, value: tensor.data()[index] });
            }
        }
        Ok(())
    }
}
