//! TIFF files with numbers of all kinds, in strips and in tiles: read as they are meant, or answered with what converts them.

use std::fs;

use image::ImageFormat;
use trepang::engine::Picture;
use trepang::runs::{PictureReading, read_picture, read_picture_as};

use crate::binary::Home;
use crate::library::noise_picture;

const SIDE: usize = 32;

/// A TIFF of such tags, with the pixels of strips or tiles one after another. A tag may have several numbers.
fn tiff(tags: &[(u16, Vec<u32>)], pieces: &[Vec<u8>]) -> Vec<u8> {
    let piece_tags = if tags.iter().any(|(tag, _)| *tag == 322) { [324, 325] } else { [273, 279] };
    let numbers = tags.iter().map(|(_, numbers)| numbers.len()).sum::<usize>() + 2 * pieces.len();
    let pixels = 8 + 2 + 12 * (tags.len() + 2) + 4 + 4 * numbers;
    let lengths: Vec<u32> = pieces.iter().map(|piece| piece.len() as u32).collect();
    let offsets = (0..pieces.len()).map(|at| pixels as u32 + lengths[..at].iter().sum::<u32>()).collect();
    let mut all = [tags, &[(piece_tags[0], offsets), (piece_tags[1], lengths)]].concat();
    all.sort();
    let mut file = [&b"II*\0"[..], &8_u32.to_le_bytes(), &(all.len() as u16).to_le_bytes()].concat();
    let mut arrays = Vec::new();
    for (tag, numbers) in &all {
        let place = (8 + 2 + 12 * all.len() + 4 + arrays.len()) as u32;
        file.extend([tag.to_le_bytes(), 4_u16.to_le_bytes()].concat()); // LONG
        file.extend((numbers.len() as u32).to_le_bytes());
        file.extend(if numbers.len() == 1 { numbers[0] } else { place }.to_le_bytes());
        if numbers.len() > 1 {
            arrays.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
    }
    file.extend([0; 4]);
    file.extend(arrays);
    file.resize(pixels, 0);
    file.extend(pieces.concat());
    file
}

/// The tags of an uncompressed picture of so many numbers a pixel, of that many bits, in that format.
fn tags(samples: u32, bits: u32, format: u32) -> Vec<(u16, Vec<u32>)> {
    let each = |value| vec![value; samples as usize];
    let color = if samples == 1 { 1 } else { 2 };
    let side = SIDE as u32;
    let known = [(256, side), (257, side), (259, 1), (262, color), (277, samples), (278, side)];
    let known = known.map(|(tag, value)| (tag, vec![value]));
    known.into_iter().chain([(258, each(bits)), (339, each(format))]).collect()
}

/// Whole numbers and floats, as the tag for the format of numbers calls them.
const WHOLE: u32 = 1;
const FLOATS: u32 = 3;

fn floats(values: impl Iterator<Item = f32>) -> Vec<Vec<u8>> {
    vec![values.flat_map(f32::to_le_bytes).collect()]
}

fn read(home: &Home, file: &[u8]) -> Result<Picture, String> {
    fs::write(home.path("a.tif"), file).unwrap();
    read_picture(&home.path("a.tif")).map_err(|error| error.to_string())
}

#[test]
fn deep_and_tiled_tiffs_are_read_as_they_are_meant() {
    let home = Home::new();
    let noise = noise_picture(3, SIDE);
    let values = || noise.rgb.iter().map(|value| f32::from(*value));
    let deep: Vec<u8> = noise.rgb.iter().flat_map(|value| (u16::from(*value) * 257).to_le_bytes()).collect();
    let unit = tiff(&tags(3, 32, FLOATS), &floats(values().map(|value| value / 255.0)));
    assert_eq!(read(&home, &unit).unwrap(), noise);
    assert_eq!(read(&home, &tiff(&tags(3, 16, WHOLE), &[deep])).unwrap(), noise);
    let gray: Vec<u8> = noise.rgb.iter().step_by(3).flat_map(|value| [*value, *value]).collect();
    let found = read(&home, &tiff(&tags(1, 16, WHOLE), &[gray])).unwrap();
    assert!(found.rgb.chunks(3).zip(noise.rgb.chunks(3)).all(|(found, noise)| *found == [noise[0]; 3]));
    let tiled = [tags(3, 8, WHOLE), vec![(322, vec![16]), (323, vec![16])]].concat();
    assert_eq!(read(&home, &tiff(&tiled, &tiles(&noise))).unwrap(), noise);
}

/// The four tiles of a picture.
fn tiles(picture: &Picture) -> Vec<Vec<u8>> {
    let row = |y: usize, x: usize| picture.rgb[3 * (y * SIDE + x)..][..3 * 16].to_vec();
    let tile = |(y, x): (usize, usize)| (y..y + 16).flat_map(|y| row(y, x)).collect();
    [(0, 0), (0, 16), (16, 0), (16, 16)].map(tile).to_vec()
}

#[test]
fn floats_beyond_white_are_told_with_their_range() {
    let home = Home::new();
    let noise = noise_picture(3, SIDE);
    let file = |change: fn(f32) -> f32| {
        let values = noise.rgb.iter().map(|value| change(f32::from(*value) / 255.0));
        read(&home, &tiff(&tags(3, 32, FLOATS), &floats(values)))
    };
    assert!(file(|value| value * 1.001 - 0.0005).is_ok(), "what becomes the same bytes");
    for (change, range) in [
        (
            (|value| (value * 255.0).round().min(254.0)) as fn(f32) -> f32,
            "from 0 to 254, where only 0 to 1 is read",
        ),
        (|value| if value < 0.5 { -1.0 } else { 1.0 }, "from -1 to 1, where only 0 to 1 is read"),
        (|value| if value < 0.5 { f32::NAN } else { value }, "that are not all finite"),
    ] {
        let error = file(change).unwrap_err();
        assert!(error.contains(&format!("a.tif is a TIFF of floats {range}; convert it first: ")), "{error}");
        assert!(error.contains("a.tif OUT.png uchar` if white is 255"), "{error}");
    }
}

#[test]
fn tiffs_that_would_be_misread_say_how_to_convert() {
    let home = Home::new();
    let error = |tags: &[(u16, Vec<u32>)], pieces: usize, length| {
        read(&home, &tiff(tags, &vec![vec![9; length]; pieces])).unwrap_err()
    };
    let said = error(&tags(1, 32, FLOATS), 1, 4 * SIDE * SIDE);
    assert!(said.contains("a TIFF of floats of a kind that is not read; convert it first: `vips"), "{said}");
    let tile = |side, planes| vec![(322, vec![side]), (323, vec![side]), (284, vec![planes])];
    let without_format = tags(3, 32, WHOLE).into_iter().filter(|(tag, _)| *tag != 339).collect();
    for (tags, pieces, length) in [
        (without_format, 1, 12 * SIDE * SIDE),
        (tags(3, 32, WHOLE), 1, 12 * SIDE * SIDE),
        ([tags(3, 8, WHOLE), tile(48, 2)].concat(), 3, 48 * 48),
        ([tags(3, 8, WHOLE), tile(16, 2)].concat(), 12, 256),
        ([tags(1, 1, WHOLE), tile(16, 1)].concat(), 4, 32),
    ] {
        let said = error(&tags, pieces, length);
        assert!(said.contains("numbers, tiles or a compression that few programs write"), "{said}");
        assert!(said.contains("convert it first: `gm convert"), "{said}");
    }
    let big = [&b"II+\0\x08\0\0\0"[..], &[0; 64]].concat();
    assert!(read(&home, &big).unwrap_err().contains("a picture in the format BigTIFF"));
    for head in [&b"II*\0"[..], b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"] {
        assert_eq!(image::guess_format(head).unwrap(), ImageFormat::Tiff);
        assert!(read(&home, head).is_err());
    }
}

#[test]
fn of_a_cut_tiff_the_rows_that_are_there_are_told() {
    let home = Home::new();
    let pixels: Vec<u8> = (0..3 * SIDE * SIDE).map(|i| (i * 7 % 251) as u8).collect();
    let strips = |rows: usize| pixels.chunks(3 * SIDE * rows).map(<[u8]>::to_vec).collect::<Vec<_>>();
    for rows in [1, 8, SIDE] {
        let mut tags = tags(3, 8, WHOLE);
        tags.iter_mut().find(|(tag, _)| *tag == 278).unwrap().1 = vec![rows as u32];
        let whole = tiff(&tags, &strips(rows));
        let begin = whole.len() - pixels.len();
        for there in [0, 1, 20, SIDE - 1] {
            let error = read(&home, &whole[..begin + there * 3 * SIDE + 5]).unwrap_err();
            assert!(error.contains(&format!("{there} of its 32 rows are there")), "{rows}: {error}");
        }
        fs::write(home.path("a.tif"), &whole[..begin + 20 * 3 * SIDE]).unwrap();
        let reading = PictureReading { allow_cut: true, as_stored: false };
        let picture = read_picture_as(&home.path("a.tif"), reading).unwrap();
        assert!(picture.rgb[..20 * 3 * SIDE] == pixels[..20 * 3 * SIDE], "{rows}");
        assert!(picture.rgb[20 * 3 * SIDE..].iter().all(|level| *level == 128), "{rows}");
    }
    // Of compressed pixels nothing is claimed.
    let mut squeezed = tags(3, 8, WHOLE);
    squeezed.iter_mut().find(|(tag, _)| *tag == 259).unwrap().1 = vec![8];
    let file = tiff(&squeezed, &[vec![0x78; 500]]);
    let error = read(&home, &file[..file.len() - 100]).unwrap_err();
    assert!(error.contains("up to the end of its pixels are there, and they are compressed"), "{error}");
}
