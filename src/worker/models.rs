//! The source of models: a trait, so that tests need no weights, and its implementation that opens the networks of this
//! machine. Not here: concrete backends, which the caller brings.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trepang_api::{Backend, Device, Model, Network, find_device};
use trepang_weights::cache::{Environment, SizeCheck};
use trepang_weights::{
    Architecture, FileChoices, Labels, Purpose, SETS, Set, Store, Trained, cached_copies, embedded_megabytes,
    is_onnx, trained, trained_with,
};

use super::classifier::Classifier;
use super::error::{Error, Result};
use super::protocol::{DeviceEntry, LayerInfo, NetworkEntry, NetworkInfo, NetworkView, Supply};
use crate::memory;
use crate::runs::{BoxedError, Provenance, describe};

/// A network on its device, with all that is known about it.
#[derive(Debug)]
pub struct LoadedModel {
    /// The model that runs the network.
    pub model: Box<dyn Model>,
    /// The network, as data.
    pub network: Network,
    /// The names of the network's classes.
    pub labels: Labels,
    /// The provenance for manifests.
    pub provenance: Provenance,
    /// The description of the network for a dashboard.
    pub view: Arc<NetworkView>,
}

/// Opens networks by name. Called on the worker's thread.
pub trait ModelProvider: Debug + Send {
    /// Every network that can be asked for. Looks at files, and reads none.
    fn networks(&self) -> Vec<NetworkEntry>;

    /// Puts a network on the device that computes now.
    fn open(&self, name: &str) -> Result<LoadedModel>;

    /// Puts a network that only classifies pictures on the device. Fails for one without a classifier.
    fn classifier(&self, name: &str) -> Result<Classifier>;

    /// Bytes of memory that work on the device in use may take; none if that is not known.
    fn memory(&self) -> Option<u64> {
        None
    }

    /// Every backend on each of its devices. Opens every backend, which can take a while.
    fn devices(&mut self) -> Vec<DeviceEntry>;

    /// Puts the network that `here` describes on another device, which from then on is the one that computes. Fails if
    /// its weights are no longer what they were.
    fn open_on(&mut self, backend: &str, device: &str, here: &Provenance) -> Result<LoadedModel>;
}

/// The backends of this build, which are opened by name.
pub trait BackendProvider: Debug + Send {
    /// The names of all backends, the default first.
    fn names(&self) -> Vec<&'static str>;

    /// Starts a backend. Fails where something that it needs is not on this machine.
    fn open(&self, name: &str) -> Result<Box<dyn Backend>, BoxedError>;

    /// Fails where the gradients that a backend computes on a device are known to be wrong.
    fn check(&self, backend: &dyn Backend, device: &Device) -> Result<(), BoxedError>;
}

/// The networks of this machine: the embedded one and the sets of the catalog, for the backend and the device that compute
/// now.
#[derive(Debug)]
pub struct LocalModels {
    backend: Arc<dyn Backend>,
    device: Device,
    backends: Box<dyn BackendProvider>,
    /// Every backend that has been opened, the present one too: each has threads of its own.
    opened: Vec<Arc<dyn Backend>>,
    environment: Environment,
    /// The file with the names of the classes of weights from a file.
    labels: Option<PathBuf>,
    own: Option<OwnNetwork>,
}

/// The network of the user's own that the program was started with.
#[derive(Debug)]
struct OwnNetwork {
    entry: NetworkEntry,
    path: PathBuf,
    choices: FileChoices,
}

impl LocalModels {
    /// Opens networks on `device` of `backend`, and on others of `backends` when asked to. Weights are looked for where
    /// `environment` says.
    pub fn new(
        (backend, device): (Arc<dyn Backend>, Device),
        backends: Box<dyn BackendProvider>,
        environment: Environment,
    ) -> Self {
        let opened = vec![Arc::clone(&backend)];
        Self { opened, backend, device, backends, environment, labels: None, own: None }
    }

    /// Adds a network to those of this machine if it is of the user's own: an ONNX file's.
    #[must_use]
    pub fn with_own(mut self, trained: &Trained) -> Self {
        let Some(path) = trained.file().filter(|path| is_onnx(path)) else { return self };
        let (supply, classifier) = (Supply::File, !trained.labels.is_empty());
        let megabytes = (trained.network.parameters() * size_of::<f32>()).div_ceil(1_000_000);
        let megabytes = u32::try_from(megabytes).unwrap_or(u32::MAX);
        let entry = NetworkEntry { name: trained.name.clone(), supply, megabytes, classifier };
        let labels = self.labels.clone();
        let choices = FileChoices { pick: None, input: trained.taken.input, labels };
        self.own = Some(OwnNetwork { entry, path: path.into(), choices });
        self
    }

