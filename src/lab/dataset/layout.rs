//! What names say: which files are pictures, and which class the folders of a data set say that they are of.

/// Folders that parts of a data set lie in: they name no class.
const SPLITS: [&str; 6] = ["train", "val", "valid", "validation", "test", "testing"];

/// The endings of files that are taken for pictures.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"];

/// Digits of a WordNet id.
const WNID_DIGITS: usize = 8;

/// The place of labels in the paths of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Folders before the one that names the class, if no folder is a WordNet id.
    before: usize,
    /// Whether the folder behind those is a split where it has a split's name.
    has_splits: bool,
}

impl Layout {
    /// The layout of pictures with these paths. A folder that all of them lie in is the data set's own, unless it is the
    /// only one: then it is the one class that there is.
    pub(super) fn of<'a>(files: impl Iterator<Item = &'a str> + Clone) -> Self {
        let shared = shared_folders(files.clone());
        let fewest = files.clone().map(|file| folders(file).count()).min().unwrap_or(0);
        let before = shared.min(fewest.saturating_sub(1));
        let mut behind = files.map(|file| {
            let mut folders = folders(file).skip(before);
            (folders.next().is_some_and(is_split), folders.next().is_some())
        });
        Self { before, has_splits: behind.all(|(split, deeper)| split && deeper) }
    }

    /// The name of the class that a picture with this path is of.
    pub(super) fn label(self, file: &str) -> Option<&str> {
        let wnid = folders(file).map(stem_of_tar).find(|folder| is_wnid(folder));
        let place = self.before + usize::from(self.has_splits);
        wnid.or_else(|| folders(file).nth(place).map(stem_of_tar))
    }
}

/// Whether this is a WordNet id of a noun: `n` and eight digits.
pub(super) fn is_wnid(text: &str) -> bool {
    let digits = text.strip_prefix('n').unwrap_or_default();
    digits.len() == WNID_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a file of this name is taken for a picture. Hidden files are not: some systems leave one beside each picture.
pub(super) fn is_picture_name(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(stem, ending)| (stem, ending.to_ascii_lowercase()));
    ending.is_some_and(|(stem, ending)| {
        !stem.is_empty() && !name.starts_with('.') && ENDINGS.contains(&&*ending)
    })
}

/// The folders of a path, from the outermost in.
fn folders(file: &str) -> impl Iterator<Item = &str> {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder.split('/').filter(|name| !name.is_empty() && *name != ".")
}

/// The original training set is a tar of tars, one a class.
fn stem_of_tar(folder: &str) -> &str {
    folder.strip_suffix(".tar").unwrap_or(folder)
}

fn is_split(folder: &str) -> bool {
    SPLITS.contains(&folder.to_ascii_lowercase().as_str())
}

/// Folders that all paths begin with.
fn shared_folders<'a>(mut files: impl Iterator<Item = &'a str>) -> usize {
    let Some(first) = files.next() else { return 0 };
    let first: Vec<&str> = folders(first).collect();
    files.fold(first.len(), |shared, file| {
        folders(file).zip(&first[..shared]).take_while(|(folder, other)| folder == *other).count()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels of paths.
    fn labels<'a>(files: &[&'a str]) -> Vec<Option<&'a str>> {
        let layout = Layout::of(files.iter().copied());
        files.iter().map(|file| layout.label(file)).collect()
    }

    #[test]
    fn wordnet_ids_are_found_at_any_depth() {
        let files = [
            "train/n01440764/a.JPEG",
            "n02321529/images/b.JPEG",
            "imagenette2/val/n03000684/c.JPEG",
            "n01440764.tar/n01440764_1.JPEG",
        ];
        assert_eq!(
            labels(&files),
            [Some("n01440764"), Some("n02321529"), Some("n03000684"), Some("n01440764")]
        );
        assert!(
            is_wnid("n02321529") && !is_wnid("n0232152") && !is_wnid("x02321529") && !is_wnid("nine8888x")
        );
    }

    #[test]
    fn a_class_is_the_first_folder_that_tells_pictures_apart() {
        assert_eq!(labels(&["cats/a.png", "dogs/big/b.png"]), [Some("cats"), Some("dogs")]);
        assert_eq!(labels(&["set/cats/a.png", "set/dogs/b.png"]), [Some("cats"), Some("dogs")]);
        assert_eq!(labels(&["x/y/cats/a.png", "x/y/dogs/b.png"]), [Some("cats"), Some("dogs")]);
        assert_eq!(labels(&["train/cats/a.png", "val/dogs/b.png"]), [Some("cats"), Some("dogs")]);
        assert_eq!(labels(&["set/train/cats/a.png", "set/Val/cats/b.png"]), [Some("cats"); 2]);
        assert_eq!(labels(&["train/a.png", "test/b.png"]), [Some("train"), Some("test")], "two classes");
    }

    #[test]
    fn one_class_is_a_class_and_a_flat_folder_has_none() {
        assert_eq!(labels(&["cats/a.png", "cats/b.png"]), [Some("cats"); 2]);
        assert_eq!(labels(&["set/cats/a.png", "set/cats/b.png"]), [Some("cats"); 2]);
        assert_eq!(labels(&["a.png", "b.png"]), [None; 2]);
        assert_eq!(labels(&["a.png", "cats/b.png"]), [None, Some("cats")]);
    }
}
