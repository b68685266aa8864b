//! Looking closer: the enlarged picture, the cursor on it, the activation map and the means of all channels.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Style;
use trepang::dashboard::{ChannelBars, Effect, Key, PictureWindow, Shown, State};
use trepang::ui::{Theme, View, is_full, render};
use trepang::worker::protocol::{
    Action, ActivationMap, Examination, ExaminedChannel, LayerActivation, Outcome, Snapshot, Status,
};
use trepang_api::{Array, Backend, LayerId, Reference, find_device};

use crate::stage::{press, see, see_run, state};
use crate::worker::{plan, reply_to, spawn, step, wait};

fn finished() -> State {
    let mut state = state();
    see_run(&mut state, Status::Finished, 64);
    state
}

/// The request about a channel among these effects.
fn asked(effects: &[Effect]) -> Option<Action> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ask(action @ Action::Examine(_)) => Some(action.clone()),
        _ => None,
    })
}

fn examine(layer: &str, of: usize) -> Action {
    Action::Examine(Some(channel(layer, of)))
}

fn channel(layer: &str, channel: usize) -> ExaminedChannel {
    ExaminedChannel { layer: layer.into(), channel }
}

/// Shows `state` what it asked for: 40 channels, of which each third is dead, and a map that rises to the right.
fn see_examination(state: &mut State, of: ExaminedChannel) {
    let means =
        (0..40_u8).map(|c| if c.is_multiple_of(3) { 0.0 } else { f32::from(40 - c) / 10.0 }).collect();
    let map = ActivationMap { height: 1, width: 4, values: vec![0.0, 1.0, 2.0, 4.0] };
    let found = Ok(LayerActivation { means, map: Arc::new(map) });
    let run = state.snapshot.run.as_ref().unwrap().number;
    let examination = Examination { of, run, step: 64, found };
    see(state, |snapshot| snapshot.examinations = [examination].into());
}

fn drawn(state: &State, (width, height): (u16, u16)) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let view = View { link: Some(("half-blocks", 42.0)), ..View::default() };
    terminal.draw(|frame| render(frame, state, &view)).unwrap();
    terminal
}

#[test]
fn z_shows_the_picture_alone_then_larger_then_the_panes() {
    let mut state = finished();
    let window = |origin, size| Some(PictureWindow { origin, size });
    for (shown, expected) in [
        (Shown::Picture, None),
        (Shown::Picture, window((2, 2), (4, 4))),
        (Shown::Picture, window((3, 3), (2, 2))),
        (Shown::Panes, None),
        (Shown::Picture, None),
    ] {
        press(&mut state, &[Key::Char('z')]);
        assert_eq!((state.shown, state.window()), (shown, expected));
    }
}

#[test]
fn the_cursor_moves_on_the_picture_and_says_what_is_there() {
    let mut state = finished();
    assert_eq!(asked(&press(&mut state, &[Key::Char('x')])), Some(examine("conv2", 0)));
    assert_eq!(state.pixel(), Some((4, 4)));
    press(&mut state, &[Key::Left, Key::Char('h'), Key::Up]);
    assert_eq!((state.pixel(), state.channel), (Some((2, 3)), 0), "the channel stays");
    assert_eq!(state.pixel_words().unwrap(), "pixel 2, 3: R 200 G 0 B 0");
    see_examination(&mut state, channel("conv2", 0));
    press(&mut state, &[Key::End]);
    assert_eq!(state.pixel_words().unwrap(), "pixel 7, 7: R 0 G 0 B 200   conv2 channel 0: 4.0000 here");
    press(&mut state, &[Key::Down, Key::Right, Key::PageDown, Key::Char('J')]);
    assert_eq!(state.pixel(), Some((7, 7)), "it stops at the edges");
    press(&mut state, &[Key::Home]);
    assert_eq!(state.pixel(), Some((0, 0)));
    let line = drawn(&state, (80, 24)).backend().to_string();
    assert!(line.contains("pixel 0, 0: R 200 G 0 B 0   conv2 channel 0: 0.0000 here"), "{line}");
    // The window follows it, and stays inside the picture.
    press(&mut state, &[Key::Char('z'), Key::Char('z')]);
    assert_eq!(state.window(), Some(PictureWindow { origin: (0, 0), size: (4, 4) }));
    press(&mut state, &[Key::End]);
    assert_eq!(state.window(), Some(PictureWindow { origin: (4, 4), size: (4, 4) }));
    assert_eq!(
        asked(&press(&mut state, &[Key::Escape])),
        Some(Action::Examine(None)),
        "nobody looks any more"
    );
    assert_eq!(state.pixel(), None);
    press(&mut state, &[Key::Right]);
    assert_eq!(state.channel, 1);
}

#[test]
fn the_map_follows_the_channel_and_leaves_with_the_picture() {
    let mut state = finished();
    assert_eq!(asked(&press(&mut state, &[Key::Char('v')])), Some(examine("conv2", 0)));
    assert_eq!(state.map_shown(), None, "it has not come yet");
    see_examination(&mut state, channel("conv2", 0));
    assert_eq!(state.map_shown().unwrap().width, 4);
    assert_eq!(asked(&press(&mut state, &[Key::Right])), Some(examine("conv2", 1)));
    assert_eq!(state.map_shown(), None, "that is another channel's");
    assert_eq!(asked(&press(&mut state, &[Key::Char('p')])), Some(examine("conv2:pre", 1)));
    press(&mut state, &[Key::Char('M')]);
    assert_eq!(state.map_shown(), None, "the mosaic has no map");
    assert_eq!(asked(&press(&mut state, &[Key::Char('M')])), Some(examine("conv2:pre", 1)));
    assert_eq!(asked(&press(&mut state, &[Key::Char('v')])), Some(Action::Examine(None)));
}

