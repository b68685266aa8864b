//! The lines in which something is typed, by what they ask for.

use super::setting::Setting;

/// Something that is typed in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// The number of a channel to go to.
    Channel,
    /// The objective to maximise.
    Objective,
    /// The numbers of the recipe in use.
    Numbers,
    /// A setting of the next run.
    Setting(Setting),
    /// Words of what is to be found.
    Find,
    /// Words of a command.
    Command,
    /// The objective that a fork raises.
    Fork,
    /// The file that a picture is written to.
    Export,
}

impl Prompt {
    /// Whether a character can be part of the text.
    pub(super) fn takes(self, c: char) -> bool {
        match self {
            Self::Channel => c.is_ascii_digit(),
            Self::Objective
            | Self::Numbers
            | Self::Setting(_)
            | Self::Find
            | Self::Command
            | Self::Fork
            | Self::Export => true,
        }
    }

    /// Whether what fits the text is listed over the panes.
    pub fn is_list(self) -> bool {
        match self {
            Self::Find | Self::Command => true,
            Self::Channel
            | Self::Objective
            | Self::Numbers
            | Self::Setting(_)
            | Self::Fork
            | Self::Export => false,
        }
    }
}
