//! The mosaic on the screen: what keys do in it, what is asked for, and what is drawn.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use trepang::dashboard::{Effect, Key, Message, Shown, State};
use trepang::ui::{View, mosaic_grid, render};
use trepang::worker::protocol::{Action, DraftPage, DraftSheet, DraftView, QueueView, Status};

use crate::stage::{HALFBLOCKS, picture, press, see, see_run, state};

/// The mosaic on a screen with room for three rows of five drafts, and what was asked for.
fn opened() -> (State, DraftPage) {
    let mut state = state();
    state.update(Message::Page(5, 3));
    let page = asked(&press(&mut state, &[Key::Char('M')])).unwrap();
    (state, page)
}

/// The page that is asked for among these effects.
fn asked(effects: &[Effect]) -> Option<DraftPage> {
    let page = effects.iter().find_map(|effect| match effect {
        Effect::Ask(Action::Draft(page)) => Some(page.clone()),
        _ => None,
    });
    page.flatten().map(|page| *page)
}

/// Shows `state` drafts of these channels after so many steps; every third is dead.
fn see_drafts(state: &mut State, page: &DraftPage, channels: std::ops::Range<usize>, step: usize) {
    let draft = |channel: usize| DraftView {
        channel,
        step,
        loss: Some(if channel.is_multiple_of(3) { 0.0 } else { channel as f64 }),
        dead: channel.is_multiple_of(3),
        picture: Arc::new(picture()),
    };
    let sheet = DraftSheet { series: page.series.clone(), drafts: channels.map(draft).collect() };
    see(state, |snapshot| snapshot.sheets = [sheet].into());
}

