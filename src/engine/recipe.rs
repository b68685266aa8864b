//! Recipes as data: a name for what is optimised, from where, how, and for how long.

use serde::{Deserialize, Serialize};

use super::{Optimizer, Space};

/// What to do when no gradient reaches the image, which is common after a ReLU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadChannel {
    /// Stop and say so.
    Stop,
    /// Climb the same objective before the ReLU until a gradient reaches the image again.
    ClimbBeforeRelu,
}

/// Everything about an ascent but the network, the objective and the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The name it is asked for by.
    pub name: String,
    /// What it is, for listings.
    pub about: String,
    /// What is optimised.
    pub space: Space,
    /// How strongly the noise of the start picture shows: 1 is uniform over all levels.
    pub noise: f64,
    /// How a gradient becomes a step.
    pub optimizer: Optimizer,
    /// What to do when no gradient reaches the image.
    pub dead: DeadChannel,
    /// How many steps, if nobody says otherwise.
    pub steps: usize,
}

/// The names of all recipes, the default first.
pub const RECIPES: [&str; 2] = ["pixel", "seed"];

impl Recipe {
    /// The recipe called `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "seed" => Some(Self::seed()),
            "pixel" => Some(Self::pixel()),
            _ => None,
        }
    }

    /// The recipe the project began with, to the letter: full noise through the network's preprocessing, 100
    /// steps of 0.1 along g / std(g) in the network's own input space, clipped to +-1.
    pub fn seed() -> Self {
        Self {
            name: "seed".into(),
            about: "the original puzzle's: the network's own input space, bounded by +-1".into(),
            space: Space::Network,
            noise: 1.0,
            optimizer: Optimizer::Normalised { rate: 0.1 },
            dead: DeadChannel::Stop,
            steps: 100,
        }
    }

    /// The same idea done honestly: the image lives in valid RGB, and what is saved is what the network saw.
    ///
    /// Its numbers were chosen on minivgg, by eye and by measure: a tenth of the seed's relative step and a
    /// faint start reach about the same activation with 3 to 25 times fewer saturated values, and without the
    /// start's grain. A third and more of the channels of its deep layers are dead at any faint start, so the
    /// recipe climbs before the ReLU until they wake.
    pub fn pixel() -> Self {
        Self {
            name: "pixel".into(),
            about: "the same idea in valid RGB: the saved picture is what the network saw".into(),
            space: Space::Rgb,
            noise: 0.04,
            optimizer: Optimizer::Normalised { rate: 0.01 },
            dead: DeadChannel::ClimbBeforeRelu,
            steps: 128,
        }
    }
}
