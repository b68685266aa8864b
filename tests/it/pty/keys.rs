//! Every key, by what it changes on the screen and on disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use trepang::dashboard::BINDINGS;

use super::{Ended, Setup, Terminal, prolong, running, running_in, step};

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";
const HOME: &str = "\x1b[H";
const END: &str = "\x1b[F";
const PAGE_UP: &str = "\x1b[5~";
const PAGE_DOWN: &str = "\x1b[6~";
const TAB: &str = "\t";
const SHIFT_TAB: &str = "\x1b[Z";
const ENTER: &str = "\r";

/// Presses keys and waits for what they lead to.
fn press(terminal: &mut Terminal, keys: &str, text: &str) {
    terminal.send(keys);
    terminal.wait_for(text);
}

#[test]
fn it_opens_on_a_picture_that_takes_shape_while_the_loss_rises() {
    let mut terminal = running();
    let first = terminal.wait_until("a loss", |frame| frame.loss().is_some());
    for pane in ["layers", "channel 30 of 256", "channel(block5_conv2, 30)", "run", "activation, by step"] {
        assert!(first.pane(pane).is_some(), "no pane {pane}:\n{first:?}");
    }
    assert!(
        first.has("minivgg > block5_conv2 > channel 30 of 256   pixel, 64 px, seed 0") && first.has("q quit"),
        "{first:?}"
    );
    let last = terminal.wait_for("finished");
    assert_eq!(last.step(), Some((128, 128)));
    assert!(last.loss().unwrap() > first.loss().unwrap().max(1.0), "{first:?}{last:?}");
    let last = terminal.wait_until("a colourful picture", |frame| frame.picture_colours() > 100);
    let curve = last.pane("activation, by step").unwrap();
    let dots = last.text().chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
    assert!(dots > usize::from(curve.width) / 3, "the curve has {dots} cells:\n{last:?}");
}

#[test]
fn arrows_and_letters_move_between_channels_and_layers() {
    let mut terminal = running();
    for (keys, channel) in [
        (RIGHT, 31),
        ("l", 32),
        (LEFT, 31),
        ("h", 30),
        (PAGE_DOWN, 46),
        (PAGE_UP, 30),
        (END, 255),
        ("l", 255),
    ] {
        press(&mut terminal, keys, &format!("╭ channel {channel} of 256"));
    }
    for (keys, channel) in [(PAGE_UP, 239), (HOME, 0), ("h", 0), ("lll", 3)] {
        press(&mut terminal, keys, &format!("╭ channel {channel} of 256"));
    }
    // Up and down move between layers, which have other channels and sizes.
    for (keys, channels) in [("kk", 160), ("j", 256), (UP, 160), (DOWN, 256), ("kkkkkkkkkkkkkk", 32)] {
        press(&mut terminal, keys, &format!("╭ channel 3 of {channels}"));
    }
}

#[test]
fn tab_moves_to_the_channels_where_up_and_down_move_by_a_row() {
    let mut terminal = running();
    press(&mut terminal, HOME, "╭ channel 0 of 256");
    terminal.send(TAB);
    terminal.send(DOWN);
    let row = terminal.wait("another channel", |frame| {
        (1..256).find(|channel| frame.has(&format!("╭ channel {channel} of 256")))
    });
    assert!((4..=8).contains(&row), "a row of {row} channels");
    press(&mut terminal, "j", &format!("╭ channel {} of 256", 2 * row));
    press(&mut terminal, "k", &format!("╭ channel {row} of 256"));
    press(&mut terminal, UP, "╭ channel 0 of 256");
    terminal.send(SHIFT_TAB);
    press(&mut terminal, "kkk", "╭ channel 0 of 160");
}

#[test]
fn g_goes_to_a_channel_by_its_number() {
    let mut terminal = running();
    press(&mut terminal, "g", "go to channel (0 to 255)");
    press(&mut terminal, "2049\x7f\x7f", "(0 to 255): 20▁");
    press(&mut terminal, ENTER, "╭ channel 20 of 256");
    press(&mut terminal, "g300\r", "no channel 300: the last is 255");
    press(&mut terminal, "g7", "(0 to 255): 7▁");
    terminal.send("\x1b");
    let frame = terminal.wait_until("the keys", |frame| frame.has("q quit"));
    assert!(frame.has("╭ channel 20 of 256"), "{frame:?}");
    // p means the same layer before its ReLU; some layers have none.
    press(&mut terminal, "p", "block5_conv2:pre");
    press(&mut terminal, "jjjjjjjj", "╭ 20: ");
    press(&mut terminal, "p", "predictions has no form before a ReLU");
}

