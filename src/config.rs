//! From what was typed to what can be run. Everything that is named is looked up here: network, weights,
//! backend, device, layer, channel, recipe, start picture. Only validated settings go on from here.

pub mod args;
mod channels;
mod job;
mod place;
mod recipe;

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use trepang_api::{Backend, Device, LayerId, Model, Network};
use trepang_weights::cache::Environment;
use trepang_weights::{Error as WeightsError, Purpose, Store, Trained, trained};

use crate::runs::{Origin, Provenance, Segment};
use args::ComputeArgs;

pub use job::{Job, pictures_of, read_references};
pub use place::{find_entry, find_place, thread_count};
pub use recipe::find_recipe;

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
    pub fn open(args: &ComputeArgs, purpose: Purpose) -> Result<Self> {
        let network = args.network.as_deref().unwrap_or(DEFAULT_NETWORK);
        let trained = find_weights(network, args.weights.as_deref(), purpose)?;
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
pub fn find_weights(network: &str, file: Option<&Path>, purpose: Purpose) -> Result<Trained> {
    let advice = "choose another file with --weights, or leave it out for the network's own weights";
    trained(network, file, &store(), purpose).map_err(|error| match (file, error) {
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
    let mut compute = Compute::open(&asked, Purpose::Features)
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
