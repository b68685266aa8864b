//! What `trepang render` says of the pictures that it is given: which part of each it uses, and at which size.

use crate::engine::{Picture, PictureSize, Pictures, Plan};

/// A sentence for each picture that is not used as it is: its middle part of the run's shape is cut out, and scaled to the run's
/// size.
pub(super) fn remarks(plan: &Plan, pictures: &Pictures) -> Vec<String> {
    let remark = |(file, picture): (&String, &Picture)| {
        let (Picture { width, height, .. }, part) = (picture, picture.part_of(plan.size));
        let sides = |size: PictureSize| format!("{}x{}", size.width, size.height);
        let crop = (part != picture.size()).then(|| format!("cropped to its middle {}", sides(part)));
        let scale = (part != plan.size).then(|| format!("scaled to {}", sides(plan.size)));
        let done: Vec<String> = crop.into_iter().chain(scale).collect();
        (!done.is_empty()).then(|| format!("{file}, {width}x{height}, is {}", done.join(" and ")))
    };
    pictures.iter().filter_map(remark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Objective, Recipe};

    #[test]
    fn a_picture_is_told_of_only_if_it_is_cut_or_scaled() {
        let plan = Plan::new(Objective::channel("a", 1), Recipe::named("lucid").unwrap(), 224);
        let told = |width, height| {
            let picture = Picture { width, height, rgb: Vec::new() };
            remarks(&plan, &Pictures::from([("p.png".to_owned(), picture)])).join("; ")
        };
        assert_eq!(told(480, 320), "p.png, 480x320, is cropped to its middle 320x320 and scaled to 224x224");
        assert_eq!(told(224, 300), "p.png, 224x300, is cropped to its middle 224x224");
        assert_eq!(told(64, 64), "p.png, 64x64, is scaled to 224x224");
        assert_eq!(told(224, 224), "");
        let wide = Plan { size: PictureSize { width: 96, height: 64 }, ..plan.clone() };
        let told = |width, height| {
            let picture = Picture { width, height, rgb: Vec::new() };
            remarks(&wide, &Pictures::from([("p.png".to_owned(), picture)])).join("; ")
        };
        assert_eq!(told(96, 64), "");
        assert_eq!(told(480, 320), "p.png, 480x320, is scaled to 96x64");
        assert_eq!(told(320, 320), "p.png, 320x320, is cropped to its middle 320x213 and scaled to 96x64");
    }
}
