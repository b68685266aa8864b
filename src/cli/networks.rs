//! `trepang networks`: lists every network with its layers, or one, at the network's own size.

use anyhow::Result;
use serde::Serialize;
use trepang_api::Network;
use trepang_weights::{Architecture, OnnxModel, architecture, find_set, network_file};

use super::output;
use crate::config::args::ListArgs;

/// A network in the list, for `--json`; `size` is in pixels.
#[derive(Serialize)]
struct NetworkListing {
    name: String,
    size: usize,
    layers: Vec<LayerListing>,
}

/// A layer in the list, for `--json`.
#[derive(Serialize)]
struct LayerListing {
    name: String,
    kind: &'static str,
    channels: usize,
    height: usize,
    width: usize,
}

pub(super) fn run(args: &ListArgs) -> Result<()> {
    let listed = if let Some(name) = &args.name {
        vec![list(&find(name)?)?]
    } else {
        let listed = Architecture::ALL.map(|architecture| list(&whole(architecture)?));
        listed.into_iter().collect::<Result<_>>()?
    };
    if args.json {
        return output::json(&listed);
    }
    for network in &listed {
        output::line(format_args!("{}, {} px", network.name, network.size))?;
        for LayerListing { name, kind, channels, height, width } in &network.layers {
            output::line(format_args!("  {name:<28} {kind:<15} {channels:>5} x {height} x {width}"))?;
        }
    }
    Ok(())
}

/// The network with its classifier, in the version that is listed first.
fn whole(architecture: Architecture) -> trepang_weights::Result<Network> {
    architecture.network(architecture.dialects()[0], true)
}

/// The network called `name`, or that of the set of weights called so, in its version.
fn find(name: &str) -> Result<Network> {
    if let Some(file) = network_file(name) {
        return Ok(OnnxModel::read(file, None)?.network);
    }
    let architecture = architecture(name)?;
    Ok(match find_set(name) {
        Ok(set) => architecture.network(set.dialect, set.classifier)?,
        Err(_) => whole(architecture)?,
    })
}

fn list(network: &Network) -> Result<NetworkListing> {
    let size = network.input().native;
    let layer = |id| {
        let shape = network.shape(size, size, id)?;
        let node = network.node(id)?;
        Ok(LayerListing {
            name: node.name.clone(),
            kind: node.op.kind(),
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
        })
    };
    let layers = network.layers().map(layer).collect::<Result<_>>()?;
    Ok(NetworkListing { name: network.name().into(), size, layers })
}