    /// The network called `name`: the user's own, or one of the catalog.
    fn trained(&self, name: &str, purpose: Purpose) -> Result<Trained> {
        let store = self.store();
        match self.own.as_ref().filter(|own| own.entry.name == name) {
            Some(own) => Ok(trained_with(name, Some(&own.path), &own.choices, &store, purpose)?),
            None => Ok(trained(name, None, &store, purpose)?),
        }
    }

    /// Names the classes of weights from a file as in `labels`.
    #[must_use]
    pub fn with_labels(mut self, labels: Option<PathBuf>) -> Self {
        self.labels = labels;
        self
    }

    fn store(&self) -> Store {
        Store::of(&self.environment)
    }

    /// The backend of that name, opened once.
    fn backend(&mut self, name: &str) -> Result<Arc<dyn Backend>> {
        if let Some(opened) = self.opened.iter().find(|backend| backend.name() == name) {
            return Ok(Arc::clone(opened));
        }
        let backend: Arc<dyn Backend> = self.backends.open(name).map_err(Error::Load)?.into();
        self.opened.push(Arc::clone(&backend));
        Ok(backend)
    }

    /// The choices from the weights file of a run.
    fn choices(&self, here: &Provenance) -> Result<FileChoices> {
        let input = here.input.as_deref().map(str::parse).transpose();
        let input = input.map_err(|reason: String| Error::Load(reason.into()))?;
        let labels = self.labels.clone().filter(|_| here.weights.is_some());
        Ok(FileChoices { pick: here.pick.clone(), input, labels })
    }

    /// The catalog's set as a line of the list.
    fn entry(&self, store: &Store, set: &Set) -> NetworkEntry {
        let supply = if store.has(set) {
            Supply::Pulled
        } else {
            let found = cached_copies(set, &self.environment);
            let candidate = found.into_iter().find(|found| found.size_check == SizeCheck::Candidate);
            candidate.map_or(Supply::Published, |found| Supply::Found(found.owner.to_string()))
        };
        NetworkEntry { name: set.name.into(), supply, megabytes: set.megabytes, classifier: set.classifier }
    }
}

impl ModelProvider for LocalModels {
    fn networks(&self) -> Vec<NetworkEntry> {
        let embedded = NetworkEntry {
            name: Architecture::Minivgg.name().into(),
            supply: Supply::Embedded,
            megabytes: embedded_megabytes(),
            classifier: true,
        };
        let store = self.store();
        let own = self.own.as_ref().map(|own| own.entry.clone());
        let sets = SETS.iter().map(|set| self.entry(&store, set));
        own.into_iter().chain(std::iter::once(embedded)).chain(sets).collect()
    }

    fn open(&self, name: &str) -> Result<LoadedModel> {
        let trained = self.trained(name, Purpose::Features)?;
        load(trained, (self.backend.as_ref(), &self.device))
    }

    fn classifier(&self, name: &str) -> Result<Classifier> {
        let trained = self.trained(name, Purpose::Classes)?;
        let model = self.backend.load(&trained.network, &trained.weights, &self.device)?;
        let sha256 = trained.sha256();
        Ok(Classifier::new(trained.network, trained.labels, model)?.of_weights(sha256))
    }

    fn memory(&self) -> Option<u64> {
        memory::available(&self.device).ok().flatten()
    }

    fn devices(&mut self) -> Vec<DeviceEntry> {
        let mut entries = Vec::new();
        for name in self.backends.names() {
            let line = |device| DeviceEntry { backend: name.into(), device };
            match self.backend(name) {
                Ok(backend) => {
                    let devices = backend.devices().into_iter();
                    entries.extend(devices.map(|d| line(Ok((d.to_string(), d.description)))));
                }
                Err(error) => entries.push(line(Err(describe(&error)))),
            }
        }
        entries
    }

    fn open_on(&mut self, backend: &str, device: &str, here: &Provenance) -> Result<LoadedModel> {
        let backend = self.backend(backend)?;
        let device = find_device(backend.as_ref(), device)?;
        self.backends.check(backend.as_ref(), &device).map_err(Error::Load)?;
        let file = here.weights.as_deref().map(Path::new);
        let choices = self.choices(here)?;
        let trained = trained_with(&here.network, file, &choices, &self.store(), Purpose::Features)?;
        let loaded = load(trained, (backend.as_ref(), &device))?;
        if loaded.provenance.weights_sha256 != here.weights_sha256 {
            return Err(Error::WeightsChanged);
        }
        (self.backend, self.device) = (backend, device);
        Ok(loaded)
    }
}

