//! The errors of finding, loading and starting a plug-in.

use std::io;
use std::path::PathBuf;

use trepang_api::Error as Api;

/// The reason why there is no backend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such file.
    #[error("{} is not there", .0.display())]
    Missing(PathBuf),
    /// The running program has no file any more, so there is no place beside it.
    #[error("this program's own file was deleted or replaced since it started; start it again")]
    ProgramGone,
    /// A library that could not be looked at.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The path of the library.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others could have written the library.
    #[error(
        "{} is not loaded, because other users may write {}; chmod go-w {}, or chown it to the owner of this program",
        library.display(), place.display(), place.display()
    )]
    Exposed {
        /// The path of the library.
        library: PathBuf,
        /// The file or folder that others may write.
        place: PathBuf,
    },
    /// The system's loader refused it, or something that it needs.
    #[error("a library that it needs could not be loaded ({reason})")]
    Loader {
        /// The loader's words: which library it did not find, as a rule.
        reason: String,
    },
    /// It is no plug-in, or was built from other sources or by another compiler.
    #[error("{} was not built with this program", .0.display())]
    Foreign(PathBuf),
    /// It was loaded and could not begin.
    #[error(transparent)]
    Backend(#[from] Api),
}
