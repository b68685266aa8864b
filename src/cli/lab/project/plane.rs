//! The plane that photographs and pictures are laid out in.

use anyhow::Result;
use serde::Serialize;

use super::Projection;
use super::made::{MadeKind, MadePoint};
use crate::config::args::PlaneFlag;
use crate::lab::{Pca, PicturePoint, TsneMap, directions, nearest_by_cosine, place_among, trustworthiness};

/// Neighbours of a picture whose labels are counted.
const NEAR: usize = 10;

/// The neighbours by which a layout's trustworthiness is measured.
const TRUSTED: usize = 12;

/// The photograph that is nearest to a picture in all channels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct NearestPhotograph {
    pub(super) file: String,
    pub(super) label: Option<String>,
    /// The cosine of the two pictures' channel means.
    pub(super) cosine: f64,
}

/// A photograph or a picture in the plane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PlacedPoint {
    pub(super) kind: MadeKind,
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) step: Option<usize>,
    pub(super) place: [f64; 2],
    /// The distance from the plane of the principal components; none for t-SNE, which has no plane in the channels.
    pub(super) beside: Option<f64>,
    /// None for photographs.
    pub(super) nearest: Option<NearestPhotograph>,
    /// The labels of the ten nearest photographs, the nearest first.
    #[serde(skip)]
    pub(super) near_labels: Vec<String>,
}

/// All points, and how much the plane can say.
pub(super) struct ProjectedPlane {
    pub(super) shares: Option<Vec<f64>>,
    pub(super) divergence: Option<f64>,
    pub(super) trustworthiness: Option<f64>,
    pub(super) points: Vec<PlacedPoint>,
}

/// Places with their distances from the plane, of photographs and of what was made.
struct LaidOut {
    photographs: Vec<([f64; 2], Option<f64>)>,
    made: Vec<([f64; 2], Option<f64>)>,
}

impl ProjectedPlane {
    pub(super) fn of(
        projection: &Projection,
        photographs: &[PicturePoint],
        made: &[MadePoint],
    ) -> Result<Self> {
        let args = projection.args;
        let own: Vec<Vec<f64>> = photographs.iter().map(|point| point.means.clone()).collect();
        let others: Vec<Vec<f64>> = made.iter().map(|point| point.means.clone()).collect();
        let nearest = nearest_by_cosine(&own, &others, NEAR);
        let (own, others) =
            if args.plane.raw { (own, others) } else { (directions(&own), directions(&others)) };
        let mut plane = Self { shares: None, divergence: None, trustworthiness: None, points: Vec::new() };
        let places = match args.plane.method {
            PlaneFlag::Pca => plane.by_pca(&own, &others)?,
            PlaneFlag::Tsne => plane.by_tsne(&own, &others, args.plane.perplexity)?,
        };
        for (point, (place, beside)) in photographs.iter().zip(places.photographs) {
            plane.points.push(PlacedPoint {
                kind: MadeKind::Photograph,
                name: point.file.clone(),
                label: point.label.clone(),
                step: None,
                place,
                beside,
                nearest: None,
                near_labels: Vec::new(),
            });
        }
        for ((point, (place, beside)), near) in made.iter().zip(places.made).zip(nearest) {
            let photograph = |(at, cosine): &(usize, f64)| {
                let PicturePoint { file, label, .. } = photographs[*at].clone();
                NearestPhotograph { file, label, cosine: *cosine }
            };
            plane.points.push(PlacedPoint {
                kind: point.kind,
                name: point.name.clone(),
                label: None,
                step: point.step,
                place,
                beside,
                nearest: near.first().map(photograph),
                near_labels: near.iter().filter_map(|(at, _)| photographs[*at].label.clone()).collect(),
            });
        }
        Ok(plane)
    }

    fn by_pca(&mut self, photographs: &[Vec<f64>], made: &[Vec<f64>]) -> Result<LaidOut> {
        let pca = Pca::of(photographs, 2, &|| false)?;
        self.shares = pca.shares();
        let place = |point: &Vec<f64>| {
            let place = pca.place(point);
            let along = |axis: usize| place.get(axis).copied().unwrap_or_default();
            ([along(0), along(1)], Some(pca.beside(point)))
        };
        Ok(LaidOut {
            photographs: photographs.iter().map(place).collect(),
            made: made.iter().map(place).collect(),
        })
    }

    fn by_tsne(&mut self, photographs: &[Vec<f64>], made: &[Vec<f64>], perplexity: f64) -> Result<LaidOut> {
        let map = TsneMap::of(photographs, perplexity)?;
        self.divergence = Some(map.divergence);
        self.trustworthiness = Some(trustworthiness(photographs, &map.places, TRUSTED));
        let made =
            place_among(photographs, &map.places, made).into_iter().map(|place| (place, None)).collect();
        Ok(LaidOut { photographs: map.places.into_iter().map(|place| (place, None)).collect(), made })
    }

    /// The part of the photographs that the plane shows, in words.
    pub(super) fn told(&self) -> String {
        match (&self.shares, self.divergence, self.trustworthiness) {
            (Some(shares), ..) => format!(
                "PCA, the plane has {:.1} % of their variance",
                100.0 * shares.iter().take(2).sum::<f64>()
            ),
            (None, Some(divergence), Some(trusted)) => {
                format!("t-SNE, Kullback-Leibler divergence {divergence:.3}, trustworthiness {trusted:.3}")
            }
            (None, ..) => "they are all alike".into(),
        }
    }

    /// The pictures that are summed up together: each of the user's alone, baselines and other channels by their kind, of
    /// a run the first point and the last.
    pub(super) fn groups(&self) -> Vec<(String, Vec<&PlacedPoint>)> {
        let of =
            |kind: MadeKind| self.points.iter().filter(move |point| point.kind == kind).collect::<Vec<_>>();
        let alone = |name: String, point| (name, vec![point]);
        let mut groups: Vec<(String, Vec<&PlacedPoint>)> =
            of(MadeKind::Picture).into_iter().map(|point| alone(point.name.clone(), point)).collect();
        let steps = of(MadeKind::Step);
        if let [first, .., last] = steps[..] {
            groups.push(alone(format!("step {} of {}", first.step.unwrap_or_default(), first.name), first));
            groups.push(alone(format!("step {} of {}", last.step.unwrap_or_default(), last.name), last));
        }
        for (kind, name) in [
            (MadeKind::Other, "other channels"),
            (MadeKind::Phases, "random phases"),
            (MadeKind::Noise, "noise"),
        ] {
            groups.push((name.into(), of(kind)));
        }
        groups.retain(|(_, points)| !points.is_empty());
        groups
    }
}
