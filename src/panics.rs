//! What a caught panic said. Panics are defects, never a way to stop; but one must not cost the user a run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Result;

/// Does `work`; a panic in it is an error that says who was at work. What it may have left half done is the
/// caller's to know.
pub(crate) fn guard<T>(who: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(who, &*panic)))
}

/// The panic's words as an error; `who` was at work.
pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> anyhow::Error {
    let words =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    anyhow::anyhow!("{who} panicked: {}", words.unwrap_or("without a word"))
}
