//! Turns what the user typed, or keeps in `config.toml`, into validated settings: it looks up the network, weights, backend, device, layer, channel,
//! recipe and start picture. Only validated settings are passed on.

pub mod args;
mod channels;
mod field;
mod file;
mod filled;
mod input;
mod job;
mod layer;
mod left_off;
mod networks;
mod place;
mod recipe;
mod remark;
mod sockets;

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use trepang_api::{Backend, Device, Model, Network, did_you_mean};
use trepang_weights::cache::Environment;
use trepang_weights::{
    Error as WeightsError, FileChoices, Purpose, Store, Trained, network_file, trained_with,
};

use crate::runs::{Origin, Provenance, Segment, default_folder};
use args::{ComputeArgs, InputFlag};

pub use field::{ConfigField, toml_text};
pub use file::{ConfigFile, KeyLine, Located};
pub use filled::{ConfigValue, fill, values};
pub use input::{InputSource, find_input, remember};
pub use job::{
    RenderJob, class_index, find_start, is_folder_name, picture_size, pictures_of, read_references,
};
pub use layer::{find_layer, find_layer_and_channel};
pub use left_off::{KeptMark, LeftOff};
pub use networks::MeasuredNetwork;
pub use place::{find_entry, find_place, has_device, thread_count};
pub use recipe::find_recipe;
pub use remark::remark;
pub use sockets::Socket;

/// The network that is used if the user names none.
pub const DEFAULT_NETWORK: &str = "minivgg";

/// An error in what the user asked for; the program ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A network with its weights, and the backend and device that compute it.
#[derive(Debug)]
pub struct Compute {
    /// The network, its weights and labels.
    pub trained: Trained,
    /// The backend that computes the network.
    pub backend: Box<dyn Backend>,
    /// The device that the backend computes on.
    pub device: Device,
    /// The description of all this for the manifest of a run.
    pub provenance: Provenance,
}

impl Compute {
    /// Looks up everything in `args`. Fails for unknown names, and for weights that are not on this machine.
    pub fn open(args: &ComputeArgs, purpose: Purpose) -> Result<Self> {
        let trained = find_chosen(args, purpose)?;
        Self::with(trained, args)
    }

    fn with(trained: Trained, args: &ComputeArgs) -> Result<Self> {
        let (backend, device) = find_place(args)?;
        let weights = (trained.name.as_str(), trained.file(), trained.sha256());
        let provenance = Provenance {
            pick: trained.taken.pick.clone(),
            input: trained.taken.input.map(|input| input.to_string()),
            ..Provenance::new(weights, (backend.as_ref(), &device))
        };
        Ok(Self { trained, backend, device, provenance })
    }

    /// The structure of the network.
    pub fn network(&self) -> &Network {
        &self.trained.network
    }

    /// Loads the network on the device.
    pub fn model(&self) -> Result<Box<dyn Model>> {
        Ok(self.backend.load(&self.trained.network, &self.trained.weights, &self.device)?)
    }
}

/// The store of pulled sets of weights on this machine.
pub fn store() -> Store {
    Store::of(&Environment::of_process())
}

/// The folder of runs: the one that a flag names, or else the user's own. Fails without a home, since the working folder is
/// no place for them.
pub fn runs_folder(given: Option<&Path>) -> Result<PathBuf> {
    given.map(PathBuf::from).or_else(default_folder).ok_or_else(|| {
        let advice = "set HOME or XDG_DATA_HOME to an absolute path, or choose a folder with --runs";
        Usage(format!("there is no home folder to keep runs in: {advice}")).into()
    })
}

/// The folder of the run that the user names: by its path, or by its name in the folder of runs, the user's if none is given.
/// Fails for a name that is like that of a run; a path that leads nowhere is returned as it is.
pub fn find_run(given: &Path, runs: Option<&Path>) -> Result<PathBuf> {
    let is_name = given.file_name() == Some(given.as_os_str());
    let (false, true, Ok(runs)) = (given.exists(), is_name, runs_folder(runs)) else {
        return Ok(given.into());
    };
    let place = runs.join(given);
    if place.is_dir() {
        return Ok(place);
    }
    let name = |entry: DirEntry| entry.file_name().into_string().ok();
    let names: Vec<String> = fs::read_dir(&runs).into_iter().flatten().flatten().filter_map(name).collect();
    match did_you_mean(&given.to_string_lossy(), names.iter().map(String::as_str)) {
        Some(question) => {
            let (given, runs) = (given.display(), runs.display());
            Err(Usage(format!("there is no run {given} here or in {runs}; {question}")).into())
        }
        None => Ok(given.into()),
    }
}

