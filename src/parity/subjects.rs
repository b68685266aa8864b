//! The networks that backends are compared on: with their own weights where those are here, or else with made-up ones.

use std::path::Path;

use anyhow::Result;
use trepang_api::Node;
use trepang_weights::{Architecture, Dialect, Error, MadeUp, Trained, Want, architecture, find_set};

use crate::config::find_weights;

/// The networks that take the fewest operations.
pub const CHEAPEST: [Architecture; 2] = [Architecture::Minivgg, Architecture::EfficientnetLite0];

/// A network that can be loaded.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What it is, for the table.
    pub title: String,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    /// Weights that a name, and perhaps a file, mean.
    Real(Box<Trained>),
    MadeUp(Architecture, Dialect),
}

impl Subject {
    /// What `name` means, with the weights of `file` or its own; with made-up ones, if it has not been pulled.
    pub fn named(name: &str, file: Option<&Path>) -> Result<Self> {
        match find_weights(name, file, Want::Features) {
            Ok(trained) => Ok(Self::real(name, trained)),
            Err(error) => match error.downcast_ref::<Error>() {
                Some(Error::NotPulled { .. }) => {
                    Ok(Self::made_up(architecture(name)?, find_set(name)?.dialect))
                }
                _ => Err(error),
            },
        }
    }

    /// The embedded network, and every other one with made-up weights. Of versions that differ in their preprocessing
    /// alone, the first stands for all.
    pub fn all() -> Result<Vec<Self>> {
        let mut subjects = Vec::new();
        for architecture in Architecture::ALL {
            let mut seen: Vec<Vec<Node>> = Vec::new();
            for &dialect in architecture.dialects() {
                let nodes = architecture.network(dialect, true)?.nodes()[1..].to_vec();
                if seen.contains(&nodes) {
                    continue;
                }
                seen.push(nodes);
                subjects.push(match architecture {
                    Architecture::Minivgg => Self::named(architecture.name(), None)?,
                    _ => Self::made_up(architecture, dialect),
                });
            }
        }
        Ok(subjects)
    }

    /// The network with its weights.
    pub fn load(&self) -> Result<Trained> {
        match &self.source {
            Source::Real(trained) => Ok(Trained::clone(trained)),
            Source::MadeUp(architecture, dialect) => Ok(MadeUp::new(*architecture, *dialect, true)?.load()?),
        }
    }

    /// Is it one of the [`CHEAPEST`]?
    pub(super) fn is_cheap(&self) -> bool {
        match &self.source {
            Source::Real(trained) => CHEAPEST.iter().any(|cheap| cheap.name() == trained.network.name()),
            Source::MadeUp(architecture, _) => CHEAPEST.contains(architecture),
        }
    }

    fn real(name: &str, trained: Trained) -> Self {
        let size = trained.network.input().native;
        Self { title: format!("{name}, {size} px"), source: Source::Real(Box::new(trained)) }
    }

    fn made_up(architecture: Architecture, dialect: Dialect) -> Self {
        let title = format!("{architecture} as {dialect} has it, made-up weights");
        Self { title, source: Source::MadeUp(architecture, dialect) }
    }
}
