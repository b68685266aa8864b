//! The rows of the replay: photographs of an index or of a data set that is run now, and the made pictures.

use std::path::Path;

use anyhow::{Result, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget};
use trepang_api::{LayerId, Model};
use trepang_weights::Trained;

use crate::cli::lab::framed::read_framed;
use crate::cli::lab::opened_index::{OpenedIndex, any_trained, label_of};
use crate::cli::output;
use crate::config::args::SeedArgs;
use crate::config::{Usage, find_layer, find_place};
use crate::engine::Picture;
use crate::lab::{
    ChannelNumbers, DataLabel, DataPicture, DataSet, Error, PicturePoint, ReplayRow, picture_points, shuffled,
};
use crate::runs::{MAX_FILE_BYTES, PictureReading, decode_picture};
use crate::worker::{fit_picture, picture_array};

/// Other classes if none are named.
const OTHERS: usize = 10;

/// All rows, and what they are of.
pub(super) struct ReplayRows {
    pub(super) trained: Trained,
    pub(super) layer: String,
    /// The label of the class.
    pub(super) class: String,
    /// The labels of the other classes, in their order.
    pub(super) others: Vec<String>,
    pub(super) of_others: Vec<ReplayRow>,
    pub(super) of_pictures: Vec<ReplayRow>,
    pub(super) of_class: Vec<ReplayRow>,
}

/// The photographs that rows can be taken from.
enum Takeable {
    /// Those of an index.
    Indexed(Vec<PicturePoint>),
    /// Those of a data set, which are run when they are taken.
    Unread(Vec<DataPicture>),
}

/// The network by which photographs and pictures become rows.
struct RowSource<'a> {
    args: &'a SeedArgs,
    trained: &'a Trained,
    photographs: Takeable,
    /// The words for where the photographs are.
    place: String,
    model: Box<dyn Model>,
    layer: LayerId,
}

/// All rows that the flags ask for.
pub(super) fn replay_rows(args: &SeedArgs) -> Result<ReplayRows> {
    let (trained, layer, photographs, place) = match &args.on {
        Some(data) => of_data(args, data)?,
        None => of_index(args)?,
    };
    let (backend, device) = find_place(&args.compute)?;
    let at = find_layer(&trained.network, &layer)?;
    let layer = trained.network.nodes()[at.index()].name.clone();
    let labels: Vec<String> = photographs.labels();
    let known: Vec<&str> = labels.iter().map(String::as_str).collect();
    let class = label_of(&args.class, &known, &place, &trained)?;
    let others = others(args, &known, (&class, &place), &trained)?;
    let model = backend.load(&trained.network, &trained.weights, &device)?;
    let mut source = RowSource { args, trained: &trained, photographs, place, model, layer: at };
    let of_pictures = source.pictures()?;
    let count = usize::from(args.per_class) * (others.len() + 1);
    let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
    let mut of_others = Vec::new();
    for label in &others {
        of_others.extend(source.of_label(label, &bar)?);
    }
    let of_class = source.of_label(&class, &bar)?;
    bar.finish_and_clear();
    Ok(ReplayRows { trained, layer, class, others, of_others, of_pictures, of_class })
}

/// The source of the rows: the network, the layer's name, the photographs and the words for where they are.
type Opened = (Trained, String, Takeable, String);

fn of_index(args: &SeedArgs) -> Result<Opened> {
    let index = OpenedIndex::open(args.indexed.index.as_deref())?;
    let trained = index.trained(&args.compute)?;
    let layer = index.layer(args.indexed.layer.as_deref())?;
    let photographs = Takeable::Indexed(picture_points(&index.folder, &index.manifest, &layer)?);
    Ok((trained, layer.layer, photographs, format!("the index in {}", index.folder.display())))
}

fn of_data(args: &SeedArgs, data: &Path) -> Result<Opened> {
    let missing = || Usage("name a layer with --layer, which --on needs".into());
    let layer = args.indexed.layer.clone().ok_or_else(missing)?;
    let trained = any_trained(&args.compute)?;
    let photographs = Takeable::Unread(DataSet::open(data, None)?.pictures);
    Ok((trained, layer, photographs, data.display().to_string()))
}

impl Takeable {
    /// The labels, each once, in the order in which they first come.
    fn labels(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let mut add = |label: Option<String>| match label {
            Some(label) if all.last() != Some(&label) && !all.contains(&label) => all.push(label),
            Some(_) | None => {}
        };
        match self {
            Self::Indexed(points) => points.iter().for_each(|point| add(point.label.clone())),
            Self::Unread(pictures) => {
                for picture in pictures {
                    add(picture.label.as_ref().map(DataLabel::text));
                }
            }
        }
        all
    }