#[test]
fn without_a_picture_there_is_nothing_to_look_at() {
    for key in ['x', 'v', 'b'] {
        let mut state = state();
        assert_eq!(press(&mut state, &[Key::Char(key)]), vec![]);
        assert!(state.remark.as_ref().unwrap().contains("Enter starts an ascent"), "{:?}", state.remark);
        assert!(!state.closer.is_on() && state.closer.bars == ChannelBars::Hidden);
    }
}

#[test]
fn b_shows_the_mean_of_every_channel_sorted_then_in_order() {
    for size in [(60, 20), (80, 24), (120, 40), (200, 60)] {
        let mut state = finished();
        state.full = is_full(ratatui::layout::Rect::new(0, 0, size.0, size.1));
        press(&mut state, &[Key::Right, Key::Right]);
        assert_eq!(asked(&press(&mut state, &[Key::Char('b')])), Some(examine("conv2", 2)));
        assert!(drawn(&state, size).backend().to_string().contains("measuring"));
        see_examination(&mut state, channel("conv2", 2));
        let terminal = drawn(&state, size);
        insta::assert_snapshot!(format!("bars_{}x{}", size.0, size.1), terminal.backend());
        let marked = |state: &State| {
            let terminal = drawn(state, size);
            let style = Style::reset().patch(Theme::default().warning);
            let cells = terminal.backend().buffer().content().iter();
            cells.filter(|cell| cell.fg == style.fg.unwrap() && cell.symbol() >= "\u{2581}").count()
        };
        assert!(marked(&state) > 0, "the channel under the cursor has a colour of its own");
        press(&mut state, &[Key::Char('b')]);
        assert_eq!(state.closer.bars, ChannelBars::InOrder);
        let ordered = drawn(&state, size).backend().to_string();
        assert_ne!(ordered, terminal.backend().to_string());
        press(&mut state, &[Key::Char('b')]);
        assert_eq!(state.closer.bars, ChannelBars::Hidden);
    }
}

#[test]
fn what_cannot_be_measured_says_why() {
    let mut state = finished();
    press(&mut state, &[Key::Char('b')]);
    let reason = "conv2 cannot be measured here: too small";
    let examination =
        Examination { of: channel("conv2", 0), run: 1, step: 64, found: Err(reason.to_owned()) };
    see(&mut state, |snapshot| snapshot.examinations = [examination].into());
    let shown = drawn(&state, (120, 40)).backend().to_string();
    assert!(shown.contains(reason) && !shown.contains("measuring"), "{shown}");
}

/// The activation of a layer on the run's picture, computed apart from the worker.
fn independently(snapshot: &Snapshot, layer: &str) -> Array {
    let trained = trepang_weights::minivgg().unwrap();
    let cpu = find_device(&Reference, "cpu").unwrap();
    let mut model = Reference.load(&trained.network, &trained.weights, &cpu).unwrap();
    let picture = &snapshot.run.as_ref().unwrap().picture;
    let images = Array::new([1, 3, picture.height, picture.width], picture.planes()).unwrap();
    let id: LayerId = trained.network.layer(layer).unwrap();
    model.activations(&images, &[id]).unwrap().remove(0)
}

#[test]
fn the_worker_measures_the_layer_that_is_looked_at() {
    let runs = tempfile::tempdir().unwrap();
    let worker = spawn(runs.path(), 0);
    let other = worker.subscribe();
    assert_eq!(reply_to(&other, examine("block1_conv1", 3)), Outcome::Done);
    worker.send(plan(3, 4));
    let after = |wished: &ExaminedChannel, at: usize, s: &Snapshot| {
        s.status == Status::Finished && s.examinations.iter().any(|e| e.of == *wished && e.step == at)
    };
    let wished = channel("block1_conv1", 3);
    let snapshot = wait(&worker, "the first layer", |s| after(&wished, 4, s));
    let found = snapshot.examinations[0].found.clone().unwrap();
    let expected = independently(&snapshot, "block1_conv1");
    let plane = expected.data().chunks(32 * 32).nth(3).unwrap();
    assert_eq!((found.map.height, found.map.width), (32, 32));
    assert_eq!(found.map.values, plane);
    let mean = plane.iter().sum::<f32>() / plane.len() as f32;
    assert!((found.means[3] - mean).abs() < 1e-4 * mean.abs().max(1e-3), "{} and {mean}", found.means[3]);
    assert_eq!(found.means.len(), expected.shape()[1]);
    // A second viewer looks at another layer; both are measured.
    worker.send(examine("block2_conv1", 0));
    let second = channel("block2_conv1", 0);
    let both = wait(&worker, "both layers", |s| after(&second, 4, s) && after(&wished, 4, s));
    assert_eq!(both.examinations.len(), 2);
    // More steps: it is measured anew, and once the run stands still of its last picture.
    worker.send(Action::ChangeSteps(3));
    wait(&worker, "the last picture", |s| step(s) == 7 && after(&second, 7, s));
    // A channel that there is not, and a layer that there is not, say so.
    for (layer, of) in [("block1_conv1", 9999), ("nothing", 0)] {
        let wished = channel(layer, of);
        worker.send(Action::Examine(Some(wished.clone())));
        let told = wait(&worker, "the reason", |s| s.examinations.iter().any(|e| e.of == wished));
        let told = told.examinations.iter().find(|e| e.of == wished).unwrap();
        assert!(told.found.as_ref().unwrap_err().contains(layer), "{:?}", told.found);
    }
    drop(other);
    worker.send(Action::Examine(None));
    wait(&worker, "the end of looking", |s| s.examinations.is_empty());
}
