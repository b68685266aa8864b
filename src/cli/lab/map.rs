//! `trepang lab map`: where in a picture a network sees a class, or where a channel answers.

use anyhow::{Context, Result};
use image::RgbImage;
use serde::Serialize;
use trepang_api::{Array, Backend, Device, LayerId, Model, Network};
use trepang_weights::{Purpose, Trained};

use super::control::in_random_order;
use super::figure_files::has_screen;
use super::framed::read_framed;
use super::subject::{Busy, without_classifier};
use crate::cli::output;
use crate::cli::show;
use crate::config::args::{MapArgs, MethodFlag, ShowArgs};
use crate::config::{Usage, class_index, find_chosen, find_layer, find_place};
use crate::engine::Picture;
use crate::lab::{
    Error, Map, Tail, best_rival, channel_map, grad_cam, hires_cam, occlusion, overlay, saliency,
    smooth_grad, spearman,
};
use crate::runs::{check_picture_path, write_sheet};
use crate::worker::{class_name, picture_array};

/// The answer, for `--json`.
#[derive(Serialize)]
struct DrawnMap<'a> {
    network: &'a str,
    method: &'static str,
    layer: Option<&'a str>,
    class: Option<usize>,
    channel: Option<usize>,
    height: usize,
    width: usize,
    values: &'a [f64],
    randomised: Option<f64>,
}

/// A method at a layer, of a class or of a channel, as it is asked for.
#[derive(Debug, Clone, Copy)]
struct AskedMap {
    method: MethodFlag,
    layer: Option<LayerId>,
    class: Option<usize>,
    channel: Option<usize>,
    seed: u64,
}

pub(super) fn run(args: &MapArgs) -> Result<()> {
    if let Some(output) = &args.shown.output {
        check_picture_path(output)?;
    }
    let purpose = if args.channel.is_some() { Purpose::Features } else { Purpose::Classes };
    let trained = find_chosen(&args.compute, purpose).map_err(without_classifier)?;
    let method = method(args)?;
    let layer = layer(args, method, &trained)?;
    let picture = read_framed(&trained.network, &args.picture, args.framing)?;
    let array = picture_array(&picture)?;
    let place = find_place(&args.compute)?;
    let mut model = place.0.load(&trained.network, &trained.weights, &place.1)?;
    let class = class(args, &trained, (model.as_mut(), &array))?;
    let asked = AskedMap { method, layer, class, channel: args.channel, seed: args.seed };
    let busy = Busy::with(format!("computing the map by {}", method.name()));
    let map = compute(asked, (model.as_mut(), &trained.network), &array)?;
    drop(model);
    let randomised = if args.randomised { alike(asked, (&trained, &array), &place, &map)? } else { None };
    drop(busy);
    let name = layer.map(|layer| trained.network.nodes()[layer.index()].name.as_str());
    if args.shown.json {
        output::json(&DrawnMap {
            network: &trained.name,
            method: method.name(),
            layer: name,
            class,
            channel: args.channel,
            height: map.height,
            width: map.width,
            values: &map.values,
            randomised,
        })?;
    } else {
        report(args, asked, (&trained, name), &map, randomised)?;
    }
    // Grad-CAM has nothing below zero, as its authors draw it.
    let drawn = if method == MethodFlag::Gradcam { map.scaled() } else { map };
    show_map(args, &overlay(&picture, &drawn))
}

fn method(args: &MapArgs) -> Result<MethodFlag> {
    match (args.method, args.channel) {
        (None, None) => Ok(MethodFlag::Hirescam),
        (None | Some(MethodFlag::Channel), Some(_)) => Ok(MethodFlag::Channel),
        (Some(MethodFlag::Channel), None) => Err(Usage("--method channel needs --channel C".into()).into()),
        (Some(method), Some(_)) => {
            Err(Usage(format!("{} is of a class; leave --channel out, or --method", method.name())).into())
        }
        (Some(method), None) => Ok(method),
    }
}

/// The layer of a method that has one.
fn layer(args: &MapArgs, method: MethodFlag, trained: &Trained) -> Result<Option<LayerId>> {
    match method {
        MethodFlag::Hirescam | MethodFlag::Gradcam | MethodFlag::Channel => {}
        MethodFlag::Saliency | MethodFlag::Smoothgrad | MethodFlag::Occlusion => {
            let typed = args.layer.is_some();
            let told = || Usage(format!("{} is of pixels; leave --layer out", method.name()));
            return if typed { Err(told().into()) } else { Ok(None) };
        }
    }
    let network = &trained.network;
    if let Some(name) = &args.layer {
        return Ok(Some(find_layer(network, name)?));
    }
    let side = network.input().native;
    let end = network.logits();
    let layers: Vec<LayerId> = network.layers().filter(|layer| end.is_none_or(|end| *layer < end)).collect();
    let has_positions =
        |layer: &LayerId| network.shape(side, side, *layer).is_ok_and(|shape| shape.height * shape.width > 1);
    Ok(layers.into_iter().rev().find(has_positions))
}

