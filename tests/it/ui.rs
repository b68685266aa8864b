//! The dashboard's screens, drawn into a buffer.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::CellDiffOption;
use ratatui::style::Color;
use trepang::dashboard::{BINDINGS, Key, Message, Mode, PaneSizes, Prompt, Setting, State};
use trepang::ui::{
    Graphics, Panes, PictureRequest, Protocol, ShownPicture, View, encode, is_full, picture_room, render,
};
use trepang::worker::protocol::{DeviceEntry, Predictions, Snapshot, Status, Supply};

use crate::models::entry;
use crate::stage::{HALFBLOCKS, classification, picture, press, see, see_run, state};

fn draw(state: &State, picture: Option<&ShownPicture>, size: (u16, u16)) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let view = View { picture, link: Some(("half-blocks", 42.0)), ..View::default() };
    terminal.draw(|frame| render(frame, state, &view)).unwrap();
    terminal
}

fn screen(state: &State, size: (u16, u16)) -> String {
    draw(state, None, size).backend().to_string()
}

/// The test picture, made ready for the picture pane of a screen.
fn encoded(graphics: Graphics, size: (u16, u16)) -> ShownPicture {
    let pane = picture_room(ratatui::layout::Rect::new(0, 0, size.0, size.1), &state(), None);
    let cells = graphics.square(pane.as_size());
    let picture = Arc::new(picture());
    let request = PictureRequest { picture, cells, graphics, live: false, piece: 1 << 16, draft: None };
    ShownPicture::whole(encode(request).unwrap().unwrap())
}

fn running() -> State {
    let mut state = state();
    see_run(&mut state, Status::Running, 57);
    show_classifications(&mut state, &["tinynet"]);
    state
}

fn show_classifications(state: &mut State, classifiers: &[&str]) {
    let classifications = classifiers.iter().map(|name| classification(name)).collect();
    see(state, |snapshot| snapshot.predictions = Some(Arc::new(Predictions { step: 50, classifications })));
}

/// A list as long as the real one.
fn with_list() -> State {
    let mut state = running();
    let mut networks = vec![
        entry("tinynet", Supply::Embedded, true),
        entry("efficientnet_lite0", Supply::Pulled, true),
        entry("vgg16-trunk", Supply::Pulled, false),
        entry("inception_v3-torchvision", Supply::Found("PyTorch".into()), true),
    ];
    networks.extend((0..15).map(|i| entry(&format!("published{i}"), Supply::Published, i % 2 == 0)));
    see(&mut state, |snapshot| {
        snapshot.networks = networks.into();
        snapshot.classifiers = ["efficientnet_lite0".into()].into();
    });
    state
}

#[test]
fn the_list_of_networks_at_120x40_and_80x24() {
    let mut state = with_list();
    press(&mut state, &[Key::Char('N'), Key::Down]);
    insta::assert_snapshot!("the_list_of_networks_at_120x40", screen(&state, (120, 40)));
    press(&mut state, &[Key::End, Key::Enter]);
    insta::assert_snapshot!("the_list_of_networks_at_80x24", screen(&state, (80, 24)));
    // Where it is longer than the screen, the cursor stays in sight.
    let screen = screen(&state, (72, 20));
    assert!(screen.contains("published14") && !screen.contains("tinynet "), "{screen}");
}

#[test]
fn before_a_list_is_there_it_says_so() {
    for (key, words) in [('N', "looking for networks"), ('B', "looking for devices")] {
        let mut state = running();
        press(&mut state, &[Key::Char(key)]);
        assert!(screen(&state, (80, 24)).contains(words));
    }
}

#[test]
fn foreign_text_in_the_dashboard_never_controls_the_terminal() {
    let hostile = "a\u{1b}]52;c;x\u{7}b\u{9b}2Jc\u{202e}d\u{2067}e\u{7f}";
    for size in [(120, 40), (80, 24), (40, 12), (20, 5)] {
        let mut state = running();
        state.full = is_full(ratatui::layout::Rect::new(0, 0, size.0, size.1));
        state.network.weights = Some(format!("/tmp/{hostile}.pth"));
        state.layers[2].name = format!("conv2{hostile}");
        show_classifications(&mut state, &[hostile]);
        see(&mut state, |snapshot| snapshot.notice = Some(hostile.into()));
        let terminal = draw(&state, None, size);
        for cell in terminal.backend().buffer().content() {
            assert!(!cell.symbol().contains(trepang_api::is_control), "{size:?}: {:?}", cell.symbol());
        }
    }
}

#[test]
fn the_list_of_recipes_at_80x24() {
    let mut state = running();
    press(&mut state, &[Key::Char('R'), Key::Down]);
    insta::assert_snapshot!(screen(&state, (80, 24)));
}

