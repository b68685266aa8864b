//! Whether leaving the dashboard is asked about, as part of the state.

/// The reason for which leaving is asked about, or is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leaving {
    /// Nothing that goes on was started by hand.
    #[default]
    Unasked,
    /// A run or a queue was started by hand; it is asked as long as it goes on.
    Asked,
    /// The work is another process's and goes on without this dashboard.
    Attached,
}

impl Leaving {
    /// Notes that something was started by hand, or that what goes on began by itself.
    pub(super) fn note(&mut self, by_hand: bool) {
        if *self != Self::Attached {
            *self = if by_hand { Self::Asked } else { Self::Unasked };
        }
    }
}
