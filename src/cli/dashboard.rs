//! `trepang` without a subcommand: the dashboard, or the same ascent in plain lines where no terminal is.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::{Result, bail};
use trepang_api::{Network, Op};

use super::args::{DashboardArgs, ImageProtocol};
use super::drive::{drive, stop_signal};
use super::exit::Interrupted;
use super::output;
use crate::app::{Command, LayerInfo, NetworkInfo, Settings, Snapshot, State, Status};
use crate::config::{Compute, find_recipe};
use crate::engine::Ascent;
use crate::runs::{Origin, RunFolder, default_folder};
use crate::ui::{Ending, Protocol, Screen, run as run_loop};
use crate::worker::{Setup, Worker};

/// Where what libraries print goes while the dashboard is up, inside the folder of the runs.
const LOG: &str = "trepang.log";

pub(super) fn run(args: &DashboardArgs) -> Result<()> {
    let compute = Compute::open(&args.compute)?;
    let state = initial_state(args, &compute)?;
    // A plan that does not fit is told before the screen is taken over.
    let ascent = Ascent::new(state.plan(), compute.network(), None)?;
    let runs = args.runs.clone().unwrap_or_else(default_folder);
    match io::stdout().is_terminal() && io::stdin().is_terminal() {
        true => on_screen(args, state, compute, runs),
        false => in_lines(ascent, &compute, runs),
    }
}

/// The dashboard's state with the cursor where the flags say, or on the network's first look.
fn initial_state(args: &DashboardArgs, compute: &Compute) -> Result<State> {
    let (network, provenance) = (compute.network(), &compute.provenance);
    let recipe = find_recipe(&args.recipe)?;
    let size = network.input().native;
    let settings = Settings { size, seed: 0, steps: recipe.steps, recipe };
    let info = NetworkInfo {
        name: provenance.network.clone(),
        backend: provenance.backend.clone(),
        device: provenance.device.clone(),
        threads: provenance.threads,
        parameters: network.parameters(),
        weights: provenance.weights.clone(),
    };
    let (first_layer, first_channel) = compute.trained.first_look;
    let layer = args.layer.as_deref().unwrap_or(first_layer);
    network.layer(layer)?;
    let mut state = State::new(info, layers(network, size)?, compute.trained.labels.names(), settings);
    state.pre = layer.ends_with(":pre");
    let name = layer.strip_suffix(":pre").unwrap_or(layer);
    state.layer = state.layers.iter().position(|layer| layer.name == name).unwrap_or(state.layer);
    state.channel = args.channel.unwrap_or(if args.layer.is_none() { first_channel } else { 0 });
    Ok(state)
}

/// Every layer for the list: a convolution and its ReLU are one.
fn layers(network: &Network, size: usize) -> Result<Vec<LayerInfo>> {
    let mut layers = Vec::new();
    for id in network.layers() {
        let (node, shape) = (network.node(id)?, network.shape(size, size, id)?);
        let is_pre = node.name.ends_with(":pre") && matches!(node.op, Op::Conv2d(_));
        if !is_pre {
            layers.push(LayerInfo {
                name: node.name.clone(),
                kind: node.op.kind(),
                channels: shape.channels,
                height: shape.height,
                width: shape.width,
                has_pre: network.pre(id).is_some(),
            });
        }
    }
    Ok(layers)
}

fn on_screen(args: &DashboardArgs, mut state: State, compute: Compute, runs: PathBuf) -> Result<()> {
    let signal = stop_signal()?;
    let setup = Setup {
        network: compute.network().clone(),
        provenance: compute.provenance.clone(),
        runs: runs.clone(),
    };
    let first = state.plan();
    let worker = Worker::spawn(setup, move || compute.model())?;
    worker.send(Command::Start(Box::new(first)));
    let ending = Screen::enter(protocol(args.image_protocol), &runs.join(LOG))
        .and_then(|mut screen| run_loop(&mut state, &worker, &mut screen, &signal));
    // The terminal is the shell's again; now the worker saves its run and says where.
    let last = worker.finish();
    match ending {
        Ok(Ending::Quit) => farewell(&last),
        Ok(Ending::Signal(signal)) => Err(Interrupted { signal, message: interrupted(&last) }.into()),
        Err(error) => Err(error.context(interrupted(&last))),
    }
}

fn protocol(choice: ImageProtocol) -> Option<Protocol> {
    match choice {
        ImageProtocol::Auto => None,
        ImageProtocol::Kitty => Some(Protocol::Kitty),
        ImageProtocol::Sixel => Some(Protocol::Sixel),
        ImageProtocol::Iterm2 => Some(Protocol::Iterm2),
        ImageProtocol::Halfblocks => Some(Protocol::Halfblocks),
        ImageProtocol::None => Some(Protocol::None),
    }
}

/// What the user should know after quitting: where the run is, or that it could not be kept.
fn farewell(last: &Snapshot) -> Result<()> {
    if let Some(notice) = &last.notice {
        if notice.contains("could not be saved") {
            bail!("{notice}");
        }
        output::line(notice)?;
    }
    Ok(())
}

fn interrupted(last: &Snapshot) -> String {
    let reason = match &last.status {
        Status::Broken(message) => message.as_str(),
        _ => "the dashboard was interrupted",
    };
    match &last.notice {
        Some(notice) => format!("{reason}; {notice}"),
        None => format!("{reason}; no run was in progress"),
    }
}

/// The same ascent without a screen.
fn in_lines(mut ascent: Ascent, compute: &Compute, runs: PathBuf) -> Result<()> {
    let origin = Origin { plan: ascent.plan().clone(), provenance: compute.provenance.clone() };
    let folder = RunFolder::create(&runs, &origin)?;
    let mut model = compute.model()?;
    let (steps, name) = (ascent.plan().steps, compute.network().name());
    output::line(format_args!(
        "{name}: {} by the recipe {}",
        origin.plan.objective, origin.plan.recipe.name
    ))?;
    let every = (steps / 16).max(1);
    drive(&mut ascent, model.as_mut(), &folder, |report| {
        if report.step == 1 || report.step.is_multiple_of(every) {
            output::line(format_args!("step {:>5} of {steps}  loss {:.4}", report.step, report.loss))?;
        }
        Ok(())
    })?;
    output::line(format_args!("the picture is {}", folder.path().join("image.png").display()))?;
    output::line("stdout is no terminal, so this was plain text; in a terminal, trepang shows the dashboard")
}