#[test]
fn a_number_without_room_is_never_another_number() {
    let mut state = state();
    (state.settings.steps, state.settings.seed) = (100_000, u64::MAX);
    see_run(&mut state, Status::Running, 57);
    let shown = screen(&state, (80, 24));
    assert!(shown.contains("57 of 100000") && shown.contains("seed 184467440737095\u{2026}"), "{shown}");
}

#[test]
fn the_list_of_settings_at_80x24() {
    let mut state = running();
    let file = "/home/someone/pictures/of/the/sea/cucumber.png".into();
    state.settings.start = trepang::engine::Start::Picture { file, sha256: String::new() };
    press(&mut state, &[Key::Char('S'), Key::Down]);
    insta::assert_snapshot!(screen(&state, (80, 24)));
}

#[test]
fn the_list_of_devices_at_80x24() {
    let mut state = running();
    let entry = |backend: &str, device| DeviceEntry { backend: backend.into(), device };
    let devices = vec![
        entry("candle", Ok(("cpu".into(), "candle 0.11.1, 2 threads".into()))),
        entry("candle", Ok(("cuda:0".into(), "NVIDIA H100 80GB HBM3, candle 0.11.1".into()))),
        entry("tch", Err("the backend tch cannot be used here: libtrepang_tch.so is not there".into())),
    ];
    see(&mut state, |snapshot| snapshot.devices = devices.into());
    press(&mut state, &[Key::Char('B'), Key::Down]);
    insta::assert_snapshot!(screen(&state, (80, 24)));
}

#[test]
fn a_network_on_its_way_is_told() {
    let mut state = with_list();
    press(&mut state, &[Key::Char('N'), Key::Down, Key::Enter]);
    let before = screen(&state, (120, 40));
    assert!(before.contains("loads after this step"), "{before}");
    see(&mut state, |snapshot| snapshot.status = Status::Loading);
    let screen = screen(&state, (120, 40));
    assert!(screen.contains("loading efficientnet_lite0"), "{screen}");
}

/// The lines of the pane of classes, without what is beside it.
fn classes(state: &State, size: (u16, u16)) -> String {
    let pane = Panes::of(ratatui::layout::Rect::new(0, 0, size.0, size.1), false, PaneSizes::default())
        .with_predictions();
    let pane = pane.predictions;
    let terminal = draw(state, None, size);
    let row = |y| (pane.left()..pane.right()).map(|x| terminal.backend().buffer()[(x, y)].symbol()).collect();
    (pane.top()..pane.bottom()).map(row).collect::<Vec<String>>().join("\n")
}

#[test]
fn two_classifiers_share_the_pane() {
    let mut state = running();
    show_classifications(&mut state, &["tinynet", "efficientnet_lite0"]);
    insta::assert_snapshot!(classes(&state, (120, 40)) + "\n\n" + &classes(&state, (80, 24)));
}

#[test]
fn classifiers_without_room_are_left_out_and_no_size_panics() {
    let mut state = running();
    show_classifications(&mut state, &["one", "two", "three", "four", "five", "six"]);
    let small = classes(&state, (80, 24));
    assert!(small.contains("two") && !small.contains("three"), "{small}");
    for size in [(72, 20), (76, 21), (100, 30), (200, 60), (400, 100)] {
        screen(&state, size);
    }
}

#[test]
fn without_a_classifier_the_pane_says_how_to_add_one() {
    let mut state = running();
    state.classes.clear();
    see(&mut state, |snapshot| snapshot.predictions = None);
    insta::assert_snapshot!(classes(&state, (120, 40)) + "\n\n" + &classes(&state, (80, 24)));
}

#[test]
fn predictions_give_way_on_smaller_screens_and_to_t() {
    assert!(!screen(&running(), (72, 20)).contains("classes"));
    let mut state = running();
    press(&mut state, &[Key::Char('t')]);
    assert!(!screen(&state, (120, 40)).contains("classes"));
}

#[test]
fn the_whole_dashboard_at_120x40() {
    insta::assert_snapshot!(screen(&running(), (120, 40)));
}

#[test]
fn the_whole_dashboard_at_80x24() {
    insta::assert_snapshot!(screen(&running(), (80, 24)));
}

#[test]
fn before_the_network_is_loaded() {
    insta::assert_snapshot!(screen(&state(), (80, 24)));
}

#[test]
fn a_channel_that_was_dead_and_a_notice() {
    let mut state = running();
    let mut snapshot = Snapshot::clone(&state.snapshot);
    snapshot.version += 1;
    snapshot.notice = Some("saved in /runs/one".into());
    if let Some(run) = &mut snapshot.run {
        (run.dead, run.dead_steps) = (true, 3);
    }
    state.update(Message::Snapshot(Arc::new(snapshot)));
    press(&mut state, &[Key::Down]);
    insta::assert_snapshot!(screen(&state, (80, 24)));
}

