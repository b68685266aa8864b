//! The sizes of pictures that a recipe makes with a network: which there are, which of them has a photograph's shape, and what
//! of a picture the network sees at once.

use trepang_api::{InputSize, Network};

use super::error::{Error, Result};
use super::picture::Picture;
use super::plan::Plan;
use super::recipe::Recipe;
use super::size::{AskedSize, PictureSize};
use super::transform::Transform;

/// The longest side of a picture that is seen in parts, in pixels: as much as anyone prints.
const MAX_SIDE: usize = 8192;

/// Checks that a network of these sizes can make a picture of this size by a recipe. Fails with a clause.
pub fn check_size(recipe: &Recipe, sizes: InputSize, size: PictureSize) -> Result<(), String> {
    check_largest(recipe, size).map_err(|error| error.to_string())?;
    let view = seen(recipe, sizes, size);
    view.sides().into_iter().try_for_each(|side| sizes.check(side))?;
    Transform::check_all(&recipe.transforms, [size.shorter(), view.shorter()])
}

/// The size of what the network sees at once of an image of this size. Fails where it cannot be.
pub(super) fn view_size(recipe: &Recipe, network: &Network, size: PictureSize) -> Result<PictureSize> {
    check_largest(recipe, size)?;
    let view = seen(recipe, network.input(), size);
    network.check_sides(view.height, view.width)?;
    Transform::check_all(&recipe.transforms, [size.shorter(), view.shorter()]).map_err(Error::Recipe)?;
    Ok(view)
}

fn check_largest(recipe: &Recipe, size: PictureSize) -> Result<()> {
    let side = size.longer();
    if sees_parts(recipe) && side > MAX_SIDE {
        return Err(Error::TooLarge { side, largest: MAX_SIDE });
    }
    Ok(())
}

/// Whether the network sees a picture in parts.
fn sees_parts(recipe: &Recipe) -> bool {
    recipe.octaves.is_some() || recipe.transforms.iter().any(Transform::is_crop)
}

fn seen(recipe: &Recipe, sizes: InputSize, size: PictureSize) -> PictureSize {
    if sees_parts(recipe) {
        PictureSize { width: size.width.min(sizes.native), height: size.height.min(sizes.native) }
    } else {
        size
    }
}

/// Bytes that a run takes at least on a network of these sizes: parameters, images and gradients, as `f32`. 0 for a size that
/// the network does not take, which is an error of its own.
pub fn least_memory(plan: &Plan, sizes: InputSize) -> u64 {
    if check_size(&plan.recipe, sizes, plan.size).is_err() {
        return 0;
    }
    let factors = [plan.recipe.images, 3, plan.size.width, plan.size.height, size_of::<f32>(), 3];
    factors.into_iter().fold(1, |bytes: u64, factor| bytes.saturating_mul(factor as u64))
}

/// The size of the picture that is asked for, with the shape of the start picture if there is one. Without a size that is asked
/// for, it is the start picture's own where the network takes that, or else the recipe's in its shape. The sides of a shape are
/// rounded to what the network takes.
pub fn fitted_size(
    asked: Option<AskedSize>,
    recipe: &Recipe,
    sizes: InputSize,
    start: Option<&Picture>,
) -> PictureSize {
    let fits = |size| check_size(recipe, sizes, size).is_ok();
    let own = || (sizes.native as f64 * recipe.canvas).round() as usize;
    match (asked, start.map(Picture::size)) {
        (Some(AskedSize::Sides(size)), _) => size,
        (Some(AskedSize::Longer(longer)), Some(shape)) => nearest_size(shape, longer, fits),
        (Some(AskedSize::Longer(longer)), None) => longer.into(),
        (None, Some(shape)) if fits(shape) => shape,
        (None, Some(shape)) => nearest_size(shape, own(), fits),
        (None, None) => own().into(),
    }
}

/// The size of a shape whose longer side has so many pixels, and whose shorter one is the nearest that fits. Where none does,
/// it is that of the shape, and whoever takes it says what is wrong.
pub(crate) fn nearest_size(
    shape: PictureSize,
    longer: usize,
    fits: impl Fn(PictureSize) -> bool,
) -> PictureSize {
    let wanted = shape.scaled(longer);
    // A longer side that does not fit is not made up for by the other.
    if !fits(longer.into()) {
        return wanted;
    }
    let others = (1..longer).flat_map(|by| {
        let shorter = [wanted.shorter().checked_sub(by), Some(wanted.shorter() + by)];
        shorter.into_iter().flatten().filter(|side| (1..=longer).contains(side))
    });
    let tried = std::iter::once(wanted.shorter()).chain(others.take(2 * MAX_SIDE));
    let mut sizes = tried.map(|shorter| shape.with_sides(longer, shorter));
    sizes.find(|size| fits(*size)).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: InputSize = InputSize { native: 64, min: 32, multiple: 16 };

    fn photo(width: usize, height: usize) -> Picture {
        Picture { width, height, rgb: Vec::new() }
    }

    fn fitted(asked: &str, recipe: &str, start: Option<&Picture>) -> String {
        let asked = (!asked.is_empty()).then(|| asked.parse().unwrap());
        fitted_size(asked, &Recipe::named(recipe).unwrap(), SIZES, start).to_string()
    }

    #[test]
    fn a_photograph_gives_the_shape_and_the_network_the_sides() {
        let (wide, high) = (photo(480, 320), photo(320, 480));
        for (asked, recipe, start, size) in [
            ("", "dream", Some(&wide), "480x320"),
            ("", "accentuate", Some(&high), "320x480"),
            ("", "caricature", Some(&wide), "480x320"),
            ("", "pixel", None, "64"),
            ("96", "pixel", None, "96"),
            ("96", "pixel", Some(&wide), "96x64"),
            ("96", "pixel", Some(&high), "64x96"),
            ("64", "pixel", Some(&wide), "64x48"),
            ("96x96", "dream", Some(&wide), "96"),
            ("240", "dream", Some(&wide), "240x160"),
            ("250", "dream", Some(&wide), "250x167"),
            ("48x32", "lucid", None, "48x32"),
        ] {
            assert_eq!(fitted(asked, recipe, start), size, "{asked} {recipe}");
        }
    }

    #[test]
    fn a_photograph_that_no_network_takes_keeps_its_shape() {
        assert_eq!(fitted("", "pixel", Some(&photo(100, 75))), "64x48");
        assert_eq!(fitted("", "pixel", Some(&photo(100, 100))), "64");
        assert_eq!(fitted("", "pixel", Some(&photo(1000, 10))), "64x32");
        // Larger than what the network sees at once, any size will do.
        assert_eq!(fitted("", "dream", Some(&photo(101, 77))), "101x77");
        // What cannot be is left to be refused.
        assert_eq!(fitted("90", "pixel", Some(&photo(480, 320))), "90x60");
        assert_eq!(fitted("99999999999", "pixel", Some(&photo(480, 320))), "99999999999x66666666666");
    }
}