#[test]
fn enter_starts_another_channel_while_one_runs() {
    let mut terminal = running();
    prolong(&mut terminal);
    let before = terminal.wait_until("100 steps", |frame| step(frame) >= 100);
    terminal.send("l\r");
    let after =
        terminal.wait_until("the other channel", |frame| frame.pane("channel(block5_conv2, 31)").is_some());
    assert!(step(&after) < step(&before), "the steps go on:\n{after:?}");
    terminal.wait_until("the run before put away", |frame| step(frame) > 3);
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0));
    let names: Vec<_> = ended.runs().iter().map(|run| run.file_name().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        ["minivgg-channel-block5_conv2-30-pixel-seed0", "minivgg-channel-block5_conv2-31-pixel-seed0"]
    );
}

#[test]
fn space_pauses_and_goes_on() {
    let mut terminal = running();
    prolong(&mut terminal);
    terminal.send(" ");
    let paused = terminal.wait_for("paused");
    // Nothing moves: long enough for several steps and several frames.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let later = terminal.frame();
    assert_eq!((later.step(), later.loss()), (paused.step(), paused.loss()), "{later:?}");
    terminal.send(" ");
    terminal.wait_until("steps", |frame| frame.has("running") && step(frame) > step(&paused) + 2);
}

#[test]
fn r_starts_again_with_the_next_seed() {
    let mut terminal = running();
    assert_eq!(terminal.frame().seed(), Some(0));
    for seed in [1, 2] {
        terminal.send("r");
        terminal.wait_until("the next seed", |frame| frame.seed() == Some(seed) && step(frame) > 1);
    }
    let frame = terminal.frame();
    assert!(frame.pane("channel(block5_conv2, 30)").is_some(), "{frame:?}");
}

#[test]
fn plus_and_minus_change_the_steps_of_this_run_and_the_next() {
    let mut terminal = running();
    let steps = |terminal: &mut Terminal, keys: &str, wanted: usize| {
        terminal.send(keys);
        terminal.wait_until(&format!("{wanted} steps"), |frame| {
            frame.step().is_some_and(|(_, all)| all == wanted)
        })
    };
    // The run that is on screen is made too long to end meanwhile.
    prolong(&mut terminal);
    steps(&mut terminal, "+", 6560);
    steps(&mut terminal, "-", 6528);
    // As fast as a key repeats.
    steps(&mut terminal, "+++++", 6688);
    steps(&mut terminal, "=-", 6688);
    terminal.send("l\r");
    terminal.wait_for("╭ channel(block5_conv2, 31)");
    steps(&mut terminal, "", 6688);
    // Fewer than it has taken: it ends where it is. More: it goes on.
    terminal.wait_until("50 steps", |frame| step(frame) > 50);
    terminal.send(&"-".repeat(300));
    let finished = terminal.wait_for("finished");
    let (taken, all) = finished.step().unwrap();
    assert!(taken == all && (50..6688).contains(&taken), "{finished:?}");
    terminal.send("+");
    let longer = terminal.wait_until("the end again", |frame| frame.has("finished") && step(frame) > taken);
    assert_eq!(longer.step(), Some((taken + 32, taken + 32)));
}

#[test]
fn s_saves_a_run_that_can_be_made_again() {
    let mut terminal = running_in(Setup::new(220, 40));
    prolong(&mut terminal);
    terminal.send(" ");
    let paused = terminal.wait_for("paused");
    terminal.send("s");
    let told = terminal.wait_for("saved in ").lines();
    let folder = told.iter().find_map(|line| line.strip_prefix("saved in ")).unwrap();
    let folder = Path::new(folder).to_owned();
    let files: BTreeSet<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    // The lock is there as long as the run is.
    let all = [".lock", "growth.jpg", "image.png", "losses.csv", "manifest.json", "state.safetensors"];
    assert_eq!(files, all.iter().map(Into::into).collect(), "{}", folder.display());
    let losses = fs::read_to_string(folder.join("losses.csv")).unwrap();
    assert_eq!(losses.lines().count(), 1 + step(&paused));
    let last: f64 = losses.lines().last().unwrap().split_once(',').unwrap().1.parse().unwrap();
    assert!((last - paused.loss().unwrap()).abs() <= 0.001 * last.abs(), "{last} and {paused:?}");

    let picture = fs::read(folder.join("image.png")).unwrap();
    let ended = terminal.quit();
    let again = ended.home().join("again.png");
    trepang(
        &ended,
        &[
            "render".as_ref(),
            "--from".as_ref(),
            folder.join("image.png").as_ref(),
            "-o".as_ref(),
            again.as_ref(),
        ],
    );
    assert!(fs::read(again).unwrap() == picture, "another picture than the one that was saved");
}

