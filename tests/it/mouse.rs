//! The mouse: what it does on each part of the screen, as that was drawn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use trepang::dashboard::{
    ChannelBars, Effect, Key, Mode, Pane, PaneSizes, Prompt, Shown, State, TerminalAction,
};
use trepang::ui::{
    DraggedPanes, FirstLines, MouseAction, MouseEvent, PictureRequest, Pointer, ShownPicture, Spots, View,
    encode, render, shown_grid, strip_grid, thumbnail_grid,
};
use trepang::worker::protocol::{
    Action, ActivationMap, Examination, GrownPicture, LayerActivation, Outcome, SavedRunAction, Status,
};

use crate::stage::{HALFBLOCKS, picture, press, reply, saved_run, see, see_run, state};

/// A dashboard on a screen, with a mouse.
struct Desk {
    state: State,
    size: (u16, u16),
    pointer: Pointer,
    now: Instant,
    effects: Vec<Effect>,
    first_lines: FirstLines,
}

impl Desk {
    fn new(size: (u16, u16)) -> Self {
        let mut state = state();
        see_run(&mut state, Status::Paused, 57);
        let (pointer, now, first_lines) = (Pointer::default(), Instant::now(), FirstLines::default());
        Self { state, size, pointer, now, effects: Vec::new(), first_lines }
    }

    /// Draws the screen: its rows, and what the mouse can be used on.
    fn draw(&self) -> (Vec<String>, Spots) {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let shown = self.state.picture_shown().and_then(|picture| {
            let room = trepang::ui::picture_room(area, &self.state, None);
            let request = PictureRequest {
                picture: Arc::clone(picture),
                cells: HALFBLOCKS.square(room.as_size()),
                graphics: HALFBLOCKS,
                live: false,
                piece: 1 << 20,
                draft: None,
            };
            encode(request).unwrap().map(ShownPicture::whole)
        });
        let view = View {
            picture: shown.as_ref(),
            grid: shown_grid(area, &self.state, &HALFBLOCKS),
            strip: strip_grid(area, &self.state, HALFBLOCKS),
            thumbnails: thumbnail_grid(area, &self.state, HALFBLOCKS),
            first_lines: self.first_lines,
            ..View::default()
        };
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| render(frame, &self.state, &view)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let symbols = |y| (0..self.size.0).map(|x| buffer[(x, y)].symbol()).collect();
        ((0..self.size.1).map(symbols).collect(), view.spots.into_inner())
    }

    /// The place of a text on the screen.
    fn find(&self, text: &str) -> (u16, u16) {
        let rows = self.draw().0;
        let found = rows
            .iter()
            .enumerate()
            .find_map(|(y, row)| Some((row[..row.find(text)?].chars().count() as u16, y as u16)));
        found.unwrap_or_else(|| panic!("no {text} in {rows:#?}"))
    }

    fn mouse(&mut self, action: MouseAction, (column, row): (u16, u16)) {
        let spots = self.draw().1;
        self.first_lines = self.first_lines.after(action, &spots);
        let panes = DraggedPanes { sizes: self.state.sizes, draft: 17 };
        let event = MouseEvent { action, column, row };
        self.effects = match self.pointer.message(event, &spots, panes, self.now) {
            Some(message) => self.state.update(message),
            None => Vec::new(),
        };
    }

    fn click(&mut self, at: (u16, u16)) {
        self.now += Duration::from_secs(2);
        self.mouse(MouseAction::Press, at);
        let effects = std::mem::take(&mut self.effects);
        self.mouse(MouseAction::Release, at);
        self.effects = effects;
    }

    fn double_click(&mut self, at: (u16, u16)) {
        self.click(at);
        self.now += Duration::from_millis(100);
        self.mouse(MouseAction::Press, at);
    }

    fn wheel(&mut self, notches: isize, at: (u16, u16)) {
        self.mouse(MouseAction::Wheel(notches), at);
    }

    fn drag(&mut self, from: (u16, u16), to: (u16, u16)) {
        self.click(from);
        self.mouse(MouseAction::Press, from);
        self.mouse(MouseAction::Drag, to);
    }

    fn remark(&self) -> &str {
        self.state.remark.as_deref().unwrap_or_default()
    }
}

