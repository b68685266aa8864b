//! The numbers of a parameterization, as recipes have them.

use serde::{Deserialize, Serialize};

use super::spectrum::Spectrum;

/// The meaning of the optimised numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// The network's own input space, bounded by -1 and 1 and saved as `uint8(255 (x + 1) / 2)` with its
    /// channels as they are. For a network trained on inputs of +-124 that shows 127.5 times the contrast the
    /// network saw, and where its channels are BGR it swaps red and blue: the recipe `original` keeps both exactly.
    Network,
    /// One number a pixel and channel: RGB in 0..1, or before a sigmoid.
    Pixel,
    /// Fourier coefficients, scaled by 1 / frequency^decay, so that a step changes all sizes alike (lucid's `fft_image`).
    Fourier,
    /// A sum of images of 1, 1/2, 1/4... of the size (lucid's `laplacian_pyramid`).
    Laplacian,
    /// Phases; the magnitudes are those of natural images (`MaCo`, Fel et al. 2023).
    Maco,
}

/// The parameterization of a recipe: what is optimised, and with which numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParamSpec {
    /// The meaning of the optimised numbers.
    pub kind: ParamKind,
    /// Whether values go through a sigmoid. Those of `pixel` need not: they are then clipped to 0..1 after every step.
    #[serde(default)]
    pub sigmoid: bool,
    /// Whether the three planes are decorrelated colours instead of R, G, B.
    #[serde(default)]
    pub decorrelated: bool,
    /// With an alpha channel, how much the share of the image that is opaque counts against the objective: it is raised
    /// times 1 - alpha mean(alpha). 0 is no alpha channel.
    #[serde(default)]
    pub alpha: f64,
    /// The strength of the noise in a start picture of pixels without a sigmoid: 1 is uniform over all levels.
    #[serde(default = "one")]
    pub noise: f64,
    /// The standard deviation of the start's numbers where there is a sigmoid.
    #[serde(default = "hundredth")]
    pub sd: f64,
    /// `fourier`: how fast amplitudes fall with frequency.
    #[serde(default = "one")]
    pub decay: f64,
    /// `laplacian`: how many sizes.
    #[serde(default = "four")]
    pub levels: usize,
    /// `maco`: other magnitudes than the embedded ones, as `trepang spectrum` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spectrum: Option<Spectrum>,
}

fn one() -> f64 {
    1.0
}

fn hundredth() -> f64 {
    0.01
}

fn four() -> usize {
    4
}

impl ParamSpec {
    /// Tells whether the image has an alpha channel.
    pub fn has_alpha(&self) -> bool {
        self.alpha > 0.0
    }

    /// Planes of values, colours and perhaps alpha.
    pub(super) fn planes(&self) -> usize {
        if self.has_alpha() { 4 } else { 3 }
    }

    /// Tells whether a random start begins from a noise picture, and not from random numbers.
    pub(super) fn starts_from_levels(&self) -> bool {
        matches!(self.kind, ParamKind::Network | ParamKind::Pixel) && !self.sigmoid
    }

    /// Checks that the numbers go together. Fails with one sentence.
    pub fn check(&self) -> Result<(), String> {
        let plain = matches!(self.kind, ParamKind::Network | ParamKind::Pixel);
        let (free, is_maco) = (!self.sigmoid, self.kind == ParamKind::Maco);
        let is_sound = [self.sd, self.noise, self.alpha].iter().all(|v| (0.0..=1000.0).contains(v));
        let wrong = if self.kind == ParamKind::Network && self.sigmoid {
            "the kind \"network\" has no sigmoid"
        } else if free && !plain {
            "needs sigmoid = true: only pixels can be clipped instead"
        } else if free && self.decorrelated {
            "decorrelated colours need sigmoid = true"
        } else if free && self.has_alpha() {
            "an alpha channel needs sigmoid = true"
        } else if is_maco && self.has_alpha() {
            "the kind \"maco\" has no alpha channel"
        } else if !is_sound {
            "sd, noise and alpha must be 0 to 1000"
        } else if !(-16.0..=16.0).contains(&self.decay) {
            "decay must be -16 to 16"
        } else if !(1..=8).contains(&self.levels) {
            "levels must be 1 to 8"
        } else {
            return self.spectrum.as_ref().map_or(Ok(()), Spectrum::check);
        };
        Err(format!("param: {wrong}"))
    }
}
