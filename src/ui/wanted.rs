//! The pictures that are to be on the screen, as what is shown and the size of the screen want them.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::closer::CloserScene;
use super::graphics::Graphics;
use super::scene::{Drawing, Scene};
use super::{
    comparison, lab, lab_layout, mosaic, picture_room, saved_runs, shown_grid, strip_grid, thumbnail_grid,
};
use crate::dashboard::{Shown, State};
use crate::worker::protocol::Status;

/// The cells that the main picture may fill.
pub(super) fn room(area: Rect, state: &State, graphics: Graphics) -> Rect {
    let strip = strip_grid(area, state, graphics);
    shown_grid(area, state, &graphics)
        .map_or_else(|| picture_room(area, state, strip.as_ref()), |grid| grid.area)
}

/// The main picture: the run's, or that of a grid.
pub(super) fn main_picture(area: Rect, state: &State, graphics: Graphics) -> Option<Drawing> {
    if let Some(grid) = shown_grid(area, state, &graphics) {
        let scene = match state.shown {
            Shown::Beside => comparison::scene(state, &grid),
            Shown::Lab => lab::pictures(state, &grid),
            Shown::Mosaic | Shown::Panes | Shown::Picture => mosaic::scene(state, &grid),
        };
        let (cells, draft) = (grid.area.as_size(), Some(grid.draft));
        let live = state.shown == Shown::Mosaic && mosaic::is_live(state);
        return Some(Drawing { scene: Scene::Grid(scene), cells, graphics, live, draft });
    }
    if state.shown == Shown::Lab {
        return None;
    }
    let picture = Arc::clone(state.picture_shown()?);
    let shape = (picture.width, picture.height);
    let scene = if state.closer.is_on() {
        let (window, pixel, map) = (state.window(), state.pixel(), state.map_shown().cloned());
        Scene::Closer(CloserScene { picture, window, pixel, map })
    } else {
        Scene::Picture(picture)
    };
    let live = state.looked_back_on().is_none() && state.snapshot.status == Status::Running;
    let cells = graphics.fitted(room(area, state, graphics).as_size(), shape);
    Some(Drawing { scene, cells, graphics, live, draft: None })
}

/// The picture beside the main one: that of the list of runs, or else that of the lab or of the strip.
pub(super) fn beside_picture(area: Rect, state: &State, graphics: Graphics) -> Option<Drawing> {
    let thumbnails = thumbnail_grid(area, state, graphics);
    if let Some(layout) = lab_layout(area, state, graphics).filter(|_| thumbnails.is_none()) {
        let (scene, cells) = (Scene::Scatter(lab::points(state)?), layout.points().as_size());
        return Some(Drawing { scene, cells, graphics, live: false, draft: None });
    }
    let (grid, scene, live) = if let Some(grid) = thumbnails {
        (grid, saved_runs::scene(state, &grid), false)
    } else {
        let grid = strip_grid(area, state, graphics)?;
        let channels = state.strip_channels();
        // While a run goes on, no draft of the strip becomes better.
        let live = state.snapshot.status != Status::Running && mosaic::are_live(state, channels.clone());
        (grid, mosaic::scene_of(state, &grid, channels), live)
    };
    let (cells, draft) = (grid.area.as_size(), Some(grid.draft));
    Some(Drawing { scene: Scene::Grid(scene), cells, graphics, live, draft })
}
