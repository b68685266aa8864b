//! Data sets as people have them on their disks: which files are pictures, in which order, and what each is labelled. Not
//! here: decoding pictures, and what labels mean to a network.

mod layout;
mod pictures_of;
mod table;
mod tar_file;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use layout::Layout;
use table::LabelTable;

/// A label as a data set gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataLabel {
    /// A WordNet id, such as `n02321529`.
    Wnid(String),
    /// An index of the network's classes. Only a file of labels gives those.
    Index(usize),
    /// A name, such as that of an own folder.
    Name(String),
}

/// The bytes of a picture: a file, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PictureBytes {
    /// A file of its own.
    File(PathBuf),
    /// An entry of a tar file.
    Inside { archive: PathBuf, start: u64, length: u64 },
}

/// A picture of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPicture {
    /// The path in the data set, with slashes: the key of the picture.
    pub file: String,
    /// The label; none where the data set has none.
    pub label: Option<DataLabel>,
    /// The size of the file, in bytes.
    pub size: u64,
    bytes: PictureBytes,
}

/// The pictures of a data set, by path, so that their order is the same on every disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// The pictures that were found.
    pub pictures: Vec<DataPicture>,
    /// Lines of the file of labels that name no picture.
    pub unmatched: usize,
}

impl DataLabel {
    /// A WordNet id where the text is one, and else a name.
    fn of_folder(text: &str) -> Self {
        if layout::is_wnid(text) { Self::Wnid(text.into()) } else { Self::Name(text.into()) }
    }

    /// The label as text.
    pub fn text(&self) -> String {
        match self {
            Self::Wnid(text) | Self::Name(text) => text.clone(),
            Self::Index(index) => index.to_string(),
        }
    }
}

impl DataSet {
    /// Finds the pictures of a folder or of a tar file. Labels come from the file `labels`, if there is one, and else from
    /// the folders that pictures lie in. Fails where there is no picture, and where the file of labels names none of them.
    pub fn open(place: &Path, labels: Option<&Path>) -> Result<Self> {
        let mut found = pictures_of::find(place)?;
        if found.is_empty() {
            return Err(Error::NoPictures { place: place.into() });
        }
        found.sort_by(|a, b| a.file.cmp(&b.file));
        let Some(labels) = labels else {
            let layout = Layout::of(found.iter().map(|picture| picture.file.as_str()));
            for picture in &mut found {
                picture.label = layout.label(&picture.file).map(DataLabel::of_folder);
            }
            return Ok(Self { pictures: found, unmatched: 0 });
        };
        let table = LabelTable::read(labels)?;
        let unmatched = table.label(&mut found);
        if found.iter().all(|picture| picture.label.is_none()) {
            return Err(Error::NoLabelMatches { labels: labels.into(), place: place.into() });
        }
        Ok(Self { pictures: found, unmatched })
    }

    /// The data set's identity as text: every picture's path, size and label, one a line. Where this is the same, so are
    /// the pictures, as far as can be told without reading them.
    pub fn listing(&self) -> String {
        let line = |picture: &DataPicture| {
            let label = picture.label.as_ref().map(DataLabel::text).unwrap_or_default();
            format!("{}\t{}\t{label}\n", picture.file, picture.size)
        };
        self.pictures.iter().map(line).collect()
    }

    /// The number of pictures without a label.
    pub fn unlabelled(&self) -> usize {
        self.pictures.iter().filter(|picture| picture.label.is_none()).count()
    }
}

impl DataPicture {
    fn new(file: String, size: u64, bytes: PictureBytes) -> Self {
        Self { file, label: None, size, bytes }
    }

    /// The whole file's bytes. Fails for a file that is longer than `limit`.
    pub fn read(&self, limit: u64) -> io::Result<Vec<u8>> {
        let (mut file, length) = match &self.bytes {
            PictureBytes::File(path) => {
                let file = File::open(path)?;
                let meta = file.metadata()?;
                if !meta.is_file() {
                    return Err(io::Error::other("it is not a regular file"));
                }
                (file, meta.len())
            }
            PictureBytes::Inside { archive, start, length } => {
                let mut file = File::open(archive)?;
                file.seek(SeekFrom::Start(*start))?;
                (file, *length)
            }
        };
        if length > limit {
            return Err(io::Error::other(format!("it has {length} bytes, more than {limit}")));
        }
        let mut bytes = Vec::new();
        file.by_ref().take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with these files, each with a few bytes in it.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        root
    }

