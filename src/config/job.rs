//! The pictures that `trepang render` makes: from flags, or from a picture that is made again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use trepang_api::excerpt;
use trepang_weights::{Error as WeightsError, Trained, sha256};

use super::args::RenderArgs;
use super::channels::Channels;
use super::layer::{find_layer, find_layer_and_channel};
use super::recipe::find_recipe;
use super::{Compute, Usage};
use crate::engine::{
    AskedSize, Objective, PictureSize, Pictures, Plan, RECIPES, Recipe, Start, as_typed, fitted_size, similar,
};
use crate::runs::{Origin, PictureReading, read_picture, read_picture_as};

/// One picture to make: its plan, the pictures that it starts from or compares with, and the path of the output.
#[derive(Debug)]
pub struct RenderJob {
    /// The plan of the ascent.
    pub plan: Plan,
    /// The pictures that the plan names, by their file names.
    pub pictures: Pictures,
    /// The path of the PNG to write.
    pub output: PathBuf,
}

impl RenderJob {
    /// New ascents from flags: one for each channel and seed. With several pictures, `--output` is a folder. Fails for
    /// names that do not exist and for files that cannot be read.
    pub fn from_flags(args: &RenderArgs, compute: &Compute) -> Result<Vec<Self>> {
        let recipe = find_recipe(args.recipe.as_deref().unwrap_or(RECIPES[0]), &args.set)?;
        let last_seed = args.seed.checked_add(u64::from(args.seeds).saturating_sub(1));
        let last_seed = last_seed.ok_or_else(|| {
            let (seeds, seed) = (args.seeds, args.seed);
            Usage(format!("there are no {seeds} seeds from {seed} on: the last one is {}", u64::MAX))
        })?;
        let (start, mut pictures) = find_start(args.init.as_deref(), reading(args.allow_cut))?;
        if recipe.wants_picture() && pictures.is_empty() {
            return Err(Usage(format!(
                "the recipe {} begins with a picture: give it with --init FILE",
                excerpt(&recipe.name)
            ))
            .into());
        }
        let network = &compute.trained.network;
        let named = args.layer.as_deref().map(|layer| find_layer_and_channel(network, layer)).transpose()?;
        let named = named.map(|(id, _)| network.node(id)).transpose()?.map(|node| &*node.name);
        let mut targets = Vec::new();
        for target in find_targets(args, &compute.trained)? {
            let file = pictures_file(&start);
            let layer = named.or_else(|| target.as_ref().and_then(Objective::layer));
            let raised = recipe.resolve_objective(target.as_ref(), layer, file).map_err(Usage)?;
            targets.push((target, raised));
        }
        let raised = targets.iter().map(|(_, raised)| raised);
        let references = read_references(raised, &mut pictures, reading(args.allow_cut))?;
        let size = picture_size(args.size, &recipe, compute, &start, &pictures);
        let into_folder = targets.len() * usize::from(args.seeds) > 1 || is_folder_name(&args.output);
        let mut jobs = Vec::new();
        for (target, objective) in targets {
            for seed in args.seed..=last_seed {
                let steps = args.steps.map_or(recipe.steps, |steps| steps as usize);
                let output = if into_folder {
                    args.output.join(output_path(target.as_ref(), (args.seeds > 1).then_some(seed)))
                } else {
                    args.output.clone()
                };
                let (objective, start) = (objective.clone(), start.clone());
                let plan = Plan {
                    seed,
                    start,
                    steps,
                    references: references.clone(),
                    ..Plan::new(objective, recipe.clone(), size)
                };
                jobs.push(Self { plan, pictures: pictures.clone(), output });
            }
        }
        Ok(jobs)
    }

    /// The ascent that made a picture. `init` is the new path of its start picture, if that was moved. The plan keeps
    /// the old path, so that the same picture has the same text.
    pub fn again(origin: &Origin, init: Option<&str>, output: &Path) -> Result<Self> {
        let plan = origin.plan.clone();
        let pictures = pictures_of(&plan, Some(init))?;
        Ok(Self::with(plan, pictures, output))
    }

    /// The only picture of a plan, in the place that `--output` names.
    pub fn with(plan: Plan, pictures: Pictures, output: &Path) -> Self {
        let output = if is_folder_name(output) {
            output.join(output_path(Some(plan.last_objective()), None))
        } else {
            output.into()
        };
        Self { plan, pictures, output }
    }
}

