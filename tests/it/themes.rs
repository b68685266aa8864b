//! The dashboard's themes: the styles of its screen, in all depths of colour, and the screen in ASCII.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use trepang::dashboard::{Key, State};
use trepang::ui::{Background, ColorDepth, Theme, ThemeName, View, render};
use trepang::worker::protocol::Status;

use crate::stage::{press, see, see_run, state};

const NAMES: [ThemeName; 6] = [
    ThemeName::Auto,
    ThemeName::Dark,
    ThemeName::Light,
    ThemeName::HighContrast,
    ThemeName::ColorBlind,
    ThemeName::Terminal,
];

const BACKGROUNDS: [Background; 3] = [Background::Unknown, Background::Dark, Background::Light];

fn shown() -> State {
    let mut state = state();
    see_run(&mut state, Status::Running, 57);
    see(&mut state, |snapshot| snapshot.notice = Some("saved in /runs/one".into()));
    state
}

fn draw(state: &State, view: &View) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
    terminal.draw(|frame| render(frame, state, view)).unwrap();
    terminal
}

/// The distinct styles of a screen, each with the first words in it.
fn styles(theme: Theme) -> String {
    let terminal = draw(&shown(), &View { theme, ..View::default() });
    let buffer = terminal.backend().buffer();
    let mut found: Vec<(Color, Color, Modifier, String)> = Vec::new();
    let mut last = None;
    for cell in buffer.content() {
        let style = (cell.fg, cell.bg, cell.modifier);
        let at = found.iter().position(|(fg, bg, modifier, _)| (*fg, *bg, *modifier) == style);
        let at = at.unwrap_or_else(|| {
            found.push((style.0, style.1, style.2, String::new()));
            found.len() - 1
        });
        let words = &mut found[at].3;
        if (words.trim().is_empty() || last == Some(at)) && words.len() < 24 {
            words.push_str(cell.symbol());
        }
        last = Some(at);
    }
    let line = |(fg, bg, modifier, words): &(Color, Color, Modifier, String)| {
        format!("    {fg:?} on {bg:?} {modifier:?}: {:?}\n", words.trim())
    };
    found.iter().map(line).collect()
}

#[test]
fn the_styles_of_every_theme() {
    let mut text = String::new();
    for name in NAMES {
        for background in BACKGROUNDS {
            for depth in [ColorDepth::True, ColorDepth::Palette, ColorDepth::Sixteen] {
                let Theme { accent, dim, cursor, running, warning, curve, ramp } =
                    Theme::of(name, background, depth);
                let parts = [
                    ("accent", accent),
                    ("dim", dim),
                    ("cursor", cursor),
                    ("running", running),
                    ("warning", warning),
                    ("curve", curve),
                    ("lowest", ramp[0]),
                    ("highest", ramp[ramp.len() - 1]),
                ];
                writeln!(text, "{name:?} {background:?} {depth:?}").unwrap();
                for (part, style) in parts {
                    let color = style.fg.map_or_else(|| "-".into(), |color| color.to_string());
                    writeln!(text, "    {part:<8}{color:<10}{:?}", style.add_modifier).unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_styles_of_a_screen() {
    let theme = |name| Theme::of(name, Background::Dark, ColorDepth::True);
    insta::assert_snapshot!(format!(
        "dark\n{}terminal\n{}",
        styles(theme(ThemeName::Dark)),
        styles(theme(ThemeName::Terminal))
    ));
}

#[test]
fn what_differs_in_meaning_differs_in_looks() {
    for (name, background) in
        NAMES.into_iter().flat_map(|name| BACKGROUNDS.map(|background| (name, background)))
    {
        for depth in [ColorDepth::True, ColorDepth::Palette, ColorDepth::Sixteen] {
            let Theme { running, warning, cursor, .. } = Theme::of(name, background, depth);
            // Without colours, words alone tell a warning.
            assert!(running != warning || name == ThemeName::Terminal, "{name:?} {background:?} {depth:?}");
            assert!(cursor.add_modifier.contains(Modifier::REVERSED));
            let bright_black = [running, warning].iter().any(|style| style.fg == Some(Color::DarkGray));
            assert!(!bright_black, "it is the background itself in some palettes");
        }
    }
}

#[test]
fn the_theme_of_the_terminal_has_no_colour() {
    let terminal = draw(
        &shown(),
        &View {
            theme: Theme::of(ThemeName::Terminal, Background::Dark, ColorDepth::True),
            ..View::default()
        },
    );
    let colored = |cell: &&ratatui::buffer::Cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset);
    assert_eq!(terminal.backend().buffer().content().iter().filter(colored).count(), 0);
}

#[test]
fn the_screen_in_ascii() {
    let view = View { ascii: true, ..View::default() };
    let mut state = shown();
    state.layers[0].name = "caf\u{e9}".into();
    insta::assert_snapshot!(draw(&state, &view).backend().to_string());
    for keys in [&[Key::Char('?')][..], &[Key::Escape, Key::Char(':')], &[Key::Escape, Key::Char('M')]] {
        press(&mut state, keys);
        let screen = draw(&state, &view);
        assert!(screen.backend().buffer().content().iter().all(|cell| cell.symbol().is_ascii()));
    }
}
