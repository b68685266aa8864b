//! One of the pictures of the screen: what is on the screen of it, on its way there, and was last asked for.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::delivery::Delivery;
use super::scene::{Drawing, Scene};

/// The shortest time between two pictures of something that goes on.
const INTERVAL: Duration = Duration::from_millis(150);

/// A picture of the screen.
#[derive(Debug)]
pub(super) struct ScreenPicture {
    /// The picture that is on the screen, and the one on its way there.
    pub(super) delivery: Delivery,
    /// The picture that was last requested of the encoder.
    pub(super) requested: Option<Drawing>,
    pub(super) requested_at: Option<Instant>,
}

impl ScreenPicture {
    /// No picture yet. Those that come have these ids by kitty's protocol.
    pub(super) fn new(kitty_ids: Range<u8>) -> Self {
        Self { delivery: Delivery::new(kitty_ids), requested: None, requested_at: None }
    }

    /// Forgets what was asked for and is on its way: the screen is drawn anew.
    pub(super) fn forget(&mut self) {
        self.delivery.forget();
        self.requested = None;
    }

    /// Takes the picture away.
    pub(super) fn clear(&mut self) {
        if self.requested.take().is_some() || self.delivery.on_screen().is_some() {
            self.delivery.begin(None);
        }
    }

    /// Takes a grid of pictures away whose places are not those of the one that is wanted: until that has come, it would stand
    /// beside words that are not its own.
    pub(super) fn make_way(&mut self, wanted: &Drawing) {
        if let (Some(Scene::Grid(before)), Scene::Grid(after)) =
            (self.requested.as_ref().map(|drawing| &drawing.scene), &wanted.scene)
            && before.grid != after.grid
        {
            self.clear();
        }
    }

    /// Whether another picture is wanted than was last asked for, and the time for it has come.
    pub(super) fn is_late(&self, wanted: &Drawing) -> bool {
        let since = self.requested_at.map(|at| at.elapsed());
        let early = wanted.live && self.requested.is_some() && since.is_some_and(|since| since < INTERVAL);
        self.requested.as_ref() != Some(wanted) && !early && !self.delivery.is_busy()
    }
}
