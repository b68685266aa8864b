//! The settings of the next ascent, by name.

/// A setting of the next ascent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// The recipe that makes the picture.
    Recipe,
    /// The side of the picture in pixels.
    Size,
    /// The number of steps, also of the run on the screen.
    Steps,
    /// The random seed.
    Seed,
    /// The image before the first step.
    Start,
}

impl Setting {
    /// All settings, in the order of the list.
    pub const ALL: [Self; 5] = [Self::Recipe, Self::Size, Self::Steps, Self::Seed, Self::Start];

    /// The name of the setting, as flags of `trepang render` have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Size => "size",
            Self::Steps => "steps",
            Self::Seed => "seed",
            Self::Start => "init",
        }
    }

    /// The words of what can be typed for it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Recipe => "Enter lists them",
            Self::Size => "pixels: longer side, or 96x64",
            Self::Steps => "also of this run",
            Self::Seed => "a whole number",
            Self::Start => "noise, gray or a picture's file",
        }
    }
}
