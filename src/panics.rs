//! What a caught panic said. Panics are defects, never a way to stop; but one must not cost the user a run.

use std::any::Any;

/// The panic's words as an error; `who` was at work.
pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> anyhow::Error {
    let words =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    anyhow::anyhow!("{who} panicked: {}", words.unwrap_or("without a word"))
}