fn screen(state: &State, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let grid = mosaic_grid(Rect::new(0, 0, size.0, size.1), state, &HALFBLOCKS);
    let view = View { grid, ..View::default() };
    terminal.draw(|frame| render(frame, state, &view)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let rows = buffer.content().chunks(width).map(|row| row.iter().map(Cell::symbol).collect::<String>());
    rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_page_is_asked_for_once_and_anew_when_it_is_another() {
    let (mut state, page) = opened();
    assert_eq!((page.series.layer.as_str(), page.first, page.count), ("conv2", 0, 15));
    assert_eq!((page.series.settings.size, page.series.settings.steps), (64.into(), 64));
    assert_eq!(asked(&press(&mut state, &[Key::Right, Key::Down, Key::Char('l')])), None, "the same page");
    assert_eq!(state.channel, 7);
    let next = asked(&press(&mut state, &[Key::PageDown])).unwrap();
    assert_eq!((state.channel, next.first, next.count), (22, 15, 15));
    let last = asked(&press(&mut state, &[Key::End])).unwrap();
    assert_eq!((state.channel, last.first, state.page_channels()), (39, 30, 30..40));
    // A screen of another size has other pages.
    let wider = asked(&state.update(Message::Page(10, 3))).unwrap();
    assert_eq!((wider.first, wider.count), (30, 30));
    assert_eq!(press(&mut state, &[Key::Char('M')])[1..], [Effect::Ask(Action::Draft(None))]);
    assert_eq!(state.shown, Shown::Panes);
}

#[test]
fn the_layer_changes_and_the_place_stays() {
    let (mut state, _) = opened();
    press(&mut state, &[Key::Char('g'), Key::Char('6'), Key::Enter]);
    let up = asked(&press(&mut state, &[Key::Char('<')])).unwrap();
    assert_eq!((up.series.layer.as_str(), state.channel), ("pool1", 6));
    let down = asked(&press(&mut state, &[Key::Char('>')])).unwrap();
    assert_eq!((down.series.layer.as_str(), state.channel), ("conv2", 6));
    let before = asked(&press(&mut state, &[Key::Char('p')])).unwrap();
    assert_eq!(before.series.layer, "conv2:pre");
}

#[test]
fn enter_opens_the_channel_in_full() {
    let (mut state, _) = opened();
    let effects = press(&mut state, &[Key::Down, Key::Enter]);
    let plan = effects.iter().find_map(|effect| match effect {
        Effect::Ask(Action::Start(plan)) => Some(plan),
        _ => None,
    });
    assert_eq!(plan.unwrap().objective.to_string(), "channel(conv2, 5)");
    assert_eq!(plan.unwrap().size, state.settings.size.without_shape(), "at full size");
    assert_eq!((state.shown, effects.last()), (Shown::Panes, Some(&Effect::Ask(Action::Draft(None)))));
}

#[test]
fn a_recipe_that_makes_nothing_of_a_channel_has_drafts_of_lucid() {
    let mut state = state();
    state.settings.recipe = trepang::engine::Recipe::named("dream").unwrap();
    let page = asked(&press(&mut state, &[Key::Char('M')])).unwrap();
    assert_eq!(page.series.settings.recipe.name, "lucid");
}

#[test]
fn drafts_have_their_number_and_what_is_known_of_them() {
    let (mut state, page) = opened();
    for (width, height) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let grid = mosaic_grid(Rect::new(0, 0, width, height), &state, &HALFBLOCKS).unwrap();
        let first = asked(&state.update(Message::Page(grid.page.0.into(), grid.page.1.into())));
        see_drafts(&mut state, first.as_ref().unwrap_or(&page), 0..4, 16);
        let shown = text(&screen(&state, (width, height)));
        assert!(shown.contains("channel 0 of 40"), "in these words at {width}x{height}: {shown}");
        for words in ["0 dead", "1 1.000", "2 2.000 16/64"] {
            assert!(shown.contains(words), "{words} at {width}x{height}: {shown}");
        }
    }
    insta::assert_snapshot!(text(&screen(&state, (200, 60))).lines().take(20).collect::<Vec<_>>().join("\n"));
}

#[test]
fn words_for_the_dead_are_longer_where_there_is_room() {
    let (mut state, _) = opened();
    let larger = press(&mut state, &[Key::Char('z')]);
    assert_eq!(state.mosaic.enlarged, 1, "{larger:?}");
    let page = asked(&state.update(Message::Page(3, 2))).unwrap();
    see_drafts(&mut state, &page, 0..6, 64);
    let shown = text(&screen(&state, (80, 30)));
    assert!(shown.contains("3 nothing woke it"), "{shown}");
}

#[test]
fn a_begins_the_queue_and_ends_it() {
    let (mut state, _) = opened();
    press(&mut state, &[Key::Right, Key::Right]);
    let effects = press(&mut state, &[Key::Char('a')]);
    let [Effect::Ask(Action::Queue(Some(queue)))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((queue.layer.as_str(), queue.next, queue.end), ("conv2", 2, 40));
    // While its own channel runs, the next one is next.
    see_run(&mut state, Status::Running, 5);
    let effects = press(&mut state, &[Key::Char('a')]);
    let [Effect::Ask(Action::Queue(Some(queue)))] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(queue.next, 3);
    let view = QueueView { layer: "conv2".into(), next: 3, left: 37, seconds: Some(90.0) };
    see(&mut state, |snapshot| snapshot.queue = Some(view));
    let shown = text(&screen(&state, (80, 24)));
    assert!(shown.contains("queue +37 (1 min)"), "{shown}");
    assert_eq!(press(&mut state, &[Key::Char('a')]), [Effect::Ask(Action::Queue(None))]);
    press(&mut state, &[Key::Char('M')]);
    let view = View::default();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| render(frame, &state, &view)).unwrap();
    let shown = text(terminal.backend().buffer());
    assert!(shown.contains("running +37 (1 min)"), "{shown}");
}

#[test]
fn the_cursor_follows_the_queue_from_the_channel_it_is_on() {
    let mut state = state();
    state.channel = 4;
    see_run(&mut state, Status::Running, 5);
    let view = QueueView { layer: "conv2".into(), next: 6, left: 34, seconds: None };
    see(&mut state, |snapshot| {
        snapshot.queue = Some(view.clone());
        let run = snapshot.run.as_mut().unwrap();
        let plan = trepang::engine::Plan {
            objective: trepang::engine::Objective::channel("conv2", 5),
            ..(*run.plan).clone()
        };
        run.plan = Arc::new(plan);
    });
    assert_eq!(state.channel, 5);
    // Who looks elsewhere stays there.
    press(&mut state, &[Key::Home]);
    see(&mut state, |snapshot| snapshot.queue = Some(view));
    assert_eq!(state.channel, 0);
}

#[test]
fn after_another_device_the_page_is_asked_for_again() {
    let (mut state, page) = opened();
    let mut snapshot = trepang::worker::protocol::Snapshot::clone(&state.snapshot);
    snapshot.version += 1;
    snapshot.network = Some(Arc::new(crate::models::view("tinynet")));
    assert_eq!(asked(&state.update(Message::Snapshot(Arc::new(snapshot)))), Some(page));
}
