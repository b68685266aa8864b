//! From what was typed to what can be run. Everything that is named is looked up here: network, weights,
//! backend, device, layer, channel, recipe, start picture. Only validated settings go on from here.

pub mod args;
mod place;

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use trepang_api::{Backend, Device, LayerId, Model, Network, Op};
use trepang_weights::cache::Environment;
use trepang_weights::{Error as WeightsError, Store, Trained, Want, sha256, trained};

use crate::engine::{Objective, Picture, Plan, RECIPES, Recipe, Start};
use crate::runs::{Origin, Provenance, Segment, read_picture};
use args::{ComputeArgs, RenderArgs};

pub use place::{find_entry, find_place, thread_count};

/// The network if nobody says otherwise.
pub const DEFAULT_NETWORK: &str = "minivgg";

/// Something was asked for that cannot be: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A network, and what computes it.
#[derive(Debug)]
pub struct Compute {
    /// The network, its weights and labels.
    pub trained: Trained,
    /// The framework.
    pub backend: Box<dyn Backend>,
    /// Where it runs.
    pub device: Device,
    /// What a run's manifest says of all this.
    pub provenance: Provenance,
}

impl Compute {
    /// Looks up everything in `args`.
    pub fn open(args: &ComputeArgs, want: Want) -> Result<Self> {
        let network = args.network.as_deref().unwrap_or(DEFAULT_NETWORK);
        let trained = find_weights(network, args.weights.as_deref(), want)?;
        let (backend, device) = find_place(args)?;
        let provenance = provenance(args.weights.as_deref(), &trained, (backend.as_ref(), &device))?;
        Ok(Self { trained, backend, device, provenance })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.trained.network
    }

    /// Puts the network on the device.
    pub fn model(&self) -> Result<Box<dyn Model>> {
        Ok(self.backend.load(&self.trained.network, &self.trained.weights, &self.device)?)
    }
}

/// What manifests say of a network, read from `file` or from where its own weights are, on a device.
pub fn provenance(
    file: Option<&Path>,
    trained: &Trained,
    (backend, device): (&dyn Backend, &Device),
) -> Result<Provenance> {
    Ok(Provenance {
        trepang: env!("CARGO_PKG_VERSION").into(),
        network: trained.name.clone(),
        weights: file.map(|path| path.display().to_string()),
        weights_sha256: trained.sha256()?,
        backend: backend.name().into(),
        device: device.to_string(),
        threads: backend.threads(),
    })
}

/// Where pulled sets of weights are, on this machine.
pub fn store() -> Store {
    Store::new(Environment::of_process().weights_folder())
}

/// The network with its weights: those of `file`, the embedded ones, or a pulled set.
pub fn find_weights(network: &str, file: Option<&Path>, want: Want) -> Result<Trained> {
    let advice = "choose another file with --weights, or leave it out for the network's own weights";
    trained(network, file, &store(), want).map_err(|error| match (file, error) {
        (Some(_), error @ WeightsError::Io { .. }) => anyhow!("{error}; {advice}"),
        (_, error) => error.into(),
    })
}

/// The layer called `name`.
pub fn find_layer(network: &Network, name: &str) -> Result<LayerId> {
    network.layer(name).map_err(|error| {
        Usage(format!("{error} (`trepang networks` lists the layers of {})", network.name())).into()
    })
}

/// The recipe called `name`.
pub fn find_recipe(name: &str) -> Result<Recipe> {
    Recipe::named(name).ok_or_else(|| {
        Usage(format!("there is no recipe \"{name}\"; the recipes are: {}", RECIPES.join(", "))).into()
    })
}

/// What `trepang render` has been asked to make: a plan, and the start picture's pixels if it begins with one.
#[derive(Debug)]
pub struct Job {
    /// What to make.
    pub plan: Plan,
    /// The pixels of [`Start::Picture`].
    pub picture: Option<Picture>,
}

impl Job {
    /// A new ascent, from flags.
    pub fn from_flags(args: &RenderArgs, compute: &Compute) -> Result<Self> {
        let recipe = find_recipe(args.recipe.as_deref().unwrap_or(RECIPES[0]))?;
        let (start, picture) = find_start(args.init.as_deref())?;
        let own_size = picture.as_ref().map(|picture| picture.width);
        let plan = Plan {
            objective: find_objective(args, &compute.trained)?,
            size: args.size.or(own_size).unwrap_or(compute.network().input().native),
            seed: args.seed,
            steps: args.steps.map_or(recipe.steps, |steps| steps as usize),
            start,
            recipe,
        };
        Ok(Self { plan, picture })
    }

