//! The picture that the lab is asked about among the photographs of an index, in a plane.

use std::collections::BTreeMap;
use std::sync::Arc;

use trepang_api::Model;

use super::class_names::label_name;
use super::classifier::picture_array;
use super::error::{Error, Result};
use super::lab_answers::LabPlace;
use super::protocol::{LabPoint, LabScatter, LabSubject};
use crate::lab::{
    self, ChannelNumbers, IndexManifest, IndexedLayer, Pca, PicturePoint, directions, nearest_by_cosine,
    some_picture_points,
};

/// The photographs that are laid out, at most: those of a larger index are drawn from all of it. Their means fit into memory, and
/// the plane is found in a few seconds.
const MOST: usize = 4000;

/// The fewest photographs that make a plane.
const LEAST: usize = 3;

/// The neighbours of the picture whose labels are counted, and the labels that are told.
const NEAR: usize = 10;
const TOLD: usize = 3;

/// The picture among the photographs, by the directions of their channels' means.
pub(super) fn scatter(subject: &LabSubject, model: &mut dyn Model, place: &LabPlace) -> Result<LabScatter> {
    let (manifest, layer) = place.indexed(subject)?;
    let photographs = some_picture_points(place.index, &manifest, &layer, MOST)?;
    if photographs.len() < LEAST {
        return Err(lab::Error::FewPhotographs { found: photographs.len(), needed: LEAST }.into());
    }
    place.go_on()?;
    let picture = picture_array(&place.picture(subject)?)?;
    let found = model.activations(&picture, &[place.layer(subject)?])?;
    let activation = found.first().ok_or(Error::NoActivation)?;
    let means = ChannelNumbers::of(activation, 0, place.network.name())?.means;
    place.go_on()?;
    laid_out(means.into_iter().map(f64::from).collect(), &photographs, place, &(manifest, layer))
}

fn laid_out(
    picture: Vec<f64>,
    photographs: &[PicturePoint],
    LabPlace { labels, stop, .. }: &LabPlace,
    (manifest, layer): &(IndexManifest, IndexedLayer),
) -> Result<LabScatter> {
    let means: Vec<Vec<f64>> = photographs.iter().map(|point| point.means.clone()).collect();
    let picture = [picture];
    let near = nearest_by_cosine(&means, &picture, NEAR).swap_remove(0);
    let (means, picture) = (directions(&means), directions(&picture));
    let pca = Pca::of(&means, 2, *stop)?;
    let known: BTreeMap<&str, usize> = numbered(photographs);
    let at = |point: &[f64]| {
        let place = pca.place(point);
        [0, 1].map(|axis| place.get(axis).copied().unwrap_or_default())
    };
    let label = |point: &PicturePoint| point.label.as_deref().and_then(|label| known.get(label).copied());
    let photograph = |(point, means): (&PicturePoint, &Vec<f64>)| LabPoint {
        at: at(means),
        file: point.file.clone(),
        label: label(point),
    };
    let own = LabPoint { at: at(&picture[0]), file: String::new(), label: None };
    let points = [own].into_iter().chain(photographs.iter().zip(&means).map(photograph)).collect();
    // They are numbered in this order.
    let names: Vec<String> = known.keys().map(|label| label_name(labels, Some(label))).collect();
    let counts = counted(near.iter().filter_map(|(at, _)| label(&photographs[*at])));
    let share = pca.shares().map_or(0.0, |shares| shares.iter().take(2).sum());
    let of = if photographs.len() < manifest.pictures {
        format!(" of {}", manifest.pictures)
    } else {
        String::new()
    };
    let told: Vec<String> =
        counts.iter().take(TOLD).map(|(label, count)| format!("{count} {}", names[*label])).collect();
    let nearest =
        if told.is_empty() { "have no labels".to_owned() } else { format!("are {}", told.join(", ")) };
    let about = format!(
        "{}{of} photographs by {}: the plane has {:.0} % of their variance; of the {} nearest {nearest}",
        photographs.len(),
        layer.layer,
        100.0 * share,
        near.len()
    );
    Ok(LabScatter {
        points,
        labels: Arc::from(names),
        nearest: counts.first().map(|(label, _)| *label),
        about,
    })
}

/// A number for each label, in the order of the labels.
fn numbered(photographs: &[PicturePoint]) -> BTreeMap<&str, usize> {
    let mut known: BTreeMap<&str, usize> =
        photographs.iter().filter_map(|point| Some((point.label.as_deref()?, 0))).collect();
    known.values_mut().enumerate().for_each(|(place, number)| *number = place);
    known
}

/// The labels with their counts, the most frequent first; of equals, the one that came first.
fn counted(labels: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for label in labels {
        match counts.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += 1,
            None => counts.push((label, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
