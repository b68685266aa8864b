//! The parts of the lab's answer about a channel in a picture: the margin, the map and the photographs.

use std::path::Path;
use std::sync::Arc;

use trepang_api::{Array, LayerId, Model, Network};
use trepang_weights::Labels;

use super::class_names::{class_name, label_name};
use super::classifier::{fit_picture, picture_array};
use super::error::{Error, Result};
use super::photographs::{Photographs, resized};
use super::protocol::{LabExample, LabMargin, LabOrder, LabShare, LabSubject};
use crate::engine::Picture;
use crate::lab::{
    self, Against, Attribution, IndexManifest, IndexedLayer, RankedBy, Remover, SentenceNames, Tail,
    attribute, best_rival, channel_map, channel_rows, first, hires_cam, overlay, sentence,
};
use crate::runs::Provenance;

/// The channels of a margin that are told one by one.
const SHARES: usize = 16;

/// The photographs of a row, and their side in pixels.
const EXAMPLES: usize = 9;
const EXAMPLE_SIDE: usize = 96;

/// The network and the index that the lab works with.
pub(super) struct LabPlace<'a> {
    pub(super) network: &'a Network,
    pub(super) labels: &'a Labels,
    pub(super) provenance: &'a Provenance,
    /// The folder of the index; there may be none.
    pub(super) index: &'a Path,
    /// Says whether the work is to be interrupted.
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl LabPlace<'_> {
    /// Fails if the work is to be interrupted.
    pub(super) fn go_on(&self) -> Result<()> {
        if (self.stop)() { Err(lab::Error::Stopped.into()) } else { Ok(()) }
    }

    /// The picture as the network sees it.
    pub(super) fn picture(&self, subject: &LabSubject) -> Result<Picture> {
        fit_picture(self.network.input().native, &subject.picture)
    }

    /// The layer of the subject.
    pub(super) fn layer(&self, subject: &LabSubject) -> Result<LayerId> {
        Ok(self.network.layer(&subject.layer)?)
    }

    /// The index beside the runs, with the subject's layer in it. Fails where there is none of this network.
    pub(super) fn indexed(&self, subject: &LabSubject) -> Result<(IndexManifest, IndexedLayer)> {
        let Provenance { network, weights_sha256, .. } = self.provenance;
        let manifest = IndexManifest::read(self.index)?;
        let fits = |manifest: &IndexManifest| {
            manifest.network == *network && manifest.weights_sha256 == *weights_sha256
        };
        let layer = |manifest: IndexManifest| {
            let layer = manifest.layer(&subject.layer)?.clone();
            Some((manifest, layer))
        };
        let missing = || Error::NoLabIndex { network: network.clone(), layer: subject.layer.clone() };
        manifest.filter(fits).and_then(layer).ok_or_else(missing)
    }

    fn tail<'m>(&'m self, subject: &LabSubject, model: &'m mut dyn Model) -> Result<Tail<'m>> {
        let picture = picture_array(&self.picture(subject)?)?;
        Ok(Tail::new(model, self.network, &picture, self.layer(subject)?)?.until(self.stop))
    }
}

/// The margin of the picture's first class over the second, split over the channels.
pub(super) fn margin(subject: &LabSubject, model: &mut dyn Model, place: &LabPlace) -> Result<LabMargin> {
    if place.network.logits().is_none() {
        return Err(Error::NoClassifier { network: place.provenance.network.clone() });
    }
    let mut tail = place.tail(subject, model)?;
    let no_rival = || lab::Error::NoRival { network: place.network.name().to_owned() };
    let class = best_rival(tail.logits().len(), tail.logits()).ok_or_else(no_rival)?;
    let rival = best_rival(class, tail.logits()).ok_or_else(no_rival)?;
    let margin = tail.margin(class, Against::Class(rival))?;
    let zero = Array::zeros(tail.activation().shape());
    let remover = Remover::by_rerunning(&tail, zero.clone())?;
    let found = attribute(&mut tail, margin, &zero, &remover)?;
    let (class, rival) = (class_name(place.labels, class), class_name(place.labels, rival));
    let names = SentenceNames { class: &class, rival: Some(&rival), layer: &subject.layer };
    Ok(LabMargin {
        sentence: sentence(&found, names, None),
        title: format!("{class} over {rival}"),
        value: found.value,
        shares: shares(&found, subject.channel),
        place: 1 + found.order().iter().position(|channel| *channel == subject.channel).unwrap_or_default(),
        channels: found.channels.len(),
    })
}

/// The first channels, and the one that was asked about.
fn shares(found: &Attribution, asked: usize) -> Vec<LabShare> {
    let shown = found.channels.iter().enumerate();
    let shown = shown.filter(|(place, channel)| *place < SHARES || channel.channel == asked);
    let share = |(_, channel): (usize, &lab::ChannelShare)| LabShare {
        channel: channel.channel,
        attribution: channel.attribution,
        share: channel.share,
        ablation: channel.ablation,
    };
    shown.map(share).collect()
}

/// The place in the picture where its first class is seen; without a classifier, where the channel answers.
pub(super) fn map(subject: &LabSubject, model: &mut dyn Model, place: &LabPlace) -> Result<LabExample> {
    let picture = place.picture(subject)?;
    let (label, map) = if place
        .network
        .logits()
        .is_some_and(|logits| place.layer(subject).is_ok_and(|layer| layer < logits))
    {
        let mut tail = place.tail(subject, model)?;
        let class = best_rival(tail.logits().len(), tail.logits()).unwrap_or_default();
        (class_name(place.labels, class), hires_cam(&mut tail, class)?)
    } else {
        let found = model.activations(&picture_array(&picture)?, &[place.layer(subject)?])?;
        let activation = found.first().ok_or(Error::NoActivation)?;
        (format!("channel {}", subject.channel), channel_map(activation, subject.channel)?)
    };
    Ok(LabExample { label, picture: Arc::new(overlay(&picture, &map)) })
}

/// The photographs that the channel answers to most, by the number that is asked for, cut down to what it saw.
pub(super) fn examples(
    subject: &LabSubject,
    model: &mut dyn Model,
    place: &LabPlace,
) -> Result<Vec<LabExample>> {
    let (manifest, layer) = place.indexed(subject)?;
    let photographs = Photographs::open(&manifest, None)?;
    let rows = channel_rows(place.index, &manifest, &layer, subject.channel)?;
    let by = match subject.by {
        LabOrder::Mean => RankedBy::Mean,
        LabOrder::Max => RankedBy::Max,
        LabOrder::Relevance => RankedBy::Relevance,
    };
    if rows.iter().all(|row| row.value(by).is_none()) {
        return Err(Error::NoRelevances { folder: place.index.into() });
    }
    let mut examples = Vec::new();
    for row in first(&rows, by, EXAMPLES) {
        place.go_on()?;
        let part = photographs.part((&mut *model, place.network), (&layer, subject.channel), row)?;
        let label = label_name(place.labels, row.label.as_deref());
        let picture = Arc::new(resized(&part, EXAMPLE_SIDE));
        examples
            .push(LabExample { label: format!("{:.2} {label}", row.value(by).unwrap_or_default()), picture });
    }
    Ok(examples)
}
