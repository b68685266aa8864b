//! Everything that a picture on the screen can be made of. The encoder's thread makes it: the dashboard only names the parts.

use std::sync::Arc;

use ratatui::layout::Size;

use super::closer::{CloserScene, look_closer};
use super::graphics::{Graphics, Protocol};
use super::lab_scatter::{ScatterScene, draw_scatter};
use super::mosaic::{GridScene, compose};
use crate::engine::Picture;

/// The parts of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scene {
    /// A picture as it is.
    Picture(Arc<Picture>),
    /// A picture that is looked at closer.
    Closer(CloserScene),
    /// Several pictures in a grid.
    Grid(GridScene),
    /// Points in the plane.
    Scatter(ScatterScene),
}

/// A picture that is to be on the screen, in all that makes it differ from another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    pub(super) scene: Scene,
    /// The cells that it is to fill.
    pub(super) cells: Size,
    pub(super) graphics: Graphics,
    /// Whether a better one is likely to follow soon.
    pub(super) live: bool,
    /// The cells of each picture of a grid.
    pub(super) draft: Option<Size>,
}

impl Drawing {
    /// The picture that the parts make.
    pub(super) fn compose(&self) -> Arc<Picture> {
        match &self.scene {
            Scene::Picture(picture) => Arc::clone(picture),
            Scene::Closer(scene) => look_closer(scene, pixels(self.cells, self.graphics)),
            Scene::Grid(scene) => compose(scene, self.graphics.protocol),
            Scene::Scatter(scene) => draw_scatter(scene, pixels(self.cells, self.graphics)),
        }
    }
}

/// The pixels that the terminal shows in so many cells, columns and rows.
fn pixels(cells: Size, graphics: Graphics) -> (u32, u32) {
    let (across, down) = match graphics.protocol {
        Protocol::Halfblocks | Protocol::None => (1, 2),
        Protocol::Quadrants => (2, 2),
        Protocol::Sextants => (2, 3),
        Protocol::Kitty | Protocol::Iterm2 | Protocol::Sixel => graphics.cell,
    };
    (u32::from(cells.width) * u32::from(across), u32::from(cells.height) * u32::from(down))
}
