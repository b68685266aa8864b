//! Pixels as they are shown and saved.

/// An RGB picture, one byte a value, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `3 * width * height` bytes: R, G, B of the first pixel, and so on.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Of all values, the share that is 0 or 255: at an end, where the picture cannot say how far it would go.
    pub fn saturated(&self) -> f64 {
        let ends = self.rgb.iter().filter(|&&v| v == 0 || v == 255).count();
        ends as f64 / self.rgb.len().max(1) as f64
    }
}
