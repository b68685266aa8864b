//! Every way to show a picture: what is forced, what is detected, and what reaches the terminal of it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;

use super::{Answers, Ended, Frame, Setup, Terminal, prolong, running_in, step};

/// A finished run, shown by `name`.
fn finished(setup: Setup, name: &str) -> Terminal {
    let mut terminal = setup.start();
    terminal
        .wait_until("the end", |frame| frame.has("finished") && frame.shown_by().as_deref() == Some(name));
    terminal
}

/// Lets a finished run go on and waits for its picture: the whole run may take no longer than one picture does.
fn go_on(terminal: &mut Terminal) {
    let before = graphics_of(&terminal.raw_text());
    terminal.send("+");
    terminal.wait_until("the end again", |frame| frame.has("finished") && step(frame) == 160);
    terminal.wait_for_raw("other picture", |raw| graphics_of(raw) != before);
}

fn forced(name: &str) -> Setup {
    Setup::new(100, 30).arg("--image-protocol").arg(name).answers(Answers::Plain)
}

/// The picture that a session saved.
fn saved(ended: &Ended) -> RgbImage {
    image::open(ended.runs()[0].join("image.png")).unwrap().into_rgb8()
}

/// The mean colour of each quarter.
fn quarters(image: &RgbImage) -> Vec<f64> {
    let (width, height) = (image.width() / 2, image.height() / 2);
    let corners = [(0, 0), (width, 0), (0, height), (width, height)];
    let mean = |(x, y), channel: usize| {
        let view = image::imageops::crop_imm(image, x, y, width, height).to_image();
        view.pixels().map(|pixel| f64::from(pixel.0[channel])).sum::<f64>() / f64::from(width * height)
    };
    corners.into_iter().flat_map(|corner| (0..3).map(move |channel| mean(corner, channel))).collect()
}

/// Shows `shown` the picture that was saved? Scaling and JPEG change a mean by a level or two.
fn assert_same_picture(shown: &RgbImage, saved: &RgbImage) {
    let (shown, saved) = (quarters(shown), quarters(saved));
    let far = shown.iter().zip(&saved).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(far < 4.0, "{shown:?} is shown of {saved:?}");
    let contrast = saved.iter().fold(0.0, |most: f64, level| most.max((level - saved[0]).abs()));
    assert!(contrast > 8.0, "a picture this flat tells nothing: {saved:?}");
}

/// The half-blocks in the picture's pane.
fn half_blocks(frame: &Frame) -> RgbImage {
    let rows = frame.pixels(frame.picture().unwrap());
    let rows: Vec<Vec<[u8; 3]>> = rows.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
    let rows: Vec<_> = rows.into_iter().filter(|row| !row.is_empty()).collect();
    RgbImage::from_raw(rows[0].len() as u32, rows.len() as u32, rows.concat().concat()).unwrap()
}

#[test]
fn half_blocks_show_the_picture_that_is_saved() {
    for setup in [forced("halfblocks"), Setup::new(100, 30).answers(Answers::Plain)] {
        let mut terminal = finished(setup, "half-blocks");
        terminal.wait_until_quiet();
        let shown = half_blocks(&terminal.wait_until("a picture", |frame| frame.picture_colours() > 100));
        assert_eq!(shown.width(), shown.height(), "not square in cells of 1 to 2");
        assert_same_picture(&shown, &saved(&terminal.quit()));
    }
}

#[test]
fn none_shows_no_picture() {
    let terminal = finished(forced("none"), "nothing");
    let frame = terminal.frame();
    let area = frame.picture().unwrap();
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width {
            assert_eq!(frame.halves(x, y), [vt100::Color::Default; 2], "{x} {y}");
        }
    }
    let ended = terminal.quit();
    assert_eq!(graphics_of(&ended.raw), [0; 3]);
    assert_eq!(ended.code, Some(0));
}

/// How many sequences of kitty, iTerm2 and sixels were written.
fn graphics_of(raw: &str) -> [usize; 3] {
    [raw.matches("\x1b_G").count(), raw.matches("\x1b]1337;").count(), sixels(raw).len()]
}

/// The sixel pictures: a device control string of parameters, `q` and data.
fn sixels(raw: &str) -> Vec<&str> {
    let strings = raw.split("\x1bP").skip(1).filter_map(|rest| rest.split_once("\x1b\\"));
    strings
        .filter_map(|(text, _)| text.split_once('q'))
        .filter(|(parameters, _)| parameters.chars().all(|c| c.is_ascii_digit() || c == ';'))
        .map(|(_, data)| data)
        .collect()
}

