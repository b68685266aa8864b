//! Backends and models that do something else as well, or something wrong, around a real one.

use trepang_api::{
    Array, Backend, Cotangents, Device, LayerId, Model, Network, ReluGradient, Result, Weights,
};

/// A backend with every gradient multiplied, but for one number.
#[derive(Debug)]
pub(crate) struct Skewed {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) factor: f32,
}

#[derive(Debug)]
struct SkewedModel {
    model: Box<dyn Model>,
    factor: f32,
}

impl Backend for Skewed {
    fn name(&self) -> &'static str {
        "skewed"
    }

    fn devices(&self) -> Vec<Device> {
        self.backend.devices()
    }

    fn threads(&self) -> usize {
        self.backend.threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        let model = self.backend.load(network, weights, device)?;
        Ok(Box::new(SkewedModel { model, factor: self.factor }))
    }
}

impl Model for SkewedModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        self.model.activations(images, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let mut gradient = self.model.pull_back(images, at, relu, cotangents)?;
        gradient.data_mut()[1..].iter_mut().for_each(|g| *g *= self.factor);
        Ok(gradient)
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        self.model.activations_from(start, at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        self.model.pull_back_from(start, at, relu, cotangents)
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> trepang_api::Result<u64> {
        self.model.memory(images, at)
    }

    fn pool(&self) -> std::sync::Arc<dyn trepang_api::ComputePool> {
        self.model.pool()
    }
}

/// A model that keeps the images whose gradients it was asked for.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) model: Box<dyn Model>,
    pub(crate) images: Vec<Array>,
}

impl Model for Watched {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        self.model.activations(images, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        self.images.push(images.clone());
        self.model.pull_back(images, at, relu, cotangents)
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        self.model.activations_from(start, at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        self.model.pull_back_from(start, at, relu, cotangents)
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> trepang_api::Result<u64> {
        self.model.memory(images, at)
    }

    fn pool(&self) -> std::sync::Arc<dyn trepang_api::ComputePool> {
        self.model.pool()
    }
}
