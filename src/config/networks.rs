//! The networks that backends are compared and timed on, with their own weights if those have been pulled, or else with
//! made-up ones.

use std::path::Path;

use anyhow::Result;
use trepang_api::Node;
use trepang_weights::{
    Architecture, Dialect, Error, FileChoices, InputFormat, InputScale, MadeUp, Purpose, Trained,
    architecture, find_set,
};

use super::args::ComputeArgs;
use super::{find_chosen, load, remark};

/// Networks that differ from one that is measured only in how many blocks they have, how wide these are or where batch norm
/// was: they are left out unless they are named.
const LEFT_OUT: [Architecture; 9] = [
    Architecture::Vgg11,
    Architecture::Vgg13,
    Architecture::Vgg16Bn,
    Architecture::Vgg19Bn,
    Architecture::Resnet34,
    Architecture::Resnet101,
    Architecture::Resnet152,
    Architecture::WideResnet50,
    Architecture::ClipRn50x4,
];

/// A network that can be loaded.
#[derive(Debug, Clone)]
pub struct MeasuredNetwork {
    /// A description of the network for the table.
    pub title: String,
    source: NetworkWeights,
}

/// The weights of a network that is compared.
#[derive(Debug, Clone)]
enum NetworkWeights {
    /// Weights from a file, the store or the program.
    Real(Box<Trained>),
    /// Made-up weights for a version of an architecture.
    MadeUp(Architecture, Dialect),
}

impl MeasuredNetwork {
    /// The network called `name`, with the weights of `file` or its own, or with made-up ones if its own have not been
    /// pulled.
    pub fn named(name: &str, file: Option<&Path>) -> Result<Self> {
        let (network, weights) = (Some(name.to_owned()), file.map(Into::into));
        Self::chosen(name, &ComputeArgs { network, weights, ..ComputeArgs::default() })
    }

    /// The network that the flags name.
    pub fn chosen(name: &str, args: &ComputeArgs) -> Result<Self> {
        match find_chosen(args, Purpose::Features) {
            Err(error) if matches!(error.downcast_ref(), Some(Error::UnknownInput { .. })) => {
                let scale = InputScale::Unit;
                remark(format_args!(
                    "{name} does not say what its pixels are: here they are 0..1, which changes no time"
                ));
                let choices =
                    FileChoices { input: Some(InputFormat { scale, bgr: false }), ..FileChoices::default() };
                Self::of(name, load(name, args.weights.as_deref(), &choices, Purpose::Features))
            }
            found => Self::of(name, found),
        }
    }

    fn of(name: &str, found: Result<Trained>) -> Result<Self> {
        match found {
            Ok(trained) => Ok(Self::real(name, trained)),
            Err(error) => match error.downcast_ref::<Error>() {
                Some(Error::NotPulled { .. }) => {
                    Ok(Self::made_up(architecture(name)?, find_set(name)?.dialect))
                }
                _ => Err(error),
            },
        }
    }

    /// The embedded network, and one of each other kind with made-up weights. Of versions that differ only in their
    /// preprocessing, the first is used.
    pub fn all() -> Result<Vec<Self>> {
        let mut networks = Vec::new();
        for architecture in Architecture::ALL.into_iter().filter(|network| !LEFT_OUT.contains(network)) {
            let mut seen: Vec<Vec<Node>> = Vec::new();
            for &dialect in architecture.dialects() {
                let nodes = architecture.network(dialect, true)?.nodes()[1..].to_vec();
                if seen.contains(&nodes) {
                    continue;
                }
                seen.push(nodes);
                networks.push(match architecture {
                    Architecture::Minivgg => Self::named(architecture.name(), None)?,
                    _ => Self::made_up(architecture, dialect),
                });
            }
        }
        Ok(networks)
    }

    /// Loads the network with its weights.
    pub fn load(&self) -> Result<Trained> {
        match &self.source {
            NetworkWeights::Real(trained) => Ok(Trained::clone(trained)),
            NetworkWeights::MadeUp(architecture, dialect) => {
                Ok(MadeUp::new(*architecture, *dialect, true)?.load()?)
            }
        }
    }

    /// Whether the network is of one of these architectures.
    pub fn is_of(&self, architectures: &[Architecture]) -> bool {
        match &self.source {
            NetworkWeights::Real(trained) => {
                architectures.iter().any(|architecture| architecture.name() == trained.network.name())
            }
            NetworkWeights::MadeUp(architecture, _) => architectures.contains(architecture),
        }
    }

    fn real(name: &str, trained: Trained) -> Self {
        let size = trained.network.input().native;
        Self { title: format!("{name}, {size} px"), source: NetworkWeights::Real(Box::new(trained)) }
    }

    fn made_up(architecture: Architecture, dialect: Dialect) -> Self {
        let title = format!("{architecture}, {dialect}'s version, made-up weights");
        Self { title, source: NetworkWeights::MadeUp(architecture, dialect) }
    }
}