/// Runs the program without a terminal, in the home of one that has ended.
fn trepang(ended: &Ended, args: &[&Path]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trepang"));
    let output = command.args(args).env("XDG_DATA_HOME", ended.home()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_question_mark_shows_every_key_until_any_key() {
    // High enough for all of them on one page.
    let mut terminal = running_in(Setup::new(100, 40));
    for closing in ["?", "q", "x", "\x1b", DOWN] {
        let help = {
            terminal.send("?");
            terminal.wait_for("keys (any key closes)")
        };
        for binding in BINDINGS {
            let line = format!("{:<7}{}", binding.shown, binding.about);
            assert!(help.has(&line), "the help does not say {line:?}:\n{help:?}");
        }
        terminal.send(closing);
        let closed = terminal.wait_until("the dashboard", |frame| !frame.has("any key closes"));
        assert!(closed.has("╭ channel 30 of 256") && closed.has("╭ layers"), "{closed:?}");
    }
}

#[test]
fn z_shows_the_picture_alone() {
    let mut terminal = running();
    let small = terminal.frame().picture().unwrap();
    terminal.send("z");
    let zoomed = terminal
        .wait_until("the picture alone", |frame| !frame.has("╭ layers") && frame.picture_colours() > 16);
    let large = zoomed.picture().unwrap();
    assert_eq!((large.width, large.height), (98, 25), "{zoomed:?}");
    for larger in ["2x", "4x"] {
        terminal.send("z");
        terminal.wait_until(larger, |frame| frame.has(larger) && frame.picture() == Some(large));
    }
    terminal.send("z");
    terminal.wait_until("all panes", |frame| frame.has("╭ layers") && frame.picture() == Some(small));
}

/// From a file of its weights to the network as it is built in: tests have no other network.
#[test]
fn another_network_is_chosen_from_the_list() {
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/weights/minivgg/minivgg.safetensors");
    let mut terminal =
        running_in(Setup::new(100, 30).arg("--weights").arg(weights).arg("--channel").arg("7"));
    prolong(&mut terminal);
    press(&mut terminal, "N", "built in");
    press(&mut terminal, &DOWN.repeat(2), "not pulled");
    press(&mut terminal, ENTER, "trepang pull vgg19+top (575 MB)");
    press(&mut terminal, HOME, "Enter switch");
    press(&mut terminal, ENTER, "channel(block5_conv2, 30)");
    terminal.wait_until("the new network's own weights and classes", |frame| {
        !frame.has(".safetensors") && frame.has("classes, step") && step(frame) > 1
    });
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert_eq!(ended.runs().len(), 2, "both networks' runs are kept");
}

#[test]
fn the_run_goes_on_with_another_backend() {
    let mut terminal = running();
    prolong(&mut terminal);
    press(&mut terminal, "B", "naive loops on one thread");
    press(&mut terminal, END, "Enter continue there");
    press(&mut terminal, ENTER, "reference on cpu, 1 thread");
    let there = terminal.wait_for("reference on cpu computes now");
    terminal.wait_until("more steps", |frame| step(frame) > step(&there));
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let [run] = &ended.runs()[..] else { panic!("one run, not {:?}", ended.runs()) };
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert_eq!(manifest.matches("\"backend\": \"reference\"").count(), 2, "{manifest}");
}

/// What the program put on the clipboard last.
fn copied(terminal: &Terminal) -> String {
    use base64::Engine;
    let raw = terminal.raw_text();
    let (_, after) = raw.rsplit_once("\x1b]52;c;").expect("nothing was copied");
    let text = after.split_once('\x07').unwrap().0;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
}

#[test]
fn y_copies_a_command_that_makes_the_same_bytes() {
    let setup = Setup::new(100, 30).arg("--size").arg("48").arg("--steps").arg("6").arg("--set");
    let mut terminal = setup.arg("optimizer.rate=0.0625").start();
    terminal.wait_for("finished");
    terminal.wait_for("saved in");
    terminal.send("y");
    let shown = terminal.wait_for("copied, if the terminal takes OSC 52");
    let command = copied(&terminal);
    for word in ["--network minivgg", "--channel 30", "--size 48", "--steps 6"] {
        assert!(command.contains(word) && shown.has(word), "{word}: {command}\n{shown:?}");
    }
    assert!(command.contains("--set optimizer.rate=0.0625"), "{command}");
    terminal.send("\x1b");
    terminal.wait_until("the panes again", |frame| !frame.has("copied, if"));
    // A second y, and the whole command is there again.
    terminal.send("y");
    terminal.wait_for("copied, if the terminal takes OSC 52");
    terminal.send("y");
    let ended = terminal.quit();
    let [run] = &ended.runs()[..] else { panic!("{:?}", ended.runs()) };
    let place = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_trepang")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &command]).current_dir(&place).env("PATH", path).env("HOME", place.path());
    let output = shell.env("XDG_DATA_HOME", place.path().join("data")).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let made = command.rsplit_once("-o ").unwrap().1;
    assert_eq!(
        fs::read(place.path().join(made)).unwrap(),
        fs::read(run.join("image.png")).unwrap(),
        "{command}"
    );
}
