//! JPEG files that were cut and got an end mark afterwards, as some programs write them: found wherever they were cut, and
//! told from whole ones.

use std::fs;
use std::io::Cursor;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use trepang::runs::{PictureReading, read_picture, read_picture_as};

use crate::binary::Home;
use crate::library::{noise_picture, repository};

const END: [u8; 2] = [0xff, 0xd9];

/// A picture of noise with these sides as a baseline JPEG.
fn noise(size: usize) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let side = size as u32;
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.encode(&noise_picture(7, size).rgb, side, side, ExtendedColorType::Rgb8).unwrap();
    bytes.into_inner()
}

fn golden(name: &str) -> Vec<u8> {
    fs::read(repository("tests/golden/pictures").join(name)).unwrap()
}

/// The first bytes of a file, and an end mark.
fn cut(file: &[u8], len: usize) -> Vec<u8> {
    [&file[..len], &END].concat()
}

/// What is said of a file; `None` if it is read.
fn refusal(home: &Home, file: &[u8]) -> Option<String> {
    fs::write(home.path("photo.jpg"), file).unwrap();
    read_picture(&home.path("photo.jpg")).err().map(|error| error.to_string())
}

#[test]
fn an_end_mark_does_not_hide_that_a_jpeg_was_cut() {
    let home = Home::new();
    let names = ["progressive.jpg", "cmyk.jpg", "restarts.jpg", "progressive-restarts.jpg"];
    for file in names.map(golden).into_iter().chain([noise(24), noise(17)]) {
        assert_eq!(refusal(&home, &file), None);
        let trailed = [&file[..], &[0, 1, 2, 0xff, 0xd8, 0xff, 0xd9]].concat();
        assert_eq!(refusal(&home, &trailed), None, "what stands behind the end does no harm");
        let last = file.len() - END.len();
        for len in (3..last).filter(|len| len % 7 == 0 || len + 20 > last) {
            let found = refusal(&home, &cut(&file, len));
            let error = found.unwrap_or_else(|| panic!("{len} of {} bytes are taken for all", file.len()));
            assert!(error.contains("photo.jpg ends early: "), "{error}");
        }
    }
}

#[test]
fn a_jpeg_that_lacks_its_end_mark_alone_is_whole() {
    let home = Home::new();
    let names = ["progressive.jpg", "cmyk.jpg", "restarts.jpg", "progressive-restarts.jpg"];
    for file in names.map(golden).into_iter().chain([noise(24), noise(17)]) {
        assert_eq!(refusal(&home, &file), None);
        let whole = read_picture(&home.path("photo.jpg")).unwrap();
        let last = file.windows(2).rposition(|pair| pair == END).unwrap();
        for len in [last, last + 1] {
            assert_eq!(refusal(&home, &file[..len]), None, "{len} of {}", file.len());
            assert_eq!(read_picture(&home.path("photo.jpg")).unwrap(), whole);
        }
        assert!(refusal(&home, &file[..last - 1]).is_some(), "a byte of pixels is missing");
    }
}

#[test]
fn what_is_there_is_the_same_with_an_end_mark() {
    let home = Home::new();
    let reading = PictureReading { allow_cut: true, as_stored: false };
    for file in [noise(64), golden("restarts.jpg")] {
        let len = file.len() * 9 / 10;
        let without = refusal(&home, &file[..len]).unwrap();
        let taken = read_picture_as(&home.path("photo.jpg"), reading).unwrap();
        assert_eq!(refusal(&home, &cut(&file, len)).unwrap(), without);
        assert_eq!(read_picture_as(&home.path("photo.jpg"), reading).unwrap(), taken);
    }
    let error = refusal(&home, &cut(&noise(64), 6000)).unwrap();
    assert!(error.contains("of its 64 rows are there"), "{error}");
}

/// Between two scans nothing is broken off, so only what the scans do not code tells that some are missing.
#[test]
fn a_jpeg_cut_between_scans_is_found() {
    let home = Home::new();
    let file = golden("progressive.jpg");
    let marks = |marker| (2..file.len()).filter(move |&at| file_has(&golden("progressive.jpg"), at, marker));
    let scans: Vec<usize> = marks(0xda).collect();
    assert!(scans.len() > 4, "{scans:?}");
    // A scan begins with its tables, if it has any. All that stands between two scans may be cut too.
    let starts =
        scans.windows(2).map(|pair| marks(0xc4).find(|at| *at > pair[0]).unwrap_or(pair[1]).min(pair[1]));
    for ((scan, start), end) in starts.enumerate().zip(&scans[1..]) {
        for at in start..*end {
            let error = refusal(&home, &cut(&file, at)).unwrap();
            assert!(error.ends_with("or take what is there with --allow-cut"), "{at}: {error}");
            let said = format!("bytes end in scan number {}, so detail or color is missing", scan + 1);
            assert!(scan == 0 || error.contains(&said), "{at}: {error}");
        }
    }
}

fn file_has(file: &[u8], at: usize, marker: u8) -> bool {
    file.get(at..at + 2) == Some(&[0xff, marker])
}