    fn labels(set: &DataSet) -> Vec<(&str, String)> {
        let label =
            |picture: &DataPicture| picture.label.as_ref().map_or_else(|| "-".into(), DataLabel::text);
        set.pictures.iter().map(|picture| (picture.file.as_str(), label(picture))).collect()
    }

    fn named(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(file, label)| (*file, (*label).into())).collect()
    }

    #[test]
    fn pictures_come_by_path_with_the_labels_of_their_folders() {
        let root = folder(&["b/2.png", "a/1.JPEG", "a/notes.txt", "a/.hidden.png", "c/x.webp"]);
        let set = DataSet::open(root.path(), None).unwrap();
        assert_eq!(labels(&set), named(&[("a/1.JPEG", "a"), ("b/2.png", "b"), ("c/x.webp", "c")]));
        assert_eq!(set.pictures[0].read(99).unwrap(), b"a/1.JPEG");
        assert!(set.pictures[0].read(3).unwrap_err().to_string().contains("more than 3"));
        assert_eq!(set.listing().lines().next(), Some("a/1.JPEG\t8\ta"));
    }

    #[test]
    fn a_file_of_labels_goes_before_folders() {
        let root = folder(&["val/ILSVRC2012_val_00000001.JPEG", "val/ILSVRC2012_val_00000002.JPEG"]);
        let table = root.path().join("labels.csv");
        let text =
            "ImageId,PredictionString\nILSVRC2012_val_00000002,n01978287 240 170 260 240\nnone.png,n1\n";
        fs::write(&table, text).unwrap();
        let set = DataSet::open(root.path(), Some(&table)).unwrap();
        assert_eq!(set.pictures[1].label, Some(DataLabel::Wnid("n01978287".into())));
        assert_eq!((set.unlabelled(), set.unmatched), (1, 1));
        fs::write(&table, "a.png n01978287\n").unwrap();
        let error = DataSet::open(root.path(), Some(&table)).unwrap_err().to_string();
        assert!(error.contains("names none of the pictures"), "{error}");
    }

    #[test]
    fn a_place_without_pictures_is_told() {
        let root = folder(&["notes.txt"]);
        let told = |place: &Path| DataSet::open(place, None).unwrap_err().to_string();
        assert!(told(root.path()).contains("holds no picture"));
        assert!(told(&root.path().join("notes.txt")).contains("neither a folder nor a tar file"));
        assert!(told(&root.path().join("nowhere")).contains("nowhere"));
    }

    #[test]
    fn a_tar_file_is_read_where_it_lies() {
        let root = tempfile::tempdir().unwrap();
        let tar = |files: &[(&str, &[u8])]| {
            let mut builder = tar::Builder::new(Vec::new());
            for (name, bytes) in files {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, name, *bytes).unwrap();
            }
            builder.into_inner().unwrap()
        };
        let inner = tar(&[("n01440764_10026.JPEG", b"fish"), ("n01440764_9.JPEG", b"another")]);
        let long = format!("set/n02321529/{}.png", "x".repeat(150));
        let outer = tar(&[(&long, b"cucumber"), ("n01440764.tar", &inner), ("set/readme.txt", b"no")]);
        let path = root.path().join("train.tar");
        fs::write(&path, outer).unwrap();
        let set = DataSet::open(&path, None).unwrap();
        let expected = [
            ("n01440764.tar/n01440764_10026.JPEG", "n01440764"),
            ("n01440764.tar/n01440764_9.JPEG", "n01440764"),
            (&*long, "n02321529"),
        ];
        assert_eq!(labels(&set), expected.map(|(file, label)| (file, label.to_owned())));
        let bytes: Vec<Vec<u8>> = set.pictures.iter().map(|picture| picture.read(99).unwrap()).collect();
        assert_eq!(bytes, [&b"fish"[..], b"another", b"cucumber"]);
        fs::write(&path, &fs::read(&path).unwrap()[..1200]).unwrap();
        let error = DataSet::open(&path, None).unwrap_err().to_string();
        assert!(error.contains("train.tar"), "{error}");
    }
}
