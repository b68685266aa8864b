//! The pictures beside others: the strip of drafts beside the run's picture, and those of runs beside their list.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use trepang::dashboard::{Effect, Key, Message, State};
use trepang::ui::{View, render, strip_grid, thumbnail_grid};
use trepang::worker::protocol::{
    Action, DraftPage, DraftSheet, DraftView, Outcome, RunThumbnail, SavedRunAction, Status,
};

use crate::stage::{HALFBLOCKS, picture, press, reply, saved_run, see, see_run, state};
use crate::worker::{plan, reply_to, spawn, wait};

fn running() -> State {
    let mut state = state();
    see_run(&mut state, Status::Running, 57);
    state
}

fn screen(state: &State, (width, height): (u16, u16)) -> String {
    let area = Rect::new(0, 0, width, height);
    let (strip, thumbnails) = (strip_grid(area, state, HALFBLOCKS), thumbnail_grid(area, state, HALFBLOCKS));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let view = View { strip, thumbnails, ..View::default() };
    terminal.draw(|frame| render(frame, state, &view)).unwrap();
    terminal.backend().to_string()
}

/// The page of drafts that is asked for among these effects.
fn asked(effects: &[Effect]) -> Option<DraftPage> {
    let page = effects.iter().find_map(|effect| match effect {
        Effect::Ask(Action::Draft(page)) => Some(page.clone()),
        _ => None,
    });
    page.flatten().map(|page| *page)
}

/// The runs whose pictures are asked for among these effects.
fn pictures_asked(effects: &[Effect]) -> Vec<String> {
    let names = effects.iter().find_map(|effect| match effect {
        Effect::Ask(Action::OfSavedRun(SavedRunAction::Thumbnails(names))) => Some(names.clone()),
        _ => None,
    });
    names.unwrap_or_default()
}

#[test]
fn the_strip_shows_the_channels_around_the_cursor() {
    let mut state = running();
    let page = asked(&state.update(Message::Strip(4))).unwrap();
    assert_eq!((page.series.layer.as_str(), page.first, page.count, page.patient), ("conv2", 0, 4, true));
    assert_eq!(asked(&press(&mut state, &[Key::Right; 3])), None, "the same four");
    let next = asked(&press(&mut state, &[Key::Right])).unwrap();
    assert_eq!((next.first, state.strip_channels()), (4, 4..8));
    // The mosaic is what the user asks for, and so is not patient.
    assert!(!asked(&press(&mut state, &[Key::Char('M')])).unwrap().patient);
    assert!(asked(&press(&mut state, &[Key::Char('M')])).unwrap().patient);
    assert_eq!(press(&mut state, &[Key::Char('z')])[1..], [Effect::Ask(Action::Draft(None))]);
    press(&mut state, &[Key::Char('z'); 3]);
    assert_eq!(state.update(Message::Strip(0)), [Effect::Ask(Action::Draft(None))], "no room any more");
}

#[test]
fn the_strip_has_what_the_picture_leaves_and_the_user_wants() {
    let columns = |state: &State, (width, height): (u16, u16)| {
        strip_grid(Rect::new(0, 0, width, height), state, HALFBLOCKS).map_or(0, |grid| grid.page.0)
    };
    let mut state = running();
    for (size, expected) in [((60, 20), 0), ((80, 24), 0), ((120, 40), 0), ((160, 48), 1), ((200, 60), 2)] {
        assert_eq!(columns(&state, size), expected, "{size:?}");
    }
    press(&mut state, &[Key::Char('.')]);
    assert_eq!((columns(&state, (120, 40)), columns(&state, (200, 60))), (1, 3));
    press(&mut state, &[Key::Char('.'); 90]);
    assert!(columns(&state, (200, 60)) < 8, "the picture keeps a place");
    for size in [(80, 24), (120, 40), (200, 60)] {
        screen(&state, size);
    }
    press(&mut state, &[Key::Char('0'), Key::Char(','), Key::Char(','), Key::Char(',')]);
    assert_eq!(columns(&state, (200, 60)), 0);
}

