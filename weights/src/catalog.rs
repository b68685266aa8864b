//! The networks by name, and which weights each comes with.

use std::path::Path;

use crate::{Error, Result, Trained, minivgg, read_safetensors};

/// The names of all networks.
pub const NETWORKS: [&str; 1] = ["minivgg"];

/// A network with its own weights, or with those of a file. Fails for a name that is not in [`NETWORKS`].
pub fn trained(name: &str, file: Option<&Path>) -> Result<Trained> {
    let mut trained = match name {
        "minivgg" => minivgg()?,
        _ => return Err(Error::UnknownNetwork { name: name.into(), known: NETWORKS.join(", ") }),
    };
    if let Some(path) = file {
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.into(), source })?;
        trained.weights = read_safetensors(&bytes, path)?;
        trained.weights.check(&trained.network)?;
        trained.source = bytes.into();
    }
    Ok(trained)
}
