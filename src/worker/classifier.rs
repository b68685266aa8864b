//! The classification of a picture: it is brought to the network's size and run, and the classes with the highest logits
//! are returned. Not here: files, flags and printing.

use image::RgbImage;
use image::imageops::{self, FilterType};
use serde::Serialize;
use trepang_api::{Array, LayerId, Model, Network};
use trepang_weights::{Labels, sha256};

use super::error::{Error, Result};
use crate::engine::Picture;

/// A picture may be so many times as long as it is short: beyond that, its middle square shows nothing of it.
const MAX_ASPECT_RATIO: usize = 50;

/// A class and how strongly the network sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassLogit {
    /// The class's index among the logits.
    pub class: usize,
    /// The class's WordNet id.
    pub wnid: String,
    /// The class's WordNet lemmas, separated by commas.
    pub label: String,
    /// The class's share of the softmax, in 0..1; the sigmoid of the logit if it is the only one.
    pub probability: f64,
    /// The class's logit.
    pub logit: f32,
}

/// The way in which a picture is brought to the network's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// The way the networks' accuracies are measured: the shorter side becomes 8/7 of the network's size (256 for 224),
    /// and the middle is cut out.
    Crop,
    /// It must have a size that the classifier takes already.
    Exact,
    /// As it is if it has the network's own size, and else as [`Framing::Crop`].
    Fitting,
}

/// The meaning of a network's logits. The model that computes them comes with each picture: it may have other work too.
#[derive(Debug, Clone)]
pub(super) struct ClassifierHead {
    network: Network,
    labels: Labels,
    logits: LayerId,
    /// The SHA-256 of its weights; empty where that is not known.
    weights_sha256: String,
}

impl ClassifierHead {
    /// Fails for a network whose last layer does not give logits.
    pub(super) fn new(network: Network, labels: Labels) -> Result<Self> {
        let Some(logits) = network.logits() else {
            return Err(Error::NoClassifier { network: network.name().into() });
        };
        Ok(Self { network, labels, logits, weights_sha256: String::new() })
    }

    /// The same, of weights with this SHA-256.
    #[must_use]
    pub(super) fn of_weights(self, weights_sha256: String) -> Self {
        Self { weights_sha256, ..self }
    }

    /// The classifier in a text that is equal only where the same classes are seen and named alike; none where the weights are not
    /// known.
    pub(super) fn identity(&self) -> Option<String> {
        let labels = sha256(self.labels.names().join("\n").as_bytes());
        let known = !self.weights_sha256.is_empty();
        known.then(|| {
            format!("{} {} {:?} {labels}", self.network.name(), self.weights_sha256, self.network.input())
        })
    }

    /// The `count` classes to which `model`, which runs this network, gives the highest logits, highest first.
    pub(super) fn classify(
        &self,
        model: &mut dyn Model,
        picture: &Picture,
        framing: Framing,
        count: usize,
    ) -> Result<Vec<ClassLogit>> {
        let picture = frame_picture(&self.network, picture, framing)?;
        let logits = model.activations(&picture_array(&picture)?, &[self.logits])?;
        let logits = logits.first().ok_or(Error::NoLogits)?;
        if logits.data().iter().any(|logit| !logit.is_finite()) {
            return Err(Error::NotFinite);
        }
        Ok(top(&self.labels, logits.data(), count))
    }
}

/// A network with a classifier, on a device of its own.
#[derive(Debug)]
pub struct Classifier {
    head: ClassifierHead,
    model: Box<dyn Model>,
}

impl Classifier {
    /// Fails for a network whose last layer does not give logits.
    pub fn new(network: Network, labels: Labels, model: Box<dyn Model>) -> Result<Self> {
        Ok(Self { head: ClassifierHead::new(network, labels)?, model })
    }

    /// The same classifier, of weights with this SHA-256.
    #[must_use]
    pub fn of_weights(self, sha256: String) -> Self {
        Self { head: self.head.of_weights(sha256), ..self }
    }

    pub(super) fn identity(&self) -> Option<String> {
        self.head.identity()
    }

    /// The `count` classes with the highest logits, highest first.
    pub fn classify(&mut self, picture: &Picture, framing: Framing, count: usize) -> Result<Vec<ClassLogit>> {
        self.head.classify(self.model.as_mut(), picture, framing, count)
    }
}

