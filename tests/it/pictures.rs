//! Picture files as people bring them: of every kind that is read, turned by their orientation, or cut off.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageFormat, RgbImage};
use trepang::engine::Picture;
use trepang::runs::{PictureReading, read_picture, read_picture_as};

use crate::binary::{Home, write_png};
use crate::library::{noise_picture, repository};

/// How far a value may be from Pillow's where a decoder has roundings of its own; of 255.
const DECODER_TOLERANCE: u8 = 6;

/// Both sides differ, and no turn of it is like another.
const STORED: (usize, usize) = (48, 32);

/// Fields of 16 pixels of one colour each, which survive JPEG.
fn stored() -> Picture {
    let (width, height) = STORED;
    let colour = |x: usize, y: usize| {
        [[220, 30, 30], [30, 200, 30], [40, 40, 210], [200, 200, 20], [20, 200, 200], [120, 20, 160]]
            [y / 16 * 3 + x / 16]
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| colour(x, y).map(|v: u8| v))).collect();
    Picture { width, height, rgb }
}

/// The picture that an orientation of EXIF means, from the standard's words: where row 0 and column 0 are.
fn upright(stored: &Picture, orientation: u8) -> Picture {
    let (w, h) = (stored.width, stored.height);
    let (width, height) = if orientation < 5 { (w, h) } else { (h, w) };
    // The stored row and column of an upright one.
    let from = |y: usize, x: usize| match orientation {
        2 => (y, w - 1 - x),
        3 => (h - 1 - y, w - 1 - x),
        4 => (h - 1 - y, x),
        5 => (x, y),
        6 => (h - 1 - x, y),
        7 => (h - 1 - x, w - 1 - y),
        8 => (x, w - 1 - y),
        _ => (y, x),
    };
    let pixel = |(row, column): (usize, usize)| stored.rgb[3 * (row * w + column)..][..3].to_vec();
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(from(y, x)))).collect();
    Picture { width, height, rgb }
}

/// EXIF metadata with nothing but an orientation, in either order of bytes.
fn exif(orientation: u8, big_endian: bool) -> Vec<u8> {
    let entry = |bytes: &[&[u8]]| bytes.concat();
    if big_endian {
        entry(&[b"MM\0*", &[0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]])
    } else {
        entry(&[b"II*\0", &[8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]])
    }
}

/// The stored picture as a file of this format, with that metadata.
fn encode(picture: &Picture, format: ImageFormat, exif: Option<Vec<u8>>) -> Vec<u8> {
    fn with(mut encoder: impl ImageEncoder, picture: &Picture, exif: Option<Vec<u8>>) {
        if let Some(exif) = exif {
            encoder.set_exif_metadata(exif).unwrap();
        }
        let (width, height) = (picture.width as u32, picture.height as u32);
        encoder.write_image(&picture.rgb, width, height, ExtendedColorType::Rgb8).unwrap();
    }
    let mut bytes = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => with(JpegEncoder::new_with_quality(&mut bytes, 95), picture, exif),
        ImageFormat::Png => with(PngEncoder::new(&mut bytes), picture, exif),
        ImageFormat::WebP => with(WebPEncoder::new_lossless(&mut bytes), picture, exif),
        other => {
            let (width, height) = (picture.width as u32, picture.height as u32);
            let image = RgbImage::from_raw(width, height, picture.rgb.clone()).unwrap();
            image.write_to(&mut bytes, other).unwrap();
        }
    }
    bytes.into_inner()
}

/// A TIFF of uncompressed pixels, written by hand for its tag of the orientation.
fn tiff(picture: &Picture, orientation: u16) -> Vec<u8> {
    let (width, height) = (picture.width as u32, picture.height as u32);
    let entries: [(u16, u32); 10] = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 2),
        (273, 8 + 2 + 12 * 10 + 4),
        (274, orientation.into()),
        (277, 3),
        (278, height),
        (279, width * height * 3),
    ];
    let mut bytes = [&b"II*\0"[..], &8_u32.to_le_bytes(), &10_u16.to_le_bytes()].concat();
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(4_u16.to_le_bytes()); // LONG
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(&picture.rgb);
    bytes
}

