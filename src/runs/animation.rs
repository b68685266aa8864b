//! The growth of a picture as an animated GIF or PNG. Not for films: a few dozen frames, held in memory.

use std::path::Path;

use super::atomic::write as write_atomic;
use super::error::{BoxedError, Error, Result};
use super::png;
use super::replaced::OutputKind;
use crate::engine::Picture;

/// The most frames of an animation: five seconds, and 10 MB in memory at 224 pixels.
const MAX_FRAMES: usize = 64;

/// The time that a frame is shown, in milliseconds.
const FRAME_MS: u16 = 80;

/// The time that the finished picture is shown before the animation begins again, in milliseconds.
const LAST_FRAME_MS: u16 = 1500;

/// A frame's colours are learnt from every third pixel. On renders of 224 pixels a value is then 4.9 of 255 off
/// in the mean: from every tenth it is 5.5, from every pixel 4.5 in twice the time.
const GIF_SAMPLING: i32 = 3;

/// Frames of a picture that grows, thinned evenly while they are collected.
#[derive(Debug, Clone)]
pub struct Animation {
    kept: Vec<AnimationFrame>,
    /// The last frame, if it is not the last that was kept.
    end: Option<AnimationFrame>,
    /// Every `stride`-th of what was offered is among `kept`.
    stride: usize,
    offered: usize,
}

#[derive(Debug, Clone)]
struct AnimationFrame {
    step: usize,
    picture: Picture,
}

impl Default for Animation {
    fn default() -> Self {
        Self { kept: Vec::new(), end: None, stride: 1, offered: 0 }
    }
}

impl Animation {
    /// An animation without frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers the picture after `step`, which is made only if it is kept: most are not, and each costs as much as
    /// a copy of the image. So the newest may be missing until [`Self::finish`].
    pub fn push(&mut self, step: usize, picture: impl FnOnce() -> Picture) {
        let index = self.offered;
        self.offered += 1;
        if !index.is_multiple_of(self.stride) {
            return;
        }
        if self.kept.len() == MAX_FRAMES {
            self.thin();
        }
        if index.is_multiple_of(self.stride) {
            self.kept.push(AnimationFrame { step, picture: picture() });
            self.end = None;
        }
    }

    /// The picture that the animation ends with, whether or not it was kept. It may be called again, and what is
    /// pushed later goes behind it.
    pub fn finish(&mut self, step: usize, picture: Picture) {
        self.end = Some(AnimationFrame { step, picture });
    }

    /// Writes a GIF or an animated PNG, by the name's ending, that starts again for ever. Fails without frames, with
    /// frames of several sizes and if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let format = AnimationFormat::of(path)?;
        let pictures: Vec<&Picture> = self.frames().into_iter().map(|frame| &frame.picture).collect();
        let bytes = match format {
            AnimationFormat::Gif => encode_gif(&pictures),
            AnimationFormat::Png => encode_png(&pictures),
        };
        write_atomic(path, &bytes.map_err(|source| Error::Encode { path: path.into(), source })?)
    }

    fn thin(&mut self) {
        self.stride *= 2;
        let mut index = 0;
        self.kept.retain(|_| {
            index += 1;
            index % 2 == 1
        });
    }

    /// The frames that are shown, in their order.
    fn frames(&self) -> Vec<&AnimationFrame> {
        let Some(end) = self.end.as_ref().or(self.kept.last()) else { return Vec::new() };
        let before = self.kept.iter().filter(|frame| frame.step < end.step).take(MAX_FRAMES - 1);
        before.chain([end]).collect()
    }
}

/// Fails unless `path` ends as an animation's name does, and for a file there that is no picture: to be asked before the
/// work is done.
pub fn check_animation_path(path: &Path) -> Result<()> {
    AnimationFormat::of(path)?;
    OutputKind::Picture.check_place(path)
}

#[derive(Debug, Clone, Copy)]
enum AnimationFormat {
    Gif,
    Png,
}

impl AnimationFormat {
    fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match extension.as_str() {
            "gif" => Ok(Self::Gif),
            "png" | "apng" => Ok(Self::Png),
            _ => Err(Error::AnimationName { path: path.into() }),
        }
    }
}