#[test]
fn drafts_in_the_strip_have_their_lines() {
    let mut state = running();
    for size in [(160, 48), (200, 60)] {
        let grid = strip_grid(Rect::new(0, 0, size.0, size.1), &state, HALFBLOCKS).unwrap();
        let count = usize::from(grid.page.0 * grid.page.1);
        let page = asked(&state.update(Message::Strip(count)));
        let series = page.expect("another page").series;
        let draft = |channel: usize| DraftView {
            channel,
            step: 16,
            loss: Some(channel as f64),
            dead: channel == 3,
            picture: Arc::new(picture()),
        };
        let sheet = DraftSheet { series, drafts: (0..4).map(draft).collect() };
        see(&mut state, |snapshot| snapshot.sheets = [sheet].into());
        let shown = screen(&state, size);
        assert!(shown.contains("2 2.000 16/64"), "{shown}");
        insta::assert_snapshot!(format!("strip_{}x{}", size.0, size.1), shown);
    }
}

/// A dashboard with the list of so many runs open, on a screen that has room for three pictures.
fn listed(count: usize) -> (State, Vec<Effect>) {
    let mut state = running();
    let runs = (0..count).map(|index| saved_run(&format!("run-{index}"), "tinynet", "conv2", index));
    let runs: Vec<_> = runs.collect();
    press(&mut state, &[Key::Char('o')]);
    see(&mut state, |snapshot| snapshot.runs = runs.into());
    let effects = state.update(Message::RunPictures(3));
    (state, effects)
}

#[test]
fn pictures_of_runs_are_asked_for_when_they_come_into_sight() {
    let (mut state, effects) = listed(8);
    assert_eq!(pictures_asked(&effects), ["run-0", "run-1", "run-2"]);
    assert_eq!(pictures_asked(&press(&mut state, &[Key::Down])), [""; 0], "they are on their way");
    assert_eq!(pictures_asked(&press(&mut state, &[Key::Down])), ["run-3"]);
    let thumbnail = RunThumbnail { name: "run-1".into(), picture: Arc::new(picture()) };
    reply(&mut state, Outcome::Thumbnails(vec![thumbnail]));
    assert!(state.run_pictures.picture("run-1").is_some() && state.run_pictures.picture("run-2").is_none());
    // A run that has gone on since has another picture.
    see(&mut state, |snapshot| {
        let mut runs = snapshot.runs.to_vec();
        runs[1].step += 1;
        snapshot.runs = runs.into();
    });
    assert_eq!(pictures_asked(&press(&mut state, &[Key::Up, Key::Up])), [""; 0]);
    assert!(state.run_pictures.picture("run-1").is_some(), "the one before stays until then");
    press(&mut state, &[Key::Escape]);
    assert_eq!(state.run_cursor(), None);
}

#[test]
fn the_list_of_runs_has_its_pictures_where_there_is_room() {
    for (width, height) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let (mut state, _) = listed(5);
        press(&mut state, &[Key::Down]);
        let grid = thumbnail_grid(Rect::new(0, 0, width, height), &state, HALFBLOCKS);
        assert_eq!(grid.map_or(0, |grid| grid.page.1), if width >= 120 { 3 } else { 0 }, "{width}x{height}");
        if grid.is_some() {
            insta::assert_snapshot!(
                format!("run_pictures_{width}x{height}"),
                screen(&state, (width, height))
            );
        }
    }
    // Without runs there are no pictures, and no size panics.
    for (width, height) in [(100, 10), (100, 20), (400, 100)] {
        screen(&listed(0).0, (width, height));
        screen(&listed(40).0, (width, height));
    }
}

#[test]
fn the_worker_returns_small_pictures_of_runs_that_can_be_read() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    worker.send(plan(3, 3));
    wait(&worker, "the run", |s| s.status == Status::Finished);
    worker.ask(Action::ListRuns);
    let name = worker.snapshot().runs[0].name.clone();
    let names = vec!["nothing".to_owned(), "../elsewhere".to_owned(), name.clone()];
    let outcome = reply_to(&worker.viewer, Action::OfSavedRun(SavedRunAction::Thumbnails(names)));
    let Outcome::Thumbnails(found) = outcome else { panic!("{outcome:?}") };
    assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [name]);
    assert_eq!(*found[0].picture, *worker.snapshot().run.as_ref().unwrap().picture, "32 pixels are few");
}