#[test]
fn a_click_chooses_a_layer_or_a_channel() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = Desk::new(size);
        desk.click(desk.find("conv1    "));
        assert_eq!((desk.state.layer, desk.state.pane), (0, Pane::Layers), "{size:?}");
        desk.click(desk.find("conv2    "));
        let (x, y) = desk.find("   6    7");
        desk.click((x + 8, y));
        assert_eq!((desk.state.layer, desk.state.channel, desk.state.pane), (2, 7, Pane::Channels));
        assert!(desk.effects.iter().all(|effect| matches!(effect, Effect::Ask(Action::Draft(_)))));
        // Beside the lines it only goes to the pane, and on nothing it does nothing.
        desk.click(desk.find("layers"));
        assert_eq!((desk.state.pane, desk.state.layer, desk.state.channel), (Pane::Layers, 2, 7));
        desk.click((0, size.1 - 1));
        assert_eq!((desk.state.layer, desk.state.channel), (2, 7));
    }
}

#[test]
fn a_double_click_opens_the_channel_that_was_clicked_on_first() {
    let mut desk = Desk::new((120, 40));
    // The pane scrolls to the channel after the first click, so that another one is at the place.
    let at = desk.find("  29");
    desk.double_click(at);
    assert_eq!(desk.state.channel, 29);
    let [Effect::Ask(Action::Start(plan)), ..] = &desk.effects[..] else { panic!("{:?}", desk.effects) };
    assert_eq!(plan.objective.to_string(), "channel(conv2, 29)");
    // Two clicks at leisure are two clicks.
    desk.click(at);
    desk.click(at);
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Ask(Action::Start(_)))));
}

#[test]
fn drafts_are_chosen_in_the_mosaic_and_in_the_strip() {
    for (size, shown) in [((120, 40), Shown::Mosaic), ((200, 60), Shown::Panes)] {
        let mut desk = Desk::new(size);
        desk.state.shown = shown;
        let area = Rect::new(0, 0, size.0, size.1);
        let strip = strip_grid(area, &desk.state, HALFBLOCKS);
        let page = shown_grid(area, &desk.state, &HALFBLOCKS).or(strip).unwrap().page;
        let count = usize::from(page.0 * page.1);
        desk.state.update(trepang::dashboard::Message::Page(page.0.into(), page.1.into()));
        desk.state.update(trepang::dashboard::Message::Strip(count));
        let (x, y) = if shown == Shown::Mosaic { (0, 1) } else { desk.find("\u{256d} 0 to") };
        let second = (x + 20, y + 3);
        desk.click(second);
        let chosen = desk.state.channel;
        assert_eq!(chosen, 1, "{size:?}");
        desk.wheel(1, second);
        assert_eq!(desk.state.channel, chosen + usize::from(page.0), "a row further");
        desk.wheel(-1, second);
        desk.double_click(second);
        assert!(matches!(&desk.effects[0], Effect::Ask(Action::Start(_))), "{:?}", desk.effects);
        assert_eq!((desk.state.channel, desk.state.shown), (chosen, Shown::Panes));
    }
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut desk = Desk::new((120, 40));
    let (layers, channels) = (desk.find("conv1"), desk.find("  13"));
    desk.wheel(-1, layers);
    assert_eq!((desk.state.layer, desk.state.channel), (1, 0));
    desk.wheel(1, layers);
    desk.wheel(1, layers);
    assert_eq!(desk.state.layer, 3, "and stops at the end");
    desk.wheel(-1, layers);
    desk.wheel(1, channels);
    let row = desk.state.channel;
    assert!((4..=8).contains(&row), "{row}");
    desk.wheel(-1, channels);
    desk.wheel(-1, channels);
    assert_eq!(desk.state.channel, 0);
    // Over the picture it enlarges, as z does, and back to the panes.
    let inside = (50, 10);
    let mut seen = Vec::new();
    for notches in [-1, -1, -1, -1, 1, 1, 1, 1] {
        desk.wheel(notches, inside);
        seen.push((desk.state.shown, desk.state.closer.enlargement));
    }
    let (panes, alone) = ((Shown::Panes, 1), |times| (Shown::Picture, times));
    assert_eq!(seen, [alone(1), alone(2), alone(4), alone(4), alone(2), alone(1), panes, panes]);
}

#[test]
fn a_click_on_the_picture_puts_the_cursor_there() {
    let mut desk = Desk::new((120, 40));
    let area = Rect::new(0, 0, 120, 40);
    let room = trepang::ui::picture_room(area, &desk.state, None);
    let side = HALFBLOCKS.square(room.as_size());
    let left = room.x + (room.width - side.width) / 2;
    let top = room.y + (room.height - side.height) / 2;
    desk.click((left, top));
    assert_eq!(desk.state.pixel(), Some((0, 0)));
    desk.mouse(MouseAction::Press, (left, top));
    desk.mouse(MouseAction::Drag, (left + side.width - 1, top + side.height - 1));
    assert_eq!(desk.state.pixel(), Some((7, 7)));
    assert!(desk.state.pixel_words().unwrap().contains("pixel 7, 7"));
    // Outside of the pane it stays at the edge, and after the release it follows no more.
    desk.mouse(MouseAction::Drag, (0, 0));
    assert_eq!(desk.state.pixel(), Some((0, 0)));
    desk.mouse(MouseAction::Release, (0, 0));
    desk.mouse(MouseAction::Drag, (left + 5, top + 5));
    assert_eq!(desk.state.pixel(), Some((0, 0)));
}