/// The class that is asked for, or else the picture's first; none for a channel.
fn class(
    args: &MapArgs,
    trained: &Trained,
    (model, picture): (&mut dyn Model, &Array),
) -> Result<Option<usize>> {
    if args.channel.is_some() {
        return Ok(None);
    }
    if let Some(class) = &args.class {
        return class_index(class, trained).map(Some);
    }
    let network = &trained.network;
    let head = network.logits().ok_or_else(|| Error::NoClassifier { network: network.name().into() })?;
    let logits = model.activations(picture, &[head])?.pop().ok_or(Error::NoValues)?;
    Ok(best_rival(logits.data().len(), logits.data()))
}

fn compute(asked: AskedMap, (model, network): (&mut dyn Model, &Network), picture: &Array) -> Result<Map> {
    let class = asked.class.unwrap_or_default();
    let at = || asked.layer.ok_or(Error::NoValues);
    Ok(match asked.method {
        MethodFlag::Hirescam => hires_cam(&mut Tail::new(model, network, picture, at()?)?, class)?,
        MethodFlag::Gradcam => grad_cam(&mut Tail::new(model, network, picture, at()?)?, class)?,
        MethodFlag::Channel => {
            let layer = at()?;
            let activation = model.activations(picture, &[layer])?.pop().ok_or(Error::NoValues)?;
            let (channels, channel) = (activation.shape()[1], asked.channel.unwrap_or_default());
            if channel >= channels {
                let (name, last) = (&network.node(layer)?.name, channels - 1);
                return Err(Usage(format!(
                    "{name} has the channels 0 to {last}, and {channel} is none of them"
                ))
                .into());
            }
            channel_map(&activation, channel)?
        }
        MethodFlag::Saliency => saliency(model, network, picture, class)?,
        MethodFlag::Smoothgrad => smooth_grad(model, network, picture, (class, asked.seed))?,
        MethodFlag::Occlusion => occlusion(model, network, picture, class)?,
    })
}

/// The rank correlation of the map with that of the same weights in a random order.
fn alike(
    asked: AskedMap,
    (trained, picture): (&Trained, &Array),
    (backend, device): &(Box<dyn Backend>, Device),
    map: &Map,
) -> Result<Option<f64>> {
    let weights = in_random_order(&trained.weights, asked.seed)?;
    let mut model = backend.load(&trained.network, &weights, device)?;
    let other = compute(asked, (model.as_mut(), &trained.network), picture)?;
    Ok(spearman(&map.values, &other.values))
}

fn show_map(args: &MapArgs, picture: &Picture) -> Result<()> {
    if let Some(output) = &args.shown.output {
        return Ok(write_sheet(output, picture)?);
    }
    if args.shown.json || !has_screen(args.shown.image_protocol) {
        return Ok(());
    }
    let (width, height) = (picture.width as u32, picture.height as u32);
    let image =
        RgbImage::from_raw(width, height, picture.rgb.clone()).context("the picture has no pixels")?;
    let shown = ShowArgs {
        file: args.picture.clone(),
        size: None,
        image_protocol: args.shown.image_protocol,
        allow_cut: args.framing.allow_cut,
    };
    show::show(&shown, image)
}

fn report(
    args: &MapArgs,
    asked: AskedMap,
    (trained, layer): (&Trained, Option<&str>),
    map: &Map,
    randomised: Option<f64>,
) -> Result<()> {
    let of = match (asked.class, asked.channel) {
        (_, Some(channel)) => format!("channel {channel}"),
        (Some(class), None) => class_name(&trained.labels, class),
        (None, None) => String::new(),
    };
    let layer = layer.map_or_else(String::new, |layer| format!(" at {layer}"));
    let least = map.values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = map.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let Map { height, width, .. } = map;
    output::line(format_args!(
        "{of} in {}, by {}{layer} of {}: {height} x {width} positions from {least:.3} to {largest:.3}",
        args.picture.display(),
        asked.method.name(),
        trained.name
    ))?;
    if largest <= 0.0 {
        output::line("no position speaks for it")?;
    }
    match (randomised, args.randomised) {
        (Some(alike), _) => output::line(format_args!(
            "with the weights in a random order the map is alike by {alike:.2} (rank correlation; 0 is not at all)"
        )),
        (None, true) => {
            output::line("with the weights in a random order the map is the same number everywhere")
        }
        (None, false) => Ok(()),
    }
}
