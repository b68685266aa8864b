//! The transforms of a copy of the image before the network sees it, drawn anew for every step and view: lucid's transforms
//! (`optvis/transform.py`), `MaCo`'s crops, blur and noise. Linear ones have their adjoint here. Never the parameters.

mod blur;
mod placed;

use serde::{Deserialize, Serialize};
use trepang_api::ComputePool;

pub(super) use self::placed::PlacedViews;
use super::resample::{Affine, Edge, Places};
use super::rng::{SeededRng, Stream};

/// The most transforms of a recipe.
pub(super) const MAX_TRANSFORMS: usize = 64;

/// The most factors or angles that one is drawn from.
const MAX_CHOICES: usize = 1000;

/// The most pixels of padding or jitter.
const MAX_SHIFT: usize = 4096;

/// The level of what surrounds the image.
const GRAY: f32 = 0.5;

/// One transform. Those that move pixels are composed to one map, so that each pixel is interpolated once; blur and noise
/// come after them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// Pads the image with so many pixels of gray on each side.
    Pad(usize),
    /// Cuts out a window so many pixels smaller, anywhere.
    Jitter(usize),
    /// Scales the image by one of these factors.
    Scale(Vec<f64>),
    /// Scales the image by a factor between these two.
    Zoom([f64; 2]),
    /// Rotates the image by one of these angles, in degrees.
    Rotate(Vec<f64>),
    /// Rotates the image by an angle between these two, in degrees.
    Turn([f64; 2]),
    /// Exchanges left and right with this probability.
    Flip(f64),
    /// Cuts out a part of the image, enlarged or reduced to what the network sees.
    Crop(Crop),
    /// Blurs the image with a Gaussian of a deviation between these two, in pixels.
    Blur([f64; 2]),
    /// Adds noise: the deviation of its Gaussian part, and the half width of its uniform part.
    Noise([f64; 2]),
}

/// A random part of the shape that the network sees. All numbers are shares of the largest such part's sides: of a square
/// image, of its side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// The mean side of the part at the first step.
    pub from: f64,
    /// The mean side of the part at the last step.
    pub to: f64,
    /// The standard deviation of the side.
    pub sd: f64,
    /// The smallest side.
    pub least: f64,
    /// The standard deviation of the part's middle from the image's, as a share of the image's sides.
    pub away: f64,
}

/// The step that something is drawn for, and the run that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepContext {
    /// The run's seed.
    pub seed: u64,
    /// The step, counted from 1; 0 is for what belongs to no step.
    pub step: usize,
    /// The share of the run's steps that lies before it.
    pub progress: f64,
}

/// The map from an image to one view of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draw {
    map: Affine,
    edge: Edge,
    blur: Option<f64>,
    noise: [f64; 2],
}

/// The maps from the images to all views of one step, and the size of the views.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Views {
    pub(super) draws: Vec<Draw>,
    /// The rows and columns of a view.
    pub(super) view: [usize; 2],
    /// The source of the noise.
    context: StepContext,
}

impl Transform {
    /// Checks the transform's numbers. Fails with one sentence.
    pub fn check(&self) -> Result<(), String> {
        let factor = |v: &f64| (0.01..=100.0).contains(v);
        let angle = |v: &f64| (-3600.0..=3600.0).contains(v);
        let share = |v: &f64| (0.0..=1.0).contains(v);
        let strength = |v: &f64| (0.0..=64.0).contains(v);
        let is_list = |list: &[f64]| (1..=MAX_CHOICES).contains(&list.len());
        let (is_sound, needed) = match self {
            Self::Pad(pixels) => (*pixels <= MAX_SHIFT, "pad must be 0 to 4096 pixels"),
            Self::Jitter(pixels) => (*pixels <= MAX_SHIFT, "jitter must be 0 to 4096 pixels"),
            Self::Scale(factors) => (
                is_list(factors) && factors.iter().all(factor),
                "scale must be 1 to 1000 factors of 0.01 to 100",
            ),
            Self::Zoom(range) => (
                range.iter().all(factor) && range[0] <= range[1],
                "zoom must be two factors of 0.01 to 100, the smaller one first",
            ),
            Self::Rotate(degrees) => (
                is_list(degrees) && degrees.iter().all(angle),
                "rotate must be 1 to 1000 angles of -3600 to 3600 degrees",
            ),
            Self::Turn(range) => (
                range.iter().all(angle) && range[0] <= range[1],
                "turn must be two angles of -3600 to 3600 degrees, the smaller one first",
            ),
            Self::Flip(probability) => (share(probability), "flip must be 0 to 1"),
            Self::Crop(Crop { from, to, sd, least, away }) => (
                [from, to, least].into_iter().all(|v| share(v) && *v > 0.0) && share(sd) && share(away),
                "crop must have from, to and least above 0 and up to 1, and sd and away of 0 to 1",
            ),
            Self::Blur(range) => (
                range.iter().all(strength) && range[0] <= range[1],
                "blur must be two deviations of 0 to 64 pixels, the smaller one first",
            ),
            Self::Noise(parts) => (parts.iter().all(strength), "noise must be two strengths of 0 to 64"),
        };
        if is_sound { Ok(()) } else { Err(format!("transforms: {needed}")) }
    }