fn growth(desk: &mut Desk, steps: &[usize]) {
    let grown = |step: &usize| GrownPicture { step: *step, picture: Arc::new(picture()) };
    let pictures = steps.iter().map(grown).collect();
    reply(&mut desk.state, Outcome::Growth { run: 1, pictures });
}

#[test]
fn a_place_on_the_curve_shows_the_picture_of_that_step() {
    let mut desk = Desk::new((120, 40));
    // The axis ends where the last label does.
    let (first, row) = {
        let (x, y) = desk.find("\u{2514}");
        (x + 1, y - 2)
    };
    let last = 118;
    desk.click((first + (last - first) / 2, row));
    assert_eq!(desk.effects, [Effect::Ask(Action::OfSavedRun(SavedRunAction::Growth))]);
    // It was dragged on before the pictures came: the newest place counts, and nothing is asked twice.
    desk.mouse(MouseAction::Press, (first + (last - first) / 2, row));
    desk.mouse(MouseAction::Drag, (first + (last - first) / 4, row));
    assert_eq!(desk.effects, []);
    growth(&mut desk, &[1, 15, 29, 43, 57]);
    assert_eq!(desk.state.looked_back_on().unwrap().0, 15);
    assert!(desk.remark().contains("after step 15 (picture 2 of 5"), "{}", desk.remark());
    for (x, step) in [(first, Some(1)), (first + (last - first) / 2, Some(29)), (last, None), (first, None)] {
        if desk.state.scrub.is_none() {
            break;
        }
        desk.click((x, row));
        assert_eq!(desk.state.looked_back_on().map(|(step, _)| step), step, "{x}");
    }
    assert!(desk.remark().contains("as it is now"), "{}", desk.remark());
    // At the right end there is nothing to look back on.
    desk.click((last, row));
    growth(&mut desk, &[1, 57]);
    assert_eq!(desk.state.looked_back_on(), None);
    // What was refused is not waited for.
    desk.click((first, row));
    reply(&mut desk.state, Outcome::Refused("no".into()));
    desk.click((first, row));
    assert_eq!(desk.effects, [Effect::Ask(Action::OfSavedRun(SavedRunAction::Growth))]);
}

#[test]
fn a_bar_is_a_channel() {
    let mut desk = Desk::new((120, 40));
    press(&mut desk.state, &[Key::Char('b')]);
    let means = (0..40).map(|channel| channel as f32).collect();
    let map = Arc::new(ActivationMap { height: 1, width: 1, values: vec![1.0] });
    let of = trepang::worker::protocol::ExaminedChannel { layer: "conv2".into(), channel: 0 };
    let found = Ok(LayerActivation { means, map });
    see(&mut desk.state, |snapshot| {
        snapshot.examinations = [Examination { of, run: 1, step: 57, found }].into();
    });
    assert_eq!(desk.state.closer.bars, ChannelBars::Sorted);
    let (x, y) = desk.find("39.0");
    desk.click((x + 6, y + 4));
    assert_eq!(desk.state.channel, 39, "the highest is the first");
}

#[test]
fn borders_are_dragged_and_the_screen_says_how_far() {
    let mut desk = Desk::new((120, 40));
    let panes = trepang::ui::Panes::of(Rect::new(0, 0, 120, 40), false, PaneSizes::default());
    let (lists, curve) = (panes.layers.right(), panes.loss.y);
    for x in [lists - 1, lists] {
        desk.drag((x, 12), (x + 6, 15));
        assert_eq!(desk.state.sizes, PaneSizes { lists: 6, ..PaneSizes::default() });
        assert_eq!(desk.effects[0], Effect::Terminal(TerminalAction::Redraw));
        desk.mouse(MouseAction::Drag, (x - 4, 15));
        assert_eq!(desk.state.sizes.lists, -4, "from where it began");
        desk.mouse(MouseAction::Drag, (x, 15));
        desk.mouse(MouseAction::Release, (x, 15));
    }
    for y in [curve - 1, curve] {
        desk.drag((60, y), (64, y - 5));
        assert_eq!(desk.state.sizes, PaneSizes { curve: 5, ..PaneSizes::default() });
        desk.mouse(MouseAction::Drag, (64, y));
        desk.mouse(MouseAction::Release, (64, y));
    }
    // A column of drafts comes when there is more than half of its width.
    let strip = panes.picture.right();
    desk.drag((strip, 10), (strip - 8, 10));
    assert_eq!(desk.state.sizes.strip, 0);
    desk.mouse(MouseAction::Drag, (strip - 9, 10));
    assert_eq!(desk.state.sizes.strip, 1);
    desk.mouse(MouseAction::Drag, (strip + 30, 10));
    assert_eq!(desk.state.sizes.strip, -2);
}