#[track_caller]
fn assert_near(found: &Picture, expected: &Picture, tolerance: u8, what: &str) {
    assert_eq!((found.width, found.height), (expected.width, expected.height), "{what}");
    let worst = found.rgb.iter().zip(&expected.rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= tolerance, "{what}: {worst}");
}

#[test]
fn every_orientation_is_turned_upright_in_every_format() {
    let home = Home::new();
    let stored = stored();
    let read = |bytes: &[u8]| {
        fs::write(home.path("photo"), bytes).unwrap();
        read_picture(&home.path("photo")).unwrap()
    };
    for orientation in 1..=8 {
        let expected = upright(&stored, orientation);
        for (format, tolerance) in
            [(ImageFormat::Png, 0), (ImageFormat::WebP, 0), (ImageFormat::Jpeg, DECODER_TOLERANCE)]
        {
            for big_endian in [false, true] {
                let file = encode(&stored, format, Some(exif(orientation, big_endian)));
                assert_near(&read(&file), &expected, tolerance, &format!("{format:?} {orientation}"));
            }
        }
        assert_near(&read(&tiff(&stored, orientation.into())), &expected, 0, &format!("TIFF {orientation}"));
        // PNG may have its metadata behind the pixels, and some writers keep JPEG's prefix.
        let plain = encode(&stored, ImageFormat::Png, None);
        let late = png_with_late_exif(&plain, &[b"Exif\0\0", &exif(orientation, true)[..]].concat());
        assert_near(&read(&late), &expected, 0, &format!("late eXIf {orientation}"));
    }
    for damaged in [&b"II*\0"[..], b"", b"Exif\0\0MM\0*\xff\xff\xff\xff", &exif(9, false), &exif(0, true)] {
        let file = encode(&stored, ImageFormat::Png, Some(damaged.to_vec()));
        assert_eq!(read(&file), stored, "{damaged:?}");
    }
}

/// Puts the metadata between the pixels and the end.
fn png_with_late_exif(png: &[u8], exif: &[u8]) -> Vec<u8> {
    let end = png.len() - 12;
    let chunk = [b"eXIf", exif].concat();
    let length = u32::try_from(exif.len()).unwrap();
    [&png[..end], &length.to_be_bytes(), &chunk, &crc(&chunk).to_be_bytes(), &png[end..]].concat()
}

/// The checksum of a chunk of a PNG: of its kind and its data.
pub(crate) fn crc(chunk: &[u8]) -> u32 {
    !chunk.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    })
}