/// The time that each of `count` frames is shown, in milliseconds.
fn milliseconds(count: usize) -> impl Iterator<Item = u16> {
    (1..=count).map(move |i| if i == count { LAST_FRAME_MS } else { FRAME_MS })
}

/// The last of the frames, which are all as large.
fn last<'a>(frames: &[&'a Picture]) -> Result<&'a Picture, BoxedError> {
    let last = frames.last().ok_or("the animation has no frames")?;
    let odd = |frame: &&Picture| {
        let Picture { width, height, rgb } = frame;
        (*width, *height) != (last.width, last.height) || rgb.len() != 3 * width * height
    };
    if last.rgb.is_empty() || frames.iter().any(odd) {
        return Err("the frames of an animation must be pictures of one size".into());
    }
    Ok(last)
}

fn encode_gif(frames: &[&Picture]) -> Result<Vec<u8>, BoxedError> {
    let last = last(frames)?;
    let side = |side: usize| u16::try_from(side).map_err(|_| "a GIF's sides are at most 65535 pixels long");
    let (width, height) = (side(last.width)?, side(last.height)?);
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &[])?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    for (picture, ms) in frames.iter().zip(milliseconds(frames.len())) {
        // Each frame has its own 256 colours: noise at first, and at last few hues in many shades.
        let mut frame = gif::Frame::from_rgb_speed(width, height, &picture.rgb, GIF_SAMPLING);
        frame.delay = ms / 10;
        encoder.write_frame(&frame)?;
    }
    drop(encoder);
    Ok(bytes)
}