    /// The places of a label's photographs.
    fn of_label(&self, label: &str) -> Vec<usize> {
        let is_own = |at: &usize| match self {
            Self::Indexed(points) => points[*at].label.as_deref() == Some(label),
            Self::Unread(pictures) => pictures[*at].label.as_ref().is_some_and(|own| own.text() == label),
        };
        let count = match self {
            Self::Indexed(points) => points.len(),
            Self::Unread(pictures) => pictures.len(),
        };
        (0..count).filter(is_own).collect()
    }
}

/// The labels of the other classes, each once.
fn others(
    args: &SeedArgs,
    known: &[&str],
    (class, place): (&str, &str),
    trained: &Trained,
) -> Result<Vec<String>> {
    let named = args.others.iter().filter(|name| !name.is_empty());
    let named: Vec<String> =
        named.map(|name| label_of(name, known, place, trained)).collect::<Result<_>>()?;
    let most = if named.is_empty() { OTHERS } else { named.len() };
    let all = if named.is_empty() { known.iter().map(|label| (*label).to_owned()).collect() } else { named };
    let mut others: Vec<String> = Vec::new();
    for label in all {
        if label != class && !others.contains(&label) && others.len() < most {
            others.push(label);
        }
    }
    if others.is_empty() {
        return Err(Usage(format!(
            "{place} has photographs of one class only to lay out; the replay needs photographs of others too"
        ))
        .into());
    }
    Ok(others)
}

impl RowSource<'_> {
    fn pictures(&mut self) -> Result<Vec<ReplayRow>> {
        let mut rows = Vec::with_capacity(self.args.pictures.len());
        for file in &self.args.pictures {
            let picture = read_framed(&self.trained.network, file, self.args.framing)?;
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            rows.push(ReplayRow { name, label: None, means: self.means(&picture)? });
        }
        Ok(rows)
    }

    /// The photographs of a class that are asked for. Those that cannot be read are told, and the next ones are taken.
    fn of_label(&mut self, label: &str, bar: &ProgressBar) -> Result<Vec<ReplayRow>> {
        let wanted = usize::from(self.args.per_class);
        let all = self.photographs.of_label(label);
        let order: Vec<usize> = match self.args.seed {
            Some(seed) => shuffled(all.len(), seed).into_iter().map(|at| all[at]).collect(),
            None => all,
        };
        let mut rows = Vec::with_capacity(wanted);
        for at in order {
            if rows.len() == wanted {
                break;
            }
            match self.row(at) {
                Ok(row) => {
                    rows.push(row);
                    bar.inc(1);
                }
                Err((file, error)) => {
                    bar.suspend(|| output::remark(format_args!("left out: {file}: {error:#}")));
                }
            }
        }
        if rows.len() == wanted {
            return Ok(rows);
        }
        let (found, place) = (rows.len(), &self.place);
        let remedy = match found {
            0 => "choose another class".to_owned(),
            _ => format!("choose --per-class {found}, or another class"),
        };
        Err(Usage(format!(
            "{place} has {found} photographs of {label}, and {wanted} are asked for; {remedy}"
        ))
        .into())
    }

    /// A photograph as a row, or its file with why it is none.
    fn row(&mut self, at: usize) -> Result<ReplayRow, (String, anyhow::Error)> {
        let picture = match &self.photographs {
            Takeable::Indexed(points) => {
                let PicturePoint { file, label, means } = points[at].clone();
                return Ok(ReplayRow { name: file, label, means });
            }
            Takeable::Unread(pictures) => pictures[at].clone(),
        };
        let means = self.photograph_means(&picture).map_err(|error| (picture.file.clone(), error))?;
        let label = picture.label.as_ref().map(DataLabel::text);
        Ok(ReplayRow { name: picture.file, label, means })
    }

    /// Read as `trepang lab index` reads photographs, so that both give the same numbers.
    fn photograph_means(&mut self, picture: &DataPicture) -> Result<Vec<f64>> {
        let bytes = picture.read(MAX_FILE_BYTES)?;
        let reading = PictureReading { as_stored: true, ..PictureReading::default() };
        let decoded = decode_picture(Path::new(&picture.file), &bytes, reading)?;
        self.means(&fit_picture(self.trained.network.input().native, &decoded)?)
    }

    fn means(&mut self, picture: &Picture) -> Result<Vec<f64>> {
        let found = self.model.activations(&picture_array(picture)?, &[self.layer])?.pop();
        let found = found.ok_or_else(|| anyhow!(Error::NoValues))?;
        let means = ChannelNumbers::of(&found, 0, &self.trained.name)?.means;
        Ok(means.into_iter().map(f64::from).collect())
    }
}
