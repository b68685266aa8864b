//! The networks of the dashboard: what it shows of one, and where others come from.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use trepang_api::{Backend, Device, Network, find_device};
use trepang_weights::cache::{Environment, SizeCheck};
use trepang_weights::{Labels, Purpose, SETS, Set, Trained, cached_copies, embedded_megabytes};

use crate::app::{DeviceEntry, LayerInfo, LoadedNetwork, NetworkEntry, NetworkInfo, Supply};
use crate::backends::{BACKENDS, Entry};
use crate::classify::Classifier;
use crate::config::{DEFAULT_NETWORK, find_entry, find_weights, provenance, store};
use crate::parity::known_gradients;
use crate::runs::Provenance;
use crate::worker::{Loaded, Shelf};

/// What the dashboard shows of a network, at the network's own size.
pub(super) fn subject(
    network: &Network,
    labels: &Labels,
    (layer, channel): (&str, usize),
    provenance: &Provenance,
) -> Result<LoadedNetwork> {
    let size = network.input().native;
    let info = NetworkInfo {
        name: provenance.network.clone(),
        backend: provenance.backend.clone(),
        device: provenance.device.clone(),
        threads: provenance.threads,
        parameters: network.parameters(),
        weights: provenance.weights.clone(),
    };
    let (layers, classes) = (layers(network, size)?, labels.names());
    Ok(LoadedNetwork { info, layers, classes, size, first_look: (layer.into(), channel) })
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
                kind: node.op.kind(),
                channels: shape.channels,
                height: shape.height,
                width: shape.width,
                has_pre: network.pre(id).is_some(),
            });
        }
    }
    Ok(layers)
}

/// The embedded network and the catalog's sets, for the backend and the device that compute now.
#[derive(Debug)]
pub(super) struct Library {
    backend: Arc<dyn Backend>,
    device: Device,
    /// Every backend that has been opened, that one too: each has threads of its own.
    opened: Vec<Arc<dyn Backend>>,
    threads: usize,
}

impl Library {
    pub(super) fn new(backend: Arc<dyn Backend>, device: Device, threads: usize) -> Self {
        Self { opened: vec![Arc::clone(&backend)], backend, device, threads }
    }

    /// The backend of that name, with as many threads as the first one was asked for.
    fn backend(&mut self, entry: &Entry) -> Result<Arc<dyn Backend>> {
        if let Some(opened) = self.opened.iter().find(|backend| backend.name() == entry.name) {
            return Ok(Arc::clone(opened));
        }
        let backend: Arc<dyn Backend> = entry.open(self.threads)?.into();
        self.opened.push(Arc::clone(&backend));
        Ok(backend)
    }
}

/// Puts a network on a device.
fn loaded(
    file: Option<&Path>,
    trained: Trained,
    (backend, device): (&dyn Backend, &Device),
) -> Result<Loaded> {
    let provenance = provenance(file, &trained, (backend, device))?;
    let subject = subject(&trained.network, &trained.labels, trained.first_look, &provenance)?;
    let model = backend.load(&trained.network, &trained.weights, device)?;
    let Trained { network, labels, .. } = trained;
    Ok(Loaded { model, network, labels, provenance, subject: Arc::new(subject) })
}

impl Shelf for Library {
    fn list(&self) -> Vec<NetworkEntry> {
        let environment = Environment::of_process();
        let embedded = NetworkEntry {
            name: DEFAULT_NETWORK.into(),
            supply: Supply::Embedded,
            megabytes: embedded_megabytes(),
            classifier: true,
        };
        std::iter::once(embedded).chain(SETS.iter().map(|set| entry(set, &environment))).collect()
    }

    fn open(&self, name: &str) -> Result<Loaded> {
        loaded(None, find_weights(name, None, Purpose::Features)?, (self.backend.as_ref(), &self.device))
    }

    fn judge(&self, name: &str) -> Result<Classifier> {
        let trained = find_weights(name, None, Purpose::Classes)?;
        let model = self.backend.load(&trained.network, &trained.weights, &self.device)?;
        Classifier::new(trained.network, trained.labels, model)
    }

    fn devices(&mut self) -> Vec<DeviceEntry> {
        let mut entries = Vec::new();
        for entry in BACKENDS {
            let line = |device| DeviceEntry { backend: entry.name.into(), device };
            match self.backend(entry) {
                Ok(backend) => {
                    let devices = backend.devices().into_iter();
                    entries.extend(devices.map(|d| line(Ok((d.to_string(), d.description)))));
                }
                Err(error) => entries.push(line(Err(format!("{error:#}")))),
            }
        }
        entries
    }

    fn carry(&mut self, backend: &str, device: &str, here: &Provenance) -> Result<Loaded> {
        let backend = self.backend(find_entry(backend)?)?;
        let device = find_device(backend.as_ref(), device)?;
        known_gradients(backend.as_ref(), &device)?;
        let file = here.weights.as_deref().map(Path::new);
        let trained = find_weights(&here.network, file, Purpose::Features)?;
        let loaded = loaded(file, trained, (backend.as_ref(), &device))?;
        if loaded.provenance.weights_sha256 != here.weights_sha256 {
            bail!("the weights are no longer those that this run began with");
        }
        (self.backend, self.device) = (backend, device);
        Ok(loaded)
    }
}

fn entry(set: &Set, environment: &Environment) -> NetworkEntry {
    let candidate =
        || cached_copies(set, environment).into_iter().find(|found| found.size_check == SizeCheck::Candidate);
    let supply = match store().has(set) {
        true => Supply::Pulled,
        false => candidate().map_or(Supply::Published, |found| Supply::Found(found.owner.to_string())),
    };
    NetworkEntry { name: set.name.into(), supply, megabytes: set.megabytes, classifier: set.classifier }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trepang_weights::names;

    #[test]
    fn the_list_has_every_name_that_can_be_asked_for() {
        let backend: Arc<dyn Backend> = Arc::new(trepang_api::Reference);
        let device = trepang_api::find_device(backend.as_ref(), "cpu").unwrap();
        let listed = Library::new(backend, device, 1).list();
        assert_eq!(listed.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), names());
    }
}
