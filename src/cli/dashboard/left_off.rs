//! The dashboard and the place where the last one was left: what it takes from there, and what it leaves.

use std::path::Path;

use anyhow::Result;
use trepang_weights::{Purpose, is_onnx};

use crate::cli::output;
use crate::config::args::{ComputeArgs, DashboardArgs};
use crate::config::{Compute, LeftOff};
use crate::dashboard::State;

/// The place where the last dashboard was left, unless the flags name a place themselves. A file that cannot be used gets a remark.
fn of_last(args: &DashboardArgs) -> Option<LeftOff> {
    let ComputeArgs { weights, pick, input, .. } = &args.compute;
    let names_a_place = args.layer.is_some() || args.channel.is_some();
    if names_a_place || weights.is_some() || pick.is_some() || input.is_some() {
        return None;
    }
    LeftOff::read().unwrap_or_else(|reason| {
        output::remark(reason);
        None
    })
}

/// The network that the flags and the configuration name, or else the one that was left, or else the default; and the place
/// there where the last dashboard was left, if it is of that network.
pub(super) fn open(args: &DashboardArgs) -> Result<(Compute, Option<LeftOff>)> {
    let left = of_last(args);
    let named = &args.compute.network;
    let Some(left) = left.filter(|left| named.as_ref().is_none_or(|named| *named == left.network)) else {
        return Ok((Compute::open(&args.compute, Purpose::Features)?, None));
    };
    let again = ComputeArgs { network: Some(left.network.clone()), ..args.compute.clone() };
    match Compute::open(&again, Purpose::Features) {
        Ok(compute) => Ok((compute, Some(left))),
        Err(error) if named.is_some() => Err(error),
        Err(error) => {
            let compute = Compute::open(&args.compute, Purpose::Features)?;
            output::remark(format_args!(
                "{}, which was left last, cannot be opened: {error:#}",
                left.network
            ));
            Ok((compute, None))
        }
    }
}

/// Puts the cursor where it was left, if there is such a layer and channel.
pub(super) fn restore(state: &mut State, left: &LeftOff) {
    let before = (state.layer, state.pre, state.channel);
    if !state.go_to(&left.layer, left.channel) || left.channel >= state.channels() {
        (state.layer, state.pre, state.channel) = before;
    }
    state.mosaic.enlarge(left.enlarged);
    state.predicting = !left.hides_classes;
}

/// Notes where the dashboard is left. A network with weights from a file of their own is not noted: its name alone would lead
/// elsewhere. What cannot be written gets a remark.
pub(super) fn note(state: &State) {
    let Some(network) = network_of(state) else { return };
    let left = LeftOff {
        network,
        layer: state.layer_name(),
        channel: state.channel,
        enlarged: state.mosaic.enlarged,
        hides_classes: !state.predicting,
    };
    if let Err(error) = left.write() {
        output::remark(format_args!("where this dashboard was left is not noted: {}", error.chain()));
    }
}

/// The network in use as `--network` takes it; none where it takes more flags than that.
fn network_of(state: &State) -> Option<String> {
    match &state.network.weights {
        None => Some(state.network.name.clone()),
        Some(file) => {
            let file = Path::new(file);
            let place = || file.canonicalize().unwrap_or_else(|_| file.into());
            is_onnx(file).then(|| place().display().to_string())
        }
    }
}