#[test]
fn a_class_is_called_by_its_name_and_a_number_is_typed() {
    let mut state = running();
    press(&mut state, &[Key::Down, Key::Right, Key::Char('g'), Key::Char('2')]);
    let screen = screen(&state, (80, 24));
    assert!(screen.contains("1: sea cucumber"), "{screen}");
    assert!(screen.contains("go to channel (0 to 2): 2"), "{screen}");
}

/// The last line of the screen without the blanks around it, and the text that is drawn reversed there.
fn input_line(state: &State, size: (u16, u16)) -> (String, String) {
    let terminal = draw(state, None, size);
    let cells = &terminal.backend().buffer().content;
    let line = &cells[cells.len() - usize::from(size.0)..];
    let text = |cells: &mut dyn Iterator<Item = &ratatui::buffer::Cell>| {
        cells.map(ratatui::buffer::Cell::symbol).collect::<String>().trim().to_owned()
    };
    let reversed = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(ratatui::style::Modifier::REVERSED);
    (text(&mut line.iter()), text(&mut line.iter().filter(reversed)))
}

#[test]
fn the_cursor_of_a_line_is_always_on_the_screen() {
    let mut state = running();
    let line = "channel(conv2, 3) + channel(conv2, 14) * 0.5";
    state.mode = Mode::Prompt(Prompt::Objective, line.into());
    assert_eq!(input_line(&state, (80, 24)), (format!("objective: {line}\u{2581}"), String::new()));
    // On a small screen the end of the line is there, and from the first word on its beginning.
    let end = "l(conv2, 14) * 0.5\u{2581}";
    assert_eq!(input_line(&state, (30, 10)), (format!("objective: {end}"), String::new()));
    press(&mut state, &[Key::Home]);
    assert_eq!(input_line(&state, (30, 10)), ("objective: channel(conv2, 3) +".into(), "c".into()));
    press(&mut state, &[Key::Alt('f'), Key::Right, Key::Alt('f')]);
    assert_eq!(input_line(&state, (30, 10)).1, ",");
    // A wide character takes two cells, and the cursor is on both.
    state.mode = Mode::Prompt(Prompt::Setting(Setting::Start), "字字字字字字字字字字.png".into());
    let (shown, _) = input_line(&state, (54, 10));
    assert!(shown.ends_with(".png\u{2581}") && shown.matches('字').count() == 4, "{shown}");
}

#[test]
fn a_change_is_marked_on_the_curve() {
    let mut state = running();
    let marks = |state: &State| screen(state, (120, 40)).matches('\u{2022}').count();
    assert_eq!(marks(&state), 0);
    see(&mut state, |snapshot| snapshot.run.as_mut().unwrap().changes = vec![20]);
    assert!(marks(&state) > 3, "{}", screen(&state, (120, 40)));
}

#[test]
fn help_shows_every_key_of_the_table() {
    let mut state = running();
    for size in [(120, 40), (80, 24), (72, 20)] {
        let page = |page: usize, state: &mut State| {
            state.mode = Mode::Help(page);
            screen(state, size)
        };
        let screen = page(0, &mut state) + &page(1, &mut state);
        for binding in BINDINGS {
            let line = format!(" {:<7}{} ", binding.shown, binding.about);
            assert!(screen.contains(&line), "no {line:?} at {size:?}:\n{screen}");
        }
    }
    for page in 0..2 {
        state.mode = Mode::Help(page);
        insta::assert_snapshot!(screen(&state, (72, 20)));
    }
}

#[test]
fn what_is_found_is_listed_above_the_line() {
    let mut state = with_list();
    for (opener, typed) in [('/', "conv 3"), ('/', "class:sea"), (':', "channel")] {
        press(&mut state, &[Key::Escape, Key::Char(opener)]);
        press(&mut state, &typed.chars().map(Key::Char).collect::<Vec<_>>());
        press(&mut state, &[Key::Down]);
        for (columns, rows) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
            insta::assert_snapshot!(
                format!("{}_{columns}x{rows}", typed.replace([' ', ':'], "_")),
                screen(&state, (columns, rows))
            );
        }
    }
    // No size panics.
    for size in [(1, 1), (20, 3), (30, 8), (31, 9)] {
        screen(&state, size);
    }
}

#[test]
fn zoomed_the_picture_has_the_screen() {
    let mut state = running();
    press(&mut state, &[Key::Char('z')]);
    let screen = screen(&state, (80, 24));
    assert!(screen.contains("channel(conv2, 0)") && !screen.contains("parameters"), "{screen}");
}

/// The running dashboard on a small screen, after some keys.
fn small(size: (u16, u16), keys: &[Key]) -> String {
    let mut state = running();
    state.full = is_full(ratatui::layout::Rect::new(0, 0, size.0, size.1));
    press(&mut state, keys);
    screen(&state, size)
}