#[test]
fn lists_are_clicked_scrolled_and_chosen_from() {
    let mut desk = Desk::new((120, 40));
    let runs = ["run-a", "run-b", "run-c"].map(|name| saved_run(name, "tinynet", "conv2", 9));
    press(&mut desk.state, &[Key::Char('o')]);
    see(&mut desk.state, |snapshot| snapshot.runs = runs.into());
    let second = desk.find("run-b");
    desk.click(second);
    assert_eq!(desk.state.mode, Mode::Runs(1));
    desk.wheel(1, second);
    desk.wheel(1, second);
    assert_eq!(desk.state.mode, Mode::Runs(2));
    desk.wheel(-1, second);
    // What lies under the list is not clicked on.
    let (layer, channel) = (desk.state.layer, desk.state.channel);
    desk.click((2, 3));
    assert_eq!((desk.state.layer, desk.state.channel, &desk.state.mode), (layer, channel, &Mode::Runs(1)));
    desk.double_click(second);
    let open = SavedRunAction::Open { name: "run-b".into(), goes_on: false };
    assert!(desk.effects.contains(&Effect::Ask(Action::OfSavedRun(open))), "{:?}", desk.effects);
    assert_eq!(desk.state.channel, 9);
    // The same in what `/` finds, and in a list of a fixed size.
    press(&mut desk.state, &[Key::Char('/'), Key::Char('c'), Key::Char('o')]);
    desk.double_click(desk.find("layer    conv1"));
    assert_eq!((desk.state.layer, &desk.state.mode), (0, &Mode::Browse));
    press(&mut desk.state, &[Key::Char('S')]);
    desk.double_click(desk.find(" init    "));
    assert!(matches!(desk.state.mode, Mode::Prompt(Prompt::Setting(_), _)), "{:?}", desk.state.mode);
    // A line is typed by keys.
    let before = desk.state.mode.clone();
    desk.double_click(desk.find("conv2"));
    assert_eq!(desk.state.mode, before);
}

#[test]
fn a_click_turns_and_closes_the_help() {
    let mut desk = Desk::new((80, 24));
    press(&mut desk.state, &[Key::Char('?')]);
    desk.state.help_pages = 2;
    desk.click((40, 12));
    assert_eq!(desk.state.mode, Mode::Help(1));
    desk.click((40, 12));
    assert_eq!(desk.state.mode, Mode::Browse);
    // Small screens have what they show.
    for size in [(60, 20), (40, 12), (20, 5), (3, 1)] {
        let mut desk = Desk::new(size);
        for (x, y) in [(0, 0), (size.0 / 2, size.1 / 2), (size.0 - 1, size.1 - 1)] {
            desk.double_click((x, y));
            desk.wheel(1, (x, y));
        }
    }
}

#[test]
fn what_is_clicked_on_stays_under_the_pointer() {
    let mut desk = Desk::new((80, 24));
    let runs: Vec<_> = (10..60).map(|run| saved_run(&format!("run-{run}"), "tinynet", "conv2", 3)).collect();
    see(&mut desk.state, |snapshot| snapshot.runs = runs.clone().into());
    desk.state.mode = Mode::Runs(25);
    for run in ["run-38", "run-29", "run-30"] {
        let place = desk.find(run);
        desk.mouse(MouseAction::Press, place);
        desk.mouse(MouseAction::Release, place);
        assert_eq!(desk.find(run), place, "{run}");
    }
    // The wheel and keys scroll as ever, with the cursor in the middle.
    let before = desk.find("run-38");
    desk.mouse(MouseAction::Wheel(1), before);
    assert_ne!(desk.find("run-38"), before);
    // Channels stay too: the pane shows rows around the cursor.
    let mut desk = Desk::new((72, 20));
    desk.state.channel = 20;
    for channel in ["  24", "  17"] {
        let place = desk.find(channel);
        desk.mouse(MouseAction::Press, place);
        assert_eq!(desk.find(channel), place, "{channel}");
    }
}