/// Loads a network with the weights of `file`, with the embedded ones or with a pulled set.
pub fn find_weights(network: &str, file: Option<&Path>, purpose: Purpose) -> Result<Trained> {
    load(network, file, &FileChoices::default(), purpose)
}

/// Loads the network that the flags name. What `--input` says of a file is remembered once the file has been read.
pub fn find_chosen(args: &ComputeArgs, purpose: Purpose) -> Result<Trained> {
    let network = args.network.as_deref().unwrap_or(DEFAULT_NETWORK);
    let file = args.weights.as_deref().or_else(|| network_file(network));
    if args.input.is_some() && file.is_none() {
        return Err(
            Usage("--input is for a file of your own: name it with --weights or --network".into()).into()
        );
    }
    let found = file.map(|file| find_input(file, args.input)).transpose()?.flatten();
    let (pick, labels) = (args.pick.clone(), args.labels.clone());
    let choices = FileChoices { pick, labels, input: found.map(|(input, _)| input) };
    let trained = load(network, file, &choices, purpose)?;
    if let (Some(file), Some((input, InputSource::Given))) = (file, found) {
        remember(file, input)?;
    }
    Ok(trained)
}

/// Loads a network, and says on stderr what was chosen or assumed of a file without having been asked for.
fn load(network: &str, file: Option<&Path>, choices: &FileChoices, purpose: Purpose) -> Result<Trained> {
    let advice = "choose another file with --weights, or leave it out for the network's own weights";
    let loaded = trained_with(network, file, choices, &store(), purpose);
    let trained = loaded.map_err(|error| match (file, error) {
        (Some(_), error @ WeightsError::Io { .. }) if network_file(network).is_none() => {
            anyhow!("{error}; {advice}")
        }
        (_, error) => error.into(),
    })?;
    trained.taken.remarks.iter().for_each(remark);
    Ok(trained)
}

/// Fails for a picture whose run was continued by another backend, device, number of threads or version: no single
/// computation gives the same bytes.
pub fn check_repeatable(origin: &Origin) -> Result<()> {
    if origin.segments.len() < 2 {
        return Ok(());
    }
    let part = |Segment { step, provenance }: &Segment| {
        let Provenance { trepang, backend, device, threads, vectors, .. } = provenance;
        let vectors = vectors.as_ref().map_or(String::new(), |vectors| format!(" with {vectors}"));
        format!(
            "from step {}: {backend}{vectors} on {device}, threads: {threads}, trepang {trepang}",
            step + 1
        )
    };
    let parts: Vec<String> = origin.segments.iter().map(part).collect();
    Err(Usage(format!(
        "this picture's run was continued by another computation ({}), so it cannot be made again to the byte; \
         continue its run with --resume, or render it again from its flags",
        parts.join("; ")
    ))
    .into())
}

/// The network, backend and device for `--from` and `--resume`: those of the run, where no flag names another. Fails if
/// the weights are not the same. A weights file that was moved keeps its old path in the manifest, so that the same
/// picture has the same text.
pub fn compute_of(origin: &Origin, args: &ComputeArgs) -> Result<Compute> {
    let made = &origin.provenance;
    // Another device may be one that the run's backend does not have.
    let moved = args.network.as_deref().and_then(network_file).is_some();
    let stays = args.device.as_deref().is_none_or(|device| has_device(&made.backend, device));
    let asked = ComputeArgs {
        network: args.network.clone().or_else(|| Some(made.network.clone())),
        weights: args.weights.clone().or_else(|| made.weights.as_ref().map(Into::into)).filter(|_| !moved),
        pick: args.pick.clone().or_else(|| made.pick.clone()),
        input: args.input,
        labels: args.labels.clone(),
        backend: args.backend.clone().or_else(|| stays.then(|| made.backend.clone())),
        device: args.device.clone().or_else(|| Some(made.device.clone())),
        threads: args.threads.or_else(|| u16::try_from(made.threads).ok()),
    };
    let mut compute = open_again(&asked, made)
        .with_context(|| format!("that run was made with {}", computed_with(made)))?;
    if compute.provenance.weights_sha256 == made.weights_sha256 {
        compute.provenance.weights.clone_from(&made.weights);
        compute.provenance.network.clone_from(&made.network);
        check_pick(made, &compute.provenance)?;
        compute.provenance.pick.clone_from(&made.pick);
        if let Some(difference) = other_bits(made, &compute.provenance) {
            remark(difference);
        }
        if made.vectors.is_none() {
            // The same picture has the same text.
            compute.provenance.vectors = None;
        }
        return Ok(compute);
    }
    let (was, is) = (&made.weights_sha256, &compute.provenance.weights_sha256);
    Err(Usage(format!("the weights are not those of that run (its SHA-256 was {was:.12}..., these have {is:.12}...); choose them with --weights")).into())
}

