//! The dashboard and the place where the last one was left: what it takes from there, and what it leaves.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trepang_weights::{Purpose, is_onnx};

use crate::cli::output;
use crate::config::args::{ComputeArgs, DashboardArgs};
use crate::config::{Compute, KeptMark, LeftOff};
use crate::dashboard::{Mark, Marks, PaneSizes, State};
use crate::runs::{from_bytes, small, to_jpeg};

/// The longest side of the picture of a mark that is kept, in pixels: as large as it is ever sent beside others.
const MARK_SIDE: u32 = 224;

/// Everything that the last dashboard left. A file that cannot be used gets a remark.
fn of_last() -> Option<LeftOff> {
    LeftOff::read().unwrap_or_else(|reason| {
        output::remark(reason);
        None
    })
}

/// Whether the flags leave out the place where the last dashboard was left.
fn name_a_place(args: &DashboardArgs) -> bool {
    let ComputeArgs { weights, pick, input, .. } = &args.compute;
    let names_a_place = args.layer.is_some() || args.channel.is_some();
    names_a_place || weights.is_some() || pick.is_some() || input.is_some()
}

/// The network that the flags and the configuration name, or else the one that was left, or else the default; and the place
/// there where the last dashboard was left, if it is of that network.
pub(super) fn open(args: &DashboardArgs) -> Result<(Compute, Option<LeftOff>)> {
    let left = if name_a_place(args) { None } else { of_last().filter(|left| !left.network.is_empty()) };
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

/// Brings back what belongs to no place: the sizes of panes, and the marks. Returns the labels of the marks.
pub(super) fn restore_rest(state: &mut State) -> Vec<String> {
    // Where the file cannot be used, that was said when the place was looked for, or is when it is replaced.
    let Ok(Some(left)) = LeftOff::read() else { return Vec::new() };
    let (lists, curve, strip) = left.panes;
    state.sizes = PaneSizes { lists, curve, strip };
    state.marks = marks(left);
    state.marks.labels()
}

fn marks(left: LeftOff) -> Marks {
    Marks::of(left.marks.into_iter().filter_map(mark).collect())
}

/// A mark that was kept, if its picture can be read.
fn mark(kept: KeptMark) -> Option<Mark> {
    let KeptMark { label, network, target, chosen, jpeg } = kept;
    let picture = from_bytes(&STANDARD.decode(jpeg).ok()?).ok()?;
    Some(Mark { label, network, target, picture: Arc::new(picture), chosen })
}

/// A mark to be kept; none where its picture lacks pixels.
fn kept(mark: &Mark) -> Option<KeptMark> {
    let Mark { label, network, target, picture, chosen } = mark.clone();
    let jpeg = STANDARD.encode(to_jpeg(&small(&picture, MARK_SIDE)?).ok()?);
    Some(KeptMark { label, network, target, chosen, jpeg })
}

/// Notes where the dashboard is left. Of a network with weights from a file of their own, the place is not noted, since its name alone would
/// lead elsewhere: the one before stays. `before` are the labels of the marks that this dashboard began with: what another one has marked or
/// taken away since is kept. What cannot be written gets a remark.
pub(super) fn note(state: &State, before: &[String]) {
    let there = LeftOff::read().ok().flatten();
    let place = match network_of(state) {
        Some(network) => {
            LeftOff { network, layer: state.layer_name(), channel: state.channel, ..LeftOff::default() }
        }
        None => there.clone().unwrap_or_default(),
    };
    let merged = there.map(|there| state.marks.merged(&marks(there), before));
    let all = merged.as_ref().unwrap_or(&state.marks).all();
    let left = LeftOff {
        enlarged: state.mosaic.enlarged,
        hides_classes: !state.predicting,
        panes: (state.sizes.lists, state.sizes.curve, state.sizes.strip),
        marks: all.iter().filter_map(kept).collect(),
        ..place
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