    /// Checks that the transforms, one after the other, leave some of an image whose shorter side has `side` pixels, of which
    /// views of at least `view` pixels are drawn. Fails with one sentence.
    pub(super) fn check_all(transforms: &[Self], [side, view]: [usize; 2]) -> Result<(), String> {
        let mut least = side as f64;
        for transform in transforms {
            least = match transform {
                Self::Pad(pixels) => least + 2.0 * *pixels as f64,
                Self::Jitter(pixels) if *pixels as f64 >= least => {
                    return Err(format!("transforms: a jitter of {pixels} leaves nothing of {least} pixels"));
                }
                Self::Jitter(pixels) => least - *pixels as f64,
                Self::Scale(factors) => scaled(least, factors.iter().copied().fold(f64::MAX, f64::min)),
                Self::Zoom([low, _]) => scaled(least, *low),
                Self::Crop(_) => view as f64,
                Self::Rotate(_) | Self::Turn(_) | Self::Flip(_) | Self::Blur(_) | Self::Noise(_) => least,
            };
        }
        Ok(())
    }

    /// Tells whether it chooses a part of the image, so that the network sees less than all.
    pub fn is_crop(&self) -> bool {
        matches!(self, Self::Crop(_))
    }
}

impl Views {
    /// `count` views of `view` rows and columns of an image of `image`.
    pub(super) fn draw(
        transforms: &[Transform],
        count: usize,
        [image, view]: [[usize; 2]; 2],
        context: StepContext,
    ) -> Self {
        let one = |index: usize| {
            let mut rng = SeededRng::new(context.seed, Stream::View { step: context.step, view: index });
            Draw::new(transforms, [image, view], context.progress, &mut rng)
        };
        Self { draws: (0..count).map(one).collect(), view, context }
    }

    /// Tiles of `view` rows and columns that cover an image of `image`, shifted by a random distance and wrapped around: what
    /// octaves larger than the network's input are seen through.
    pub(super) fn tiles([image, view]: [[usize; 2]; 2], context: StepContext) -> Self {
        let mut rng = SeededRng::new(context.seed, Stream::Tiles { step: context.step });
        let rolled = image.map(|side| rng.below(side) as f64);
        let tiles = [0, 1].map(|axis| image[axis].div_ceil(view[axis]));
        // Evenly spread: a last tile that sticks out overlaps its neighbours instead of being left out.
        let at = |axis: usize, tile: usize| rolled[axis] + (tile * image[axis] / tiles[axis]) as f64;
        let draw = |index: usize| Draw {
            map: Affine { shift: [at(0, index / tiles[1]), at(1, index % tiles[1])], ..Affine::IDENTITY },
            edge: Edge::Wrap,
            blur: None,
            noise: [0.0; 2],
        };
        Self { draws: (0..tiles[0] * tiles[1]).map(draw).collect(), view, context }
    }

    /// The places of the views' pixels in images of these rows and columns.
    pub(super) fn place(self, image: [usize; 2], pool: &dyn ComputePool) -> PlacedViews {
        PlacedViews::new(self, image, pool)
    }
}

impl Draw {
    fn new(
        transforms: &[Transform],
        [image, view]: [[usize; 2]; 2],
        progress: f64,
        rng: &mut SeededRng,
    ) -> Self {
        let mut canvas = Canvas { sides: image.map(|side| side as f64), map: Affine::IDENTITY };
        let mut draw = Self { map: Affine::IDENTITY, edge: Edge::Fill(GRAY), blur: None, noise: [0.0; 2] };
        for transform in transforms {
            // Those that move pixels; blur and noise move none.
            canvas.take(transform, view, progress, rng);
            if let Transform::Blur([low, high]) = transform {
                draw.blur = Some(rng.between(*low, *high));
            }
            if let Transform::Noise(noise) = transform {
                draw.noise = *noise;
            }
        }
        // Whole pixels, so that what is only shifted stays as sharp as it was.
        let shift = [0, 1].map(|axis| ((canvas.sides[axis] - view[axis] as f64) / 2.0).floor());
        draw.map = Affine { shift, ..Affine::IDENTITY }.then(canvas.map);
        draw
    }