/// The picture at a size that the network's classifier takes. Fails for a network without one, and for a picture that
/// cannot be brought to such a size.
pub fn frame_picture(network: &Network, picture: &Picture, framing: Framing) -> Result<Picture> {
    let Some(logits) = network.logits() else {
        return Err(Error::NoClassifier { network: network.name().into() });
    };
    let native = network.input().native;
    if framing == Framing::Exact {
        let fits = |side| network.check_size(side).is_ok();
        let shape = network.shape(picture.height, picture.width, logits);
        if shape.is_ok() && fits(picture.height) && fits(picture.width) {
            return Ok(picture.clone());
        }
        let (network, width, height) = (network.name().into(), picture.width, picture.height);
        return Err(Error::PictureSize { network, native, width, height });
    }
    match framing {
        Framing::Fitting => fit_picture(native, picture),
        Framing::Crop | Framing::Exact => crop(picture, native),
    }
}

/// The picture at a network's own size, `native`, also for one without a classifier: as it is if it has that size, and else
/// cropped. Fails for a picture that cannot be brought to it.
pub fn fit_picture(native: usize, picture: &Picture) -> Result<Picture> {
    if (picture.width, picture.height) == (native, native) {
        return Ok(picture.clone());
    }
    crop(picture, native)
}

/// Resized with antialiasing so that the shorter side is 8/7 of `native`, and cropped to `native` square: torchvision's
/// `Resize` and `CenterCrop`, roundings included.
fn crop(picture: &Picture, native: usize) -> Result<Picture> {
    let (width, height) = (picture.width, picture.height);
    if width == 0 || height == 0 {
        return Err(Error::NoPixels);
    }
    if width.max(height) / width.min(height) > MAX_ASPECT_RATIO {
        return Err(Error::TooThin { width, height });
    }
    let short = (native * 8 + 3) / 7;
    let scaled = |side: usize| (side * short / width.min(height)) as u32;
    let (width, height) = (scaled(width), scaled(height));
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone())
        .ok_or(Error::NoPixels)?;
    let image = imageops::resize(&image, width, height, FilterType::Triangle);
    let native = native as u32;
    // Python rounds halves to the even number.
    let margin = |side: u32| (f64::from(side - native) / 2.0).round_ties_even() as u32;
    let cropped = imageops::crop_imm(&image, margin(width), margin(height), native, native).to_image();
    Ok(Picture { width: native as usize, height: native as usize, rgb: cropped.into_raw() })
}

/// The picture as `[1, 3, H, W]` in 0..1.
pub fn picture_array(picture: &Picture) -> Result<Array> {
    let planes = (0..3).flat_map(|c| picture.rgb.iter().skip(c).step_by(3));
    let data = planes.map(|&byte| f32::from(byte) / 255.0).collect();
    Ok(Array::new([1, 3, picture.height, picture.width], data)?)
}

/// The highest logits with their share of the softmax over all; of a single logit, its sigmoid.
fn top(labels: &Labels, logits: &[f32], count: usize) -> Vec<ClassLogit> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: f32| f64::from(logit - highest).exp();
    let total: f64 = logits.iter().copied().map(weight).sum();
    // One logit tells between two classes, of which the other has none.
    let total = if logits.len() == 1 { total + f64::from(-highest).exp() } else { total };
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    let class = |class: usize| {
        let label = labels.get(class);
        ClassLogit {
            class,
            wnid: label.map(|label| label.wnid.clone()).unwrap_or_default(),
            label: label.map_or_else(|| format!("class {class}"), |label| label.name.clone()),
            probability: weight(logits[class]) / total,
            logit: logits[class],
        }
    };
    order.into_iter().take(count).map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_come_first_and_their_shares_are_the_softmaxs() {
        let labels = Labels::parse("0\tn0\ta\n1\tn1\tb\n2\tn2\tc\n").unwrap();
        let classes = top(&labels, &[1.0, 1000.0, 1000.0 + 3_f32.ln()], 2);
        assert_eq!(classes.iter().map(|class| &*class.label).collect::<Vec<_>>(), ["c", "b"]);
        assert!((classes[0].probability - 0.75).abs() < 1e-4, "{classes:?}");
    }

    #[test]
    fn a_single_logit_has_the_probability_of_its_sigmoid() {
        for (logit, sigmoid) in [(0.0, 0.5), (1.5728, 0.828_18), (-200.0, 0.0)] {
            let class = &top(&Labels::numbers(1), &[logit], 5)[0];
            assert!((class.probability - sigmoid).abs() < 1e-5 && class.label == "0", "{class:?}");
        }
    }

    #[test]
    fn a_crop_is_the_middle_of_the_resized_picture() {
        // Left third black, middle gray, right white: 700x256 becomes 700x256, and its middle 224 are gray.
        let row = |x: usize| [0_u8, 128, 255][x * 3 / 700];
        let rgb = (0..256).flat_map(|_| (0..700).flat_map(|x| [row(x); 3])).collect();
        let picture = crop(&Picture { width: 700, height: 256, rgb }, 224).unwrap();
        assert_eq!((picture.width, picture.height), (224, 224));
        assert!(picture.rgb.iter().all(|&byte| byte == 128));
    }
}