/// The same PNG with other sides in its header. Its pixels are too few for them.
pub(crate) fn png_of_sides(mut png: Vec<u8>, [width, height]: [u32; 2]) -> Vec<u8> {
    png[16..24].copy_from_slice(&[width.to_be_bytes(), height.to_be_bytes()].concat());
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

#[test]
fn every_format_is_read_as_pillow_reads_it() {
    let home = Home::new();
    let stored = stored();
    for format in [ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::Gif, ImageFormat::WebP] {
        fs::write(home.path("photo"), encode(&stored, format, None)).unwrap();
        assert_near(&read_picture(&home.path("photo")).unwrap(), &stored, 1, &format!("{format:?}"));
    }
    let folder = repository("tests/golden/pictures");
    for name in
        ["progressive.jpg", "cmyk.jpg", "ycck.jpg", "gray.jpg", "lossy.webp", "group4.tiff", "moving.gif"]
    {
        let expected = read_picture(&folder.join(format!("{name}.png"))).unwrap();
        assert_near(&read_picture(&folder.join(name)).unwrap(), &expected, DECODER_TOLERANCE, name);
    }
}

/// What is said of the first `len` bytes of a file; `None` if it is read as if it were whole.
fn refusal(path: &Path, file: &[u8], len: usize) -> Option<String> {
    fs::write(path, &file[..len]).unwrap();
    read_picture(path).err().map(|error| error.to_string())
}

#[test]
fn a_jpeg_cut_anywhere_is_found_and_says_what_is_there() {
    let home = Home::new();
    let path = home.path("photo.jpg");
    let folder = repository("tests/golden/pictures");
    let noise = encode(&noise_picture(7, 24), ImageFormat::Jpeg, Some(exif(6, true)));
    // Without its end mark alone a file is whole.
    for file in
        [noise, fs::read(folder.join("progressive.jpg")).unwrap(), fs::read(folder.join("cmyk.jpg")).unwrap()]
    {
        for len in 3..file.len() - 2 {
            let error = refusal(&path, &file, len).unwrap_or_else(|| panic!("{len} of {}", file.len()));
            assert!(error.contains("photo.jpg ends early: "), "{error}");
        }
        assert_eq!(refusal(&path, &file, file.len()), None);
        let trailed = [&file[..], &[0, 1, 2, 0xff, 0xd8, 0xff, 0xe1, 0]].concat();
        assert_eq!(refusal(&path, &trailed, trailed.len()), None, "what stands behind the end does no harm");
    }
}

#[test]
fn other_files_cut_within_their_pixels_are_found() {
    let home = Home::new();
    let path = home.path("photo");
    let noise = noise_picture(7, 64);
    let folder = repository("tests/golden/pictures");
    let mut files: Vec<Vec<u8>> =
        [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Gif]
            .map(|format| encode(&noise, format, None))
            .into();
    files.push(fs::read(folder.join("lossy.webp")).unwrap());
    for file in files {
        for len in (40..file.len() - 40).step_by(97) {
            let error = refusal(&path, &file, len).unwrap_or_else(|| panic!("{len} of {}", file.len()));
            assert!(error.contains("photo ends early: "), "{error}");
        }
    }
}

#[test]
fn what_is_there_of_a_cut_picture_is_taken_if_allowed() {
    let home = Home::new();
    let path = home.path("photo");
    let whole = noise_picture(7, 64);
    let reading = PictureReading { allow_cut: true, as_stored: false };
    for (format, tolerance) in [(ImageFormat::Png, 0), (ImageFormat::Bmp, 0), (ImageFormat::Jpeg, 40)] {
        let file = encode(&whole, format, None);
        let error = refusal(&path, &file, file.len() / 2).unwrap();
        let rows: usize = error.split(&[' ', ':'][..]).find_map(|word| word.parse().ok()).unwrap();
        assert!(
            (16..40).contains(&rows) && error.contains("of its 64 rows are there"),
            "{format:?}: {error}"
        );
        assert!(error.ends_with("or take what is there with --allow-cut"), "{error}");
        let taken = read_picture_as(&path, reading).unwrap();
        assert_eq!((taken.width, taken.height), (64, 64));
        let (there, missing) = match format {
            ImageFormat::Bmp => ((64 - rows) * 192..64 * 192, 0..192), // its lowest row is the first
            _ => (0..rows * 192, 63 * 192..64 * 192),
        };
        let worst = there.map(|i| taken.rgb[i].abs_diff(whole.rgb[i])).max().unwrap();
        assert!(worst <= tolerance, "{format:?}: {worst}");
        assert!(taken.rgb[missing].iter().all(|value| *value == 128), "{format:?}");
    }
    // A file of which nothing can be taken does not advise to.
    let png = encode(&whole, ImageFormat::Png, None);
    assert!(refusal(&path, &png, 20).unwrap().ends_with("copy or fetch it again"));
    assert!(read_picture_as(&path, reading).is_err());
}

#[test]
fn a_cut_deep_png_keeps_the_order_of_its_bytes() {
    let home = Home::new();
    let noise = noise_picture(9, 64);
    let deep: Vec<u16> = noise.rgb.iter().map(|value| u16::from(*value) * 257).collect();
    let image = image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(64, 64, deep).unwrap();
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png).unwrap();
    let file = file.into_inner();
    fs::write(home.path("deep.png"), &file[..file.len() / 2]).unwrap();
    let reading = PictureReading { allow_cut: true, as_stored: false };
    let taken = read_picture_as(&home.path("deep.png"), reading).unwrap();
    assert_eq!(taken.rgb[..20 * 192], noise.rgb[..20 * 192]);
}

