//! Backends in shared libraries of their own, loaded when they are first asked for.
//!
//! Purpose: a program that links a framework does not start where the framework cannot be loaded, and the user reads
//! the system's loader instead of a sentence. Here the program links nothing; a library that cannot be loaded is an
//! error like any other, and every other backend still works.
//!
//! Method: a backend's crate is built as a `cdylib` and calls [`export!`]. The program [`open`]s the file. Both sides are
//! built from the same sources of `trepang-api` by the same compiler, so a `Box<dyn Backend>` means the same on both;
//! [`BUILD`] says so, and a library with another one is refused before any of its code runs, as is one that other users
//! could have written (`trust`).
//!
//! The border is crossed by calls through vtables, and by memory of the system's allocator, which both sides use (so
//! neither may set a `#[global_allocator]`). What does not: panics. Each side has a standard library of its own and
//! would take the other's panic for a foreign exception, which aborts; `guest` and `host` turn them round.
//!
//! Not for: plug-ins of strangers. There is no stable interface, on purpose.

mod error;
mod guest;
mod host;
mod trust;

pub use error::Error;
pub use guest::Plugin;
pub use host::{find, open};

/// The stamp of everything that decides the layout of what crosses the border.
pub const BUILD: &str = env!("TREPANG_BUILD");

/// Makes a library a plug-in: `export!(function)`, where the function takes the number of host threads to compute with
/// and gives a `trepang_api::Result<impl Backend>`.
#[macro_export]
macro_rules! export {
    ($open:path) => {
        #[allow(unsafe_code, reason = "a symbol by a name that no other library has")]
        #[unsafe(no_mangle)]
        static TREPANG_PLUGIN: $crate::Plugin =
            $crate::Plugin::new(|threads| $crate::guarded(|| $open(threads)));
    };
}

#[doc(hidden)]
pub use guest::guarded;
