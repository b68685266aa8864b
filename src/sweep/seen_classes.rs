//! The classes that a classifier saw in pictures, as a store keeps them: by the SHA-256 of each picture's file, so that what is
//! drawn further is looked at anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::runs::BoxedError;

/// The version of the file.
const FORMAT: u32 = 1;

/// The first class of each picture that was looked at, by the SHA-256 of the picture's file.
pub type SeenClasses = BTreeMap<String, String>;

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct SeenClassesFile {
    format: u32,
    /// The description of the classifier, and of the network whose pictures they are.
    of: String,
    classes: SeenClasses,
}

/// The file of the classes that were seen by `of`.
pub(super) fn encode(of: &str, classes: &SeenClasses) -> Result<Vec<u8>, BoxedError> {
    Ok(serde_json::to_vec(&SeenClassesFile { format: FORMAT, of: of.into(), classes: classes.clone() })?)
}

/// Reads the file of the classes that were seen by `of`. Fails where it is damaged, of another version, or of another classifier.
pub(super) fn decode(bytes: &[u8], of: &str) -> Result<SeenClasses, BoxedError> {
    let file: SeenClassesFile = serde_json::from_slice(bytes)?;
    if (file.format, &*file.of) != (FORMAT, of) {
        return Err("it holds other classes".into());
    }
    Ok(file.classes)
}