/// One sequence of kitty's: its keys and its payload.
struct Kitty<'a> {
    keys: Vec<(&'a str, &'a str)>,
    payload: &'a str,
}

impl Kitty<'_> {
    fn key(&self, name: &str) -> Option<&str> {
        self.keys.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

fn kitty_sequences(raw: &str) -> Vec<Kitty<'_>> {
    let sequences =
        raw.split("\x1b_G").skip(1).map(|rest| rest.split_once("\x1b\\").map_or(rest, |(text, _)| text));
    sequences
        .map(|text| {
            let (keys, payload) = text.split_once(';').unwrap_or((text, ""));
            Kitty { keys: keys.split(',').filter_map(|pair| pair.split_once('=')).collect(), payload }
        })
        .filter(|sequence| sequence.key("a") != Some("q"))
        .collect()
}

/// What kitty has to see of a session: whole chunks, two ids in turn, and all of them deleted at the end.
fn assert_good_kitty(raw: &str) -> Vec<Kitty<'_>> {
    let sequences = kitty_sequences(raw);
    let of = |action| sequences.iter().filter(move |sequence| sequence.key("a") == Some(action));
    let ids: Vec<&str> = of("T").map(|sequence| sequence.key("i").unwrap()).collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert!(ids.len() > 1, "only {} pictures", ids.len());
    assert!(distinct.len() <= 2 && ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    assert!(sequences.iter().all(|sequence| sequence.payload.len() <= 4096));
    let last = raw.rfind("a=T").unwrap();
    for id in distinct {
        let deletes = sequences_after(raw, last, id);
        assert!(deletes, "the picture {id} is not deleted at the end");
    }
    sequences
}

fn sequences_after(raw: &str, at: usize, id: &str) -> bool {
    let rest = kitty_sequences(&raw[at..]);
    rest.iter().any(|s| s.key("a") == Some("d") && s.key("d") == Some("I") && s.key("i") == Some(id))
}

/// Every placeholder cell of the pane carries the id of a picture in its colour.
fn assert_placeholders(frame: &Frame) {
    let area = frame.picture().unwrap();
    let text = frame.text();
    let cells = text.matches('\u{10eeee}').count();
    let side = usize::from(area.height.min(area.width / 2));
    assert_eq!(cells, side * side * 2, "{frame:?}");
    let ids = frame.placeholder_colours();
    assert!(ids.len() == 1 && matches!(ids[0], vt100::Color::Idx(16..)), "{ids:?}");
}

#[test]
fn kitty_gets_whole_chunks_two_ids_in_turn_and_deletes() {
    for setup in [forced("kitty"), forced("kitty").env("NO_COLOR", "1")] {
        let mut terminal = finished(setup, "kitty");
        assert_placeholders(&terminal.wait_for("\u{10eeee}"));
        go_on(&mut terminal);
        let ended = terminal.quit();
        ended.assert_restored();
        let sequences = assert_good_kitty(&ended.raw);
        assert!(sequences.iter().any(|sequence| sequence.key("o") == Some("z")), "nothing is deflated");
    }
}

#[test]
fn kitty_is_found_by_asking_and_gets_the_picture_that_is_saved() {
    let mut terminal = finished(Setup::new(100, 30).answers(Answers::Kitty), "kitty");
    assert_placeholders(&terminal.wait_for("\u{10eeee}"));
    go_on(&mut terminal);
    terminal.wait_until_quiet();
    let ended = terminal.quit();
    let sequences = assert_good_kitty(&ended.raw);
    // This terminal did not say that it can inflate: pixels come as they are.
    let begin = sequences.iter().rposition(|sequence| sequence.key("a") == Some("T")).unwrap();
    let first = &sequences[begin];
    let [width, height] = ["s", "v"].map(|key| first.key(key).unwrap().parse().unwrap());
    assert_eq!((first.key("f"), first.key("o")), (Some("24"), None));
    let chunks = sequences[begin..].iter().take_while(|sequence| sequence.key("a").is_none_or(|a| a == "T"));
    let bytes: Vec<u8> = chunks.flat_map(|chunk| STANDARD.decode(chunk.payload).unwrap()).collect();
    let shown = RgbImage::from_raw(width, height, bytes).expect("as many bytes as pixels");
    assert_same_picture(&shown, &saved(&ended));
}