fn encode_png(frames: &[&Picture]) -> Result<Vec<u8>, BoxedError> {
    let last = last(frames)?;
    let mut bytes = Vec::new();
    let mut encoder = png::encoder(&mut bytes, last);
    encoder.set_animated(frames.len() as u32, 0)?;
    // A program that knows no animated PNG shows the finished picture, not the noise of the first frame.
    encoder.set_sep_def_img(true)?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&last.rgb)?;
    for (picture, ms) in frames.iter().zip(milliseconds(frames.len())) {
        writer.set_frame_delay(ms, 1000)?;
        writer.write_image_data(&picture.rgb)?;
    }
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::png::PngDecoder;
    use image::{AnimationDecoder, ImageDecoder};
    use std::fs::File;
    use std::io::BufReader;

    /// The mean distance of a value from the original when 256 colours stand for all; of 255.
    const GIF_TOLERANCE: f64 = 6.0;

    const SIDE: usize = 64;

    /// Thousands of colours, and another picture for every step.
    fn picture(step: usize) -> Picture {
        let pixel =
            |i: usize| [i % SIDE * 4, i / SIDE * 4, 100 + (i % SIDE + i / SIDE) / 4 + step].map(|v| v as u8);
        Picture { width: SIDE, height: SIDE, rgb: (0..SIDE * SIDE).flat_map(pixel).collect() }
    }

    /// As a run of `steps` steps makes it, and how many pictures were asked for.
    fn growth(steps: usize) -> (Animation, usize) {
        let (mut animation, mut made) = (Animation::new(), 0);
        for step in 1..=steps {
            animation.push(step, || {
                made += 1;
                picture(step)
            });
        }
        animation.finish(steps, picture(steps));
        (animation, made)
    }

    fn steps(animation: &Animation) -> Vec<usize> {
        animation.frames().iter().map(|frame| frame.step).collect()
    }

    /// The frames of a written file with their milliseconds.
    fn read(path: &Path) -> Vec<(Picture, u16)> {
        if path.extension().unwrap() == "gif" { read_gif(path) } else { read_png(path) }
    }

    fn read_gif(path: &Path) -> Vec<(Picture, u16)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
        assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let rgb = frame.buffer.chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect();
            let (width, height) = (usize::from(frame.width), usize::from(frame.height));
            frames.push((Picture { width, height, rgb }, frame.delay * 10));
        }
        frames
    }

    fn read_png(path: &Path) -> Vec<(Picture, u16)> {
        let decoder = PngDecoder::new(BufReader::new(File::open(path).unwrap())).unwrap();
        let (width, height) = (decoder.dimensions().0 as usize, decoder.dimensions().1 as usize);
        let frame = |frame: image::Frame| {
            let (ms, denominator) = frame.delay().numer_denom_ms();
            let rgb = image::DynamicImage::from(frame.into_buffer()).into_rgb8().into_raw();
            (Picture { width, height, rgb }, (ms / denominator) as u16)
        };
        decoder.apng().unwrap().into_frames().map(|read| frame(read.unwrap())).collect()
    }

    /// Mean distance of the values, of 255.
    fn distance(a: &Picture, b: &Picture) -> f64 {
        assert_eq!((a.width, a.height), (b.width, b.height));
        let sum: f64 = a.rgb.iter().zip(&b.rgb).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum();
        sum / a.rgb.len() as f64
    }

    /// The written file reads back as the same frames, in their order and with their times.
    fn check(name: &str, tolerance: f64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let (animation, _) = growth(40);
        animation.write(&path).unwrap();
        let frames = read(&path);
        assert_eq!(frames.len(), 40);
        for (i, (shown, ms)) in frames.iter().enumerate() {
            let off = distance(shown, &picture(i + 1));
            assert!(off <= tolerance, "{name}, frame {i}: {off}");
            assert_eq!(*ms, if i == 39 { LAST_FRAME_MS } else { FRAME_MS });
        }
    }

    #[test]
    fn a_gif_shows_every_frame_closely() {
        check("growth.gif", GIF_TOLERANCE);
    }

    #[test]
    fn an_animated_png_shows_every_frame_exactly() {
        check("growth.png", 0.0);
        check("growth.APNG", 0.0);
    }

    #[test]
    fn without_animated_png_the_finished_picture_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growth.png");
        growth(5).0.write(&path).unwrap();
        assert_eq!(crate::runs::read_picture(&path).unwrap(), picture(5));
    }

    #[test]
    fn a_long_run_is_thinned_evenly_and_ends_with_the_newest() {
        assert_eq!(steps(&growth(1).0), [1]);
        assert_eq!(steps(&growth(3).0), [1, 2, 3]);
        let (animation, made) = growth(1000);
        let shown: Vec<usize> = (0..63).map(|i| 1 + 16 * i).chain([1000]).collect();
        assert_eq!(steps(&animation), shown);
        assert!(made < 4 * MAX_FRAMES, "{made} pictures were made of 1000");
        for steps_taken in 60..300 {
            let shown = steps(&growth(steps_taken).0);
            assert!(
                shown.len() <= MAX_FRAMES && shown.is_sorted() && shown.ends_with(&[steps_taken]),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn the_end_can_be_set_again_and_be_followed() {
        let (mut animation, _) = growth(100);
        animation.finish(101, picture(101));
        let shown = steps(&animation);
        assert!(shown.ends_with(&[99, 101]), "{shown:?}");
        for step in 101..=200 {
            animation.push(step, || picture(step));
        }
        let shown = steps(&animation);
        assert!(shown.ends_with(&[193, 197]), "{shown:?}");
    }

    #[test]
    fn a_name_without_a_known_ending_is_refused() {
        for name in ["a.gif", "b/c.PNG", "d.apng"] {
            check_animation_path(Path::new(name)).unwrap();
        }
        for name in ["growth.mp4", "growth", "gif", ""] {
            let error = check_animation_path(Path::new(name)).unwrap_err().to_string();
            assert!(error.ends_with("it has to end in .gif, .png or .apng"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_an_animation_is_an_error_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let small = Picture { width: 1, height: 1, rgb: vec![0; 3] };
        let nothing = Picture { width: 0, height: 0, rgb: Vec::new() };
        let lie = Picture { width: SIDE, height: SIDE, rgb: vec![0; 3] };
        for pictures in [vec![], vec![picture(1), small], vec![nothing], vec![picture(1), lie]] {
            let mut animation = Animation::new();
            for (step, picture) in pictures.into_iter().enumerate() {
                animation.push(step, || picture);
            }
            for name in ["x.gif", "x.png"] {
                assert!(animation.write(&folder.path().join(name)).is_err());
            }
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
