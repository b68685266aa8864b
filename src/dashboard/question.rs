//! A question that is open over the screen: what it asks. Not here: the keys that answer it, and what they do.

/// A question that has to be answered before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenQuestion {
    /// Whether a saved run is to be deleted.
    Delete {
        /// The name of its folder.
        name: String,
        /// The line of the list that it is on.
        cursor: usize,
    },
    /// Whether the dashboard is to be left while something that was started by hand goes on.
    Leave,
}

impl OpenQuestion {
    /// The question in words.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Leave => "leave? what you started goes on",
            Self::Delete { .. } => "delete this run, with all that is in its folder?",
        }
    }

    /// Whether it is asked over a list, which lies over the panes.
    pub fn is_over_panes(&self) -> bool {
        match self {
            Self::Delete { .. } => true,
            Self::Leave => false,
        }
    }
}
