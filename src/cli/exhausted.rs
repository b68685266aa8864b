//! The program's allocator: the system's own, and one sentence where that has nothing left. Rust's own answer to a failed
//! allocation is an abort with a backtrace.
#![allow(unsafe_code, reason = "an allocator has no safe interface")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{Result as FmtResult, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use libc::{STDERR_FILENO, c_int};
use rustix::process::{Resource, getrlimit};

use crate::ui::fatal;

#[global_allocator]
static ALLOCATOR: SpeakingAllocator = SpeakingAllocator;

/// The exit code of a command that failed.
const FAILED: c_int = 1;

/// Passes every request on to the system, and ends the process with a sentence where one fails.
struct SpeakingAllocator;

// SAFETY: every request goes to the system's allocator as it is, and what that returns is returned. Where it returns nothing, the
// process ends.
unsafe impl GlobalAlloc for SpeakingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps what `System` asks for, which is the same.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.realloc(pointer, layout, size) }, size)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The pointer that the system gave for a request of `size` bytes.
fn given(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        leave(size)
    }
    pointer
}

/// Ends the process, which needs no memory: the sentence is made on the stack.
#[cold]
fn leave(size: usize) -> ! {
    static LEAVING: AtomicBool = AtomicBool::new(false);
    if LEAVING.swap(true, Ordering::SeqCst) {
        // Another thread is writing the sentence, and ends the process after it.
        loop {
            // SAFETY: it waits for a signal and does nothing else.
            unsafe { libc::pause() };
        }
    }
    fatal::give_back();
    let mut line = LineOnStack { bytes: [0; 512], len: 0 };
    // SAFETY: it only asks for the settings of a terminal.
    if unsafe { libc::isatty(STDERR_FILENO) } == 1 {
        // A progress bar may stand on this line.
        let _ = line.write_str("\n");
    }
    // The buffer is longer than the sentence can get; a sentence that is cut off is better than none.
    let _ = line.describe(size);
    // SAFETY: the bytes live until the call returns, and no destructor has to run in a process that ends.
    unsafe {
        libc::write(STDERR_FILENO, line.bytes.as_ptr().cast(), line.len);
        libc::_exit(FAILED)
    }
}

/// A line of text on the stack.
struct LineOnStack {
    bytes: [u8; 512],
    len: usize,
}

impl LineOnStack {
    fn describe(&mut self, size: usize) -> FmtResult {
        write!(self, "trepang: memory ran out: {} kB more were asked for", size.div_ceil(1000))?;
        for (resource, flag) in [(Resource::As, 'v'), (Resource::Data, 'd')] {
            if let Some(limit) = getrlimit(resource).current {
                write!(self, "; ulimit -{flag} is {} kB", limit / 1024)?;
            }
        }
        writeln!(
            self,
            ". A run that was going on is kept as of its last save (trepang runs). Choose a smaller --size, fewer channels at \
             once or fewer threads, or raise the limit."
        )
    }
}

impl Write for LineOnStack {
    fn write_str(&mut self, text: &str) -> FmtResult {
        let room = &mut self.bytes[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_fits_its_buffer() {
        let mut line = LineOnStack { bytes: [0; 512], len: 0 };
        line.describe(usize::MAX).unwrap();
        let text = str::from_utf8(&line.bytes[..line.len]).unwrap();
        assert!(text.ends_with("raise the limit.\n") && text.contains("memory ran out"), "{text}");
    }
}
