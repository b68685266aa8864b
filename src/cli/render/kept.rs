//! A picture of `trepang render` that is written, and what is said of it when something fails afterwards.

use crate::config::RenderJob;
use crate::runs::Session;

/// A finished run whose picture is written.
pub(super) struct KeptPicture<'a> {
    /// The run, which is saved too.
    pub(super) session: &'a Session,
    /// The plan, and the place of the picture.
    pub(super) job: &'a RenderJob,
    /// Whether the picture says how it was made, so that `--from` makes it again.
    pub(super) carries_recipe: bool,
}

/// The places of pictures that are finished, for an error that comes after.
pub(super) fn saved_as(kept: &[KeptPicture]) -> String {
    let places: Vec<String> = kept.iter().map(|kept| kept.job.output.display().to_string()).collect();
    match &places[..] {
        [place] => format!("the picture is saved as {place}"),
        _ => format!("the pictures are saved as {}", places.join(", ")),
    }
}

/// The sentence for a signal that came after the pictures were written.
pub(super) fn interrupted(kept: &[KeptPicture]) -> String {
    format!("interrupted while activations were measured; {}", saved_as(kept))
}
