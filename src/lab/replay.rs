//! The figure that the question of the sea cucumber began with, replayed. Its rows were photographs of ten classes, two made
//! pictures and the photographs of sea cucumbers, laid out together by t-SNE; drawn as the pictures were the last two rows, and
//! those are photographs.

use std::ops::Range;

use super::error::Result;
use super::project::{Neighbours, TsneMap};

/// The nearest rows among which those of the class are counted.
pub const REPLAY_NEAR: usize = 10;

/// A photograph or a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayRow {
    /// Its path in the data set, or its file's name.
    pub name: String,
    /// The data set's label; none for pictures.
    pub label: Option<String>,
    /// The mean of each channel.
    pub means: Vec<f64>,
}

/// The origin of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A photograph of another class.
    Other,
    /// A made picture.
    Picture,
    /// A photograph of the class that the pictures were taken for.
    Class,
}

/// The number of a row's nearest others that are of the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayNear {
    /// Of the nearest in the layout.
    pub in_layout: usize,
    /// Of the nearest by the distance of all channels' means.
    pub in_channels: usize,
}

/// All rows in their order, and their layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    rows: Vec<ReplayRow>,
    pictures: Range<usize>,
    map: TsneMap,
}

impl Replay {
    /// Lays out the photographs of other classes, the pictures and the photographs of the class together, as they are. Fails for
    /// fewer than three rows for each neighbour of the perplexity.
    pub fn of(
        others: Vec<ReplayRow>,
        pictures: Vec<ReplayRow>,
        class: Vec<ReplayRow>,
        perplexity: f64,
    ) -> Result<Self> {
        let range = others.len()..others.len() + pictures.len();
        let rows: Vec<ReplayRow> = [others, pictures, class].concat();
        let means: Vec<Vec<f64>> = rows.iter().map(|row| row.means.clone()).collect();
        let map = TsneMap::of(&means, perplexity)?;
        Ok(Self { rows, pictures: range, map })
    }

    /// All rows in their order.
    pub fn rows(&self) -> &[ReplayRow] {
        &self.rows
    }

    /// The layout, a place for each row.
    pub fn map(&self) -> &TsneMap {
        &self.map
    }

    /// The rows that the pictures are.
    pub fn pictures(&self) -> Range<usize> {
        self.pictures.clone()
    }

    /// The photographs of the class.
    pub fn class(&self) -> Range<usize> {
        self.pictures.end..self.rows.len()
    }

    /// The rows that were drawn as the pictures: as many as there are pictures, from the end (`[-2:]`).
    pub fn stars(&self) -> Range<usize> {
        self.rows.len() - self.pictures.len()..self.rows.len()
    }

    /// The rows that were drawn as the class: what is left of it (`[-100:-2]`).
    pub fn drawn_class(&self) -> Range<usize> {
        self.class().start..self.stars().start
    }

    /// The origin of a row.
    pub fn kind(&self, row: usize) -> RowKind {
        if row < self.pictures.start {
            RowKind::Other
        } else if self.pictures.contains(&row) {
            RowKind::Picture
        } else {
            RowKind::Class
        }
    }

    /// The number of the ten nearest other rows that are of the class, for each of `rows`.
    pub fn near(&self, rows: Range<usize>) -> Vec<ReplayNear> {
        let places: Vec<Vec<f64>> = self.map.places.iter().map(|place| place.to_vec()).collect();
        let means: Vec<Vec<f64>> = self.rows.iter().map(|row| row.means.clone()).collect();
        let class = self.class();
        let count = |points: &[Vec<f64>], row: usize| {
            // The row itself comes first: nothing is nearer to it.
            let near = Neighbours::among(points, &points[row..=row], REPLAY_NEAR + 1, false).0.concat();
            let others = near.iter().filter(|(at, _)| *at != row).take(REPLAY_NEAR);
            others.filter(|(at, _)| class.contains(at)).count()
        };
        rows.map(|row| ReplayNear { in_layout: count(&places, row), in_channels: count(&means, row) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(count: usize, at: f64) -> Vec<ReplayRow> {
        let row = |n: usize| ReplayRow {
            name: n.to_string(),
            label: None,
            means: vec![at + (n as f64).sin() * 0.1, at + (n as f64).cos() * 0.1, at],
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn the_stars_are_the_last_photographs_of_the_class() {
        let replay = Replay::of(group(200, 0.0), group(2, 50.0), group(20, 9.0), 5.0).unwrap();
        assert_eq!((replay.pictures(), replay.class()), (200..202, 202..222));
        assert_eq!((replay.drawn_class(), replay.stars()), (202..220, 220..222));
        assert!(replay.stars().all(|row| replay.kind(row) == RowKind::Class));
        assert_eq!((replay.kind(199), replay.kind(200)), (RowKind::Other, RowKind::Picture));
        let near = replay.near(replay.stars());
        assert!(near[0].in_channels == 10 && near[0].in_layout >= 8, "{near:?}");
        // The other picture is the nearest, and then the group that is nearer.
        let near = replay.near(replay.pictures());
        assert_eq!(near[0].in_channels, 9);
    }
}
