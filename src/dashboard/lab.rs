//! The lab in the dashboard: it is opened on the picture that is on the screen, and asks about the channel under the cursor
//! for as long as it is shown.

use std::sync::Arc;

use super::actions::NOTHING;
use super::state::{Effect, Shown, State, TerminalAction};
use crate::engine::Picture;
use crate::worker::protocol::{Action, LabFindings, LabPoint, LabScatter, LabSubject};

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

/// Goes back to where the lab was opened from.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    state.shown = if state.lab.is_of_draft { Shown::Mosaic } else { Shown::Panes };
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

/// A command while the lab is open: true if it moved the cursor among the points.
pub(super) fn moves_point(state: &mut State, command: &str) -> bool {
    let (across, up, times) = match command {
        "up" => (0.0, 1.0, 1),
        "down" => (0.0, -1.0, 1),
        "left" => (-1.0, 0.0, 1),
        "right" => (1.0, 0.0, 1),
        "row-up" | "page-up" => (0.0, 1.0, FAR),
        "row-down" | "page-down" => (0.0, -1.0, FAR),
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
    for _ in 0..times {
        point = neighbour(&scatter.points, point, [across, up]).unwrap_or(point);
    }
    state.lab.point = point;
    true
}

/// The nearest point from another one in a direction; lengths across it count twice. Points at the same place are passed.
fn neighbour(points: &[LabPoint], from: usize, toward: [f64; 2]) -> Option<usize> {
    let here = points.get(from)?.at;
    let scale = spread(points);
    let distance = |point: &LabPoint| {
        let [across, up] = [0, 1].map(|axis| (point.at[axis] - here[axis]) / scale[axis]);
        let along = across * toward[0] + up * toward[1];
        let beside = (across * toward[1]).abs() + (up * toward[0]).abs();
        (along > 0.0).then(|| along.hypot(ACROSS * beside))
    };
    let ahead = points.iter().enumerate().filter_map(|(place, point)| Some((place, distance(point)?)));
    ahead.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
}

/// The lengths of the axes, which are drawn as long as the screen allows.
fn spread(points: &[LabPoint]) -> [f64; 2] {
    [0, 1].map(|axis| {
        let along = points.iter().map(|point| point.at[axis]);
        let (low, high) =
            along.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        (high - low).max(f64::MIN_POSITIVE)
    })
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
        Some(LabSubject { layer: self.layer_name(), channel: self.channel, picture: Arc::clone(picture) })
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
        self.lab.point = 0;
        self.lab.asked.clone_from(&wanted);
        vec![Effect::Ask(Action::Lab(wanted.map(Box::new)))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(places: &[[f64; 2]]) -> Vec<LabPoint> {
        places.iter().map(|&at| LabPoint { at, file: String::new(), label: None }).collect()
    }

    #[test]
    fn the_cursor_goes_to_the_nearest_point_that_way() {
        let points = points(&[[0.0, 0.0], [1.0, 0.2], [3.0, 0.0], [0.1, 2.0], [-1.0, -3.0]]);
        let to = |toward| neighbour(&points, 0, toward);
        assert_eq!((to([1.0, 0.0]), to([0.0, 1.0])), (Some(1), Some(3)));
        assert_eq!((to([-1.0, 0.0]), to([0.0, -1.0])), (Some(4), Some(4)));
        assert_eq!(neighbour(&points, 2, [1.0, 0.0]), None);
        assert_eq!(neighbour(&[], 0, [1.0, 0.0]), None);
    }
}
