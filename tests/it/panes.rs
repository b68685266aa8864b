//! The sizes of panes: their own, and those that the user chose.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use trepang::dashboard::{Key, State};
use trepang::ui::{Panes, View, render};
use trepang::worker::protocol::Status;

use crate::stage::{press, see_run, state};

fn running() -> State {
    let mut state = state();
    see_run(&mut state, Status::Running, 57);
    state
}

#[test]
fn panes_are_as_large_as_the_user_wants_and_the_screen_allows() {
    let panes =
        |state: &State, size: (u16, u16)| Panes::of(Rect::new(0, 0, size.0, size.1), false, state.sizes);
    let mut state = running();
    let own = panes(&state, (120, 40));
    press(&mut state, &[Key::Char('}'), Key::Char('}'), Key::Char(')'), Key::Char(')'), Key::Char(')')]);
    let larger = panes(&state, (120, 40));
    assert_eq!((larger.layers.width, larger.loss.height), (own.layers.width + 4, own.loss.height + 3));
    press(&mut state, &[Key::Char('{'), Key::Char('(')]);
    assert_eq!((state.sizes.lists, state.sizes.curve), (2, 2));
    press(&mut state, &[Key::Char('0')]);
    assert_eq!(panes(&state, (120, 40)), own);
    // However far they are pushed, every pane keeps a place, and nothing is drawn over anything else.
    for key in ['{', '}', '(', ')'] {
        let mut state = running();
        press(&mut state, &[Key::Char(key); 60]);
        for size in [(72, 20), (80, 24), (120, 40), (200, 60)] {
            let Panes { layers, channels, picture, run, loss, .. } = panes(&state, size);
            let all = [layers, channels, picture, run, loss];
            assert!(all.iter().all(|pane| pane.width >= 16 && pane.height >= 4), "{key} {size:?}: {all:?}");
            let apart = |i: usize, j: usize| i == j || all[i].intersection(all[j]).is_empty();
            assert!((0..5).all(|i| (0..5).all(|j| apart(i, j))), "{key} {size:?}: {all:?}");
            let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
            terminal.draw(|frame| render(frame, &state, &View::default())).unwrap();
        }
    }
}