#[test]
fn every_command_takes_a_cut_picture_with_the_flag_alone() {
    let home = Home::new();
    let file = encode(&noise_picture(7, 128), ImageFormat::Jpeg, None);
    fs::create_dir(home.path("folder")).unwrap();
    for name in ["cut.jpg", "folder/cut.jpg"] {
        fs::write(home.path(name), &file[..file.len() / 2]).unwrap();
    }
    for (line, code) in [
        ("predict cut.jpg", 1),
        ("show cut.jpg", 1),
        ("spectrum folder", 1),
        ("render --layer block1_conv1 --channel 3 --steps 1 --size 32 --init cut.jpg -o a.png", 1),
        ("render --objective inversion(block1_conv1,\"cut.jpg\") --steps 1 --size 32 -o a.png", 1),
    ] {
        let outcome = home.run(line);
        assert!(outcome.refusal(code).contains("cut.jpg ends early: "), "{line}: {outcome:?}");
        let outcome = home.run(&format!("{line} --allow-cut"));
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    }
}

/// A TIFF of one pixel with a palette of 256 colors.
fn palette_tiff() -> Vec<u8> {
    let colors = 8 + 2 + 9 * 12 + 4;
    let tags: [(u16, u16, u32, u32); 9] = [
        (256, 3, 1, 1),
        (257, 3, 1, 1),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, 0),
        (277, 3, 1, 1),
        (279, 4, 1, 1),
        (320, 3, 768, colors),
    ];
    let mut file = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for (tag, kind, count, value) in tags {
        file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend([0; 4 + 2 * 768]);
    file
}

