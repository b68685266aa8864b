//! Sends kitty's pictures, one after the other, and knows which of them are on the screen: of a grid only what changed is sent.

use std::ops::Range;

use ratatui::layout::Rect;

use super::kitty::KittyPicture;
use super::parts::push_some;

/// The bytes of a cell that shows a part of kitty's picture.
const PLACEHOLDER_BYTES: usize = 4;

/// The cells that show a picture of kitty's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KittyCells {
    /// The cells, from the whole picture's first on.
    pub(super) cells: Rect,
    /// The id of the picture.
    pub(super) id: u8,
    /// The hash of its pixels; none where the terminal may have lost it.
    hash: Option<u64>,
}

impl KittyCells {
    /// The cells of a picture that has all been sent.
    pub(super) fn of(picture: &KittyPicture, id: u8) -> Self {
        Self { cells: picture.cells, id, hash: Some(picture.hash) }
    }

    /// Notes that the terminal may have lost the picture.
    pub(super) fn doubt(&mut self) {
        self.hash = None;
    }
}

/// The pictures on their way to the terminal.
#[derive(Debug)]
pub(super) struct KittySender {
    /// The ids that pictures can have.
    ids: Range<u8>,
    /// Of the picture that is being sent, the number of sequences that were.
    sent: usize,
}

impl KittySender {
    pub(super) fn new(ids: Range<u8>) -> Self {
        Self { ids, sent: 0 }
    }

    /// Begins anew with other pictures.
    pub(super) fn begin(&mut self) {
        self.sent = 0;
    }

    /// Sends pictures, about so many bytes of them and at least one sequence, and puts the cells of those that are complete onto the
    /// screen, in the place of those that were there, or of all if they belong to another grid; pictures that are there already are passed
    /// over. Returns how many are there, and whether the screen has changed.
    pub(super) fn send(
        &mut self,
        text: &mut String,
        pictures: &[KittyPicture],
        budget: usize,
        (shown, mut is_other): (&mut Vec<KittyCells>, bool),
    ) -> (usize, bool) {
        let mut changed = false;
        for (index, picture) in pictures.iter().enumerate() {
            let is_free = |id: &u8| shown.iter().all(|shown| shown.id != *id);
            // There is always one: a grid has fewer pictures than there are ids.
            let Some(id) = self.ids.clone().find(is_free) else { break };
            let new = KittyCells::of(picture, id);
            let is_there = |shown: &KittyCells| (shown.cells, shown.hash) == (new.cells, new.hash);
            if !is_other && shown.iter().any(is_there) {
                continue;
            }
            if !self.is_complete(text, picture, id, budget) {
                return (index, changed);
            }
            shown.retain(|shown| !is_other && !shown.cells.intersects(new.cells));
            shown.push(new);
            (is_other, changed) = (false, true);
        }
        (pictures.len(), changed)
    }

    /// Sends what there is room for of a picture, and tells whether its cells can be shown with it.
    fn is_complete(&mut self, text: &mut String, picture: &KittyPicture, id: u8, budget: usize) -> bool {
        if !text.is_empty() && text.len() >= budget {
            return false;
        }
        let mut parts = String::new();
        let count = push_some(&mut parts, picture.sequences(self.sent, id), budget - text.len().min(budget));
        text.push_str(&parts);
        self.sent += count;
        // The cells are a frame of their own where they would make this one longer than the line carries.
        let cells = PLACEHOLDER_BYTES * usize::from(picture.cells.width) * usize::from(picture.cells.height);
        let fits = count == 0 || text.len() + cells <= budget;
        let is_complete = self.sent == picture.len() && fits;
        if is_complete {
            self.sent = 0;
        }
        is_complete
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use ratatui::layout::Size;

    use super::*;
    use crate::ui::color_depth::ColorDepth;
    use crate::ui::graphics::{Graphics, Protocol};
    use crate::ui::kitty::transmission;

    /// Pictures of one cell each, in a row with a cell between them, of these levels.
    fn kitty_row(levels: &[u8]) -> Vec<KittyPicture> {
        let protocol = Protocol::Kitty;
        let (tmux, deflate, depth) = (false, false, ColorDepth::True);
        let graphics = Graphics { protocol, cell: (8, 16), tmux, deflate, depth };
        let picture = |(x, level): (u16, &u8)| {
            let image = RgbImage::from_pixel(32, 32, Rgb([*level; 3]));
            let mut picture = transmission(&image, Size::new(1, 1), graphics, 2048).unwrap();
            picture.cells.x = 2 * x;
            picture
        };
        (0..).zip(levels).map(picture).collect()
    }

    /// The columns of the pictures on the screen, and their ids.
    fn places(shown: &[KittyCells]) -> Vec<(u16, u8)> {
        let mut places: Vec<(u16, u8)> = shown.iter().map(|shown| (shown.cells.x, shown.id)).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn cells_are_shown_when_all_of_the_picture_has_come() {
        let (mut sender, mut shown, row) = (KittySender::new(17..20), Vec::new(), kitty_row(&[1]));
        let mut send = |shown: &mut Vec<KittyCells>| {
            let mut text = String::new();
            let done = sender.send(&mut text, &row, 1, (shown, true));
            (text, done)
        };
        // A sequence that deletes, and 4096 characters of base64 in two.
        for (begin, has) in [("\x1b_Ga=d", "i=17,"), ("\x1b_Ga=T", "i=17,"), ("\x1b_G", "m=0;")] {
            let (text, done) = send(&mut shown);
            assert!(text.starts_with(begin) && text.contains(has), "{text}");
            assert_eq!((done, places(&shown)), ((0, false), vec![]), "its cells come with the next frame");
        }
        assert_eq!(send(&mut shown), (String::new(), (1, true)));
        assert_eq!(places(&shown), [(0, 17)]);
    }

    #[test]
    fn only_what_changed_of_a_grid_is_sent_again() {
        let (mut sender, mut shown) = (KittySender::new(17..20), Vec::new());
        let mut send = |levels: &[u8], budget, shown: &mut Vec<KittyCells>| {
            sender.begin();
            let (row, mut text, mut sent) = (kitty_row(levels), String::new(), 0);
            while sent < row.len() {
                let mut part = String::new();
                let replaces = shown.is_empty();
                sent += sender.send(&mut part, &row[sent..], budget, (shown, replaces)).0;
                text.push_str(&part);
            }
            (text.matches("a=T").count(), places(shown))
        };
        assert_eq!(send(&[1, 2], 1 << 20, &mut shown), (2, vec![(0, 17), (2, 18)]));
        assert_eq!(send(&[1, 2], 1 << 20, &mut shown), (0, vec![(0, 17), (2, 18)]));
        assert_eq!(send(&[1, 3], 1, &mut shown), (1, vec![(0, 17), (2, 19)]));
        // The id of what is gone is used again.
        assert_eq!(send(&[4, 3], 100, &mut shown), (1, vec![(0, 18), (2, 19)]));
        // What the terminal may have lost is sent anew.
        shown.iter_mut().for_each(KittyCells::doubt);
        assert_eq!(send(&[4, 3], 1 << 20, &mut shown).0, 2);
    }
}
