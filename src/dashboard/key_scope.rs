//! The parts of the dashboard in which keys mean something of their own.

/// The part of the dashboard in which a command's keys count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// Everywhere but in lists, questions and lines.
    Browsing,
    /// Every list that is open.
    Lists,
    /// The list of saved runs.
    Runs,
    /// The list of marked pictures.
    Marks,
    /// The list of networks.
    Networks,
    /// The list of recipes.
    Recipes,
    /// A question that is open.
    Questions,
    /// The lab, where the keys of browsing count too.
    Lab,
}

impl KeyScope {
    /// Whether keys of both count at the same time, so that no key can be in both.
    pub(super) fn meets(self, other: Self) -> bool {
        let is_list = |scope| match scope {
            Self::Lists | Self::Runs | Self::Marks | Self::Networks | Self::Recipes => true,
            Self::Browsing | Self::Questions | Self::Lab => false,
        };
        let with_all = self == Self::Lists || other == Self::Lists;
        let both = [self, other];
        let while_browsing = both.contains(&Self::Browsing) && both.contains(&Self::Lab);
        self == other || while_browsing || (with_all && is_list(self) && is_list(other))
    }
}