    /// The ascent that made a picture. `init` tells where its start picture is now, if that was moved; the plan
    /// keeps the old place, so that the same picture comes out with the same text.
    pub fn again(origin: &Origin, init: Option<&str>) -> Result<Self> {
        let plan = origin.plan.clone();
        let Start::Picture { file, sha256 } = &plan.start else {
            return match init {
                None => Ok(Self { plan, picture: None }),
                Some(_) => Err(Usage("this picture began from no file; leave --init out".into()).into()),
            };
        };
        let file = init.unwrap_or(file);
        let (start, picture) = find_start(Some(file))
            .with_context(|| format!("this picture began from {file}; say where that is with --init"))?;
        if !matches!(&start, Start::Picture { sha256: found, .. } if found == sha256) {
            return Err(Usage(format!(
                "{file} is not the picture that this one began from (its hash differs)"
            ))
            .into());
        }
        Ok(Self { plan, picture })
    }
}

/// Fails for a picture that several computations made one after the other: none of them alone makes the same bytes.
pub fn check_repeatable(origin: &Origin) -> Result<()> {
    if origin.segments.len() < 2 {
        return Ok(());
    }
    let part = |Segment { step, provenance }: &Segment| {
        let Provenance { trepang, backend, device, threads, .. } = provenance;
        format!("from step {}: {backend} on {device}, threads: {threads}, trepang {trepang}", step + 1)
    };
    let parts: Vec<String> = origin.segments.iter().map(part).collect();
    Err(Usage(format!(
        "this picture's run was gone on with by another computation ({}), so it cannot be made again to the byte; go \
         on with its run with --resume, or render it anew from its flags",
        parts.join("; ")
    ))
    .into())
}

/// What `--from` and `--resume` take from a finished run where no flag says otherwise; fails when the weights
/// are not the same. A weights file that was moved keeps its old place in the manifest, so that the same
/// picture comes out with the same text.
pub fn compute_of(origin: &Origin, args: &ComputeArgs) -> Result<Compute> {
    let made = &origin.provenance;
    let asked = ComputeArgs {
        network: args.network.clone().or_else(|| Some(made.network.clone())),
        weights: args.weights.clone().or_else(|| made.weights.as_ref().map(Into::into)),
        backend: args.backend.clone().or_else(|| Some(made.backend.clone())),
        device: args.device.clone().or_else(|| Some(made.device.clone())),
        threads: args.threads.or_else(|| u16::try_from(made.threads).ok()),
    };
    let mut compute = Compute::open(&asked, Want::Features)
        .with_context(|| format!("that run was made with {}", computed_with(made)))?;
    if compute.provenance.weights_sha256 == made.weights_sha256 {
        compute.provenance.weights.clone_from(&made.weights);
        return Ok(compute);
    }
    let (was, is) = (&made.weights_sha256, &compute.provenance.weights_sha256);
    Err(Usage(format!("the weights are not those of that run (its SHA-256 was {was:.12}..., these have {is:.12}...); choose them with --weights")).into())
}

/// For the user who has to say where things are now.
fn computed_with(made: &Provenance) -> String {
    let (weights, moved) = match &made.weights {
        Some(file) => (file.as_str(), "; if that file was moved, say where it is with --weights"),
        None => ("its own weights", ""),
    };
    format!("{} and {weights}, by {} on {}{moved}", made.network, made.backend, made.device)
}

fn find_objective(args: &RenderArgs, trained: &Trained) -> Result<Objective> {
    let layer = args.layer.clone().unwrap_or_default();
    if let Some(class) = &args.logit {
        return find_class(class, args.layer.as_deref(), trained);
    }
    // By its own name, also where another framework's was typed.
    let layer = trained.network.node(find_layer(&trained.network, &layer)?)?.name.clone();
    Ok(match (args.channel, args.neuron) {
        (_, Some([channel, y, x])) => Objective::Neuron { layer, channel, y, x },
        (channel, None) => Objective::Channel { layer, channel: channel.unwrap_or_default() },
    })
}

fn find_class(text: &str, layer: Option<&str>, trained: &Trained) -> Result<Objective> {
    if let Some(layer) = layer {
        let node = trained.network.node(find_layer(&trained.network, layer)?)?;
        if !matches!(node.op, Op::Linear(_)) {
            return Err(Usage(format!("{layer} has no class logits; leave --layer out with --logit")).into());
        }
    }
    if trained.labels.is_empty() {
        return Err(WeightsError::NoClassifier { name: trained.name.clone() }.into());
    }
    let class = trained.labels.find(text).ok_or_else(|| {
        let last = trained.labels.len().saturating_sub(1);
        Usage(format!(
            "{} has no class \"{text}\"; give an index from 0 to {last}, a WordNet id or a name",
            trained.network.name()
        ))
    })?;
    Ok(Objective::Logit { class })
}

fn find_start(init: Option<&str>) -> Result<(Start, Option<Picture>)> {
    match init {
        None | Some("noise") => Ok((Start::Noise, None)),
        Some("gray") => Ok((Start::Gray, None)),
        Some(file) => {
            let picture = read_picture(Path::new(file))?;
            let sha256 = sha256(&picture.rgb);
            Ok((Start::Picture { file: file.into(), sha256 }, Some(picture)))
        }
    }
}
