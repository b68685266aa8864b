//! The lab in the dashboard: it is opened on the picture that is on the screen, and asks about the channel under the cursor
//! for as long as it is shown.

use std::sync::Arc;

use super::actions::NOTHING;
use super::key::Key;
use super::key_scope::KeyScope;
use super::state::{Effect, Shown, State, TerminalAction};
use crate::engine::Picture;
use crate::worker::protocol::{Action, LabFindings, LabOrder, LabPoint, LabScatter, LabSubject};

/// The points that the cursor passes with a key that moves far.
const FAR: usize = 8;

/// The factor of lengths across the direction of a key.
const ACROSS: f64 = 2.0;

/// Opens the lab on the picture on the screen, or closes it.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    if state.shown == Shown::Lab {
        return close(state);
    }
    let Some(picture) = state.picture_for_lab() else {
        let start = state.keys.shown("start");
        state.remark =
            Some(format!("there is no picture to ask the lab about yet: {start} starts an ascent"));
        return NOTHING;
    };
    (state.lab.picture, state.lab.point) = (Some(picture), 0);
    state.lab.is_of_draft = state.shown == Shown::Mosaic;
    state.shown = Shown::Lab;
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

/// A key that means nothing while browsing: one of the lab's own, or Esc.
pub(super) fn press(state: &mut State, key: Key) -> Vec<Effect> {
    if key == Key::Escape {
        return close(state);
    }
    if state.keys.lookup_in(KeyScope::Lab, key).is_some() {
        // Its only command.
        state.lab.by = state.lab.by.next();
    }
    NOTHING
}

/// Goes back to where the lab was opened from.
fn close(state: &mut State) -> Vec<Effect> {
    state.shown = if state.lab.is_of_draft { Shown::Mosaic } else { Shown::Panes };
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

/// A command while the lab is open: true if it moved the cursor among the points.
pub(super) fn moves_point(state: &mut State, command: &str) -> bool {
    let (across, down, times) = match command {
        "up" => (0.0, -1.0, 1),
        "down" => (0.0, 1.0, 1),
        "left" => (-1.0, 0.0, 1),
        "right" => (1.0, 0.0, 1),
        "row-up" | "page-up" => (0.0, -1.0, FAR),
        "row-down" | "page-down" => (0.0, 1.0, FAR),
        "first" | "last" => (0.0, 0.0, 0),
        _ => return false,
    };
    if state.shown != Shown::Lab {
        return false;
    }
    let Some(scatter) = state.lab_scatter() else { return true };
    let mut point = match command {
        "first" => 0,
        "last" => scatter.points.len().saturating_sub(1),
        _ => state.lab.point,
    };
    let shares = scatter.shares();
    for _ in 0..times {
        point = neighbour(&shares, point, [across, down]).unwrap_or(point);
    }
    state.lab.point = point;
    true
}

/// Puts the cursor on the point that is nearest to a place of the scatter, across and down in thousandths of it.
pub(super) fn put_point(state: &mut State, place: [usize; 2]) {
    let Some(scatter) = state.lab_scatter() else { return };
    let place = place.map(|thousandths| thousandths as f64 / 1000.0);
    let shares = scatter.shares();
    let distance = |share: &[f64; 2]| (share[0] - place[0]).hypot(share[1] - place[1]);
    let nearest = shares.iter().enumerate().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
    state.lab.point = nearest.map_or(0, |(point, _)| point);
}

/// The nearest place from another one in a direction, across and down; lengths across it count twice. Places that are the same are
/// passed.
fn neighbour(places: &[[f64; 2]], from: usize, toward: [f64; 2]) -> Option<usize> {
    let here = places.get(from)?;
    let distance = |place: &[f64; 2]| {
        let [across, down] = [0, 1].map(|axis| place[axis] - here[axis]);
        let along = across * toward[0] + down * toward[1];
        let beside = (across * toward[1]).abs() + (down * toward[0]).abs();
        (along > 0.0).then(|| along.hypot(ACROSS * beside))
    };
    let ahead = places.iter().enumerate().filter_map(|(index, place)| Some((index, distance(place)?)));
    ahead.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
}

impl State {
    /// The picture that the lab is opened on: the draft under the mosaic's cursor, or the run's picture, or else the draft in the
    /// strip beside it.
    fn picture_for_lab(&self) -> Option<Arc<Picture>> {
        let draft = || self.draft(self.channel).map(|draft| Arc::clone(&draft.picture));
        match self.shown {
            Shown::Mosaic => draft(),
            Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab => {
                self.picture_shown().map(Arc::clone).or_else(draft)
            }
        }
    }

    /// The question that is on the screen.
    fn lab_subject(&self) -> Option<LabSubject> {
        let picture = self.lab.picture.as_ref().filter(|_| self.shown == Shown::Lab)?;
        let (picture, by) = (Arc::clone(picture), self.lab.by);
        Some(LabSubject { layer: self.layer_name(), channel: self.channel, picture, by })
    }

    /// The answer to the question on the screen, as far as there is one.
    pub fn lab_findings(&self) -> Option<&LabFindings> {
        let asked = self.lab.asked.as_ref()?;
        self.snapshot.labs.iter().find(|findings| findings.subject == *asked)
    }

    /// The picture that the lab was opened on.
    pub fn lab_picture(&self) -> Option<&Arc<Picture>> {
        self.lab.picture.as_ref()
    }

    /// The number that the photographs are put in order by.
    pub fn lab_order(&self) -> LabOrder {
        self.lab.by
    }

    /// The picture among photographs, once that is there.
    pub fn lab_scatter(&self) -> Option<&LabScatter> {
        self.lab_findings()?.scatter.as_ref()?.as_ref().ok()
    }

    /// The point under the cursor, with its place among the points of the scatter.
    pub fn lab_point(&self) -> Option<(usize, &LabPoint)> {
        let points = &self.lab_scatter()?.points;
        let place = self.lab.point.min(points.len().saturating_sub(1));
        Some((place, points.get(place)?))
    }

    /// Asks the worker about another channel or picture than it was last asked about, or tells it that nobody looks any more.
    pub(super) fn ask_the_lab(&mut self) -> Vec<Effect> {
        let wanted = self.lab_subject();
        if wanted == self.lab.asked {
            return NOTHING;
        }
        let is_like = |(asked, wanted): (&LabSubject, &LabSubject)| asked.is_like(wanted);
        if !self.lab.asked.as_ref().zip(wanted.as_ref()).is_some_and(is_like) {
            self.lab.point = 0;
        }
        self.lab.asked.clone_from(&wanted);
        vec![Effect::Ask(Action::Lab(wanted.map(Box::new)))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_goes_to_the_nearest_point_that_way() {
        let places = [[0.0, 0.0], [1.0, 0.2], [3.0, 0.0], [0.1, 1.5], [-1.0, -3.0]];
        let to = |toward| neighbour(&places, 0, toward);
        assert_eq!((to([1.0, 0.0]), to([0.0, 1.0])), (Some(1), Some(3)));
        assert_eq!((to([-1.0, 0.0]), to([0.0, -1.0])), (Some(4), Some(4)));
        assert_eq!(neighbour(&places, 2, [1.0, 0.0]), None);
        assert_eq!(neighbour(&[], 0, [1.0, 0.0]), None);
    }
}