/// Puts a network on a device.
fn load(trained: Trained, (backend, device): (&dyn Backend, &Device)) -> Result<LoadedModel> {
    let provenance = Provenance {
        pick: trained.taken.pick.clone(),
        input: trained.taken.input.map(|input| input.to_string()),
        ..Provenance::new((&trained.name, trained.file(), trained.sha256()), (backend, device))
    };
    let first_look = (&*trained.first_look.0, trained.first_look.1);
    let view = network_view(&trained.network, &trained.labels, first_look, &provenance)?;
    let model = backend.load(&trained.network, &trained.weights, device)?;
    let Trained { network, labels, .. } = trained;
    Ok(LoadedModel { model, network, labels, provenance, view: Arc::new(view) })
}

/// The description of a network for a dashboard, at the network's own size. Fails where the network does not take that size.
pub fn network_view(
    network: &Network,
    labels: &Labels,
    (layer, channel): (&str, usize),
    provenance: &Provenance,
) -> Result<NetworkView> {
    let size = network.input().native;
    let info = NetworkInfo {
        name: provenance.network.clone(),
        backend: provenance.backend.clone(),
        device: provenance.device.clone(),
        threads: provenance.threads,
        parameters: network.parameters(),
        weights: provenance.weights.clone(),
        sizes: network.input().into(),
    };
    let (layers, classes) = (layers(network, size)?, labels.names());
    Ok(NetworkView { info, layers, classes, size, first_look: (layer.into(), channel) })
}

/// Every layer for the list: a convolution and its ReLU are one.
fn layers(network: &Network, size: usize) -> Result<Vec<LayerInfo>> {
    let mut layers = Vec::new();
    for id in network.layers() {
        let (node, shape) = (network.node(id)?, network.shape(size, size, id)?);
        let is_pre = node.name.ends_with(":pre");
        if !is_pre {
            layers.push(LayerInfo {
                name: node.name.clone(),
                kind: node.op.kind().into(),
                channels: shape.channels,
                height: shape.height,
                width: shape.width,
                has_pre: network.pre(id).is_some(),
            });
        }
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trepang_weights::names;

    /// The reference alone.
    #[derive(Debug)]
    struct ReferenceOnly;

    impl BackendProvider for ReferenceOnly {
        fn names(&self) -> Vec<&'static str> {
            vec!["reference"]
        }

        fn open(&self, _: &str) -> Result<Box<dyn Backend>, BoxedError> {
            Ok(Box::new(trepang_api::Reference))
        }

        fn check(&self, _: &dyn Backend, _: &Device) -> Result<(), BoxedError> {
            Ok(())
        }
    }

    #[test]
    fn the_list_has_every_name_that_can_be_asked_for() {
        let backend: Arc<dyn Backend> = Arc::new(trepang_api::Reference);
        let device = find_device(backend.as_ref(), "cpu").unwrap();
        let environment = Environment::of_process();
        let models = LocalModels::new((backend, device), Box::new(ReferenceOnly), environment);
        let listed = models.networks();
        assert_eq!(listed.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), names());
    }

    #[test]
    fn a_network_of_the_users_own_is_listed_and_opened_again() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/tests/fixtures/onnx/resnet-new.onnx");
        let environment = Environment::of_process();
        let choices = FileChoices { input: Some("torch".parse().unwrap()), ..FileChoices::default() };
        let (name, store) = (file.to_string_lossy(), Store::of(&environment));
        let trained = trained_with(&name, Some(&file), &choices, &store, Purpose::Features).unwrap();
        let backend: Arc<dyn Backend> = Arc::new(trepang_api::Reference);
        let device = find_device(backend.as_ref(), "cpu").unwrap();
        let models =
            LocalModels::new((backend, device), Box::new(ReferenceOnly), environment).with_own(&trained);
        let first = models.networks().swap_remove(0);
        assert_eq!((&*first.name, first.supply, first.classifier), ("resnet-new.onnx", Supply::File, true));
        let opened = models.open("resnet-new.onnx").unwrap();
        assert_eq!(opened.provenance.weights.as_deref(), Some(&*name));
        assert_eq!(opened.provenance.input.as_deref(), Some("torch"));
    }
}
