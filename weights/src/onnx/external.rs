//! The files beside an ONNX file that hold its weights. Only files in the model's own folder or below it are read, and no
//! link out of it is followed.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::proto::{GraphProto, TensorProto};
use crate::file_bytes::FileBytes;
use crate::readers::printable;
use crate::{Error, Result};

/// The place of a tensor whose numbers are in another file.
const EXTERNAL: i32 = 1;

/// The largest number of data files.
const MAX_FILES: usize = 4096;

/// The data files of a model, by the names in the model.
#[derive(Debug, Default)]
pub(super) struct DataFiles(BTreeMap<String, FileBytes>);

impl DataFiles {
    /// Reads every file that the tensors of `graph` are in. Fails for a file that is not there, and for a path out of the
    /// model's folder.
    pub(super) fn read(model: &Path, graph: &GraphProto) -> Result<Self> {
        let mut files = BTreeMap::new();
        let attributes = graph.node.iter().flat_map(|node| &node.attribute);
        let constants = attributes.filter_map(|attribute| attribute.t.as_ref());
        for tensor in graph.initializer.iter().chain(constants) {
            let Some(location) = location(tensor) else { continue };
            if files.contains_key(location) {
                continue;
            }
            if files.len() == MAX_FILES {
                return Err(unusable(model, format!("its weights are in more than {MAX_FILES} files")));
            }
            files.insert(location.to_owned(), read_one(model, location)?);
        }
        Ok(Self(files))
    }

    /// The bytes of all files, by their names.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.0.values().map(|bytes| &**bytes)
    }

    /// The bytes of a tensor in a data file; none if the model itself has them. Fails, with a clause, for a place behind
    /// the end of the file.
    pub(super) fn bytes_of(&self, tensor: &TensorProto) -> Result<Option<&[u8]>, String> {
        let Some(location) = location(tensor) else { return Ok(None) };
        let file = self.0.get(location).ok_or("is in a file that was not read")?;
        let number = |key| match entry(tensor, key) {
            None => Ok(None),
            Some(text) => text
                .parse::<usize>()
                .map(Some)
                .map_err(|_| format!("has {key} \"{}\", which is no number", printable(text))),
        };
        let start = number("offset")?.unwrap_or(0);
        let length = number("length")?.unwrap_or_else(|| file.len().saturating_sub(start));
        let bytes = start.checked_add(length).and_then(|end| file.get(start..end));
        let outside = || {
            let size = file.len();
            format!(
                "is at {start}, {length} bytes long, in \"{}\", which has {size}: the two files do not belong together",
                printable(location)
            )
        };
        bytes.map(Some).ok_or_else(outside)
    }
}

fn entry<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
}

/// The name of the file that holds a tensor's numbers, if they are in another file.
fn location(tensor: &TensorProto) -> Option<&str> {
    (tensor.data_location == EXTERNAL).then(|| entry(tensor, "location").unwrap_or_default())
}

fn unusable(model: &Path, reason: String) -> Error {
    Error::Unusable { path: model.into(), format: crate::FileFormat::Onnx, reason }
}

fn read_one(model: &Path, location: &str) -> Result<FileBytes> {
    let path = place(model, location)?;
    let name = printable(location);
    FileBytes::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::DataFileMissing { path: model.into(), file: name },
        _ => Error::Io { path, source: error },
    })
}

/// The path of a data file. Fails for one that is not below the model's folder, by its name or by a link.
fn place(model: &Path, location: &str) -> Result<PathBuf> {
    let refused = || unusable(model, outside(location));
    let relative = Path::new(location);
    let plain = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
    let strange = location.is_empty() || location.contains(['\\', '\0']);
    if strange || !relative.components().all(plain) {
        return Err(refused());
    }
    let folder = model.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let path = folder.join(relative);
    // A link that leads nowhere is a file that is missing.
    let (Ok(real), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else { return Ok(path) };
    if real.starts_with(&folder) || is_beside_real(model, &real) { Ok(path) } else { Err(refused()) }
}

/// Whether `real` lies in the folder that the model's own link leads to: stores of downloads link both files to theirs.
fn is_beside_real(model: &Path, real: &Path) -> bool {
    let model = model.canonicalize().ok();
    model.as_deref().and_then(Path::parent).is_some_and(|folder| real.starts_with(folder))
}

fn outside(location: &str) -> String {
    format!("its weights point to \"{}\", outside the model's folder: refused", printable(location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_out_of_the_models_folder_is_refused() {
        for location in ["../w", "/etc/passwd", "a/../../w", "a\\b", "", "w\0"] {
            let error = place(Path::new("folder/m.onnx"), location).unwrap_err().to_string();
            assert!(error.contains("outside the model's folder: refused"), "{error}");
        }
        assert_eq!(place(Path::new("m.onnx"), "m.onnx.data").unwrap(), Path::new("./m.onnx.data"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_models_folder_is_refused() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("w"), "secret").unwrap();
        std::os::unix::fs::symlink(other.path().join("w"), folder.path().join("w")).unwrap();
        let model = folder.path().join("m.onnx");
        std::fs::write(&model, "").unwrap();
        assert!(place(&model, "w").unwrap_err().to_string().contains("refused"));
    }
}
