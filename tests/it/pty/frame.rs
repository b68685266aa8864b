//! One whole screen, as a user sees it: its text, its panes, its colours, and the numbers of the run.

use std::collections::BTreeSet;
use std::fmt;

use vt100::{Color, Screen};

/// A part of the screen, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// What is on the screen between two updates.
#[derive(Clone)]
pub(crate) struct Frame {
    screen: Screen,
    rows: Vec<Vec<String>>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text())
    }
}

impl Frame {
    pub(crate) fn new(screen: &Screen) -> Self {
        let (height, width) = screen.size();
        let symbol = |y, x| match screen.cell(y, x).map(vt100::Cell::contents) {
            Some("") | None => " ".to_owned(),
            Some(text) => text.to_owned(),
        };
        let rows = (0..height.get()).map(|y| (0..width.get()).map(|x| symbol(y, x)).collect()).collect();
        Self { screen: screen.clone(), rows }
    }

    pub(crate) fn size(&self) -> (u16, u16) {
        let (height, width) = self.screen.size();
        (width.get(), height.get())
    }

    /// Every row, without the blanks at its end.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.concat().trim_end().to_owned()).collect()
    }

    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// Where a text begins.
    pub(crate) fn find(&self, text: &str) -> Option<(u16, u16)> {
        self.rows.iter().enumerate().find_map(|(y, row)| {
            let at = row.concat().find(text)?;
            let mut end = 0;
            let x = row.iter().position(|cell| {
                end += cell.len();
                end > at
            });
            Some((x? as u16, y as u16))
        })
    }

    fn symbol(&self, x: u16, y: u16) -> Option<&str> {
        self.rows.get(usize::from(y))?.get(usize::from(x)).map(String::as_str)
    }

    /// The inside of the pane whose title begins so.
    pub(crate) fn pane(&self, title: &str) -> Option<Area> {
        let (left, top) = self.find(&format!("╭ {title}"))?;
        let (width, height) = self.size();
        let right = (left..width).find(|&x| self.symbol(x, top) == Some("╮"))?;
        let bottom = (top..height).find(|&y| self.symbol(left, y) == Some("╰"))?;
        Some(Area { x: left + 1, y: top + 1, width: right - left - 1, height: bottom - top - 1 })
    }

    /// The inside of the pane of the picture, which is called after its objective.
    pub(crate) fn picture(&self) -> Option<Area> {
        self.pane("channel(").or_else(|| self.pane("picture"))
    }

    /// What the run's pane calls so.
    fn number(&self, name: &str) -> Option<String> {
        let run = self.pane("run")?;
        (run.y..run.y + run.height).find_map(|y| {
            let row = self.rows[usize::from(y)][usize::from(run.x)..usize::from(run.x + run.width)].concat();
            row.strip_prefix(name).filter(|rest| rest.starts_with(' ')).map(|value| value.trim().to_owned())
        })
    }

    /// The step of the run, and how many there are.
    pub(crate) fn step(&self) -> Option<(usize, usize)> {
        let value = self.number("step")?;
        let (step, steps) = value.split_once(" of ")?;
        Some((step.parse().ok()?, steps.parse().ok()?))
    }

    /// Does the run stand still, and is everything told that is found out about a picture that does: what it is worth, and
    /// the classes of this very step?
    pub(crate) fn is_settled(&self) -> bool {
        let classified =
            self.step().is_some_and(|(step, _)| self.pane(&format!("classes, step {step} ")).is_some());
        classified && self.has("paused") && self.number("over 32 views").is_some()
    }

    pub(crate) fn loss(&self) -> Option<f64> {
        self.number("activation")?.parse().ok()
    }

    pub(crate) fn seed(&self) -> Option<u64> {
        self.number("seed")?.parse().ok()
    }

    pub(crate) fn shown_by(&self) -> Option<String> {
        self.number("shown by")
    }

    /// The colours of the two halves of a cell, upper and lower.
    pub(crate) fn halves(&self, x: u16, y: u16) -> [Color; 2] {
        let Some(cell) = self.screen.cell(y, x) else { return [Color::Default; 2] };
        match cell.contents() {
            "▀" => [cell.fgcolor(), cell.bgcolor()],
            "▄" => [cell.bgcolor(), cell.fgcolor()],
            _ => [cell.bgcolor(); 2],
        }
    }

    /// The pixels that an area shows as half-blocks: rows of RGB, none where a cell shows something else.
    pub(crate) fn pixels(&self, area: Area) -> Vec<Vec<Option<[u8; 3]>>> {
        let rgb = |color| match color {
            Color::Rgb(r, g, b) => Some([r, g, b]),
            _ => None,
        };
        let half = |y, i: usize| {
            (area.x..area.x + area.width).map(|x| rgb(self.halves(x, y)[i])).collect::<Vec<_>>()
        };
        (area.y..area.y + area.height).flat_map(|y| [half(y, 0), half(y, 1)]).collect()
    }

    /// The colours that carry the ids of kitty's pictures.
    pub(crate) fn placeholder_colours(&self) -> Vec<Color> {
        let (width, height) = self.size();
        let cells = (0..height).flat_map(|y| (0..width).filter_map(move |x| self.screen.cell(y, x)));
        let placeholders = cells.filter(|cell| cell.contents().starts_with('\u{10eeee}'));
        let mut colours: Vec<Color> = placeholders.map(vt100::Cell::fgcolor).collect();
        colours.dedup();
        colours
    }

    /// How many different pixels the whole screen shows.
    pub(crate) fn colours(&self) -> usize {
        let (width, height) = self.size();
        self.colours_in(Area { x: 0, y: 0, width, height })
    }

    /// How many different pixels the picture's pane shows.
    pub(crate) fn picture_colours(&self) -> usize {
        self.picture().map_or(0, |area| self.colours_in(area))
    }

    fn colours_in(&self, area: Area) -> usize {
        self.pixels(area).into_iter().flatten().flatten().collect::<BTreeSet<_>>().len()
    }

    /// The cells outside `area` that have a colour.
    pub(crate) fn coloured_outside(&self, area: Area) -> usize {
        let (width, height) = self.size();
        let inside =
            |x, y| (area.x..area.x + area.width).contains(&x) && (area.y..area.y + area.height).contains(&y);
        let coloured = |x, y| {
            let cell = self.screen.cell(y, x);
            cell.is_some_and(|cell| [cell.fgcolor(), cell.bgcolor()] != [Color::Default; 2])
        };
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .filter(|&(x, y)| !inside(x, y) && coloured(x, y))
            .count()
    }

    pub(crate) fn in_alternate_screen(&self) -> bool {
        self.screen.alternate_screen()
    }

    pub(crate) fn cursor_is_hidden(&self) -> bool {
        self.screen.hide_cursor()
    }
}
