//! The layer that the user names, and the channel if the name has one, as in Lucid's `mixed4a:476`.

use anyhow::Result;
use trepang_api::{LayerId, Network, excerpt};

use super::Usage;
use crate::engine::{Objective, as_typed, without_quotes, without_spaces_at_colons};

/// Finds the layer called `name`. Fails for one that the network lacks, with the command that lists its layers, and for the
/// name of a channel.
pub fn find_layer(network: &Network, name: &str) -> Result<LayerId> {
    match find_layer_and_channel(network, name)? {
        (id, None) => Ok(id),
        (id, Some(channel)) => {
            let layer = &network.node(id)?.name;
            Err(Usage(format!("\"{layer}:{channel}\" is a channel; here a layer is needed: {layer}")).into())
        }
    }
}

/// Finds the layer called `name`, or the layer and the channel of `LAYER:CHANNEL`, written as an objective may be: with
/// quotation marks, and with spaces at the colon. Fails as [`find_layer`], and for other objectives with the flag that they
/// belong to.
pub fn find_layer_and_channel(network: &Network, name: &str) -> Result<(LayerId, Option<usize>)> {
    let typed = as_typed(name);
    let error = match network.layer(&without_spaces_at_colons(without_quotes(&typed))) {
        Ok(id) => return Ok((id, None)),
        Err(error) => error,
    };
    let list = |error| Usage(format!("{error} (`trepang networks {}` lists its layers)", network.name()));
    let elsewhere =
        |flag: &str| Usage(format!("\"{}\" is not a layer: give it with {flag}", excerpt(&typed))).into();
    match Objective::read(&typed, &|_| Ok(0)) {
        Ok(Objective::Channel { layer, channel }) => {
            Ok((network.layer(&layer).map_err(list)?, Some(channel)))
        }
        Ok(Objective::Logit { .. }) => Err(elsewhere("--logit, or as it is with --objective")),
        Ok(_) => Err(elsewhere("--objective")),
        Err(_) if typed.starts_with("labels") => {
            Err(elsewhere("--logit, by its index in this network or its name"))
        }
        Err(_) => Err(list(error).into()),
    }
}
