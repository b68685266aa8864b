//! Panics as errors. Panics are defects, never a way to stop; but one must not cost the user a run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A panic that was caught.
#[derive(Debug, thiserror::Error)]
#[error("{who} panicked: {message}")]
pub struct Panicked {
    /// The part of the program that panicked, for a sentence: "the backend".
    who: String,
    /// The panic's message, if it was text.
    message: String,
}

/// Does `work` and returns a panic in it as an error. The caller has to know what the panic left half done.
pub(crate) fn catch<T>(who: &str, work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panicked(who, &*panic))
}

/// Like [`catch`], for work that can fail itself.
pub(crate) fn guard<T, E: From<Panicked>>(who: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch(who, work)?
}

/// The error for a panic of `who`, with the panic's message if it is text.
pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> Panicked {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Panicked { who: who.into(), message: text.unwrap_or("without a word").into() }
}