#[test]
fn a_small_screen_at_40x12() {
    insta::assert_snapshot!(small((40, 12), &[Key::Right]));
}

#[test]
fn a_smaller_screen_at_20x5() {
    insta::assert_snapshot!(small((20, 5), &[Key::Right]));
}

#[test]
fn a_small_screen_shows_the_picture() {
    let size = (40, 12);
    let terminal = draw(&running(), Some(&encoded(HALFBLOCKS, size)), size);
    let cells = terminal.backend().buffer().content();
    let red = cells.iter().filter(|cell| cell.bg == Color::Rgb(200, 0, 0)).count();
    // The left half of 7 rows by 14 columns, but for where it fades into the right one.
    assert_eq!(red, 7 * 6);
}

#[test]
fn every_small_screen_shows_what_is_typed_and_told() {
    for size in [(72, 19), (71, 60), (40, 12), (30, 8), (29, 8), (20, 5), (20, 2)] {
        let typed = small(size, &[Key::Char('g'), Key::Char('3'), Key::Char('7')]);
        assert!(typed.contains("0-39: 37\u{2581}") || typed.contains("(0 to 39): 37\u{2581}"), "{typed}");
        let seen = small(size, &[Key::Char('g'), Key::Char('9'), Key::Char('9'), Key::Enter]);
        assert!(seen.contains("no channel 99"), "{seen}");
        let moved = small(size, &[Key::Right, Key::Right]);
        assert!(moved.contains("channel 2") || moved.contains("ch 2 "), "{moved}");
        let help = small(size, &[Key::Char('?')]);
        assert!(help.contains("no room for the help"), "{help}");
    }
    assert!(small((20, 1), &[Key::Char('g'), Key::Char('3')]).contains("0-39: 3\u{2581}"));
}

#[test]
fn no_size_panics() {
    let state = running();
    for width in [1, 2, 7, 40, 71, 72, 73, 200, 400] {
        for height in [1, 2, 3, 12, 19, 20, 21, 100] {
            let picture = encoded(HALFBLOCKS, (120, 40)); // often too large for this screen
            draw(&state, Some(&picture), (width, height));
        }
    }
}

#[test]
fn halfblocks_show_the_pictures_colours_where_they_are() {
    let size = (120, 40);
    let terminal = draw(&running(), Some(&encoded(HALFBLOCKS, size)), size);
    let pane = Panes::of(ratatui::layout::Rect::new(0, 0, size.0, size.1), false, PaneSizes::default())
        .picture_inner();
    let middle = pane.y + pane.height / 2;
    let background = |x: u16| terminal.backend().buffer()[(x, middle)].bg;
    let red = background(pane.x + pane.width / 4);
    let blue = background(pane.x + pane.width * 3 / 4);
    assert_eq!((red, blue), (Color::Rgb(200, 0, 0), Color::Rgb(0, 0, 200)));
}

#[test]
fn kittys_cells_carry_the_pictures_id_as_their_colour() {
    let size = (120, 40);
    let picture = encoded(Graphics { protocol: Protocol::Kitty, ..HALFBLOCKS }, size);
    let drawn = draw(&running(), Some(&picture), size);
    let cells = drawn.backend().buffer().content();
    let placeholders: Vec<_> = cells.iter().filter(|cell| cell.symbol().contains('\u{10eeee}')).collect();
    assert_eq!(placeholders.len(), usize::from(picture.cells().width) * usize::from(picture.cells().height));
    assert!(placeholders.iter().all(|cell| cell.fg == Color::Indexed(1)));
    let firsts = placeholders.iter().filter(|cell| cell.symbol().chars().count() == 3).count();
    assert_eq!(firsts, usize::from(picture.cells().height), "each row is numbered");
}

#[test]
fn painted_pictures_make_way_for_the_help() {
    let size = (120, 40);
    for (protocol, key) in [(Protocol::Sixel, '?'), (Protocol::Iterm2, '?'), (Protocol::Iterm2, 'N')] {
        let picture = encoded(Graphics { protocol, ..HALFBLOCKS }, size);
        let kept_free = |state: &State| {
            let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
            let view = View { picture: Some(&picture), ..View::default() };
            let frame = terminal.draw(|frame| render(frame, state, &view)).unwrap();
            let free = |cell: &&ratatui::buffer::Cell| cell.diff_option == CellDiffOption::Skip;
            frame.buffer.content.iter().filter(free).count()
        };
        let mut state = running();
        assert_eq!(
            kept_free(&state),
            usize::from(picture.cells().width) * usize::from(picture.cells().height)
        );
        press(&mut state, &[Key::Char(key)]);
        assert_eq!(kept_free(&state), 0, "{protocol:?}");
    }
}