/// The network that the flags name, with the preprocessing of the run, whatever is remembered of the file now.
fn open_again(asked: &ComputeArgs, made: &Provenance) -> Result<Compute> {
    let wrong = |reason: String| {
        anyhow!(
            "its preprocessing, \"{}\", cannot be read: {reason}",
            made.input.as_deref().unwrap_or_default()
        )
    };
    let input = made.input.as_deref().map(str::parse).transpose().map_err(wrong)?;
    if let Some(InputFlag::Set(other)) = asked.input
        && Some(other) != input
    {
        let was = input.map_or_else(|| "no --input".into(), |input| format!("--input {input}"));
        return Err(Usage(format!("that run was made with {was}; leave --input out")).into());
    }
    let choices = FileChoices { pick: asked.pick.clone(), input, labels: asked.labels.clone() };
    let network = asked.network.as_deref().unwrap_or(DEFAULT_NETWORK);
    Compute::with(load(network, asked.weights.as_deref(), &choices, Purpose::Features)?, asked)
}

/// Fails if other weights of the same file were picked than the run's. Runs from before there was a choice took the first.
fn check_pick(made: &Provenance, now: &Provenance) -> Result<()> {
    match (&made.pick, &now.pick) {
        (Some(was), Some(is)) if was != is => {
            Err(Usage(format!("that run was made with --pick {was}; leave --pick out")).into())
        }
        _ => Ok(()),
    }
}

/// A sentence on why a picture that is made again by `--from` cannot have the bytes of its file: the flags ask for another
/// backend, device or number of threads. None if they do not.
pub fn other_computation(origin: &Origin, compute: &Compute) -> Option<String> {
    let (made, now) = (&origin.provenance, &compute.provenance);
    if (&made.backend, &made.device) != (&now.backend, &now.device) {
        let ((was, on), (is, here)) = ((&made.backend, &made.device), (&now.backend, &now.device));
        return Some(format!(
            "{was} on {on} computed that, and {is} on {here} computes here: its bits may differ"
        ));
    }
    let (was, is) = (made.threads, now.threads);
    (was != is).then(|| {
        format!("that was computed with --threads {was}, and this is with {is}, which the file says: its bytes differ")
    })
}

/// A sentence on what computes other bits than what made a run, though nobody asked for it: this version, or this
/// processor's vector instructions. None if there is no such thing.
fn other_bits(made: &Provenance, now: &Provenance) -> Option<String> {
    if (&made.backend, &made.device) != (&now.backend, &now.device) {
        return None;
    }
    if made.trepang != now.trepang {
        let (was, is) = (&made.trepang, &now.trepang);
        return Some(format!("trepang {was} made that, and this is {is}: its bits may differ"));
    }
    match (&made.vectors, &now.vectors) {
        (Some(was), Some(is)) if was != is => Some(format!(
            "{was} computed that, and {is} computes here: bits differ from the first step on (TREPANG_VECTORS={was} asks for \
             the same, where the processor has it)"
        )),
        _ => None,
    }
}

/// Describes what a run was made with, for the user who must name the new paths.
fn computed_with(made: &Provenance) -> String {
    let (weights, moved) = match &made.weights {
        Some(file) => (file.as_str(), "; if that file was moved, name its new path with --weights"),
        None => ("its own weights", ""),
    };
    format!("{} and {weights}, by {} on {}{moved}", made.network, made.backend, made.device)
}
