//! The only file that names concrete backends. To add one: a feature in the manifest and a line here.

use trepang_api::{Backend, Reference, Result};

/// Every backend compiled in, the default first and the reference last. `threads` is how many compute.
pub fn backends(threads: usize) -> Result<Vec<Box<dyn Backend>>> {
    let _ = threads; // unused when only the reference, which has one thread, is compiled in
    Ok(vec![
        #[cfg(feature = "candle")]
        Box::new(trepang_candle::CandleBackend::new(threads)?),
        Box::new(Reference),
    ])
}