/// The last picture that was painted, from tiles in `sequence`s that begin and end so: each is decoded and put at its place,
/// for cells of 8 by 16 pixels.
fn painted(raw: &str, [begin, end]: [&str; 2], decode: impl Fn(&str) -> RgbImage) -> RgbImage {
    let tile = |at: usize| {
        let body = raw[at + begin.len()..].split_once(end)?.0;
        // The cursor is put there just before: Esc [ row ; column H.
        let (_, place) = raw[..at].strip_suffix('H')?.rsplit_once("\x1b[")?;
        let (row, column) = place.split_once(';')?;
        Some(((column.parse::<i64>().ok()?, row.parse::<i64>().ok()?), decode(body)))
    };
    let tiles: Vec<_> = raw.match_indices(begin).filter_map(|(at, _)| tile(at)).collect();
    let first = tiles.iter().map(|(place, _)| *place).min_by_key(|(column, row)| (*row, *column)).unwrap();
    let last = tiles.iter().rposition(|(place, _)| *place == first).unwrap();
    let pixel = |(column, row): (i64, i64)| ((column - first.0) * 8, (row - first.1) * 16);
    let ends = tiles[last..].iter().map(|(place, image)| {
        let (x, y) = pixel(*place);
        (x as u32 + image.width(), y as u32 + image.height())
    });
    let (width, height) = ends.fold((0, 0), |(w, h), (x, y)| (w.max(x), h.max(y)));
    let mut whole = RgbImage::new(width, height);
    for (place, image) in &tiles[last..] {
        let (x, y) = pixel(*place);
        image::imageops::replace(&mut whole, image, x, y);
    }
    whole
}

#[test]
fn iterm2_gets_the_picture_that_is_saved() {
    let mut terminal = finished(forced("iterm2"), "iterm2");
    go_on(&mut terminal);
    terminal.wait_until_quiet();
    let ended = terminal.quit();
    ended.assert_restored();
    let decode = |body: &str| {
        let (keys, payload) = body.split_once(':').unwrap();
        assert!(keys.contains("inline=1") && keys.contains("doNotMoveCursor=1"), "{keys}");
        let jpeg = STANDARD.decode(payload).unwrap();
        assert!(keys.contains(&format!("size={}", jpeg.len())), "{keys}");
        let cells = |name: &str| {
            let number = keys.split(';').find_map(|key| key.strip_prefix(name)).unwrap();
            number.parse::<u32>().unwrap()
        };
        let size = (cells("width=") * 8, cells("height=") * 16);
        let image = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        image::imageops::resize(&image, size.0, size.1, image::imageops::FilterType::Triangle)
    };
    let shown = painted(&ended.raw, ["\x1b]1337;File=", "\x07"], decode);
    assert_eq!(shown.width(), shown.height());
    assert_same_picture(&shown, &saved(&ended));
    assert!(graphics_of(&ended.raw)[1] > 1 && graphics_of(&ended.raw)[0] == 0);
}

#[test]
fn sixels_are_sent_when_forced_and_when_found() {
    for setup in [forced("sixel"), Setup::new(100, 30).answers(Answers::Sixel)] {
        let mut terminal = finished(setup, "sixel");
        terminal.wait_until_quiet();
        let area = terminal.frame().picture().unwrap();
        let ended = terminal.quit();
        ended.assert_restored();
        let decode = |body: &str| {
            let image = icy_sixel::SixelImage::decode(format!("\x1bP{body}\x1b\\").as_bytes()).unwrap();
            let rgb = image.pixels.chunks_exact(4).flat_map(|pixel| pixel[..3].to_vec()).collect();
            RgbImage::from_raw(image.width as u32, image.height as u32, rgb).unwrap()
        };
        let shown = painted(&ended.raw, ["\x1bP", "\x1b\\"], decode);
        // In whole rows of six pixels inside the pane, so that nothing scrolls.
        let side = u32::from(area.height.min(area.width / 2) * 16);
        assert_eq!(shown.dimensions(), (side, side - side % 6));
        assert_same_picture(&shown, &saved(&ended));
    }
}

