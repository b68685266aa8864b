//! Every size of the window, at the start and later: nothing panics, nothing scrolls, the screen is right.

use super::{Frame, Setup, Terminal, prolong, running, step};

/// What a screen of its size has to show, once a run has begun.
fn is_sensible(frame: &Frame) -> bool {
    let lines = frame.lines();
    match frame.size() {
        (columns, rows) if columns >= 72 && rows >= 20 => {
            ["layers", "channel", "channel(", "run", "activation, by step"]
                .iter()
                .all(|pane| frame.pane(pane).is_some())
                && lines[0].starts_with("minivgg > block5_conv2 > channel 30 of 256")
                && lines.last().is_some_and(|keys| keys.contains("q quit"))
                && frame.picture_colours() > 16
        }
        (columns, rows) if columns >= 30 && rows >= 8 => {
            lines[0].starts_with("block5_conv2  channel 30 of 256")
                && lines[1].starts_with("channel(block5_conv2, 30)")
                && lines[2].starts_with("step ")
                && lines.last().is_some_and(|keys| keys.contains("q quit"))
                && frame.colours() > 16
        }
        (columns, rows) if columns >= 20 && rows >= 5 => {
            lines[0].starts_with("ch") && lines[0].contains('/') && lines.iter().any(|line| line == "q quits")
        }
        _ => lines[0].starts_with('c'),
    }
}

/// The screen becomes what it has to be at this size, and drawing it pushes nothing off.
fn assert_fits(terminal: &mut Terminal, size: (u16, u16)) {
    terminal.wait_until(&format!("a sensible screen of {size:?}"), |frame| {
        frame.size() == size && is_sensible(frame)
    });
    let scrolled = terminal.scrolled();
    terminal.redraw();
    terminal.wait_until(&format!("the same screen of {size:?}"), is_sensible);
    assert_eq!(terminal.scrolled(), scrolled, "{size:?} scrolled");
}

#[test]
fn it_starts_at_every_size() {
    for (columns, rows) in
        [(1, 1), (20, 5), (40, 12), (71, 20), (72, 19), (72, 20), (80, 24), (120, 40), (200, 60)]
    {
        let mut terminal = Setup::new(columns, rows).start();
        assert_fits(&mut terminal, (columns, rows));
        assert_eq!(terminal.scrolled(), 0, "{columns}x{rows} scrolled at the start");
        let ended = terminal.quit();
        assert_eq!(ended.code, Some(0), "{columns}x{rows}: {}", ended.said);
        ended.assert_restored();
    }
}

#[test]
fn a_window_may_become_small_and_large_again() {
    let mut terminal = running();
    prolong(&mut terminal);
    for (columns, rows) in [(20, 5), (1, 1), (80, 24), (200, 60), (72, 20), (71, 60), (120, 40)] {
        let before = step(&terminal.frame());
        terminal.resize(columns, rows);
        assert_fits(&mut terminal, (columns, rows));
        if before > 0 && columns >= 72 && rows >= 20 {
            assert!(step(&terminal.frame()) >= before, "the run began anew");
        }
    }
}

#[test]
fn a_storm_of_resizes_ends_with_a_right_screen() {
    let mut terminal = running();
    prolong(&mut terminal);
    let mut random = 42_u32;
    for _ in 0..100 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        terminal.resize(1 + (random >> 16) as u16 % 220, 1 + (random >> 24) as u16 % 70);
        std::thread::sleep(std::time::Duration::from_millis(u64::from(random >> 28)));
    }
    terminal.resize(120, 40);
    assert_fits(&mut terminal, (120, 40));
    // The picture is there whole: every half of every cell of its square.
    terminal.wait_until("a whole picture", |frame| {
        let Some(area) = frame.picture() else { return false };
        let full = area.height.min(area.width / 2);
        let painted = frame.pixels(area).into_iter().flatten().flatten().count();
        painted == usize::from(full) * 2 * usize::from(full) * 2
    });
    // And nothing of the other sizes is left: drawing everything anew changes no cell outside the numbers.
    terminal.send(" ");
    let settled = |frame: &Frame| is_sensible(frame) && frame.is_settled();
    let storm = terminal.wait_until("a pause", settled);
    terminal.redraw();
    let anew = terminal.wait_until("the same screen", settled);
    let steady =
        |frame: &Frame| frame.lines().into_iter().filter(|line| !line.contains("link")).collect::<Vec<_>>();
    assert_eq!(steady(&storm), steady(&anew));
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0));
    ended.assert_restored();
}

#[test]
fn a_small_window_can_be_used() {
    let mut terminal = Setup::new(40, 12).start();
    terminal.wait_for("step ");
    terminal.send("g12");
    terminal.wait_for("(0 to 255): 12");
    terminal.send("\r");
    terminal.wait_for("channel 12 of 256");
    terminal.send("\r");
    terminal.wait_for("channel(block5_conv2, 12)");
    // The help was opened when there was room for it.
    terminal.resize(100, 30);
    terminal.wait_for("╭ layers");
    terminal.send("?");
    terminal.wait_for("other key closes");
    terminal.resize(20, 5);
    terminal.wait_until("a few words", |frame| frame.size() == (20, 5) && frame.has("q quits"));
    let ended = terminal.quit();
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_restored();
}
