//! What every question is about: a network on a device, a picture as it sees it, a layer, a class and its rival.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use trepang_api::{Array, LayerId, Model};
use trepang_weights::{Error as WeightsError, Purpose, Trained};

use super::framed::NamedPicture;
use super::retaken::RetakenRun;
use crate::cli::parity::new_spinner;
use crate::config::args::SubjectArgs;
use crate::config::{Usage, class_index, find_chosen, find_layer, find_place};
use crate::engine::Picture;
use crate::lab::{Against, Error, Margin, SentenceNames, Tail, best_rival};
use crate::runs::{PictureReading, read_picture_as};
use crate::worker::{Framing, class_name, frame_picture, picture_array};

/// The time between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(120);

/// A network with a classifier, on a device; the layer that is asked about, and the picture as the network sees it.
pub(super) struct Subject {
    pub(super) trained: Trained,
    pub(super) model: Box<dyn Model>,
    pub(super) layer: LayerId,
    pub(super) picture: Picture,
    /// The same as it was before it was saved, `[1, 3, H, W]`, if that is asked about.
    seen: Option<Array>,
    framing: Framing,
}

/// A margin with the names of its classes.
pub(super) struct Question {
    pub(super) margin: Margin,
    class: String,
    rival: Option<String>,
}

impl Subject {
    pub(super) fn open(args: &SubjectArgs) -> Result<Self> {
        let trained = find_chosen(&args.compute, Purpose::Classes).map_err(without_classifier)?;
        let layer = find_layer(&trained.network, &args.layer)?;
        let (picture, seen, framing) = if args.seen {
            let _busy = Busy::with("opening the run");
            let (picture, seen) = RetakenRun::at_end(&args.picture, &args.compute)?.seen(&args.picture)?;
            (picture, Some(seen), Framing::Exact)
        } else {
            let named = NamedPicture::of(&args.picture)?;
            (named.read(args.framing.allow_cut)?, None, named.framing(args.framing.exact))
        };
        let picture = frame_picture(&trained.network, &picture, framing)?;
        let (backend, device) = find_place(&args.compute)?;
        let model = backend.load(&trained.network, &trained.weights, &device)?;
        Ok(Self { trained, model, layer, picture, seen, framing })
    }

    /// The tail from the layer on, at the picture, and the network that it is the tail of.
    pub(super) fn tail(&mut self) -> Result<(Tail<'_>, &Trained)> {
        let picture = match &self.seen {
            Some(seen) => seen.clone(),
            None => picture_array(&self.picture)?,
        };
        self.tail_at(&picture)
    }

    /// The same at the picture as it is saved.
    pub(super) fn tail_of_file(&mut self) -> Result<(Tail<'_>, &Trained)> {
        let picture = picture_array(&self.picture)?;
        self.tail_at(&picture)
    }

    /// The same at a photograph of a data set.
    pub(super) fn tail_of(&mut self, file: &Path) -> Result<(Tail<'_>, &Trained)> {
        let photograph = self.photograph(file)?;
        self.tail_at(&photograph)
    }

    fn tail_at(&mut self, picture: &Array) -> Result<(Tail<'_>, &Trained)> {
        let tail = Tail::new(self.model.as_mut(), &self.trained.network, picture, self.layer)?;
        Ok((tail, &self.trained))
    }

    /// The layer's own name, also if the user typed another framework's.
    pub(super) fn layer_name(&self) -> &str {
        &self.trained.network.nodes()[self.layer.index()].name
    }

    /// A photograph of a data set as the network sees it. It is not turned as its camera was held, as torchvision's loader
    /// does not turn it.
    pub(super) fn photograph(&self, file: &Path) -> Result<Array> {
        let reading = PictureReading { as_stored: true, ..PictureReading::default() };
        // Every photograph is cropped: they have sizes of their own.
        let framing = match self.framing {
            Framing::Exact | Framing::Fitting => Framing::Fitting,
            Framing::Crop => Framing::Crop,
        };
        let network = &self.trained.network;
        let framed = frame_picture(network, &read_picture_as(file, reading)?, framing)?;
        Ok(picture_array(&framed)?)
    }
}

impl Question {
    /// The margin that the flags ask for, at a picture with these logits.
    pub(super) fn of(args: &SubjectArgs, trained: &Trained, logits: &[f32]) -> Result<Self> {
        let no_rival = || Error::NoRival { network: trained.network.name().to_owned() };
        let first = best_rival(logits.len(), logits).ok_or_else(no_rival)?;
        let class = args.class.as_deref().map_or(Ok(first), |class| class_index(class, trained))?;
        let against = match args.against.as_str() {
            "logsumexp" => Against::LogSumExp,
            "rival" => Against::Class(best_rival(class, logits).ok_or_else(no_rival)?),
            other => Against::Class(class_index(other, trained)?),
        };
        let rival = match against {
            Against::Class(rival) => Some(class_name(&trained.labels, rival)),
            Against::LogSumExp => None,
        };
        Ok(Self { margin: Margin { class, against }, class: class_name(&trained.labels, class), rival })
    }

    /// The class's name.
    pub(super) fn class(&self) -> &str {
        &self.class
    }

    pub(super) fn names<'a>(&'a self, layer: &'a str) -> SentenceNames<'a> {
        SentenceNames { class: &self.class, rival: self.rival.as_deref(), layer }
    }

    /// The rival's index; none against all classes.
    pub(super) fn rival(&self) -> Option<usize> {
        match self.margin.against {
            Against::Class(rival) => Some(rival),
            Against::LogSumExp => None,
        }
    }

    /// The margin's name, for a heading.
    pub(super) fn title(&self) -> String {
        match &self.rival {
            Some(rival) => format!("{} over {rival}", self.class),
            None => format!("log-probability of {}", self.class),
        }
    }
}

/// A line on stderr, where that is a terminal, for as long as it lives: in front of many layers the work takes a while.
pub(super) struct Busy(ProgressBar);

impl Busy {
    pub(super) fn with(what: impl Into<String>) -> Self {
        let bar = new_spinner().with_message(what.into());
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Says which commands work for a network without a classifier.
pub(super) fn without_classifier(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<WeightsError>() {
        Some(no_classifier @ WeightsError::NoClassifier { .. }) => Usage(format!(
            "{no_classifier}; `trepang lab map --channel`, `lab means`, `lab index` and what reads an index need none, nor do \
             `trepang render` and the dashboard"
        ))
        .into(),
        _ => error,
    }
}