#[test]
fn a_silent_terminal_gets_half_blocks_and_no_key_is_lost() {
    let terminal = Setup::new(100, 30).answers(Answers::Nothing).start();
    terminal.send("hjkl\x1b[A?\x1b\x1b_Gx\t");
    let mut terminal = terminal;
    terminal.wait_until("half-blocks", |frame| {
        frame.shown_by().as_deref() == Some("half-blocks") && frame.picture_colours() > 16
    });
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
}

#[test]
fn a_silent_terminal_shows_the_dashboard_at_once() {
    let mut terminal = Setup::new(100, 30).answers(Answers::Nothing).start();
    terminal.send("l\x1b[C");
    terminal.wait_for("╭ channel 32 of 256");
    for key in ["q", "\x03"] {
        let mut terminal = Setup::new(100, 30).answers(Answers::Nothing).start();
        terminal.wait_raw("the question", |raw| raw.contains("\x1b[5n"));
        terminal.send(key);
        let ended = terminal.end();
        assert_eq!(ended.code, Some(0), "{key:?}: {}", ended.said);
        ended.assert_restored();
    }
}

#[test]
fn nobody_waits_for_a_slow_answer() {
    let mut terminal = Setup::new(100, 30).answers(Answers::LateKitty).start();
    terminal.wait_for("╭ layers");
    assert!(!terminal.was_answered(), "the first screen came after the answer");
    terminal.resize(120, 40);
    terminal.wait_until("the new size", |frame| {
        frame.size() == (120, 40) && frame.pane("activation").is_some_and(|pane| pane.x + pane.width == 119)
    });
}

#[test]
fn an_answer_that_comes_too_late_is_not_taken_for_keys() {
    let mut terminal = running_in(Setup::new(100, 30).answers(Answers::LateKitty));
    terminal.wait_for_answer();
    terminal.send("l");
    let frame = terminal.wait_for("╭ channel 31 of 256");
    assert_eq!(frame.shown_by().as_deref(), Some("half-blocks"), "{frame:?}");
    assert_eq!(frame.step().map(|(_, steps)| steps), Some(128), "{frame:?}");
    assert!(!frame.has("go to channel"), "{frame:?}");
}

#[test]
fn a_kitty_that_is_too_old_for_placeholders_gets_half_blocks() {
    let terminal = finished(Setup::new(100, 30).answers(Answers::OldKitty), "half-blocks");
    let ended = terminal.quit();
    assert!(!ended.raw.contains('\u{10eeee}'));
    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[test]
fn i_shows_the_picture_every_way_in_turn() {
    let mut terminal = running_in(forced("halfblocks"));
    prolong(&mut terminal);
    let mut before = graphics_of(&terminal.raw_text());
    assert_eq!(before, [0; 3]);
    for (name, ways) in [
        ("quadrants", None),
        ("sextants", None),
        ("kitty", Some(0)),
        ("iterm2", Some(1)),
        ("sixel", Some(2)),
        ("nothing", None),
        ("half-blocks", None),
    ] {
        terminal.send("i");
        terminal.wait_until(name, |frame| {
            frame.shown_by().as_deref() == Some(name)
                && frame.has(&format!("pictures are now shown by {name}"))
        });
        if let Some(way) = ways {
            terminal.wait_raw("pictures of that kind", |raw| graphics_of(raw)[way] > before[way] + 1);
        }
        before = graphics_of(&terminal.raw_text());
    }
    let frame = terminal.wait_until("half-blocks", |frame| frame.picture_colours() > 16);
    assert!(!frame.text().contains('\u{10eeee}') && step(&frame) > 1, "{frame:?}");
    let ended = terminal.quit();
    ended.assert_restored();
}

#[test]
fn help_over_a_painted_picture_paints_it_again_when_it_closes() {
    let mut terminal = running_in_pixels();
    terminal.send("?");
    terminal.wait_for("other key closes");
    let before = graphics_of(&terminal.raw_text())[1];
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(graphics_of(&terminal.raw_text())[1], before, "pictures are painted over the help");
    terminal.send("x");
    terminal.wait_raw("the picture again", |raw| graphics_of(raw)[1] > before);
}

fn running_in_pixels() -> Terminal {
    let mut terminal = forced("iterm2").start();
    terminal.wait_raw("a picture", |raw| graphics_of(raw)[1] > 0);
    prolong(&mut terminal);
    terminal
}