#[test]
fn formats_that_are_not_read_say_how_to_convert() {
    let home = Home::new();
    for (name, head, kind) in [
        ("a.heic", &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
        ("b.jpg", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", "HEIC"),
        ("c.avif", b"\0\0\0\x1cftypavif\0\0\0\0mif1miafavif", "AVIF"),
        ("d.avif", b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif", "AVIF"),
        ("e.jxl", b"\xff\x0a\xfa\x1f", "JPEG XL"),
    ] {
        fs::write(home.path(name), head).unwrap();
        let outcome = home.run(&format!("predict {name}"));
        let sentence = outcome.refusal(1);
        assert!(sentence.contains(&format!("{name} is a picture in the format {kind}")), "{sentence}");
        assert!(sentence.contains(&format!("`magick {name} OUT.png`")), "{sentence}");
    }
    fs::write(home.path("palette.tif"), palette_tiff()).unwrap();
    let outcome = home.run("predict palette.tif");
    let sentence = outcome.refusal(1);
    assert!(sentence.contains("palette.tif is a picture in the format TIFF with a palette"), "{sentence}");
    assert!(sentence.contains("`magick palette.tif OUT.png`"), "{sentence}");
    fs::write(home.path("film.mp4"), b"\0\0\0\x18ftypisom\0\0\0\0isommp42").unwrap();
    assert!(home.run("predict film.mp4").refusal(1).contains("not a picture that can be read"));
}

/// Before, the plan's hash was that of the pixels as they are stored.
#[test]
fn plans_from_before_orientation_was_heeded_find_their_picture() {
    let home = Home::new();
    let start = stored();
    let flags = "--layer block1_conv1 --channel 3 --size 32 --steps 2 --init start -o first.png";
    write_png(&home.path("plain.png"), &start);
    fs::rename(home.path("plain.png"), home.path("start")).unwrap();
    assert_eq!(home.run(&format!("render {flags}")).code, Some(0));
    let first = home.read("first.png");
    fs::write(home.path("start"), encode(&start, ImageFormat::Png, Some(exif(6, true)))).unwrap();
    let outcome = home.run("render --from first.png -o again.png");
    assert!(outcome.code == Some(0) && home.read("again.png") == first, "{outcome:?}");
    // What is begun with that file now starts upright, and is made again too.
    assert_eq!(home.run(&format!("render {flags}")).code, Some(0));
    let second = home.read("first.png");
    assert!(second != first);
    assert_eq!(home.run("render --from first.png -o again.png").code, Some(0));
    assert!(home.read("again.png") == second);
    write_png(&home.path("other.png"), &noise_picture(1, 32));
    let outcome = home.run("render --from first.png --init other.png -o again.png");
    assert!(outcome.refusal(2).contains("its hash differs"), "{outcome:?}");
}

#[test]
fn a_plan_that_began_with_a_cut_picture_finds_it() {
    let home = Home::new();
    let file = encode(&noise_picture(7, 64), ImageFormat::Jpeg, None);
    fs::write(home.path("cut.jpg"), &file[..file.len() / 2]).unwrap();
    let flags =
        "--layer block1_conv1 --channel 3 --size 32 --steps 2 --init cut.jpg --allow-cut -o first.png";
    assert_eq!(home.run(&format!("render {flags}")).code, Some(0));
    assert_eq!(home.run("render --from first.png -o again.png").code, Some(0));
    assert!(home.read("again.png") == home.read("first.png"));
    fs::write(home.path("cut.jpg"), &file[..file.len() / 3]).unwrap();
    let outcome = home.run("render --from first.png -o again.png");
    assert!(outcome.refusal(1).contains("ends early"), "{outcome:?}");
}

#[test]
fn a_start_picture_is_not_cropped_or_scaled_without_a_word() {
    let home = Home::new();
    write_png(&home.path("wide.png"), &stored());
    let line = "render --layer block1_conv1 --channel 3 --steps 1 --init wide.png";
    let said = |flags: &str| home.run(&format!("{line} {flags}")).stderr;
    let remark = "trepang: wide.png, 48x32, is cropped to its middle 32x32";
    assert_eq!(said("--size 32x32 -o a.png"), format!("{remark}\n"));
    assert_eq!(
        said("--size 64x64 --seeds 2 -o seeds"),
        format!("{remark} and scaled to 64x64\n"),
        "once for all seeds"
    );
    assert_eq!(home.run("render --from a.png -o b.png").stderr, format!("{remark}\n"));
    for flags in ["-o own.png", "--size 48 -o own.png", "--size 48x32 -o own.png"] {
        assert_eq!(said(flags), "", "its own size and shape: {flags}");
        let saved = read_picture(&home.path("own.png")).unwrap();
        assert_eq!((saved.width, saved.height), (48, 32), "{flags}");
    }
    let outcome = home.run(&format!("{line} --size 96 -o c.png"));
    assert_eq!(outcome.stderr, "trepang: wide.png, 48x32, is scaled to 96x64\n");
}

#[test]
fn a_dream_of_few_steps_has_the_size_that_was_asked_for() {
    let home = Home::new();
    write_png(&home.path("start.png"), &noise_picture(3, 96));
    for steps in 1..=5 {
        let flags = "--recipe dream --layer block2_conv1 --init start.png -o a.png";
        let outcome = home.run(&format!("render {flags} --steps {steps}"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{steps}");
        let saved = read_picture(&home.path("a.png")).unwrap();
        assert_eq!((saved.width, saved.height), (96, 96), "{steps}");
    }
}
