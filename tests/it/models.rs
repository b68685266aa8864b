//! A provider of networks without a file: minivgg under several names, on the slow reference.

use std::sync::Arc;
use std::time::Duration;

use trepang::runs::Provenance;
use trepang::worker::protocol::{
    DeviceEntry, ImageSizes, LayerInfo, NetworkEntry, NetworkInfo, NetworkView, Supply,
};
use trepang::worker::{Classifier, Error as WorkerError, LoadedModel, ModelProvider, Result};
use trepang_api::{Array, Backend, Cotangents, Error, LayerId, Model, Reference, ReluGradient, find_device};
use trepang_weights::{Trained, minivgg};

/// Opens `second` and `slow`, which takes a while; `damaged` fails, `rotten` panics, and `failing` fails
/// when it computes. Every name can classify but
/// `damaged`.
#[derive(Debug)]
pub(crate) struct Bare;

/// The layer and the channel that a second network is looked at first.
pub(crate) const FIRST_LOOK: (&str, usize) = ("block1_conv1", 5);

pub(crate) fn provenance(network: &str) -> Provenance {
    let text = || "test".to_owned();
    Provenance {
        trepang: text(),
        network: network.into(),
        weights: None,
        weights_sha256: text(),
        pick: None,
        input: None,
        backend: "reference".into(),
        device: "cpu".into(),
        precision: "f32".into(),
        threads: 1,
        vectors: None,
    }
}

pub(crate) fn entry(name: &str, supply: Supply, classifier: bool) -> NetworkEntry {
    NetworkEntry { name: name.into(), supply, megabytes: 80, classifier }
}

/// What a dashboard shows of a network of one layer.
pub(crate) fn view(name: &str) -> NetworkView {
    let info = NetworkInfo {
        name: name.into(),
        backend: "reference".into(),
        device: "cpu".into(),
        threads: 1,
        parameters: 7,
        weights: None,
        sizes: ImageSizes { native: 64, least: 32, multiple: 16 },
    };
    let layer = |name: &str| LayerInfo {
        name: name.into(),
        kind: "relu".into(),
        channels: 32,
        height: 32,
        width: 32,
        has_pre: true,
    };
    let layers = vec![layer("block1_conv2"), layer(FIRST_LOOK.0)];
    let first_look = (FIRST_LOOK.0.to_owned(), FIRST_LOOK.1);
    NetworkView { info, layers, classes: Vec::new(), size: 32, first_look }
}

/// What loads and does not compute: a device without memory, an operation that it lacks.
#[derive(Debug)]
struct Failing;

impl Model for Failing {
    fn activations(&mut self, _: &Array, _: &[LayerId]) -> trepang_api::Result<Vec<Array>> {
        Err(Error::Backend { backend: "failing".into(), message: "out of memory".into() })
    }

    fn pull_back(
        &mut self,
        x: &Array,
        at: &[LayerId],
        _: ReluGradient,
        _: &mut Cotangents,
    ) -> trepang_api::Result<Array> {
        self.activations(x, at).map(|mut found| found.swap_remove(0))
    }

    fn activations_from(
        &mut self,
        _: &[(LayerId, Array)],
        at: &[LayerId],
    ) -> trepang_api::Result<Vec<Array>> {
        self.activations(&Array::zeros([1]), at)
    }

    fn pull_back_from(
        &mut self,
        _: &[(LayerId, Array)],
        at: &[LayerId],
        _: ReluGradient,
        _: &mut Cotangents,
    ) -> trepang_api::Result<Vec<Array>> {
        self.activations(&Array::zeros([1]), at)
    }

    fn memory(&self, _: [usize; 3], _: &[LayerId]) -> trepang_api::Result<u64> {
        Ok(0)
    }

    fn pool(&self) -> std::sync::Arc<dyn trepang_api::ComputePool> {
        std::sync::Arc::new(trepang_api::CallingThread)
    }
}

impl ModelProvider for Bare {
    fn networks(&self) -> Vec<NetworkEntry> {
        vec![entry("minivgg", Supply::Embedded, true), entry("second", Supply::Pulled, true)]
    }

    fn open(&self, name: &str) -> Result<LoadedModel> {
        match name {
            "damaged" => return Err(WorkerError::Load("the file is damaged".into())),
            "rotten" => panic!("the file is rotten"),
            "slow" => std::thread::sleep(Duration::from_millis(300)),
            _ => {}
        }
        let Trained { network, weights, labels, .. } = minivgg()?;
        let mut model = Reference.load(&network, &weights, &find_device(&Reference, "cpu")?)?;
        if name == "failing" {
            model = Box::new(Failing);
        }
        let view = Arc::new(view(name));
        Ok(LoadedModel { model, network, labels, provenance: provenance(name), view })
    }

    fn classifier(&self, name: &str) -> Result<Classifier> {
        let LoadedModel { model, network, labels, .. } = self.open(name)?;
        Classifier::new(network, labels, model)
    }

    fn memory(&self) -> Option<u64> {
        Some(1 << 40)
    }

    fn devices(&mut self) -> Vec<DeviceEntry> {
        let device = |backend: &str, device| DeviceEntry { backend: backend.into(), device };
        vec![
            device("reference", Ok(("cpu".into(), "naive".into()))),
            device("absent", Err("the backend absent cannot be used here".into())),
        ]
    }

    fn open_on(&mut self, backend: &str, device: &str, here: &Provenance) -> Result<LoadedModel> {
        let mut loaded = self.open(backend)?;
        loaded.provenance = Provenance { backend: backend.into(), device: device.into(), ..here.clone() };
        let mut view = view(&here.network);
        (view.info.backend, view.info.device) = (backend.into(), device.into());
        Ok(LoadedModel { view: Arc::new(view), ..loaded })
    }
}
