//! Keys and replies of a terminal, in any order and in any state.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ratatui::layout::Size;
use trepang::ui::replay;

fuzz_target!(|bytes: &[u8]| {
    let (keys, graphics) = replay(bytes);
    assert!(keys.len() <= bytes.len());
    for room in [(0, 0), (1, 1), (80, 24), (1000, 1000), (u16::MAX, u16::MAX)] {
        let size = graphics.square(Size::new(room.0, room.1));
        assert!(size.width <= room.0.min(256) && size.height <= room.1.min(256));
    }
    // The end of a paste ends one, and Enter breaks off whatever else has begun.
    let (after, _) = replay(&[bytes, b"\x1b[201~\rq"].concat());
    assert_eq!(after.last(), Some(&trepang::dashboard::Key::Char('q')));
});
