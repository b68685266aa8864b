//! Backends and models that do something else as well, or something wrong, around a real one.

use trepang_api::{
    Array, Backend, Cotangents, Device, LayerId, Model, Network, ReluGradient, Result, Weights,
};

use crate::forwarding::forward;

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
    forward!(model: activations activations_from pull_back_from memory pool);

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
}

/// A model that keeps the images whose gradients it was asked for.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) model: Box<dyn Model>,
    pub(crate) images: Vec<Array>,
}

impl Model for Watched {
    forward!(model: activations activations_from pull_back_from memory pool);

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
}
