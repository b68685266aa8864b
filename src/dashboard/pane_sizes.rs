//! The sizes of panes that the user chose, as part of the state. Not here: the sizes that panes have by themselves, how far they
//! can be changed on a screen, and the keys for that.

/// By how much panes are larger than by themselves; negative where they are smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaneSizes {
    /// Columns of the lists of layers and channels.
    pub lists: i16,
    /// Rows of the curve.
    pub curve: i16,
    /// Columns of drafts in the strip beside the picture.
    pub strip: i16,
}