/// Whether a path says itself that it is a folder's.
pub fn is_folder_name(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// Reads the pictures that a plan starts from and compares with. Fails if a file has changed. `init` is the new path of
/// the start picture, if that was moved; with `None` the start picture is not read, because the run has already started.
pub fn pictures_of(plan: &Plan, init: Option<Option<&str>>) -> Result<Pictures> {
    let mut pictures = Pictures::new();
    match (&plan.start, init) {
        (Start::Picture { file, sha256 }, Some(place)) => {
            let place = place.unwrap_or(file);
            if ["noise", "gray"].contains(&place) {
                return Err(
                    Usage(format!("{place} is not the picture that this one started from, {file}")).into()
                );
            }
            let picture = same_picture(place, sha256)?;
            pictures.insert(file.clone(), picture);
        }
        (_, None | Some(None)) => {}
        (_, Some(Some(_))) => {
            return Err(Usage("this picture started from no file; leave --init out".into()).into());
        }
    }
    for (file, sha256) in &plan.references {
        if !pictures.contains_key(file) {
            pictures.insert(file.clone(), same_picture(file, sha256)?);
        }
    }
    Ok(pictures)
}

/// Reads the picture in `file`. Fails if it is not the one with this hash. Before a picture's orientation was heeded,
/// and files that end early were told, the hash was that of the pixels as they are stored and as far as they are there.
fn same_picture(file: &str, hash: &str) -> Result<crate::engine::Picture> {
    let has_moved = || format!("this picture started from {file}; name its new path with --init");
    let mut whole = None;
    for as_stored in [false, true] {
        let reading = PictureReading { allow_cut: true, as_stored };
        let picture = read_picture_as(Path::new(file), reading).with_context(has_moved)?;
        if sha256(&picture.rgb) == *hash {
            return Ok(picture);
        }
        whole.get_or_insert_with(|| read_picture(Path::new(file)));
    }
    // A file that has been cut since is told before one that has been changed.
    whole.transpose().with_context(has_moved)?;
    Err(Usage(format!("{file} is not the picture that this one started from (its hash differs)")).into())
}

/// Reads the pictures that objectives compare with into `pictures`, and returns their hashes by file name.
pub fn read_references<'a>(
    objectives: impl Iterator<Item = &'a Objective>,
    pictures: &mut Pictures,
    reading: PictureReading,
) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for file in objectives.flat_map(Objective::pictures) {
        if !pictures.contains_key(file) {
            pictures.insert(file.to_owned(), read_picture_as(Path::new(file), reading)?);
        }
        hashes.insert(file.to_owned(), sha256(&pictures[file].rgb));
    }
    Ok(hashes)
}

/// The size of the picture: what `--size` asks for, in the shape of the start picture where it is one number; without it, the
/// start picture's own if the network accepts that, or else the recipe's.
pub fn picture_size(
    asked: Option<AskedSize>,
    recipe: &Recipe,
    compute: &Compute,
    start: &Start,
    pictures: &Pictures,
) -> PictureSize {
    let own = pictures_file(start).and_then(|file| pictures.get(file));
    fitted_size(asked, recipe, compute.network().input(), own)
}

fn pictures_file(start: &Start) -> Option<&str> {
    match start {
        Start::Picture { file, .. } => Some(file),
        Start::Noise | Start::Gray => None,
    }
}

/// The path of one of several pictures: `block5_conv2/30.png`, or with several seeds `block5_conv2/30-seed1.png`.
fn output_path(target: Option<&Objective>, seed: Option<u64>) -> PathBuf {
    let (folder, mut name) = match target {
        Some(Objective::Channel { layer, channel }) => (layer.clone(), channel.to_string()),
        Some(Objective::Logit { class }) => ("logits".to_owned(), class.to_string()),
        Some(other) => (other.layer().unwrap_or("objective").to_owned(), "objective".into()),
        None => ("layer".to_owned(), "layer".into()),
    };
    if let Some(seed) = seed {
        name = format!("{name}-seed{seed}");
    }
    PathBuf::from(folder.replace(['/', '\\', ':'], "_")).join(format!("{name}.png"))
}