    /// The places of a view's pixels in an image; none if the view is the image.
    fn places(&self, image: [usize; 2], view: [usize; 2]) -> Option<Places> {
        let is_whole = self.map == Affine::IDENTITY && image == view;
        (!is_whole).then(|| Places::new(view, image, self.map, self.edge))
    }
}

/// An image on its way through transforms: its rows and columns, and where its pixels lie in the first image.
struct Canvas {
    sides: [f64; 2],
    map: Affine,
}

impl Canvas {
    fn take(&mut self, transform: &Transform, view: [usize; 2], progress: f64, rng: &mut SeededRng) {
        match transform {
            Transform::Pad(pixels) => {
                self.shift([-(*pixels as f64); 2]);
                self.sides = self.sides.map(|side| side + 2.0 * *pixels as f64);
            }
            Transform::Jitter(pixels) => {
                let offset = [rng.below(pixels + 1) as f64, rng.below(pixels + 1) as f64];
                self.shift(offset);
                self.sides = self.sides.map(|side| side - *pixels as f64);
            }
            Transform::Scale(factors) => self.scale(factors[rng.below(factors.len())]),
            Transform::Zoom([low, high]) => self.scale(rng.between(*low, *high)),
            Transform::Rotate(degrees) => self.rotate(degrees[rng.below(degrees.len())]),
            Transform::Turn([low, high]) => self.rotate(rng.between(*low, *high)),
            Transform::Flip(share) => {
                if rng.uniform() < *share {
                    let mirror =
                        Affine { matrix: [[1.0, 0.0], [0.0, -1.0]], shift: [0.0, self.sides[1] - 1.0] };
                    self.map = mirror.then(self.map);
                }
            }
            Transform::Crop(crop) => self.crop(*crop, view, progress, rng),
            Transform::Blur(_) | Transform::Noise(_) => {}
        }
    }

    fn shift(&mut self, by: [f64; 2]) {
        self.map = Affine { shift: by, ..Affine::IDENTITY }.then(self.map);
    }

    fn scale(&mut self, factor: f64) {
        let sides = self.sides.map(|side| scaled(side, factor));
        let whole = |sides: [f64; 2]| sides.map(|side| side as usize);
        self.map = Affine::resize(whole(self.sides), whole(sides)).then(self.map);
        self.sides = sides;
    }

    fn rotate(&mut self, degrees: f64) {
        if degrees == 0.0 {
            return;
        }
        let (sin, cos) = degrees.to_radians().sin_cos();
        let matrix = [[cos, -sin], [sin, cos]];
        let middle = self.sides.map(|side| (side - 1.0) / 2.0);
        let turned = Affine { matrix, shift: [0.0; 2] }.apply(middle);
        self.map = Affine { matrix, shift: [middle[0] - turned[0], middle[1] - turned[1]] }.then(self.map);
    }

    fn crop(&mut self, crop: Crop, view: [usize; 2], progress: f64, rng: &mut SeededRng) {
        let mean = crop.from + (crop.to - crop.from) * progress;
        let share = (mean + crop.sd * rng.normal()).clamp(crop.least, 1.0);
        let view = view.map(|side| side as f64);
        // The axis along which the largest part of the view's shape fills the image.
        let full = usize::from(self.sides[0] * view[1] > self.sides[1] * view[0]);
        let side = share * self.sides[full];
        let mut corner = |axis: usize| {
            let (all, part) = (self.sides[axis], side * (view[axis] / view[full]));
            let middle = 0.5 + crop.away * rng.normal();
            (middle * all - part / 2.0).clamp(0.0, (all - part).max(0.0))
        };
        let (top, left) = (corner(0), corner(1));
        let scale = side / view[full];
        let edge = |corner: f64| corner + 0.5 * scale - 0.5;
        let map = Affine { matrix: [[scale, 0.0], [0.0, scale]], shift: [edge(top), edge(left)] };
        self.map = map.then(self.map);
        self.sides = view;
    }
}

/// An image's side at another scale: whole pixels, and at least one.
fn scaled(side: f64, factor: f64) -> f64 {
    (side * factor).round().max(1.0)
}

#[cfg(test)]
mod tests;
