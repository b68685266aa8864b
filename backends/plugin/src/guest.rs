//! The library's side: the symbol it exports, and a wrapper that lets no panic out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use trepang_api::{
    Array, Backend, ComputePool, Cotangents, Device, DeviceKind, Error, LayerId, Model, Network,
    ReluGradient, Result, Weights,
};

use crate::BUILD;

/// Bytes of [`Plugin`]'s stamp.
pub(crate) const STAMP: usize = 16;

/// Starts a backend that computes with so many host threads.
type Open = fn(usize) -> Result<Box<dyn Backend>>;

/// The export of a library. The stamp is first and of a fixed size: it can be read whatever follows.
#[derive(Debug)]
#[repr(C)]
pub struct Plugin {
    stamp: [u8; STAMP],
    pub(crate) open: Open,
}

impl Plugin {
    /// Of this build.
    pub const fn new(open: Open) -> Self {
        Self { stamp: stamp(), open }
    }
}

/// [`BUILD`] as it stands in the library.
pub(crate) const fn stamp() -> [u8; STAMP] {
    let mut stamp = [0; STAMP];
    let build = BUILD.as_bytes();
    let mut i = 0;
    while i < STAMP && i < build.len() {
        stamp[i] = build[i];
        i += 1;
    }
    stamp
}

/// The backend that `open` gives, with every panic in it, and in `open`, turned into an error.
pub fn guarded<B: Backend + 'static>(open: impl FnOnce() -> Result<B>) -> Result<Box<dyn Backend>> {
    guard("in the plug-in", || Ok(Box::new(Guarded(open()?)) as Box<dyn Backend>))
}

#[derive(Debug)]
struct Guarded<T>(T);

impl<B: Backend> Backend for Guarded<B> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn devices(&self) -> Vec<Device> {
        catch_unwind(AssertUnwindSafe(|| self.0.devices())).unwrap_or_else(|panic| {
            // The list has no room for an error; the CPU is always there, and says what it can.
            let description = format!("its other devices are unknown: it panicked: {}", words(&*panic));
            vec![Device::new(DeviceKind::Cpu, 0, description)]
        })
    }

    fn threads(&self) -> usize {
        self.0.threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        let model = guard(self.name(), || self.0.load(network, weights, device))?;
        Ok(Box::new(GuardedModel { model, backend: self.name().into() }))
    }
}

#[derive(Debug)]
struct GuardedModel {
    model: Box<dyn Model>,
    backend: String,
}

impl Model for GuardedModel {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        let Self { model, backend } = self;
        guard(backend, || model.activations(images, at))
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let Self { model, backend } = self;
        guard(backend, || model.pull_back(images, at, relu, cotangents))
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        let Self { model, backend } = self;
        guard(backend, || model.activations_from(start, at))
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        let Self { model, backend } = self;
        guard(backend, || model.pull_back_from(start, at, relu, cotangents))
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> Result<u64> {
        guard(&self.backend, || self.model.memory(images, at))
    }

    fn pool(&self) -> Arc<dyn ComputePool> {
        self.model.pool()
    }
}

fn guard<T>(backend: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = format!("it panicked: {}", words(&*panic));
        Err(Error::Backend { backend: backend.into(), message })
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use trepang_api::{Reference, find_device};

    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl Backend for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }

        fn devices(&self) -> Vec<Device> {
            Reference.devices()
        }

        fn threads(&self) -> usize {
            1
        }

        fn load(&self, _: &Network, _: &Weights, _: &Device) -> Result<Box<dyn Model>> {
            panic!("no {}", "memory")
        }
    }

    #[test]
    fn a_panic_in_the_library_is_an_error_in_the_program() {
        let backend = guarded(|| Ok(Broken)).unwrap();
        let network = trepang_api::networks::minivgg().unwrap();
        let cpu = find_device(&Reference, "cpu").unwrap();
        let error = backend.load(&network, &Weights::default(), &cpu).unwrap_err();
        assert_eq!(error.to_string(), "backend broken failed: it panicked: no memory");
    }

    #[test]
    fn a_panic_while_it_begins_is_one_too() {
        let error = guarded(|| -> Result<Broken> { panic!("no driver") }).unwrap_err();
        assert!(error.to_string().ends_with("it panicked: no driver"), "{error}");
    }

    #[test]
    fn the_stamp_is_the_build() {
        assert_eq!(std::str::from_utf8(&Plugin::new(|_| guarded(|| Ok(Broken))).stamp), Ok(BUILD));
    }
}