/// The objectives that the flags name, with the network's own layer names; a single `None` if they name only a layer or
/// nothing.
fn find_targets(args: &RenderArgs, trained: &Trained) -> Result<Vec<Option<Objective>>> {
    let network = &trained.network;
    if let Some(text) = &args.objective {
        let find_class = |name: &str| class_index(name, trained).map_err(|error| error.to_string());
        let objective = Objective::read(text, &find_class).map_err(|error| Usage(format!("{error}")))?;
        let mut layers = Ok(());
        objective.for_each_term(&mut |term| {
            if let (Ok(()), Some(layer)) = (&layers, term.layer()) {
                layers = find_layer(network, layer).map(drop);
            }
        });
        layers?;
        return Ok(vec![Some(objective)]);
    }
    if let Some(class) = &args.logit {
        return Ok(vec![Some(find_class(class, args.layer.as_deref(), trained)?)]);
    }
    let Some(layer) = &args.layer else { return Ok(vec![None]) };
    let (id, named) = find_layer_and_channel(network, layer)?;
    // The network's own name, also if the user typed another framework's.
    let layer = network.node(id)?.name.clone();
    if let (Some(channel), true) = (named, args.channel.is_some() || args.neuron.is_some()) {
        return Err(Usage(format!(
            "--layer names {layer}:{channel} already: leave --channel and --neuron out"
        ))
        .into());
    }
    let named = named.map(|channel| Channels::These(vec![channel]));
    Ok(match (named.as_ref().or(args.channel.as_ref()), args.neuron) {
        (_, Some([channel, y, x])) => vec![Some(Objective::Neuron { layer, channel, y, x })],
        (Some(channels), None) => {
            let native = network.input().native;
            let count = network.shape(native, native, id)?.channels;
            let numbers = channels.numbers(count).map_err(|error| Usage(format!("{layer}: {error}")))?;
            numbers.into_iter().map(|channel| Some(Objective::channel(&layer, channel))).collect()
        }
        (None, None) => vec![None],
    })
}

fn find_class(text: &str, layer: Option<&str>, trained: &Trained) -> Result<Objective> {
    if let Some(layer) = layer
        && trained.network.logits() != Some(find_layer(&trained.network, layer)?)
    {
        return Err(Usage(format!("{layer} has no class logits; leave --layer out with --logit")).into());
    }
    let class = class_index(text, trained).or_else(|error| {
        // It may have been pasted with other spaces or digits.
        class_index(&as_typed(text), trained).map_err(|_| error)
    })?;
    Ok(Objective::Logit { class })
}

/// The class that `text` names by its index, its WordNet id, one of its names or all of them. Fails for a network
/// without classes.
pub fn class_index(text: &str, trained: &Trained) -> Result<usize> {
    let labels = &trained.labels;
    if labels.is_empty() {
        return Err(WeightsError::NoClassifier { name: trained.name.clone() }.into());
    }
    let whole = || labels.names().iter().position(|name| name.eq_ignore_ascii_case(text));
    let class = labels.find(text).or_else(whole).ok_or_else(|| {
        let (last, names) = (labels.len().saturating_sub(1), labels.names());
        let near = similar(text, names.iter().flat_map(|name| name.split(", ")));
        let (network, text) = (trained.network.name(), excerpt(text));
        Usage(match near {
            Some(near) => format!(
                "{network} has no class \"{text}\"; did you mean \"{near}\" (an index from 0 to {last}, a WordNet id or a name \
                 is a class)?"
            ),
            None => format!(
                "{network} has no class \"{text}\"; give an index from 0 to {last}, a WordNet id or a name"
            ),
        })
    })?;
    Ok(class)
}

fn reading(allow_cut: bool) -> PictureReading {
    PictureReading { allow_cut, ..PictureReading::default() }
}

/// The start picture that `--init` names, read if it is a file. Fails for a file that cannot be read.
pub fn find_start(init: Option<&str>, reading: PictureReading) -> Result<(Start, Pictures)> {
    match init {
        None | Some("noise") => Ok((Start::Noise, Pictures::new())),
        Some("gray") => Ok((Start::Gray, Pictures::new())),
        Some(file) => {
            if file.contains('"') {
                return Err(Usage(format!(
                    "{file} cannot be named in an objective; rename it without the quote"
                ))
                .into());
            }
            let picture = read_picture_as(Path::new(file), reading)?;
            let sha256 = sha256(&picture.rgb);
            Ok((Start::Picture { file: file.into(), sha256 }, Pictures::from([(file.to_owned(), picture)])))
        }
    }
}
