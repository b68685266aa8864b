//! Collects a bracketed paste: the bytes between the sequences that a terminal sends before and after a pasted text.

/// The sequence that ends a paste.
const END: &[u8] = b"\x1b[201~";

/// The most bytes of a paste that are kept. Of a longer one, the rest is passed over.
const MAX_PASTE_BYTES: usize = 1 << 16;

/// A paste that has begun.
#[derive(Debug, Default)]
pub(super) struct PasteBuffer {
    held: Vec<u8>,
    /// The last bytes, which can be the beginning of the end.
    tail: Vec<u8>,
}

impl PasteBuffer {
    /// Takes the next byte; returns the pasted text if the byte ends it.
    pub(super) fn push(&mut self, byte: u8) -> Option<String> {
        self.tail.push(byte);
        if self.tail == END {
            self.tail.clear();
            return Some(self.finish());
        }
        if self.tail.len() == END.len() {
            let first = self.tail.remove(0);
            self.hold(first);
        }
        None
    }

    /// The text that was pasted so far.
    pub(super) fn finish(&mut self) -> String {
        for byte in std::mem::take(&mut self.tail) {
            self.hold(byte);
        }
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }

    fn hold(&mut self, byte: u8) {
        if self.held.len() < MAX_PASTE_BYTES {
            self.held.push(byte);
        }
    }
}
